"""The address of Curate, what it remembers besides, and the one way in which it writes. Every session key of that page is made here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import streamlit as st

from robustnli.errors import RobustNLIError
from robustnli.figures import escape_markdown
from robustnli.ui import state
from robustnli.ui.address import Address
from robustnli.ui.curate.filters import Filters

VIEWS = {
    "review": ":material/rate_review: Review", "table": ":material/table_rows: Table", "export": ":material/download: Export",
    "import": ":material/upload: Import", "replay": ":material/replay: Replay", "repair": ":material/build: Repair",
}  # fmt: skip
FILTERS = tuple(f.name for f in fields(Filters))
address = Address("curate", ("view", "id", "sort", "size", "page", *FILTERS), quiet=("view", "id"))
FLIP_LAB = "pages/explore.py"
_TOLD, _PROBLEM, _TRAIL, _LEAVE = (address.key(name) for name in ("told", "problem", "trail", "leave"))


def start() -> None:
    """Take the address, and go to another page where a button asked for it."""
    address.start()
    page, query = st.session_state.pop(_LEAVE, ("", {}))
    if query:
        state.forget()
    if page:
        st.switch_page(page, query_params=query)


def open_pair(query: dict[str, str]) -> None:
    """A button was pressed: open the Flip lab at that address."""
    st.session_state[_LEAVE] = (FLIP_LAB, query)


def go_to(page: str) -> None:
    """A button was pressed: open that page as it was left."""
    st.session_state[_LEAVE] = (page, {})


def filters() -> Filters:
    """The filters remembered."""
    return Filters.parse(address.values())


def set_filters(new: Filters) -> None:
    """Remember these filters instead of the former."""
    address.put(**(dict.fromkeys(FILTERS, "") | new.address()))
    address.renew()


def act(work: Callable[..., Any], *args: Any) -> None:
    """A button's callback: do the work; what goes wrong is shown by the run that follows, what it returns as text is told."""
    try:
        told = work(*args)
    except RobustNLIError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    if isinstance(told, str) and told:
        st.session_state[_TOLD] = told


def tell() -> None:
    """Show what the last callback said or what went wrong in it, once."""
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.error(escape_markdown(problem), icon=":material/error:")
    if told := st.session_state.pop(_TOLD, ""):
        st.toast(escape_markdown(told), icon=":material/check:")


def go(uid: str) -> None:
    """Look at that entry."""
    address.put(id=uid)


def open_entry(uid: str) -> None:
    """Look at that entry in the review."""
    address.put(id=uid, view="")


def left(uid: str) -> None:
    """An entry was judged and left behind; `come_back` finds it."""
    st.session_state[_TRAIL] = [*st.session_state.get(_TRAIL, [])[-99:], uid]


def come_back() -> None:
    """Look again at the entry that was left last."""
    if trail := st.session_state.get(_TRAIL):
        go(trail.pop())


def forget_trail() -> None:
    """What was done since cannot be followed back step by step: stay where the reader is."""
    st.session_state.pop(_TRAIL, None)


def value(name: str, uid: str = "") -> str:
    """What a text field of the page holds, and its callback key: see `field`."""
    return str(st.session_state.get(field(name, uid)) or "")


def field(name: str, uid: str = "") -> str:
    """The key of a field: one for each entry, so that what is typed for one is not seen at the next."""
    return address.key(f"f.{name}.{uid}")


def clear(name: str, uid: str = "") -> None:
    """Empty a field."""
    st.session_state.pop(field(name, uid), None)


def open_view(name: str) -> None:
    """Open a part of the page."""
    address.put(view="" if name == "review" else name)


def upload() -> str:
    """The key of the upload: another one after each import, so that it is empty again."""
    return address.clicked("upload")


def renew() -> None:
    """Uploads and tables forget what was chosen in them."""
    address.renew()


def remember_again(drifts: list[Any]) -> None:
    """What the last replay found, for as long as the session lasts."""
    st.session_state[address.key("again")] = drifts


def asked_again() -> list[Any]:
    """What `remember_again` was told last."""
    return list(st.session_state.get(address.key("again"), []))
