"""What all pages look like beside the theme: a heading near the top, controls of one height in one row."""

from __future__ import annotations

import streamlit as st

# Streamlit leaves 6rem above a page, nearly half of it below its own bar; a row of choices is 2rem high where
# a field beside it is 2.5rem, and the letters of the chosen one have the colour of the ground of others: too dim on black.
_CSS = """
[data-testid="stMainBlockContainer"] { padding-top: 4.25rem; }
[data-variant="segmented_control"] { min-height: 2.5rem; }
[data-variant="segmented_control"][data-selected] { color: inherit !important; border-color: #1b7ab8 !important;
  background-color: color-mix(in srgb, #56b4e9 22%, transparent) !important; }
"""


def even() -> None:
    """Applied to the page that is open; only styles, no element on the page."""
    st.html(f"<style>{_CSS}</style>")
