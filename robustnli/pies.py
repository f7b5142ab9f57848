"""The paper's pie of one slice as plain values: paths to draw, lines of text, and a picture (SVG) to save. No streamlit, no plotly.

A pie is drawn by a few paths, so that the page shows it before the library of the larger charts has reached the browser.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from robustnli.charts import COLOURS, DENOMINATORS, Of, percent, share_rows, shares
from robustnli.compare import TOO_FEW
from robustnli.types import ErrorBreakdown

RADIUS = 50.0
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what no XML file may hold, escaped or not
_NAMED = 0.14  # the share from which a wedge has room for its name


@dataclass(frozen=True, slots=True)
class Wedge:
    """One outcome: the SVG path of its wedge ("" for none), where its name stands (None: no room), its line of text."""

    outcome: str
    colour: str
    path: str
    at: tuple[float, float] | None
    count: str
    interval: str


@dataclass(frozen=True, slots=True)
class Pie:
    """A slice's pie: its heading, wedges, verdict in words (`few`: too few rows to tell), text for those who do not see it, rows, SVG."""

    slice: str
    heading: str
    wedges: tuple[Wedge, ...]
    besides: str
    verdict: str
    few: bool
    alt: str
    rows: tuple[dict[str, Any], ...]
    svg: str


def pie(counts: ErrorBreakdown, of: Of, verdict: str) -> Pie:
    """Fixed, introduced, remaining of one slice, clockwise from the top; counts before percentages. No wedge where nothing errs."""
    parts, wedges, begun = shares(counts, of), [], 0.0
    for outcome, share in parts.items():
        middle = begun + share.share / 2
        at = _point(middle, 0.6 * RADIUS) if share.share >= _NAMED and share.share < 1 else (0.0, 0.0) if share.share == 1 else None
        interval = f"{100 * share.low:.0f} to {100 * share.high:.0f}" if share.of else ""
        wedges.append(Wedge(outcome, COLOURS[outcome], _path(begun, begun + share.share), at, percent(share), interval))
        begun += share.share
    alt = f"{counts.slice}: " + ", ".join(f"{name} {percent(s)}" for name, s in parts.items()) + f", {DENOMINATORS[of]}"
    heading = f"{counts.n:,} row{'' if counts.n == 1 else 's'}"
    besides = f"{counts.introduced:,} introduced besides" if of == "older" else ""
    rows = tuple(share_rows(counts, of))
    svg = _svg(counts.slice, heading, wedges, [verdict, f"Percent {DENOMINATORS[of]}" + (f"; {besides}" if besides else "")], alt)
    return Pie(counts.slice, heading, tuple(wedges), besides, verdict, counts.n < TOO_FEW, alt, rows, svg)


def plain(pie: Pie) -> dict[str, Any]:
    """The pie as plain values for a component."""
    return asdict(pie) | {"rows": None}


def _point(turn: float, radius: float) -> tuple[float, float]:
    """The place at `turn` (0 to 1, clockwise from the top) and `radius` around the middle, y downwards."""
    angle = 2 * math.pi * turn
    return round(radius * math.sin(angle), 3), round(-radius * math.cos(angle), 3)


def _path(begin: float, end: float) -> str:
    """The SVG path of a wedge from one turn to another; two halves for a whole pie, "" for nothing."""
    if end - begin <= 0:
        return ""
    if end - begin > 0.999999:
        return f"M0 {-RADIUS:g}A{RADIUS:g} {RADIUS:g} 0 1 1 0 {RADIUS:g}A{RADIUS:g} {RADIUS:g} 0 1 1 0 {-RADIUS:g}Z"
    (x1, y1), (x2, y2) = _point(begin, RADIUS), _point(end, RADIUS)
    return f"M0 0L{x1:g} {y1:g}A{RADIUS:g} {RADIUS:g} 0 {int(end - begin > 0.5)} 1 {x2:g} {y2:g}Z"


def _svg(name: str, heading: str, wedges: Sequence[Wedge], notes: Sequence[str], alt: str) -> str:
    """A picture that stands alone: heading, pie, a line an outcome, notes. Black on white, whatever the page's theme."""
    drawn = "".join(f'<path d="{w.path}" fill="{w.colour}" stroke="#fff" stroke-width=".8"/>' for w in wedges if w.path)
    drawn += "".join(f'<text x="{w.at[0]:g}" y="{w.at[1]:g}" text-anchor="middle" font-size="7">{w.outcome}</text>' for w in wedges if w.at)
    lines = [(f"{w.outcome}  {w.count}" + (f"  [{w.interval}]" if w.interval else ""), w.colour) for w in wedges]
    top, body = 84.0, ""
    for text, colour in lines:
        body += f'<rect x="-64" y="{top - 5.5:g}" width="6" height="6" fill="{colour}"/><text x="-55" y="{top:g}" font-size="7.5">{_xml(text)}</text>'
        top += 11
    for note in (part for text in notes for part in _wrapped(text, 42)):
        body += f'<text x="-64" y="{top:g}" font-size="6.2" fill="#444">{_xml(note)}</text>'
        top += 9
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-70 -70 140 {top + 64:g}" width="420" height="{3 * (top + 64):g}" role="img" '
        f'font-family="Source Sans Pro, Segoe UI, Arial, sans-serif"><title>{_xml(alt)}</title>'
        f'<rect x="-70" y="-70" width="140" height="{top + 64:g}" fill="#fff"/>'
        f'<text x="-64" y="-59" font-size="9" font-weight="600">{_xml(_cut(name, 22))}<tspan font-weight="400" font-size="7.5" fill="#444">'
        f'  {_xml(heading)}</tspan></text><g transform="translate(0 14)">{drawn}</g>{body}</svg>'
    )


def _xml(text: str) -> str:
    """The text as XML holds it."""
    return escape(_NO_XML.sub("\ufffd", text))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _wrapped(text: str, most: int) -> list[str]:
    """The text in lines of at most `most` characters, broken at spaces."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
