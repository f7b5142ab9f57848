"""Method: what the app does and does not show, for a reader of the paper. Every figure is read from files."""

import streamlit as st

from robustnli.method import beside
from robustnli.ui import problems
from robustnli.ui.method import live, models, sections

st.title("Method")
sections.contents()
with problems.shown():
    found = beside.reports()
    sections.shows(found)
    sections.table(found)
    sections.pies(found)
    sections.leak(found)
    live.formats(found)
    models.scores(found)
    models.curves()
    models.all_cards()
sections.glossary()
sections.cite()
