"""What is asked of the error explorer: run, split, two models, the denominator, and the filters of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import streamlit as st

from robustnli.browse import LABEL_NAMES, SEPARATOR, Filters, View
from robustnli.charts import DENOMINATORS, Of
from robustnli.evidence import NAMES, OUTCOMES, Run
from robustnli.figures import escape_markdown
from robustnli.ui.errors import state

_WHAT = {"run": "run", "split": "split", "older": "older model", "newer": "newer model", "slice": "slice", "of": "denominator"}
PICTURES = ("svg", "png")
VIEWS = {"rows": "The rows", "figures": "Behind the counts", "lab": "Slice lab", "differ": "Where do they differ most?"}


def _select(label: str, name: str, options: Sequence[str], default: str, **more: Any) -> str:
    """A selectbox bound to the address; the default is left out of it."""
    value = state.one_of(name, options, default)
    st.selectbox(
        label, options, key=state.widget(name, value), on_change=state.changed(name, lambda v: "" if v == default else str(v)), **more
    )  # fmt: skip
    return value


def choose(runs: list[Run]) -> tuple[Run, str, str, str]:
    """The run, its split, the older and the newer model."""
    names = [run.name for run in runs]
    name = _select("Run", "run", names, names[0])
    run = next(r for r in runs if r.name == name)
    split = _select("Split", "split", run.splits, run.splits[0], format_func=lambda s: NAMES.get(s, s))
    older = _select("Older model", "older", run.models, run.models[0])
    newer = _select("Newer model", "newer", run.models, run.models[1])
    return run, split, older, newer


def denominator() -> Of:
    """What percentages of the pies are of."""
    default = next(iter(DENOMINATORS))
    value = state.one_of("of", DENOMINATORS, default)
    st.segmented_control(
        "Percent of the errors of", list(DENOMINATORS), key=state.widget("of", value), required=True,
        format_func={"either": "either model", "older": "the older model"}.__getitem__, help="The caption of the pies says which it is.",
        on_change=state.changed("of", lambda v: "" if v in (None, default) else str(v)),
    )  # fmt: skip
    return cast(Of, value)


def picture() -> str:
    """The format in which a chart's camera saves it."""
    value = state.one_of("picture", PICTURES, PICTURES[0])
    st.segmented_control(
        "A chart's camera saves", PICTURES, key=state.widget("picture", value), format_func=str.upper, required=True,
        on_change=state.changed("picture", lambda v: "" if v in (None, PICTURES[0]) else str(v)),
    )  # fmt: skip
    return value


def shown_slices(seen: View) -> list[str]:
    """The slices drawn side by side."""
    asked = [name for name in state.get("show").split(SEPARATOR) if name in seen.members]
    value = asked or list(seen.shown)

    def text(chosen: list[str]) -> str:
        return "" if tuple(chosen) == seen.shown else SEPARATOR.join(name for name in seen.members if name in chosen)

    st.multiselect("Slices side by side", list(seen.members), key=state.widget("show", value), on_change=state.changed("show", text))
    return value


def section() -> str:
    """Which part is open below the counts."""
    value = state.one_of("view", VIEWS, "rows")
    st.segmented_control(
        "Show", list(VIEWS), key=state.widget("view", value), format_func=VIEWS.__getitem__, required=True, label_visibility="collapsed",
        on_change=state.changed("view", lambda v: "" if v in (None, "rows") else str(v)),
    )  # fmt: skip
    return value


def refused() -> None:
    """Say what the address asked for and is not here; not in a session's first run, which the second one replaces at once."""
    if state.first_paint():
        return
    for name, value in state.refused():
        st.warning(
            f"The address asks for the {_WHAT.get(name, name)} {escape_markdown(value[:80])}, which is not here. The default is shown.",
            icon=":material/link_off:",
        )
    if problem := state.told():
        st.warning(escape_markdown(problem), icon=":material/warning:")


def taken(seen: View) -> None:
    """Say which own slices are not drawn, since the data has a slice of their name."""
    for name in seen.taken:
        st.warning(
            f"Your slice **{escape_markdown(name)}** is not drawn here: this data has a slice of that name. Give yours another one in the "
            "Slice lab.", icon=":material/label_off:",
        )  # fmt: skip


def chips(filters: Filters, kept: int, n: int) -> None:
    """The filters at work, each a button that removes it, and how many rows fulfil them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{kept:,}** of {n:,} rows" if filters.items() else f"All **{n:,}** rows", width="content")
        for name, text in filters.told().items():
            st.button(
                escape_markdown(text), key=f"errors.x.{name}", icon=":material/close:", help="Remove this filter",
                on_click=state.set_filters, args=(filters.without(name),),
            )  # fmt: skip
        if len(filters.items()) > 1:
            st.button("Remove all", type="tertiary", on_click=state.set_filters, args=(Filters(),))


def _several(label: str, name: str, options: Sequence[str], value: Sequence[str]) -> None:
    st.multiselect(label, options, key=state.widget(name, list(value)), on_change=state.changed(name, SEPARATOR.join), placeholder="any")


def _between(label: str, name: str, low: int, high: int, value: tuple[int, int] | None) -> None:
    now = (low, high) if value is None else (min(max(low, value[0]), high), max(min(high, value[1]), low))
    st.slider(
        label, low, high, key=state.widget(name, now), on_change=state.changed(name, lambda v: "" if v == (low, high) else f"{v[0]}-{v[1]}")
    )  # fmt: skip


def row_filters(seen: View, filters: Filters) -> None:
    """The widgets of all filters that need no click on a chart."""
    st.text_input(
        "Search in the sentences", key=state.widget("q", filters.q), live="300ms", on_change=state.changed("q", str),
        placeholder="Words that the premise or the hypothesis holds", icon=":material/search:",
    )  # fmt: skip
    with st.expander("More filters", icon=":material/tune:", expanded=bool(set(filters.items()) - {"q", "slice"})):
        columns = st.columns(4)
        with columns[0]:
            slices = ["", *(name for name in seen.members if name != "all")]
            st.selectbox("Slice", slices, key=state.widget("slice", filters.slice), format_func=lambda s: s or "any",
                         on_change=state.changed("slice", str))  # fmt: skip
            _several("Outcome", "outcome", OUTCOMES, filters.outcome)
        with columns[1]:
            _several("Gold label", "label", LABEL_NAMES, filters.label)
            if seen.phenomena:
                _several("Phenomenon", "phenomenon", seen.phenomena, filters.phenomenon)
            if seen.parts:
                _several("Part of the data", "part", seen.parts, filters.part)
        with columns[2]:
            _several("Older model says", "was", LABEL_NAMES, filters.was)
            _several("Newer model says", "said", LABEL_NAMES, filters.said)
        with columns[3]:
            _between("Newer model's confidence, percent", "sure", 33, 100, filters.sure)
            longest = seen.longest
            if longest > 1:
                _between("Words of the longer sentence", "words", 1, longest, filters.words)
