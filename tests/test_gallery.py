"""Finished attacks: their files, and what is counted from them, against numbers worked out by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli import browse, suite
from robustnli.attack import find_many
from robustnli.checkpoints import fingerprint
from robustnli.compare import wilson
from robustnli.config import SHIPPED_ATTACKS
from robustnli.curated import entry_uid
from robustnli.errors import DataError, InputError
from robustnli.evidence import Texts
from robustnli.gallery import charts, counts, rows
from robustnli.gallery.cards import card, changed, masked_only
from robustnli.gallery.edits import Edit, apply, edits
from robustnli.gallery.files import UNIT, Finished, find_finished, read_manifest, read_rows, remove, to_row, whole, write
from robustnli.gallery.parts import part_of_speech
from robustnli.gallery.rows import Filters
from robustnli.gallery.view import View, place, view
from robustnli.masking import mask
from robustnli.models import load
from robustnli.pipeline import gallery
from robustnli.types import Attack, Example, Label, Pair, Prediction, Status, Word, example

ROOT = Path(__file__).resolve().parent.parent
E, N, C = Label
SURE = {E: (0.9, 0.06, 0.04), N: (0.05, 0.9, 0.05), C: (0.1, 0.1, 0.8)}


def about(**more: Any) -> Finished:
    told: dict[str, Any] = {
        "recipe": "mask", "title": "Mask", "paper": "A paper", "guarantee": "None.", "gold": "unconfirmed", "budgeted": True, "k": 2,
        "seed": 13, "data": "made", "data_hash": "0", "n": 5, "models": {"old": "f1", "new": "f2"}, "queries": 30, "seconds": 1.0,
        "created": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    return Finished(**(told | more))


# Five pairs; of each what (old, new) say untouched, and how the attack on each of them ends: the words masked, and what both say then.
PAIRS = (
    example("The baker sings in the rain.", "A person sings loudly today.", E),
    example("The baker sings in the sun.", "Nobody sings loudly today.", C),
    example("The baker sings in the hall.", "A person sings for money.", N),
    example("The baker sings at home.", "Some baker sings for two coins.", N),
    example("The baker is not here.", "The baker sings here.", C),
)
BEFORE = {"old": (E, C, N, N, E), "new": (E, C, E, N, C)}
#          attacked, pair, words, status, (old, new) say after
ENDS: tuple[tuple[str, int, tuple[str, ...], Status, tuple[Label, Label]], ...] = (
    ("old", 0, ("sings",), Status.BROKEN, (N, E)),
    ("old", 1, ("Nobody",), Status.BROKEN, (E, E)),
    ("old", 2, ("money", "sings"), Status.BROKEN, (C, C)),
    ("old", 3, ("two", "coins"), Status.HELD, (N, C)),
    ("old", 4, ("sings",), Status.SKIPPED, (E, C)),
    ("new", 0, ("sings", "today"), Status.HELD, (N, E)),
    ("new", 1, ("Nobody",), Status.BROKEN, (C, N)),
    ("new", 2, ("money",), Status.SKIPPED, (N, E)),
    ("new", 3, ("sings",), Status.BROKEN, (C, C)),
    ("new", 4, ("sings", "here"), Status.BROKEN, (N, N)),
)
PLACES = ("rain", "sun", "hall", "home", "here")


def word(item: Example, text: str) -> Word:
    start = item.pair.hypothesis.index(text)
    return Word("hypothesis", start, start + len(text))


def made_rows(rename: Callable[[Attack], Attack] = lambda a: a) -> list[dict[str, Any]]:
    out = []
    for model, i, texts, status, after in ENDS:
        item = PAIRS[i]
        words = tuple(word(item, text) for text in texts)
        said = {name: SURE[label] for name, label in zip(("old", "new"), after, strict=True)}
        before, now = (Prediction(SURE[label]) for label in (BEFORE[model][i], after[("old", "new").index(model)]))
        attack = Attack(item, "mask", status, mask(item.pair, words), words, before, now, 3)
        attack = rename(attack)
        row = to_row(attack, i, model, said, edits(item.pair, attack.pair))
        out.append(
            row
            | {f"before.{m}": whole(SURE[BEFORE[m][i]]) for m in BEFORE}
            | {"slices": ["all", "long" if i < 2 else "negation"], "phenomenon": PLACES[i]}
        )
    return out


@pytest.fixture
def seen(tmp_path: Path) -> View:
    write(tmp_path / "made", about(), made_rows())
    finished = read_manifest(tmp_path / "made")
    return view(finished, *read_rows(finished))


# Edits


@given(st.text(), st.text(), st.text(), st.text())
def test_edits_make_the_changed_pair_from_the_original(a: str, b: str, c: str, d: str) -> None:
    original, edited = Pair(a, b), Pair(c, d)
    assert apply(original, edits(original, edited)) == edited
    assert edits(original, original) == ()


def test_edits_hold_nothing_of_what_stayed() -> None:
    pair = Pair("A horse stands on the hill.", "The horse isn't on a hill.")
    masked = mask(pair, [Word("hypothesis", 10, 15, 2)])
    assert edits(pair, masked) == (Edit("hypothesis", 10, 15, "[MASK] [MASK]"),)
    longer = Pair(pair.premise + " Far away it rained.", "horse on hill.")
    assert edits(pair, longer) == (
        Edit("premise", 27, 27, " Far away it rained."), Edit("hypothesis", 0, 4, ""), Edit("hypothesis", 9, 15, ""), Edit("hypothesis", 19, 21, "")
    )  # fmt: skip


# Files


@given(st.tuples(*[st.floats(0, 1, allow_nan=False)] * 3).filter(lambda p: sum(p) > 0))
def test_whole_probabilities_keep_the_first_most_probable_label(raw: tuple[float, float, float]) -> None:
    probs = [p / sum(raw) for p in raw]
    kept = whole(probs)
    assert max(range(3), key=kept.__getitem__) == max(range(3), key=probs.__getitem__)
    assert all(abs(a / UNIT - b) <= 1.6 / UNIT for a, b in zip(kept, probs, strict=True))


def test_a_folder_is_read_as_it_was_written(tmp_path: Path) -> None:
    of = about(notes=("old: a note",), k=3)
    write(tmp_path / "one", of, made_rows())
    read = read_manifest(tmp_path / "one")
    assert read == of and read.name == "one" and not read.shipped
    table, probs = read_rows(read)
    assert list(table["uid"]) == [PAIRS[i].uid for _, i, *_ in ENDS]
    assert table["hypothesis"][0] == "A person sings loudly today." and table["edited_hypothesis"][0] == "A person [MASK] loudly today."
    assert table["premise"][0] == table["edited_premise"][0] == PAIRS[0].pair.premise
    assert table["gold_after"].isna().all() and list(table["words"][0]) == [1, 9, 14, 1]
    assert probs["after.new"][1] == pytest.approx(SURE[E], abs=1e-4) and probs["before.old"].shape == (10, 3)


def test_without_text_it_is_found_by_hash_in_the_suite_or_in_what_is_at_hand_and_else_missing(tmp_path: Path) -> None:
    item = suite.load()[0].example
    rows_ = made_rows()
    rows_[0] |= {"uid": item.uid, "edits": []}
    write(tmp_path / "one", about(), rows_, text=False)
    stored = (tmp_path / "one" / "rows.parquet").read_bytes()
    assert b"baker" not in stored and item.pair.hypothesis.encode() not in stored
    finished = read_manifest(tmp_path / "one")
    seen = view(finished, *read_rows(finished, Texts({PAIRS[1].uid: PAIRS[1].pair})))
    assert seen.table["hypothesis"][0] == seen.table["edited_hypothesis"][0] == item.pair.hypothesis
    assert seen.table["edited_hypothesis"][1] == "[MASK] sings loudly today." and seen.table["premise"][2] is None
    assert seen.without_text == 7  # three of ten rows: the suite's one, and both attacks on the second pair
    assert seen.table["word"][2] is None and counts.success(seen, seen.of("old")).hits == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [("manifest.json", "{"), ("manifest.json", '{"format": 99}'), ("manifest.json", "[]"), ("rows.parquet", "no parquet")],
)
def test_a_damaged_folder_says_so(tmp_path: Path, name: str, content: str) -> None:
    write(tmp_path / "one", about(), made_rows())
    (tmp_path / "one" / name).write_text(content)
    with pytest.raises(DataError, match=r"one: .*Run the attack again"):
        read_rows(read_manifest(tmp_path / "one"))


def test_finished_attacks_are_found_shipped_first_then_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "home" / "attacks"
    monkeypatch.setattr("robustnli.config.SHIPPED_ATTACKS", shipped)
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    assert find_finished() == []
    for folder, created in (
        (own / "older", "2026-01-01"),
        (own / "newer", "2026-03-01"),
        (shipped / "b", "2025-01-01"),
        (own / "b", "2026-02-01"),
    ):
        write(folder, about(created=created), made_rows())
    (own / "broken").mkdir()
    (own / "broken" / "manifest.json").write_text("?")
    found = find_finished()
    assert [(f.name, f.shipped) for f in found] == [("b", True), ("newer", False), ("older", False)]
    with pytest.raises(InputError, match="not yours to remove"):
        remove(found[0])
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    with pytest.raises(InputError):
        remove(found[1])
    monkeypatch.delenv("ROBUSTNLI_READONLY")
    remove(found[1])
    assert [f.name for f in find_finished()] == ["b", "older"]


# Counts, by hand


def shares(groups: list[counts.Group]) -> dict[str, tuple[tuple[int, int], ...]]:
    return {g.name: tuple((r.hits, r.of) for r in g.rates.values()) for g in groups}


def test_success_is_of_the_pairs_right_before_and_depends_on_the_budget(seen: View) -> None:
    for model, one, two in (("old", (2, 4), (3, 4)), ("new", (2, 4), (3, 4))):
        for budget, expected in ((1, one), (2, two), (None, two)):
            found = counts.success(seen, seen.of(model), budget)
            assert (found.hits, found.of) == expected
            assert (found.low, found.high) == wilson(*expected) and found.few
    assert counts.statuses(seen, "old", 1) == {"broken": 2, "held": 2, "wrong before": 1}
    assert counts.success(seen, seen.of("old"), 1).told() == "2 of 4 (50.0 %), too few to tell"
    assert counts.rate(0, 0).told() == "no rows" and not counts.rate(15, 30).few


def test_success_by_slice_label_class_and_place(seen: View) -> None:
    assert shares(counts.by(seen, counts.slice_parts(seen))) == {"negation": ((1, 2), (2, 2)), "long": ((2, 2), (1, 2))}
    assert shares(counts.by(seen, counts.label_parts(seen), 1)) == {
        "entailment": ((1, 1), (0, 1)), "neutral": ((0, 2), (1, 1)), "contradiction": ((1, 1), (1, 2))
    }  # fmt: skip
    places = shares(counts.by(seen, counts.place_parts(seen), 1))
    # sings: third of five, "middle" ("A person sings loudly today") or second of four, "early"; Nobody: first; money: last; two: fifth of six
    assert places["first word"] == ((1, 1), (1, 1)) and places["last word"] == ((0, 1), (0, 0)) and places["late"] == ((0, 1), (0, 0))
    classes = shares(counts.by(seen, counts.part_parts(seen), 1))
    assert classes["negation"] == ((1, 1), (1, 1)) and classes["number"] == ((0, 1), (0, 0))
    assert sum(of for pairs in classes.values() for _, of in pairs) == 8


def test_the_curve_is_accuracy_of_all_pairs_and_can_only_fall(seen: View) -> None:
    # old: right on 4 of 5; one word breaks two, a second one a third. new: 4 of 5, then 2, then 1.
    assert [(r.hits, r.of) for r in counts.curve(seen, "old")] == [(4, 5), (2, 5), (1, 5)]
    assert [(r.hits, r.of) for r in counts.curve(seen, "new")] == [(4, 5), (2, 5), (1, 5)]


def test_transfer_counts_pairs_that_broke_the_one_and_that_the_other_had_right(seen: View) -> None:
    found = {pair: (r.hits, r.of) for pair, r in counts.transfer(seen).items()}
    # against old: pairs 0, 1, 2 broke; new was right on 0 and 1, and then wrong on 1 only
    assert found["old", "new"] == (1, 2)
    # against new: pairs 1, 3, 4 broke; old was right on 1 and 3, and then wrong on 3 only
    assert found["new", "old"] == (1, 2)
    assert found["old", "old"] == (3, 3) and found["new", "new"] == (3, 3)
    assert {pair: (r.hits, r.of) for pair, r in counts.transfer(seen, 1).items()}["new", "old"] == (1, 2)


def test_the_words_that_carry_a_model(seen: View) -> None:
    assert [(w.word, w.rate.hits, w.rate.of, w.to) for w in counts.words(seen, "old")] == [
        ("nobody", 1, 1, "entailment"), ("sings", 1, 1, "neutral"), ("money", 0, 1, ""), ("two", 0, 1, "")
    ]  # fmt: skip
    # sings: alone it broke new on pair 3; on 0 it held, and on 4 it needed a second word
    assert [(w.word, w.rate.hits, w.rate.of) for w in counts.words(seen, "new")] == [("nobody", 1, 1), ("sings", 1, 3)]


def test_a_recipe_of_rules_counts_only_what_it_applies_to_and_whose_label_is_known(tmp_path: Path) -> None:
    rows_ = made_rows()
    for row in rows_[:5]:
        row |= {"gold_after": int(C)}
    rows_[1] |= {"gold_after": None}  # needs a person
    rows_[3] |= {"edits": [], "words": []}  # the rule does not apply
    write(tmp_path / "rule", about(recipe="negate", gold="by rule", budgeted=False, k=1), rows_)
    finished = read_manifest(tmp_path / "rule")
    seen = view(finished, *read_rows(finished))
    assert counts.statuses(seen, "old") == {"broken": 2, "wrong before": 1, "needs a person": 1, "not applied": 1}
    assert not seen.stepwise and seen.most == 1
    assert [(r.hits, r.of) for r in counts.curve(seen, "old")] == [(2, 3), (0, 3)]
    # By rule the pairs 0 and 2 are contradictions now: new, right on pair 0 before, says entailment, and that is wrong.
    assert {p: (r.hits, r.of) for p, r in counts.transfer(seen).items()}["old", "new"] == (1, 1)
    assert list(seen.table["label"][:3]) == ["contradiction", None, "contradiction"]


def test_where_a_recipe_succeeds_by_an_answer_that_stays_the_others_are_counted_so_too(tmp_path: Path) -> None:
    rows_ = made_rows()
    for row, ended in zip(rows_, ("held", "held", "held", "held", "skipped", "broken", "held", "skipped", "held", "held"), strict=True):
        row |= {"status": ended}
    write(tmp_path / "r", about(recipe="reduce", budgeted=False, k=1), rows_)
    finished = read_manifest(tmp_path / "r")
    seen = view(finished, *read_rows(finished))
    assert seen.answer_stays and not seen.stepwise and seen.table["word"].isna().all() and counts.words(seen, "new") == []
    # Row 5 broke new, which stays at the gold label; old leaves it there: right before, and not broken too.
    assert {p: (r.hits, r.of) for p, r in counts.transfer(seen).items()} == {
        ("old", "old"): (0, 0), ("old", "new"): (0, 0), ("new", "old"): (0, 1), ("new", "new"): (1, 1)
    }  # fmt: skip
    assert "percent right and unbroken" in str(charts.strength(seen).figure.layout.yaxis.title.text)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("One", ["first word"]),
        ("One two", ["first word", "last word"]),
        ("One two three", ["first word", "early", "last word"]),
        ("One two, three four five", ["first word", "early", "middle", "late", "last word"]),
        ("a b c d e f g h", ["first word", "early", "early", "middle", "middle", "late", "late", "last word"]),
    ],
)
def test_places(sentence: str, expected: list[str]) -> None:
    starts = [i for i, c in enumerate(sentence) if c.isalpha() and (i == 0 or not sentence[i - 1].isalpha())]
    assert [place(sentence, start) for start in starts] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Nobody", "negation"), ("isn't", "negation"), ("isn’t", "negation"), ("THE", "determiner"), ("behind", "preposition"),
     ("she", "pronoun"), ("because", "conjunction"), ("12", "number"), ("seven", "number"), ("xqzt", "other"), ("Xqzt", "name"), ("sings", "verb"), ("bakers", "noun"), ("wrote", "verb"), ("loudly", "adverb"), ("baker's", "noun"), ("may", "auxiliary")],
)  # fmt: skip
def test_word_classes(text: str, expected: str) -> None:
    assert part_of_speech(text) == expected


# Rows


def test_each_filter_keeps_just_its_rows(seen: View) -> None:
    def kept(**asked: Any) -> list[int]:
        budget = asked.pop("budget", None)
        return np.flatnonzero(rows.keep(seen, Filters(**asked), budget)).tolist()

    assert kept() == list(range(10))
    assert kept(model=("new",)) == [5, 6, 7, 8, 9]
    assert kept(status=("wrong before",)) == [4, 7] and kept(status=("held",), budget=1) == [2, 3, 5, 9]
    assert kept(gold=("entailment",)) == [0, 5] and kept(slice=("long",)) == [0, 1, 5, 6]
    assert kept(phenomenon=("hall", "rain")) == [0, 2, 5, 7]
    assert kept(part=("negation",)) == [1, 6] and kept(place=("first word",)) == [1, 6] and kept(word="sings") == [0, 4, 5, 8, 9]
    assert kept(fell=("contradiction",)) == [2, 8] and kept(also=("new",)) == [1, 3] and kept(also=("old",)) == [5, 8]
    assert (
        kept(q="[mask] MONEY") == [2, 7]
        and kept(q="[mask] money lake") == []
        and kept(q="nobody sun") == [1, 6]
        and kept(q="baker coins", model=("old",)) == [3]
    )


def test_filters_go_into_an_address_and_back_and_drop_what_is_not_there(seen: View) -> None:
    asked = Filters(
        model=("old",),
        status=("broken", "held"),
        gold=("neutral",),
        slice=("long",),
        place=("last word",),
        also=("new",),
        word="sings",
        q="a b",
    )
    assert Filters.parse(asked.query(), seen) == asked
    assert asked.query()["status"] == "broken~held" and set(asked.told()) == set(asked.items())
    assert asked.without("status").without("word").query().keys() == asked.query().keys() - {"status", "word"}
    odd = {"model": "gpt", "status": "<b>", "gold": "maybe", "slice": "all", "part": "verbs", "q": " ", "fell": "~~"}
    assert Filters.parse(odd, seen) == Filters()


def test_order(seen: View) -> None:
    everything = np.ones(10, dtype=bool)
    assert rows.order(seen, everything, "order").tolist() == [0, 5, 1, 6, 2, 7, 3, 8, 4, 9]
    few = rows.order(seen, everything, "few").tolist()
    assert few[:4] == [0, 1, 6, 8] and set(few[4:6]) == {2, 9}
    # The gold probability falls most where it was 0.9 (neutral) and is 0.1 now, in row 2 and 8
    assert rows.order(seen, everything, "moved").tolist()[0] in (0, 2, 8)
    moved = [
        float(seen.probs[f"after.{m}"][i][g] - seen.probs[f"before.{m}"][i][g])
        for i, (m, g) in enumerate(zip(seen.table["model"], seen.table["gold"], strict=True))
    ]
    assert [moved[i] for i in rows.order(seen, everything, "moved")] == sorted(moved)


def test_export_and_its_safety(tmp_path: Path) -> None:
    made = made_rows()
    made[0] |= {"premise": "=1+1", "edits": []}
    write(tmp_path / "x", about(), made)
    finished = read_manifest(tmp_path / "x")
    seen = view(finished, *read_rows(finished))
    table = rows.export(seen, np.array([0, 8]))
    assert list(table["premise"]) == ["'=1+1", PAIRS[3].pair.premise] and list(table["ended"]) == ["broken", "broken"]
    assert list(table["old before"]) == ["entailment", "neutral"] and list(table["new after"]) == ["entailment", "contradiction"]
    assert not table["gold_confirmed"].any()
    lines = [json.loads(line) for line in rows.jsonl(rows.export(seen, np.array([0, 8]), spreadsheet=False)).splitlines()]
    assert (
        lines[0]["premise"] == "=1+1"
        and lines[1]["edited_hypothesis"] == "Some baker [MASK] for two coins."
        and lines[1]["gold_after"] is None
    )
    assert browse.csv(table).startswith(b"\xef\xbb\xbfuid,")


def test_entries_for_the_curated_examples(seen: View) -> None:
    made = rows.entries(seen, [1, 6, 8], author="me")
    assert [e.recipe for e in made] == ["mask", "mask"], "rows 1 and 6 are the same change of the same pair"
    first = made[0]
    assert first.uid == entry_uid(PAIRS[1].pair, Pair(PAIRS[1].pair.premise, "[MASK] sings loudly today."), C)
    assert first.changed == (Word("hypothesis", 0, 6),) and first.author == "me" and first.gold_after is None
    assert {s.model: (s.fingerprint, s.before.label, s.after.label) for s in first.said} == {"old": ("f1", C, E), "new": ("f2", C, E)}


# What is drawn


def test_charts_have_the_numbers_as_rows_and_text(seen: View) -> None:
    strength = charts.strength(seen)
    assert [(r["model"], r["words changed at most"], r["right"], r["of"]) for r in strength.rows][:3] == [
        ("old", 0, 4, 5),
        ("old", 1, 2, 5),
        ("old", 2, 1, 5),
    ]
    assert "old 80.0 % right untouched, 20.0 % attacked" in strength.alt
    moved = charts.transfer(seen)
    assert [(r["made against"], r["scored on"], r["broken too"], r["of"]) for r in moved.rows] == [
        ("old", "new", 1, 2),
        ("new", "old", 1, 2),
    ]
    forest = charts.forest("f", "slice", counts.by(seen, counts.slice_parts(seen)), models=seen.models)
    assert next((r["slice"], r["model"], r["broken"], r["of"]) for r in forest.rows) == ("negation", "old", 1, 2)
    assert "too few to tell" in forest.alt and forest.rows[0]["note"] == "too few to tell"
    point = forest.figure.data[0]
    assert charts.picked({"customdata": list(point.customdata[0])}) == ("negation", "old")
    assert charts.picked({"customdata": {"1": "old", "0": "negation"}}) == ("negation", "old") and charts.picked({}) is None
    words = counts.words(seen, "new")
    assert [r["word"] for r in charts.word_forest(seen, "new", words).rows] == ["nobody", "sings"]


def test_a_point_without_rows_is_not_drawn_and_names_are_no_tags() -> None:
    groups = [counts.Group("<b>x</b>", {"m": counts.rate(1, 2), "n": counts.rate(0, 0)})]
    figure = charts.forest("f", "slice", groups).figure
    assert len(figure.data[1].x) == 0 and list(figure.layout.yaxis.ticktext) == ["&lt;b>x&lt;/b>"]


def test_a_card_shows_the_change_in_place_and_escapes_everything(seen: View) -> None:
    row = {str(k): v for k, v in seen.table.iloc[2].items()}
    row |= {"premise": "<img src=x onerror=alert(1)>", "note": "<i>", "phenomenon": "<script>", "model": "old"}
    said = {"<b>m</b>": (SURE[N], SURE[C]), "old": (SURE[N], SURE[N])}
    html = card(seen, row, said, "broken")
    for bad in ("<img", "<script", "<i>", "<b>m</b>"):
        assert bad not in html
    assert html.count("<del") == html.count("<ins") == 2 and ">money</del>" in html and "[MASK]</ins>" in html
    assert "broken by 2 words" in html and "new gold label unconfirmed" in html and "neutral 0.90 → contradiction 0.80" in html
    held = card(seen, row, said, "held")
    assert "breaks with 2 words" in held
    assert "No text at hand" in card(seen, row | {"premise": None}, said, "held")


def test_changes_are_marked_where_they_are() -> None:
    html = changed("A & B", [Edit("premise", 2, 3, "or"), Edit("premise", 5, 5, " <C>")])
    assert html.startswith("A <del") and "&amp;</del>" in html and ">or</ins> B<ins" in html and html.endswith("&lt;C&gt;</ins>")
    assert masked_only([Edit("hypothesis", 0, 1, "[MASK] [MASK]")])
    assert not masked_only([]) and not masked_only([Edit("hypothesis", 0, 1, "")]) and not masked_only([Edit("premise", 0, 1, "[MASK] x")])


# The work


def test_the_job_leaves_what_attacks_and_models_say(tmp_path: Path, only_tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    lines = [json.loads(line) for line in (only_tiny / "tiny_test.jsonl").read_text().splitlines()][:60]
    data = [(r["premise"], r["hypothesis"], r["label"]) for r in lines]
    steps: list[int] = []

    class Tell:
        def phase(self, name: str, total: int) -> None:
            self.total = total

        def step(self, count: int = 1) -> None:
            steps.append(count)

    tell: Any = Tell()
    args = {
        "recipe": "mask",
        "data": "My file.jsonl",
        "models": ["tiny-baseline", "tiny-finetuned"],
        "k": 2,
        "seed": 5,
        "sample": 40,
        "rows": data,
    }
    (tmp_path / "out").mkdir()
    result = gallery.run(args, tmp_path / "out", tell)
    assert sum(steps) == tell.total == 80 and not list((tmp_path / "out").iterdir())
    folder = tmp_path / "home" / "attacks" / result["name"]
    finished = read_manifest(folder)
    assert (finished.name, finished.n, finished.drawn_from, finished.k) == ("mask-my-file-jsonl", 40, 60, 2)
    seen = view(finished, *read_rows(finished))
    models = {name: load(name) for name in finished.models}
    drawn = gallery.task("mask", "My file.jsonl", k=2, seed=5, sample=40, rows=data).examples
    order = [e.uid for e in drawn]
    given = [example(p, h, Label[str(label).upper()]).uid for p, h, label in data]
    assert [uid for uid in given if uid in set(order)] == order, "drawn, yet in the order of the data"
    for name, model in models.items():
        part = seen.table[seen.of(name)].reset_index(drop=True)
        assert list(part["uid"]) == order
        for attack, status, hypothesis, tried in zip(
            find_many(model, drawn, k=2), part["status"], part["edited_hypothesis"], part["tried"], strict=True
        ):
            assert (attack.status.value, attack.pair.hypothesis, attack.tried) == (status, hypothesis, tried)
        for other, network in models.items():
            pairs = [Pair(p, h) for p, h in zip(part["edited_premise"], part["edited_hypothesis"], strict=True)]
            said = [p.label for p in network.predict(pairs)]
            assert list(seen.said(other, "after")[seen.of(name)]) == said
    assert finished.queries == int(seen.table["tried"].sum())
    again = gallery.run(args, tmp_path / "out", tell)
    assert again["name"] == "mask-my-file-jsonl-2"


def test_a_task_that_cannot_be_done_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_SNLI", "/nowhere")
    with pytest.raises(InputError, match="no recipe"):
        gallery.task("maks", "suite")
    with pytest.raises(DataError, match="ROBUSTNLI_SNLI"):
        gallery.task("mask", "snli:dev")
    with pytest.raises(InputError, match="0 models"):
        gallery.make(Path("never"), gallery.task("mask", "suite", sample=3), {})
    halves = [gallery.task("mask", f"suite:{s}") for s in suite.SPLITS]
    assert sum(len(t.examples) for t in halves) == len(suite.load()) and halves[0].data == "Challenge suite, dev half"


def test_the_command_fills_a_folder_a_recipe_and_resumes(tmp_path: Path, only_tiny: Path) -> None:
    command = [sys.executable, "-m", "robustnli", "gallery", "--recipe", "mask", "--data", str(only_tiny / "tiny_test.jsonl"), "--sample", "12",
               "--model", "tiny-baseline", "--k", "2", "--out", str(tmp_path / "a"), "--no-text", "--json"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["out"])
    before = (folder / "rows.parquet").stat().st_mtime_ns
    assert read_manifest(folder).n == 12 and "premise" not in read_rows(read_manifest(folder))[0].dropna(axis=1, how="all")
    again = subprocess.run([*command, "--resume"], cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 0 and "holds this already" in again.stderr and (folder / "rows.parquet").stat().st_mtime_ns == before
    assert {p.name for p in (tmp_path / "a").iterdir()} == {folder.name}
    both = [*command, "--recipe", "hedge", "--jobs", "2", "--resume"]
    more = subprocess.run(both, cwd=ROOT, capture_output=True, text=True)
    assert more.returncode == 0 and json.loads(more.stdout)["recipe"] == "hedge", more.stderr


def test_a_failure_leaves_the_folder_that_was_there(tmp_path: Path) -> None:
    write(tmp_path / "one", about(), made_rows())

    def fails(new: Path) -> None:
        new.mkdir()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        gallery._replace(tmp_path / "one", fails)
    assert [p.name for p in tmp_path.iterdir()] == ["one"] and read_manifest(tmp_path / "one").n == 5


def test_reading_needs_no_torch() -> None:
    code = (
        "import sys; from robustnli.gallery import cards, charts, counts, edits, files, parts, rows, view; "
        "sys.exit(bool({'torch', 'transformers', 'streamlit', 'datasets', 'captum'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


# What ships


@pytest.fixture
def shipped_attacks() -> list[Finished]:
    found = [read_manifest(p) for p in sorted(SHIPPED_ATTACKS.iterdir())] if SHIPPED_ATTACKS.is_dir() else []
    if not found:
        pytest.skip("no shipped attacks: make them with `robustnli gallery --out cache/attacks`")
    return found


def test_the_shipped_attacks_are_of_the_shipped_checkpoints_and_suite(shipped_attacks: list[Finished], shipped: Path) -> None:
    prints = {name: fingerprint(shipped / name) for name in ("baseline", "finetuned", "robust")}
    for of in shipped_attacks:
        assert dict(of.models) == prints, f"{of.name}: make it again with `robustnli gallery --out cache/attacks`"
        asked = gallery.task(of.recipe, "suite").examples
        assert of.data == "Challenge suite" and of.data_hash == gallery.data_hash(asked) and of.n == len(asked)
        seen = view(of, *read_rows(of))
        assert seen.without_text == 0 and len(seen.table) == 3 * of.n
    assert {of.recipe for of in shipped_attacks} == set(gallery.recipes([]))
    assert {of.recipe: of.k for of in shipped_attacks if of.recipe in gallery.BUDGETS} == gallery.BUDGETS
    assert sum(p.stat().st_size for p in SHIPPED_ATTACKS.rglob("*") if p.is_file()) < 3 << 20


@pytest.mark.slow
def test_the_shipped_rows_are_what_the_models_say(shipped_attacks: list[Finished], shipped: Path) -> None:
    models = {name: load(str(shipped / name)) for name in ("baseline", "finetuned", "robust")}
    for of in shipped_attacks:
        table, probs = read_rows(of)
        at = np.random.default_rng(3).choice(len(table), 12, replace=False)
        for name, model in models.items():
            for when, columns in (("before", ("premise", "hypothesis")), ("after", ("edited_premise", "edited_hypothesis"))):
                said = model.predict([Pair(*(table[c][i] for c in columns)) for i in at])
                assert probs[f"{when}.{name}"][at] == pytest.approx(np.array([p.probs for p in said]), abs=2e-3), (of.name, name, when)
