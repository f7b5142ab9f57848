"""Text as somebody typed it, made ready for a tokenizer: half characters, literal masks, and the part of a very long one that matters."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

from robustnli.masking import spans
from robustnli.types import MASK, Pair

_LONG = 16_384  # characters: a text up to here is read as it is

_HALF = re.compile("[\ud800-\udfff]")  # half a character, as JSON can spell it: no tokenizer takes it


def whole(pair: Pair) -> Pair:
    """The pair with U+FFFD for each half character: of the same length, so that every word stands where it stood."""
    if pair.premise.isascii() and pair.hypothesis.isascii():
        return pair
    return Pair(_HALF.sub("\ufffd", pair.premise), _HALF.sub("\ufffd", pair.hypothesis))


def first(span: tuple[int, int]) -> int:
    """Where a span begins."""
    return span[0]


def mask_at(masks: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """The first of the masks, which are in order, that holds a token's first character or begins within the token."""
    at = bisect_right(masks, start, key=first) - 1
    if at >= 0 and start < masks[at][1]:
        return masks[at]
    return masks[at + 1] if at + 1 < len(masks) and masks[at + 1][0] < end else None


def mask_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each literal `[MASK]`, in order."""
    return [(start, end) for start, end in spans(text) if text[start:end] == MASK] if MASK in text else []


def first_seen(text: str, start: int) -> int:
    """The first character from `start` on that is no white space: where a piece that begins with its space is seen."""
    return next((i for i in range(start, len(text)) if not text[i].isspace()), len(text))


def ahead(text: str, count: Callable[[str], int], enough: int) -> str:
    """The beginning of a very long text, up to white space, that has more than `enough` tokens as `count` tells; else the text.

    A tokenizer never joins what white space parts, so that the first tokens of both are the same.
    """
    size = _LONG
    while size < len(text):
        end = max(text.rfind(" ", 0, size), text.rfind("\n", 0, size))
        if end > 0 and count(text[:end]) > enough:
            return text[:end]
        size *= 4
    return text
