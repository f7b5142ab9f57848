"""Slices: whole words, both apostrophes, the paper's length rule; sentences are ours."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robustnli.errors import InputError
from robustnli.slicefile import from_query, parse_slices, read_slices, to_query, to_toml
from robustnli.slices import (
    AMBIGUITY,
    AMBIGUITY_WIDE,
    BY_LABEL,
    LONG,
    NEGATION,
    NEGATION_WIDE,
    STANDARD,
    Slice,
    find_cues,
    has_cue,
    holds,
    in_words,
    over_matched,
    overlap,
    substrings,
)
from robustnli.types import Label, example


def row(premise: str = "A potter sits.", hypothesis: str = "A potter sits.", label: Label = Label.NEUTRAL):
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
    assert NEGATION_WIDE.holds(row(hypothesis="No  one left without a coat.")) and NEGATION_WIDE.holds(
        row(hypothesis="He is not upstairs.")
    )
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


BAD = [
    {"cues": ("",)},
    {"cues": (" ",)},
    {"cues": ("a" * 81,)},
    {"cues": ("a",) * 201},
    {"longer_than": -1},
    {"longer_than": 10_001},
    {"cues": ("ok", "\ud800")},
    {"pattern": "\udfff"},
    {"shorter_than": -1},
    {"longer_than": 5, "shorter_than": 6},
    {"overlap_at_least": 1.1},
    {"overlap_at_most": float("nan")},
    {"confidence_at_least": 0.9, "confidence_at_most": 0.1},
    {"confidence_of": "oldest"},
    {"where": "both"},
    {"pattern": "("},
    {"pattern": "a" * 501},
    {"pattern": "(?:" * 200 + "a" + ")*" * 200},
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_slices_are_refused(bad) -> None:
    with pytest.raises(InputError, match="slice 'x'") as told:
        Slice(name="x", about="", **bad)
    assert any(field in str(told.value) for field in bad), "the field is named"


@pytest.mark.parametrize("name", ["", " ", "n" * 81])
def test_a_name_is_needed(name: str) -> None:
    with pytest.raises(InputError, match="name"):
        Slice(name=name, about="")


@settings(deadline=None)
@given(st.text(max_size=60), st.text(min_size=1, max_size=8).filter(str.strip))
def test_any_text_and_any_cue_are_safe(text: str, cue: str) -> None:
    for start, end in find_cues(text, (cue,)):
        assert 0 <= start < end <= len(text)
    Slice(name="x", about="", cues=(cue,)).spans(row(text).pair)


@settings(deadline=None)
@given(st.sampled_from(NEGATION_WIDE.cues), st.sampled_from([" ", ", ", ". ", "-"]))
def test_a_cue_between_other_words_is_found(cue: str, edge: str) -> None:
    text = f"was{cue} it" if cue == "n't" else f"it{edge}{cue}{edge}was"
    assert NEGATION_WIDE.holds(row(hypothesis=text))


def part(**conditions) -> Slice:
    return Slice(name="mine", about="", **conditions)


def table(*rows: tuple[str | None, str | None], gold: int = 1) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["premise", "hypothesis"], dtype=object)
    return made.assign(gold=gold, **{"confidence.a": np.float32(0.9), "confidence.b": np.float32(0.5)})


def test_a_pattern_is_a_regular_expression_in_any_case() -> None:
    doubled = part(pattern=r"\b(\w+) \1\b", where="hypothesis")
    assert doubled.holds(row(hypothesis="He ran Ran.")) and not doubled.holds(row("He ran ran."))
    assert doubled.spans(row(hypothesis="He ran ran.").pair) == (("hypothesis", 3, 10),)
    assert part(pattern="x*").spans(row().pair) == (), "a match of nothing marks nothing"
    assert not part(pattern="(?-i:POTTER)").holds(row()) and part(pattern="POTTER").holds(row())


def test_a_slow_pattern_is_stopped_and_told() -> None:
    begun, slow = time.process_time(), part(pattern="(a|aa)+$")
    with pytest.raises(InputError, match=r"slice 'mine': pattern .* more than 2 s"):
        holds(table(*[("a" * 60 + "b", "b")] * 50), slow)
    with pytest.raises(InputError, match="more than 2 s"):
        slow.spans(row("a" * 60 + "b").pair)
    assert time.process_time() - begun < 10, "the time is for all rows together"


def test_the_band_of_lengths_is_that_of_one_sentence() -> None:
    five = part(longer_than=4, shorter_than=6)
    assert five.holds(row("one two three four five", "x")) and five.holds(row("x", "one two three four five"))
    assert not five.holds(row("one two three four five six", "one two three four"))
    assert part(shorter_than=1).holds(row("", "x")) and not part(shorter_than=1, where="hypothesis").holds(row("", "x"))


@pytest.mark.parametrize(
    ("premise", "hypothesis", "share"),
    [
        ("A potter sits.", "a POTTER, a potter!", 1.0),
        ("A potter sits.", "A dog sits here", 0.5),
        ("It isn't so", "isn't isn", 0.5),
        ("A man.", "...", None),
        ("", "man", 0.0),
    ],
)
def test_overlap(premise: str, hypothesis: str, share: float | None) -> None:
    assert overlap(premise, hypothesis) == share
    if share is None:
        assert not part(overlap_at_least=0.0).holds(row(premise, hypothesis))
    else:
        assert part(overlap_at_least=share, overlap_at_most=share).holds(row(premise, hypothesis))
        assert not part(overlap_at_least=min(1.0, share + 0.01)).holds(row(premise, hypothesis)) or share == 1


def test_confidence_is_that_of_the_model_asked_for() -> None:
    rows = table(("a", "b"), ("c", "d"))
    sure = part(confidence_at_least=0.9)
    assert holds(rows, sure, "a", "b").tolist() == [True, True], "float32's 0.9 is 0.9"
    assert holds(rows, sure, "b", "a").tolist() == [False, False]
    assert holds(rows, part(confidence_at_most=0.5, confidence_of="newer"), "a", "b").all()
    with pytest.raises(InputError, match="slice 'mine': confidence_of"):
        sure.holds(row())
    with pytest.raises(InputError, match="slice 'mine': confidence_of"):
        holds(rows, sure, "absent", "b")


def test_rows_without_text_fulfil_no_condition_on_text() -> None:
    rows = table((None, None), ("not", "x"))
    assert holds(rows, NEGATION).tolist() == [False, True]
    assert holds(rows, part(label=Label.NEUTRAL)).tolist() == [True, True]
    assert holds(table(), NEGATION).tolist() == [] and over_matched(rows, NEGATION).tolist() == [False, False]


def test_over_matched_are_what_substrings_add() -> None:
    rows = table(("Another man.", "x"), ("It is not so.", "snow"), ("A man.", "x"), ("A knot.", "in the snow"))
    assert over_matched(rows, NEGATION).tolist() == [True, False, False, True]
    assert over_matched(rows, part(cues=("no",), where="hypothesis")).tolist() == [False, True, False, True]
    assert not over_matched(rows, part(pattern="no")).any()
    assert substrings("Another snow", ("no",)) == ((1, 3), (9, 11))


texts = st.text(alphabet="no t'\u2019NK\u212asſ-", max_size=30)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "cues": st.lists(st.text(min_size=1, max_size=8).filter(str.strip), max_size=3).map(tuple),
        "pattern": st.sampled_from(["", "n+", r"\bt", '"\\d\x7f']),
        "longer_than": st.integers(0, 3),
        "shorter_than": st.integers(5, 9),
        "overlap_at_least": st.floats(0, 0.5),
        "overlap_at_most": st.floats(0.5, 1),
        "label": st.sampled_from(Label),
        "where": st.sampled_from(["either", "premise", "hypothesis"]),
        "confidence_of": st.just("older"),
    },
)


@settings(deadline=None)
@given(texts, st.lists(st.text(alphabet="no t'ns\u212aſ", min_size=1, max_size=4).filter(str.strip), min_size=1, max_size=4))
def test_the_fast_search_finds_what_the_pattern_finds(text: str, cues: list[str]) -> None:
    assert has_cue(text, tuple(cues)) == bool(find_cues(text, tuple(cues)))


@settings(deadline=None)
@given(st.lists(st.tuples(texts, texts), max_size=5), conditions)
def test_a_table_and_its_examples_agree(pairs, asked) -> None:
    mine = part(**asked)
    assert holds(table(*pairs), mine).tolist() == [mine.holds(row(p, h)) for p, h in pairs]
    assert not (over_matched(table(*pairs), mine) & holds(table(*pairs), mine)).any()


@settings(deadline=None)
@given(st.text(min_size=1, max_size=20).filter(str.strip), st.text(max_size=20), conditions)
def test_toml_and_address_give_the_slice_back(name: str, about: str, asked) -> None:
    mine = Slice(**({"name": "my " + name, "about": about or in_words(part(**asked))} | asked))
    for text in (to_toml([mine]), to_toml([mine, Slice(name="other", about="x", confidence_at_most=1, confidence_of="newer")])):
        assert parse_slices(text, "here")[0] == mine
    assert from_query(to_query(mine)) == mine and set(to_query(mine)) <= set(
        "-_" + "".join(map(chr, (*range(48, 58), *range(65, 91), *range(97, 123))))
    )


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(alphabet="abcXYZ019-_", max_size=60), st.binary(max_size=40).map(bytes.hex)))
def test_any_address_is_read_or_refused(text: str) -> None:
    try:
        from_query(text)
    except InputError:
        return


def test_an_address_cannot_unpack_to_much() -> None:
    import base64
    import zlib

    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(b'{"name": "x", "about": "' + b"a" * 2_000_000 + b'"}') + packer.flush()
    text = base64.urlsafe_b64encode(bomb).decode()
    assert len(text) < 4000
    with pytest.raises(InputError, match="cannot be read"):
        from_query(text)


def test_a_short_slice_has_a_short_address() -> None:
    assert len(to_query(part(cues=("not", "no"), where="hypothesis"))) < 120


FILES = {
    "[[slice": "not TOML",
    "": "holds nothing",
    "[slice]\nname = 'x'": r"\[\[slice\]\]",
    "[[slice]]\ncues = ['x']": "slice 1: name is missing",
    "[[slice]]\nname = 3": "slice 1: name is 3",
    "[[slice]]\nname = 'x'\nlabels = 'neutral'": "slice 'x': there is no field 'labels'. Did you mean 'label'",
    "[[slice]]\nname = 'x'\nlabel = 'maybe'": "slice 'x': label is 'maybe'",
    "[[slice]]\nname = 'x'\ncues = 'not'": "slice 'x': cues is 'not'",
    "[[slice]]\nname = 'x'\nlonger_than = true": "slice 'x': longer_than is True",
    "[[slice]]\nname = 'x'\nlonger_than = 2.5": "slice 'x': longer_than is 2.5",
    "[[slice]]\nname = 'x'\noverlap_at_least = '1'": "slice 'x': overlap_at_least is '1'",
    "[[slice]]\nname = 'x'\nwhere = 'both'": "slice 'x': where is 'both'",
    "[[slice]]\nname = 'x'\npattern = '('": "slice 'x': pattern",
    "[[slice]]\nname = 'x'\n[[slice]]\nname = 'x'": "slice 'x': the name is given twice",
    "[[slice]]\nname = 'negation'": "slice 'negation': the name is that of a standard slice",
    "[[slice]]\nname = 'x'\n" * 101: "101 slices",
}


@pytest.mark.parametrize("text", FILES, ids=lambda t: FILES[t][:40])
def test_a_bad_file_is_told_by_file_slice_and_field(text: str, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(InputError, match=rf"own\.toml: .*{FILES[text]}"):
        read_slices(tmp_path / "own.toml")


def test_a_file_as_a_person_writes_it(tmp_path: Path) -> None:
    text = """
# what interests me
[[slice]]
name = "sure and negated"
cues = ["not", "n't"]
where = "hypothesis"
pattern = '\\bno\\b|not'
overlap_at_least = 0
confidence_of = "newer"
confidence_at_least = 0.9
"""
    (tmp_path / "own.toml").write_text("\ufeff" + text, encoding="utf-8")
    (mine,) = read_slices(tmp_path / "own.toml")
    assert mine.pattern == r"\bno\b|not" and mine.confidence_of == "newer" and mine.overlap_at_least == 0
    told = "not or n't in the hypothesis; the pattern \\bno\\b|not in the hypothesis; overlap at least 0; newer model's confidence at least 0.9"
    assert mine.about == told
    with pytest.raises(InputError, match="cannot be read"):
        read_slices(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(InputError, match="not UTF-8"):
        read_slices(tmp_path / "latin.toml")


def test_the_documented_file_is_read() -> None:
    text = (Path(__file__).parent.parent / "docs" / "slices.md").read_text()
    sure, counted = parse_slices(text.split("```toml\n")[1].split("```")[0], "docs")
    assert (
        sure.confidence_at_least == 0.9 and counted.holds(row("They saw three dogs near a lake.")) and not counted.holds(row("Three dogs."))
    )
    told = {line.split("|")[1] for line in text.splitlines() if line.startswith("| `")}
    fields = {name for name in Slice.__slots__ if name not in ("name", "about", "confidence_of")}
    assert {name for cell in told for name in cell.replace("`", "").replace(",", " ").split()} == fields
