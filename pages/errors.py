"""Error explorer: what fine-tuning fixed, broke and left, from the pie down to the sentence."""

import streamlit as st

from robustnli import browse
from robustnli.ui import cached, problems, slice_lab
from robustnli.ui.errors import behind, inputs, missing, overview, own, rows, state

state.address.start()
rows.opened()
own.arrived()

st.title("Error explorer")
runs = cached.runs()
if not runs:
    st.info(
        "No finished run was found. Make one with `robustnli reproduce`, or name the folder that holds some in ROBUSTNLI_RUNS.",
        icon=":material/folder_off:",
    )
    own.offer()
    own.under_way()
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    run, split, older, newer = inputs.choose(runs)
    own.offer()
    own.manage(run)
own.under_way()
if run.stamp:
    st.warning(run.stamp, icon=":material/gpp_maybe:")
if older == newer:
    st.info("Choose two different models: a model has nothing fixed or broken against itself.", icon=":material/compare_arrows:")
    state.write_url()
    st.stop()

with problems.shown():
    seen, at_hand = cached.view(run, split, older, newer, state.texts())
    seen = browse.extended(seen, slice_lab.own_rows(seen.table, older, newer) if slice_lab.own_slices() else {})
    filters = state.filters(seen)
    inputs.refused()
    inputs.taken(seen)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        of = inputs.denominator()
        picture = inputs.picture()
    slices = inputs.shown_slices(seen)
    parts = browse.breakdowns(seen, slices)
    overview.pies(parts, filters, of, picture)
    overview.pictures(seen, parts, picture)
    missing.text(seen, at_hand)
    kept = browse.keep(seen, filters)
    inputs.chips(filters, int(kept.sum()), len(kept))
    section = inputs.section()
    if section == "rows":
        rows.browser(seen, filters, kept, run)
    elif section == "figures":
        behind.figures(seen, overview.open_slice(filters), picture)
    elif section == "lab":
        slice_lab.slice_lab_ui(seen.table, older, newer)
    elif difference := slice_lab.differences_ui(seen.table, older, newer, state.address.get("differ"), state.choose_difference):
        rows.of_difference(seen, filters, kept, difference, run)
    state.write_url()
