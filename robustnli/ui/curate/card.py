"""An entry as safe HTML: both pairs with what was changed, what the models said, who judged it how. Every text passes `html.escape`.

What was taken away is struck through, what was put there underlined, besides their colours: they are told apart without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from html import escape

import regex

from robustnli.curated import Change, Entry, Opinion, Said, Verdict
from robustnli.marked import SHADES
from robustnli.types import LABELS, Label, Prediction, Segment

# A token that is a word, a [MASK], or one mark of punctuation.
_TOKEN = regex.compile(r"\[MASK\]|[\p{L}\p{M}\p{N}]+(?:['\u2019-][\p{L}\p{M}\p{N}]+)*|\S")
_AT_MOST = 4_000_000  # products of token counts up to which the difference is looked for word by word
_SMALL = "font-size:.85rem;opacity:.8"
_GONE = "background:rgba(213,94,0,.20);text-decoration:line-through;text-decoration-thickness:1.5px;color:inherit;border-radius:.2rem;padding:0 .1rem"
_NEW = "background:rgba(0,158,115,.24);text-decoration:underline;text-decoration-thickness:2px;text-underline-offset:3px;color:inherit;border-radius:.2rem;padding:0 .1rem;font-weight:600"
_CHIP = (
    "display:inline-block;padding:.05rem .55rem;border-radius:.7rem;border:1px solid rgba(128,128,128,.45);font-size:.82rem;line-height:1.5"
)
_SEGMENTS: tuple[Segment, Segment] = ("premise", "hypothesis")
Spans = list[tuple[int, int]]
VERDICT_NAMES = {
    Verdict.PENDING: "not judged", Verdict.KEEP: "label kept", Verdict.RELABEL: "relabelled", Verdict.UNSURE: "unsure",
    Verdict.REJECT: "rejected",
}  # fmt: skip
VERDICT_MARKS = {Verdict.PENDING: "○", Verdict.KEEP: "✓", Verdict.RELABEL: "⇄", Verdict.UNSURE: "?", Verdict.REJECT: "×"}


def difference(before: str, after: str) -> tuple[Spans, Spans]:
    """(characters of `before` that are gone, characters of `after` that are new), by words; neighbours are joined."""
    if before == after:
        return [], []
    old, new = (list(_TOKEN.finditer(text)) for text in (before, after))
    if len(old) * len(new) > _AT_MOST:
        return [(0, len(before))], [(0, len(after))]
    blocks = SequenceMatcher(None, [t.group() for t in old], [t.group() for t in new], autojunk=False).get_opcodes()
    gone = [(old[a].start(), old[b - 1].end()) for kind, a, b, _, _ in blocks if kind != "equal" and a < b]
    come = [(new[c].start(), new[d - 1].end()) for kind, _, _, c, d in blocks if kind != "equal" and c < d]
    return gone, come


def said_of(verdict: Verdict, label: Label | None) -> str:
    """A verdict in words: 'label kept: neutral'."""
    return f"{VERDICT_MARKS[verdict]} {VERDICT_NAMES[verdict]}" + (f": {label.text}" if label is not None else "")


def pair_html(entry: Entry) -> str:
    """Both sentences; of a changed one, the old form above the new one with what differs marked."""
    return f'<div style="line-height:1.6">{"".join(_segment(entry, s) for s in _SEGMENTS)}</div>'


def _segment(entry: Entry, segment: Segment) -> str:
    before, after = entry.original.text(segment), entry.edited.text(segment)
    name = segment.capitalize()
    if before == after:
        return _line(name, escape(before), "1.05rem")
    gone, come = difference(before, after)
    return _line(f"{name} before", _marked(before, gone, "del", _GONE), "1.05rem") + _line(
        f"{name} after", _marked(after, come, "ins", _NEW), "1.05rem"
    )


def _marked(text: str, spans: Spans, tag: str, style: str) -> str:
    out, done = [], 0
    for start, end in spans:
        out += [escape(text[done:start]), f'<{tag} style="{style}">{escape(text[start:end])}</{tag}>']
        done = end
    return "".join([*out, escape(text[done:])])


def _line(name: str, content: str, size: str) -> str:
    return (
        f'<div style="margin:.15rem 0 .35rem"><div style="{_SMALL};line-height:1.3">{name}</div>'
        f'<div dir="auto" style="font-size:{size};overflow-wrap:anywhere;max-height:16rem;overflow-y:auto">{content}</div></div>'
    )


def facts_html(entry: Entry) -> str:
    """The label before, the recipe, tags, who added it and when, as small chips."""
    gold = entry.gold_before.text if entry.gold_before is not None else "no label"
    chips = [f"<b>{gold}</b> before the edit" if entry.gold_before is not None else "no label before", escape(entry.recipe)]
    chips += [f"#{escape(tag)}" for tag in entry.tags]
    by = f"by {escape(entry.author)}" if entry.author else "nobody's"
    shown = "".join(f'<span style="{_CHIP}">{chip}</span>' for chip in chips)
    return (
        f'<div style="display:flex;gap:.4rem;flex-wrap:wrap;align-items:center" aria-label="{gold}">{shown}'
        f'<span style="{_SMALL};overflow-wrap:anywhere">{by}{_when(entry.created)}</span></div>'
    )


def _when(at: str) -> str:
    return f", {escape(at[:16].replace('T', ' '))} UTC" if at else ""


def models_html(said: Sequence[Said]) -> str:
    """One row a model: what it said of the original pair and of the edited one, and whether the edit flipped it."""
    if not said:
        return f'<div style="{_SMALL}">No model was asked about this pair yet: Replay asks.</div>'
    return f'<div style="display:flex;flex-direction:column;gap:.35rem">{"".join(_model(s) for s in said)}</div>'


def _model(s: Said) -> str:
    flip = '<b style="color:#d55e00">⇄ FLIP</b>' if s.flipped else "<span>held</span>"
    print_ = f"fingerprint {escape(s.fingerprint)}" if s.fingerprint else "fingerprint not known"
    return (
        f'<div style="display:flex;gap:.1rem .8rem;flex-wrap:wrap;align-items:center;font-size:.9rem" title="{print_}">'
        f'<b style="flex:0 0 6.5rem;overflow-wrap:anywhere">{escape(s.model)}</b>'
        f'<span style="display:flex;gap:.1rem .6rem;flex-wrap:wrap;flex:1 1 15rem;align-items:center">'
        f"{_prediction(s.before, '')}{_prediction(s.after, '→')}{flip}</span></div>"
    )


def _prediction(p: Prediction, arrow: str) -> str:
    bar = "".join(f'<span style="width:{100 * v:.1f}%;background:{SHADES[i]}"></span>' for i, v in enumerate(p.probs))
    numbers = ", ".join(f"{label.text} {p.probs[label]:.2f}" for label in LABELS)
    return (
        f'<span style="display:inline-flex;gap:.35rem;align-items:center" title="{numbers}">'
        f'<span aria-hidden="true" style="width:.8rem">{arrow}</span><span aria-hidden="true" '
        f'style="display:flex;width:3.6rem;height:.6rem;border-radius:.3rem;overflow:hidden">{bar}</span>'
        f'<span style="min-width:7.9rem">{p.label.text} {p.confidence:.2f}</span></span>'
    )


def opinions_html(opinions: Iterable[Opinion]) -> str:
    """One line an opinion: who, what, when, and the note."""
    lines = [
        f'<div style="margin:.15rem 0;overflow-wrap:anywhere"><b>{escape(o.author or "nobody")}</b>: {said_of(o.verdict, o.label)}'
        f'<span style="{_SMALL}">{_when(o.at)}</span>{_quoted(o.note)}</div>'
        for o in opinions
    ]
    return "".join(lines)


def _quoted(note: str) -> str:
    return (
        f'<div dir="auto" style="{_SMALL};border-left:3px solid rgba(128,128,128,.4);padding-left:.6rem">{escape(note)}</div>'
        if note
        else ""
    )


def note_html(note: str) -> str:
    """The entry's note, as it was typed."""
    return f'<div dir="auto" style="border-left:3px solid rgba(128,128,128,.4);padding-left:.6rem;overflow-wrap:anywhere;white-space:pre-line">{escape(note)}</div>'


def history_html(changes: Iterable[Change], clear: Callable[[Change], bool] = lambda _: True) -> str:
    """One line a change, the newest first; what `clear` refuses is left out."""
    lines = [
        f'<div style="margin:.2rem 0;overflow-wrap:anywhere;font-size:.9rem"><span style="{_SMALL}">{escape(c.at[:16].replace("T", " "))}</span> '
        f"<b>{escape(c.author or 'nobody')}</b> {escape(c.field)}: {_value(c.before)} → {_value(c.after)}</div>"
        for c in reversed(list(changes))
        if clear(c)
    ]
    return "".join(lines) or f'<div style="{_SMALL}">Nothing was changed since it was added.</div>'


def _value(text: str) -> str:
    return f"<span>{escape(text if len(text) <= 300 else text[:299] + '…')}</span>" if text else "<i>nothing</i>"
