"""Replay: the entries predicted again with the checkpoints that are here now, beside what they said when each entry was made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from robustnli import exchange
from robustnli.exchange import Again, Drift
from robustnli.figures import escape_markdown
from robustnli.store import Query
from robustnli.ui import cached, problems
from robustnli.ui.curate import asking
from robustnli.ui.curate.state import asked_again, field, open_entry, remember_again

MOST = 2000  # entries predicted in the page: more are a minute's work and belong to the command line
ROWS = 200


def again_ui(found: Sequence[str]) -> None:
    """Draw which models are asked, the button, and for each model what moved."""
    usable = list(asking.at_hand())
    if not usable:
        st.info("No usable checkpoint was found: nothing can be asked again.", icon=":material/folder_off:")
        return
    st.markdown(
        "Does what flipped a model then still flip it? Both pairs of each entry are predicted again with the checkpoints that are here now."
    )
    names = st.multiselect("Models", usable, usable[: asking.DEFAULT], key=field("models"))
    n = min(len(found), MOST)
    if n < len(found):
        st.caption(f"The first {n:,} of {len(found):,} entries that fit the filters; `robustnli replay` takes them all.")
    if st.button(f"Replay {n:,} entries", icon=":material/replay:", type="primary", disabled=not names, key="curate.replay"):
        with problems.shown():
            remember_again(_replay(found[:n], names))
    for drift in asked_again():
        _drift(drift)


def _replay(uids: Sequence[str], names: Sequence[str]) -> list[Drift]:
    entries = cached.store().entries(Query(uids=tuple(uids), order="oldest"))
    checkpoints = asking.at_hand()
    bar = st.progress(0.0, text="Asking the models")
    out = []
    for number, name in enumerate(names):
        checkpoint = checkpoints[name]

        def told(done: int, number: int = number, name: str = name) -> None:
            bar.progress((number + done / len(entries)) / len(names), text=f"{escape_markdown(name)}: {done:,} of {len(entries):,}")

        out.append(exchange.replay(entries, name, checkpoint.fingerprint, partial(asking.predict, checkpoint), progress=told))
    bar.empty()
    return out


def _drift(drift: Drift) -> None:
    st.markdown(f"##### {escape_markdown(drift.model)}")
    moved = sorted(drift.rows, key=lambda r: (not (r.no_longer or r.newly), -r.moved))
    icon = "trending_down" if drift.no_longer else "trending_up" if drift.newly else "check"
    tell = st.warning if drift.no_longer or drift.newly else st.success
    tell(escape_markdown(drift.summary), icon=f":material/{icon}:")
    shown = moved[:ROWS]
    key = field("drift", drift.model)
    picked = st.dataframe(
        pd.DataFrame([_row(r) for r in shown]), hide_index=True, width="stretch", key=key, selection_mode="single-row", on_select="rerun",
        height=min(38 + 35 * len(shown), 400), alt=f"Entries and what {drift.model} said then and says now",
        column_config={"moved": st.column_config.NumberColumn(format="%.3f", help="The largest change of a probability")},
    )  # fmt: skip
    at = picked["selection"]["rows"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Review the chosen one", key=f"curate.drift.{drift.model}", icon=":material/rate_review:", type="tertiary", disabled=not at,
            on_click=open_entry, args=(shown[at[0]].entry.uid if at and at[0] < len(shown) else "",),
        )  # fmt: skip
        if len(moved) > ROWS:
            st.caption(f"The {ROWS} that moved most, of {len(moved):,}.")


def _row(row: Again) -> dict[str, Any]:
    then = "" if row.then is None else f"{row.then.before.label.text} → {row.then.after.label.text}"
    state = "no longer flips" if row.no_longer else "newly flips" if row.newly else "flips" if row.now.flipped else "holds"
    label = row.entry.gold_after
    return {
        "now": state, "edited hypothesis": row.entry.edited.hypothesis, "said then": then,
        "says now": f"{row.now.before.label.text} → {row.now.after.label.text}", "moved": row.moved,
        "right": "" if label is None else "✓" if row.right_now else "✗", "label": label.text if label is not None else "",
    }  # fmt: skip
