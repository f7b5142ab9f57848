"""The pure parts of Curate: differences, safe HTML, filters as text, what an import may claim, the Flip lab's address of an entry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli.curated import Change, Entry, Opinion, Said, Verdict, changed_words, entry_uid
from robustnli.examples import READY, STARTERS
from robustnli.types import Label, Pair, Prediction
from robustnli.ui.curate import card, filters
from robustnli.ui.curate.bring import adopted
from robustnli.ui.curate.filters import MINE, Filters
from robustnli.ui.curate.review import hidden_from, lab_query
from robustnli.ui.people import Person

E, N, C = Label
WORDS = st.lists(st.sampled_from(["a", "cat", "not", "[MASK]", "sits", ",", "isn't", "."]), max_size=12).map(" ".join)


def entry(original: Pair, edited: Pair, gold: Label | None = E, **more: object) -> Entry:
    return replace(Entry(entry_uid(original, edited, gold), original, edited, gold), **more)  # type: ignore[arg-type]


def without(text: str, spans: list[tuple[int, int]]) -> list[str]:
    for start, end in reversed(spans):
        text = f"{text[:start]} {text[end:]}"
    return card._TOKEN.findall(text)


@given(WORDS, WORDS)
def test_what_is_not_marked_is_the_same_in_both_texts(before: str, after: str) -> None:
    gone, come = card.difference(before, after)
    assert without(before, gone) == without(after, come)
    assert (gone == come == []) == (before == after) or card._TOKEN.findall(before) == card._TOKEN.findall(after)


def test_only_the_changed_word_is_marked_and_a_mask_is_one_word() -> None:
    before, after = "The man performs music.", "The [MASK] performs music."
    gone, come = card.difference(before, after)
    assert [before[a:b] for a, b in gone] == ["man"] and [after[a:b] for a, b in come] == ["[MASK]"]


def test_a_very_long_pair_is_marked_whole_instead_of_being_compared_for_minutes() -> None:
    before, after = "cat " * 3000, "dog " * 3000
    assert card.difference(before, after) == ([(0, len(before))], [(0, len(after))])


@given(st.text(max_size=40))
def test_no_text_reaches_the_page_as_markup(text: str) -> None:
    evil = f"<img src=x onerror=alert(1)>{text}"
    said = (Said(evil, evil, Prediction((0.9, 0.05, 0.05)), Prediction((0.1, 0.8, 0.1))),)
    e = entry(Pair(evil, "b"), Pair(evil + " c", evil), recipe=evil, note=evil, tags=(evil,), author=evil, created=evil, said=said)
    drawn = (
        card.facts_html(e) + card.pair_html(e) + card.models_html(e.said) + card.note_html(e.note)
        + card.opinions_html([Opinion(evil, Verdict.KEEP, E, evil, evil)]) + card.history_html([Change(evil, evil, evil, evil, evil)])
    )  # fmt: skip
    assert "<img" not in drawn and "&lt;img src=x onerror=alert(1)&gt;" in drawn


def test_a_flip_is_told_in_words_beside_its_colour() -> None:
    flip = Said("m", "f", Prediction((0.9, 0.05, 0.05)), Prediction((0.1, 0.8, 0.1)))
    held = replace(flip, after=flip.before)
    assert "FLIP" in card.models_html([flip]) and "FLIP" not in card.models_html([held]) and "held" in card.models_html([held])


VALUES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), unique=True, max_size=4)


@given(VALUES)
def test_values_of_the_address_are_read_as_they_were_written(values: list[str]) -> None:
    assert list(filters.split(filters.join(values))) == values


@given(
    st.lists(st.sampled_from([v.value for v in Verdict]), unique=True), VALUES, VALUES, st.sampled_from(["", "negation", "long"]),
    st.text(max_size=10), st.sampled_from(["", *MINE]),
)  # fmt: skip
def test_filters_survive_the_address(verdicts: list[str], tags: list[str], authors: list[str], part: str, q: str, mine: str) -> None:
    asked = Filters(verdict=tuple(verdicts), tag=tuple(tags), author=tuple(authors), slice=part, q=q, mine=mine)
    assert Filters.parse(asked.address()) == asked
    assert set(asked.told()) == set(asked.address())


def test_nonsense_in_an_address_asks_for_nothing_and_a_filter_is_taken_off_alone() -> None:
    assert Filters.parse({"verdict": "keep~<b>", "slice": "nope", "mine": "x", "view": "table"}) == Filters(verdict=("keep",))
    assert Filters(verdict=("keep",), q="x").without("q") == Filters(verdict=("keep",))
    query = Filters(mine="todo", verdict=("unsure",), flip=("baseline",)).query("ada")
    assert query.not_judged_by == "ada" and query.judged_by == "" and query.verdicts == (Verdict.UNSURE,) and query.flipped == ("baseline",)


def test_anothers_verdict_is_hidden_from_a_reader_who_has_not_judged_and_from_nobody_else() -> None:
    e = entry(Pair("a", "b"), Pair("a", "c"), author="ada", opinions=(Opinion("ada", Verdict.KEEP, E),))
    assert hidden_from(Person("bob", "single user"), e) == list(e.opinions)
    both = replace(e, opinions=(*e.opinions, Opinion("bob", Verdict.UNSURE)))
    assert hidden_from(Person("bob", "single user"), both) == []
    assert hidden_from(Person("ada", "signed in"), e) == []
    assert hidden_from(Person("", "visitor", "Sign in."), e) == [], "who cannot judge has nothing to be biased in"


def test_with_sign_in_an_import_cannot_speak_for_others() -> None:
    e = entry(
        Pair("a", "b"), Pair("a", "c"), author="ada@x", history=(Change("t", "ada@x", "note", "", "n"),),
        opinions=(Opinion("ada@x", Verdict.KEEP, E), Opinion("bob@x", Verdict.UNSURE)),
    )  # fmt: skip
    mine = adopted(e, Person("bob@x", "signed in"))
    assert mine.author == "bob@x" and [o.author for o in mine.opinions] == ["ada@x (imported)", "bob@x"]
    assert mine.history[0].author == "ada@x (imported)"
    assert adopted(mine, Person("eve@x", "signed in")).opinions[0].author == "ada@x (imported)", "marked once"
    assert adopted(e, Person("me", "single user")) == e, "alone, a backup comes back as it was"


def test_the_flip_lab_gets_the_original_with_its_masks_or_the_edited_pair() -> None:
    original = Pair("A cat is sitting.", "A cat is swimming.")
    masked = Pair("A cat is sitting.", "A cat is [MASK].")
    query = lab_query(entry(original, masked, C, changed=changed_words(original, masked)))
    assert query == {"p": "A cat is sitting.", "h": "A cat is swimming.", "m": "h4", "gold": "contradiction"}
    by_hand = Pair("A cat is sitting.", "A cat is resting.")
    judged = entry(original, by_hand, C, opinions=(Opinion("me", Verdict.RELABEL, E),))
    assert lab_query(judged) == {"p": "A cat is sitting.", "h": "A cat is resting.", "gold": "entailment"}


@pytest.mark.parametrize("starter", STARTERS, ids=lambda s: s.tags[0])
def test_each_ready_edit_changes_its_pair(starter: object) -> None:
    ready = READY[starter.of].pair  # type: ignore[attr-defined]
    edited = starter.edited  # type: ignore[attr-defined]
    assert edited != ready and edited.premise.strip() and edited.hypothesis.strip()
    changed = changed_words(ready, edited)
    assert bool(changed) or len(edited.premise + edited.hypothesis) > len(ready.premise + ready.hypothesis)
    assert len({s.edited for s in STARTERS}) == len(STARTERS)
