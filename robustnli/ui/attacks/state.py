"""The address of the attacks page, and what it remembers besides. Every session key of that page is made here."""

from __future__ import annotations

from dataclasses import fields

import streamlit as st

from robustnli.gallery.rows import Filters
from robustnli.gallery.view import View
from robustnli.ui.address import Address

FILTERS = tuple(f.name for f in fields(Filters))
_CHOICES = ("data", "recipe", "run", "k", "view", "as", "sort", "size", "page", "picture", "of", *FILTERS)
address = Address("attacks", _CHOICES, quiet=("view", "as", "picture", "of"))
_OPEN = address.key("open")


def filters(seen: View) -> Filters:
    """The filters remembered, as far as the view can have them."""
    return Filters.parse(address.values(), seen)


def set_filters(new: Filters, **more: str) -> None:
    """Remember these filters instead of the former, and other texts with them."""
    address.put(**(dict.fromkeys(FILTERS, "") | new.query() | more))
    address.renew()


def show(data: str, recipe: str, run: str = "") -> None:
    """Open another finished attack; the filters of the one before mean nothing there."""
    set_filters(Filters(), data=data, recipe=recipe, run=run, k="", view="", page="")


def open_pair(query: dict[str, str]) -> None:
    """A row's button was pressed: the Flip lab's address of its pair."""
    st.session_state[_OPEN] = query


def opened_pair() -> dict[str, str]:
    """What `open_pair` was told since this was last asked; {} for nothing."""
    return dict(st.session_state.pop(_OPEN, {}))


def form(name: str) -> str:
    """The key of a widget of the form that runs an attack."""
    return address.key(f"run.{name}")
