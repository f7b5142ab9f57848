"""The filters of the entries as widgets, the chips that remove them, and which part of the page is open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from robustnli.curated import Verdict
from robustnli.figures import escape_markdown
from robustnli.slices import STANDARD
from robustnli.store import Facets
from robustnli.ui import cached, people
from robustnli.ui.curate.card import VERDICT_NAMES
from robustnli.ui.curate.filters import MINE, Filters, join
from robustnli.ui.curate.state import VIEWS, act, address, come_back, set_filters
from robustnli.ui.people import Person

VERDICTS = {verdict.value: VERDICT_NAMES[verdict] for verdict in Verdict}


def view() -> str:
    """Which part of the page is open."""
    return address.segments("Part", "view", list(VIEWS), "review", format_func=VIEWS.__getitem__, label_visibility="collapsed")


def undo_ui(who: Person) -> None:
    """Draw the button that takes back what the reader did last, on every part of the page."""
    done = cached.store().last(who.name) if who.may_write else None
    st.button(
        "Undo", key="curate.undo", icon=":material/undo:", shortcut="Z", type="tertiary", disabled=not done, on_click=act, args=(undo,),
        help=who.why or (f"Takes back: {escape_markdown(done)}" if done else "Nothing of yours is left to undo."),
    )  # fmt: skip


def undo() -> str:
    """Take back the reader's last action, and look at what it was about; told in a sentence."""
    undone = cached.store().undo(people.author())
    if undone is None:
        return "Nothing of yours is left to undo."
    come_back()
    return undone


def filters_ui(facets: Facets, filters: Filters, who: Person) -> None:
    """Draw the search and the filters; each writes into the address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Search", key=address.widget("q", filters.q), live="300ms", on_change=address.changed("q", str), icon=":material/search:",
            placeholder="Words of the pairs or the note", label_visibility="collapsed", width=340,
        )  # fmt: skip
        asked = len(set(filters.items()) - {"q"})
        with st.popover(f"Filters ({asked})" if asked else "Filters", icon=":material/tune:"):
            _several("Outcome", "verdict", {VERDICTS[v.value]: n for v, n in facets.verdicts.items()}, filters.verdict, VERDICTS)
            _several("Tag", "tag", facets.tags, filters.tag)
            names = ["", *(part.name for part in STANDARD)]
            address.select("Slice of the edited pair", "slice", names, "", format_func=lambda s: s or "any")
            _several("Recipe", "recipe", facets.recipes, filters.recipe)
            _several("Flipped model", "flip", facets.models, filters.flip)
            _several("Author", "author", facets.authors, filters.author)
            if who.may_write:
                st.segmented_control(
                    "Only what", list(MINE), key=address.widget("mine", filters.mine or None), format_func=MINE.__getitem__,
                    on_change=address.changed("mine", lambda v: str(v or "")),
                )  # fmt: skip


def _several(label: str, name: str, counts: Mapping[str, int], value: tuple[str, ...], shown: Mapping[str, str] | None = None) -> None:
    """A choice of several values, each with how many entries have it. `shown`: value -> its name in `counts`."""
    options: list[Any] = list(shown or counts)
    options += [v for v in value if v not in options]

    def text(option: str) -> str:
        named = (shown or {}).get(option, option)
        return f"{named} ({counts.get(named, 0):,})"

    address.several(label, name, options, value, join, format_func=text, placeholder="any")


def chips(filters: Filters, found: int, total: int) -> None:
    """The filters at work, each a button that removes it, and how many entries fit."""
    if not filters.items():
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{found:,}** of {total:,} entries", width="content")
        for name, text in filters.told().items():
            st.button(
                escape_markdown(text), key=f"curate.x.{name}", icon=":material/close:", help="Remove this filter", on_click=set_filters,
                args=(filters.without(name),),
            )  # fmt: skip
        if len(filters.items()) > 1:
            st.button("Remove all", type="tertiary", key="curate.x", on_click=set_filters, args=(Filters(),))


def refused() -> None:
    """Say what the address asked for and is not here."""
    for name, value in address.refused():
        st.warning(
            f"The address asks for the {name} {escape_markdown(value[:80])}, which is not here. The default is shown.",
            icon=":material/link_off:",
        )


def nothing(filters: Filters) -> None:
    """Say that no entry fits, and what helps."""
    if filters.mine == "todo" and not filters.without("mine").items():
        st.success("You have judged every entry. Export them, or train on them under Repair.", icon=":material/task_alt:")
    else:
        st.info("No entry fits all filters. Remove one of them.", icon=":material/filter_alt_off:")
