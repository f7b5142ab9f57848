"""The faithfulness of word scores, as `robustnli faithfulness` wrote it into a run's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from robustnli.charts import LABEL_COLOURS, Chart, framed
from robustnli.errors import DataError

FILE = "faithfulness.json"
FIGURES = {
    "comprehensiveness": "high is faithful", "sufficiency": "low is faithful", "rank": "agreement with leave-one-out",
    "rank of sizes": "agreement with leave-one-out, signs left out",
}  # fmt: skip
METHODS = {
    "gradient": "Loss gradient (the paper's)", "input_x_gradient": "Input x gradient", "integrated_gradients": "Integrated gradients",
    "leave_one_out": "Leave one word out", "random": "By chance",
}  # fmt: skip
SYMBOLS = ("circle", "square", "diamond")


def read(folder: Path) -> dict[str, Any] | None:
    """The file in a run's folder; None where there is none. Raises DataError for one that is damaged."""
    try:
        report: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        for one in report["models"].values():
            for figures in one["methods"].values():
                assert set(FIGURES) <= set(figures)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
        raise DataError(f"{folder.name}/{FILE} cannot be read ({error}). Make it again with `robustnli faithfulness`.") from error
    return report


def rows(report: Mapping[str, Any]) -> list[dict[str, str]]:
    """A row a model and method, each figure with its 95 % interval."""
    return [
        {"model": model, "method": METHODS.get(method, method)} | {name: _cell(figures[name]) for name in FIGURES}
        for model, one in report["models"].items()
        for method, figures in one["methods"].items()
    ]


def _cell(found: Mapping[str, Any]) -> str:
    if found["mean"] is None:
        return "-"
    return f"{found['mean']:.3f}" + (f" ({found['interval'][0]:.3f} to {found['interval'][1]:.3f})" if found["interval"] else "")


def chart(report: Mapping[str, Any], figure: str) -> Chart:
    """One figure of all methods and models: dots with 95 % intervals."""
    drawn, data = [], []
    for (model, one), colour, symbol in zip(report["models"].items(), LABEL_COLOURS * 3, SYMBOLS * 3, strict=False):
        found = {METHODS.get(m, m): figures[figure] for m, figures in one["methods"].items() if figures[figure]["mean"] is not None}
        low_high = [f["interval"] or [f["mean"]] * 2 for f in found.values()]
        means = [f["mean"] for f in found.values()]
        drawn.append(
            go.Scatter(
                x=means, y=list(found), mode="markers", name=model, orientation="h", marker={"color": colour, "symbol": symbol, "size": 10},
                error_x={"type": "data", "symmetric": False, "thickness": 1.2, "array": [h - m for (_, h), m in zip(low_high, means, strict=True)],
                         "arrayminus": [m - low for (low, _), m in zip(low_high, means, strict=True)]},
                hovertemplate="%{y}: %{x:.3f}<extra>" + model.replace("<", "&lt;") + "</extra>",
            )
        )  # fmt: skip
        data += [{"model": model, "method": m, figure: round(v, 4), "from": round(a, 4), "to": round(b, 4)} for m, v, (a, b) in zip(found, means, low_high, strict=True)]  # fmt: skip
    axes: dict[str, Any] = {
        "scattermode": "group",
        "scattergap": 0.5,
        "yaxis": {"autorange": "reversed", "automargin": True},
        "xaxis": {"title": {"text": figure}},
    }
    alt = "; ".join(f"{row['model']}, {row['method']}: {row[figure]}" for row in data)
    return Chart(f"faithfulness-{figure.replace(' ', '-')}", framed(drawn, height=330, legend=True, **axes), tuple(data), alt)


def stale(report: Mapping[str, Any], here: Mapping[str, str]) -> list[str]:
    """The models whose checkpoint is another one now; `here`: name -> fingerprint."""
    return [name for name, one in report["models"].items() if here.get(name, one["fingerprint"]) != one["fingerprint"]]
