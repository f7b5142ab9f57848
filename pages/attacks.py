"""Attacks: recipes against models, finished or of one's own, from the curve down to the changed word."""

import streamlit as st

from robustnli.gallery import rows as table_of
from robustnli.ui import cached, problems
from robustnli.ui.attacks import inputs, overview, rows, run
from robustnli.ui.attacks import state as remembered
from robustnli.ui.attacks.state import address

address.start()
rows.opened()

st.title("Attacks")
found = cached.finished_attacks()
run.under_way(found)
run.form(open_at_once=not found)
if not found:
    st.info(
        "No finished attack was found. Run one above, or with `robustnli gallery`, or name the folder that holds some in ROBUSTNLI_ATTACKS.",
        icon=":material/folder_off:",
    )
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    finished = inputs.choose(found)
inputs.refused()
with problems.shown():
    overview.about(finished, cached.fingerprints())
    seen = cached.attack_view(finished)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        budget = inputs.budget(seen)
        picture = inputs.picture()
        run.manage(finished)
    overview.headline(seen, budget)
    overview.strength(seen, budget, picture)
    overview.without_text(seen)
    filters = remembered.filters(seen)
    kept = table_of.keep(seen, filters, budget)
    section = inputs.section()
    if section == "rows":
        inputs.chips(filters, int(kept.sum()), len(kept))
        rows.browser(seen, filters, kept, budget)
    elif section == "where":
        overview.where(seen, budget, picture)
    elif section == "words":
        overview.words(seen, picture)
    else:
        overview.recipes([cached.attack_view(f) for f in inputs.beside(finished, found)], budget, picture)
address.write_url()
