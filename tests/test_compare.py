"""Counts, intervals and p-values: by hand, and the paper's own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli.compare import breakdown, holm, mcnemar, outcome, verdict, wilson
from robustnli.errors import InputError
from robustnli.metrics import calibration_error, metrics
from robustnli.types import ErrorBreakdown, Label, Outcome, Prediction

SURE = {label: Prediction(tuple(0.8 if i == label else 0.1 for i in range(3))) for label in Label}  # type: ignore[arg-type]
LABELS = st.sampled_from(list(Label))
ROWS = st.lists(st.tuples(LABELS, LABELS, LABELS), min_size=1, max_size=40)


def test_the_four_outcomes() -> None:
    e, n = Label.ENTAILMENT, Label.NEUTRAL
    assert [outcome(e, SURE[a], SURE[b]) for a, b in ((n, e), (e, n), (n, n), (e, e))] == [
        Outcome.FIXED, Outcome.INTRODUCED, Outcome.REMAINING, Outcome.STILL_RIGHT,
    ]  # fmt: skip


@given(ROWS)
def test_counts_sum_to_n_and_swap(rows: list[tuple[Label, Label, Label]]) -> None:
    gold, old, new = ([row[i] for row in rows] for i in range(3))
    there = breakdown("all", gold, [SURE[x] for x in old], [SURE[x] for x in new])
    back = breakdown("all", gold, [SURE[x] for x in new], [SURE[x] for x in old])
    assert there.n == len(rows)
    assert (there.fixed, there.introduced, there.remaining, there.still_right) == (
        back.introduced,
        back.fixed,
        back.remaining,
        back.still_right,
    )


@pytest.mark.parametrize(
    ("counts", "shares", "p"),
    [((37, 8, 4), (75.5, 16.3, 8.2), 1.5e-5), ((28, 13, 8), (57.1, 26.5, 16.3), 0.028), ((19, 1, 10), (63.3, 3.3, 33.3), 4e-5)],
)
def test_the_papers_counts_give_its_percentages(counts: tuple[int, ...], shares: tuple[float, ...], p: float) -> None:
    assert tuple(round(100 * c / sum(counts), 1) for c in counts) == shares
    assert mcnemar(counts[0], counts[1]) == pytest.approx(p, rel=0.1)


def test_known_intervals_and_p() -> None:
    assert wilson(37, 49) == pytest.approx((0.619, 0.854), abs=2e-3)
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)
    assert mcnemar(0, 0) == 1 and mcnemar(5, 5) == 1
    assert mcnemar(6, 0) == pytest.approx(2 / 64)
    assert mcnemar(3000, 1000) < 1e-200
    with pytest.raises(InputError):
        wilson(3, 2)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_sum(a: int, b: int) -> None:
    n = a + b
    tail = sum(math.comb(n, i) / 2**n for i in range(min(a, b) + 1))
    assert mcnemar(a, b) == pytest.approx(min(1, 2 * tail))


def test_metrics_by_hand() -> None:
    e, n, c = Label
    gold, said = [e, e, n, c], [e, n, n, n]
    m = metrics(gold, [SURE[x] for x in said])
    assert (m.n, m.correct, m.accuracy) == (4, 2, 0.5)
    assert m.confusion == ((1, 1, 0), (0, 1, 0), (0, 1, 0))
    assert m.loss == pytest.approx(-(2 * math.log(0.8) + 2 * math.log(0.1)) / 4)
    assert [(x.precision, x.recall, x.support) for x in m.classes] == [(1, 0.5, 2), (pytest.approx(1 / 3), 1, 1), (0, 0, 1)]
    assert [x.f1 for x in m.classes] == [pytest.approx(2 / 3), 0.5, 0]
    assert m.ece == pytest.approx(0.3), "all said 0.8, half were right"
    with pytest.raises(InputError):
        metrics([], [])


def test_calibration_separates_bins() -> None:
    low = Prediction((0.4, 0.3, 0.3))
    rows = [(Label.ENTAILMENT, low)] * 2 + [(Label.NEUTRAL, low)] * 3 + [(Label.ENTAILMENT, SURE[Label.ENTAILMENT])] * 5
    assert calibration_error(*zip(*rows, strict=True)) == pytest.approx(0.5 * 0 + 0.5 * 0.2)  # type: ignore[arg-type]


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == [] and holm([0.7, 0.9]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_order_and_never_helps(ps: list[float]) -> None:
    out = holm(ps)
    assert all(p <= q <= 1 for p, q in zip(ps, out, strict=True))
    assert sorted(out) == [out[i] for i in sorted(range(len(ps)), key=ps.__getitem__)]


def test_verdicts() -> None:
    assert verdict(ErrorBreakdown("x", 20, 1, 1, 7), 0.001) == "too few rows to tell"
    assert verdict(ErrorBreakdown("x", 20, 1, 1, 70), 0.001) == "better"
    assert verdict(ErrorBreakdown("x", 1, 20, 1, 70), 0.001) == "worse"
    assert verdict(ErrorBreakdown("x", 20, 1, 1, 70), 0.05) == "no clear change"
