"""What a finished attack tells -> plotly figures with table and text, as `robustnli.charts` makes them. A model keeps its colour and its mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from robustnli.charts import Chart, framed
from robustnli.gallery import counts
from robustnli.gallery.counts import Group, Rate, WordCount
from robustnli.gallery.view import View

PALETTE = ("#e69f00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
MARKS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_GREY = "rgba(140,140,140,.35)"
_STEP = 20  # pixels a line of a forest


def strength(seen: View) -> Chart:
    """Accuracy against the number of words changed, a line a model; untouched and attacked, where the recipe has no such number."""
    drawn, rows, told = [], [], []
    for i, model in enumerate(seen.models):
        points = counts.curve(seen, model)
        drawn.append(go.Scatter(
            x=list(range(len(points))), y=[100 * p.share for p in points], mode="lines+markers", name=model,
            line={"color": PALETTE[i % 6], "dash": DASHES[i % 6], "width": 2}, marker={"symbol": MARKS[i % 6], "size": 9},
            customdata=[p.told() for p in points], error_y=_whiskers(points),
            hovertemplate="%{x}: %{customdata} right<extra>" + model + "</extra>",
        ))  # fmt: skip
        rows += [{"model": model, "words changed at most": k} | _cells(p, "right") for k, p in enumerate(points)]
        told.append(f"{model} {100 * points[0].share:.1f} % right untouched, {100 * points[-1].share:.1f} % attacked")
    last = seen.most
    ticks = {
        "tickvals": list(range(last + 1)),
        "ticktext": [str(n) for n in range(last + 1)] if seen.stepwise else ["untouched", "attacked"],
    }
    title = seen.finished.budget if seen.stepwise else ""
    figure = framed(
        drawn, height=330, legend=True, yaxis={"title": {"text": "percent right and unbroken" if seen.answer_stays else "percent right"}, "range": [0, 101]},
        xaxis={"title": {"text": title}, "range": [-0.15 if last > 1 else -0.4, last + (0.15 if last > 1 else 0.4)]} | ticks,
    )  # fmt: skip
    return Chart(f"strength-{seen.finished.name}", figure, tuple(rows), "; ".join(told))


def transfer(seen: View, budget: int | None = None) -> Chart:
    """Attacks made against a model (rows), scored on the others (columns): the share of what broke the one that breaks the other too."""
    found = counts.transfer(seen, budget)
    names = list(seen.models)
    cells = [[None if a == b or not found[a, b].of else 100 * found[a, b].share for b in names] for a in names]
    texts = [["" if a == b else _in_cell(found[a, b]) for b in names] for a in names]
    drawn = go.Heatmap(
        z=cells, x=names, y=names, zmin=0, zmax=100, colorscale=[[0, "#fff5eb"], [1, "#e6762b"]], showscale=False, xgap=2, ygap=2,
        text=texts, texttemplate="%{text}", textfont={"color": "#000"}, hoverongaps=False,
        hovertemplate="made against %{y}, scored on %{x}: %{text}<extra></extra>",
    )  # fmt: skip
    own = go.Heatmap(
        z=[[0 if a == b else None for b in names] for a in names], x=names, y=names, showscale=False, xgap=2, ygap=2,
        colorscale=[[0, _GREY], [1, _GREY]], hoverinfo="skip", text=[["its own"] * len(names)] * len(names), texttemplate="%{text}", textfont={"color": "#888"},
    )  # fmt: skip
    figure = framed(
        [own, drawn], height=330, yaxis={"autorange": "reversed", "title": {"text": "made against"}, "automargin": True, "showgrid": False},
        xaxis={"side": "top", "title": {"text": "scored on", "standoff": 4}, "automargin": True, "showgrid": False}, margin={"l": 8, "r": 8, "t": 60, "b": 8},
    )  # fmt: skip
    rows = tuple({"made against": a, "scored on": b} | _cells(r, "broken too") for (a, b), r in found.items() if a != b)
    alt = "; ".join(f"made against {a}, scored on {b}: {r.told()}" for (a, b), r in found.items() if a != b)
    return Chart(f"transfer-{seen.finished.name}", figure, rows, alt or "one model: nothing to transfer to")


def _in_cell(found: Rate) -> str:
    if not found.of:
        return "no pairs"
    few = "<br>too few to tell" if found.few else ""
    return f"<b>{100 * found.share:.0f} %</b><br>{found.hits:,} of {found.of:,}{few}"


def forest(name: str, what: str, groups: Sequence[Group], *, models: Sequence[str] = (), axis: str = "percent broken") -> Chart:
    """A line a group and model: the success rate, its interval, its counts; what has too few rows is drawn hollow and grey.

    `models`: all that have a colour of their own, in the order of the view. A point's customdata is (group, model).
    """
    shown = [m for m in models if any(m in g.rates for g in groups)] or list(groups[0].rates)
    lines = [(g, m, i * (len(shown) + 0.6) + j) for i, g in enumerate(groups) for j, m in enumerate(shown) if m in g.rates]
    drawn = [_points(m, list(models or shown).index(m), [(g, g.rates[m], y) for g, n, y in lines if n == m]) for m in shown]
    numbers = [
        {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "y": y, "text": _short(g.rates[m]), "showarrow": False, "font": {"size": 11}}
        for g, m, y in lines
    ]  # fmt: skip
    height = 96 + int(_STEP * (len(groups) * (len(shown) + 0.6)))
    centre = (len(shown) - 1) / 2
    figure = framed(
        drawn, height=height, legend=len(shown) > 1, margin={"l": 8, "r": 84, "t": 34, "b": 8}, annotations=numbers,
        xaxis={"title": {"text": axis}, "range": [-2, 102], "tickvals": [0, 25, 50, 75, 100], "zeroline": False, "showgrid": True},
        yaxis={"tickvals": [i * (len(shown) + 0.6) + centre for i in range(len(groups))], "ticktext": [_label(g.name) for g in groups],
               "range": [len(groups) * (len(shown) + 0.6) - 0.3, -0.8], "automargin": True, "showgrid": False, "zeroline": False},
    )  # fmt: skip
    rows = tuple({what: g.name, "model": m} | _cells(g.rates[m], "broken") for g, m, _ in lines)
    alt = "; ".join(f"{g.name}: " + ", ".join(f"{m} {r.told()}" for m, r in g.rates.items()) for g in groups)
    return Chart(name, figure, rows, alt)


def _points(model: str, at: int, lines: Sequence[tuple[Group, Rate, float]]) -> go.Scatter:
    known = [(g, r, y) for g, r, y in lines if r.of]
    colour = PALETTE[at % 6]
    return go.Scatter(
        x=[100 * r.share for _, r, _ in known], y=[y for *_, y in known], mode="markers", name=model,
        customdata=[[g.name, model] for g, *_ in known], text=[r.told() for _, r, _ in known],
        error_x=_whiskers([r for _, r, _ in known]) | {"color": colour},
        marker={"symbol": [MARKS[at % 6] + ("-open" if r.few else "") for _, r, _ in known], "size": 9, "color": colour,
                "opacity": [0.6 if r.few else 1 for _, r, _ in known]},
        hovertemplate="%{customdata[0]}: %{text}<extra>" + model + "</extra>",
    )  # fmt: skip


def word_forest(seen: View, model: str, found: Sequence[WordCount]) -> Chart:
    """The words that broke a model most often when they alone were changed."""
    groups = [Group(f"{w.word} ({w.part})", {model: w.rate}) for w in found]
    chart = forest(f"words-{model}-{seen.finished.name}", "word", groups, models=seen.models, axis="percent of the times it was changed")
    return Chart(chart.name, chart.figure, tuple(word_rows(found)), chart.alt)


def word_rows(found: Sequence[WordCount]) -> list[dict[str, Any]]:
    """One row a word: its class, counts, interval, the label it fell to most often."""
    return [{"word": w.word, "class": w.part} | _cells(w.rate, "flips") | {"falls to": w.to} for w in found]


def _cells(found: Rate, what: str) -> dict[str, Any]:
    share = round(100 * found.share, 1) if found.of else None
    few = "too few to tell" if found.few else ""
    return {
        what: found.hits,
        "of": found.of,
        "percent": share,
        "from": round(100 * found.low, 1),
        "to": round(100 * found.high, 1),
        "note": few,
    }


def _whiskers(points: Sequence[Rate]) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False, "thickness": 1.2, "width": 3,
        "array": [100 * (p.high - p.share) if p.of else 0 for p in points], "arrayminus": [100 * (p.share - p.low) if p.of else 0 for p in points],
    }  # fmt: skip


def _short(found: Rate) -> str:
    return f"{found.hits:,} of {found.of:,}" if found.of else "no rows"


def _label(text: str) -> str:
    """A name as an axis shows it: plotly reads a few tags, so none may come from data."""
    return text.replace("&", "&amp;").replace("<", "&lt;")[:40]


def picked(point: Mapping[str, Any]) -> tuple[str, str] | None:
    """(group, model) of a clicked point of a forest."""
    told = point.get("customdata")
    if isinstance(told, Mapping):
        told = [told[key] for key in sorted(told)]
    return (str(told[0]), str(told[1])) if isinstance(told, Sequence) and not isinstance(told, str) and len(told) >= 2 else None
