"""Curate: the user's own adversarial examples - judged, tabled, exported, imported, asked again, trained on."""

import streamlit as st

from robustnli.ui import cached, people, problems
from robustnli.ui.curate import again, bring, give, inputs, repair, review, state, table, welcome

state.start()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Curate", width="content")
    with st.container(horizontal=True, width="content"), problems.shown():
        inputs.undo_ui(people.person())
        who = people.who_ui()
state.tell()

with problems.shown():
    view = inputs.view()
    facets = cached.curated_facets()
    filters = state.filters()
    if view == "import":
        bring.bring_ui(who)
    elif view == "repair":
        repair.repair_ui()
    elif not facets.total:
        welcome.welcome_ui(who)
    else:
        inputs.filters_ui(facets, filters, who)
        inputs.refused()
        found = cached.curated(filters.query(who.name), filters.slice)
        inputs.chips(filters, len(found), facets.total)
        if not found:
            inputs.nothing(filters)
        elif view == "review":
            review.review_ui(who, filters, found)
        elif view == "table":
            table.table_ui(who, filters)
        elif view == "export":
            give.give_ui(who, filters, found)
        elif view == "replay":
            again.again_ui(found)
    state.address.write_url()
