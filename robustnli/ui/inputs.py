"""Widgets that ask: each `*_input` draws and returns a value."""

from __future__ import annotations

from typing import cast

import streamlit as st

from robustnli.checkpoints import Found
from robustnli.examples import READY
from robustnli.types import LABELS, Checkpoint, Label, Method, Pair
from robustnli.ui import state

MAX_CHARACTERS = 100_000
METHOD_NAMES: dict[str, str] = {
    "gradient": "Loss gradient (paper)",
    "input_x_gradient": "Input x gradient",
    "integrated_gradients": "Integrated gradients",
    "leave_one_out": "Leave one word out",
}
TARGETS = {"gold": "gold, else its own", "own": "its own prediction"} | {label.text: label.text for label in LABELS}


def pair_input() -> Pair:
    """The premise and hypothesis as typed, stripped; results follow each pause in typing."""
    st.selectbox(
        "Ready examples",
        range(len(READY)),
        index=None,
        key=state.EXAMPLE,
        format_func=lambda i: READY[i].title,
        placeholder="Start from a ready example, or type below",
        on_change=state.take_example,
        label_visibility="collapsed",
    )
    texts = [
        st.text_input(name, key=key, live="50ms", on_change=state.edited, placeholder=hint)
        for name, key, hint in (
            ("Premise", state.PREMISE, "What is known, such as: A man is playing a guitar on a stage."),
            ("Hypothesis", state.HYPOTHESIS, "What may follow from it, such as: The man performs music."),
        )
    ]
    premise, hypothesis = ((text or "").replace("\x00", "\ufffd")[:MAX_CHARACTERS].strip() for text in texts)
    return Pair(premise, hypothesis)


def models_input(found: list[Found]) -> tuple[Checkpoint, ...]:
    """The older and the newer model: two by default, one where there is but one (or the same twice)."""
    usable = {item.name: item.checkpoint for item in found if item.checkpoint}
    names = list(usable)
    for key in (state.OLDER, state.NEWER):
        state.allow(key, names)
    if not names:
        return ()
    older = st.selectbox("Older model", names, index=0, key=state.OLDER)
    newer = st.selectbox("Newer model", names, index=min(1, len(names) - 1), key=state.NEWER)
    if older == newer and len(names) > 1:
        st.caption("The same model twice: it is shown once.")
    return tuple(usable[name] for name in dict.fromkeys((older, newer)))


def gold_input() -> Label | None:
    """The gold label, or None."""
    names = [label.text for label in LABELS]
    state.allow(state.GOLD, names)
    st.segmented_control(
        "Gold label", names, key=state.GOLD, on_change=state.gold_chosen, help="Optional: what a person would say. Click again to clear."
    )
    return state.gold()


def method_input() -> Method:
    """How words are scored."""
    state.allow(state.METHOD, METHOD_NAMES)
    chosen = st.selectbox("Word scores", list(METHOD_NAMES), key=state.METHOD, format_func=METHOD_NAMES.__getitem__)
    return cast(Method, chosen)


def target_input(gold: Label | None) -> Label | None:
    """The label whose loss or logit is attributed; None: each model's own prediction."""
    state.allow(state.TARGET, TARGETS)
    chosen = st.selectbox(
        "Scores explain",
        list(TARGETS),
        key=state.TARGET,
        format_func=TARGETS.__getitem__,
        help="The label whose loss or logit the word scores explain.",
    )
    return gold if chosen == "gold" else next((label for label in LABELS if label.text == chosen), None)
