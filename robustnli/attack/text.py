"""A sentence with some of its words exchanged or taken out: pure text, positions are those of the untouched sentence."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from robustnli.types import Pair, Word

_BEFORE_MARK = re.compile(r"\s+([.,;:!?])")


def exchange(pair: Pair, swaps: Mapping[Word, str]) -> Pair:
    """`pair` with each hypothesis word of `swaps` exchanged for its text."""
    text, done, out = pair.hypothesis, 0, []
    for word in sorted(swaps):
        out += [text[done : word.start], swaps[word]]
        done = word.end
    return Pair(pair.premise, "".join([*out, text[done:]]))


def without(pair: Pair, words: Collection[Word]) -> Pair:
    """`pair` without these hypothesis words; the spaces that they leave behind go too."""
    rest = " ".join(exchange(pair, dict.fromkeys(words, " ")).hypothesis.split())
    return Pair(pair.premise, _BEFORE_MARK.sub(r"\1", rest)) if words else pair


def as_written(word: str, like: str) -> str:
    """`word` with a capital first where `like` has one."""
    return word[:1].upper() + word[1:] if like[:1].isupper() else word
