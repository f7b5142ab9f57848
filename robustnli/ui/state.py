"""What a session remembers, and its address. Every session key of the Flip lab is named here (the error explorer's in `errors/state`).

The URL is read once, when a session starts, and written after each run: a copied address reproduces the view. It is not read
again, since a fast typist's next key arrives with the address of the last one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from robustnli.examples import READY
from robustnli.masking import spans
from robustnli.types import Label, Pair, Segment

PREMISE, HYPOTHESIS, GOLD, OLDER, NEWER, METHOD, TARGET = LINKED = ("p", "h", "gold", "a", "b", "method", "target")
MASKS, URL_MASKS, _UNDO, EXAMPLE, PILLS, TOP_K, SEARCHED = "masks", "m", "undo", "example", "pills", "top_k", "searched"
_REFUSED, _PAGE, _ENTERED = "refused", "page", "entered"
LONG_MAP, _GIVEN, _BROWSER = "long_map", "gold_given", "browser_masks"
FLIP_LAB = "Flip lab"  # the page that draws the widgets of LINKED
_ID = re.compile(r"[ph][1-9]\d{0,4}")


def keep(page: str) -> None:
    """Run before each page: typed texts and choices outlive a visit to another page, whose run would drop its widgets' values."""
    # Not while the Flip lab draws them itself: what is set here is sent to the browser, over what was typed there meanwhile.
    for key in LINKED if (page, st.session_state.get(_PAGE)) != (FLIP_LAB, FLIP_LAB) else ():
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]
    st.session_state[_ENTERED] = st.session_state.get(_PAGE) not in (None, page)
    st.session_state[_PAGE] = page


def entered() -> bool:
    """Whether this run came from another page of the app."""
    return bool(st.session_state.get(_ENTERED))


def forget() -> None:
    """The Flip lab starts anew from its address: another page is about to open a pair in it."""
    for key in (MASKS, *LINKED):
        st.session_state.pop(key, None)


def linked(query: Mapping[str, str]) -> dict[str, str]:
    """The part of an address that is the Flip lab's."""
    return {key: value for key, value in query.items() if key in (*LINKED, URL_MASKS)}


def start() -> None:
    """Fill what the first run of a session needs: from the URL where it says something, else the first ready example."""
    if MASKS in st.session_state:
        return
    st.session_state[MASKS] = parse_masks(st.query_params.get(URL_MASKS, ""))
    st.session_state[_UNDO] = []
    for key in LINKED:
        if key in st.query_params:
            st.session_state[key] = st.query_params[key]
    if not any(key in st.query_params for key in (PREMISE, HYPOTHESIS)):
        st.session_state[PREMISE], st.session_state[HYPOTHESIS] = READY[0].pair.premise, READY[0].pair.hypothesis
        st.session_state[GOLD] = READY[0].gold.text
        st.session_state[_GIVEN] = True


def allow(key: str, options: Collection[str]) -> None:
    """Forget a choice (of an old or a mistyped link) that is not on offer, so that the default stands; `refused` tells it."""
    value = st.session_state.get(key)
    if value is not None and value not in options:
        del st.session_state[key]
        st.session_state[_REFUSED] = [*st.session_state.get(_REFUSED, []), (key, str(value))]


def refused() -> list[tuple[str, str]]:
    """(key, value) of what `allow` had to forget since this was last asked."""
    return list(st.session_state.pop(_REFUSED, []))


def write_url(known: Sequence[str]) -> None:
    """Put the whole state into the URL, and drop the masks of words that are no longer there."""
    st.session_state[MASKS] = masks(known)
    values = {key: str(st.session_state.get(key) or "") for key in LINKED} | {URL_MASKS: "-".join(st.session_state[MASKS])}
    # Emptied sentences stay in the address: without them it would mean the first example.
    values = {key: value for key, value in values.items() if value or key in (PREMISE, HYPOTHESIS)}
    if values != st.query_params.to_dict():
        st.query_params.from_dict(values)


def parse_masks(text: str) -> list[str]:
    """Word ids ("h3") of a URL value ("h3-h5"); anything else in it is ignored. At most 200."""
    return list(dict.fromkeys(part for part in text.split("-") if _ID.fullmatch(part)))[:200]


def masks(known: Sequence[str]) -> list[str]:
    """The masked word ids that exist in the present sentences."""
    return [name for name in st.session_state[MASKS] if name in set(known)]


def set_masks(names: Sequence[str]) -> None:
    """Mask exactly these words; the former set can be had back with `undo`."""
    if list(names) != st.session_state[MASKS]:
        st.session_state[_UNDO] = [*st.session_state[_UNDO][-99:], st.session_state[MASKS]]
        st.session_state[MASKS] = list(names)


def browser_masks() -> tuple[str, int]:
    """(this session's own mark, number of the last list of masks that came from the browser)."""
    mark, number = st.session_state.setdefault(_BROWSER, (secrets.token_hex(8), 0))
    return str(mark), int(number)


def masked_in_browser(value: object) -> None:
    """Mask the words that the browser names, as {number, masked}. What is no such value is passed over."""
    mark, number = browser_masks()
    if isinstance(value, dict) and _is_count(value.get("number")) and isinstance(value.get("masked"), list):
        st.session_state[_BROWSER] = (mark, max(number, int(value["number"])))
        set_masks(parse_masks("-".join(str(name) for name in value["masked"])))


def _is_count(number: object) -> bool:
    return isinstance(number, int | float) and 0 <= number < 2**53  # neither NaN nor infinity


def undo() -> None:
    """Back to the mask set before the last change."""
    if st.session_state[_UNDO]:
        st.session_state[MASKS] = st.session_state[_UNDO].pop()


def ask_long_map() -> None:
    """Draw the mask map of this pair, however long it is."""
    st.session_state[LONG_MAP] = (st.session_state[PREMISE], st.session_state[HYPOTHESIS])


def long_map() -> bool:
    """Whether the mask map of the present pair was asked for."""
    return st.session_state.get(LONG_MAP) == (st.session_state.get(PREMISE), st.session_state.get(HYPOTHESIS))


def can_undo() -> bool:
    """Whether there is something to undo."""
    return bool(st.session_state[_UNDO])


def forget_masks() -> None:
    """New sentences: old positions mean nothing any more."""
    st.session_state[MASKS] = []
    st.session_state[_UNDO] = []


def edited() -> None:
    """The sentences are another pair now: old masks, and a gold label that came with a ready example, mean nothing any more."""
    forget_masks()
    st.session_state[EXAMPLE] = None
    if st.session_state.pop(_GIVEN, False):
        st.session_state[GOLD] = None


def gold_chosen() -> None:
    """The gold label is the user's own from now on."""
    st.session_state.pop(_GIVEN, None)


def take_example() -> None:
    """Put the chosen ready example into the fields."""
    index = st.session_state[EXAMPLE]
    if index is None:
        return
    ready = READY[index]
    st.session_state[PREMISE], st.session_state[HYPOTHESIS] = ready.pair.premise, ready.pair.hypothesis
    st.session_state[GOLD] = ready.gold.text
    st.session_state[_GIVEN] = True
    forget_masks()


def gold() -> Label | None:
    """The gold label the user gave."""
    text = st.session_state.get(GOLD)
    return next((label for label in Label if label.text == text), None)


def word_ids(pair: Pair) -> dict[tuple[Segment, int], str]:
    """(segment, first character) -> id, for each word of both sentences; numbers count from 1."""
    ids: dict[tuple[Segment, int], str] = {}
    segments: tuple[Segment, Segment] = ("premise", "hypothesis")
    for segment in segments:
        for number, (begin, _) in enumerate(spans(pair.text(segment)), 1):
            ids[segment, begin] = f"{segment[0]}{number}"
    return ids
