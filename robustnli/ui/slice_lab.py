"""The slice lab: make a slice, see at once what it holds and what became of its errors; and where two models differ most.

A page calls `own_slices` first where it draws pies above the panel (it needs the session alone), then `slice_lab_ui`. The address
holds the slice being edited in the query parameter `lab`, which this module reads and writes; a page that writes the whole address
(`st.query_params.from_dict`) adds `address()` to it.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from robustnli.slices import Slice

PARAMETER = "lab"


def own_slices() -> tuple[Slice, ...]:
    """The user's slices as of this run, the one being edited last; no widget is drawn. Evaluate them with `slices.holds`."""
    return ()


def address() -> dict[str, str]:
    """What the lab wants in the address: {"lab": "..."} while a slice is being edited, else {}."""
    return {}


def slice_lab_ui(table: pd.DataFrame, before: str, after: str) -> tuple[Slice, ...]:
    """Draw the panel on records with text (see `evidence.join`); returns the user's slices, as `own_slices`."""
    st.markdown("##### Slice lab")
    return own_slices()


def differences_ui(table: pd.DataFrame, before: str, after: str) -> None:
    """Draw "Where do they differ most?": slices of up to two conditions with the largest significant net change."""
    st.markdown("##### Where do they differ most?")
