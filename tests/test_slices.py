"""Slices: whole words, both apostrophes, the paper's length rule; sentences are ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli.errors import InputError
from robustnli.slices import AMBIGUITY, AMBIGUITY_WIDE, BY_LABEL, LONG, NEGATION, NEGATION_WIDE, STANDARD, Slice, find_cues
from robustnli.types import Label, example


def row(premise: str = "A man sits.", hypothesis: str = "A man sits.", label: Label = Label.NEUTRAL):
    return example(premise, hypothesis, label)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Another nose in the snow, a knot, a note.", False),
        ("The child is not asleep.", True),
        ("NO entry.", True),
        ("She didn't go.", True),
        ("She didn\u2019t go.", True),
        ("n't", False),
        ("They cannot swim.", True),
        ("Nobody swims.", False),
    ],
)
def test_negation_is_a_whole_word(text: str, holds: bool) -> None:
    assert NEGATION.holds(row(hypothesis=text)) is holds
    assert NEGATION.holds(row(premise=text)) is holds


def test_wide_lists_hold_what_the_papers_hold_and_more() -> None:
    assert NEGATION_WIDE.holds(row(hypothesis="No  one left without a coat.")) and NEGATION_WIDE.holds(row(hypothesis="He is not here."))
    assert AMBIGUITY_WIDE.holds(row("It might rain.")) and not AMBIGUITY.holds(row("It might rain."))
    assert set(NEGATION.cues) < set(NEGATION_WIDE.cues) and set(AMBIGUITY.cues) < set(AMBIGUITY_WIDE.cues)


def test_long_is_over_twenty_words_in_either_sentence() -> None:
    twenty = " ".join(["word"] * 20)
    assert not LONG.holds(row(twenty)) and LONG.holds(row(twenty + " more")) and LONG.holds(row(hypothesis=twenty + " more"))


def test_spans_are_the_cues() -> None:
    pair = row("No dogs.", "There isn't a dog, not one.").pair
    assert [pair.text(s)[a:b] for s, a, b in NEGATION.spans(pair)] == ["No", "n't", "not"]
    assert find_cues("no one, no", ("no", "no one")) == ((0, 6), (8, 10)), "the longer cue wins"


def test_one_side_only() -> None:
    only = Slice(name="x", about="", cues=("not",), where="hypothesis")
    assert not only.holds(row(premise="It is not so.")) and only.holds(row(hypothesis="It is not so."))


def test_labels_and_conditions_together() -> None:
    assert [s.holds(row()) for s in BY_LABEL] == [False, True, False]
    both = Slice(name="x", about="", cues=("not",), label=Label.NEUTRAL)
    assert both.holds(row("It is not so.")) and not both.holds(row("It is not so.", label=Label.ENTAILMENT))
    assert len({s.name for s in STANDARD}) == len(STANDARD)


@pytest.mark.parametrize("bad", [{"cues": ("",)}, {"cues": (" ",)}, {"longer_than": -1}])
def test_bad_slices_are_refused(bad) -> None:
    with pytest.raises(InputError, match="slice 'x'"):
        Slice(name="x", about="", **bad)


@given(st.text(max_size=60), st.text(min_size=1, max_size=8).filter(str.strip))
def test_any_text_and_any_cue_are_safe(text: str, cue: str) -> None:
    for start, end in find_cues(text, (cue,)):
        assert 0 <= start < end <= len(text)
    Slice(name="x", about="", cues=(cue,)).spans(row(text).pair)


@given(st.sampled_from(NEGATION_WIDE.cues), st.sampled_from([" ", ", ", ". ", "-"]))
def test_a_cue_between_other_words_is_found(cue: str, edge: str) -> None:
    text = f"was{cue} it" if cue == "n't" else f"it{edge}{cue}{edge}was"
    assert NEGATION_WIDE.holds(row(hypothesis=text))
