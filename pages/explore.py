"""Flip lab: type a pair, see both models, mask a word, watch it flip."""

import streamlit as st

from robustnli.checkpoints import find
from robustnli.ui import cached, inputs, panels, problems, state

state.start()
found = find()

st.title("Flip lab")
problems.broken_checkpoints(found)
pair = inputs.pair_input()
with st.container(horizontal=True, vertical_alignment="bottom"):
    models = inputs.models_input(found)
    gold = inputs.gold_input()
    method = inputs.method_input()
    target = inputs.target_input(gold)

problems.refused_choices()
if not models:
    st.info("No usable checkpoint was found. Put a checkpoint folder into cache/checkpoints, or name its parent in ROBUSTNLI_CHECKPOINTS.")
    st.stop()
if not pair.premise or not pair.hypothesis:
    st.info("Type a premise and a hypothesis, or start from a ready example.", icon=":material/edit:")
    state.write_url([])
    st.stop()

ids = state.word_ids(pair)
masks = state.masks(list(ids.values()))
sides = []
for answer in cached.together(lambda model: panels.side(model, pair, masks, target, method), models):
    with problems.shown():
        sides.append(answer())
if sides:
    labels = {name: word.of(sides[0].pair) for word, name in zip(sides[0].words, sides[0].ids, strict=True)}
    panels.notices(sides)
    panels.verdict(sides, gold)
    for column, side in zip(st.columns(len(sides)), sides, strict=True):
        with column:
            panels.prediction(side, gold, masked=bool(masks))
            panels.words(side, masks)
    if sides[0].maskable:
        panels.explain(sides)
        panels.controls(sides, labels)
        panels.keeping(sides, gold, masks)
        panels.tables(sides, long_map=state.long_map())
        panels.breaking(sides)
    else:
        st.info("The hypothesis has no word to mask.")
    state.write_url(list(ids.values()))
