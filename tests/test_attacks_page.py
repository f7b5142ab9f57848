"""The attacks page through AppTest: the real page on made-up finished attacks, driven by its plain controls."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from robustnli import jobs
from robustnli.curated import Verdict
from robustnli.gallery.files import write
from robustnli.store import Query, open_store
from tests.test_gallery import about, made_rows

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def home(tmp_path: Path, only_tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Three finished attacks: two recipes on the same data, one of them twice, and one that replaced nothing."""
    shipped = tmp_path / "shipped"
    monkeypatch.setattr("robustnli.config.SHIPPED_ATTACKS", shipped)
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ROBUSTNLI_SNLI", str(tmp_path / "none"))
    write(shipped / "mask-made", about(title="Masked words"), made_rows())
    rows = [row | {"words": [], "edits": [{"segment": 0, "start": 0, "end": 0, "text": "Far away it rained. "}]} for row in made_rows()]
    longer = about(recipe="lengthen", title="A sentence more", gold="kept", budgeted=False, k=1, broken="It is wrong then.")
    write(shipped / "lengthen-made", longer, rows)
    write(tmp_path / "home" / "attacks" / "mask-own", about(k=1, created="2026-02-02T10:00:00+00:00"), made_rows()[:2])
    yield tmp_path / "home"
    for job in jobs.find_all():
        jobs.forget(job.id)
    st.cache_resource.clear()


def page(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages" / "attacks.py"), default_timeout=120)
    for key, value in query.items():
        at.query_params[key] = value
    return at.run()


def said(at: AppTest) -> str:
    kinds = (at.error, at.warning, at.success, at.info, at.markdown, at.caption)
    return " | ".join(str(e.value).replace("\\", "") for kind in kinds for e in kind)


def address(at: AppTest) -> dict[str, str]:
    return {key: str(value) for key, value in dict(at.query_params).items()}


def button(at: AppTest, label: str) -> Any:
    return next(b for b in at.button if b.label.replace("\\", "") == label)


def cards(at: AppTest) -> list[str]:
    return [e.proto.body for e in at.get("html")]


def test_first_visit_is_full() -> None:
    at = page()
    assert not at.exception and not at.error
    told = said(at)
    assert "Masked words" in told and "A paper" in told and "None." in told and "unconfirmed" in told
    assert [m.value for m in at.metric] == ["50.0 % broken", "50.0 % broken"]
    assert "2 of 4 (50.0 %), too few to tell" in told and "1 wrong before" in told
    assert "Accuracy under attack" in told and "Transfer" in told and "All **10** attacks" in told
    assert len(cards(at)) == 10 and address(at) == {}
    assert len([b for b in at.button if b.label == "Open in Flip lab"]) == 10


def test_the_budget_changes_the_figures_and_the_endings() -> None:
    at = page(k="2")
    assert [m.value for m in at.metric] == ["75.0 % broken", "75.0 % broken"]
    assert sum("broken by" in card for card in cards(at)) == 6
    at = page()
    assert sum("broken by" in card for card in cards(at)) == 4 and any("breaks with 2 words" in card for card in cards(at))


def test_another_recipe_another_run_and_what_it_says_of_the_gold_label() -> None:
    at = page(recipe="lengthen")
    assert "A sentence more" in said(at) and "It is wrong then." in said(at)
    assert all("gold label stays" in card and "Far away it rained." in card for card in cards(at))
    at = page(run="mask-own")
    assert not at.exception and "All **2** attacks" in said(at)
    assert [b.label for b in at.button if b.label == "Remove it"], "an attack of one's own can be removed"
    assert not [b for b in page().button if b.label == "Remove it"], "a shipped one cannot"


def test_an_attack_of_ones_own_is_removed(home: Path) -> None:
    at = page(run="mask-own")
    button(at, "Remove it").click().run()
    assert not at.exception and not (home / "attacks" / "mask-own").exists() and "All **10** attacks" in said(at)


def test_a_link_brings_everything_back_and_a_filter_can_be_removed() -> None:
    query = {"model": "old", "status": "broken", "k": "2", "sort": "few", "size": "25", "as": "table", "word": "sings"}
    at = page(**query)
    assert not at.exception and address(at) == query and "**1** of 10 attacks" in said(at)
    button(at, "first word: sings").click().run()
    assert "word" not in address(at) and "**3** of 10 attacks" in said(at)
    button(at, "Remove all").click().run()
    assert "All **10** attacks" in said(at)


def test_widgets_write_the_address_and_back_undoes_them() -> None:
    at = page()
    at.multiselect(key="attacks.w.model").select("new").run()
    at.text_input(key="attacks.w.q").set_value("baker coins").run()
    assert address(at) == {"model": "new", "q": "baker coins"} and "**1** of 10 attacks" in said(at)
    at.query_params.clear()
    at.query_params["model"] = "new"
    at.run()
    assert at.text_input(key="attacks.w.q").value == "" and "**5** of 10 attacks" in said(at)
    at.text_input(key="attacks.w.q").set_value("no such words").run()
    assert "No attack fulfils all filters" in said(at)


def test_what_the_address_asks_for_in_vain_is_said() -> None:
    at = page(recipe="<b>x", data="nowhere", k="99", view="?", status="odd", page="77")
    assert not at.exception and "data nowhere, which is not here" in said(at) and "recipe <b>x" in said(at)


@pytest.mark.parametrize("view", ["where", "words", "recipes"])
@pytest.mark.parametrize("recipe", ["mask", "lengthen"])
def test_every_section_draws(view: str, recipe: str) -> None:
    at = page(view=view, recipe=recipe)
    assert not at.exception and not at.error
    told = said(at)
    if view == "where":
        assert "Slice" in told and "Gold label" in told and ("No single word" in told) == (recipe == "lengthen")
    if view == "words" and recipe == "mask":
        assert "4 words were the first to be changed in the attacks on old that count, 4 in all; 2 times" in told
    if view == "recipes":
        assert "Success on made" in told and len(at.dataframe) >= 1


def test_a_row_is_kept_among_the_curated_examples(home: Path) -> None:
    at = page(model="old", status="broken")
    at.button(key="keep.attacks.keep.all").click().run()
    assert not at.exception and "2 kept." in said(at)
    at = page(model="old", status="broken")
    at.button(key="keep.attacks.keep.0").click().run()
    assert "Already kept" in said(at) or "kept already" in said(at)


def test_the_confirmed_curated_examples_are_data(home: Path) -> None:
    at = page()
    at.selectbox(key="attacks.run.data").set_value("curated").run()
    assert "No curated example has a confirmed label" in said(at) and at.button(key="attacks.run.go").disabled
    at.button(key="keep.attacks.keep.0").click().run()
    kept = open_store()
    (entry,) = kept.entries(Query())
    kept.judge([entry.uid], entry.author, Verdict.KEEP)
    at.run()
    assert not at.exception and not at.button(key="attacks.run.go").disabled


def test_an_older_checkpoint_is_told(home: Path) -> None:
    write(home / "attacks" / "stale", about(data="other", models={"tiny-baseline": "long ago", "new": "f2"}), [])
    at = page(data="other")
    assert "tiny-baseline was another version of the checkpoint" in said(at)


def test_a_damaged_attack_is_an_error_in_words(home: Path) -> None:
    (home / "attacks" / "mask-own" / "rows.parquet").write_bytes(b"no parquet")
    at = page(run="mask-own")
    assert not at.exception and "mask-own: its rows cannot be read" in said(at)


def test_no_attack_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("robustnli.config.SHIPPED_ATTACKS", tmp_path / "empty")
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "empty"))
    at = page()
    assert not at.exception and "No finished attack was found" in said(at) and "robustnli gallery" in said(at)


def test_a_read_only_server_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    at = page(run="mask-own")
    assert not at.exception and at.button(key="attacks.run.go").disabled and "read-only" in said(at)
    assert not [b for b in at.button if b.label == "Remove it"]


def ended(kind: str = "attack", seconds: float = 240) -> jobs.Job:
    until = time.time() + seconds
    while True:
        job = jobs.find_all("attack")[0]
        if not job.active:
            return job
        assert time.time() < until, job
        time.sleep(0.2)


@pytest.mark.slow
def test_an_attack_on_a_file_of_ones_own_is_run_and_shown(only_tiny: Path) -> None:
    at = page()
    lines = (only_tiny / "tiny_test.jsonl").read_text().splitlines()[:30]
    at.selectbox(key="attacks.run.data").set_value("file").run()
    assert at.button(key="attacks.run.go").disabled and "no pairs yet to attack" in said(at)
    content = "\n".join([*lines, json.dumps({"premise": "x", "hypothesis": "", "label": "neutral"})]).encode()
    at.file_uploader(key="attacks.run.file").upload("mine.jsonl", content, "application/json").run()
    assert "30 labelled pairs in mine.jsonl" in said(at) and "row 31" in said(at)
    at.button(key="attacks.run.go").click().run()
    assert not at.exception
    assert ended().state == "done", ended().message
    at = page()
    assert "mask on mine.jsonl is done" in said(at)
    button(at, "Show it").click().run()
    assert not at.exception and address(at)["data"] == "mine.jsonl" and "All **60** attacks" in said(at)
    assert jobs.find_all() == []


def test_a_failed_attack_says_why_and_can_be_dismissed() -> None:
    jobs.submit("attack", "mask on nothing", {"recipe": "mask", "data": "snli:dev", "models": ["tiny-baseline"]})
    assert ended().state == "failed"
    at = page()
    assert "mask on nothing failed" in said(at) and "ROBUSTNLI_SNLI" in said(at)
    button(at, "Dismiss").click().run()
    assert "failed" not in said(at)


def test_the_page_imports_no_torch() -> None:
    code = (
        "import sys\nfrom robustnli.ui import cached\nfrom robustnli.ui.attacks import inputs, overview, rows, run, state\n"
        "sys.exit(bool({'torch', 'transformers', 'datasets', 'captum'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
