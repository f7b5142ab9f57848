"""What a page remembers: one dict of texts, which is at once its address. Widgets are drawn from it and write into it when touched.

The address is read when a session starts, and again when it changed without any widget having been touched: that is the browser's
back, or a link. Values that stand for a default are left out of it.

A choice is drawn with its value as the widget's own default, too: a run that is interrupted while it draws leaves a widget in the browser that
knows only its default, and would answer with that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from robustnli.ui import state


class Address:
    """The memory of one page. `choices`: the names it may hold; `quiet`: those whose change leaves the page of rows (`page`) as it is.

    `ends`: a name -> those whose change makes it mean nothing, so that it is forgotten.
    """

    def __init__(
        self, prefix: str, choices: Collection[str], quiet: Collection[str] = (), ends: Mapping[str, Collection[str]] | None = None
    ):
        self.prefix, self.choices, self.quiet = prefix, tuple(choices), {"page", *quiet}
        self.ends = {name: {*others} for name, others in (ends or {}).items()}

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
            self.begin(**now)

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
        for name, others in self.ends.items():
            if others & set(values):
                kept.pop(name, None)
        st.session_state[self.key("state")] = {k: v for k, v in kept.items() if v}

    def begin(self, **values: str) -> None:
        """Forget all else, and remember these texts, as if the address had asked for them."""
        st.session_state[self.key("state")] = {k: v for k, v in values.items() if v}
        self.renew()

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

    def select(self, label: str, name: str, options: Sequence[Any], default: str, **more: Any) -> str:
        """Draw a selectbox of options whose `str` is remembered, the default left out; returns the text of the one chosen."""
        value = self.one_of(name, [str(option) for option in options], default)
        chosen = next(option for option in options if str(option) == value)
        st.selectbox(
            label, options, options.index(chosen), key=self.widget(name, chosen),
            on_change=self.changed(name, lambda v: "" if str(v) == default else str(v)), **more,
        )  # fmt: skip
        return value

    def segments(self, label: str, name: str, options: Sequence[str], default: str, **more: Any) -> str:
        """Draw a segmented control one part of which is always chosen, the default left out of the address; returns the one chosen."""
        value = self.one_of(name, options, default)
        st.segmented_control(
            label, options, default=value, key=self.widget(name, value), required=True,
            on_change=self.changed(name, lambda v: "" if v in (None, default) else str(v)), **more,
        )  # fmt: skip
        return value

    def several(
        self, label: str, name: str, options: Sequence[str], value: Sequence[str], text: Callable[[list[str]], str], **more: Any
    ) -> None:
        """Draw a choice of several options, `value` those chosen now; what is touched is remembered as `text` writes it."""
        st.multiselect(label, options, list(value), key=self.widget(name, list(value)), on_change=self.changed(name, text), **more)

    def renew(self) -> None:
        """Charts and tables that were clicked forget it, so that the same place can be clicked again."""
        st.session_state[self.key("version")] = st.session_state.get(self.key("version"), 0) + 1

    def clicked(self, name: str) -> str:
        """The key of a chart or table that can be clicked."""
        return self.key(f"c.{name}.{st.session_state.get(self.key('version'), 0)}")

    def write_url(self, **more: str) -> None:
        """Put what is remembered (and more, of another memory) into the address; a step back in the browser then undoes the last change."""
        values = self.values()
        if values | more != st.query_params.to_dict():
            st.query_params.from_dict(values | more)
        st.session_state[self.key("written")] = values
