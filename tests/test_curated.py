"""Curated examples as values: what makes two the same, which opinion counts, what goes into training."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli.curated import Entry, Opinion, Verdict, changed_words, entry_uid, opinion_on
from robustnli.errors import InputError
from robustnli.types import Label, Pair
from tests.entries import entry

E, N, C = Label
WALK = Pair("A nurse walks home.", "She is outdoors.")


def bare(gold: Label | None = N) -> Entry:
    return entry(1, Verdict.PENDING, gold=gold)


def test_each_part_of_the_content_makes_another_uid() -> None:
    edited = Pair("A nurse runs home.", "She is outdoors.")
    uids = {
        entry_uid(WALK, edited, E), entry_uid(WALK, edited, N), entry_uid(WALK, edited, None), entry_uid(edited, WALK, E),
        entry_uid(WALK, Pair(edited.premise, "She is out."), E), entry_uid(Pair("A nurse strolls home.", WALK.hypothesis), edited, E),
    }  # fmt: skip
    assert len(uids) == 6 and all(len(uid) == 16 and int(uid, 16) >= 0 for uid in uids)
    assert entry_uid(WALK, Pair("\ud800", "b"), E) != entry_uid(WALK, Pair("\ud801", "b"), E)


def test_the_owners_opinion_counts_before_a_newer_one_of_another() -> None:
    own, other = Opinion("ann", Verdict.KEEP, N), Opinion("bob", Verdict.RELABEL, C)
    assert replace(bare(), opinions=(own, other)).gold_after == N
    assert replace(bare(), opinions=(other,)).gold_after == C
    assert replace(bare(), opinions=(other, Opinion("cy", Verdict.UNSURE))).verdict is Verdict.UNSURE
    assert bare().verdict is Verdict.PENDING and bare().opinion is None


@pytest.mark.parametrize(
    ("verdict", "label", "after", "split"),
    [
        (Verdict.PENDING, None, None, None),
        (Verdict.KEEP, None, N, "train"),
        (Verdict.RELABEL, C, C, "train"),
        (Verdict.UNSURE, None, None, "unsure"),
        (Verdict.REJECT, None, None, None),
    ],
)
def test_only_a_confirmed_label_is_for_training(verdict: Verdict, label: Label | None, after: Label | None, split: str | None) -> None:
    judged = replace(bare(), opinions=(opinion_on(bare(), "ann", verdict, label),))
    assert (judged.verdict, judged.gold_after, judged.split) == (verdict, after, split)


def test_agreement_needs_two() -> None:
    keep = Opinion("ann", Verdict.KEEP, N)
    assert replace(bare(), opinions=(keep,)).agreement is None
    assert replace(bare(), opinions=(keep, replace(keep, author="bob", note="sure"))).agreement is True
    assert replace(bare(), opinions=(keep, Opinion("bob", Verdict.RELABEL, C))).agreement is False
    assert replace(bare(), opinions=(Opinion("ann", Verdict.RELABEL, E), Opinion("bob", Verdict.RELABEL, C))).agreement is False


@pytest.mark.parametrize(
    ("gold", "verdict", "label"),
    [(N, Verdict.KEEP, C), (None, Verdict.KEEP, None), (N, Verdict.RELABEL, None), (N, Verdict.RELABEL, N), (None, Verdict.RELABEL, None)],
)
def test_a_verdict_and_a_label_that_do_not_go_together(gold: Label | None, verdict: Verdict, label: Label | None) -> None:
    with pytest.raises(InputError, match="Choose"):
        opinion_on(bare(gold), "ann", verdict, label)


def test_a_label_where_there_was_none() -> None:
    assert opinion_on(bare(None), "ann", Verdict.KEEP, E).label == E
    assert opinion_on(bare(None), "ann", Verdict.RELABEL, C).label == C
    assert opinion_on(bare(), "ann", Verdict.UNSURE, C).label is None


@pytest.mark.parametrize(
    ("premise", "hypothesis", "words"),
    [
        ("A nurse walks home.", "She is outdoors.", []),
        ("A nurse runs home.", "She is upstairs.", ["walks", "outdoors"]),
        ("A [MASK] walks home.", "She is outdoors.", ["nurse"]),
        ("A tired nurse walks home.", "She is outdoors!", []),
        ("A nurse home.", "", ["walks", "She", "is", "outdoors"]),
    ],
)
def test_changed_words(premise: str, hypothesis: str, words: list[str]) -> None:
    assert [word.of(WALK) for word in changed_words(WALK, Pair(premise, hypothesis))] == words


@given(st.text(max_size=40), st.text(max_size=40))
def test_changed_words_are_words_of_the_original(old: str, new: str) -> None:
    pair = Pair(old, old)
    assert changed_words(pair, pair) == ()
    for word in changed_words(pair, Pair(new, old)):
        assert word.segment == "premise" and word.of(pair) == old[word.start : word.end] != ""
