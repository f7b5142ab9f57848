"""Rows put into the curated examples: one by one, or all that fulfil the filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from robustnli import rowentries
from robustnli.browse import View
from robustnli.evidence import Run
from robustnli.figures import escape_markdown
from robustnli.ui import keep, people
from robustnli.ui.people import Person

MOST = 500  # rows that one click keeps


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the buttons of one run of the page share: the rows, the checkpoints' fingerprints, which rows one mask broke, who is here."""

    seen: View
    fingerprints: Mapping[str, str]
    broken: Mapping[str, np.ndarray]
    who: Person


def begin(seen: View, run: Run) -> Keeping:
    """Ask once what every row's buttons need. A model's breaking mask is offered for the newer one before the older."""
    broken = {model: rowentries.maskable(seen, model) for model in (seen.newer, seen.older)}
    return Keeping(seen, {model: run.fingerprints[model] for model in (seen.older, seen.newer)}, broken, people.person())


def one(what: Keeping, position: int) -> None:
    """The buttons of a row: keep it as it is; and with the word masked that broke the newer model, else the older, where one did."""
    key = f"errors.{what.seen.table['uid'].iloc[position]}.{position}"
    with st.container(width="content"):
        keep.keep_button(lambda: rowentries.entries(what.seen, [position], what.fingerprints), "Keep", key=key, who=what.who)
    model = next((model for model, rows in what.broken.items() if rows[position]), "")
    if model:
        with st.container(width="content"):
            keep.keep_button(
                lambda: rowentries.entries(what.seen, [position], what.fingerprints, masked=model),
                f"Keep as masked against {escape_markdown(model)}", key=f"{key}.masked", who=what.who,
            )  # fmt: skip


def many(what: Keeping, ordered: np.ndarray) -> None:
    """A closed box that keeps the rows of the filters in the order shown, at most `MOST`, once it is said that this is meant."""
    seen = what.seen
    with st.popover("Keep these rows", icon=":material/bookmark_add:"):
        forms = {"": "as they are"} | {m: f"masked, where one mask broke {m}" for m in (seen.newer, seen.older)}
        form = st.radio("In which form", list(forms), format_func=forms.__getitem__, key="errors.keep.form")
        usable = what.broken[form] if form else seen.table["premise"].notna().to_numpy()
        chosen = ordered[usable[ordered]]
        n = min(len(chosen), MOST)
        more = (
            f" The first {n:,} of {len(chosen):,} in the order shown; narrow the filters, or keep them in parts." if n < len(chosen) else ""
        )
        st.caption("They go into Curate as not judged: no label counts before a person has confirmed it." + more)
        sure = st.checkbox(f"Yes, keep {n:,} row{'' if n == 1 else 's'}", key=f"errors.keep.sure.{form}.{n}.{len(chosen)}", disabled=not n)
        why = "" if sure else "No row here can be kept in this form." if not n else "Tick the box first."
        keep.keep_button(
            lambda: rowentries.entries(seen, chosen[:MOST], what.fingerprints, masked=form), "Keep them", key="errors.keep.many", disabled=why,
            who=what.who,
        )  # fmt: skip
