"""What a repair did: its examples learned, the suite before and after, what was fixed and broken, and where to look further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from robustnli import charts, jobs, repairs
from robustnli.compare import TOO_FEW, verdict, wilson
from robustnli.figures import escape_markdown
from robustnli.jobs import Job
from robustnli.types import ErrorBreakdown
from robustnli.ui import jobs as jobs_ui
from robustnli.ui import people, problems, state

COLOURS = ("#0072b2", "#999999")
FLIP_LAB, ERRORS = "pages/explore.py", "pages/errors.py"


def newest(job: Job) -> None:
    """How the last repair ended: its result, wide open, or what went wrong."""
    if job.result is not None:
        with st.container(border=True):
            result(job, job.result)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        jobs_ui.progress(job)
        st.button("Dismiss", key=f"repair.gone.{job.id}", on_click=jobs.forget, args=(job.id,), type="tertiary")


def earlier(ended: Sequence[Job]) -> None:
    """The results of repairs before that, closed. Those that came to nothing are not told again."""
    for job in ended:
        if job.result is not None:
            with st.expander(f"{escape_markdown(job.result['name'])}: {learned(job.result)}", icon=":material/history:"):
                result(job, job.result)


def learned(told: Mapping[str, Any]) -> str:
    """How many of its examples a repair learned, in words."""
    return f"{told['learned']:,} of {told['examples']:,} examples learned"


def result(job: Job, told: Mapping[str, Any]) -> None:
    """One repair: figures, where to look further, verdict and breakdown."""
    name, parent = told["name"], told["parent"]
    st.markdown(f"#### {escape_markdown(name)}")
    st.markdown(escape_markdown(f"{learned(told)}; {told['right_before']:,} were right before, in {parent}."))
    _numbers(told)
    parts = [ErrorBreakdown(row["slice"], row["fixed"], row["introduced"], row["remaining"], row["still_right"]) for row in told["suite"]]
    if parts:
        _verdict(told, parts[0])
    _buttons(job, told)
    if parts:
        _slices(told, parts)
    with st.expander("How it learned", icon=":material/show_chart:"):
        curve(jobs.curve(job))
        st.caption(
            f"{told['passes']:,} passes over the examples, {told['steps']:,} steps, {told['seconds']:.0f} s. Then back towards the parent as far as "
            f"the examples allow: the new weights have a share of {100 * told['share']:.0f} %. Rehearsed: {escape_markdown(told['replay'])}."
        )


def curve(points: Sequence[Mapping[str, float]]) -> None:
    """The loss of each step, of the examples and of the pairs that are rehearsed."""
    names = {"loss": "examples", "replay": "rehearsed pairs"}
    table = pd.DataFrame(points).rename(columns=names)
    shown = [name for name in names.values() if name in table]
    if len(table) < 2:
        st.caption("Too few steps to draw a curve.")
        return
    last = ", ".join(f"{name} {table[name].iloc[-1]:.2f}" for name in shown)
    st.line_chart(
        table, x="step", y=shown, color=[*COLOURS[: len(shown)]], height=200, x_label="step", y_label="loss",
        alt=f"Loss after {len(table)} steps: {last}",
    )  # fmt: skip


def _numbers(told: Mapping[str, Any]) -> None:
    shown = [("Its examples", told["right_before"], told["learned"], told["examples"], "Right before and after the training on them.")]
    if told["suite"]:
        row = told["suite"][0]
        before, after = row["introduced"] + row["still_right"], row["fixed"] + row["still_right"]
        shown.append((f"Challenge suite, {_halves(told)}", before, after, row["n"], "Not trained on."))
    if "snli" in told:
        shown.append(("SNLI dev", told["snli_before"], told["snli_after"], told["snli"], "Rows of your copy, evenly spread."))
    with st.container(horizontal=True):
        for title, before, after, of, meaning in shown:
            st.metric(
                title, f"{100 * after / of:.1f} %", f"{100 * (after - before) / of:+.1f} points", help=f"{after:,} of {of:,} right. {meaning}",
                border=True, height="stretch",
            )  # fmt: skip
        if told["held"]:
            st.metric(
                "Says the same as before", f"{100 * told['held_same'] / told['held']:.1f} %", border=True, height="stretch",
                help=f"Of {told['held']:,} other pairs that were not rehearsed: {escape_markdown(told['replay'])}.",
            )  # fmt: skip


def _halves(told: Mapping[str, Any]) -> str:
    return "test half" if told["suite_halves"] == ["test"] else "both halves"


def _verdict(told: Mapping[str, Any], whole: ErrorBreakdown) -> None:
    p = told["suite"][0]["mcnemar_p"]
    errors = whole.fixed + whole.remaining
    low, high = wilson(whole.fixed, errors)
    st.markdown(
        f"On the suite's {_halves(told)} ({whole.n:,} rows, not trained on) it **fixed {whole.fixed:,}** of {errors:,} errors of "
        f"{escape_markdown(told['parent'])} ({100 * whole.fixed / max(1, errors):.1f} %, 95 % interval {100 * low:.1f} to {100 * high:.1f} %) and "
        f"**introduced {whole.introduced:,}** new ones; {whole.remaining:,} remain. {verdict(whole, p).capitalize()}"
        + ("." if whole.n < TOO_FEW else f": McNemar's exact p {escape_markdown(charts.p_text(p))}.")
    )
    if told["suite_left_out"]:
        st.caption(f"{told['suite_left_out']:,} rows are left out: their groups share a premise with an example.")


def _slices(told: Mapping[str, Any], parts: Sequence[ErrorBreakdown]) -> None:
    chart = charts.four_way(parts)
    st.plotly_chart(
        chart.figure, key=f"repair.chart.{told['name']}", alt=chart.alt, config={"displaylogo": False, "displayModeBar": False}
    )  # fmt: skip
    with st.expander("The data"):
        st.dataframe(
            pd.DataFrame(charts.slice_rows(parts)), hide_index=True, width="stretch", alt="The suite before and after, a row a slice"
        )


def _buttons(job: Job, told: Mapping[str, Any]) -> None:
    name = told["name"]
    premise, hypothesis, label = told["shown"]
    with st.container(horizontal=True, vertical_alignment="center"):
        if repairs.places(name)[0].is_dir():
            if st.button("Try it in the Flip lab", key=f"repair.try.{job.id}", icon=":material/swap_horiz:", type="primary"):
                state.forget()
                pair = {state.PREMISE: premise, state.HYPOTHESIS: hypothesis, state.GOLD: label}
                st.switch_page(FLIP_LAB, query_params=pair | {state.OLDER: told["parent"], state.NEWER: name})
        else:
            st.caption(f"The checkpoint {escape_markdown(name)} was removed.")
        if repairs.places(name)[1].is_dir() and st.button(
            "Open in the error explorer", key=f"repair.open.{job.id}", icon=":material/pie_chart:"
        ):
            st.switch_page(ERRORS, query_params={"run": name})
        if repairs.is_repair(name) and people.person().may_write:
            with st.popover("Remove this checkpoint", icon=":material/delete:", type="tertiary"):
                st.caption("The checkpoint and its comparison go for good.")
                if st.button("Remove it", key=f"repair.remove.{job.id}", type="primary"):
                    with problems.shown():
                        people.author()
                        repairs.remove(name)
                        st.rerun()
        st.button(
            "Dismiss", key=f"repair.gone.{job.id}", on_click=jobs.forget, args=(job.id,), type="tertiary", help="The checkpoint stays."
        )
