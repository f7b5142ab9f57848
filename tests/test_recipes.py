"""Each recipe against an independent computation on the tiny ELECTRA: what it changes, what it counts, what it promises."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from robustnli.attack import dev_examples, find, find_many, find_trigger, hotflip, trigger
from robustnli.attack.minimal import LIMIT, thin
from robustnli.attack.recipe import Recipe, Trigger, Walk
from robustnli.attack.slopes import slopes
from robustnli.attack.text import exchange, without
from robustnli.attack.words import candidates, classes, stop_words, vowel
from robustnli.attribution import attribute
from robustnli.data import load as load_data
from robustnli.errors import InputError
from robustnli.masking import mask, spans
from robustnli.models import NLIModel, load
from robustnli.slices import AMBIGUITY_WIDE, NEGATION_WIDE
from robustnli.types import Attack, Example, Label, Pair, Status, Word, example

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = ["mask", "mask-minimal", "occlude", "hotflip", "trigger", "reduce", "negate", "hedge", "lengthen", "hypothesis-only"]
GIVEN = Trigger(("happy",), None, 0.5, 10, 99, 13)


@pytest.fixture(scope="module")
def tiny(tiny_baseline: Path) -> NLIModel:
    return load(str(tiny_baseline))


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return list(load_data(str(FIXTURES / "tiny_eval.jsonl")).examples)[:80]


def words_of(model: NLIModel, pair: Pair) -> list[Word]:
    return [w for w in model.words(pair) if w.segment == "hypothesis"]


def right(attacks: Sequence[Attack]) -> list[Attack]:
    return [a for a in attacks if a.status is not Status.SKIPPED]


def test_the_public_names() -> None:
    from robustnli.attack import CHUNK, RECIPES, find, find_many, hypothesis_scores, rank, smallest_flip  # noqa: F401

    assert list(RECIPES) == NAMES
    for name, recipe in RECIPES.items():
        assert isinstance(recipe, Recipe) and recipe.name == name and recipe.budgeted == bool(recipe.budget)
        assert recipe.gold in ("unconfirmed", "by rule", "kept") and len(recipe.guarantee) > 60 and recipe.paper and recipe.title


def test_recipes_are_listed_without_torch() -> None:
    code = "import sys; from robustnli.attack import RECIPES; sys.exit(bool({'torch', 'captum', 'transformers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=FIXTURES.parent.parent).returncode == 0


def test_unknown_names_and_budgets_are_told(tiny: NLIModel, examples: list[Example]) -> None:
    with pytest.raises(InputError, match="Did you mean 'hotflip'"):
        find(tiny, examples[0], "hot-flip")
    with pytest.raises(InputError, match="3 at most"):
        find(tiny, examples[0], "trigger", k=4)
    with pytest.raises(InputError, match="1 to 3"):
        find_trigger(tiny, examples, length=4)


@pytest.mark.parametrize("name", NAMES)
def test_each_call_gives_the_same_in_order_and_counts_what_it_asked(
    tiny: NLIModel, examples: list[Example], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, done = 0, []
    ask = NLIModel.ask

    def counting(self: NLIModel, encodings: Any, *args: Any) -> Any:
        nonlocal asked
        asked += len(encodings)
        return ask(self, encodings, *args)

    monkeypatch.setattr(NLIModel, "ask", counting)
    first = list(find_many(tiny, examples, name, k=2, seed=5, trigger=GIVEN, progress=done.append))
    assert sum(a.tried for a in first) == asked and all(a.tried >= 1 for a in first)
    assert first == list(find_many(tiny, examples, name, k=2, seed=5, trigger=GIVEN))
    assert [a.example for a in first] == examples and sum(done) == len(examples) and {a.recipe for a in first} == {name}
    assert sum(a.pair != a.example.pair for a in first) > 10, "a recipe that changes nothing is not tested"
    for a in first:
        assert a.before.probs == pytest.approx(tiny.predict([a.example.pair])[0].probs, abs=1e-4)
        assert a.after.probs == pytest.approx(tiny.predict([a.pair])[0].probs, abs=1e-4)
        assert (a.status is Status.SKIPPED) == (a.before.label != a.example.label)
        ends = spans(a.example.pair.hypothesis)
        assert all((w.start, w.end) in ends for w in a.words), "whole words of the untouched pair"
        if name not in ("reduce", "hypothesis-only") and a.status is not Status.SKIPPED:
            gold = a.example.label if a.gold is None else a.gold
            assert (a.status is Status.BROKEN) == (a.after.label != gold)


def test_minimal_masks_are_minimal_by_brute_force(tiny: NLIModel, examples: list[Example]) -> None:
    plain, least = (list(find_many(tiny, examples, name, k=5)) for name in ("mask", "mask-minimal"))
    assert [a.status for a in plain] == [a.status for a in least]
    for a in [a for a in least if a.status is Status.BROKEN]:
        assert a.note.startswith("proven minimal") and a.after.label != a.example.label
        for size in range(1, len(a.words)):
            for some in combinations(a.words, size):
                assert tiny.predict([mask(a.example.pair, some)])[0].label == a.example.label
    thinner = [(a, b) for a, b in zip(plain, least, strict=True) if len(b.words) < len(a.words)]
    assert thinner and all(set(b.words) < set(a.words) and b.tried > a.tried for a, b in thinner)
    assert any(len(b.words) == len(a.words) > 1 for a, b in zip(plain, least, strict=True) if b.status is Status.BROKEN)


def test_what_is_beyond_the_limit_is_not_called_proven(tiny: NLIModel) -> None:
    item = example("A potter is eating.", "A man is eating a big apple at the old house.", Label.NEUTRAL)
    words = words_of(tiny, item.pair)[:8]
    said = tiny.predict([item.pair, mask(item.pair, words)])
    told = example(item.pair.premise, item.pair.hypothesis, said[0].label)
    walk = Walk(told, said[0], mask(item.pair, words), said[1], tuple(words))
    alone = [p.label for p in tiny.predict([mask(item.pair, s) for n in (1, 2) for s in combinations(words, n)])]
    if said[0].label == said[1].label or any(label != said[0].label for label in alone):
        walk.after = type(said[1])(tuple(0.98 if i == (told.label + 1) % 3 else 0.01 for i in range(3)))  # type: ignore[arg-type]
    (note,) = thin(tiny, [walk])
    assert walk.tried - 1 <= LIMIT and ("not proven" in note) == (len(walk.words) == 8)


def test_occlusion_ranks_by_the_true_drop(tiny: NLIModel, examples: list[Example]) -> None:
    got = list(find_many(tiny, examples, "occlude"))
    for a in got:
        words, pair = words_of(tiny, a.example.pair), a.example.pair
        known = attribute(tiny, pair, target=a.example.label, method="leave_one_out")
        drops = [s for w, s in zip(known.words, known.scores, strict=True) if w.segment == "hypothesis"]
        assert a.scores == pytest.approx(drops, abs=1e-5) and a.tried == 1 + len(words)
        flips = [w for w in words if tiny.predict([mask(pair, [w])])[0].label != a.example.label]
        if a.before.label == a.example.label:
            assert (a.status is Status.BROKEN) == bool(flips), "one mask flips wherever any single mask does"
        best = max(flips or words, key=lambda w: drops[words.index(w)])
        assert drops[words.index(a.words[0])] == pytest.approx(drops[words.index(best)], abs=1e-5)
    masked = find(tiny, example("A potter is eating.", "A [MASK] is eating.", Label.ENTAILMENT), "occlude", k=3)
    assert masked.scores[1] == 0 and "[MASK]" not in [w.of(masked.example.pair) for w in masked.words]


def test_the_estimate_of_a_flip_is_the_slope_of_the_loss(tiny: NLIModel, examples: list[Example]) -> None:
    """First order against a finite difference: a small step of all the word's pieces toward the new word's embedding."""
    known, checked, step = candidates(tiny), 0, 2e-3
    for e in examples[:12]:
        other = Label((e.label + 1) % 3)  # at the gold label of a sure model the loss is flat
        (slope,) = slopes(tiny, [e.pair], [other])
        rises = slope.rise(known.vectors)
        assert rises.shape == (len(words_of(tiny, e.pair)), len(known.words))
        encoding = tiny.encode([e.pair])[0]
        inputs = tiny.tensors([encoding])
        embeds = tiny.embed(inputs.pop("input_ids"))
        for at, word in enumerate(slope.words):
            tokens = [t for t, (s, span) in enumerate(tiny.word_of_token(e.pair, encoding)) if s == 1 and span == (word.start, word.end)]
            assert len(tokens) == word.pieces
            new = (at * 7) % len(known.words)
            losses = []
            for sign in (1, -1):
                moved = embeds.clone()
                for t in tokens:
                    moved[0, t] += sign * step * (known.vectors[new] - embeds[0, t])
                logits = tiny.network(inputs_embeds=moved, **inputs).logits[:, list(tiny.order)].double()
                losses.append(torch.nn.functional.cross_entropy(logits, torch.tensor([int(other)])).item())
            slope_there = (losses[0] - losses[1]) / (2 * step)
            assert rises[at, new].item() == pytest.approx(slope_there, rel=0.03, abs=0.01)
            checked += abs(slope_there) > 0.5
    assert checked > 10, "large slopes, or a wrong sign passes"


def test_hotflip_puts_whole_words_of_the_same_class(tiny: NLIModel, examples: list[Example]) -> None:
    got = list(find_many(tiny, examples, "hotflip", k=2))
    assert sum(a.status is Status.BROKEN for a in got) > 10 and any(len(a.words) == 2 for a in got)
    kinds = classes()
    for a in got:
        old, new = ([text[s:e] for s, e in spans(text)] for text in (a.example.pair.hypothesis, a.pair.hypothesis))
        assert len(old) == len(new) and a.pair.premise == a.example.pair.premise
        changed = [(x, y) for x, y in zip(old, new, strict=True) if x != y]
        assert sorted(x for x, _ in changed) == sorted(w.of(a.example.pair) for w in a.words)
        assert all(kinds[x.lower()] == kinds[y.lower()] and x[0].isupper() == y[0].isupper() for x, y in changed)
        for article, noun in pairwise(new):
            if noun not in old and article.lower() in ("a", "an"):
                assert vowel(noun) == (article.lower() == "an")
        assert a.after.probs[a.example.label] <= a.before.probs[a.example.label]


def test_hotflip_takes_the_truly_best_of_the_best_estimates(tiny: NLIModel, examples: list[Example]) -> None:
    known = candidates(tiny)
    for e in examples[:20]:
        got = find(tiny, e, "hotflip")
        (slope,) = slopes(tiny, [e.pair], [e.label])
        rises = slope.rise(known.vectors)
        rows = [(rises[i, c].item(), w, known.words[c]) for i, w in enumerate(slope.words) for c in hotflip.allowed(e, w, known)]
        top = sorted(rows, key=lambda r: -r[0])[: hotflip.TOP]
        assert got.tried == 1 + len(top)
        pairs = [exchange(e.pair, {w: new.capitalize() if w.of(e.pair)[0].isupper() else new}) for _, w, new in top]
        lowest = min((p.probs[e.label] for p in tiny.predict(pairs)), default=1.0)
        assert got.after.probs[e.label] == pytest.approx(min(lowest, got.before.probs[e.label]), abs=1e-4)


def test_the_word_list_is_of_plain_words() -> None:
    kinds = classes()
    assert 2000 < len(kinds) < 4500 and all(w.isascii() and w.isalpha() and w.islower() and len(w) > 1 for w in kinds)
    assert not set(kinds) & (stop_words() | set(NEGATION_WIDE.cues) | set(AMBIGUITY_WIDE.cues))
    assert not {w for w in kinds if w.startswith(("uni", "use", "hono", "eu", "one", "heir")) and vowel(w)}
    said = {
        "dogs": "animal plural",
        "children": "person plural",
        "jogging": "intransitive ing",
        "carries": "transitive s",
        "dying": "intransitive ing",
    }
    assert {w: kinds[w] for w in said} == said and {"watch", "orange", "agreeed", "diing"}.isdisjoint(kinds)


def test_no_verb_is_exchanged_before_its_particle(tiny: NLIModel) -> None:
    known = candidates(tiny)
    loose, bound = (example("A potter is moving.", f"A man is moving {rest}.", Label.NEUTRAL) for rest in ("outside", "to work"))
    moving = words_of(tiny, loose.pair)[3]
    assert hotflip.allowed(loose, moving, known) and not hotflip.allowed(bound, moving, known)


def test_a_trigger_is_found_on_some_and_put_before_others(tiny: NLIModel, examples: list[Example]) -> None:
    steps: list[int] = []
    found = find_trigger(tiny, examples[:40], length=2, seed=3, progress=steps.append)
    assert found == find_trigger(tiny, examples[:40], length=2, seed=3) and sum(steps) == trigger.ROUNDS * 2
    assert len(found.words) == 2 and set(found.words) <= set(classes()) | {trigger.START}
    same = right(list(find_many(tiny, examples[:40], "trigger", trigger=found)))
    assert len(same) == found.n and sum(a.status is Status.BROKEN for a in same) / found.n == pytest.approx(found.success)
    neutral = Trigger(("the", "the"), None, 0, 0, 0, 0)
    before = sum(a.status is Status.BROKEN for a in find_many(tiny, examples[:40], "trigger", trigger=neutral))
    assert found.success * found.n > before
    other = list(find_many(tiny, examples[40:], "trigger", trigger=found))
    assert all(a.pair == Pair(a.example.pair.premise, f"{found.text} {a.example.pair.hypothesis}") and a.words == () for a in other)
    assert all(a.gold is None and a.tried == 2 and found.text in a.note for a in other)


def test_a_targeted_trigger_moves_toward_its_target(tiny: NLIModel, examples: list[Example]) -> None:
    found = find_trigger(tiny, examples, target=Label.NEUTRAL)
    rows = [e for e in examples if e.label != Label.NEUTRAL]
    before, after = (tiny.predict([p(e.pair) for e in rows]) for p in (lambda pair: pair, found.before))
    assert sum(p.probs[Label.NEUTRAL] for p in after) > sum(p.probs[Label.NEUTRAL] for p in before) + 1
    with pytest.raises(InputError, match="none of"):
        find_trigger(tiny, [e for e in rows if e.label == Label.ENTAILMENT][:3], target=Label.ENTAILMENT)


def test_without_a_trigger_one_is_found_on_the_suites_dev(tiny: NLIModel, examples: list[Example], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        import_module("robustnli.attack"), "dev_examples", lambda seed: dev_examples(seed, 12)
    )  # by name it is the function
    got = list(find_many(tiny, examples[:3], "trigger"))
    assert len({a.note for a in got}) == 1 and "of suite dev" in got[0].note
    assert all(e.source == "suite dev" for e in dev_examples()) and dev_examples(1) == dev_examples(1) != dev_examples(2)


def test_reduction_is_the_greedy_one_and_ends_where_it_must(tiny: NLIModel, examples: list[Example]) -> None:
    statuses = set()
    for a in find_many(tiny, examples[:30], "reduce"):
        pair, label, gone, asked = a.example.pair, a.before.label, list[Word](), 1
        left = words_of(tiny, pair)
        while len(left) > 1:
            said = {w: tiny.predict([without(pair, {*gone, w})])[0] for w in left}
            asked += len(left)
            kept = {w: p.probs[label] for w, p in said.items() if p.label == label}
            if not kept:
                break
            gone.append(max(kept, key=kept.__getitem__))
            left.remove(gone[-1])
        assert (a.words, a.tried) == (tuple(gone), asked) and a.after.label == label
        assert [a.pair.hypothesis[s:e] for s, e in spans(a.pair.hypothesis)] == [w.of(pair) for w in left]
        if a.before.label == a.example.label:
            assert (a.status is Status.BROKEN) == (len(left) == 1)
        statuses.add(a.status)
    assert {Status.BROKEN, Status.HELD} <= statuses
    one = find(tiny, example("A potter is eating.", "Nobody.", Label.CONTRADICTION), "reduce")
    assert one.status is not Status.BROKEN and one.tried == 1 and one.note == "nothing to take out"


def test_words_taken_out_leave_a_sentence() -> None:
    pair = Pair("p", "A man,  who is tall, sleeps.")
    words = [Word("hypothesis", s, e) for s, e in spans(pair.hypothesis)]
    assert without(pair, words[1:3]).hypothesis == "A, is tall, sleeps." and without(pair, []) == pair
    assert without(pair, words[-1:]).hypothesis == "A man, who is tall,."


def test_without_a_premise_the_prediction_is_told(tiny: NLIModel, examples: list[Example]) -> None:
    for a in find_many(tiny, examples, "hypothesis-only"):
        assert a.pair == Pair("", a.example.pair.hypothesis)
        (said,) = tiny.predict([a.pair])
        assert a.note == f"without a premise: {said.label.text} {said.confidence:.2f}"
        if a.before.label == a.example.label:
            assert (a.status is Status.BROKEN) == (said.label == a.example.label)
