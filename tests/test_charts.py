"""Numbers of pies and tables: the paper's own, sums, intervals, words; every figure has its table and its text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli import charts
from robustnli.browse import metrics
from robustnli.compare import wilson
from robustnli.types import ErrorBreakdown

COUNTS = st.builds(ErrorBreakdown, st.just("s"), *[st.integers(0, 400)] * 4)
PAPER = {"negation": (37, 8, 4), "ambiguity": (28, 13, 8), "long": (19, 1, 10)}  # fixed, introduced, remaining: section 5.1


@pytest.mark.parametrize(
    ("name", "percents"), [("negation", (75.5, 16.3, 8.2)), ("ambiguity", (57.1, 26.5, 16.4)), ("long", (63.3, 3.4, 33.3))]
)
def test_the_papers_counts_give_its_percentages(name: str, percents: tuple[float, float, float]) -> None:
    shares = charts.shares(ErrorBreakdown(name, *PAPER[name], 0), "either")
    # The paper rounds so that three parts make 100; ours may differ from it by 0.1.
    assert [round(100 * s.share, 1) for s in shares.values()] == pytest.approx(percents, abs=0.11)
    assert [s.count for s in shares.values()] == list(PAPER[name])


@given(COUNTS)
def test_shares_of_either_sum_to_one_and_of_the_older_leave_introduced_out(counts: ErrorBreakdown) -> None:
    either, older = charts.shares(counts, "either"), charts.shares(counts, "older")
    for parts, total in (
        (either, counts.fixed + counts.introduced + counts.remaining),
        (older, counts.fixed + counts.remaining),
    ):
        assert sum(s.count for s in parts.values()) == total
        assert sum(s.share for s in parts.values()) == pytest.approx(1.0 if total else 0.0)
        assert all((s.low, s.high) == wilson(s.count, total) for s in parts.values())
    assert "introduced" not in older


@given(COUNTS)
def test_the_four_counts_of_a_row_sum_to_its_n(counts: ErrorBreakdown) -> None:
    row = charts.slice_rows([counts])[0]
    assert sum(row[name] for name in charts.COLOURS) == row["rows"] == counts.n
    assert row["net"] == counts.fixed - counts.introduced


def test_the_verdict_is_said_in_words() -> None:
    told = charts.told(ErrorBreakdown("s", 28, 13, 8, 100), 0.0275, 1)
    assert told == "better: 28 fixed against 13 broken, p = 0.028; 41 rows that changed"
    assert charts.told(ErrorBreakdown("s", 13, 28, 8, 100), 0.0275, 1).startswith("worse")
    assert charts.told(ErrorBreakdown("s", 28, 13, 8, 100), 0.083, 3).startswith("no clear change") and "Holm over 3" in charts.told(
        ErrorBreakdown("s", 28, 13, 8, 100), 0.083, 3
    )


@pytest.mark.parametrize(("n", "few"), [(29, True), (30, False)])
def test_under_thirty_rows_nothing_is_told(n: int, few: bool) -> None:
    said = charts.verdicts([ErrorBreakdown("tiny", 9, 0, 0, n - 9), ErrorBreakdown("large", 9, 0, 0, 91)])
    assert (said["tiny"] == "too few to tell (29 rows)") == few
    assert ("Holm" in said["large"]) == (not few), "a slice that is not tested costs the others nothing"


def test_a_wedge_names_its_path_and_a_click_reads_it() -> None:
    cells = [("all", "fixed", "neutral", 3), ("all", "fixed", "entailment", 2), ("all", "introduced", "neutral", 0)]
    drawn = charts.sunburst(cells).figure.data[0]
    at = dict(zip(drawn.ids, zip(drawn.parents, drawn["values"], strict=True), strict=True))
    assert at == {"all": ("", 5), "all|fixed": ("all", 5), "all|fixed|neutral": ("all|fixed", 3), "all|fixed|entailment": ("all|fixed", 2)}
    assert charts.picked({"id": "all|fixed|neutral"}) == {"slice": "all", "outcome": "fixed", "label": "neutral"}
    assert charts.picked({"id": "all"}) == {"slice": "all"} and charts.picked({"id": ""}) == {}
    bar = charts.four_way([ErrorBreakdown("long", 1, 2, 3, 4)]).figure.data[1]
    assert charts.picked({"customdata": list(bar.customdata[0])}) == {"slice": "long", "outcome": "fixed"}


def test_confusion_sankey_and_classes_hold_their_numbers() -> None:
    flows = np.arange(27).reshape(3, 3, 3)
    flow = charts.sankey(flows, "a", "b")
    drawn = flow.figure.data[0].link
    assert sum(v for s, v in zip(drawn.source, drawn.value, strict=True) if s < 3) == flows.sum() == sum(r["count"] for r in flow.rows)
    assert sum(v for s, v in zip(drawn.source, drawn.value, strict=True) if s >= 3) == flows.sum()
    cells = flows.sum(2)
    chart = charts.confusion("a", cells)
    assert [r["count"] for r in chart.rows] == cells.ravel().tolist() and "gold neutral, predicted entailment" in chart.alt
    assert charts.confusion("d", cells - cells.T, difference=True).figure.data[0].text[0][1].startswith("-")


def test_reliability_bins_hold_every_row_once() -> None:
    rng = np.random.default_rng(5)
    gold, probs = rng.integers(0, 3, 400), rng.dirichlet((1, 1, 1), 400)
    figures = metrics(gold, probs)
    rows = charts.reliability_rows("m", probs.max(1), probs.argmax(1) == gold)
    assert sum(r["rows"] for r in rows) == 400
    again = sum(r["rows"] * abs(r["accuracy"] - r["confidence"]) for r in rows) / 400
    assert again == pytest.approx(figures.ece, abs=1e-3)
    assert all(r["low"] <= r["accuracy"] <= r["high"] and r["from"] <= r["confidence"] <= r["to"] for r in rows)


def test_every_figure_has_a_table_and_a_text() -> None:
    rng = np.random.default_rng(5)
    gold, probs = rng.integers(0, 3, 90), rng.dirichlet((1, 1, 1), 90)
    figures = metrics(gold, probs)
    drawn = [
        charts.four_way([ErrorBreakdown("s", 1, 2, 3, 4)]),
        charts.sunburst([("s", "fixed", "neutral", 1)]),
        charts.classes(figures, figures),
        charts.confusion("m", np.array(figures.confusion)),
        charts.sankey(np.ones((3, 3, 3), int), "a", "b"),
        charts.reliability([("m", figures.ece, charts.reliability_rows("m", probs.max(1), probs.argmax(1) == gold))]),
    ]
    assert len({c.name for c in drawn}) == len(drawn)
    for chart in drawn:
        assert chart.rows and chart.alt and chart.figure.data, chart.name
