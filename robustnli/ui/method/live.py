"""The input-format audit: of the run, and of one pair, asked when a button is pressed."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from robustnli.checkpoints import find
from robustnli.examples import READY
from robustnli.method import beside
from robustnli.method.beside import Report
from robustnli.types import LABELS, Pair, Prediction
from robustnli.ui import cached, problems
from robustnli.ui.method.sections import heading

MOST = 2000  # characters of a sentence
EXAMPLE = READY[2]  # a contradiction: neither sentence alone can tell it
FORMS = {
    "two segments": "as it was trained: two segments",
    "one string": '"premise [SEP] hypothesis" as one string: no segments',
    "premise only": "the premise alone: what a (premise, hypothesis) tuple becomes in a pipeline",
    "hypothesis only": "the hypothesis alone",
}


def formats(found: Mapping[str, Report]) -> None:
    """The same pairs, given as a careless pipeline gives them: the run's counts, and one pair live."""
    heading("formats")
    st.markdown(
        "The paper asked its models through a text-classification *pipeline*. A pipeline reads a `(premise, hypothesis)` tuple as the premise alone, and "
        "two sentences joined by hand as one segment; neither raises an error. A model that is then wrong is not fragile, it was not asked. "
        "That would explain how a baseline can nearly always say *neutral* on the paper's slices and still reach the accuracy that it prints."
    )
    if "clean" in found:
        rows = beside.formats(found["clean"])
        st.dataframe(rows, hide_index=True, width="stretch", height="content", alt="The run's audit of input formats")
        st.caption("All pairs of SNLI test, in each form. Brackets: 95 % Wilson intervals.")
    _live()


def _live() -> None:
    usable = {item.name: item.checkpoint for item in find() if item.checkpoint}
    if not usable:
        st.info("No usable checkpoint was found, so that no pair can be asked here.", icon=":material/info:")
        return
    with st.form("method.formats", border=True):
        st.markdown("**Try it: one pair, four forms**")
        premise = st.text_input("Premise", EXAMPLE.pair.premise, max_chars=MOST, key="method.premise")
        hypothesis = st.text_input("Hypothesis", EXAMPLE.pair.hypothesis, max_chars=MOST, key="method.hypothesis")
        asked = st.form_submit_button("Ask all models in four forms", icon=":material/play_arrow:")
    if not asked:
        return
    pair = Pair(*((text or "").replace("\x00", "\ufffd")[:MOST].strip() for text in (premise, hypothesis)))
    if not pair.premise or not pair.hypothesis:
        st.warning("Type a premise and a hypothesis first.", icon=":material/edit:")
        return
    rows: list[dict[str, str]] = []
    for name, checkpoint in usable.items():
        with problems.shown():
            rows += [_row(name, form, said) for form, said in cached.four_forms(checkpoint, pair).items()]
    st.dataframe(rows, hide_index=True, width="stretch", height="content", alt="One pair in four forms")
    whole = {row["model"]: row["says"] for row in rows if row["given as"] == FORMS["two segments"]}
    changed = sum(row["says"] != whole[row["model"]] for row in rows)
    st.caption(f"In {changed} of {len(rows) - len(whole)} other forms the answer is another one than to the pair itself.")


def _row(model: str, form: str, said: Prediction) -> dict[str, str]:
    return {"model": model, "given as": FORMS.get(form, form), "says": said.label.text} | {
        label.text: f"{said.probs[label]:.2f}" for label in LABELS
    }
