"""The models: what their word scores tell, how they were trained, their cards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from robustnli.checkpoints import find
from robustnli.config import SHIPPED
from robustnli.figures import escape_markdown
from robustnli.method import cards, faithful, training
from robustnli.method.beside import Report
from robustnli.ui import cached, problems
from robustnli.ui.errors.overview import draw
from robustnli.ui.method.sections import heading


def scores(found: Mapping[str, Report]) -> None:
    """How far each attribution method tells what a model uses, and what none of them tells."""
    heading("scores")
    st.markdown(
        "A word score is a claim about a model. Two tests of it: mask the words that score highest - the predicted label's probability should fall "
        "(**comprehensiveness**); mask all others - it should stay (**sufficiency**). And one comparison: does the method put words in the order of "
        "what their own mask takes (**rank**)? Chance shows what to beat; leave-one-out agrees with itself by definition.\n\n"
        "The limits: a masked text is unlike what a model was trained on, so that a fall may be surprise, not need; two words that say the same "
        "hide each other; the paper's gradient has no sign, so that it cannot tell a word *for* from a word *against*; and a method can be faithful to a "
        "model that is wrong."
    )
    with problems.shown():
        report = faithful.read(found["clean"].path) if "clean" in found else None
        if report is None:
            st.info("Not measured here yet. This does it, for the models you name:", icon=":material/straighten:")
            st.code(
                "robustnli faithfulness --model baseline --model finetuned --model robust --out cache/runs/shipped/faithfulness.json",
                language="sh", wrap_lines=True,
            )  # fmt: skip
            return
        changed = faithful.stale(report, cached.fingerprints())
        if changed:
            st.warning(
                f"{escape_markdown(', '.join(changed))} was another version of the checkpoint when this was measured.",
                icon=":material/history:",
            )
        for column, figure in zip(st.columns(2), ("comprehensiveness", "rank of sizes"), strict=True):
            with column:
                st.markdown(f"**{figure.capitalize()}**: {faithful.FIGURES[figure]}")
                draw(faithful.chart(report, figure), "svg", data=False)
        st.dataframe(
            faithful.rows(report),
            hide_index=True,
            width="stretch",
            height="content",
            alt="Faithfulness of each method, a row a model and method",
        )
        st.caption(
            f"{report['n']:,} of {report['of']:,} pairs of the {report['data']}, drawn with seed {report['seed']}; words of the hypothesis; the top "
            f"{', '.join(map(str, report['percents']))} % of them, rounded up; after DeYoung et al. 2020 (ERASER), with [MASK] in place of deletion. "
            "Brackets: 95 % intervals of the mean."
        )


def curves() -> None:
    """How each checkpoint was trained: loss and dev accuracy."""
    heading("training")
    found = {item.name: training.curves(Path(item.path)) for item in find() if item.checkpoint}
    logged = [name for name, runs in found.items() if runs]
    if not logged:
        st.info("No checkpoint here has a training log.", icon=":material/show_chart:")
        return
    name = st.segmented_control("Checkpoint", logged, default=logged[0], required=True, key="method.trained") or logged[0]
    for column, what in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with column:
            draw(training.chart(found[name], what, name), "svg")
    st.caption(" · ".join(f"**{escape_markdown(run.name)}**: {escape_markdown(run.about)}" for run in found[name]))
    st.caption("Training loss is smoothed over steps and has label smoothing and dropout in it: compare it with itself, not with dev loss.")


def all_cards() -> None:
    """Each checkpoint's README.md; one that was not shipped is shown as plain text, since it may hold anything."""
    heading("cards")
    none = True
    for item in find():
        text = cards.card(Path(item.path)) if item.checkpoint else ""
        if not text:
            continue
        none = False
        with st.expander(escape_markdown(item.name), icon=":material/badge:"):
            if Path(item.path).resolve().parent == SHIPPED.resolve():
                st.markdown(cards.smaller(text).replace("$", "\\$"))
            else:
                st.text(text)
    if none:
        st.info("No checkpoint here has a card (README.md in its folder). `robustnli card` makes one.", icon=":material/badge:")
