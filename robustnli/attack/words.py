"""Our own list of everyday words with their classes (words.toml), and those of them that are one piece for a model.

A class is a part of speech with its form: "person singular", "transitive ing", "color". Two words of one class may be exchanged and the
sentence stays readable. Stop words and the cues of negation and modality are in no class.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from robustnli.slices import AMBIGUITY_WIDE, NEGATION_WIDE
from robustnli.types import Pair

if TYPE_CHECKING:
    import torch

    from robustnli.models import NLIModel


@lru_cache(maxsize=1)
def _read() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def stop_words() -> frozenset[str]:
    """Words that carry a sentence's structure, in lower case."""
    return frozenset(_read()["stop"]["words"].split())


@lru_cache(maxsize=1)
def classes() -> dict[str, str]:
    """Word in lower case -> its class. A form of two classes, a stop word or a cue is left out."""
    barred = {*stop_words(), *NEGATION_WIDE.cues, *AMBIGUITY_WIDE.cues}
    found: dict[str, set[str]] = {}
    for kind, form in forms(_read()):
        found.setdefault(form, set()).add(kind)
    return {form: min(kinds) for form, kinds in found.items() if len(kinds) == 1 and form not in barred}


def forms(read: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
    """(class, form) of every word of the file."""
    for kind, row in read["nouns"].items():
        for entry in row.split():
            one, _, many = entry.partition("|")
            yield from ((f"{kind} singular", one), (f"{kind} plural", many or _with_s(one)))
    for kind, row in read["mass"].items():
        yield from ((f"{kind} mass", form) for form in row.split())
    for kind, row in read["verbs"].items():
        for entry in row.split():
            yield from ((f"{kind} {form}", text) for form, text in _conjugated(entry))
    for kind, row in (*read["adjectives"].items(), *read["plain"].items()):
        yield from ((kind, form) for form in row.split())


def _with_s(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2] not in "aeiou" else word + "s"


def _conjugated(entry: str) -> Iterator[tuple[str, str]]:
    """(form, text) of a verb: base, s, ing, and for regular ones past."""
    if "|" in entry:
        yield from zip(("base", "s", "ing"), entry.split("|"), strict=True)
        return
    verb = entry.rstrip("*")
    stem = verb + verb[-1] if entry.endswith("*") else verb[:-1] if verb.endswith("e") else verb
    yield from (("base", verb), ("s", _with_s(verb)), ("ing", stem + "ing"))
    yield "past", verb[:-1] + "ied" if verb.endswith("y") and verb[-2] not in "aeiou" else stem + "ed"


def vowel(word: str) -> bool:
    """Whether "an" stands before it, not "a"; the list's few words whose sound differs from their first letter are known."""
    lower = word.lower()
    return lower.startswith(("hour", "honest")) or (lower[:1] in "aeiou" and not lower.startswith(("uni", "use")))


@dataclass(frozen=True, slots=True)
class Candidates:
    """Words that are one piece for a model, and where each class's words are in `words`. `vectors` is (words, embedding)."""

    words: tuple[str, ...]
    of: dict[str, tuple[int, ...]]
    vectors: torch.Tensor


def candidates(model: NLIModel) -> Candidates:
    """The list's words that the model knows as one piece, as they are written inside a sentence."""
    import torch

    known = classes()
    pairs = [Pair("the", f"the {word}") for word in known]
    by_piece: dict[int, list[str]] = {}
    for word, pair, encoding in zip(known, pairs, model.encode(pairs), strict=True):
        spans = model.word_of_token(pair, encoding)
        pieces = [i for i, (segment, span) in zip(encoding.ids, spans, strict=True) if segment == 1 and span and span[0] == len("the ")]
        if len(pieces) == 1:
            by_piece.setdefault(pieces[0], []).append(word)
    found = {words[0]: piece for piece, words in by_piece.items() if len(words) == 1}  # what many words share is the unknown piece
    of: dict[str, list[int]] = {}
    for at, word in enumerate(found):
        of.setdefault(known[word], []).append(at)
    vectors = model.embed(torch.tensor([list(found.values())], dtype=torch.long))[0].float()  # (words, embedding)
    return Candidates(tuple(found), {kind: tuple(rows) for kind, rows in of.items()}, vectors)
