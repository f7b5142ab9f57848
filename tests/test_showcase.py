"""What the home page shows: which rows are taken, that text stays text, and that the page leads where it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from robustnli import showcase
from robustnli.pies import pie
from robustnli.types import ErrorBreakdown, Label, Pair
from robustnli.ui.state import linked

ROOT = Path(__file__).resolve().parent.parent
SAYS = {"e": [0.9, 0.06, 0.04], "n": [0.1, 0.7, 0.2], "c": [0.2, 0.2, 0.6], "unsure": [0.34, 0.33, 0.33]}


def record(hypothesis: str, a: str = "e", a_masked: str = "n", b: str = "e", b_masked: str = "e", **more: Any) -> dict[str, Any]:
    """A record whose gold is entailment; the attack on `a` masked the hypothesis' second word."""
    words = [(m, m + len(w)) for m, w in ((hypothesis.index(w), w) for w in hypothesis.rstrip(".").split())]
    broken = "broken" if a == "e" and a_masked != "e" else "held" if a == "e" else "skipped"
    return {
        "premise": "A baker sells bread.", "hypothesis": hypothesis, "gold": 0, "split": "dev", "status.a": broken,
        "broke_at.a": {"broken": 1.0, "held": float("nan"), "skipped": 0.0}[broken], "masked.a": [*words[1], 1], "scores.a": [1.0, 5.0, *[1.0] * (len(words) - 2)],
        "probs.a": SAYS[a], "probs.a@a": SAYS[a_masked], "probs.b": SAYS[b], "probs.b@a": SAYS[b_masked],
    } | more  # fmt: skip


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


def test_the_flip_is_the_clear_one_where_the_newer_model_holds() -> None:
    rows = table(
        record("Bread sells."),
        record("Some bread sells.", b_masked="n"),
        record("No one eats.", a="n"),
        record("The man sells it.", a_masked="unsure"),
        record("The long queue buys a loaf.", split="test"),
        record("The whole queue buys loaves."),
    )
    found = showcase.flip(rows, "a", "b")
    assert found and found.pair.hypothesis == "Bread sells.", "the shortest of dev"
    found = showcase.flip(rows[1:], "a", "b")
    assert found and found.pair.hypothesis == "The whole queue buys loaves."
    assert (found.word, found.number, found.gold) == ("whole", 2, Label.ENTAILMENT)
    assert [p.label for p in (*found.before, *found.after)] == [Label.ENTAILMENT, Label.ENTAILMENT, Label.NEUTRAL, Label.ENTAILMENT]
    assert showcase.flip(rows[1:2], "a", "b") is not None and showcase.flip(rows[2:3], "a", "b") is None
    assert showcase.flip(rows.drop(columns="probs.b@a"), "a", "b") is None


def test_the_scored_sentence_is_another_one() -> None:
    rows = table(record("Bread sells."), record("The whole queue buys loaves."), record("The whole queue buys many loaves."))
    found = showcase.scored(rows, "a", Pair("", "The whole queue buys loaves."))
    assert found and found.pair.hypothesis == "The whole queue buys many loaves."
    assert found.words[1] == (4, 9, 5.0) and len(found.words) == 6
    assert showcase.scored(rows[:1], "a") is None and showcase.scored(rows.drop(columns="scores.a"), "a") is None


def test_text_of_the_data_stays_text() -> None:
    hostile = record("<img src=x onerror=1> <b>bold</b> a b c.", premise="<script>1</script>")
    for drawn in (
        showcase.flip_html(showcase.flip(table(hostile), "a", "b")),  # type: ignore[arg-type]
        showcase.scored_html(showcase.Scored(Pair("<script>", "<b>x</b>"), Label.NEUTRAL, "<i>", ((0, 3, 1.0), (3, 4, 0.0)))),
        showcase.labels_html({"<u>": 3}),
    ):
        assert not any(tag in drawn for tag in ("<script", "<img", "<b>x", "<b>bold", "<u>"))


def test_the_pie_turns_as_its_counts() -> None:
    drawn = showcase.pie_html(pie(ErrorBreakdown("all", 1, 2, 1, 6), "either", ""))
    assert "conic-gradient(#009e73 0.00% 25.00%,#d55e00 25.00% 75.00%,#999999 75.00% 100.00%)" in drawn and "fixed 1 (25.0 %)" in drawn
    assert "conic-gradient" not in showcase.pie_html(pie(ErrorBreakdown("all", 0, 0, 0, 6), "either", ""))


def test_only_what_is_the_flip_labs_is_taken_from_an_address() -> None:
    assert linked({"p": "x", "m": "h1", "slice": "y", "lang": "de"}) == {"p": "x", "m": "h1"} and linked({"split": "dev"}) == {}


def home(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in query.items():
        at.query_params[key] = value
    return at.run()


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    return tmp_path


def test_the_example_flips_at_one_click(own_home: Path, shipped: Path) -> None:
    at = home()
    assert not at.exception and at.title[0].value == "robustnli"
    button = at.button(key="home.first")
    assert button.label.startswith("Mask *")
    button.click().run()
    assert not at.exception and at.title[0].value == "Flip lab" and at.session_state["masks"]
    assert "FLIP" in " ".join(str(m.value) for m in (*at.markdown, *at.error, *at.warning, *at.success))


def test_without_runs_there_are_still_doors(own_home: Path, only_tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_ONLY_RUNS", "1")
    at = home()
    assert not at.exception and "No finished run" in " ".join(m.value for m in at.markdown)
    assert not (own_home / "home").exists(), "to look makes no database"
    at.button(key="home.first").click().run()
    assert not at.exception and at.title[0].value == "Flip lab" and at.text_input(key="p").value


def test_what_is_kept_is_counted(own_home: Path, only_tiny: Path) -> None:
    at = AppTest.from_file(str(ROOT / "pages" / "curate.py"), default_timeout=60).run()
    at.button(key="curate.starters").click().run()
    assert not at.exception and not home().exception
    counts = next(h.proto.body for h in home().get("html") if "wait for a reader" in h.proto.body)
    assert ">8</div>" in counts and "judged" in counts


def test_old_addresses_of_the_flip_lab_open_it(own_home: Path, only_tiny: Path) -> None:
    at = home(p="A baker sells bread.", h="A baker sells rolls.", m="h4")
    assert not at.exception and at.title[0].value == "Flip lab"
    assert at.text_input(key="h").value == "A baker sells rolls." and at.session_state["masks"] == ["h4"]


def test_the_home_page_asks_for_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file('app.py', default_timeout=60).run(); assert not at.exception and at.title[0].value == 'robustnli'\n"
        "sys.exit('torch' in sys.modules)"
    )
    env = os.environ | {"ROBUSTNLI_HOME": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env).returncode == 0


def test_the_open_page_stands_first_among_the_keys() -> None:
    from robustnli.ui import keys

    assert [g["name"] for g in keys.groups("Curate")] == ["Curate", "On every page", "Flip lab", "Errors"]
    assert [g["name"] for g in keys.groups("Home")] == ["On every page", "Flip lab", "Errors", "Curate"]
