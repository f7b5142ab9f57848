"""Keep: from the Flip lab and from any page, under whose name, once only, and never on a read-only server."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from robustnli.checkpoints import find
from robustnli.store import open_store
from robustnli.types import Label, Pair, Word
from robustnli.ui.keep import Kept, clean_tags

ROOT = Path(__file__).resolve().parent.parent
PREMISE, HYPOTHESIS = "A cat is sitting.", "A cat is swimming."


@pytest.fixture(autouse=True)
def _home(only_tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("getpass.getuser", lambda: "ada")


def lab(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in ({"p": PREMISE, "h": HYPOTHESIS} | query).items():
        at.query_params[key] = value
    return at.run()


def said(at: AppTest) -> str:
    return " | ".join(str(e.value).replace("\\", "") for kind in (at.error, at.info, at.markdown, at.caption) for e in kind)


def test_the_flip_lab_keeps_what_is_on_the_page() -> None:
    at = lab(m="h4", gold="contradiction")
    at.text_area(key="keep.note.flip_lab").set_value(" the verb alone ").run()
    at.text_input(key="keep.tags.flip_lab").set_value("Verbs, for the talk,, verbs").run()
    assert at.button(key="keep.flip_lab").label == "Keep this flip"
    at.button(key="keep.flip_lab").click().run()
    assert not at.exception and "Kept." in said(at)
    (kept,) = open_store().entries()
    assert (kept.original, kept.edited) == (Pair(PREMISE, HYPOTHESIS), Pair(PREMISE, "A cat is [MASK] [MASK]."))
    assert (kept.gold_before, kept.recipe, kept.author) == (Label.CONTRADICTION, "mask by hand", "ada")
    assert kept.changed == (Word("hypothesis", 9, 17, 2),) and kept.tags == ("verbs", "for the talk") and kept.note == "the verb alone"
    prints = {f.name: f.checkpoint.fingerprint for f in find() if f.checkpoint}
    assert {s.model: s.fingerprint for s in kept.said} == {n: prints[n] for n in ("tiny-baseline", "tiny-finetuned")}
    assert any(s.flipped for s in kept.said) and kept.created.endswith("+00:00") and kept.gold_after is None
    at.button(key="keep.flip_lab").click().run()
    assert "Already kept." in said(at) and open_store().count() == 1


def test_what_is_told_belongs_to_the_pair_on_the_page_and_leads_to_curate() -> None:
    at = lab(m="h4")
    at.button(key="keep.flip_lab").click().run()
    at.button(key="keep.go.flip_lab")
    at.pills(key="pills").select("h2").run()
    assert "Kept." not in said(at), "another mask is another example"
    at.pills(key="pills").unselect("h2").run()
    at.button(key="keep.go.flip_lab").click().run()
    assert not at.exception and at.title[0].value == "Curate"
    assert dict(at.query_params)["id"] == open_store().entries()[0].uid


def test_an_unmasked_pair_is_kept_as_made_by_hand() -> None:
    at = lab()
    assert at.button(key="keep.flip_lab").label == "Keep this pair"
    at.button(key="keep.flip_lab").click().run()
    (kept,) = open_store().entries()
    assert kept.original == kept.edited and kept.recipe == "by hand" and kept.gold_before is None


def test_a_read_only_server_keeps_nothing_whatever_a_browser_sends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    at = lab(m="h4")
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    at.button(key="keep.flip_lab").click().run()  # the button of a page drawn before
    assert "read-only" in said(at) and not at.exception
    at = lab(m="h4")
    assert at.button(key="keep.flip_lab").disabled and "read-only" in at.button(key="keep.flip_lab").help
    assert not list((tmp_path / "home").glob("*.db")) or open_store().count() == 0


PAGE = """
from robustnli.curated import Entry, entry_uid
from robustnli.errors import DataError
from robustnli.types import Pair
from robustnli.ui import keep
a, b, c = Pair("a", "b"), Pair("a", "c"), Pair("a", "d")

def bad():
    raise DataError("row 3 holds nothing")

keep.keep_button(lambda: [Entry(entry_uid(a, e, None), a, e, None) for e in (b, c)], "Keep both", "both")
keep.keep_button([Entry(entry_uid(a, b, None), a, b, None)], "Keep one", "one")
keep.keep_button(bad, "Bad", "bad")
keep.keep_button([], "None", "none", disabled="Nothing broke.")
"""


def test_any_page_keeps_entries_given_or_asked_for_and_errors_are_sentences() -> None:
    at = AppTest.from_string(PAGE).run()
    at.button(key="keep.one").click().run()
    assert "Kept." in said(at)
    at.button(key="keep.both").click().run()
    assert "1 kept. 1 were there already." in said(at) and open_store().count() == 2
    at.button(key="keep.bad").click().run()
    assert "row 3 holds nothing" in said(at) and not at.exception
    assert at.button(key="keep.none").disabled and at.button(key="keep.none").help == "Nothing broke."


@pytest.mark.parametrize(
    ("new", "known", "told"),
    [
        (1, 0, "Kept."),
        (0, 1, "Already kept."),
        (3, 0, "3 kept."),
        (2, 1, "2 kept. 1 were there already."),
        (0, 2, "All 2 were kept already."),
    ],
)
def test_the_sentence(new: int, known: int, told: str) -> None:
    assert Kept(("u",) * new, ("v",) * known).told() == told


def test_tags_are_plain() -> None:
    assert clean_tags([" A\tb ", "a b", "", "x,y", "Z" * 99]) == ("a b", "x y", "z" * 40)
