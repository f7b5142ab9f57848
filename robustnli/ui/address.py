"""What a page remembers: one dict of texts, which is at once its address. Widgets are drawn from it and write into it when touched.

The address is read when a session starts, and again when it changed without any widget having been touched: that is the browser's
back, or a link. Values that stand for a default are left out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

from robustnli.ui import state


class Address:
    """The memory of one page. `choices`: the names it may hold; `quiet`: those whose change leaves the page of rows (`page`) as it is."""

    def __init__(self, prefix: str, choices: Collection[str], quiet: Collection[str] = ()):
        self.prefix, self.choices, self.quiet = prefix, tuple(choices), {"page", *quiet}

    def key(self, name: str) -> str:
        """A session key of this page's own."""
        return f"{self.prefix}.{name}"

    def start(self) -> None:
        """Take the address where it says something new: at first, after the browser's back, by a link from another page."""
        now = {name: value for name, value in st.query_params.to_dict().items() if name in self.choices and value}
        touched = st.session_state.pop(self.key("touched"), False)
        came = state.entered() and not now
        known = self.key("state") in st.session_state
        if not known or (not touched and not came and now != st.session_state.get(self.key("written"))):
            st.session_state[self.key("state")] = now
            self.renew()

    def values(self) -> dict[str, str]:
        """All that is remembered."""
        return dict(st.session_state[self.key("state")])

    def get(self, name: str, default: str = "") -> str:
        """A remembered text."""
        return str(st.session_state[self.key("state")].get(name) or default)

    def put(self, **values: str) -> None:
        """Remember texts ("" forgets one); another page of rows than the first survives no other change."""
        st.session_state[self.key("touched")] = True
        kept = st.session_state[self.key("state")] | values
        if set(values) - self.quiet:
            kept.pop("page", None)
        st.session_state[self.key("state")] = {k: v for k, v in kept.items() if v}

    def settle(self, name: str, value: str) -> None:
        """Remember a text that the page chose itself, while it is drawn: no widget was touched."""
        kept = st.session_state[self.key("state")] | {name: value}
        st.session_state[self.key("state")] = {k: v for k, v in kept.items() if v}

    def one_of(self, name: str, options: Collection[str], default: str) -> str:
        """The remembered choice where it is on offer, else the default; one that is not on offer is forgotten and told by `refused`."""
        value = self.get(name)
        if value and value not in options:
            st.session_state[self.key("state")].pop(name)
            st.session_state[self.key("refused")] = [*st.session_state.get(self.key("refused"), []), (name, value)]
        return value if value in options else default

    def refused(self) -> list[tuple[str, str]]:
        """(name, value) of what the address asked for and `one_of` did not find, since this was last asked."""
        return list(st.session_state.pop(self.key("refused"), []))

    def widget(self, name: str, value: Any) -> str:
        """The key of a widget that shows `value` now."""
        key = self.key(f"w.{name}")
        if key not in st.session_state or st.session_state[key] != value:
            st.session_state[key] = value
        return key

    def changed(self, name: str, text: Callable[[Any], str]) -> Callable[[], None]:
        """A callback: remember what the widget of that name shows, as `text` writes it."""
        return lambda: self.put(**{name: text(st.session_state[self.key(f"w.{name}")])})

    def renew(self) -> None:
        """Charts and tables that were clicked forget it, so that the same place can be clicked again."""
        st.session_state[self.key("version")] = st.session_state.get(self.key("version"), 0) + 1

    def clicked(self, name: str) -> str:
        """The key of a chart or table that can be clicked."""
        return self.key(f"c.{name}.{st.session_state.get(self.key('version'), 0)}")

    def write_url(self) -> None:
        """Put what is remembered into the address; a step back in the browser then undoes the last change."""
        values = self.values()
        if values != st.query_params.to_dict():
            st.query_params.from_dict(values)
        st.session_state[self.key("written")] = values
