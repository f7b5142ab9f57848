"""Writes docs/architecture.svg: who imports whom, read from the code; rows and modules are those of tests/test_layers.py.

    python docs/architecture/graph.py

A line goes from a module up to one that it imports; a neighbour within its row is an arc. Imports of `types`, `errors` and `config`, by nearly
everything, are not drawn. In a browser, a box under the pointer shows its lines alone.
tests/test_site.py holds that the committed picture is what this makes now.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.test_layers import ROWS, imports, sources  # noqa: E402

PICTURE = ROOT / "docs" / "architecture.svg"
COMMON = ("types", "errors", "config")  # imported by nearly all
TITLES = (
    "values", "pure: text, figures, formats", "files, models, database", "scores, runs, exchange", "attacks, checks", "the two leaves",
    "shells",
)  # fmt: skip
WIDTH, LEFT, GAP, ROW, BOX = 1180, 150, 10, 96, 34
STYLE = """
  .line { stroke: #0072b2; stroke-opacity: .28; stroke-width: 1.1; fill: none }
  .band { fill: #7f8c9b; fill-opacity: .09 }
  .box { fill: #ffffff; stroke: #5b6570; stroke-width: 1 }
  text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #1f2328 }
  .name { font-weight: 600; text-anchor: middle }
  .small { font-size: 10px; fill: #59636e }
  g:hover .box { stroke: #d55e00; stroke-width: 2 }
  .ground { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #1b1e24 } .box { fill: #262a33; stroke: #aab4c0 } text { fill: #eef1f4 } .small { fill: #aab4c0 }
    .line { stroke: #56b4e9; stroke-opacity: .38 }
  }
"""


def graph() -> tuple[dict[str, set[str]], set[str]]:
    """module -> the modules it imports, and all modules that exist; they are those of the table, `app.py` and `pages`."""
    known = {name for names in ROWS for name in names}
    edges: dict[str, set[str]] = defaultdict(set)
    there: set[str] = set()
    for module, path in sources():
        there.add(module)
        for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
            parts = name.split(".")
            if parts[0] == "robustnli" and len(parts) > 1 and parts[1] in known and parts[1] != module:
                edges[module].add(parts[1])
    return dict(edges), there


def rows(modules: set[str]) -> list[list[str]]:
    """The modules of each row that exist, by name; the last row with the app's own."""
    named = [sorted(names & modules) for names in ROWS]
    named[-1] += ["app", "pages"]
    return named


def _width(name: str) -> float:
    return max(48, 7.2 * len(_label(name)) + 14)


def _label(name: str) -> str:
    return {"app": "app.py", "pages": "pages/"}.get(name, name)


def layout(table: list[list[str]]) -> tuple[dict[str, tuple[float, float, float]], list[tuple[float, float]]]:
    """module -> (x, y, width) of its box, and (y, height) of each row's band; a row that is too long breaks into two lines."""
    places: dict[str, tuple[float, float, float]] = {}
    bands: list[tuple[float, float]] = []
    y = 12.0
    for names in table:
        lines: list[list[str]] = [[]]
        for name in names:
            if LEFT + sum(_width(n) + GAP for n in [*lines[-1], name]) > WIDTH - 10 and lines[-1]:
                lines.append([])
            lines[-1].append(name)
        height = len(lines) * (BOX + 12) + 12
        for i, line in enumerate(lines):
            room = WIDTH - 10 - LEFT - sum(_width(n) for n in line)
            space = min(28.0, room / max(1, len(line)))
            x = LEFT + (room - space * (len(line) - 1)) / 2
            for name in line:
                places[name] = (x, y + 12 + i * (BOX + 12), _width(name))
                x += _width(name) + space
        bands.append((y, height))
        y += height + ROW - BOX
    return places, bands


def _path(a: tuple[float, float, float], b: tuple[float, float, float]) -> str:
    """A curve from the top of box `a` to the bottom of box `b`; an arc below both where they stand on one line."""
    ax, bx = a[0] + a[2] / 2, b[0] + b[2] / 2
    if a[1] == b[1]:
        low = a[1] + BOX
        return f"M{ax:.0f} {low:.0f} C{ax:.0f} {low + 26:.0f} {bx:.0f} {low + 26:.0f} {bx:.0f} {low:.0f}"
    start, end = (a[1], b[1] + BOX) if a[1] > b[1] else (a[1] + BOX, b[1])
    middle = (start + end) / 2
    return f"M{ax:.0f} {start:.0f} C{ax:.0f} {middle:.0f} {bx:.0f} {middle:.0f} {bx:.0f} {end:.0f}"


def _lines(name: str, edges: dict[str, set[str]], places: dict[str, tuple[float, float, float]]) -> str:
    """The lines that begin at a module."""
    drawn = sorted(n for n in edges.get(name, ()) if n not in COMMON)
    return "".join(f'<path class="line of-{name}" d="{_path(places[name], places[n])}"/>' for n in drawn)


def _box(name: str, place: tuple[float, float, float], edges: dict[str, set[str]]) -> str:
    x, y, width = place
    told = f"{_label(name)} imports {', '.join(sorted(edges.get(name, ()))) or 'none of the others'}"
    return (
        f'<g id="{name}"><title>{escape(told)}</title><rect class="box" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{BOX}" rx="6"/>'
        f'<text class="name" x="{x + width / 2:.0f}" y="{y + 21:.0f}">{escape(_label(name))}</text></g>'
    )


def picture() -> str:
    """The whole SVG."""
    edges, modules = graph()
    table = rows(modules)
    places, bands = layout(table)
    height = bands[-1][0] + bands[-1][1] + 44
    rule = "stroke: #d55e00; stroke-opacity: 1; stroke-width: 2"
    hover = "".join(f"  svg:has(#{n}:hover) .of-{n} {{ {rule} }}\n" for names in table for n in names)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-labelledby="t">',
        '<title id="t">Rows of modules; each imports only from rows above its own, and from a few neighbours</title>',
        f"<style>{STYLE}{hover}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height:.0f}" rx="8"/>',
    ]
    for number, ((y, tall), title) in enumerate(zip(bands, TITLES, strict=True)):
        out.append(f'<rect class="band" x="8" y="{y:.0f}" width="{WIDTH - 16}" height="{tall:.0f}" rx="8"/>')
        out.append(f'<text x="18" y="{y + 22:.0f}" font-weight="700">{number}</text>')
        out += [f'<text class="small" x="34" y="{y + 22 + 13 * i:.0f}">{part}</text>' for i, part in enumerate(_wrapped(title))]
    out += [_lines(name, edges, places) for names in table for name in names]
    out += [_box(name, places[name], edges) for names in table for name in names]
    told = f"A line: a module and one that it imports. Not drawn: imports of {', '.join(COMMON)}, which nearly all modules need."
    out += [f'<text class="small" x="18" y="{height - 14:.0f}">{escape(told)}</text>', "</svg>", ""]
    return "\n".join(out)


def _wrapped(text: str, width: int = 18) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
