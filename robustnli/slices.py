"""Named parts of a data set: the paper's negation, ambiguity and long sentences, their wider forms, and the labels.

A cue is a whole word in any case: "another" and "snow" hold no negation. "n't" is found at the end of a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from robustnli.errors import InputError
from robustnli.types import LABELS, Example, Label, Pair, Segment

Where = Literal["either", "premise", "hypothesis"]
SEGMENTS: tuple[Segment, Segment] = ("premise", "hypothesis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Examples that fulfil every condition given; without any, all of them.

    `cues`: one of these words or phrases stands in a sentence; `longer_than`: a sentence has more white-space separated
    words; both look at the sentences that `where` names. `label`: the gold label.
    """

    name: str
    about: str
    cues: tuple[str, ...] = ()
    longer_than: int | None = None
    label: Label | None = None
    where: Where = "either"

    def __post_init__(self) -> None:
        if any(not cue.strip() for cue in self.cues):
            raise InputError(f"slice {self.name!r} has an empty cue word. Leave it out, or write the word.")
        if self.longer_than is not None and self.longer_than < 0:
            raise InputError(f"slice {self.name!r}: longer_than is {self.longer_than}; it counts words, from 0.")

    def holds(self, item: Example) -> bool:
        """Whether the example belongs to the slice."""
        sentences = [item.pair.text(s) for s in self.segments]
        if self.label is not None and item.label != self.label:
            return False
        if self.longer_than is not None and all(len(text.split()) <= self.longer_than for text in sentences):
            return False
        return not self.cues or any(find_cues(text, self.cues) for text in sentences)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The sentences looked at."""
        return SEGMENTS if self.where == "either" else (self.where,)

    def spans(self, pair: Pair) -> tuple[tuple[Segment, int, int], ...]:
        """(segment, start, end) in characters of each cue found: what put the pair into the slice."""
        return tuple((s, *span) for s in self.segments for span in find_cues(pair.text(s), self.cues)) if self.cues else ()


def find_cues(text: str, cues: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """(start, end) of each cue in `text`, left to right, the longest where two begin together."""
    return tuple(match.span() for match in _pattern(cues).finditer(text))


@lru_cache(maxsize=256)
def _pattern(cues: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for all cues: spaces match any white space, ' matches the typographic apostrophe too."""

    def one(cue: str) -> str:
        body = r"\s+".join(re.escape(part).replace("'", "['\u2019]") for part in cue.split())
        return rf"(?<=\w){body}(?!\w)" if cue.lower() == "n't" else rf"(?<!\w){body}(?!\w)"

    return re.compile("|".join(one(cue) for cue in sorted(cues, key=lambda c: (-len(c), c))), re.IGNORECASE)


_NEGATION = ("not", "no", "never", "n't", "cannot")
_AMBIGUITY = ("maybe", "possibly")
ALL = Slice(name="all", about="every row")
NEGATION = Slice(name="negation", about="the paper's not, no, never as whole words, and n't", cues=_NEGATION)
AMBIGUITY = Slice(name="ambiguity", about="the paper's maybe, possibly", cues=_AMBIGUITY)
LONG = Slice(name="long", about="over 20 words in either sentence, as in the paper", longer_than=20)
PAPER = (NEGATION, AMBIGUITY, LONG)
NEGATION_WIDE = Slice(
    name="negation (wide)",
    about="negation, and nobody, nothing, none, nowhere, neither, nor, without, no one",
    cues=(*_NEGATION, "nobody", "no one", "nothing", "none", "nowhere", "neither", "nor", "without"),
)
AMBIGUITY_WIDE = Slice(
    name="ambiguity (wide)",
    about="the paper's words, and other words of what may be",
    cues=(*_AMBIGUITY, "perhaps", "may", "might", "could", "probably", "likely", "seems", "appears", "apparently"),
)
BY_LABEL = tuple(Slice(name=label.text, about=f"gold {label.text}", label=label) for label in LABELS)
STANDARD = (ALL, *PAPER, NEGATION_WIDE, AMBIGUITY_WIDE, *BY_LABEL)
