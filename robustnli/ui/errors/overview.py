"""The counts: a pie a slice, all four outcomes, the wheel that can be clicked, the table of slices that can be clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from robustnli import browse
from robustnli.browse import Filters, View
from robustnli.charts import COLOURS, DENOMINATORS, Chart, Of, four_way, picked, slice_rows, sunburst, verdicts
from robustnli.pies import pie
from robustnli.types import ErrorBreakdown
from robustnli.ui.errors import state
from robustnli.ui.errors.pies import side_by_side
from robustnli.ui.errors.state import address

_KEPT = ["toImage"]


def draw(chart: Chart, picture: str, *, clickable: bool = False, data: bool = True) -> None:
    """A chart whose camera saves `picture` (svg or png), with its alt text, and below it its data as a table and a CSV file.

    `clickable`: a click filters the rows by what `charts.picked` reads from it.
    """
    config = {
        "displaylogo": False, "displayModeBar": True, "modeBarButtons": [_KEPT],
        "toImageButtonOptions": {"format": picture, "filename": f"robustnli-{chart.name}", "scale": 2},
    }  # fmt: skip
    if clickable:
        key = address.clicked(chart.name)
        st.plotly_chart(chart.figure, key=key, on_select=lambda: _point(key), selection_mode="points", config=config, alt=chart.alt)
    else:
        st.plotly_chart(chart.figure, key=f"errors.chart.{chart.name}", config=config, alt=chart.alt)
    if data:
        table(chart.name, chart.rows)


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows in a closed box, with a button that saves them as CSV."""
    frame = pd.DataFrame(rows)
    with st.expander("The data"):
        st.dataframe(frame, hide_index=True, width="stretch", alt=f"Data of {name}")
        st.download_button(
            "CSV", lambda: browse.csv(frame), f"robustnli-{name}.csv", "text/csv", key=f"errors.csv.{name}", on_click="ignore",
            icon=":material/download:",
        )  # fmt: skip


def _point(key: str) -> None:
    points = st.session_state[key]["selection"]["points"]
    if points:
        _filter(picked(dict(points[0])))


def _filter(asked: Mapping[str, str]) -> None:
    """Filter by a clicked slice, outcome and label; other filters stay."""
    name = asked.get("slice", "")
    if asked:
        chosen = {key: asked.get(key, "") for key in ("slice", "outcome", "label")}
        address.put(**(chosen | {"slice": "" if name == browse.ALL else name, "view": ""}))
        address.renew()


def pies(parts: Sequence[ErrorBreakdown], filters: Filters, of: Of, picture: str) -> None:
    """The paper's pies side by side, each with its verdict; a slice of few rows says that it tells nothing. A click filters the rows."""
    st.caption(
        f"Percentages are {DENOMINATORS[of]}; counts come first. Brackets: 95 % Wilson intervals. p: exact McNemar test. Click a wedge or "
        "its line to see its rows."
    )
    said = verdicts(parts)
    drawn = [pie(part, of, said[part.slice]) for part in parts]
    outcome = filters.outcome[0] if len(filters.outcome) == 1 else ""
    first = state.first_paint()
    state.painted()  # before they are sent: the browser's answer may interrupt the rest of this run
    side_by_side(
        drawn, key="errors.pies", picture=picture, slice_=filters.slice or browse.ALL, outcome=outcome, first=first, pick=_pick
    )  # fmt: skip
    if first:
        _wait()
    table(f"pies-{of}", [row for one in drawn for row in one.rows])


def _wait() -> None:
    """End the first run of a session: a browser would take its time for charts, grid and rows before it shows the pies."""
    st.skeleton(1000)
    state.write_url()
    st.stop()


def _pick(name: str, outcome: str) -> None:
    if name:
        _filter({"slice": name, "outcome": outcome})
    else:
        address.put(slice="", outcome="")
        address.renew()


def pictures(seen: View, parts: Sequence[ErrorBreakdown], picture: str) -> None:
    """All four outcomes as bars, and the wheel; a click on either filters the rows."""
    left, right = st.columns([3, 2])
    with left:
        st.markdown("##### All rows, with *still right*", help="Click a part of a bar to see its rows.")
        draw(four_way(parts), picture, clickable=True)
    with right:
        st.markdown("##### Slice, outcome, gold label", help="Click a wedge to see its rows; click the middle to go back.")
        names = [part.slice for part in parts]
        inner = [name for name in names if name != browse.ALL] or names
        changes = [cell for cell in browse.crossed(seen, inner) if cell[1] != "still right"]
        if any(n for *_, n in changes):
            draw(sunburst(changes), picture, clickable=True)
        else:
            st.info("Neither model errs in these slices.", icon=":material/check:")
    _slices(seen)


def _slices(seen: View) -> None:
    rows = slice_rows(browse.breakdowns(seen))
    key = address.clicked("slices")
    st.markdown("##### Every slice", help="Click a cell: its slice, and its outcome where it counts one, filter the rows.")
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch", key=key, selection_mode="single-cell", alt="One row a slice",
        on_select=lambda: _cell(key, rows),
        column_config={"net": st.column_config.NumberColumn(format="%+d"), "verdict": st.column_config.TextColumn(width="large")},
    )  # fmt: skip
    st.download_button(
        "CSV", lambda: browse.csv(pd.DataFrame(rows)), "robustnli-slices.csv", "text/csv", key="errors.csv.slices", on_click="ignore",
        icon=":material/download:",
    )  # fmt: skip


def _cell(key: str, rows: Sequence[Mapping[str, Any]]) -> None:
    cells = st.session_state[key]["selection"]["cells"]
    if cells:
        row, column = cells[0]
        _filter({"slice": str(rows[row]["slice"])} | ({"outcome": column} if column in COLOURS else {}))


def open_slice(filters: Filters) -> str:
    """The slice whose figures are shown: the filtered one, else all rows."""
    return filters.slice or browse.ALL
