"""The Method page: printed figures and their counts, reports beside them, curves, cards, faithfulness, and the page itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from robustnli.compare import mcnemar, wilson
from robustnli.errors import DataError
from robustnli.formats import FORMS
from robustnli.method import beside, cards, faithful, paper, training
from robustnli.pipeline.faithful import measure
from robustnli.pipeline.report import Attacked, Scored, build
from robustnli.types import Label, Pair, Prediction

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
E, N = Prediction((0.8, 0.1, 0.1)), Prediction((0.1, 0.8, 0.1))
GOLD = (Label.ENTAILMENT,) * 10


def says(right: int) -> list[Prediction]:
    return [E] * right + [N] * (10 - right)


def make_report(folder: Path, protocol: str, *, leaked: int = 0) -> Path:
    """A run's folder as `reproduce` publishes it, of ten pairs: the baseline has 6 right (3 masked), finetuned the other 5 first and 4 of the 6."""
    tuned = [E] * 4 + [N] * 2 + [E] * 3 + [N]
    attacked = Attacked({"baseline": says(3), "finetuned": says(7)}, (1,) * 10, (1,) * 10, (1,) * 10)
    scored = Scored(
        "test",
        GOLD,
        {"all": range(10), "negation": range(10)},
        {"baseline": says(6), "finetuned": tuned},
        {"baseline": attacked, "finetuned": attacked},
    )
    audit = {m: {form: {"right": 5, "n": 10, "predicted": {"entailment": 5, "neutral": 5, "contradiction": 0}} for form in FORMS} for m in ("baseline", "finetuned")}  # fmt: skip
    stamp = {"scale": "tiny", "protocol": protocol, "stamp": "leaks" if leaked else None}
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(stamp | build([scored], probe=None, audit=audit, leaked=leaked)))
    (folder / "manifest.json").write_text(json.dumps({"checkpoints": {}, "pairs_per_second": {"baseline": 1234.5}}))
    return folder


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs that is the only one; it does not exist yet."""
    monkeypatch.setenv("ROBUSTNLI_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("ROBUSTNLI_ONLY_RUNS", "1")
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("slice_", "counts", "of_older", "p"),
    [("negation", (19, 1, 10), 19 / 29, 4e-5), ("ambiguity", (37, 8, 4), 37 / 41, 1.5e-5), ("long", (28, 13, 8), 28 / 36, 0.028)],
)
def test_the_papers_pies_stand_on_these_counts(slice_: str, counts: tuple[int, ...], of_older: float, p: float) -> None:
    pie = next(one for one in paper.pies() if one.slice == slice_)
    got = (pie.counts.fixed, pie.counts.introduced, pie.counts.remaining)
    assert got == counts and all(abs(100 * n / sum(counts) - q) <= 0.1 for n, q in zip(got, pie.percents, strict=True))
    cells = beside.counted(pie.counts)
    assert cells["fixed of the older model's errors"].startswith(f"{of_older:.1%}".replace("%", " %"))
    assert mcnemar(*got[:2]) == pytest.approx(p, rel=0.1)
    low, high = wilson(got[0], sum(got))
    assert f"({low:.0%} to {high:.0%})".replace("%", " %") in cells["fixed of all errors"]


@given(st.lists(st.integers(0, 40), min_size=3, max_size=3).filter(any))
def test_counts_come_back_from_their_percentages_or_fewer_do(counts: list[int]) -> None:
    total = sum(counts)
    found = paper.fewest(tuple(round(100 * n / total, 1) for n in counts))
    assert sum(found) <= total and all(abs(100 * a / sum(found) - 100 * n / total) <= 0.16 for a, n in zip(found, counts, strict=True))


def test_percentages_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no 1000 rows"):
        paper.fewest((50.0, 50.0, 50.0))


def test_printed_figures_stand_in_the_paper() -> None:
    """Where the paper is at hand: each figure typed in is a figure of its text or table."""
    source = ROOT.parent / "shared" / "paper.md"
    if not source.is_file():
        pytest.skip(f"no paper at {source}")
    text = re.sub(r"\s", "", source.read_text(encoding="utf-8"))
    for row in paper.printed()["row"]:
        for model in ("baseline", "finetuned"):
            value = row.get(model)
            assert value is None or any(t in text for t in (f"{value:g}", f"{100 * value:g}%", f"{value:.4f}")), (row, model)
    for pie in paper.printed()["pie"]:
        assert all(f"{pie[k]:g}%" in text for k in ("fixed", "introduced", "remaining")), pie


def test_reports_are_found_by_protocol_and_the_shipped_first(runs: Path) -> None:
    assert beside.reports() == {}
    make_report(runs / "another", "clean")
    make_report(runs / "shipped", "clean")
    make_report(runs / "leaky", "paper", leaked=7)
    (runs / "broken").mkdir()
    (runs / "broken" / "report.json").write_text("{")
    (runs / "own").mkdir()
    (runs / "own" / "report.json").write_text(json.dumps({"title": "x", "splits": {"file": {}}}))
    (runs / "own" / "manifest.json").write_text("{}")
    found = beside.reports()
    assert {k: v.path.name for k, v in found.items()} == {"clean": "shipped", "paper": "leaky"}
    assert found["paper"].report["trained_on_scored_rows"] == 7


def test_the_table_holds_the_runs_figures(runs: Path) -> None:
    make_report(runs / "shipped", "clean")
    rows = {row["figure"]: row for row in beside.table(beside.reports())}
    low, high = wilson(6, 10)
    assert rows["accuracy"]["ours, clean protocol: baseline"] == f"60.00 % ({low:.2%} to {high:.2%})".replace("%)", " %)").replace(
        "% to", " % to"
    )
    assert rows["accuracy, masked"]["ours, clean protocol: finetuned"].startswith("70.00 %")
    assert rows["accuracy"]["paper: baseline"] == "89.89 %" and rows["loss, masked"]["paper: finetuned"] == "-"
    assert (
        rows["pairs a second"]["ours, clean protocol: baseline"] in ("1,234", "1,235")
        and rows["pairs a second"]["ours, clean protocol: finetuned"] == "-"
    )


def test_pies_and_formats_of_a_run(runs: Path) -> None:
    make_report(runs / "shipped", "clean")
    found = beside.reports()
    rows = beside.pie_rows(paper.pies(), found)
    ours = next(row for row in rows if row["whose"] == "ours, clean protocol")
    assert [ours[k] for k in ("rows", "fixed", "introduced", "remaining", "rows with an error")] == ["10", "3", "2", "1", "6"]
    assert ours["fixed of the older model's errors"].startswith("75.0 %") and len(rows) == 4, "the run has no other of these slices"
    audit = beside.formats(found["clean"])
    assert len(audit) == 8 and audit[1]["given as"] == "one string" and audit[0]["right"] == "5 of 10"


LOG = {
    "settings": {"batch_size": 4, "learning_rate": 1e-4, "seed": 3}, "train_pairs": 1200, "dev_pairs": 30, "steps": 300, "seconds": 120.0,
    "chosen": {"chosen": "checkpoint-200"},
    "history": [
        {"loss": 1.0, "step": 100}, {"eval_loss": 0.9, "eval_accuracy": 0.5, "step": 100}, {"loss": 0.5, "step": 200},
        {"eval_loss": 0.7, "eval_accuracy": 0.6, "step": 200}, {"eval_loss": 0.65, "eval_accuracy": 0.61, "step": 200},
    ],
}  # fmt: skip


def write_log(folder: Path, log: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "training_log.json").write_text(log if isinstance(log, str) else json.dumps(log))
    return folder


def test_curves_are_those_of_the_log_and_of_each_part(tmp_path: Path) -> None:
    (curve,) = training.curves(write_log(tmp_path / "one", LOG))
    assert curve.name == "one" and curve.loss == ((100, 1.0), (200, 0.5))
    assert curve.dev == ((100, 0.9, 0.5), (200, 0.7, 0.6)), "what was evaluated to choose is no step"
    assert curve.about == "1,200 pairs, 300 steps of 4, learning rate 0.0001, seed 3, 2 minutes; evaluated on 30 rows; kept: checkpoint-200"
    inner = {"blend": [{"name": "base", "share": 0.5, "training_log": LOG}, {"name": "run-1", "share": 0.5, "training_log": LOG}]}
    mean = {"blend": [{"name": "base", "share": 0.3, "training_log": LOG}, {"name": "mean", "share": 0.7, "training_log": inner}, {"name": "x", "share": 0, "training_log": None}]}  # fmt: skip
    found = training.curves(write_log(tmp_path / "two", mean))
    assert [c.name for c in found] == ["base", "run-1"]
    drawn = training.chart(found, "loss", "two")
    assert len(drawn.figure.data) == 4 and len(drawn.rows) == 8 and "base: dev loss 0.7000" in drawn.alt
    assert list(training.chart(found, "accuracy", "two").figure.data[1].y) == [0.5, 0.6]


@pytest.mark.parametrize("log", ["{", "[]", "{}", '{"blend": 3}', '{"history": [{"loss": "x", "step": 1}]}'])
def test_a_log_that_cannot_be_read_has_no_curve(tmp_path: Path, log: str) -> None:
    assert training.curves(write_log(tmp_path, log)) == [] and training.curves(tmp_path / "none") == []


def test_a_card_comes_without_its_header_and_with_smaller_headings(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: x\n---\n\n# Title\n\n```\n# a comment\n```\n## Limits\n")
    text = cards.card(tmp_path)
    assert text.startswith("# Title") and cards.card(tmp_path / "none") == ""
    assert cards.smaller(text).splitlines() == ["### Title", "", "```", "# a comment", "```", "#### Limits"]


def test_the_glossary_is_in_order_and_says_something() -> None:
    words = list(cards.glossary())
    assert words == sorted(words, key=str.casefold) and all(len(text) > 10 and text.endswith(".") for text in cards.glossary().values())


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    from robustnli.models import load

    model = load(str(FIXTURES / "tiny-baseline"))
    pairs = [
        Pair("A woman paints a fence.", "A woman paints something."),
        Pair("Two boys wait.", "Nobody waits for a bus."),
        Pair("It rains.", "It is dry today."),
    ]
    one = {"fingerprint": model.checkpoint.fingerprint, "methods": measure(model, pairs)}
    return {"data": "challenge suite", "n": 3, "of": 3, "seed": 13, "percents": [10, 20, 50], "models": {"tiny-baseline": one}}


def test_faithfulness_is_read_drawn_and_told_when_old(tmp_path: Path, measured: dict[str, Any]) -> None:
    assert faithful.read(tmp_path) is None
    (tmp_path / faithful.FILE).write_text(json.dumps(measured))
    report = faithful.read(tmp_path)
    assert report is not None and len(faithful.rows(report)) == 5
    mean = measured["models"]["tiny-baseline"]["methods"]["gradient"]["comprehensiveness"]["mean"]
    assert faithful.rows(report)[0]["comprehensiveness"].startswith(f"{mean:.3f} (")
    drawn = faithful.chart(report, "comprehensiveness")
    assert drawn.figure.data[0].x[0] == pytest.approx(mean) and len(drawn.rows) == 5
    assert set(faithful.METHODS) == set(measured["models"]["tiny-baseline"]["methods"])
    assert faithful.stale(report, {"tiny-baseline": "other"}) == ["tiny-baseline"] and faithful.stale(report, {}) == []
    for damaged in ("{", "{}", '{"models": {"a": {"methods": {"gradient": {}}}}}', "[]"):
        (tmp_path / faithful.FILE).write_text(damaged)
        with pytest.raises(DataError, match="cannot be read"):
            faithful.read(tmp_path)


def page() -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "method.py"), default_timeout=120).run()


def said(at: AppTest) -> str:
    return " | ".join(str(e.value) for kind in (at.error, at.warning, at.info, at.markdown, at.caption, at.code) for e in kind)


def test_an_empty_machine_is_told_what_to_do(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", str(tmp_path / "nothing"))
    monkeypatch.setenv("ROBUSTNLI_ONLY_CHECKPOINTS", "1")
    at = page()
    told = said(at)
    assert not at.exception and "No run was found" in told and "robustnli faithfulness" in told
    assert "--protocol paper" not in told or "robustnli reproduce" in told
    assert "No usable checkpoint" in told and "No checkpoint here has a card" in told and "training log" in told


def test_both_protocols_and_the_leak_are_shown(runs: Path, only_tiny: Path, measured: dict[str, Any]) -> None:
    make_report(runs / "shipped", "clean")
    at = page()
    assert not at.exception and "--protocol paper" in said(at) and "0 of the 10 scored pairs" in said(at)
    make_report(runs / "paper", "paper", leaked=7)
    (runs / "shipped" / faithful.FILE).write_text(
        json.dumps(measured | {"models": {"tiny-baseline": measured["models"]["tiny-baseline"] | {"fingerprint": "x"}}})
    )
    at = page()
    assert not at.exception and "--protocol paper" not in said(at) and "7 of the 10 scored pairs" in said(at)
    assert "was another version" in said(at)
    table = at.dataframe[0].value
    assert list(table["whose"])[-2:] == ["ours, paper protocol: baseline", "ours, paper protocol: finetuned"]
    assert table[table["whose"] == "paper: finetuned"]["accuracy"].item() == "94.11 %"


def test_a_damaged_faithfulness_file_is_said_and_the_rest_stands(runs: Path, only_tiny: Path) -> None:
    (make_report(runs / "shipped", "clean") / faithful.FILE).write_text("{")
    at = page()
    assert not at.exception and any("cannot be read" in e.value for e in at.error)
    assert "How to cite" in {h.value for h in at.subheader}


def test_one_pair_is_asked_in_four_forms(runs: Path, only_tiny: Path) -> None:
    at = page()
    at.text_input(key="method.premise").set_value("A cat is sitting.")
    at.text_input(key="method.hypothesis").set_value("A cat is swimming.")
    next(b for b in at.button if b.label.startswith("Ask all")).click().run()
    assert not at.exception
    rows = next(d.value for d in at.dataframe if "given as" in d.value.columns and "says" in d.value.columns)
    assert len(rows) == 8 and set(rows["model"]) == {"tiny-baseline", "tiny-finetuned"}
    whole = rows[(rows["model"] == "tiny-baseline") & rows["given as"].str.startswith("as it was trained")]
    assert whole["says"].item() == "contradiction"
    at.text_input(key="method.premise").set_value(" ")
    next(b for b in at.button if b.label.startswith("Ask all")).click().run()
    assert "Type a premise" in said(at)


def test_a_card_of_another_folder_is_plain_text(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(FIXTURES / "tiny-baseline", tmp_path / "c" / "mine")
    (tmp_path / "c" / "mine" / "README.md").write_text("# Mine\n![x](http://x.invalid/x.png) :red[no]")
    write_log(tmp_path / "c" / "mine", LOG)
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", str(tmp_path / "c"))
    monkeypatch.setenv("ROBUSTNLI_ONLY_CHECKPOINTS", "1")
    at = page()
    assert not at.exception and any("![x](http" in t.value for t in at.text) and "x.invalid" not in said(at)
    assert "1,200 pairs, 300 steps" in said(at).replace("\\", "")


def test_the_shipped_cards_are_drawn(runs: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = page()
    assert not at.exception and all(f"### robustnli {name}" in said(at) for name in ("baseline", "finetuned", "robust"))
    at.segmented_control(key="method.trained").set_value("robust").run()
    assert not at.exception and "run" in said(at)


def test_the_page_asks_for_no_torch() -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file('pages/method.py', default_timeout=60).run(); assert not at.exception, at.exception\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
