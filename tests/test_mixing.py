"""Pairs made by rule, mixtures from recipes, blends of weights, and training that holds on to what was right."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from robustnli.data import load as load_data
from robustnli.errors import CheckpointError, DataError, InputError
from robustnli.models import load
from robustnli.pipeline import lexicon
from robustnli.pipeline.augment import KINDS, augment, negate
from robustnli.pipeline.blend import blend
from robustnli.pipeline.mixture import Source, mix, read_recipe
from robustnli.pipeline.teach import keep_right
from robustnli.types import Example, Label, example

FIXTURES = Path(__file__).parent / "fixtures"
RECIPE = Path(__file__).parent.parent / "docs" / "recipes" / "robust.toml"
SEEN = load_data(str(FIXTURES / "tiny_train.jsonl")).examples
OWN = [
    example("A red boat lies on the beach near two tents.", "A boat is on the sand.", Label.ENTAILMENT),
    example("Three girls are painting a wooden door.", "The girls painting it are cousins.", Label.NEUTRAL),
    example("A man with a guitar is sitting under a tree.", "A man is asleep in a bed.", Label.CONTRADICTION),
    example("Some children are swimming in a cold lake.", "The children are dry.", Label.CONTRADICTION),
    example("A dog jumps over a small fence.", "A dog is clear of the ground.", Label.ENTAILMENT),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_made_pairs_are_different_repeatable_and_marked(kind: str) -> None:
    made = augment(kind, SEEN, 60, seed=3)
    assert made == augment(kind, SEEN, 60, seed=3) != augment(kind, SEEN, 60, seed=4)
    assert len({e.uid for e in made}) == 60 and {e.source for e in made} == {f"made:{kind}"}
    assert len({e.label for e in made}) == 3
    assert all(e.pair.premise != e.pair.hypothesis or e.label == Label.ENTAILMENT for e in made)


def test_unknown_kinds_and_too_little_data_are_told() -> None:
    with pytest.raises(DataError, match=r"no kind 'sarcasm'.*lexical"):
        augment("sarcasm", OWN, 1, seed=1)
    with pytest.raises(DataError, match=r"negation: only [\d,]+ of 5,000"):
        augment("negation", OWN, 5000, seed=1)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def test_a_lexical_pair_differs_in_the_words_its_label_says() -> None:
    exclusive = [set(row) for row in lexicon.EXCLUSIVE] + [set(row) for row in lexicon.OPPOSITE]
    same = [{w for part in row for w in part.split()} for row in (*lexicon.SAME, *lexicon.KIND_OF)]
    for e in augment("lexical", OWN, 40, seed=5):
        old, new = Counter(words(e.pair.premise)), Counter(words(e.pair.hypothesis))
        gone, come = set(old - new) - {"a", "an"}, set(new - old) - {"a", "an"}
        if e.label == Label.CONTRADICTION:
            assert any(gone | come <= row for row in exclusive), e
        elif gone and come:
            assert any(gone | come <= row | {"of", "piece", "the"} for row in same), e


@pytest.mark.parametrize(
    ("sentence", "denied"),
    [
        ("The dog by the stove is asleep.", {"The dog by the stove is not asleep.", "The dog by the stove isn't asleep."}),
        ("A man can swim.", {"A man cannot swim.", "A man can't swim."}),
    ],
)
def test_negate(sentence: str, denied: set[str]) -> None:
    assert negate(sentence) in denied
    assert negate("Nobody is at the mill.") is None and negate("Dogs bark.") is None and negate("Is it late.") is None


def test_denied_hypotheses_take_the_label_of_the_rule() -> None:
    made = {(e.pair.premise, e.pair.hypothesis): e.label for e in augment("negation", OWN, 25, seed=2)}
    found = {p: label for (p, h), label in made.items() if p == OWN[3].pair.premise and ("not dry" in h or "n't dry" in h)}
    assert found == {OWN[3].pair.premise: Label.ENTAILMENT}
    assert (OWN[2].pair.premise, "A man is not asleep in a bed.") in made or (OWN[2].pair.premise, "A man isn't asleep in a bed.") in made
    for (p, h), label in made.items():
        if p == OWN[1].pair.premise:
            assert label == Label.NEUTRAL, h


def test_distraction_keeps_labels_and_sentences() -> None:
    by_text = {(e.pair.premise.rstrip("."), e.pair.hypothesis.rstrip(".")): e.label for e in OWN}
    for e in augment("distraction", OWN, 60, seed=9):
        homes = [label for (p, h), label in by_text.items() if h in e.pair.hypothesis and p.lower() in e.pair.premise.lower()]
        assert homes and e.label in homes, e


def recipe(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "r.toml"
    path.write_text(text)
    return path


def test_mixture_keeps_hold_outs_apart_and_counts_right(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "tiny_train.jsonl", tmp_path / "one.jsonl")
    shutil.copy(FIXTURES / "tiny_eval.jsonl", tmp_path / "two.jsonl")
    asked = recipe(
        tmp_path,
        'seed = 1\nheld_out = 0.1\n[[source]]\nfile = "one"\n[[source]]\nfile = "two"\nrows = 100\ntimes = 2\n[[source]]\nmade = "logic"\nrows = 50\n',
    )
    trained, held = mix(read_recipe(asked), tmp_path)
    assert (trained, held) == mix(read_recipe(asked), tmp_path)
    count, out = Counter(e.source for e in trained), Counter(e.source for e in held)
    assert count["one"] + out["one"] == 3000 and count["two"] + 2 * out["two"] == 200 and count["made:logic"] + out["made:logic"] == 50
    for name in count:
        assert not {e.pair.premise for e in trained if e.source == name} & {e.pair.premise for e in held if e.source == name}
    with pytest.raises(DataError, match="no file one"):
        mix(read_recipe(asked), FIXTURES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed = 1", "held_out|source"),
        ('seed = 1\nheld_out = 0.1\n[[source]]\nfile = "a"\nmade = "logic"', "either a file or a kind"),
        ('seed = 1\nheld_out = 0.1\n[[source]]\nmade = "logic"\nrows = 1', "first source must be a file"),
        ('seed = 1\nheld_out = 2.0\n[[source]]\nfile = "a"', "share between 0 and 1"),
        ('seed = 1\nheld_out = 0.1\n[[source]]\nfile = "a"\ntimes = 0', "above 0"),
        ('seed = 1\nheld_out = 0.1\n[[source]]\nfil = "a"', "no recipe"),
        ("seed = ", "no recipe"),
    ],
)
def test_bad_recipes_are_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_recipe(recipe(tmp_path, text))


def test_the_shipped_recipe_names_only_data_that_may_be_passed_on() -> None:
    sources = read_recipe(RECIPE).sources
    assert sources[0] == Source(file="snli_train") and {s.made for s in sources if s.made} == set(KINDS)
    assert not {"sick_train", "mpe_train", "monli_train", "lingnli"} & {s.file for s in sources}


def test_a_blend_is_the_weighted_mean(tiny_baseline: Path, tiny_finetuned: Path, tmp_path: Path) -> None:
    told = blend([tiny_baseline, tiny_finetuned], [1, 3], tmp_path / "mean")
    assert [p["share"] for p in told["parts"]] == [0.25, 0.75]
    one, two, mean = (load_file(folder / "model.safetensors") for folder in (tiny_baseline, tiny_finetuned, tmp_path / "mean"))
    for key, value in mean.items():
        assert torch.allclose(value.float(), 0.25 * one[key].float() + 0.75 * two[key].float(), atol=2e-3), key
    assert abs(sum(load(str(tmp_path / "mean")).predict([OWN[0].pair])[0].probs) - 1) < 1e-6
    log = json.loads((tmp_path / "mean" / "training_log.json").read_text())
    assert [p["name"] for p in log["blend"]] == [tiny_baseline.name, tiny_finetuned.name]
    with pytest.raises(CheckpointError, match="exists already"):
        blend([tiny_baseline, tiny_finetuned], [1, 1], tmp_path / "mean")
    with pytest.raises(InputError, match="two checkpoints"):
        blend([tiny_baseline], [1], tmp_path / "other")
    (tmp_path / "mean" / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match="cut text differently"):
        blend([tiny_baseline, tmp_path / "mean"], [1, 1], tmp_path / "other")


def test_keep_right_holds_on_to_right_answers_alone(tiny_baseline: Path) -> None:
    items: list[Example] = list(load_data(str(FIXTURES / "tiny_test.jsonl")).examples)
    soft = keep_right(str(tiny_baseline), items)
    said = load(str(tiny_baseline)).predict([e.pair for e in items])
    wrong = [i for i, (e, p) in enumerate(zip(items, said, strict=True)) if p.label != e.label]
    assert wrong and len(wrong) < len(items)
    for i, (e, p) in enumerate(zip(items, said, strict=True)):
        want = [float(k == e.label) for k in range(3)] if i in wrong else list(p.probs)
        assert np.allclose(soft[i], want, atol=0.02)
