"""Where the words of a sentence are, and the sentence with some of them masked: pure text.

A word is a run without white space or punctuation; an apostrophe or a hyphen inside joins (don't, T-shirt). A typed
`[MASK]` is one word. Punctuation is no word: no attack masks it. Every boundary of a word is a boundary for BERT's
and ELECTRA's tokenizers too, so that masking a word never changes the pieces of its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable

import regex

from robustnli.errors import InputError
from robustnli.types import MASK, Pair, Segment, Word

# White space as BERT's normalizer has it: control characters are no space there, they vanish and their neighbours join.
_RUN = r"[^\t\n\r\p{Z}\p{P}$+<=>^`|~]+"
_WORD = regex.compile(rf"\[MASK\]|{_RUN}(?:['\u2019\-\u2010\u2011]{_RUN})*")


def spans(text: str) -> tuple[tuple[int, int], ...]:
    """(start, end) in characters of each word of `text`, in order."""
    return tuple(match.span() for match in _WORD.finditer(text))


def mask(pair: Pair, words: Iterable[Word]) -> Pair:
    """`pair` with each word replaced by one `[MASK]` per piece, as the paper's section 4.3 does per token.

    The words' positions are those of `pair` itself. Raises InputError for a position outside it, or two that overlap.
    """
    chosen = sorted(set(words))
    return Pair(_masked(pair.premise, "premise", chosen), _masked(pair.hypothesis, "hypothesis", chosen))


def _masked(text: str, segment: Segment, words: list[Word]) -> str:
    out: list[str] = []
    done = 0
    for word in words:
        if word.segment != segment:
            continue
        if not done <= word.start < word.end <= len(text):
            raise InputError(f"characters {word.start} to {word.end} are no word of the {segment} ({len(text)} characters).")
        out += [text[done : word.start], " ".join([MASK] * word.pieces)]
        done = word.end
    return "".join([*out, text[done:]])
