"""What the error explorer remembers: one dict of texts, which is at once its address. Every session key of that page is made here.

The address is read when a session starts, and again when it changed without any widget having been touched: that is the browser's
back, or a link. Values that stand for a default are left out of it. Widgets are drawn from the dict and write into it when touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

from robustnli.browse import Filters, View
from robustnli.evidence import Texts
from robustnli.ui import slice_state, state

FILTERS = ("slice", "outcome", "label", "was", "said", "sure", "words", "phenomenon", "part", "q")
DATA = ("run", "split", "older", "newer")
CHOICES = (*DATA, "of", "show", "picture", "view", "sort", "size", "page", "differ", *FILTERS)
_STATE, _WRITTEN, _TOUCHED, _VERSION, _REFUSED, _TEXTS, _OPEN, _OWN, _JOB, _TOLD, _SEEN = (
    f"errors.{name}" for name in ("state", "written", "touched", "version", "refused", "texts", "open", "own", "job", "told", "seen")
)  # fmt: skip


def start() -> None:
    """Take the address where it says something new: at first, after the browser's back, by a link from another page."""
    now = _ours()
    touched = st.session_state.pop(_TOUCHED, False)
    came = state.entered() and not now
    if _STATE not in st.session_state or (not touched and not came and now != st.session_state.get(_WRITTEN)):
        st.session_state[_STATE] = now
        renew()


def _ours() -> dict[str, str]:
    return {name: value for name, value in st.query_params.to_dict().items() if name in CHOICES and value}


def get(name: str, default: str = "") -> str:
    """A remembered text."""
    return str(st.session_state[_STATE].get(name) or default)


def put(**values: str) -> None:
    """Remember texts ("" forgets one); another page of rows than the first survives no other change, a chosen difference no other data."""
    st.session_state[_TOUCHED] = True
    kept = st.session_state[_STATE] | values
    if set(values) - {"page", "view", "picture"}:
        kept.pop("page", None)
    if set(values) & {*DATA}:
        kept.pop("differ", None)  # of other rows
    st.session_state[_STATE] = {k: v for k, v in kept.items() if v}


def one_of(name: str, options: Collection[str], default: str) -> str:
    """The remembered choice where it is on offer, else the default; one that is not on offer is forgotten and told by `refused`."""
    value = get(name)
    if value and value not in options:
        st.session_state[_STATE].pop(name)
        st.session_state[_REFUSED] = [*st.session_state.get(_REFUSED, []), (name, value)]
    return value if value in options else default


def refused() -> list[tuple[str, str]]:
    """(name, value) of what the address asked for and `one_of` did not find, since this was last asked."""
    return list(st.session_state.pop(_REFUSED, []))


def filters(seen: View) -> Filters:
    """The filters remembered, as far as the view can have them."""
    one_of("slice", seen.members, "")
    return Filters.parse(st.session_state[_STATE], seen)


def set_filters(new: Filters, **more: str) -> None:
    """Remember these filters instead of the former, and other texts with them."""
    put(**(dict.fromkeys(FILTERS, "") | new.query() | more))
    renew()


def widget(name: str, value: Any) -> str:
    """The key of a widget that shows `value` now."""
    key = f"errors.w.{name}"
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


def changed(name: str, text: Callable[[Any], str]) -> Callable[[], None]:
    """A callback: remember what the widget of that name shows, as `text` writes it."""
    return lambda: put(**{name: text(st.session_state[f"errors.w.{name}"])})


def renew() -> None:
    """Charts and tables that were clicked forget it, so that the same place can be clicked again."""
    st.session_state[_VERSION] = st.session_state.get(_VERSION, 0) + 1


def clicked(name: str) -> str:
    """The key of a chart or table that can be clicked."""
    return f"errors.c.{name}.{st.session_state.get(_VERSION, 0)}"


def write_url() -> None:
    """Put what is remembered into the address; a step back in the browser then undoes the last change."""
    values = st.session_state[_STATE] | slice_state.address()
    if values != st.query_params.to_dict():
        st.query_params.from_dict(values)
    st.session_state[_WRITTEN] = dict(st.session_state[_STATE])


def choose_difference(text: str) -> None:
    """Remember which of the found differences is looked at; "" for none."""
    put(differ=text)


def first_paint() -> bool:
    """Whether this session has not seen the page's counts yet: its first run draws these and no more."""
    return not st.session_state.get(_SEEN)


def painted() -> None:
    """The counts are sent: the next run, for which the browser asks when it has drawn them, draws the whole page."""
    st.session_state[_SEEN] = True


def remember_texts(found: Texts) -> None:
    """Use the text of a file given in the page, for this session."""
    st.session_state[_TEXTS] = found


def texts() -> Texts | None:
    """The text of a file given in the page."""
    found: Texts | None = st.session_state.get(_TEXTS)
    return found


def open_pair(query: dict[str, str]) -> None:
    """A row's button was pressed: the Flip lab's address of its pair."""
    st.session_state[_OPEN] = query


def opened_pair() -> dict[str, str]:
    """What `open_pair` was told since this was last asked; {} for nothing."""
    return dict(st.session_state.pop(_OPEN, {}))


def take_run(name: str, *, keep: bool = False) -> None:
    """Choose a run ("": the default one); `keep`: all else stays, since it is the same run under another name."""
    kept = st.session_state[_STATE] if keep else {}
    st.session_state[_STATE] = {k: v for k, v in (kept | {"run": name}).items() if v}
    renew()


def await_job(job_id: str) -> None:
    """Remember the job whose run this session waits for; "" for none."""
    st.session_state[_JOB] = job_id


def awaited_job() -> str:
    """What `await_job` was told last."""
    return str(st.session_state.get(_JOB) or "")


def own_box() -> str:
    """The key of the box that asks for a file of the user's own."""
    return f"{_OWN}.{st.session_state.get(_OWN, 0)}"


def close_own() -> None:
    """The box that asks for a file is closed, and empty, when it is drawn next."""
    st.session_state[_OWN] = st.session_state.get(_OWN, 0) + 1


def tell(problem: str) -> None:
    """Remember what went wrong in a callback, for `told`."""
    st.session_state[_TOLD] = problem


def told() -> str:
    """What `tell` was told since this was last asked."""
    return str(st.session_state.pop(_TOLD, ""))
