"""Counts -> plotly figures, each with its data as a table and its text for those who do not see it. No streamlit.

Colours are Okabe-Ito's, told apart with every common colour blindness, and never alone: each mark also has its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from robustnli.compare import TOO_FEW, holm, mcnemar, verdict, wilson
from robustnli.metrics import BINS, Metrics
from robustnli.types import LABELS, ErrorBreakdown, Outcome

Of = Literal["either", "older"]
COLOURS = {"fixed": "#009e73", "introduced": "#d55e00", "remaining": "#999999", "still right": "#56b4e9"}
LABEL_COLOURS = ("#0072b2", "#e69f00", "#cc79a7")
OLDER, NEWER = "#e69f00", "#0072b2"
CHANGES = tuple(o.value for o in (Outcome.FIXED, Outcome.INTRODUCED, Outcome.REMAINING))
NAMES = tuple(label.text for label in LABELS)
DENOMINATORS: dict[Of, str] = {"either": "of all errors of either model", "older": "of the older model's errors"}


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A figure, what it shows as rows of a table, and as a sentence. `name` is that of a file it is saved as."""

    name: str
    figure: go.Figure
    rows: tuple[dict[str, Any], ...]
    alt: str


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`: `share` with its 95 % Wilson interval `low` to `high`."""

    count: int
    of: int
    share: float
    low: float
    high: float


def count(counts: ErrorBreakdown, outcome: str) -> int:
    """The count of an outcome's value."""
    return {"fixed": counts.fixed, "introduced": counts.introduced, "remaining": counts.remaining, "still right": counts.still_right}[
        outcome
    ]


def shares(counts: ErrorBreakdown, of: Of) -> dict[str, Share]:
    """Outcome -> its share of the errors of either model (fixed, introduced, remaining), or of the older model's (fixed, remaining)."""
    names = CHANGES if of == "either" else tuple(name for name in CHANGES if name != "introduced")
    total = sum(count(counts, name) for name in names)
    out = {}
    for name in names:
        low, high = wilson(count(counts, name), total)
        out[name] = Share(count(counts, name), total, count(counts, name) / total if total else 0.0, low, high)
    return out


def percent(share: Share) -> str:
    """The count before the percentage, as in the paper: "37 (75.5 %)"."""
    return f"{share.count:,} ({share.share:.1%})".replace("%", " %")


def p_text(p: float) -> str:
    """A p-value as it is written: two digits that count, never 0."""
    return "< 0.001" if p < 0.001 else f"= {p:.2g}" if p < 0.995 else "= 1"


def told(counts: ErrorBreakdown, adjusted: float, tests: int) -> str:
    """McNemar's verdict in words; `adjusted` is Holm's p over `tests` slices. Too few rows say so, and no p."""
    if counts.n < TOO_FEW:
        return f"too few to tell ({counts.n} rows)"
    p, changed = mcnemar(counts.fixed, counts.introduced), counts.fixed + counts.introduced
    over = f"; {p_text(adjusted).removeprefix('= ')} after Holm over {tests} slices" if tests > 1 else ""
    rows = f"{changed:,} row{'' if changed == 1 else 's'} that changed"
    return f"{verdict(counts, adjusted)}: {counts.fixed:,} fixed against {counts.introduced:,} broken, p {p_text(p)}{over}; {rows}"


def verdicts(parts: Sequence[ErrorBreakdown]) -> dict[str, str]:
    """Slice -> verdict in words. Holm counts the slices that have enough rows to be tested."""
    tested = [part for part in parts if part.n >= TOO_FEW]
    adjusted = dict(zip((p.slice for p in tested), holm([mcnemar(p.fixed, p.introduced) for p in tested]), strict=True))
    return {part.slice: told(part, adjusted.get(part.slice, 1.0), len(tested)) for part in parts}


def slice_rows(parts: Sequence[ErrorBreakdown]) -> list[dict[str, Any]]:
    """One row a slice: the four counts, both accuracies with intervals, the net change, the verdict. `n` first."""
    said, rows = verdicts(parts), []
    for part in parts:
        row: dict[str, Any] = {"slice": part.slice, "rows": part.n} | {o: count(part, o) for o in COLOURS}
        for name, right in (("older", part.still_right + part.introduced), ("newer", part.still_right + part.fixed)):
            low, high = wilson(right, part.n)
            row[f"accuracy {name}"] = f"{right / max(1, part.n):.1%} ({low:.1%} to {high:.1%})".replace("%", " %")
        rows.append(row | {"net": part.fixed - part.introduced, "verdict": said[part.slice]})
    return rows


def share_rows(counts: ErrorBreakdown, of: Of) -> list[dict[str, Any]]:
    """A pie as rows: outcome, count, of how many, percent and its interval."""
    return [
        {"slice": counts.slice, "outcome": name, "count": s.count, "of": s.of, "percent": round(100 * s.share, 1),
         "from": round(100 * s.low, 1), "to": round(100 * s.high, 1)}
        for name, s in shares(counts, of).items()
    ]  # fmt: skip


def four_way(parts: Sequence[ErrorBreakdown]) -> Chart:
    """One bar a slice, all its rows: still right, fixed, introduced, remaining, as shares with counts."""
    order = ("still right", "fixed", "introduced", "remaining")
    drawn = []
    for name in order:
        numbers = [count(part, name) for part in parts]
        of = [max(1, part.n) for part in parts]
        drawn.append(go.Bar(
            y=[part.slice for part in parts], x=[100 * n / total for n, total in zip(numbers, of, strict=True)], name=name, orientation="h",
            marker={"color": COLOURS[name]}, customdata=[[part.slice, name] for part in parts], insidetextfont={"color": "#000"},
            text=[f"{n:,}" for n in numbers], textposition="inside", insidetextanchor="middle", textangle=0,
            hovertemplate="%{y}, " + name + ": %{text} rows (%{x:.1f} %)<extra></extra>",
        ))  # fmt: skip
    figure = framed(
        drawn, height=110 + 36 * len(parts), legend=True, barmode="stack", yaxis={"autorange": "reversed", "automargin": True},
        xaxis={"title": {"text": "percent of the slice's rows"}, "range": [0, 103]},
    )  # fmt: skip
    rows = tuple({"slice": p.slice, "rows": p.n} | {name: count(p, name) for name in order} for p in parts)
    alt = "; ".join(f"{p.slice}, {p.n} rows: " + ", ".join(f"{count(p, name)} {name}" for name in order) for p in parts)
    return Chart("four-way", figure, rows, alt)


def sunburst(cells: Sequence[tuple[str, str, str, int]]) -> Chart:
    """Slice -> outcome -> gold label, of (slice, outcome, label, count). A wedge's id is `slice|outcome|label`, cut where it ends."""
    sums: dict[str, int] = {}
    for name, outcome, label, number in cells:
        for path in (name, f"{name}|{outcome}", f"{name}|{outcome}|{label}"):
            sums[path] = sums.get(path, 0) + number
    ids = [path for path, number in sums.items() if number]
    colour = {1: "#cfd8dc", 3: "#eceff1"}
    drawn = go.Sunburst(
        ids=ids, labels=[path.split("|")[-1] for path in ids], parents=[path.rpartition("|")[0] for path in ids],
        values=[sums[path] for path in ids], branchvalues="total", insidetextfont={"color": "#000"}, sort=False,
        marker={"colors": [COLOURS[path.split("|")[1]] if path.count("|") == 1 else colour[path.count("|") + 1] for path in ids],
                "line": {"color": "#fff", "width": 1}},
        hovertemplate="%{id}: %{value} rows<extra></extra>",
    )  # fmt: skip
    rows = tuple({"slice": a, "outcome": b, "gold": c, "count": n} for a, b, c, n in cells if n)
    alt = "Rings from the inside: slice, outcome, gold label. " + ", ".join(f"{p} {n}" for p, n in sums.items() if p.count("|") == 0)
    return Chart("sunburst", framed([drawn], height=440), rows, alt)


def picked(point: dict[str, Any]) -> dict[str, str]:
    """What a clicked wedge or bar asks for: `slice`, `outcome`, `label` as far as it names them; {} for nothing of ours."""
    custom = point.get("customdata")
    path = str(point.get("id") or "").split("|") if not isinstance(custom, list | tuple) else [str(part) for part in custom]
    return {key: value for key, value in zip(("slice", "outcome", "label"), path, strict=False) if value}


def class_rows(older: Metrics, newer: Metrics) -> list[dict[str, Any]]:
    """Precision, recall and F1 of each label before and after, in percent, and the change."""
    rows = []
    for before, after in zip(older.classes, newer.classes, strict=True):
        for name in ("precision", "recall", "f1"):
            was, now = 100 * getattr(before, name), 100 * getattr(after, name)
            rows.append(
                {"label": before.label.text, "figure": name.replace("f1", "F1"), "older": round(was, 1), "newer": round(now, 1),
                 "change": round(now - was, 1), "rows": before.support}
            )  # fmt: skip
    return rows


def classes(older: Metrics, newer: Metrics) -> Chart:
    """Precision, recall, F1 of each label as two dots on a line: the older model's and the newer's."""
    rows = class_rows(older, newer)
    names = [[row["label"] for row in rows], [row["figure"] for row in rows]]
    drawn: list[Any] = []
    for row in rows:
        place = [[row["label"]] * 2, [row["figure"]] * 2]
        line = {"color": "#999"}
        drawn.append(go.Scatter(y=place, x=[row["older"], row["newer"]], mode="lines", line=line, showlegend=False, hoverinfo="skip"))
    for name, colour, symbol in (("older", OLDER, "circle-open"), ("newer", NEWER, "circle")):
        drawn.append(go.Scatter(
            y=names, x=[row[name] for row in rows], mode="markers", name=name,
            marker={"color": colour, "size": 11, "symbol": symbol, "line": {"width": 3, "color": colour}},
            hovertemplate="%{y}: %{x:.1f} %<extra>" + name + "</extra>",
        ))  # fmt: skip
    axes: dict[str, Any] = {"yaxis": {"autorange": "reversed", "automargin": True}, "xaxis": {"title": {"text": "percent"}}}
    alt = "; ".join(f"{r['label']} {r['figure']} {r['older']} % then {r['newer']} %" for r in rows)
    return Chart("classes", framed(drawn, height=380, legend=True, **axes), tuple(rows), alt)


def confusion(name: str, cells: np.ndarray, *, difference: bool = False) -> Chart:
    """Counts of gold (rows) by predicted label (columns), (3, 3); or their difference, newer minus older."""
    text = [[f"{n:+,}" if difference else f"{n:,}" for n in row] for row in cells.tolist()]
    peak = max(1, int(np.abs(cells).max(initial=0)))
    scale: Any = [[0, "#d55e00"], [0.5, "#ffffff"], [1, "#56b4e9"]] if difference else [[0, "#ffffff"], [1, "#56b4e9"]]
    drawn = go.Heatmap(
            z=cells, x=list(NAMES), y=list(NAMES), text=text, texttemplate="%{text}", textfont={"color": "#000", "size": 15},
            zmin=-peak if difference else 0, zmax=peak, colorscale=scale, showscale=False, xgap=2, ygap=2,
            hovertemplate="gold %{y}, predicted %{x}: %{text}<extra></extra>",
    )  # fmt: skip
    axes: dict[str, Any] = {
        "yaxis": {"title": {"text": "gold"}, "autorange": "reversed", "automargin": True, "tickangle": -90},
        "xaxis": {"title": {"text": "predicted"}, "automargin": True, "tickangle": 0},
    }
    rows = tuple({"gold": g, "predicted": p, "count": int(cells[i, j])} for i, g in enumerate(NAMES) for j, p in enumerate(NAMES))
    alt = f"{name}: " + "; ".join(f"gold {r['gold']}, predicted {r['predicted']}: {r['count']}" for r in rows)
    return Chart(f"confusion-{name}", framed([drawn], height=330, **axes), rows, alt)


def sankey(flows: np.ndarray, older: str, newer: str) -> Chart:
    """Gold -> the older model's label -> the newer's; `flows[g, o, n]` rows, (3, 3, 3). A band keeps the colour of its gold label."""
    titles = [f"{stage}: {name}" for stage in ("gold", older, newer) for name in NAMES]
    links = [(g, 3 + o, int(flows[g, o].sum()), g) for g in range(3) for o in range(3)]
    links += [(3 + o, 6 + n, int(flows[g, o, n]), g) for o in range(3) for n in range(3) for g in range(3)]
    links = [link for link in links if link[2]]
    shade = [f"rgba({int(c[1:3], 16)},{int(c[3:5], 16)},{int(c[5:], 16)},0.45)" for c in LABEL_COLOURS]
    drawn = go.Sankey(
            node={"label": titles, "color": list(LABEL_COLOURS) * 3, "pad": 18, "thickness": 16},
            link={"source": [a for a, *_ in links], "target": [b for _, b, *_ in links], "value": [n for *_, n, _ in links],
                  "color": [shade[g] for *_, g in links], "customdata": [NAMES[g] for *_, g in links],
                  "hovertemplate": "gold %{customdata}: %{value} rows<br>%{source.label} to %{target.label}<extra></extra>"},
    )  # fmt: skip
    rows = tuple(
        {"gold": NAMES[g], "older": NAMES[o], "newer": NAMES[n], "count": int(flows[g, o, n])}
        for g in range(3) for o in range(3) for n in range(3) if flows[g, o, n]
    )  # fmt: skip
    top = sorted((r for r in rows if r["older"] != r["newer"]), key=lambda r: -int(str(r["count"])))[:3]
    alt = "Largest moves: " + ("; ".join(f"gold {r['gold']}, {r['older']} to {r['newer']}: {r['count']}" for r in top) or "none")
    return Chart("flow", framed([drawn], height=400), rows, alt)


def reliability_rows(model: str, sure: np.ndarray, right: np.ndarray, bins: int = BINS) -> list[dict[str, Any]]:
    """One row a bin of confidence that holds rows: how many, their mean confidence, how many are right, with the Wilson interval."""
    at = np.minimum((sure * bins).astype(int), bins - 1)
    rows = []
    for i in np.unique(at):
        inside = at == i
        hits, n = int(right[inside].sum()), int(inside.sum())
        low, high = wilson(hits, n)
        rows.append(
            {"model": model, "from": round(i / bins, 3), "to": round((i + 1) / bins, 3), "rows": n,
             "confidence": round(float(sure[inside].mean()), 4), "accuracy": round(hits / n, 4), "low": round(low, 4), "high": round(high, 4)}
        )  # fmt: skip
    return rows


def reliability(tables: Sequence[tuple[str, float, Sequence[dict[str, Any]]]]) -> Chart:
    """Accuracy against confidence, of (model, expected calibration error, its rows): on the line a model is as sure as it is right."""
    drawn = [go.Scatter(x=[0.33, 1], y=[0.33, 1], mode="lines", line={"dash": "dash", "color": "#999"}, name="as sure as right")]
    for (model, error, rows), colour, symbol in zip(tables, (OLDER, NEWER), ("circle-open", "circle"), strict=False):
        drawn.append(go.Scatter(
            x=[r["confidence"] for r in rows], y=[r["accuracy"] for r in rows], mode="lines+markers", name=f"{model} (ECE {error:.3f})",
            marker={"color": colour, "symbol": symbol, "size": 9}, line={"color": colour}, customdata=[r["rows"] for r in rows],
            error_y={"type": "data", "symmetric": False, "thickness": 1, "array": [r["high"] - r["accuracy"] for r in rows],
                     "arrayminus": [r["accuracy"] - r["low"] for r in rows]},
            hovertemplate="%{customdata} rows, confidence %{x:.2f}: %{y:.1%} right<extra></extra>",
        ))  # fmt: skip
    axes: dict[str, Any] = {
        "xaxis": {"title": {"text": "confidence"}, "range": [0.3, 1.02]},
        "yaxis": {"title": {"text": "share that is right"}, "range": [0, 1.03]},
    }
    alt = "; ".join(
        f"{model}: expected calibration error {error:.3f} over {sum(r['rows'] for r in rows)} rows" for model, error, rows in tables
    )
    return Chart("reliability", framed(drawn, height=400, legend=True, **axes), tuple(r for *_, rows in tables for r in rows), alt)


def framed(traces: Sequence[Any], *, height: int, legend: bool = False, **layout: Any) -> go.Figure:
    """The traces with the same margins and text size everywhere; the colours behind come from the page's theme."""
    common = {
        "height": height, "margin": {"l": 8, "r": 8, "t": 34, "b": 8}, "showlegend": legend, "font": {"size": 13},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
    }  # fmt: skip
    return go.Figure(list(traces), common | layout)
