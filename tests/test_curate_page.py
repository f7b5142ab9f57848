"""Curate through AppTest: the real page on the tiny checkpoints, from the empty state to two readers, export, import and replay."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from robustnli import exchange
from robustnli.curated import Entry, Said, Verdict, entry_uid
from robustnli.examples import STARTERS
from robustnli.store import Query, Store, open_store
from robustnli.types import Label, Pair, Prediction
from robustnli.ui.curate import give

ROOT = Path(__file__).resolve().parent.parent
E, N, C = Label


@pytest.fixture(autouse=True)
def _home(only_tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("getpass.getuser", lambda: "ada")


def page(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages" / "curate.py"), default_timeout=60)
    for key, value in query.items():
        at.query_params[key] = value
    return at.run()


def said(at: AppTest) -> str:
    kinds = (at.error, at.warning, at.success, at.info, at.markdown, at.caption, at.toast)
    return " | ".join(str(e.value).replace("\\", "") for kind in kinds for e in kind)


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def address(at: AppTest) -> dict[str, str]:
    return {key: str(value) for key, value in dict(at.query_params).items()}


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=f"curate.{key}").click().run()
    assert not at.exception, at.exception[0].message
    return at


def judge(at: AppTest, key: str) -> AppTest:
    return press(at, f"judge.{key}")


def rename(at: AppTest, name: str) -> AppTest:
    return at.text_input(key="people.field").set_value(name).run()


def made(number: int, gold: Label | None = C, **more: object) -> Entry:
    original, edited = Pair(f"A cat sits on mat {number}.", "A goat runs."), Pair(f"A cat sits on mat {number}.", f"A cat [MASK] {number}.")
    flip = Said("tiny-baseline", "old", Prediction((0.1, 0.1, 0.8)), Prediction((0.8, 0.1, 0.1) if number % 2 else (0.1, 0.1, 0.8)))
    defaults: dict[str, object] = {"author": "ada", "said": (flip,), "tags": ("odd",) if number % 2 else ()}
    return Entry(entry_uid(original, edited, gold), original, edited, gold, **(defaults | more))  # type: ignore[arg-type]


@pytest.fixture
def four() -> list[Entry]:
    entries = [made(n) for n in range(4)]
    open_store().add(entries)
    return entries


def test_an_empty_store_tells_three_ways_and_offers_ready_examples_that_can_be_undone() -> None:
    at = page()
    assert {"Go to Flip lab", "Go to Attacks", "Import a file"} <= {b.label for b in at.button}
    press(at, "starters")
    assert f"0 of {len(STARTERS)}" in at.get("progress")[0].proto.text and "8 examples added." in said(at)
    kept = open_store().entries()
    assert len(kept) == len(STARTERS) and {e.author for e in kept} == {"ada"} and all(len(e.said) == 2 for e in kept)
    press(at, "undo")
    assert open_store().count() == 0 and "Three ways" in said(at)


def test_a_queue_is_judged_key_by_key_and_goes_on_by_itself(four: list[Entry]) -> None:
    at = page()
    assert address(at) == {"id": four[0].uid} and "0 of 4" in at.get("progress")[0].proto.text
    shortcuts = {b.proto.shortcut.lower() for b in at.button if b.proto.shortcut}
    assert shortcuts == {"a", "1", "2", "3", "u", "x", "n", "p", "z"}
    judge(at, "A")
    assert address(at) == {"id": four[1].uid} and "label kept: contradiction" in said(at)
    judge(at, "1")
    judge(at, "X")
    judge(at, "U")
    assert "4 of 4" in at.get("progress")[0].proto.text
    verdicts = [(e.verdict, e.gold_after) for e in open_store().entries(Query(order="oldest"))]
    assert verdicts == [(Verdict.KEEP, C), (Verdict.RELABEL, E), (Verdict.REJECT, None), (Verdict.UNSURE, None)]


def test_the_number_of_the_label_before_is_the_same_as_accept(four: list[Entry]) -> None:
    judge(page(), "3")
    assert open_store().get(four[0].uid).verdict is Verdict.KEEP


def test_undo_takes_back_and_returns_to_the_entry(four: list[Entry]) -> None:
    at = judge(judge(page(), "A"), "U")
    press(at, "undo")
    assert address(at) == {"id": four[1].uid} and open_store().get(four[1].uid).verdict is Verdict.PENDING
    press(at, "undo")
    assert address(at) == {"id": four[0].uid} and open_store().count(Query(verdicts=(Verdict.PENDING,))) == 4
    press(at, "previous" if not at.button(key="curate.previous").disabled else "next")


def test_next_and_previous_walk_and_a_link_opens_its_entry(four: list[Entry]) -> None:
    at = page(id=four[2].uid)
    assert "mat 2" in html(at) and address(at) == {"id": four[2].uid}
    press(at, "next")
    assert address(at) == {"id": four[3].uid} and at.button(key="curate.next").disabled
    press(at, "previous")
    assert address(at) == {"id": four[2].uid}
    at = page(id="0123456789abcdef")
    assert address(at) == {"id": four[0].uid} and not at.exception


def test_without_a_label_before_accept_asks_for_one() -> None:
    open_store().add([made(1, None)])
    at = page()
    assert at.button(key="curate.judge.A").disabled and "1, 2 or 3" in at.button(key="curate.judge.A").help
    judge(at, "2")
    assert (open_store().entries()[0].verdict, open_store().entries()[0].gold_after) == (Verdict.KEEP, N)


def test_a_second_reader_is_blind_until_judging_and_then_sees_the_agreement(four: list[Entry]) -> None:
    at = judge(page(), "A")
    rename(at, "bob")
    at = press(at, "previous")
    assert address(at) == {"id": four[0].uid} and "0 of 4" in at.get("progress")[0].proto.text
    told = said(at) + html(at)
    assert "Another reader has judged this" in told and "label kept" not in html(at) and "opinion" not in html(at)
    judge(at, "1")
    assert "ada says: ✓ label kept: contradiction" in said(at)
    press(at, "previous")
    assert "label kept: contradiction" in html(at) and "relabelled: entailment" in html(at)
    assert open_store().get(four[0].uid).agreement is False and open_store().get(four[0].uid).gold_after is C, "its owner's verdict counts"
    at = page(view="table")
    assert "1 of them have two readers or more, who agree on 0 (0 %)" in said(at)


def test_a_note_goes_with_the_verdict_and_is_empty_at_the_next_entry(four: list[Entry]) -> None:
    at = page()
    at.text_input(key=f"curate.f.opinion.{four[0].uid}").set_value("the verb is gone").run()
    judge(at, "U")
    assert open_store().get(four[0].uid).opinions[0].note == "the verb is gone"
    assert at.text_input(key=f"curate.f.opinion.{four[1].uid}").value == ""


def fields(at: AppTest, entry: Entry, **values: object) -> AppTest:
    """Type into the form of an entry, and save."""
    for name, value in values.items():
        widget = at.multiselect if name == "tags" else at.text_area
        widget(key=f"curate.f.{name}.{entry.uid}.{len(entry.history)}").set_value(value)
    next(b for b in at.button if b.label == "Save").click().run()
    assert not at.exception
    return at


def test_editing_the_text_asks_the_models_anew_and_forgets_the_verdict(four: list[Entry]) -> None:
    at = press(judge(page(), "A"), "previous")
    fields(at, open_store().get(four[0].uid), hypothesis="A cat rests.", note="by hand now", tags=["odd"])
    assert "Saved." in said(at)
    (changed,) = open_store().entries(Query(text="rests"))
    assert (
        address(at) == {"id": changed.uid}
        and changed.verdict is Verdict.PENDING
        and changed.tags == ("odd",)
        and changed.note == "by hand now"
    )
    assert [s.model for s in changed.said] == ["tiny-baseline"] and changed.said[0].fingerprint != "old"
    fields(at, changed, hypothesis=" ")
    assert "the hypothesis is empty" in said(at) and open_store().get(changed.uid) == changed


def test_after_an_undo_the_fields_show_what_the_entry_holds(four: list[Entry]) -> None:
    at = fields(page(), four[0], note="first thought")
    press(at, "undo")
    entry = open_store().get(four[0].uid)
    assert entry.note == "" and at.text_area(key=f"curate.f.note.{entry.uid}.{len(entry.history)}").value == ""


def test_only_the_owner_edits(four: list[Entry]) -> None:
    at = rename(page(), "bob")
    assert "Only its author may change" in said(at) and not [b for b in at.button if b.label == "Save"]


def test_removing_hides_and_undo_brings_back(four: list[Entry]) -> None:
    at = press(page(), "remove")
    assert open_store().count() == 3 and "Undo brings it back" in said(at)
    press(at, "undo")
    assert open_store().count() == 4


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({"tag": "odd"}, 2), ({"flip": "tiny-baseline"}, 2), ({"author": "ada"}, 4), ({"author": "bob"}, 0), ({"q": "mat 3"}, 1), ({"recipe": "by hand"}, 4),
        ({"verdict": "pending", "tag": "odd", "q": "mat 1"}, 1), ({"slice": "negation"}, 0), ({"mine": "todo"}, 4), ({"mine": "done"}, 0),
    ],
)  # fmt: skip
def test_filters_come_from_the_address_and_each_can_be_removed(four: list[Entry], query: dict[str, str], left: int) -> None:
    at = page(view="table", **query)
    assert not at.exception and f"**{left}** of 4 entries" in said(at)
    assert address(at) == {"view": "table"} | query
    press(at, f"x.{next(iter(query))}")
    assert next(iter(query)) not in address(at)
    assert ("No entry fits" in said(page(**query))) == (left == 0)


def test_a_filter_by_slice_reads_the_edited_pair() -> None:
    original = Pair("A potter is asleep.", "A potter sleeps.")
    edited = Pair("A man is not asleep.", "A potter sleeps.")
    open_store().add([made(1), Entry(entry_uid(original, edited, E), original, edited, E, author="ada")])
    assert "**1** of 2 entries" in said(page(slice="negation"))


def test_judging_under_a_filter_that_judging_empties_goes_through_all(four: list[Entry]) -> None:
    at = page(verdict="pending")
    for n in range(4):
        assert address(at)["id"] == four[n].uid and f"{n} of 4" in at.get("progress")[0].proto.text
        judge(at, "U")
    assert "No entry fits" in said(at)
    at = page(mine="todo")
    assert "You have judged every entry" in said(at)


def rows(at: AppTest) -> list[str]:
    return list(at.dataframe[0].value["edited hypothesis"])


def test_the_table_shows_what_fits_and_acts_on_all_of_it(four: list[Entry]) -> None:
    at = page(view="table", tag="odd")
    assert rows(at) == ["A cat [MASK] 3.", "A cat [MASK] 1."], "the newest first"
    press(at, "bulk.keep")
    assert {e.verdict for e in open_store().entries(Query(tags=("odd",)))} == {Verdict.KEEP} and "2 judged" in said(at)
    at.text_input(key="curate.f.bulk.tags.").set_value("Set A").run()
    press(at, "bulk.tag")
    assert open_store().facets().tags == {"odd": 2, "set a": 2}
    press(at, "bulk.untag")
    at.selectbox(key="curate.f.bulk.label.").set_value("neutral").run()
    press(at, "bulk.relabel")
    assert {e.gold_after for e in open_store().entries(Query(tags=("odd",)))} == {N}
    press(at, "bulk.remove")
    assert open_store().count() == 2
    for _ in range(5):
        press(at, "undo")
    assert (
        open_store().count() == 4 and open_store().facets().verdicts == {Verdict.PENDING: 4} and "set a" not in open_store().facets().tags
    )


def test_bulk_actions_say_what_cannot_be_done(four: list[Entry]) -> None:
    at = page(view="table")
    press(at, "bulk.tag")
    assert "no tag was typed" in said(at)
    at.selectbox(key="curate.f.bulk.label.").set_value("contradiction").run()
    press(at, "bulk.relabel")
    assert "relabel needs a label other than the one before" in said(at) and open_store().facets().verdicts == {Verdict.PENDING: 4}


def test_chosen_rows_are_acted_on_alone_and_reviewed(four: list[Entry]) -> None:
    at = page(view="table", sort="oldest")
    at.session_state["curate.c.table.1"] = {"selection": {"rows": [1, 2], "columns": [], "cells": []}}
    at.run()
    press(at, "bulk.unsure")
    assert [e.verdict for e in open_store().entries(Query(order="oldest"))] == [
        Verdict.PENDING,
        Verdict.UNSURE,
        Verdict.UNSURE,
        Verdict.PENDING,
    ]


def test_the_table_hides_verdicts_from_a_second_reader(four: list[Entry]) -> None:
    open_store().judge([four[0].uid], "ada", Verdict.KEEP)
    at = page(view="table")
    assert list(at.dataframe[0].value["outcome"])[-1] == "✓ label kept: contradiction"
    rename(at, "bob")
    assert list(at.dataframe[0].value["outcome"])[-1] == "hidden until you judge"


def test_pages_of_the_table_come_from_the_address() -> None:
    open_store().add([made(n) for n in range(60)])
    at = page(view="table", size="25", page="3", sort="oldest")
    assert rows(at)[0] == "A cat [MASK] 50." and len(rows(at)) == 10 and "Entries 51 to 60 of 60" in said(at)
    assert len(rows(page(view="table", size="25", page="999", sort="oldest"))) == 10, "a page beyond the end is the last"


def test_export_counts_what_goes_out_and_refuses_before_anything_is_confirmed(four: list[Entry]) -> None:
    at = page(view="export")
    assert [m.value for m in at.metric] == ["0", "0", "4"] and at.get("download_button")[0].proto.disabled
    open_store().judge([four[0].uid, four[1].uid], "ada", Verdict.KEEP)
    open_store().judge([four[2].uid], "ada", Verdict.UNSURE)
    at.run()
    assert [m.value for m in at.metric] == ["2", "1", "1"] and "Download 3 examples" in at.get("download_button")[0].proto.label
    data = give._written([e.uid for e in four], "zip", exchange.About(), False).read()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert json.loads(archive.read("manifest.json"))["counts"]["splits"] == {"train": 2, "unsure": 1}


def upload(at: AppTest, name: str, data: bytes) -> AppTest:
    return at.file_uploader[0].upload(name, data, "application/octet-stream").run()


def test_what_was_exported_is_imported_elsewhere(four: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store()
    store.judge([four[0].uid], "ada", Verdict.KEEP, note="sure")
    store.judge([four[0].uid], "bob", Verdict.UNSURE)
    exported = give._written([e.uid for e in four], "zip", exchange.About(), False).read()
    before = store.get(four[0].uid)
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "elsewhere"))
    at = upload(page(view="import"), "mine.zip", exported)
    assert not at.exception and "1 example from 1 row" in said(at)
    press(at, "import")
    assert "imported" in said(at) and address(at)["view"] == "table"
    after = open_store().get(four[0].uid)
    assert (after.opinions, after.said, after.history) == (before.opinions, before.said, before.history)


def test_plain_pairs_need_their_columns_named_and_one_bad_row_keeps_all_out() -> None:
    data = b"text one,text two,gold\nA ferret runs.,A ferret moves.,entailment\nA ferret runs.,,neutral\nA ferret runs.,A ferret sleeps.,contradiction\n"
    at = upload(page(view="import"), "pairs.csv", data)
    assert "no column is known to hold the premise and the hypothesis" in said(at) and not [
        b for b in at.button if b.key == "curate.import"
    ]
    at.selectbox(key="curate.f.map.premise.3").set_value("text one").run()
    at.selectbox(key="curate.f.map.hypothesis.3").set_value("text two").run()
    assert "1 of 3 rows cannot be used" in said(at) and at.button(key="curate.import").disabled
    assert list(at.dataframe[-1].value["row"]) == [2]
    at.toggle(key="curate.f.skip.").set_value(True).run()
    press(at, "import")
    kept = open_store().entries(Query(order="oldest"))
    assert [(e.edited.hypothesis, e.gold_before, e.author) for e in kept] == [("A ferret moves.", E, "ada"), ("A ferret sleeps.", C, "ada")]


@pytest.mark.parametrize(
    ("name", "data"), [("a.zip", b"PK\x03\x04 no zip"), ("a.jsonl", b"\xff\xfe\x00"), ("a.parquet", b"none"), ("../../a.csv", b"")]
)
def test_a_broken_file_is_told_in_a_sentence(name: str, data: bytes) -> None:
    at = upload(page(view="import"), name, data)
    assert not at.exception and at.error


def test_replay_tells_what_no_longer_flips(four: list[Entry]) -> None:
    at = page(view="replay")
    press(at, "replay")
    told = said(at)
    assert "of 2 no longer flip tiny-baseline" in told and "its checkpoint is another one" in told
    assert "was not asked about 4 before" in told, "the second model"
    shown = at.dataframe[0].value
    assert set(shown["now"]) <= {"no longer flips", "newly flips", "flips", "holds"} and len(shown) == 4


def test_a_read_only_server_shows_and_writes_nothing(four: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    at = page()
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    press(at, "judge.A")  # a button of a page that was drawn before
    assert "read-only" in said(at) and open_store().get(four[0].uid).verdict is Verdict.PENDING
    at = page()
    assert all(at.button(key=f"curate.judge.{key}").disabled for key in "A123UX") and at.button(key="curate.undo").disabled
    assert not [b for b in at.button if b.label in ("Save", "Remove this entry")]
    assert page(view="import").file_uploader[0].disabled
    assert not page(view="table").exception and not page(view="export").exception


def test_hostile_text_stays_text() -> None:
    evil = "<img src=x onerror=alert(1)> **b** :red[x]"
    original, edited = Pair(evil, "a"), Pair(evil, "b " + evil)
    open_store().add([Entry(entry_uid(original, edited, E), original, edited, E, evil, author="ada", tags=(evil,), note=evil)])
    for view in ("review", "table", "export", "replay"):
        at = page(view=view)
        assert not at.exception and "<img" not in html(at)
        assert not [b.label for b in at.button if "**" in b.label]


def test_the_page_reads_only_the_entries_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    open_store().add([made(n) for n in range(300)])
    read: list[int] = []
    get, entries = Store.get, Store.entries
    monkeypatch.setattr(Store, "get", lambda self, uid: read.append(1) or get(self, uid))
    monkeypatch.setattr(Store, "entries", lambda self, query: read.append(len(entries(self, query))) or entries(self, query))
    press(page(), "next")
    assert read == [1, 1], "the queue reads the entry at hand, however many there are"
    read.clear()
    page(view="table")
    assert read == [50]
