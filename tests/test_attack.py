"""The paper's attack against its own loop, and the smallest flip against brute force."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from robustnli.attack import find, find_many, smallest_flip
from robustnli.data import load as load_data
from robustnli.errors import InputError
from robustnli.masking import mask
from robustnli.models import NLIModel, load
from robustnli.types import Example, Label, Pair, Status, example
from tests.test_attribution import by_hand

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def tiny(tiny_baseline: Path) -> NLIModel:
    return load(str(tiny_baseline))


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return list(load_data(str(FIXTURES / "tiny_eval.jsonl")).examples)


def test_the_attack_is_the_papers_loop(tiny: NLIModel, examples: list[Example]) -> None:
    for e in examples[:25]:
        got = find(tiny, e)
        encoding = tiny.encode([e.pair])[0]
        tokens = by_hand(tiny, e.pair, e.label, times_input=False)
        words = [w for w in tiny.words(e.pair) if w.segment == "hypothesis"]
        sums = [
            sum(t for t, s, a in zip(tokens, encoding.segments, encoding.starts, strict=True) if s == 1 and w.start <= a < w.end)
            for w in words
        ]
        best = words[sums.index(max(sums))]
        assert got.words == (best,)
        assert got.pair == mask(e.pair, [best])
        assert got.pair.premise == e.pair.premise
        assert got.after.probs == pytest.approx(tiny.predict([got.pair])[0].probs, abs=1e-5)
        right, held = got.before.label == e.label, got.after.label == e.label
        assert got.status is (Status.SKIPPED if not right else Status.HELD if held else Status.BROKEN)


def test_many_are_one_by_one(tiny: NLIModel, examples: list[Example]) -> None:
    done: list[int] = []
    many = list(find_many(tiny, examples[:40], progress=done.append))
    assert [a.example for a in many] == examples[:40] and sum(done) == 40
    assert [(a.words, a.status) for a in many] == [(find(tiny, e).words, find(tiny, e).status) for e in examples[:40]]


def test_more_words_break_more_and_stop_when_broken(tiny: NLIModel, examples: list[Example]) -> None:
    by_k = {k: list(find_many(tiny, examples, k=k)) for k in (1, 2, 3)}
    broken = [sum(a.status is Status.BROKEN for a in by_k[k]) for k in (1, 2, 3)]
    assert broken[0] < broken[1] <= broken[2]
    for one, three in zip(by_k[1], by_k[3], strict=True):
        if one.status is Status.BROKEN:
            assert three.words == one.words
        assert len(three.words) <= 3 and three.words[:1] == one.words


def test_a_hypothesis_without_words_is_left_alone(tiny: NLIModel) -> None:
    got = find(tiny, example("A potter is running.", "...", Label.NEUTRAL))
    assert got.words == () and got.pair.hypothesis == "..."


def test_k_must_be_positive(tiny: NLIModel, examples: list[Example]) -> None:
    with pytest.raises(InputError, match="at least 1"):
        find(tiny, examples[0], k=0)


def test_the_smallest_flip_is_the_smallest(tiny: NLIModel, examples: list[Example]) -> None:
    sizes = set()
    for e in examples[:30]:
        got = smallest_flip(tiny, e.pair, budget=2000)  # all sets of ten words
        words = [w for w in tiny.words(e.pair) if w.segment == "hypothesis"]
        start = tiny.predict([e.pair])[0].label
        smallest = None
        for size in range(1, len(words) + 1):
            sets = list(combinations(words, size))
            if any(p.label != start for p in tiny.predict([mask(e.pair, s) for s in sets])):
                smallest = size
                break
        assert (len(got.words) if got.words else None) == smallest
        assert got.proven_minimal
        if got.words:
            assert tiny.predict([mask(e.pair, got.words)])[0].label == got.after.label != start
        sizes.add(smallest)
    assert len(sizes) > 1, "examples of several radii, or this test proves little"


def test_a_small_budget_is_kept(tiny: NLIModel, examples: list[Example]) -> None:
    for budget in (1, 5, 8, 12):
        for e in examples[:15]:
            got = smallest_flip(tiny, e.pair, budget=budget)
            assert got.tried <= budget
            if got.words is not None:
                assert tiny.predict([mask(e.pair, got.words)])[0].label != tiny.predict([e.pair])[0].label
    with pytest.raises(InputError):
        smallest_flip(tiny, Pair("a", "b"), budget=0)


def test_in_bulk_precision_the_attack_is_float32s(tiny: NLIModel, examples: list[Example]) -> None:
    """Every flip that is reported is one in float32, at both ends; words and outcomes are those of float32."""
    if tiny.bulk is tiny:
        pytest.skip("this processor does not multiply bfloat16")
    for k in (1, 3):
        exact, bulk = (list(find_many(model, examples, k=k)) for model in (tiny, tiny.bulk))
        broken = [a for a in bulk if a.status is Status.BROKEN]
        assert broken
        for said, pairs in (
            ([a.before for a in broken], [a.example.pair for a in broken]),
            ([a.after for a in broken], [a.pair for a in broken]),
        ):
            for one, again in zip(said, tiny.predict(pairs), strict=True):
                assert one.probs == pytest.approx(again.probs, abs=1e-5)
        alike = sum((a.status, a.words) == (b.status, b.words) for a, b in zip(exact, bulk, strict=True))
        assert alike >= 0.995 * len(examples)
        assert any(a.before.probs != b.before.probs for a, b in zip(exact, bulk, strict=True)), "bulk precision was in use"
