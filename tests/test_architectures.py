"""Every recipe on BERT-, RoBERTa- and DeBERTa-type classifiers: tiny ones, trained here, each with its own tokenizer and label order."""

from __future__ import annotations

import pytest

from robustnli.attack import RECIPES, find_many, find_trigger
from robustnli.attack.slopes import slopes
from robustnli.attack.words import candidates
from robustnli.attribution import attribute
from robustnli.data import load as load_data
from robustnli.masking import mask, spans
from robustnli.models import NLIModel, load
from robustnli.types import Attack, Pair, Status
from tests import architectures

EXAMPLES = load_data(str(architectures.FIXTURES / "tiny_eval.jsonl")).examples[:60]


@pytest.fixture(scope="module", params=architectures.NAMES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NLIModel:
    return load(str(architectures.make(request.param, tmp_path_factory.mktemp(request.param))))


def test_it_has_learned_something(model: NLIModel) -> None:
    said = model.predict([e.pair for e in EXAMPLES])
    assert sum(p.label == e.label for p, e in zip(said, EXAMPLES, strict=True)) > 0.5 * len(EXAMPLES), "chance is a third"


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe(model: NLIModel, name: str) -> None:
    given = find_trigger(model, EXAMPLES) if name == "trigger" else None
    got = list(find_many(model, EXAMPLES, name, k=2, trigger=given))
    assert got == list(find_many(model, EXAMPLES, name, k=2, trigger=given))
    assert sum(a.pair != a.example.pair for a in got) > 5
    for a in got:
        assert a.before.probs == pytest.approx(model.predict([a.example.pair])[0].probs, abs=1e-4)
        assert a.after.probs == pytest.approx(model.predict([a.pair])[0].probs, abs=1e-4)
        ends = spans(a.example.pair.hypothesis)
        assert all((w.start, w.end) in ends for w in a.words)
    if name in ("mask", "occlude", "trigger"):
        assert any(a.status is Status.BROKEN for a in got)


def test_words_and_masks_are_whole(model: NLIModel) -> None:
    """A masked text reads as the text's own tokens with the word's pieces exchanged for mask tokens, and nothing else changed."""
    for pair in (Pair("A cellist is playing a guitar.", "A tall (woman) is sitting, in a kitchen."), EXAMPLES[0].pair, EXAMPLES[7].pair):
        whole = model.encode([pair])[0]
        words = model.words(pair)
        assert [(w.segment, w.start, w.end) for w in words] == [(s, *x) for s in ("premise", "hypothesis") for x in spans(pair.text(s))]
        for word in words:
            masked = model.encode([mask(pair, [word])])[0]
            changed = [(a, b) for a, b in zip(whole.ids, masked.ids, strict=True) if a != b]
            assert len(changed) == word.pieces and {b for _, b in changed} == {model.mask_id}


def test_a_mask_beside_a_bracket_keeps_it(model: NLIModel) -> None:
    pair = Pair("A man.", "([MASK] man [MASK]. [MASK][MASK]")
    encoding = model.encode([pair])[0]
    ids = [i for i, s in zip(encoding.ids, encoding.segments, strict=True) if s == 1]
    assert ids.count(model.mask_id) == 4 and ids[-1] == ids[-2] == model.mask_id != ids[-3], "the full stop is still read"
    assert [w.of(pair) for w in model.words(pair) if w.segment == "hypothesis"] == ["[MASK]", "man", "[MASK]", "[MASK]", "[MASK]"]


def test_the_way_by_embeddings_is_the_way_by_ids(model: NLIModel) -> None:
    for e in EXAMPLES[:10]:
        inputs = model.tensors(model.encode([e.pair]))
        direct = model.logits(dict(inputs))
        embeds = model.embed(inputs.pop("input_ids"))
        assert model.logits({"inputs_embeds": embeds, **inputs})[0].tolist() == pytest.approx(direct[0].tolist(), abs=1e-4)
        scores = attribute(model, e.pair, target=e.label).scores
        assert len(scores) == len(model.words(e.pair)) and max(scores) > 0
        (slope,) = slopes(model, [e.pair], [e.label])
        assert float(slope.gradient.abs().sum()) > 0


def test_candidates_are_single_pieces(model: NLIModel) -> None:
    known = candidates(model)
    assert len(known.words) > 10 and len(set(known.words)) == len(known.words) == len(known.vectors)
    for word in known.words:
        pair = Pair("the", f"the {word}")
        assert [w.pieces for w in model.words(pair)][-1] == 1


def test_the_readmes_five_lines_attack_it(model: NLIModel) -> None:
    text = (architectures.FIXTURES.parent.parent / "README.md").read_text(encoding="utf-8")
    code = text.split("## Attack your own checkpoint")[1].split("```python")[1].split("```")[0]
    assert len([line for line in code.splitlines() if line.strip()]) == 5
    names: dict[str, object] = {}
    exec(code.replace("owner/my-nli-model", model.checkpoint.path), names)
    attack = names["found"]
    assert isinstance(attack, Attack) and attack.recipe == "hotflip" and attack.tried > 1
