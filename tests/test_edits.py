"""Rule-made edits: which sentences a rule fits, which gold label follows, by examples thought through by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli.attack import find, find_many
from robustnli.attack.clauses import hedged, negated, read, tokens
from robustnli.attack.edits import longer
from robustnli.models import NLIModel, load
from robustnli.slices import AMBIGUITY_WIDE, NEGATION_WIDE, has_cue
from robustnli.types import Label, Pair, Status, example

E, N, C = Label

# hypothesis -> (negated, gold of an entailment, gold of a neutral); None: a person has to say
NEGATED = {
    "The potter is asleep.": ("The potter is not asleep.", C, N),
    "Rosa was in a garden.": ("Rosa was not in a garden.", C, N),
    "He can swim.": ("He cannot swim.", C, None),
    "It is thundering": ("It is not thundering", C, N),
    "There is a heron.": ("There is not a heron.", C, N),
    "Her brother has been ill.": ("Her brother has not been ill.", C, None),
    "That clock is slow.": ("That clock is not slow.", C, N),
    # half of them may be asleep: both sentences false
    "The herons are asleep.": ("The herons are not asleep.", C, None),
    "The man is holding the apples.": ("The man is not holding the apples.", C, None),
    # of another man both may be true
    "A potter is asleep.": ("A potter is not asleep.", None, None),
    "Dogs are barking.": ("Dogs are not barking.", None, None),
    "Someone is yodelling.": ("Someone is not yodelling.", None, None),
    "Two girls are running.": ("Two girls are not running.", None, None),
    "All of the boys are tall.": ("All of the boys are not tall.", None, None),
    "One of the boys is tall.": ("One of the boys is not tall.", None, None),
    # "some" stays outside of the negation
    "The man is holding some bags.": ("The man is not holding some bags.", None, None),
    "The man is still asleep.": ("The man is not still asleep.", None, None),
}
UNFIT = [
    "The man sleeps.", "The man is not asleep.", "Nobody is asleep.", "The man may be asleep, and is.", "Is the man asleep?", "The man who is tall is asleep.",
    "The man is asleep and the ferret is awake.", "The man is asleep because it is late.", "A man.", "", "is", "The man might be asleep.", "The man isn't asleep.",
    "The potter is asleep. The ferret is awake.", "The man has a dog.",
]  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tiny_baseline: Path) -> NLIModel:
    return load(str(tiny_baseline))


@pytest.mark.parametrize("text", NEGATED)
def test_negation_and_what_follows(tiny: NLIModel, text: str) -> None:
    new, of_entailed, of_neutral = NEGATED[text]
    for label, gold in ((E, of_entailed), (N, of_neutral), (C, None)):
        got = find(tiny, example("It is late.", text, label), "negate")
        assert (got.pair, got.gold) == (Pair("It is late.", new), gold)
        assert [w.of(got.example.pair) for w in got.words] == (["can"] if "cannot" in new else [])
        right = got.before.label == label
        wanted = label if gold is None else gold
        assert got.status is (Status.SKIPPED if not right else Status.HELD if got.after.label == wanted else Status.BROKEN)
        assert ("by rule" in got.note) == (gold is not None) and ("needs a person" in got.note) == (gold is None)


@pytest.mark.parametrize("text", UNFIT)
def test_what_is_no_simple_clause_is_left_alone(tiny: NLIModel, text: str) -> None:
    assert negated(text) is None
    got = find(tiny, example("It is late.", text, E), "negate")
    assert got.pair.hypothesis == text and got.tried == 1 and got.gold is None and "unchanged" in got.note
    assert got.status is (Status.HELD if got.before.label == E else Status.SKIPPED)


def test_an_entailment_by_rule_is_judged_by_the_new_label(tiny: NLIModel) -> None:
    """The status asks for contradiction, so a model that does not see the "not" is broken, though its answer is the old label."""
    items = [
        example(f"The {who} is {what} in a kitchen.", f"The {who} is {what}.", E)
        for who in ("man", "dog", "girl")
        for what in ("sleeping", "eating")
    ]
    got = [a for a in find_many(tiny, items, "negate") if a.status is not Status.SKIPPED]
    assert got and all((a.status is Status.BROKEN) == (a.after.label != C) for a in got)


def test_hedges() -> None:
    assert {hedged("The potter is asleep.", i) for i in range(3)} == {
        "Possibly the potter is asleep.", "The potter might be asleep.", "The potter may be asleep.",
    }  # fmt: skip
    assert {hedged("Few men are asleep.", i) for i in range(3)} == {"Possibly few men are asleep."}, "few might does not follow"
    assert {hedged("Rosa was late.", i) for i in range(3)} == {"Possibly Rosa was late."}
    assert hedged("Nobody is asleep.", 1) == "Possibly nobody is asleep." and hedged("I sang.", 0) == "Possibly I sang."
    assert all(hedged(text, 0) is None for text in ("Maybe he is late.", "He could be late.", "Is he late?", "..."))


def test_only_an_entailment_stays_by_rule_when_hedged(tiny: NLIModel) -> None:
    items = [example("A potter is eating an apple.", "A potter is eating.", label) for label in Label]
    got = list(find_many(tiny, items, "hedge"))
    assert [a.gold for a in got] == [E, None, None] and all(a.words == () and a.pair.premise == a.example.pair.premise for a in got)
    wordings = {find(tiny, items[0], "hedge", seed=seed).pair.hypothesis for seed in range(20)}
    assert len(wordings) == 3


def test_the_facts_can_stand_beside_anything() -> None:
    facts = read()["facts"]
    counted = {"no", "all", "every", "some", "two", "one", "only", "people", "person", "man", "woman"}
    for fact in facts:
        assert fact.endswith(".") and 3 <= len(fact.split()) < 13 and not set(tokens(fact)) & counted
        assert not has_cue(fact, NEGATION_WIDE.cues) and not has_cue(fact, AMBIGUITY_WIDE.cues)
    assert len(set(facts)) == len(facts) > 15


def test_lengthening_keeps_the_label_and_shares_no_word(tiny: NLIModel) -> None:
    items = [
        example("A dog runs along a street of gold", "A dog is moving.", E),
        example("The moon is full.", "Nobody sleeps in Iceland.", N),
    ]
    structure, facts = read()["structure"], read()["facts"]
    for seed in range(12):
        for a in find_many(tiny, items, "lengthen", k=3, seed=seed):
            assert a.gold == a.example.label and a.words == () and a.pair.hypothesis == a.example.pair.hypothesis
            added = a.pair.premise.removeprefix(a.example.pair.premise).removeprefix(".").strip()
            used = [f for f in facts if f in added]
            assert 1 <= len(used) <= 3 and len(" ".join(used)) == len(added) and a.tried == 1 + len(used)
            pair = {*tokens(a.example.pair.premise), *tokens(a.example.pair.hypothesis)} - structure
            assert not pair & set(tokens(added))
            if a.status is Status.HELD:
                assert len(used) == 3
    alone = [a.pair for a in (find(tiny, i, "lengthen", seed=4) for i in items)]
    assert [a.pair for a in find_many(tiny, items[::-1], "lengthen", seed=4)] == alone[::-1], "its place in the list decides nothing"


def test_what_the_model_cannot_read_is_not_added(tiny: NLIModel) -> None:
    long = example(" ".join(["A potter is eating."] * 200), "A potter is moving.", E)
    got = find(tiny, long, "lengthen", k=2)
    assert got.pair == long.pair and got.tried == 1 and "longer than the model reads" in got.note
    assert (
        longer(Pair("It rains", "h"), ["X is so."]).premise == "It rains. X is so."
        and longer(Pair("", "h"), ["X is so."]).premise == "X is so."
    )


@given(st.text(max_size=60))
def test_any_text_is_edited_or_left(text: str) -> None:
    made, soft = negated(text), hedged(text, 1)
    assert made is None or len(made.text) > len(text)
    assert soft is None or len(soft) > len(text)
