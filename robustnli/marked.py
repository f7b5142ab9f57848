"""A row as safe HTML: both sentences with the cue and the masked words marked, what two models say, what the attack did.

Every text of the data passes `html.escape`; a mark is a frame or a line besides a colour, so that it is seen without colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from robustnli.types import LABELS, Segment

_CUE = "background:rgba(230,159,0,.35);border-bottom:2px solid #e69f00;color:inherit"
_MASKED = "outline:1.5px dashed currentColor;outline-offset:0;border-radius:2px"
_BADGE = "padding:.1rem .5rem;border-radius:.6rem;color:#000;font-weight:600;background:"
_SMALL = "font-size:.85rem;opacity:.85"
SHADES = ("#0072b2", "#e69f00", "#cc79a7")  # as charts.LABEL_COLOURS

Span = tuple[Segment, int, int]


def marked(text: str, cues: Iterable[tuple[int, int]], masked: Iterable[tuple[int, int]]) -> str:
    """`text` as HTML; cues highlighted, masked words framed. Spans beyond the text are cut, marks may overlap."""
    size = len(text)
    spans = [
        (max(0, a), min(b, size), style, name) for kind, style, name in ((cues, _CUE, "cue"), (masked, _MASKED, "masked")) for a, b in kind
    ]
    edges = sorted({0, size} | {e for a, b, *_ in spans if a < b for e in (a, b)})
    out = []
    for start, end in pairwise(edges):
        styles = {name: style for a, b, style, name in spans if a <= start and end <= b}
        piece = escape(text[start:end])
        if styles:
            tag = "mark" if "cue" in styles else "span"
            ground = "" if "cue" in styles else "background:none;"
            piece = f'<{tag} title="{" and ".join(styles)}" style="{ground}{";".join(styles.values())}">{piece}</{tag}>'
        out.append(piece)
    return "".join(out)


def attacked(row: Mapping[str, Any], model: str) -> tuple[list[tuple[int, int]], str]:
    """(characters of the hypothesis that the attack on the model masked, how it ended in words); ([], "") where none was made."""
    flat, status = row.get(f"masked.{model}"), row.get(f"status.{model}")
    if flat is None or status is None:
        return [], ""
    numbers = [int(n) for n in flat]
    spans = [(numbers[i], numbers[i + 1]) for i in range(0, len(numbers) - 2, 3)]
    broke = row.get(f"broke_at.{model}")
    if status == "broken" and broke is not None and broke == broke:
        spans = spans[: int(broke)]
    ended = {"broken": f"broken by {len(spans)} mask{'' if len(spans) == 1 else 's'}", "held": "held", "skipped": "wrong without any mask"}
    return ([] if status == "skipped" else spans), ended.get(str(status), str(status))


def card(row: Mapping[str, Any], models: Sequence[str], colour: str, cues: Iterable[Span]) -> str:
    """One row: outcome, gold, both sentences, each model's probabilities and attack. `row` holds a record's columns by name."""
    cues = list(cues)
    premise, hypothesis = row.get("premise"), row.get("hypothesis")
    attacks = {m: attacked(row, m) for m in models}
    framed = [span for spans, _ in attacks.values() for span in spans]
    gold = LABELS[int(row["gold"])].text
    where = " · ".join(escape(str(row[key])) for key in ("slice", "phenomenon", "split") if isinstance(row.get(key), str))
    head = (
        f'<div style="display:flex;gap:.6rem;flex-wrap:wrap;align-items:center"><span style="{_BADGE}{colour}">{escape(str(row["outcome"]))}</span>'
        f'<span>gold <b>{gold}</b></span><span style="{_SMALL}">{where}</span></div>'
    )
    if isinstance(premise, str) and isinstance(hypothesis, str):
        spans = {s: [(a, b) for segment, a, b in cues if segment == s] for s in ("premise", "hypothesis")}
        body = _sentence("Premise", marked(premise, spans["premise"], ())) + _sentence(
            "Hypothesis", marked(hypothesis, spans["hypothesis"], framed)
        )
    else:
        body = f'<div style="margin:.3rem 0;{_SMALL}">No text at hand for this row (uid {escape(str(row["uid"]))}).</div>'
    says = "".join(_says(row, m, gold, hypothesis if isinstance(hypothesis, str) else None, *attacks[m]) for m in models)
    note = f'<div style="{_SMALL}">{escape(row["note"])}</div>' if isinstance(row.get("note"), str) and row["note"] else ""
    return f'<div style="line-height:1.5">{head}{body}{says}{note}</div>'


def _sentence(name: str, content: str) -> str:
    return f'<div dir="auto" style="margin:.25rem 0;overflow-wrap:anywhere"><span style="{_SMALL}">{name}&ensp;</span>{content}</div>'


def _says(row: Mapping[str, Any], model: str, gold: str, hypothesis: str | None, spans: Sequence[tuple[int, int]], ended: str) -> str:
    """One line a model: its name, a bar of three probabilities, the numbers, whether it is right, its attack."""
    probs = [float(p) for p in row[f"probs.{model}"]]
    best = max(range(3), key=probs.__getitem__)
    bar = "".join(f'<span style="width:{100 * p:.1f}%;background:{SHADES[i]}"></span>' for i, p in enumerate(probs))
    numbers = " ".join(
        f"<b>{label.text} {probs[label]:.2f}</b>" if label == best else f"{label.text} {probs[label]:.2f}" for label in LABELS
    )
    mark = "✓ right" if LABELS[best].text == gold else "✗ wrong"
    words = ", ".join(f"<i>{escape(hypothesis[a:b])}</i>" for a, b in spans) if hypothesis is not None else ""
    attack = f" · attack masked {words}: {ended}" if words else f" · attack: {ended}" if ended else ""
    return (
        f'<div style="display:flex;gap:.6rem;flex-wrap:wrap;align-items:center;{_SMALL}"><b style="min-width:5.5rem">{escape(model)}</b>'
        f'<span aria-hidden="true" style="display:flex;width:7rem;height:.6rem;border-radius:.3rem;overflow:hidden">{bar}</span>'
        f"<span>{numbers} · {mark}{attack}</span></div>"
    )
