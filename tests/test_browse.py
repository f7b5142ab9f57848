"""Rows filtered, sorted, paged, saved: against the same done one row at a time."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robustnli import browse, evidence
from robustnli import metrics as one_by_one
from robustnli.browse import LABEL_NAMES, Filters
from robustnli.evidence import OUTCOMES
from robustnli.types import Label, Prediction
from tests.made import examples, make_run, records, suite_rows


def seen(folder: Path, n: int = 120, *, suite: bool = False) -> browse.View:
    items = examples(n, seed=7)
    run = evidence.read_run(make_run(folder / "r", {"test": suite_rows(items) if suite else records(items)}))
    table, missing = evidence.join(evidence.read_records(run, "test"), evidence.Texts({e.uid: e.pair for e in items}))
    return browse.view(table, "baseline", "finetuned", missing)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> browse.View:
    return seen(tmp_path_factory.mktemp("browse"))


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> browse.View:
    return seen(tmp_path_factory.mktemp("suite"), suite=True)


SOME_LABELS = st.lists(st.sampled_from(LABEL_NAMES), unique=True, max_size=2).map(tuple)
FILTERS = st.builds(
    Filters,
    slice=st.sampled_from(["", "negation", "long", "neutral"]),
    outcome=st.lists(st.sampled_from(OUTCOMES), unique=True, max_size=2).map(tuple),
    label=SOME_LABELS,
    was=SOME_LABELS,
    said=SOME_LABELS,
    sure=st.none() | st.tuples(st.integers(33, 70), st.integers(70, 100)),
    words=st.none() | st.tuples(st.integers(1, 9), st.integers(9, 30)),
    q=st.sampled_from(["", "baker", "BAKER sings", "nothing here"]),
)


def holds(row: pd.Series, filters: Filters) -> bool:
    """One row, by the words of the filters' docstring."""
    text = f"{row['premise']}\n{row['hypothesis']}".lower()
    longest = max(len(row["premise"].split()), len(row["hypothesis"].split()))
    before, after = (int(np.argmax(row[f"probs.{m}"])) for m in ("baseline", "finetuned"))
    percent = round(float(np.float32(max(row["probs.finetuned"]))) * 100, 3)
    right = (before == row["gold"], after == row["gold"])
    outcome = {(False, True): "fixed", (True, False): "introduced", (False, False): "remaining", (True, True): "still right"}[right]
    return all(
        (
            not filters.slice or filters.slice in row["slices"],
            not filters.outcome or outcome in filters.outcome,
            not filters.label or LABEL_NAMES[row["gold"]] in filters.label,
            not filters.was or LABEL_NAMES[before] in filters.was,
            not filters.said or LABEL_NAMES[after] in filters.said,
            not filters.sure or filters.sure[0] <= percent <= filters.sure[1],
            not filters.words or filters.words[0] <= longest <= filters.words[1],
            all(word in text for word in filters.q.lower().split()),
        )
    )  # fmt: skip


@settings(max_examples=60)
@given(filters=FILTERS)
def test_kept_rows_are_those_that_fulfil_every_filter(made: browse.View, filters: Filters) -> None:
    assert browse.keep(made, filters).tolist() == [holds(row, filters) for _, row in made.table.iterrows()]


@given(filters=FILTERS)
def test_the_address_brings_the_filters_back(made: browse.View, filters: Filters) -> None:
    assert Filters.parse(filters.query(), made) == filters
    assert Filters.parse(filters.query()) == filters
    for name in filters.items():
        assert filters.without(name).items() == {k: v for k, v in filters.items().items() if k != name}
    assert set(filters.told()) == set(filters.items())


@given(
    st.dictionaries(st.sampled_from(["slice", "outcome", "label", "was", "sure", "words", "phenomenon", "part", "q"]), st.text(max_size=30))
)
def test_any_address_gives_filters_that_work(made: browse.View, query: dict[str, str]) -> None:
    kept = browse.keep(made, Filters.parse(query, made))
    assert kept.dtype == bool and len(kept) == len(made.table)


def test_nonsense_in_an_address_asks_for_nothing(made: browse.View) -> None:
    query = {"slice": "<b>", "outcome": "fixed~bogus", "label": "3", "sure": "-5", "words": "a-b", "phenomenon": "verbal"}
    assert Filters.parse(query, made) == Filters(outcome=("fixed",))
    assert Filters.parse({"sure": "95-40", "words": "5-9999"}).sure == (40, 95)
    assert Filters.parse({"slice": "all"}) == Filters()


def test_counts_of_slices_agree_with_the_rows_and_swapping_models_swaps(made: browse.View) -> None:
    other = browse.view(made.table.drop(columns=["before", "after"]), "finetuned", "baseline")
    for one, two in zip(browse.breakdowns(made), browse.breakdowns(other), strict=True):
        assert one.n == int(made.members[one.slice].sum()) > 0
        assert (one.fixed, one.introduced, one.remaining, one.still_right) == (two.introduced, two.fixed, two.remaining, two.still_right)
    cells = browse.crossed(made, list(made.members))
    for part in browse.breakdowns(made):
        assert sum(n for name, outcome, _, n in cells if name == part.slice and outcome == "fixed") == part.fixed
    assert browse.flows(made, made.members["all"]).sum() == len(made.table)


def test_the_suite_has_its_own_slices_and_phenomena(suite: browse.View, made: browse.View) -> None:
    assert list(suite.members) == ["all", "negation", "ambiguity", "long", "plain"] and suite.shown == tuple(suite.members)
    assert suite.phenomena == ("late", "modal", "place", "verbal")
    kept = browse.keep(suite, Filters.parse({"phenomenon": "modal"}, suite))
    assert kept.any() and set(suite.table["slice"][kept]) == {"ambiguity"}
    assert suite.parts == ("dev", "test")
    for part in suite.parts:
        kept = browse.keep(suite, Filters.parse({"part": part}, suite))
        assert kept.tolist() == (suite.table["split"] == part).tolist() and 0 < kept.sum() < len(kept)
    assert Filters.parse({"part": "dev~train"}, suite).query() == {"part": "dev"}
    assert made.parts == () and Filters.parse({"part": "dev"}, made) == Filters()
    assert made.phenomena == () and made.shown == ("all", "negation", "ambiguity", "long")


def test_own_slices_are_added_and_one_with_a_name_taken_is_told(suite: browse.View) -> None:
    rows = np.arange(120) < 7
    more = browse.extended(suite, {"mine": rows, "plain": rows, "empty": rows & False})
    assert more.own == ("mine",) and more.taken == ("plain",) and list(more.members) == [*suite.members, "mine"]
    assert more.members["mine"].sum() == 7 and (more.members["plain"] == suite.members["plain"]).all()
    assert browse.extended(suite, {"plain": rows}).taken == ("plain",) and browse.extended(suite, {}) is suite


def test_sorting_keeps_equals_in_order_and_puts_missing_last(made: browse.View) -> None:
    everything = np.ones(len(made.table), dtype=bool)
    for name, (_, column, down) in browse.SORTS.items():
        values = made.table[column].to_numpy(dtype=float)[browse.order(made, everything, name)]
        steps = np.diff(np.abs(values) if column == "moved" else values)
        assert (steps <= 0).all() if down else (steps >= 0).all(), name
    bare = browse.view(made.table.assign(premise=[None] * 120, hypothesis=[None] * 120), "baseline", "finetuned")
    assert browse.order(bare, everything, "long").tolist() == list(range(120)), "rows without text keep their order"
    assert bare.longest == 0 and not browse.keep(bare, Filters(words=(1, 9))).any()


@given(st.integers(0, 95), st.integers(-3, 99), st.sampled_from(browse.PAGE_SIZES))
def test_pages_show_every_row_once(n: int, asked: int, size: int) -> None:
    at = np.arange(n)
    _, number, pages = browse.page(at, asked, size)
    assert 1 <= number <= pages
    assert np.concatenate([browse.page(at, i + 1, size)[0] for i in range(pages)]).tolist() == at.tolist()


def test_metrics_of_arrays_are_those_of_predictions() -> None:
    rng = np.random.default_rng(2)
    gold, probs = rng.integers(0, 3, 300), rng.dirichlet((1, 1, 1), 300)
    expected = one_by_one.metrics([Label(int(g)) for g in gold], [Prediction((float(a), float(b), float(c))) for a, b, c in probs])
    got = browse.metrics(gold, probs)
    assert (got.n, got.correct, got.confusion) == (expected.n, expected.correct, expected.confusion)
    assert got.loss == pytest.approx(expected.loss) and got.ece == pytest.approx(expected.ece)


def test_saved_rows_cannot_be_run_by_a_spreadsheet(made: browse.View) -> None:
    table = made.table.copy()
    table.loc[0, "premise"] = "=HYPERLINK(0)"
    table.loc[1, "hypothesis"] = '@SUM(A1), "quoted"\nand a line'
    evil = browse.view(table, "baseline", "finetuned")
    text = browse.csv(browse.export(evil, np.arange(3))).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["premise"] == "'=HYPERLINK(0)" and rows[1]["hypothesis"].startswith('\'@SUM(A1), "quoted"\n')
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert [row["uid"] for row in rows] == table["uid"][:3].tolist()
    assert {row["outcome"] for row in rows} <= set(OUTCOMES)
    assert browse.csv(pd.DataFrame({"=a": ["+1"], "n": [-1]})).decode("utf-8-sig").splitlines() == ["'=a,n", "'+1,-1"]


def test_a_filter_change_on_ten_thousand_rows_is_quick(tmp_path: Path) -> None:
    large = seen(tmp_path, 10_000)
    filters = Filters.parse(
        {"slice": "negation", "outcome": "fixed~introduced", "q": "baker roof", "sure": "50-95", "words": "3-30"}, large
    )
    best = 9.0
    for _ in range(3):
        begun = time.perf_counter()
        kept = browse.keep(large, filters)
        at, _, _ = browse.page(browse.order(large, kept, "moved"), 2, 10)
        best = min(best, time.perf_counter() - begun)
    assert len(at) == 10 and best < 0.1, f"{best:.3f} s"
