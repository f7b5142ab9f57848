"""A row of a finished attack as safe HTML: what was changed in place, and what every model said before and after.

Every text of the data passes `html.escape`. A change is struck out or underlined besides its colour; a flip has an arrow and a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from robustnli.gallery.edits import SEGMENTS, Edit
from robustnli.gallery.view import BROKEN, HELD, View
from robustnli.types import LABELS, MASK

COLOURS = {BROKEN: "#d55e00", HELD: "#009e73"}
_OUT = "background:rgba(213,94,0,.16);text-decoration:line-through;text-decoration-thickness:1.5px;color:inherit;border-radius:3px"
_IN = "background:rgba(0,114,178,.22);text-decoration:none;border-bottom:2px solid #0072b2;color:inherit;border-radius:3px;font-weight:600"
_BADGE = "padding:.1rem .55rem;border-radius:.6rem;color:#000;font-weight:600;background:"
_PILL = "padding:.05rem .5rem;border-radius:.6rem;border:1px solid currentColor;font-size:.8rem"
_SMALL = "font-size:.85rem;opacity:.85"
_SHADES = ("#0072b2", "#e69f00", "#cc79a7")  # as charts.LABEL_COLOURS


def changed(text: str, edits: Sequence[Edit]) -> str:
    """`text` as HTML with what was taken out struck through and what was put in marked."""
    out, done = [], 0
    for edit in edits:
        out.append(escape(text[done : edit.start]))
        if edit.start < edit.end:
            out.append(f'<del title="changed" style="{_OUT}">{escape(text[edit.start : edit.end])}</del>')
        if edit.text:
            gap = "\u2009" if edit.start < edit.end else ""
            out.append(f'{gap}<ins title="put in" style="{_IN}">{escape(edit.text)}</ins>')
        done = edit.end
    return "".join([*out, escape(text[done:])])


def card(seen: View, row: Mapping[str, Any], said: Mapping[str, tuple[Sequence[float], Sequence[float]]], ended: str) -> str:
    """One row: how it ended, gold before and after, both sentences with the changes, every model before and after.

    `said`: model -> its probabilities of the untouched and of the changed pair. `ended`: as `View.status` says.
    """
    body = _sentences(row)
    lines = "".join(_model(name, name == row["model"], before, after) for name, (before, after) in said.items())
    note = f'<div style="{_SMALL}">{escape(str(row["note"]))}</div>' if row.get("note") else ""
    return f'<div style="line-height:1.5">{_head(seen, row, ended)}{body}{lines}{note}</div>'


def _head(seen: View, row: Mapping[str, Any], ended: str) -> str:
    gold = LABELS[int(row["gold"])].text
    if row["label"] is None:
        after = f'<span style="{_PILL}" title="No person has said what the label of the changed pair is">new gold label unconfirmed</span>'
    elif row["label"] != gold:
        after = f'<span style="{_PILL}">by rule now <b>{escape(row["label"])}</b></span>'
    else:
        after = f'<span style="{_PILL}">gold label stays</span>'
    words = int(row["n_words"])
    how = f" by {words} word{'s' if words > 1 else ''}" if ended == BROKEN and seen.stepwise else ""
    later = f'<span style="{_SMALL}">breaks with {int(row["broke_at"])} words</span>' if ended == HELD and row["broke_at"] < 99 else ""
    where = " · ".join(escape(str(v)) for v in (*_slices(row), row.get("phenomenon"), row.get("split")) if isinstance(v, str) and v)
    return (
        '<div style="display:flex;gap:.6rem;flex-wrap:wrap;align-items:center">'
        f'<span style="{_BADGE}{COLOURS.get(ended, "#b0b0b0")}">{escape(ended)}{how}</span><span><b>{escape(str(row["model"]))}</b> attacked</span>'
        f'{later}<span>gold <b>{gold}</b></span>{after}<span style="{_SMALL}">{where}</span></div>'
    )


def _slices(row: Mapping[str, Any]) -> list[str]:
    names = row.get("slices")
    return [str(n) for n in names if n not in ("all", *(label.text for label in LABELS))] if names is not None else []


def _sentences(row: Mapping[str, Any]) -> str:
    texts = (row["premise"], row["hypothesis"])
    if not all(isinstance(text, str) for text in texts):
        return f'<div style="margin:.3rem 0;{_SMALL}">No text at hand for this row (uid {escape(str(row["uid"]))}).</div>'
    return "".join(
        f'<div dir="auto" style="margin:.25rem 0;overflow-wrap:anywhere"><span style="{_SMALL}">{segment.capitalize()}&ensp;</span>'
        f"{changed(text, [e for e in row['edits'] if e.segment == segment])}</div>"
        for segment, text in zip(SEGMENTS, texts, strict=True)
    )


def _model(name: str, attacked: bool, before: Sequence[float], after: Sequence[float]) -> str:
    """One line a model: its name, two bars, what it said before and after, whether it flipped."""
    was, now = (max(range(3), key=list(p).__getitem__) for p in (before, after))
    flip = f"<b>\u21c4 {LABELS[was].text} {before[was]:.2f} \u2192 {LABELS[now].text} {after[now]:.2f}</b>"
    same = f"{LABELS[was].text} {before[was]:.2f} \u2192 {after[was]:.2f}"
    who = f"<b>{escape(name)}</b>" if attacked else escape(name)
    return (
        f'<div style="display:flex;gap:.6rem;flex-wrap:wrap;align-items:center;font-size:.88rem"><span style="min-width:6rem">{who}</span>'
        f'<span aria-hidden="true" style="display:flex;gap:.3rem;align-items:center">{_bar(before)}\u2192{_bar(after)}</span>'
        f"<span>{flip if was != now else same}</span></div>"
    )


def _bar(probs: Sequence[float]) -> str:
    parts = "".join(f'<span style="width:{100 * p:.1f}%;background:{_SHADES[i]}"></span>' for i, p in enumerate(probs))
    return f'<span style="display:flex;width:4.5rem;height:.6rem;border-radius:.3rem;overflow:hidden">{parts}</span>'


def masked_only(edits: Sequence[Edit]) -> bool:
    """Whether nothing but masks was put in: then the Flip lab can show the untouched pair with its words masked."""
    return bool(edits) and all(e.text and not e.text.replace(MASK, "").strip() for e in edits)
