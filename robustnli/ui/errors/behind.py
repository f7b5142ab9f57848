"""Behind the counts of a slice: classes, confusion, flow, calibration."""

from __future__ import annotations

import numpy as np
import streamlit as st

from robustnli import browse
from robustnli.browse import View
from robustnli.charts import classes, confusion, reliability, reliability_rows, sankey
from robustnli.figures import escape_markdown
from robustnli.ui.errors.overview import draw, table


def figures(seen: View, name: str, picture: str) -> None:
    """All figures of one slice's rows; the filters by outcome or text do not count here, since they would decide the figures."""
    rows = seen.members[name]
    older, newer = escape_markdown(seen.older), escape_markdown(seen.newer)
    st.caption(f"All {int(rows.sum()):,} rows of the slice **{escape_markdown(name)}**; older: {older}, newer: {newer}.")
    gold = seen.table["gold"].to_numpy(dtype=int)[rows]
    probs = [p[rows] for p in seen.probs]
    before, after = (browse.metrics(gold, p) for p in probs)
    st.markdown("##### Each label before and after")
    draw(classes(before, after), picture)
    st.markdown("##### Confusion")
    matrices = [np.array(m.confusion) for m in (before, after)]
    cells = (
        confusion(seen.older, matrices[0]),
        confusion(seen.newer, matrices[1]),
        confusion("newer minus older", matrices[1] - matrices[0], difference=True),
    )
    for column, chart, title in zip(st.columns(3), cells, (older, newer, "newer minus older"), strict=True):
        with column:
            st.markdown(f"**{title}**")
            draw(chart, picture, data=False)
    table("confusion", [{"matrix": c.name.removeprefix("confusion-")} | row for c in cells for row in c.rows])
    left, right = st.columns(2)
    with left:
        st.markdown("##### From gold over the older to the newer model")
        draw(sankey(browse.flows(seen, rows), seen.older, seen.newer), picture)
    with right:
        st.markdown("##### Is it as sure as it is right?")
        drawn = [
            (model, m.ece, reliability_rows(model, p.max(1), p.argmax(1) == gold))
            for model, m, p in zip((seen.older, seen.newer), (before, after), probs, strict=True)
        ]
        draw(reliability(drawn), picture)
