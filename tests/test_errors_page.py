"""The error explorer through AppTest: the real page on made-up runs, driven by its plain controls."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from robustnli import jobs
from robustnli.browse import Filters
from robustnli.slicefile import to_query
from robustnli.slices import Slice
from robustnli.store import Query, open_store
from tests.made import examples, make_all, make_run, records

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    runs, text = make_all(tmp_path_factory.mktemp("errors"), 300, 240)
    make_run(runs / "other", {"test": records(examples(300), right=(0.4, 0.5, 0.95))})
    return runs, text


@pytest.fixture(autouse=True)
def _runs(made: tuple[Path, Path], only_tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    runs, text = made
    monkeypatch.setattr("robustnli.config.SHIPPED_RUNS", runs / "none")
    monkeypatch.setenv("ROBUSTNLI_HOME", str(runs / "none"))
    monkeypatch.setenv("ROBUSTNLI_RUNS", str(runs))
    monkeypatch.setenv("ROBUSTNLI_SNLI", str(text))
    yield
    st.cache_resource.clear()


def page(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages" / "errors.py"), default_timeout=60)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    return at if at.exception else at.run()  # all but the counts comes with the second run, which a browser asks for


def said(at: AppTest) -> str:
    kinds = (at.error, at.warning, at.success, at.info, at.markdown, at.caption)
    return " | ".join(str(e.value).replace("\\", "") for kind in kinds for e in kind)


def pies(at: AppTest) -> dict[str, dict[str, object]]:
    """Slice -> its pie, as the browser is given it."""
    return {pie["slice"]: pie for pie in json.loads(drawn_pies(at).json)["pies"]}


def drawn_pies(at: AppTest):  # type: ignore[no-untyped-def]
    (drawn,) = (e.proto for e in at.get("bidi_component") if e.proto.component_name == "robustnli_pies")
    return drawn


def address(at: AppTest) -> dict[str, str]:
    return {key: str(value) for key, value in dict(at.query_params).items()}


def button(at: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(b for b in at.button if b.label.replace("\\", "") == label)


def widget(at: AppTest, kind: str, name: str):  # type: ignore[no-untyped-def]
    return getattr(at, kind)(key=f"errors.w.{name}")


def test_first_visit_shows_the_suite_with_a_pie_a_slice() -> None:
    at = page()
    assert not at.exception
    told = said(at)
    assert widget(at, "selectbox", "split").value == "suite"
    assert list(pies(at)) == ["all", "negation", "ambiguity", "long", "plain"]
    assert all("rows that changed" in str(pie["verdict"]) or pie["few"] for pie in pies(at).values())
    assert pies(at)["all"]["heading"] == "240 rows"
    assert "of all errors of either model" in told and "All **240** rows" in told
    assert address(at) == {}, "what stands by default is not in the address"
    assert len([b for b in at.button if b.label == "Open in Flip lab"]) == 10


def test_the_first_run_shows_the_counts_and_the_second_all_else() -> None:
    at = AppTest.from_file(str(ROOT / "pages" / "errors.py"), default_timeout=60)
    at.query_params["outcome"] = "fixed"
    at.run()
    assert not at.exception and pies(at)["all"]["heading"] == "240 rows" and address(at) == {"outcome": "fixed"}
    assert json.loads(drawn_pies(at).json)["first"] is True and not at.get("plotly_chart") and not at.dataframe
    at.run()
    assert not at.exception and len(at.get("plotly_chart")) == 2 and json.loads(drawn_pies(at).json)["first"] is False
    assert "of 240 rows" in said(at) and [b for b in at.button if b.label == "Open in Flip lab"]


def test_a_filter_is_in_the_address_is_shown_and_can_be_removed() -> None:
    at = page(split="test")
    widget(at, "multiselect", "outcome").select("fixed").run()
    widget(at, "selectbox", "slice").select("negation").run()
    assert not at.exception
    assert address(at) == {"split": "test", "outcome": "fixed", "slice": "negation"}
    assert " of 300 rows" in said(at)
    button(at, "slice: negation").click().run()
    assert address(at) == {"split": "test", "outcome": "fixed"}
    button(at, "outcome: fixed").click().run()
    assert address(at) == {"split": "test"} and "All **300** rows" in said(at)


def test_a_link_brings_everything_back() -> None:
    query = {
        "split": "test", "older": "finetuned", "newer": "robust", "of": "older", "slice": "long", "outcome": "remaining~introduced",
        "sure": "40-90", "words": "5-30", "sort": "unsure", "size": "25", "q": "roof road",
    }  # fmt: skip
    at = page(**query)
    assert not at.exception and address(at) == query
    assert widget(at, "slider", "sure").value == (40, 90) and widget(at, "text_input", "q").value == "roof road"
    assert "of the older model's errors" in said(at) and all("introduced besides" in str(p["besides"]) for p in pies(at).values())
    at = page(**(query | {"q": "dusty", "outcome": "", "sure": "", "words": ""}))
    assert not at.exception and " of 300 rows" in said(at) and "No row fulfils" not in said(at)


def test_a_choice_is_drawn_with_its_value_as_its_default() -> None:
    """A browser that knows of a widget no more than its default answers with that: a run that a click interrupts leaves it so."""
    at = page(run="made", older="finetuned", newer="robust", of="older", view="rows", size="50", slice="negation")
    for name, chosen in {"newer": "robust", "older": "finetuned", "size": 50, "slice": "negation"}.items():
        box = at.selectbox(key=f"errors.w.{name}")
        assert box.value == chosen and box.proto.default == [str(o) for o in box.options].index(str(chosen) or "any"), name
    (of,) = (c.proto for c in at.get("button_group") if c.proto.id.endswith("errors.w.of"))
    assert list(of.default) == [1]
    assert len(at.multiselect(key="errors.w.show").proto.default) == len(at.multiselect(key="errors.w.show").value) > 1
    assert list(at.slider(key="errors.w.sure").proto.default) == [33, 100]


def test_another_address_without_a_touched_widget_is_taken_as_the_browser_going_back() -> None:
    at = page(split="test")
    widget(at, "selectbox", "slice").select("long").run()
    at.query_params.clear()
    at.query_params["split"] = "test"
    at.run()
    assert widget(at, "selectbox", "slice").value == "" and "All **300** rows" in said(at)


def test_what_the_address_asks_for_in_vain_is_said() -> None:
    at = page(split="train", slice="<b>nonsense", older="gpt")
    assert not at.exception
    told = said(at)
    assert "the split train, which is not here" in told and "slice <b>nonsense" in told and "older model gpt" in told
    assert address(at) == {}


def test_a_click_asks_for_slice_outcome_and_label() -> None:
    from robustnli.charts import picked

    path = picked({"id": "negation|fixed|neutral"})
    assert Filters.parse(path).query() == {"slice": "negation", "outcome": "fixed", "label": "neutral"}


def test_paging_sorting_and_search_go_together() -> None:
    at = page(split="test", page="3")
    assert "Rows 21 to 30 of 300" in said(at)
    widget(at, "text_input", "q").set_value("baker").run()
    assert "page" not in address(at) and "Rows 1 to 10 of" in said(at), "a new search begins on its first page"
    widget(at, "text_input", "q").set_value("no such words at all").run()
    assert "No row fulfils all filters" in said(at)
    assert "Rows 291 to 300" in said(page(split="test", page="9999")), "a page beyond the end is the last"


def test_phenomena_are_a_filter_of_the_suite_only() -> None:
    at = page(phenomenon="modal")
    assert " of 240 rows" in said(at) and widget(at, "multiselect", "phenomenon").value == ["modal"]
    at = page(split="test", phenomenon="modal")
    assert not at.exception and "All **300** rows" in said(at)


def test_dev_and_test_of_the_suite_are_a_filter_in_the_address_and_a_chip() -> None:
    at = page(part="dev")
    assert "**80** of 240 rows" in said(at) and widget(at, "multiselect", "part").value == ["dev"]
    widget(at, "multiselect", "part").set_value(["test"]).run()
    assert address(at) == {"part": "test"} and "**160** of 240 rows" in said(at)
    button(at, "part: test").click().run()
    assert address(at) == {} and "All **240** rows" in said(at)
    at = page(split="test", part="dev")
    assert not at.exception and "All **300** rows" in said(at) and not [w for w in at.multiselect if w.label == "Part of the data"]


def test_an_own_slice_with_a_name_taken_is_told() -> None:
    part = Slice(name="plain", about="", cues=("baker",))
    at = page(lab=to_query(part))
    assert not at.exception and "Your slice **plain** is not drawn here" in said(at)
    assert "is not drawn here" not in said(page(split="test", lab=to_query(part)))


def test_a_chosen_difference_is_in_the_address_and_can_be_let_go() -> None:
    query = {"run": "other", "view": "differ", "newer": "robust"}
    found = page(**query).dataframe(key="lab.differences").value["slice"].tolist()
    query["differ"] = found[0]
    at = page(**query)
    assert not at.exception and address(at) == query
    rows = at.dataframe(key="lab.differences").value["rows"][0]
    assert f"**{rows:,}** rows of" in said(at)
    button(at, found[0]).click().run()
    assert address(at) == {k: v for k, v in query.items() if k != "differ"}
    at = page(**(query | {"differ": "no such slice"}))
    assert "no such slice, which is not among these" in said(at)


def test_rows_are_kept_one_by_one_and_in_bulk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path))
    at = page(split="test", outcome="fixed")
    n = int(re.search(r"\*\*(\d+)\*\* of 300 rows", said(at))[1])  # type: ignore[index]
    next(b for b in at.button if b.label == "Keep").click().run()
    assert not at.exception and "Kept." in said(at)
    assert button(at, "Keep them").disabled, "not in bulk unasked"
    next(c for c in at.checkbox if c.label == f"Yes, keep {n} rows").check().run()
    button(at, "Keep them").click().run()
    assert not at.exception and f"{n - 1:,} kept. 1 were there already." in said(at)
    with open_store() as store:
        entries = store.entries(Query())
    assert len(entries) == n and all(e.original == e.edited and "fixed" in e.tags for e in entries)
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    at = page(split="test", outcome="fixed")
    assert all(b.disabled for b in at.button if b.label.startswith("Keep"))


def offered(at: AppTest, name: str, content: bytes) -> AppTest:
    """The page with the box for an own file open and a file in it."""
    at.session_state["errors.own.0"] = True
    at.run()
    return at.file_uploader(key="errors.own.0.file").upload(name, content, "text/csv").run()


CSV = "premise,hypothesis,label\n" + "".join(f"A cat sits on mat {n}.,It {'sits' if n % 2 else 'runs'}.,{n % 2 * 2}\n" for n in range(40))


def test_an_own_file_is_scored_chosen_renamed_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path))
    at = offered(page(slice="negation"), "my pairs.csv", (CSV + "A cat.,A dog.,perhaps\n,A dog.,0\n").encode())
    assert not at.exception and "**40 rows** can be scored" in said(at) and "2 rows cannot be read" in said(at)
    assert any("my pairs.csv, row 41: label 'perhaps'" in c.value and "row 42" in c.value for c in at.code)
    assert at.button(key="errors.own.go").disabled, "rows are not left out unasked"
    at.checkbox(key="errors.own.skip").check().run()
    at.button(key="errors.own.go").click().run()
    assert not at.exception and not at.error
    (job,) = jobs.find_all("score")
    until = time.time() + 120
    while jobs.find(job.id).active:
        assert time.time() < until
        time.sleep(0.1)
    at.run()
    assert not at.exception and address(at) == {"run": "my pairs"}, "the run is chosen, and the filters of other data are gone"
    assert "All **40** rows" in said(at) and "A cat sits on mat" in " ".join(str(h.value) for h in at.get("html"))
    at.text_input(key="errors.own.rename.my pairs").set_value("made").run()
    button(at, "Rename").click().run()
    assert "a run named 'made' already" in said(at) and address(at) == {"run": "my pairs"}
    at.text_input(key="errors.own.rename.my pairs").set_value("cats").run()
    button(at, "Rename").click().run()
    assert not at.exception and address(at) == {"run": "cats"} and "All **40** rows" in said(at)
    assert button(at, "Remove").disabled
    at.checkbox(key="errors.own.sure.cats").check().run()
    button(at, "Remove").click().run()
    assert not at.exception and address(at) == {} and not list(tmp_path.rglob("*.parquet"))


def test_a_file_that_cannot_be_scored_says_why() -> None:
    at = offered(page(), "x.csv", b"a,b\n1,2\n")
    assert not at.exception and "x.csv, row 1: no column premise" in said(at) and not [b for b in at.button if b.label == "Score"]


def test_a_read_only_server_refuses_a_file_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    at = page()
    at.session_state["errors.own.0"] = True
    at.run()
    assert not at.exception and "read-only" in said(at) and not at.file_uploader and any("robustnli score" in c.value for c in at.code)


@pytest.mark.parametrize("view", ["figures", "lab", "differ"])
def test_every_section_draws(view: str) -> None:
    at = page(split="test", view=view, slice="negation")
    assert not at.exception and not at.error
    if view == "figures":
        assert "rows of the slice **negation**" in said(at) and "Confusion" in said(at)


def test_the_same_model_twice_is_refused_in_words() -> None:
    at = page(older="robust", newer="robust")
    assert not at.exception and "Choose two different models" in said(at)


def test_without_text_the_counts_stay_and_the_way_to_get_it_is_told(made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_SNLI", str(made[0] / "nowhere"))
    at = page(split="test")
    assert not at.exception
    assert "ROBUSTNLI_SNLI" in said(at) and any("300 of 300 rows are shown without" in e.label for e in at.expander)
    assert "rows that changed" in str(pies(at)["all"]["verdict"]) and not [b for b in at.button if b.label == "Open in Flip lab"]
    data = (made[1] / "made_test.jsonl").read_bytes().splitlines()
    at.file_uploader(key="errors.file").upload("mine.jsonl", b"\n".join(data[:250]), "application/json").run()
    button(at, "Use this file").click().run()
    assert not at.exception
    assert "50 of 300 rows have no text in mine.jsonl" in said(at)
    assert len([b for b in at.button if b.label == "Open in Flip lab"]) == 10


def test_no_run_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_RUNS", "")
    at = page()
    assert not at.exception and "No finished run was found" in said(at) and "ROBUSTNLI_RUNS" in said(at)


def test_the_page_imports_no_torch() -> None:
    code = "import sys, runpy\nfrom robustnli.ui import cached, slice_lab, errors\nfrom robustnli.ui.errors import behind, inputs, missing, overview, rows\nsys.exit(bool({'torch', 'transformers', 'datasets', 'captum'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("size", [10, 50])
def test_a_filter_change_on_ten_thousand_rows_takes_under_200_ms(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of processor time, which another program's load does not lengthen; the smallest of several, with 10 and with 50 rows a page."""
    runs, text = make_all(tmp_path, 10_000, 40)
    monkeypatch.setenv("ROBUSTNLI_RUNS", str(runs))
    monkeypatch.setenv("ROBUSTNLI_SNLI", str(text))
    at = page(split="test", size=str(size))
    seconds = []
    for outcome in ("fixed", "introduced", "remaining", "still right"):
        at = widget(at, "multiselect", "outcome").set_value([outcome])
        begun = time.process_time()
        at = at.run()
        seconds.append(time.process_time() - begun)
    assert not at.exception and min(seconds) < 0.2, seconds
