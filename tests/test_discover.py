"""Where two models differ most: what is planted is found, chance is not, and every number is the slice's own. Sentences are ours."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robustnli.compare import mcnemar, outcome
from robustnli.discover import CUES, benjamini_hochberg, conditions, cue_rows, differences, log_p
from robustnli.slices import Slice, has_cue, holds
from robustnli.types import Label, Prediction

VOCABULARY = [
    "a",
    "the",
    "man",
    "dog",
    "woman",
    "is",
    "playing",
    "running",
    "in",
    "on",
    "snow",
    "street",
    "with",
    "guitar",
    "red",
    "blue",
    "people",
    "sits",
    "near",
    "tree",
    "young",
    "two",
    "old",
] * 3
VOCABULARY += ["another", "not", "no", "know", "maybe"]


def records(seed: int, n: int = 2000) -> pd.DataFrame:
    """Records of models a and b that differ by chance alone."""
    draw = np.random.default_rng(seed)

    def sentences(low: int, high: int) -> list[str]:
        return [" ".join(draw.choice(VOCABULARY, draw.integers(low, high))) for _ in range(n)]

    gold = draw.integers(0, 3, n)
    table = pd.DataFrame({"premise": sentences(8, 24), "hypothesis": sentences(4, 13), "gold": gold})
    for model in "ab":
        wrong = draw.random(n) < 0.15
        table[f"label.{model}"] = np.where(wrong, (gold + draw.integers(1, 3, n)) % 3, gold).astype(np.int8)
    sure = draw.random(n).astype(np.float32)
    table["slices"] = [
        np.array(["all", Label(g).text, *(["negation"] if " not " in h else [])], dtype=object)
        for g, h in zip(gold, table["hypothesis"], strict=True)
    ]
    return table.assign(**{"confidence.a": sure, "confidence.b": sure})


def plant(table: pd.DataFrame) -> np.ndarray:
    """Model b errs on most contradictions whose hypothesis is negated; returns those rows."""
    where = holds(table, Slice(name="x", about="", cues=CUES["negation"], where="hypothesis", label=Label.CONTRADICTION))
    broken = where & (np.arange(len(table)) % 5 > 0)
    table.loc[broken, "label.b"] = int(Label.ENTAILMENT)
    return where


def test_a_planted_difference_is_found_first() -> None:
    for seed in range(5):
        table = records(seed)
        where = plant(table)
        first = differences(table, "a", "b").found[0]
        assert first.conditions == ("gold contradiction", "hypothesis with a word of negation")
        assert (first.rows == where).all() and first.net < -50 and first.adjusted < 1e-6


def test_chance_alone_is_seldom_a_discovery() -> None:
    searches = [differences(records(seed, 1000), "a", "b") for seed in range(12)]
    assert all(s.tried > 100 for s in searches)
    assert sum(bool(s.found) for s in searches) <= 2, "5 % expected: 1 of 20"
    raw = sum(np.exp(log_p(*_changes(records(0)))) < 0.05)
    assert raw > 0, "without control of false discoveries some would be reported"


def _changes(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    was, now = (table[f"label.{m}"] == table["gold"] for m in "ab")
    masks = [c.rows & d.rows for c in conditions(table, "a", "b") for d in conditions(table, "a", "b")]
    return np.array([(m & ~was & now).sum() for m in masks]), np.array([(m & was & ~now).sum() for m in masks])


def test_every_number_is_the_slices_own() -> None:
    table = records(3)
    plant(table)
    search = differences(table, "a", "b", limit=50)
    known = {c.text: c for c in conditions(table, "a", "b")}
    assert 1 < len(search.found) <= search.significant < search.tried
    for one in search.found:
        rows = np.logical_and.reduce([known[text].rows for text in one.conditions])
        assert (rows == one.rows).all() and one.counts.n == rows.sum() >= 30 and 1 <= len(one.conditions) <= 2
        labels = (table.loc[rows, c].tolist() for c in ("gold", "label.a", "label.b"))
        counts = Counter(outcome(Label(g), _says(a), _says(b)).value for g, a, b in zip(*labels, strict=True))
        assert counts == Counter({k: v for k, v in _counts(one.counts).items() if v})
        assert one.p == pytest.approx(mcnemar(one.counts.fixed, one.counts.introduced), rel=1e-9)
        assert one.p <= one.adjusted <= 0.05
        assert one.net == counts["fixed"] - counts["introduced"]
    assert [abs(d.net) for d in search.found] == sorted((abs(d.net) for d in search.found), reverse=True)


def _says(label: int) -> Prediction:
    return Prediction(tuple(float(i == label) for i in range(3)))  # type: ignore[arg-type]


def _counts(c) -> dict[str, int]:
    return {"fixed": c.fixed, "introduced": c.introduced, "remaining": c.remaining, "still right": c.still_right}


def test_no_two_slices_tell_the_same() -> None:
    table = records(4)
    plant(table)
    found = sorted(differences(table, "a", "b", limit=100).found, key=lambda d: d.p)
    was, now = ((table[f"label.{m}"] == table["gold"]).to_numpy() for m in "ab")
    for i, one in enumerate(found):
        for clearer in found[:i]:
            left = one.rows & ~clearer.rows
            fixed, introduced = int((left & ~was & now).sum()), int((left & was & ~now).sum())
            assert 2 * abs(fixed - introduced) >= abs(one.net) or mcnemar(fixed, introduced) <= 0.05
    again = differences(table, "a", "b", own=[Slice(name="the same", about="", label=Label.CONTRADICTION)])
    assert again.tried == differences(table, "a", "b").tried, "the same rows are tried once"


def test_swapping_the_models_swaps_fixed_and_introduced() -> None:
    table = records(5)
    plant(table)
    there, back = differences(table, "a", "b").found, differences(table, "b", "a").found
    assert len(there) > 1
    assert [(d.counts.fixed, d.counts.introduced) for d in there] == [(d.counts.introduced, d.counts.fixed) for d in back]


def test_records_without_text_and_with_more_columns() -> None:
    table = records(6).drop(columns=["premise", "hypothesis"])
    hard = np.arange(len(table)) % 3 == 0
    table = table.assign(hard=hard, phenomenon=np.where(hard, "<b>odd</b>", None))
    table.loc[hard, "label.b"] = ((table.loc[hard, "gold"] + 1) % 3).astype(np.int8)
    texts = {c.text for c in conditions(table, "a", "b")}
    assert {"wrong for a hypothesis-only model", "phenomenon <b>odd</b>", "slice negation", "a's confidence under 50%"} <= texts
    assert not any("words" in text or "overlap" in text for text in texts)
    assert differences(table, "a", "b").found[0].conditions == ("phenomenon <b>odd</b>",)


def test_own_slices_are_tried() -> None:
    table = records(7)
    mine = Slice(name="mine", about="", pattern="guitar.*guitar")
    where = holds(table, mine)
    table.loc[where, "label.b"] = ((table.loc[where, "gold"] + 1) % 3).astype(np.int8)
    assert differences(table, "a", "b", own=[mine]).found[0].conditions == ("mine",)


def test_bands_part_the_rows() -> None:
    table = records(8)
    parts: dict[str, list[np.ndarray]] = {}
    for condition in conditions(table, "a", "b"):
        parts.setdefault(condition.family, []).append(condition.rows)
    for family in ("gold", "confidence", "words premise", "words hypothesis", "overlap"):
        assert (np.sum(parts[family], axis=0) == 1).all(), family


@pytest.mark.parametrize("n", [0, 1, 29])
def test_too_few_rows_give_nothing(n: int) -> None:
    search = differences(records(0, n), "a", "b")
    assert (search.found, search.tried) == ((), 0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=20))
def test_p_is_mcnemars(counts: list[tuple[int, int]]) -> None:
    fixed, introduced = (np.array(column) for column in zip(*counts, strict=True))
    assert np.exp(log_p(fixed, introduced)) == pytest.approx([mcnemar(f, i) for f, i in counts], rel=1e-9)


def test_p_does_not_underflow() -> None:
    assert log_p(np.array([0, 600]), np.array([3000, 700])) == pytest.approx([np.log(2) * -2999, np.log(mcnemar(600, 700))], rel=1e-9)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.01, 0.5))
def test_benjamini_hochbergs_discoveries(ps: list[float], rate: float) -> None:
    ordered = sorted(ps)
    last = max((k for k, p in enumerate(ordered, 1) if p <= k * rate / len(ps)), default=0)
    found = benjamini_hochberg(np.array(ps)) <= rate * (1 + 1e-12)
    assert found.sum() >= last and all(found[i] for i, p in enumerate(ps) if last and p <= ordered[last - 1])
    assert (benjamini_hochberg(np.array(ps)) >= np.array(ps) * (1 - 1e-12)).all()


FAMILIES = {"a": ("not", "n't", "no one", "t-t"), "b": ("k", "s n"), "c": ("-",)}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(alphabet="not '\u2019Nek-s_\u212aſ\n", max_size=14)), max_size=6))
def test_cues_are_found_as_slices_find_them(texts: list[str | None]) -> None:
    for name, rows in cue_rows(texts, FAMILIES).items():
        assert rows.tolist() == [isinstance(t, str) and has_cue(t, FAMILIES[name]) for t in texts]


def test_ten_thousand_rows_take_under_a_second() -> None:
    table = pd.concat([records(seed) for seed in range(5)], ignore_index=True)
    plant(table)
    seconds = []
    for _ in range(3):
        begun = time.thread_time()
        differences(table, "a", "b")
        seconds.append(time.thread_time() - begun)
    assert len(table) == 10_000 and min(seconds) < 1
