"""The attacks one by one, as cards or as a table: filtered, sorted, paged; each opens in the Flip lab, all can be kept and saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from robustnli import browse
from robustnli.gallery import rows as table_of
from robustnli.gallery.cards import card, masked_only
from robustnli.gallery.rows import SORTS, Filters
from robustnli.gallery.view import View
from robustnli.types import LABELS, Pair
from robustnli.ui import keep
from robustnli.ui import state as app_state
from robustnli.ui.attacks import inputs, state
from robustnli.ui.attacks.state import address

FLIP_LAB = "pages/explore.py"
PAGE_SIZES = ("10", "25", "50", "100")
MOST_KEPT = 500  # rows that one click puts into the curated ones
_AS = {"cards": "Cards", "table": "Table"}


def browser(seen: View, filters: Filters, kept: np.ndarray, budget: int) -> None:
    """The filters, and the page of the rows that they keep."""
    inputs.row_filters(seen, filters)
    if not kept.any():
        st.info("No attack fulfils all filters. Remove one of them.", icon=":material/filter_alt_off:")
        return
    as_table = _shape() == "table"
    at, number, pages, size = _paged(seen, kept, budget)
    ended = seen.status(budget)
    if as_table:
        at = _table(seen, at, ended)
    else:
        st.caption(
            "Struck out: taken from the untouched pair; underlined: put in. Bars: entailment (blue), neutral (orange), contradiction (pink), "
            "before and after the change. ⇄: the model changed its label."
        )
    for position in at:
        _row(seen, int(position), str(ended[position]))
    if pages > 1:
        st.pagination(pages, key=address.widget("page", number), on_change=address.changed("page", lambda v: "" if v == 1 else str(v)))
        first = (number - 1) * size
        st.caption(f"Attacks {first + 1:,} to {min(first + size, int(kept.sum())):,} of {int(kept.sum()):,}")


def _shape() -> str:
    return address.segments("As", "as", list(_AS), "cards", format_func=_AS.__getitem__, label_visibility="collapsed")


def _paged(seen: View, kept: np.ndarray, budget: int) -> tuple[np.ndarray, int, int, int]:
    """The page's positions, its number, how many pages, rows a page; draws what chooses, saves and keeps them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sort = address.select("Sort", "sort", list(SORTS), "moved", format_func=SORTS.__getitem__, width=340)
        size = address.select("A page", "size", PAGE_SIZES, PAGE_SIZES[0], width=90)
        ordered = table_of.order(seen, kept, sort)
        _downloads(seen, ordered)
        _keep_all(seen, kept, budget)
    asked = address.get("page")
    at, number, pages = browse.page(ordered, int(asked) if asked.isdecimal() and len(asked) < 7 else 1, int(size))
    return at, number, pages, int(size)


def _downloads(seen: View, ordered: np.ndarray) -> None:
    name = f"robustnli-attack-{seen.finished.name}"
    st.download_button(
        "CSV", lambda: browse.csv(table_of.export(seen, ordered)), f"{name}.csv", "text/csv", on_click="ignore", key=address.key("csv"),
        icon=":material/download:", help="All attacks that fulfil the filters, with what every model said",
    )  # fmt: skip
    st.download_button(
        "JSONL", lambda: table_of.jsonl(table_of.export(seen, ordered, spreadsheet=False)), f"{name}.jsonl", "application/jsonl",
        on_click="ignore", key=address.key("jsonl"), icon=":material/download:", help="The same as JSON lines",
    )  # fmt: skip


def _keep_all(seen: View, kept: np.ndarray, budget: int) -> None:
    """Those of the kept rows that broke their model, into the curated ones, at most `MOST_KEPT` at a time."""
    broken = np.flatnonzero(table_of.broken_rows(seen, kept, budget))
    n = min(len(broken), MOST_KEPT)
    what = f"the first {n:,} of {len(broken):,}" if n < len(broken) else f"all {n:,}"
    keep.keep_button(
        lambda: table_of.entries(seen, broken[:MOST_KEPT]), f"Keep {what} broken", key=address.key("keep.all"),
        disabled="" if n else "None of these attacks broke its model.",
    )  # fmt: skip


def _table(seen: View, at: np.ndarray, ended: np.ndarray) -> np.ndarray:
    """The page as a table; the positions of the row chosen in it, to be drawn as a card."""
    names, rows = np.array(browse.LABEL_NAMES, dtype=object), seen.table.iloc[at]
    frame = pd.DataFrame(
        {
            "attack on": rows["model"].to_numpy(), "ended": ended[at], "gold": names[rows["gold"].to_numpy(dtype=int)],
            "says then": names[table_of.own_label(seen, "after")[at]], "first word": rows["word"].to_numpy(),
            "changed hypothesis": rows["edited_hypothesis"].to_numpy(), "premise": rows["edited_premise"].to_numpy(),
            "new gold label": rows["label"].fillna("unconfirmed").to_numpy(), "queries": rows["tried"].to_numpy(),
        }
    )  # fmt: skip
    key = address.clicked("table")
    picked = st.dataframe(
        frame, hide_index=True, width="stretch", key=key, selection_mode="single-row", on_select="rerun", alt="One row an attack"
    )  # fmt: skip
    st.caption("Choose a row's box to see it whole, open it in the Flip lab, or keep it.")
    chosen = [at[i] for i in picked["selection"]["rows"] if i < len(at)]
    return np.array(chosen, dtype=int)


def _row(seen: View, position: int, ended: str) -> None:
    row = {str(name): value for name, value in seen.table.iloc[position].items()}
    said = {m: (seen.probs[f"before.{m}"][position].tolist(), seen.probs[f"after.{m}"][position].tolist()) for m in seen.models}
    with st.container(border=True):
        st.html(card(seen, row, said, ended))
        if not isinstance(row["premise"], str):
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Open in Flip lab", key=address.key(f"open.{position}"), icon=":material/swap_horiz:", type="tertiary",
                on_click=_ask, args=(seen, row),
            )  # fmt: skip
            keep.keep_button(lambda: table_of.entries(seen, [position]), "Keep", key=address.key(f"keep.{position}"))


def _ask(seen: View, row: dict[str, Any]) -> None:
    """The Flip lab's address: the untouched pair with its words masked, or, where words were not masked, the changed pair."""
    masked = masked_only(row["edits"])
    untouched, changed = Pair(row["premise"], row["hypothesis"]), Pair(row["edited_premise"], row["edited_hypothesis"])
    pair = untouched if masked else changed
    ids = app_state.word_ids(untouched)
    numbers = [int(n) for n in row["words"]]
    words = [ids.get((("premise", "hypothesis")[numbers[i]], numbers[i + 1]), "") for i in range(0, len(numbers), 4)]  # type: ignore[call-overload]
    other = next((m for m in seen.models if m != row["model"]), row["model"])
    gold = LABELS[int(row["gold"])].text if masked or not any(row["edits"]) else row["label"]
    query = {app_state.PREMISE: pair.premise, app_state.HYPOTHESIS: pair.hypothesis, app_state.GOLD: gold or ""}
    models = sorted((str(row["model"]), str(other)), key=seen.models.index)
    query |= {app_state.OLDER: models[0], app_state.NEWER: models[1], "m": "-".join(filter(None, words)) if masked else ""}
    state.open_pair({name: text for name, text in query.items() if text or name in (app_state.PREMISE, app_state.HYPOTHESIS)})


def opened() -> None:
    """Go to the Flip lab where a row's button asked for it."""
    if query := state.opened_pair():
        app_state.forget()
        st.switch_page(FLIP_LAB, query_params=query)
