"""Rows put into the curated examples: one by one, or all that fulfil the filters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from robustnli import rowentries
from robustnli.browse import View
from robustnli.figures import escape_markdown
from robustnli.ui import keep

MOST = 500  # rows that one click keeps


def breaking(seen: View) -> dict[str, np.ndarray]:
    """The newer and the older model -> which rows may be kept with the one word masked that broke it, (n,) bool."""
    return {model: rowentries.maskable(seen, model) for model in (seen.newer, seen.older)}


def one(seen: View, position: int, fingerprints: Mapping[str, str], broken: Mapping[str, np.ndarray]) -> None:
    """The buttons of a row: keep it as it is; and with the word masked that broke the newer model, else the older, where one did."""
    key = f"errors.{seen.table['uid'].iloc[position]}.{position}"
    keep.keep_button(lambda: rowentries.entries(seen, [position], fingerprints), "Keep", key=key)
    model = next((model for model, rows in broken.items() if rows[position]), "")
    if model:
        keep.keep_button(
            lambda: rowentries.entries(seen, [position], fingerprints, masked=model), f"Keep as masked against {escape_markdown(model)}",
            key=f"{key}.masked",
        )  # fmt: skip


def many(seen: View, ordered: np.ndarray, fingerprints: Mapping[str, str]) -> None:
    """A closed box that keeps the rows of the filters in the order shown, at most `MOST`, once it is said that this is meant."""
    with st.popover("Keep these rows", icon=":material/bookmark_add:"):
        forms = {"": "as they are"} | {m: f"masked, where one mask broke {m}" for m in (seen.newer, seen.older)}
        form = st.radio("In which form", list(forms), format_func=forms.__getitem__, key="errors.keep.form")
        usable = rowentries.maskable(seen, form) if form else seen.table["premise"].notna().to_numpy()
        chosen = ordered[usable[ordered]]
        n = min(len(chosen), MOST)
        more = (
            f" The first {n:,} of {len(chosen):,} in the order shown; narrow the filters, or keep them in parts." if n < len(chosen) else ""
        )
        st.caption("They go into Curate as not judged: no label counts before a person has confirmed it." + more)
        sure = st.checkbox(f"Yes, keep {n:,} row{'' if n == 1 else 's'}", key=f"errors.keep.sure.{form}.{n}.{len(chosen)}", disabled=not n)
        why = "" if sure else "No row here can be kept in this form." if not n else "Tick the box first."
        keep.keep_button(
            lambda: rowentries.entries(seen, chosen[:MOST], fingerprints, masked=form), "Keep them", key="errors.keep.many", disabled=why
        )  # fmt: skip
