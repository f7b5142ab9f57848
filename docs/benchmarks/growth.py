"""Draws how cost grows: `robustnli bench --growth --json > growth.json`, then `python docs/benchmarks/growth.py growth.json`.

Makes docs/benchmarks/growth.svg, and puts the tables between their marks in docs/benchmarks.md. Needs playwright and a Chromium on the PATH, which
draws with the plotly.js that Python's plotly brings.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import plotly.graph_objects as go
from playwright.sync_api import sync_playwright
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from robustnli.pipeline.bench import tables

PAGE = Path(__file__).resolve().parents[1] / "benchmarks.md"
PICTURE = Path(__file__).with_suffix(".svg")
BLUE, VERMILLION = "#0072b2", "#d55e00"
SIZE = {"width": 900, "height": 620}


def drawn(result: dict[str, Any]) -> go.Figure:
    """Seconds and memory against pairs, and against tokens a pair; dotted: as it would be if it grew with the first point alone."""
    titles = ("seconds, by pairs", "peak memory in MiB, by pairs", "ms a pair, by tokens", "peak memory in MiB, by tokens")
    figure = make_subplots(rows=2, cols=2, subplot_titles=titles, vertical_spacing=0.16)
    for row, kind in ((1, "pairs"), (2, "lengths")):
        points = result[kind]
        x = [p["value"] for p in points]
        cost = [p["seconds"] * (1 if kind == "pairs" else 1000 / p["pairs"]) for p in points]
        figure.add_scatter(x=x, y=cost, mode="lines+markers", line={"color": BLUE}, row=row, col=1)
        straight = [cost[0] * value / x[0] for value in x]
        figure.add_scatter(x=x, y=straight, mode="lines", line={"color": "#767676", "dash": "dot"}, row=row, col=1)
        figure.add_scatter(x=x, y=[p["peak_memory"] for p in points], mode="lines+markers", line={"color": VERMILLION}, row=row, col=2)
        for col in (1, 2):
            figure.update_xaxes(type="log", tickvals=x, ticktext=[f"{value:,}" for value in x], row=row, col=col)
        figure.update_yaxes(type="log", row=row, col=1)
        figure.update_yaxes(rangemode="tozero", row=row, col=2)
    figure.update_layout(showlegend=False, template="plotly_white", margin={"l": 50, "r": 20, "t": 40, "b": 40}, **SIZE)
    return figure


def svg(figure: go.Figure) -> str:
    """The figure as SVG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_content("<div id=p></div>")
        page.add_script_tag(content=get_plotlyjs())
        url = page.evaluate(
            "([f, size]) => Plotly.newPlot('p', f.data, f.layout).then(g => Plotly.toImage(g, {format: 'svg', ...size}))",
            [json.loads(figure.to_json()), SIZE],
        )
        browser.close()
    return unquote(url.split(",", 1)[1]) + "\n"


def main() -> None:
    """Draw and write."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    result = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    PICTURE.write_text(svg(drawn(result)), encoding="utf-8")
    tables.write(PAGE, result)


if __name__ == "__main__":
    main()
