"""What changed between two texts, word by word: small, free of the text that stayed, and applied to the original it gives the changed one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import regex

from robustnli.types import MASK, Pair, Segment

SEGMENTS: tuple[Segment, Segment] = ("premise", "hypothesis")
_TOKEN = regex.compile(rf"{regex.escape(MASK)}|\s+|[\p{{L}}\p{{M}}\p{{N}}]+|.", regex.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Characters `start:end` of the original sentence become `text`; an empty span is an insertion, an empty text a deletion."""

    segment: Segment
    start: int
    end: int
    text: str


def edits(original: Pair, changed: Pair) -> tuple[Edit, ...]:
    """What turns `original` into `changed`, in order; () when they are equal."""
    return tuple(edit for segment in SEGMENTS for edit in _of(segment, original.text(segment), changed.text(segment)))


def apply(original: Pair, changes: Iterable[Edit]) -> Pair:
    """`original` with the edits made: `apply(a, edits(a, b)) == b`."""
    changes = list(changes)
    return Pair(*(_applied(original.text(segment), [c for c in changes if c.segment == segment]) for segment in SEGMENTS))


def _of(segment: Segment, before: str, after: str) -> list[Edit]:
    if before == after:
        return []
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    at = [0]
    for token in old:
        at.append(at[-1] + len(token))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    found = [Edit(segment, at[a], at[b], "".join(new[c:d])) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal"]
    return _joined(found, before)


def _joined(found: Sequence[Edit], before: str) -> list[Edit]:
    """Neighbours with nothing but white space between them become one edit: as a person would write it."""
    out: list[Edit] = []
    for edit in found:
        between = before[out[-1].end : edit.start] if out else ""
        if out and not between.strip() and (out[-1].start < out[-1].end) == (edit.start < edit.end):
            out[-1] = Edit(edit.segment, out[-1].start, edit.end, out[-1].text + between + edit.text)
        else:
            out.append(edit)
    return out


def _applied(text: str, changes: Sequence[Edit]) -> str:
    out, done = [], 0
    for change in changes:
        out += [text[done : change.start], change.text]
        done = change.end
    return "".join([*out, text[done:]])
