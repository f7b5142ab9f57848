"""The slice lab through AppTest: a made table, the panel alone. Sentences are ours."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from robustnli.slicefile import parse_slices, to_query
from robustnli.slices import NEGATION, STANDARD, Slice
from robustnli.types import Label
from robustnli.ui.slice_state import to_draft, to_slice

EVIL = "<img src=x onerror=alert(1)> **bold** :red[x]"


def script(kind: str = "plain") -> None:
    import numpy as np
    import pandas as pd
    import streamlit as st

    from robustnli.ui import slice_lab

    n = 200
    premises = ["A man sits in the snow." if i % 2 else "A dog is not here." for i in range(n)]
    hypotheses = ["Another man sits." if i % 4 else "He is <b>not</b> **here**." for i in range(n)]
    gold = np.arange(n) % 3
    older = np.where(np.arange(n) % 10 == 0, (gold + 1) % 3, gold)
    newer = np.where(np.arange(n) % 4 == 0, (gold + 1) % 3, gold)
    table = pd.DataFrame({"uid": [f"{i:x}" for i in range(n)], "premise": premises, "hypothesis": hypotheses, "gold": gold}, dtype=object)
    table = table.assign(
        gold=gold, **{"label.a": older, "label.b": newer, "confidence.a": np.float32(0.9), "confidence.b": np.float32(0.6)}
    )
    if kind == "no text":
        table = table.assign(premise=None, hypothesis=None)
    st.text("before: " + ", ".join(f"{k}={int(v.sum())}" for k, v in slice_lab.own_rows(table, "a", "b").items()))
    if not st.checkbox("panel", True, key="panel"):
        st.query_params.from_dict({"view": "rows"} | slice_lab.address())
        return
    out = slice_lab.slice_lab_ui(table, "a", "b")
    st.text("own: " + ", ".join(part.name for part in out))
    picked = slice_lab.differences_ui(table, "a", "b")
    st.text(f"picked: {picked.counts.slice if picked else None}")


def page(kind: str = "plain", **query: str) -> AppTest:
    at = AppTest.from_function(script, default_timeout=60, args=(kind,))
    for key, value in query.items():
        at.query_params[key] = value
    return at.run()


def said(at: AppTest) -> str:
    html = [str(e.proto.body) for e in at.get("html")]
    return " | ".join([*(str(e.value) for kind in (at.error, at.warning, at.info, at.markdown, at.caption, at.text) for e in kind), *html])


def query(at: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in dict(at.query_params).items()}


def put(at: AppTest, **values: str) -> AppTest:
    for name, value in values.items():
        at.text_input(key=f"lab.w.{name}").set_value(value).run()
        assert not at.exception
    return at


def test_it_opens_with_the_papers_negation_and_no_slice_of_ones_own() -> None:
    at = page()
    assert not at.exception and "own: \n" not in said(at) and "own: |" in said(at)
    assert at.text_input(key="lab.w.cues").value == "not, no, never, n't, cannot"
    assert "**100 of 200 rows** (50.0%)" in said(at), "even rows: not in the premise"
    assert "lab" not in at.query_params, "nothing is made yet, so the address is as it was"
    assert at.button(key="lab.b.save").disabled


def test_matched_and_over_matched_are_marked_and_escaped() -> None:
    told = said(page())
    assert "100 rows that hold a cue only inside another word" in told
    assert "<mark" in told and ">not</mark>" in told and "A<mark" in told.replace("</span>", ""), "An-other: inside the word"
    assert "&lt;b&gt;" in told and "<b>not" not in told


def test_an_edit_is_seen_at_once_with_counts_by_hand() -> None:
    at = put(page(), cues="sits", name="sitting")
    at.segmented_control(key="lab.w.where").set_value("hypothesis").run()
    told = said(at)
    # Hypotheses other than each fourth: the newer model is wrong on each fourth, so it is right on all of these 150.
    assert "**150 of 200 rows** (75.0%): sits in the hypothesis" in told
    assert "**10 fixed, 0 introduced**, 0 remaining, 140 still right" in told
    assert "**better**: 10 rows changed, McNemar's exact p = 0.002" in told
    assert "a is right on 140: 93.3% (88.2% to 96.3%)" in told and "of 10 errors of a, 10 are fixed: 100.0% (72.2% to 100.0%)" in told
    assert "before: sitting=150" in told and "own: sitting" in told


def test_too_few_rows_tell_nothing() -> None:
    at = put(page(), cues="absent")
    assert "**0 of 200 rows**" in said(at) and "too few rows to tell" in said(at) and "None." in said(at)


def test_saving_removing_and_starting_from_a_saved_one() -> None:
    at = put(page(), cues="dog", name="dogs")
    at.button(key="lab.b.save").click().run()
    at.selectbox(key="lab.w.base").set_value("long").run()
    assert at.number_input(key="lab.w.longer").value == 20 and at.text_input(key="lab.w.name").value == "long (mine)"
    assert "own: dogs" in said(at)
    at.number_input(key="lab.w.longer").set_value(5).run()
    assert "own: dogs, long (mine)" in said(at)
    at.selectbox(key="lab.w.base").set_value("dogs").run()
    assert at.text_input(key="lab.w.cues").value == "dog" and "own: dogs |" in said(at), "the draft was not saved"
    put(at, cues="dog, cat")
    assert said(at).count("own: dogs |") == 1 and dict(at.query_params)["lab"]
    at.button(key="lab.b.remove").click().run()
    assert not at.exception and "own: |" in said(at) and "lab" not in at.query_params


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("pattern", "(", "is no regular expression"),
        ("name", "negation", "that of a standard slice"),
        ("name", " ", "the name has 0 characters"),
        ("cues", ", ".join(f"w{i}" for i in range(201)), "200 words"),
    ],
)
def test_what_is_wrong_is_told_and_the_page_lives(field: str, value: str, told: str) -> None:
    at = put(page(), cues="dog", name="dogs")
    put(at, **{field: value})
    errors = " ".join(e.value for e in at.error)
    assert told in errors.replace("\\", "") and "own: |" in said(at)


def test_a_slow_expression_is_told_and_not_tried_again() -> None:
    at = put(page(), cues="", name="slow", pattern=r"(\w|\w\w|.)+(?=x)(?!x)")
    assert "takes more than 2 s" in at.error[0].value.replace("\\", "") and "before: |" in said(at)
    begun = time.process_time()
    at.run()
    assert "takes more than 2 s" in at.error[0].value.replace("\\", "") and time.process_time() - begun < 2


def test_a_link_brings_the_slice_back_and_nonsense_in_it_is_told() -> None:
    mine = Slice(name=EVIL, about="x", cues=("not", "so, then"), where="premise", longer_than=3, overlap_at_most=0.335, label=Label.NEUTRAL)
    at = page(lab=to_query(mine))
    assert not at.exception and at.text_input(key="lab.w.name").value == EVIL
    assert at.text_input(key="lab.w.cues").value == 'not,"so, then"'
    assert f"own: {EVIL} |" in said(at) and dict(at.query_params)["lab"]
    for nonsense in ("x", "%%%", "A" * 5000, to_query(NEGATION)):
        at = page(lab=nonsense)
        assert not at.exception and len(at.warning) == 1 and "own: |" in said(at) and "lab" not in at.query_params


def test_a_slice_outlives_a_section_that_is_not_drawn_and_an_address_written_whole() -> None:
    at = put(page(), cues="dog", name="dogs")
    at.button(key="lab.b.save").click().run()
    there = query(at)["lab"]
    at.checkbox(key="panel").set_value(False).run()
    at.run()
    assert query(at) == {"view": "rows", "lab": there} and "before: dogs=100" in said(at)
    at.checkbox(key="panel").set_value(True).run()
    assert at.text_input(key="lab.w.cues").value == "dog" and at.selectbox(key="lab.w.base").value == "dogs"
    assert query(at)["view"] == "rows", "the rest of the address stays"


def test_the_browsers_back_brings_the_former_slice_but_not_while_typing() -> None:
    at = put(page(), cues="dog", name="dogs")
    former = query(at)["lab"]
    put(at, cues="cat")
    at.query_params["lab"] = former
    at.run()
    assert at.text_input(key="lab.w.cues").value == "dog"
    put(at, cues="man")
    at.query_params["lab"] = former
    put(at, cues="man, woman")
    assert at.text_input(key="lab.w.cues").value == "man, woman" and query(at)["lab"] != former


def test_a_slice_too_long_for_an_address_is_shared_as_toml() -> None:
    words = [f"{hashlib.sha256(bytes([i])).hexdigest()}" for i in range(150)]
    at = put(page(), cues=", ".join(words), name="long list")
    assert "lab" not in query(at) and "too long for an address" in said(at) and "own: long list |" in said(at)
    at.button(key="lab.b.save").click().run()
    assert not at.exception and "own: long list |" in said(at) and "lab" not in query(at)


def test_text_of_the_user_is_never_markdown() -> None:
    at = put(page(), name="x", cues=EVIL)
    at.button(key="lab.b.save").click().run()
    drawn = " | ".join(str(e.value) for kind in (at.markdown, at.caption, at.error) for e in kind)
    assert r"\<img" in drawn
    for mark in ("<img", "**bold", ":red["):
        assert mark not in re.sub(r"\\[!-/:-@\[-`{-~]", "", drawn), "each mark is escaped"


def test_export_and_import(tmp_path: Path) -> None:
    at = put(page(), cues="dog", name="dogs")
    text = b'[[slice]]\nname = "sure"\nconfidence_of = "newer"\nconfidence_at_least = 0.5\n[[slice]]\nname = "dogs"\ncues = ["dog"]\n'
    at.file_uploader(key="lab.file").upload("own.toml", text, "application/toml").run()
    at.button(key="lab.b.import").click().run()
    assert not at.exception and "own: sure, dogs" in said(at)
    assert at.text_input(key="lab.w.name").value == "sure" and "**200 of 200 rows**" in said(at)
    at.file_uploader(key="lab.file").upload("own.toml", b"[[slice]]\nname = 'x'\nlabels = 1", "application/toml").run()
    at.button(key="lab.b.import").click().run()
    assert "own.toml: slice 'x': there is no field 'labels'" in at.warning[0].value.replace("\\", "")
    assert "own: sure, dogs" in said(at)


def test_without_text_the_lab_says_so() -> None:
    at = page("no text")
    assert not at.exception and "**0 of 200 rows**" in said(at) and "200 rows have no text here" in said(at)
    at.selectbox(key="lab.w.base").set_value("neutral").run()
    assert "**67 of 200 rows**" in said(at) and "No text at hand" in said(at)


def test_differences_are_ranked_with_the_caveat() -> None:
    at = page()
    told = said(at)
    assert "flatter" in told and "another split" in told and "picked: None" in told
    table = next(d.value for d in at.dataframe if "net" in d.value)
    first = table.iloc[0]
    # Rows 0, 4, 8, ... have their own hypothesis; the newer model is wrong on all 50, the older on each fifth of them.
    assert "hypothesis with a word of negation" in table["slice"].tolist()
    assert (first["rows"], first["introduced"], first["fixed"], first["net"]) == (50, 40, 0, -40)


percents = st.tuples(st.integers(0, 1000), st.integers(0, 1000)).map(lambda t: tuple(x / 10 for x in sorted(t)))
drafts = st.fixed_dictionaries(
    {
        "cues": st.lists(st.text(min_size=1, max_size=6).map(lambda s: " ".join(s.split())).filter(bool), max_size=4, unique=True),
        "overlap": percents,
        "confidence": percents,
        "label": st.sampled_from(["any", "neutral"]),
        "longer": st.none() | st.integers(0, 5),
    }
)


@settings(deadline=None)
@given(drafts)
def test_widgets_and_slice_say_the_same(asked) -> None:
    empty = to_draft(Slice(name="x", about=""))
    mine = to_slice(empty | asked | {"cues": ""})
    assert to_slice(to_draft(mine)) == mine
    worded = Slice(name="x", about="", cues=tuple(asked["cues"]))
    assert to_slice(to_draft(worded)).cues == worded.cues


@pytest.mark.parametrize("part", STANDARD, ids=lambda p: p.name)
def test_a_standard_slice_begins_as_it_is(part: Slice) -> None:
    again = to_slice(to_draft(part))
    assert Slice(**{f: getattr(again, f) for f in again.__slots__} | {"about": part.about}) == part
    assert parse_slices(f"[[slice]]\nname = 'x'\ncues = {list(part.cues)}", "here")[0].cues == part.cues
