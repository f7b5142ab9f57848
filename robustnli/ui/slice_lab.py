"""The slice lab: make a slice, see at once what it holds and what became of its errors; and where two models differ most.

A page calls `own_slices` first where it draws pies above the panel (it reads the session), then `slice_lab_ui`. The address holds the
slice being edited in the query parameter `slice`; a page that writes other parameters leaves that one as it is.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from robustnli.slices import Slice

PARAMETER = "slice"


def own_slices() -> tuple[Slice, ...]:
    """The user's slices as of this run, the one being edited last; no widget is drawn."""
    return ()


def slice_lab_ui(table: pd.DataFrame, before: str, after: str) -> tuple[Slice, ...]:
    """Draw the panel on records with text (see `evidence.join`); returns the user's slices, as `own_slices`."""
    st.markdown("##### Slice lab")
    return own_slices()


def differences_ui(table: pd.DataFrame, before: str, after: str) -> None:
    """Draw "Where do they differ most?": slices of up to two conditions with the largest significant net change."""
    st.markdown("##### Where do they differ most?")
