"""Finished runs: found, read, joined with text by hash; the four outcomes of aligned labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli import evidence
from robustnli.compare import mcnemar, outcome, wilson
from robustnli.errors import DataError
from robustnli.types import Label, Outcome, Prediction
from tests.made import MODELS, examples, make_all, make_run, records

TRIPLES = st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=0, max_size=60)


def sure(label: int) -> Prediction:
    a, b, c = (0.8 if i == label else 0.1 for i in range(3))
    return Prediction((a, b, c))


@given(TRIPLES)
def test_outcomes_are_those_of_compare_row_by_row(rows: list[tuple[int, int, int]]) -> None:
    gold, before, after = np.array(rows, dtype=int).reshape(-1, 3).T
    one_by_one = [outcome(Label(g), sure(b), sure(a)).value for g, b, a in rows]
    assert evidence.outcomes(gold, before, after).tolist() == one_by_one


@given(TRIPLES)
def test_swapping_models_swaps_fixed_and_introduced(rows: list[tuple[int, int, int]]) -> None:
    gold, before, after = np.array(rows, dtype=int).reshape(-1, 3).T
    swap = {o.value: o.value for o in Outcome} | {"fixed": "introduced", "introduced": "fixed"}
    assert [swap[o] for o in evidence.outcomes(gold, before, after)] == evidence.outcomes(gold, after, before).tolist()


@given(st.integers(1, 500), st.data())
def test_wilson_bounds_solve_the_score_equation(n: int, data: st.DataObject) -> None:
    """Wilson (1927): a bound x lies z standard errors, those at x itself, from the share. Solved here by halving, not by formula."""
    hits = data.draw(st.integers(0, n))
    share, z = hits / n, 1.959963984540054

    def inside(x: float) -> bool:
        return (share - x) ** 2 <= z * z * x * (1 - x) / n

    def edge(good: float, bad: float) -> float:
        for _ in range(60):
            middle = (good + bad) / 2
            good, bad = (middle, bad) if inside(middle) else (good, middle)
        return good

    # share itself always fulfils it but for 0 and 1, where its own standard error is 0 and one bound is the share
    low, high = wilson(hits, n)
    assert low == pytest.approx(0.0 if hits == 0 else edge(share if hits < n else (low + 1) / 2, 0.0), abs=1e-9)
    assert high == pytest.approx(1.0 if hits == n else edge(share if hits > 0 else high / 2, 1.0), abs=1e-9)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_two_sided_sign_test(fixed: int, introduced: int) -> None:
    n = fixed + introduced
    chances = np.array([1.0])
    for _ in range(n):  # the distribution of n fair coins, by convolution
        chances = np.convolve(chances, [0.5, 0.5])
    expected = min(1.0, 2 * chances[: min(fixed, introduced) + 1].sum())
    assert mcnemar(fixed, introduced) == pytest.approx(expected if n else 1.0, rel=1e-9)
    assert mcnemar(fixed, introduced) == mcnemar(introduced, fixed)


def test_mcnemar_of_thousands_of_rows_is_quick_and_exact() -> None:
    assert mcnemar(1500, 1500) == 1.0
    assert 0 < mcnemar(2000, 1700) < 1e-6


def test_runs_are_found_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, _ = make_all(tmp_path, 40, 40)
    (runs / "no-run").mkdir()
    (runs / "damaged").mkdir()
    (runs / "damaged" / "manifest.json").write_text("{")
    monkeypatch.setenv("ROBUSTNLI_RUNS", str(runs))
    found = {run.name: run for run in evidence.find_runs()}
    assert "made" in found and not {"no-run", "damaged"} & set(found)
    run = found["made"]
    assert run.models == MODELS and run.splits == ("suite", "test"), "the suite first"
    table = evidence.read_records(run, "test")
    probs = np.stack(table["probs.robust"].to_numpy())
    assert (table["label.robust"] == probs.argmax(1)).all() and np.allclose(table["confidence.robust"], probs.max(1))
    with pytest.raises(DataError, match=r"no split 'tst'.*Did you mean 'test'"):
        evidence.read_records(run, "tst")


@pytest.mark.parametrize(
    ("manifest", "why"),
    [("{", "manifest.json"), (json.dumps({"checkpoints": {"one": "x"}}), "1 models"), (json.dumps({"checkpoints": None}), "manifest.json")],
)
def test_a_folder_that_is_no_run_says_why(tmp_path: Path, manifest: str, why: str) -> None:
    make_run(tmp_path / "r", {"test": records(examples(3))})
    (tmp_path / "r" / "manifest.json").write_text(manifest)
    with pytest.raises(DataError, match=why):
        evidence.read_run(tmp_path / "r")


def test_text_is_joined_by_hash_whatever_the_order(tmp_path: Path) -> None:
    items = examples(30)
    run = evidence.read_run(make_run(tmp_path / "r", {"test": records(items)}))
    table = evidence.read_records(run, "test")
    pairs = {e.uid: e.pair for e in reversed(items[:20])}
    joined, missing = evidence.join(table, evidence.Texts(pairs))
    assert missing == 10
    assert joined["hypothesis"].tolist() == [e.pair.hypothesis for e in items[:20]] + [None] * 10
    assert "premise" not in table, "the records are left as they were"


def test_a_text_file_that_cannot_be_read_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    _, text = make_all(tmp_path, 12, 12)
    (text / "bad.jsonl").write_text("not json\n")
    (text / "notes.txt").write_text("no data")
    found = evidence.find_texts(sorted(text.iterdir()))
    assert len(found.pairs) == 12 and found.sources == ("made_test.jsonl",)
    assert len(found.unreadable) == 1 and "bad.jsonl" in found.unreadable[0]
