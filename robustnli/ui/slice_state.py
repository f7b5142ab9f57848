"""What the slice lab remembers: the slice being edited as its widgets show it, the saved ones, and its place in the address.

Every session key of the lab is made here. The draft is kept apart from its widgets, so that it outlives a section that is not drawn.
The address is read when a session starts, and again when its `lab` changed without a widget of the lab having been touched.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import streamlit as st

from robustnli.errors import InputError
from robustnli.slicefile import from_query, parse_slices, to_query, unique
from robustnli.slices import NEGATION, STANDARD, Slice, in_words
from robustnli.types import LABELS

PARAMETER = "lab"
EMPTY = "a slice of my own, from nothing"
MAX_SAVED = 30
ANY = "any"
_DRAFT, _BASE, _SAVED, _TOUCHED, _WRITTEN, _PROBLEM, _SEED = (
    f"lab.{name}" for name in ("draft", "base", "saved", "touched", "written", "problem", "seed")
)  # fmt: skip
_STANDARD = {part.name: part for part in STANDARD}
Draft = dict[str, Any]


def start() -> None:
    """Take the slice of the address where it says something new, else begin with the paper's negation."""
    touched, said = st.session_state.pop(_TOUCHED, False), st.query_params.get(PARAMETER, "")
    if _DRAFT not in st.session_state:
        st.session_state[_SAVED] = {}
        _begin(NEGATION)
    elif said == st.session_state.get(_WRITTEN, ""):
        return
    st.session_state[_WRITTEN] = said  # a touched widget is newer than the address, which may lag behind a fast typist
    if said and not touched:
        try:
            (part,) = unique([from_query(said)])
        except InputError as error:
            st.session_state[_PROBLEM] = str(error)
        else:
            kept = part.name if saved().get(part.name) == part else EMPTY
            st.session_state[_DRAFT], st.session_state[_BASE] = to_draft(part), kept


def problem() -> str:
    """What was wrong with the address or an import, once; "" where nothing was."""
    return str(st.session_state.pop(_PROBLEM, ""))


def draft() -> Draft:
    """The slice being edited, as its widgets show it."""
    value: Draft = st.session_state[_DRAFT]
    return value


def base() -> str:
    """The name of the slice that the draft began as, or `EMPTY`."""
    return str(st.session_state[_BASE])


def saved() -> dict[str, Slice]:
    """Name -> saved slice, in order of saving."""
    value: dict[str, Slice] = st.session_state[_SAVED]
    return value


def seed() -> int:
    """Which samples are shown."""
    return int(st.session_state.get(_SEED, 0))


def own_slices() -> tuple[Slice, ...]:
    """The saved slices, and the draft where it is valid and says something new (in place of a saved one of its name)."""
    start()
    part = changed_draft()
    return tuple((saved() | ({part.name: part} if part else {})).values())


def changed_draft() -> Slice | None:
    """The draft as a slice where it is valid, asks for something, and differs from the standard one or the saved one it began as."""
    try:
        part = current()
    except InputError:
        return None
    begun = _STANDARD.get(base()) or saved().get(base())
    same = begun is not None and replace(part, name=begun.name, about=begun.about) == begun
    return None if same or in_words(part) == "every row" else part


def current() -> Slice:
    """The draft as a slice. Raises InputError that names the field; a name of a standard slice is refused."""
    return unique([to_slice(draft())])[0]


def address() -> dict[str, str]:
    """The lab's part of the address: {"lab": ...} while a slice of the user's own is edited, else {}. Who asks writes it."""
    start()
    part = changed_draft() or saved().get(base())
    text = link(part) if part else ""
    st.session_state[_WRITTEN] = text
    return {PARAMETER: text} if text else {}


def link(part: Slice) -> str:
    """The slice as a value of the address; "" for one that is too long to be read back from it."""
    text = to_query(part)
    try:
        from_query(text)
    except InputError:
        return ""
    return text


def write_url() -> None:
    """Put the draft into the address, and leave the rest of the address as it is."""
    text = address().get(PARAMETER, "")
    if text != st.query_params.get(PARAMETER, ""):
        if text:
            st.query_params[PARAMETER] = text
        else:
            del st.query_params[PARAMETER]


def widget(name: str, value: Any) -> str:
    """The key of a widget that shows `value` now."""
    key = f"lab.w.{name}"
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


def differences(rows: list[int]) -> str:
    """The key of the table of differences, in which these rows are chosen now."""
    key = "lab.differences"
    if key not in st.session_state or clicked_rows(key) != rows:
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return key


def clicked_rows(key: str) -> list[int]:
    """The rows chosen in a table."""
    return list(st.session_state[key]["selection"]["rows"])


def changed(name: str) -> Callable[[], None]:
    """A callback: the draft takes what the widget of that name shows."""

    def take() -> None:
        st.session_state[_TOUCHED] = True
        st.session_state[_DRAFT] = draft() | {name: st.session_state[f"lab.w.{name}"]}

    return take


def begin() -> None:
    """A callback: the draft becomes the slice chosen in the widget `base`."""
    st.session_state[_TOUCHED] = True
    chosen = st.session_state["lab.w.base"]
    part = _STANDARD.get(chosen) or saved().get(chosen)
    if part is None:
        st.session_state[_DRAFT], st.session_state[_BASE] = to_draft(Slice(name="my slice", about="")), EMPTY
    else:
        _begin(part)


def _begin(part: Slice) -> None:
    name = f"{part.name} (mine)" if part.name in _STANDARD else part.name
    st.session_state[_DRAFT], st.session_state[_BASE] = to_draft(replace(part, name=name)), part.name


def save() -> None:
    """A callback: keep the draft under its name, in place of a saved one of that name."""
    st.session_state[_TOUCHED] = True
    part = current()
    st.session_state[_SAVED] = saved() | {part.name: part}
    st.session_state[_BASE] = part.name


def remove() -> None:
    """A callback: forget the saved slice that is being edited."""
    st.session_state[_TOUCHED] = True
    st.session_state[_SAVED] = {name: part for name, part in saved().items() if name != base()}
    _begin(NEGATION)


def take_file(name: str, content: bytes) -> None:
    """A callback: add the slices of a TOML file to the saved ones; one of the same name is replaced. What is wrong tells `problem`."""
    st.session_state[_TOUCHED] = True
    try:
        parts = {part.name: part for part in parse_slices(content.decode("utf-8-sig"), name)}
    except InputError as error:
        st.session_state[_PROBLEM] = str(error)
    except UnicodeDecodeError:
        st.session_state[_PROBLEM] = f"{name}: the file of slices is not UTF-8. Save it as UTF-8."
    else:
        merged = saved() | parts
        if len(merged) > MAX_SAVED:
            st.session_state[_PROBLEM] = f"{name}: with these there would be {len(merged)} slices; {MAX_SAVED} at most. Remove some."
            return
        st.session_state[_SAVED] = merged
        _begin(next(iter(parts.values())))


def other_samples() -> None:
    """A callback: draw other samples."""
    st.session_state[_TOUCHED] = True
    st.session_state[_SEED] = seed() + 1


def to_draft(part: Slice) -> Draft:
    """A slice as widgets show it: cues as one text, shares as a band in percent."""
    return {
        "name": part.name,
        "cues": _join(part.cues),
        "pattern": part.pattern,
        "where": part.where,
        "longer": part.longer_than,
        "shorter": part.shorter_than,
        "overlap": _percents(part.overlap_at_least, part.overlap_at_most),
        "label": ANY if part.label is None else part.label.text,
        "which": part.confidence_of,
        "confidence": _percents(part.confidence_at_least, part.confidence_at_most),
    }


def _percents(low: float | None, high: float | None) -> tuple[float, float]:
    return (0.0 if low is None else round(100 * low, 6), 100.0 if high is None else round(100 * high, 6))


def to_slice(shown: Draft) -> Slice:
    """What the widgets show as a slice; a band of 0 to 100 % is no condition. Raises InputError."""
    overlaps, sure = (_shares(shown[name]) for name in ("overlap", "confidence"))
    part = Slice(
        name=" ".join(str(shown["name"] or "").split()),
        about="",
        cues=_split(str(shown["cues"] or "")),
        pattern=shown["pattern"] or "",
        where=shown["where"] or "either",
        longer_than=shown["longer"],
        shorter_than=shown["shorter"],
        overlap_at_least=overlaps[0],
        overlap_at_most=overlaps[1],
        label=next((label for label in LABELS if label.text == shown["label"]), None),
        confidence_of=shown["which"] if shown["which"] and sure != (None, None) else "older",
        confidence_at_least=sure[0],
        confidence_at_most=sure[1],
    )
    return replace(part, about=in_words(part))


def _shares(band: tuple[float, float]) -> tuple[float | None, float | None]:
    low, high = (round(percent / 100, 8) for percent in band)
    return (low if low > 0 else None), (high if high < 1 else None)


def _join(cues: Collection[str]) -> str:
    """Cues as one text; a cue that holds a comma stands in quotes."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cues)
    return out.getvalue().replace(",", ", ") if not any("," in cue for cue in cues) else out.getvalue()


def _split(text: str) -> tuple[str, ...]:
    """The cues of a text with commas between them, each once; quotes keep a comma within a cue."""
    rows = csv.reader([" ".join(text.split())], skipinitialspace=True)
    return tuple(dict.fromkeys(" ".join(cue.split()) for row in rows for cue in row if cue.strip()))
