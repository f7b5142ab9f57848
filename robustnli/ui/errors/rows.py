"""The rows: searched, filtered, sorted, one page at a time; each opens in the Flip lab, all can be saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from robustnli import browse
from robustnli.browse import PAGE_SIZES, SORTS, Filters, View
from robustnli.charts import COLOURS
from robustnli.discover import Difference
from robustnli.evidence import Run
from robustnli.figures import escape_markdown
from robustnli.marked import Span, card
from robustnli.slices import STANDARD, Slice
from robustnli.types import LABELS, Pair
from robustnli.ui import slice_lab
from robustnli.ui import state as app_state
from robustnli.ui.errors import inputs, keeping, state
from robustnli.ui.errors.keeping import Keeping
from robustnli.ui.errors.state import address

FLIP_LAB = "pages/explore.py"


def browser(seen: View, filters: Filters, kept: np.ndarray, run: Run) -> None:
    """The search, the filters, and the page of the rows kept by them."""
    inputs.row_filters(seen, filters)
    pages(seen, filters, kept, run)


def of_difference(seen: View, filters: Filters, kept: np.ndarray, difference: Difference, run: Run) -> None:
    """The rows of a found difference that fulfil the filters, below a button that lets go of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{int((kept & difference.rows).sum()):,}** rows of", width="content")
        st.button(
            escape_markdown(difference.counts.slice), key="errors.x.differ", icon=":material/close:", help="Let go of this slice",
            on_click=state.choose_difference, args=("",),
        )  # fmt: skip
    pages(seen, filters, kept & difference.rows, run)


def pages(seen: View, filters: Filters, kept: np.ndarray, run: Run) -> None:
    """One page of the rows kept, what sorts and saves them, and what turns the page."""
    if not kept.any():
        st.info("No row fulfils all filters. Remove one of them.", icon=":material/filter_alt_off:")
        return
    keep = keeping.begin(seen, run)
    at, number, last, size = _paged(seen, kept, keep)
    known = {part.name: part for part in (*STANDARD, *slice_lab.own_slices())}
    st.caption(
        "Highlighted: what put the row into its slice. Dashed frame: words that an attack masked. Bars: entailment (blue), neutral (orange), "
        "contradiction (pink)."
    )
    for position in at:
        _row(seen, int(position), filters, known, keep)
    if last > 1:
        _pagination(number, last)
        st.caption(f"Rows {(number - 1) * size + 1:,} to {(number - 1) * size + len(at):,} of {int(kept.sum()):,}")


def _paged(seen: View, kept: np.ndarray, keep: Keeping) -> tuple[np.ndarray, int, int, int]:
    """The page's positions, its number, how many pages, rows a page; draws what chooses them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sort = address.select("Sort", "sort", list(SORTS), "order", format_func=lambda s: SORTS[s][0], width=340)
        size = int(address.select("Rows a page", "size", PAGE_SIZES, str(PAGE_SIZES[0]), width=120))
        ordered = browse.order(seen, kept, sort)
        st.download_button(
            "Download these rows", lambda: browse.csv(browse.export(seen, ordered)), "robustnli-rows.csv", "text/csv", on_click="ignore",
            key="errors.rows.csv", icon=":material/download:", help="All rows that fulfil the filters, as CSV",
        )  # fmt: skip
        keeping.many(keep, ordered)
    asked = address.get("page")
    at, number, pages = browse.page(ordered, int(asked) if asked.isdecimal() and len(asked) < 7 else 1, size)
    return at, number, pages, size


def _pagination(number: int, pages: int) -> None:
    st.pagination(pages, key=address.widget("page", number), on_change=address.changed("page", lambda v: "" if v == 1 else str(v)))


def _row(seen: View, position: int, filters: Filters, known: Mapping[str, Slice], keep: Keeping) -> None:
    row = {str(name): value for name, value in seen.table.iloc[position].items()}
    with st.container(border=True):
        st.html(card(row, (seen.older, seen.newer), COLOURS[row["outcome"]], _cues(row, filters, known)))
        if isinstance(row["premise"], str):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    "Open in Flip lab", key=f"errors.open.{position}", icon=":material/swap_horiz:", type="tertiary",
                    on_click=_ask, args=(seen, row),
                )  # fmt: skip
                keeping.one(keep, position)


def _cues(row: Mapping[str, Any], filters: Filters, known: Mapping[str, Slice]) -> Iterable[Span]:
    """What put the row into its slice: the suite's deciding words, else the cue words of the filtered slice, or of all its slices."""
    deciding = row.get("deciding") if filters.slice in ("", row.get("slice")) else None
    if deciding is not None and len(deciding):
        return [(d["segment"], int(d["start"]), int(d["end"])) for d in deciding]
    names = [filters.slice] if filters.slice else row.get("slices", ())
    if not isinstance(row["premise"], str) or not isinstance(row["hypothesis"], str):
        return []
    pair = Pair(row["premise"], row["hypothesis"])
    return [span for name in names if name in known for span in known[name].spans(pair)]


def _ask(seen: View, row: Mapping[str, Any]) -> None:
    state.open_pair(
        {
            app_state.PREMISE: row["premise"], app_state.HYPOTHESIS: row["hypothesis"], app_state.GOLD: LABELS[int(row["gold"])].text,
            app_state.OLDER: seen.older, app_state.NEWER: seen.newer,
        }
    )  # fmt: skip


def opened() -> None:
    """Go to the Flip lab where a row's button asked for it."""
    if query := state.opened_pair():
        app_state.forget()
        st.switch_page(FLIP_LAB, query_params=query)
