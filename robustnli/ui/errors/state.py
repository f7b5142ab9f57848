"""The address of the error explorer, and what it remembers besides. Every session key of that page is made here."""

from __future__ import annotations

import streamlit as st

from robustnli.browse import Filters, View
from robustnli.evidence import Texts
from robustnli.ui import slice_state
from robustnli.ui.address import Address

FILTERS = ("slice", "outcome", "label", "was", "said", "sure", "words", "phenomenon", "part", "q")
DATA = ("run", "split", "older", "newer")
_CHOICES = (*DATA, "of", "show", "picture", "view", "sort", "size", "page", "differ", *FILTERS)
address = Address("errors", _CHOICES, quiet=("picture", "view"), ends={"differ": DATA})  # a difference is one of other rows then
_TEXTS, _OPEN, _OWN, _JOB, _TOLD, _SEEN = (address.key(name) for name in ("texts", "open", "own", "job", "told", "seen"))


def filters(seen: View) -> Filters:
    """The filters remembered, as far as the view can have them."""
    address.one_of("slice", seen.members, "")
    return Filters.parse(address.values(), seen)


def set_filters(new: Filters, **more: str) -> None:
    """Remember these filters instead of the former, and other texts with them."""
    address.put(**(dict.fromkeys(FILTERS, "") | new.query() | more))
    address.renew()


def write_url() -> None:
    """Put what is remembered, and the user's own slices, into the address."""
    address.write_url(**slice_state.address())


def choose_difference(text: str) -> None:
    """Remember which of the found differences is looked at; "" for none."""
    address.put(differ=text)


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
    address.begin(**(address.values() if keep else {}) | {"run": name})


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
