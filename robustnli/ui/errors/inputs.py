"""What is asked of the error explorer: run, split, two models, the denominator, and the filters of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import streamlit as st

from robustnli.browse import LABEL_NAMES, SEPARATOR, Filters, View
from robustnli.charts import DENOMINATORS, Of
from robustnli.evidence import NAMES, OUTCOMES, Run
from robustnli.figures import escape_markdown
from robustnli.ui.errors import state
from robustnli.ui.errors.state import address

_WHAT = {"run": "run", "split": "split", "older": "older model", "newer": "newer model", "slice": "slice", "of": "denominator"}
PICTURES = ("svg", "png")
VIEWS = {"rows": "The rows", "figures": "Behind the counts", "lab": "Slice lab", "differ": "Where do they differ most?"}


def choose(runs: list[Run]) -> tuple[Run, str, str, str]:
    """The run, its split, the older and the newer model."""
    names = [run.name for run in runs]
    name = address.select("Run", "run", names, names[0])
    run = next(r for r in runs if r.name == name)
    split = address.select("Split", "split", run.splits, run.splits[0], format_func=lambda s: NAMES.get(s, s))
    older = address.select("Older model", "older", run.models, run.models[0])
    newer = address.select("Newer model", "newer", run.models, run.models[1])
    return run, split, older, newer


def denominator() -> Of:
    """What percentages of the pies are of."""
    value = address.segments(
        "Percent of the errors of", "of", list(DENOMINATORS), next(iter(DENOMINATORS)), help="The caption of the pies says which it is.",
        format_func={"either": "either model", "older": "the older model"}.__getitem__,
    )  # fmt: skip
    return cast(Of, value)


def picture() -> str:
    """The format in which a chart's camera saves it."""
    return address.segments("A chart's camera saves", "picture", PICTURES, PICTURES[0], format_func=str.upper)


def shown_slices(seen: View) -> list[str]:
    """The slices drawn side by side."""
    asked = [name for name in address.get("show").split(SEPARATOR) if name in seen.members]
    value = asked or list(seen.shown)

    def text(chosen: list[str]) -> str:
        return "" if tuple(chosen) == seen.shown else SEPARATOR.join(name for name in seen.members if name in chosen)

    address.several("Slices side by side", "show", list(seen.members), value, text)
    return value


def section() -> str:
    """Which part is open below the counts."""
    return address.segments("Show", "view", list(VIEWS), "rows", format_func=VIEWS.__getitem__, label_visibility="collapsed")


def refused() -> None:
    """Say what the address asked for and is not here; not in a session's first run, which the second one replaces at once."""
    if state.first_paint():
        return
    for name, value in address.refused():
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
    address.several(label, name, options, value, SEPARATOR.join, placeholder="any")


def _between(label: str, name: str, low: int, high: int, value: tuple[int, int] | None) -> None:
    now = (low, high) if value is None else (min(max(low, value[0]), high), max(min(high, value[1]), low))
    st.slider(
        label, low, high, now, key=address.widget(name, now), on_change=address.changed(name, lambda v: "" if v == (low, high) else f"{v[0]}-{v[1]}")
    )  # fmt: skip


def row_filters(seen: View, filters: Filters) -> None:
    """The widgets of all filters that need no click on a chart."""
    st.text_input(
        "Search in the sentences", key=address.widget("q", filters.q), live="300ms", on_change=address.changed("q", str),
        placeholder="Words that the premise or the hypothesis holds", icon=":material/search:",
    )  # fmt: skip
    with st.expander("More filters", icon=":material/tune:", expanded=bool(set(filters.items()) - {"q", "slice"})):
        columns = st.columns(4)
        with columns[0]:
            slices = ["", *(name for name in seen.members if name != "all")]
            address.select("Slice", "slice", slices, "", format_func=lambda s: s or "any")
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
