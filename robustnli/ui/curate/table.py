"""All entries that fit as a table, a page at a time; those chosen in it, or all that fit, are judged, tagged or removed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast, get_args

import pandas as pd
import streamlit as st

from robustnli.curated import Entry, Verdict
from robustnli.errors import InputError
from robustnli.store import Query
from robustnli.store.query import Order
from robustnli.types import LABELS, Label
from robustnli.ui import cached, keep, people
from robustnli.ui.curate import card, edit
from robustnli.ui.curate.filters import Filters
from robustnli.ui.curate.review import hidden_from
from robustnli.ui.curate.state import act, address, field, forget_trail, open_entry, value
from robustnli.ui.people import Person

SIZES = (25, 50, 100)
ORDERS = {"newest": "newest first", "oldest": "oldest first", "changed": "changed last, first"}


def table_ui(who: Person, filters: Filters) -> None:
    """Draw the page of the table, what turns it, and what can be done with the rows."""
    order, size = _order(), _size()
    found = cached.curated(_ordered(filters.query(who.name), order), filters.slice)
    number, pages = _page(len(found), size)
    part = found[(number - 1) * size : number * size]
    entries = cached.store().entries(Query(uids=part, order=order))
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    picked = st.dataframe(
        frame(who, entries), hide_index=True, width="stretch", key=address.clicked("table"), selection_mode="multi-row", on_select="rerun",
        height=min(38 + 35 * max(1, len(entries)), 720), alt="One row an entry",
        column_config={"edited hypothesis": st.column_config.TextColumn(width="large"), "premise": st.column_config.TextColumn(width="medium")},
    )  # fmt: skip
    chosen = [entries[i] for i in picked["selection"]["rows"] if i < len(entries)]
    with bar:
        _choices()
        _actions(who, chosen, found)
    with st.container(horizontal=True, vertical_alignment="center"):
        if pages > 1:
            st.pagination(pages, key=address.widget("page", number), on_change=address.changed("page", lambda v: "" if v == 1 else str(v)))
        st.caption(
            f"Entries {(number - 1) * size + 1:,} to {(number - 1) * size + len(part):,} of {len(found):,}. Choose rows by their boxes."
        )
    _agreement(who, filters)


def _agreement(who: Person, filters: Filters) -> None:
    """How many entries have two readers or more, and how often they agree; a slice is no part of that count."""
    several, alike = cached.agreement(filters.query(who.name))
    if several and not filters.slice:
        st.caption(
            f":material/handshake: {several:,} of them have two readers or more, who agree on {alike:,} ({100 * alike / several:.0f} %)."
        )


def _ordered(query: Query, order: Order) -> Query:
    return replace(query, order=order)


def _order() -> Order:
    return cast(Order, address.one_of("sort", get_args(Order), "newest"))


def _size() -> int:
    return int(address.one_of("size", [str(n) for n in SIZES], str(SIZES[1])))


def _page(count: int, size: int) -> tuple[int, int]:
    """(number of the page asked for, or the last one there is; how many there are)."""
    asked, pages = address.get("page"), max(1, -(-count // size))
    return min(int(asked) if asked.isdecimal() and 0 < len(asked) < 7 and int(asked) else 1, pages), pages


def frame(who: Person, entries: Sequence[Entry]) -> pd.DataFrame:
    """The rows of the table: text as plain text; a verdict that the reader must not see yet is hidden."""
    rows: list[dict[str, Any]] = []
    for entry in entries:
        verdict = "hidden until you judge" if hidden_from(who, entry) else card.said_of(entry.verdict, entry.gold_after)
        rows.append(
            {
                "outcome": verdict, "edited hypothesis": entry.edited.hypothesis, "premise": entry.edited.premise,
                "label before": entry.gold_before.text if entry.gold_before is not None else "",
                "flipped": ", ".join(s.model for s in entry.said if s.flipped), "recipe": entry.recipe, "tags": ", ".join(entry.tags),
                "author": entry.author, "readers": len(entry.opinions), "added": entry.created[:16].replace("T", " "),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _choices() -> None:
    address.select("Sort", "sort", list(ORDERS), "newest", format_func=ORDERS.__getitem__, width=190, label_visibility="collapsed")
    address.select(
        "Entries a page", "size", SIZES, str(SIZES[1]), format_func=lambda n: f"{n} a page", width=110, label_visibility="collapsed"
    )


def _actions(who: Person, chosen: Sequence[Entry], found: Sequence[str]) -> None:
    st.button(
        "Review", icon=":material/rate_review:", key="curate.open", disabled=not chosen, on_click=open_entry,
        args=(chosen[0].uid if chosen else "",), help="Opens the first chosen row" if chosen else "Choose a row by its box first",
    )  # fmt: skip
    uids = [entry.uid for entry in chosen] or list(found)
    what = f"the {len(chosen):,} chosen" if len(chosen) > 1 else "the chosen one" if chosen else f"all {len(found):,}"
    with st.popover(f"Act on {what}", icon=":material/checklist:", disabled=not who.may_write, help=who.why or None):
        st.caption(f"Each of these acts on {what}{'' if chosen else ' that fit the filters'}. Undo takes it back as a whole.")
        with st.container(horizontal=True):
            for label, icon, verdict in (
                ("Accept", "check", Verdict.KEEP), ("Unsure", "help", Verdict.UNSURE), ("Reject", "close", Verdict.REJECT),
                ("Take my verdict back", "undo", Verdict.PENDING),
            ):  # fmt: skip
                st.button(
                    label, key=f"curate.bulk.{verdict.value}", icon=f":material/{icon}:", on_click=act, args=(partial(_judge, uids, verdict, None),)
                )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            names = [label.text for label in LABELS]
            label = st.selectbox("The label is now", names, key=field("bulk.label"), width=180)
            st.button("Relabel", key="curate.bulk.relabel", icon=":material/swap_horiz:", on_click=act,
                      args=(partial(_judge, uids, Verdict.RELABEL, LABELS[names.index(label)]),))  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Tags", key=field("bulk.tags"), placeholder="negation, for the talk", width=220, max_chars=400)
            st.button("Add", key="curate.bulk.tag", icon=":material/sell:", on_click=act, args=(partial(_tag, uids, True),))
            st.button("Take away", key="curate.bulk.untag", icon=":material/label_off:", on_click=act, args=(partial(_tag, uids, False),))
        st.button("Remove", key="curate.bulk.remove", icon=":material/delete:", on_click=act, args=(partial(edit.remove, uids),))


def _judge(uids: Sequence[str], verdict: Verdict, label: Label | None) -> str:
    cached.store().judge(uids, people.author(), verdict, label)
    forget_trail()
    return f"{len(uids):,} judged: {card.said_of(verdict, label)}"


def _tag(uids: Sequence[str], adds: bool) -> str:
    tags = keep.clean_tags(value("bulk.tags").split(","))
    if not tags:
        raise InputError("no tag was typed. Type one or more, separated by commas.")
    cached.store().tag(uids, people.author(), **{"add" if adds else "remove": tags})
    return f"{len(uids):,} {'tagged' if adds else 'no longer tagged'}: {', '.join(tags)}"
