"""Named parts of a data set: the paper's negation, ambiguity and long sentences, their wider forms, the labels, and the user's own.

A cue is a whole word in any case: "another" and "snow" hold no negation. "n't" is found at the end of a word. A user's pattern is a
regular expression of the `regex` package, in any case, with bounded time. Files of slices are TOML, read and written by `slicefile`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import regex

from robustnli.errors import InputError
from robustnli.types import LABELS, Example, Label, Pair, Segment

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Where = Literal["either", "premise", "hypothesis"]
Which = Literal["older", "newer"]
SEGMENTS: tuple[Segment, Segment] = ("premise", "hypothesis")
WHERES: tuple[Where, ...] = ("either", *SEGMENTS)
WHICH: tuple[Which, ...] = ("older", "newer")
MAX_CUES, MAX_CUE, MAX_PATTERN, MAX_NAME, MAX_WORDS = 200, 80, 500, 80, 10_000
MAX_REPEATS = 100_000  # the product of a pattern's {n,...}: each repeat that must be there is written out when it is compiled
PATTERN_SECONDS, _AT_ONCE = 2.0, 0.05  # a pattern's time on one table, or on one example; and on one text without giving way
_SHARES = ("overlap_at_least", "overlap_at_most", "confidence_at_least", "confidence_at_most")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Examples that fulfil every condition given; without any, all of them.

    `cues`: one of these words or phrases stands in a sentence; `pattern` is found in one; `longer_than` and `shorter_than`: one has
    more, fewer white-space separated words; all look at the sentences that `where` names. `overlap_*`: the share of the hypothesis's
    words that stand in the premise, from 0 to 1; a hypothesis without a word fulfils none. `label`: the gold label. `confidence_*`: of
    the older or newer model (`confidence_of`), from 0 to 1: a condition on a table of predictions (see `holds`). Bounds called at_least
    and at_most belong to the slice. Raises InputError that names the slice and the field.
    """

    name: str
    about: str
    cues: tuple[str, ...] = ()
    pattern: str = ""
    longer_than: int | None = None
    shorter_than: int | None = None
    overlap_at_least: float | None = None
    overlap_at_most: float | None = None
    label: Label | None = None
    confidence_of: Which = "older"
    confidence_at_least: float | None = None
    confidence_at_most: float | None = None
    where: Where = "either"

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > MAX_NAME:
            raise InputError(f"slice {self.name[:MAX_NAME]!r}: the name has {len(self.name)} characters; give it 1 to {MAX_NAME}.")
        self._check_words()
        for field in ("longer_than", "shorter_than"):
            count = getattr(self, field)
            if count is not None and not 0 <= count <= MAX_WORDS:
                raise InputError(f"slice {self.name!r}: {field} is {count}; it counts words, from 0 to {MAX_WORDS}.")
        for field in _SHARES:
            share = getattr(self, field)
            if share is not None and not 0 <= share <= 1:
                raise InputError(f"slice {self.name!r}: {field} is {share}; it is a share from 0 to 1.")
        for field, known in (("where", WHERES), ("confidence_of", WHICH)):
            if getattr(self, field) not in known:
                raise InputError(f"slice {self.name!r}: {field} is {getattr(self, field)!r}; it must be one of {', '.join(known)}.")
        self._check_bands()

    def _check_words(self) -> None:
        for field in ("name", "about", "pattern", "cues"):
            if any("\ud800" <= c <= "\udfff" for text in getattr(self, field) for c in text):
                raise InputError(f"slice {self.name!r}: {field} holds half a character (a lone surrogate). Write it anew.")
        if any(not cue.strip() for cue in self.cues):
            raise InputError(f"slice {self.name!r} has an empty cue word (field cues). Leave it out, or write the word.")
        if len(self.cues) > MAX_CUES or any(len(cue) > MAX_CUE for cue in self.cues):
            raise InputError(f"slice {self.name!r}: cues takes {MAX_CUES} words of {MAX_CUE} characters at most. Leave some out.")
        if len(self.pattern) > MAX_PATTERN:
            raise InputError(f"slice {self.name!r}: pattern has {len(self.pattern)} characters; {MAX_PATTERN} at most.")
        if self.pattern:
            if why := _unbounded(self.pattern):
                raise InputError(f"slice {self.name!r}: pattern {self.pattern!r} {why}.")
            try:
                _compiled(self.pattern)
            except (regex.error, OverflowError, RecursionError) as error:
                told = str(error) or type(error).__name__
                raise InputError(f"slice {self.name!r}: pattern {self.pattern!r} is no regular expression ({told}).") from error

    def _check_bands(self) -> None:
        if self.longer_than is not None and self.shorter_than is not None and self.shorter_than <= self.longer_than + 1:
            raise InputError(
                f"slice {self.name!r}: no sentence is longer_than {self.longer_than} and shorter_than {self.shorter_than} words. Widen the band."
            )
        for low, high in (_SHARES[:2], _SHARES[2:]):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise InputError(f"slice {self.name!r}: {low} is {least}, above {high}, {most}. Exchange them.")

    def holds(self, item: Example) -> bool:
        """Whether the example belongs to the slice. Raises InputError for a condition on confidence, which an example has not."""
        if self.asks_confidence:
            raise InputError(f"slice {self.name!r}: confidence_of asks for a model's predictions, which these rows do not have.")
        return (self.label is None or item.label == self.label) and self.reads(item.pair.premise, item.pair.hypothesis, _searcher(self))

    @property
    def asks_confidence(self) -> bool:
        """Whether predictions are needed to tell what belongs to the slice."""
        return self.confidence_at_least is not None or self.confidence_at_most is not None

    @property
    def asks_text(self) -> bool:
        """Whether the sentences are needed to tell what belongs to the slice."""
        bounds = (self.longer_than, self.shorter_than, self.overlap_at_least, self.overlap_at_most)
        return bool(self.cues or self.pattern) or any(bound is not None for bound in bounds)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The sentences looked at."""
        return SEGMENTS if self.where == "either" else (self.where,)

    def reads(self, premise: str, hypothesis: str, found: Callable[[str], bool]) -> bool:
        """Whether both sentences fulfil the conditions on text; `found` tells whether the pattern is in a sentence."""
        sentences = (premise, hypothesis) if self.where == "either" else (premise,) if self.where == "premise" else (hypothesis,)
        if (self.longer_than is not None or self.shorter_than is not None) and not any(map(self._long_enough, sentences)):
            return False
        if self.cues and not any(has_cue(text, self.cues) for text in sentences):
            return False
        if (self.overlap_at_least is not None or self.overlap_at_most is not None) and not self._overlaps(premise, hypothesis):
            return False
        return not self.pattern or any(map(found, sentences))

    def _long_enough(self, text: str) -> bool:
        count = len(text.split())
        return (self.longer_than is None or count > self.longer_than) and (self.shorter_than is None or count < self.shorter_than)

    def _overlaps(self, premise: str, hypothesis: str) -> bool:
        share = overlap(premise, hypothesis)
        low, high = (
            0.0 if self.overlap_at_least is None else self.overlap_at_least,
            1.0 if self.overlap_at_most is None else self.overlap_at_most,
        )
        return share is not None and low <= share <= high

    def spans(self, pair: Pair) -> tuple[tuple[Segment, int, int], ...]:
        """(segment, start, end) in characters of each cue and each match of the pattern: what put the pair into the slice."""
        out: list[tuple[Segment, int, int]] = []
        for segment in self.segments:
            text = pair.text(segment)
            found = set(find_cues(text, self.cues)) if self.cues else set()
            out += [(segment, *span) for span in sorted(found | set(_matches(self, text)))]
        return tuple(out)


def overlap(premise: str, hypothesis: str) -> float | None:
    """The share of the hypothesis's words (each counted as often as it stands there, in any case) that stand in the premise."""
    words = _WORD.findall(hypothesis.lower())
    known = set(_WORD.findall(premise.lower()))
    return sum(word in known for word in words) / len(words) if words else None


_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


_RECURSION = re.compile(r"\(\?(?:R|[+-]?\d|&|P>)")
_COUNT = re.compile(r"\{(\d+)")


def _unbounded(pattern: str) -> str:
    """Why a pattern could take memory without bound, which no limit of time holds; "" for one that cannot."""
    if _RECURSION.search(pattern):
        return "calls itself or a group of its own, such as (?R) or (?1), which is not allowed here"
    least = 1
    for count in _COUNT.findall(pattern):
        least *= max(1, int(count[:9]))
    return f"asks for {least:,} repeats, counted into each other; {MAX_REPEATS:,} at most" if least > MAX_REPEATS else ""


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern, regex.IGNORECASE)


def _searcher(part: Slice, seconds: float = PATTERN_SECONDS) -> Callable[[str], bool]:
    """A function that tells whether the pattern is in a text. Its calls together may take `seconds` of this thread (then: InputError)."""
    compiled, until = _compiled(part.pattern), time.thread_time() + seconds

    def found(text: str) -> bool:
        left = until - time.thread_time()
        try:
            return compiled.search(text, timeout=max(1e-3, min(left, _AT_ONCE))) is not None
        except TimeoutError:
            pass
        try:  # Other threads of a server go on meanwhile; not so at first, since giving way costs more than most searches.
            return compiled.search(text, timeout=max(1e-3, left - _AT_ONCE), concurrent=True) is not None
        except TimeoutError as error:
            raise _slow(part, seconds) from error

    return found


def _matches(part: Slice, text: str) -> list[tuple[int, int]]:
    if not part.pattern:
        return []
    try:
        return [m.span() for m in _compiled(part.pattern).finditer(text, timeout=PATTERN_SECONDS, concurrent=True) if m.end() > m.start()]
    except TimeoutError as error:
        raise _slow(part, PATTERN_SECONDS) from error


def _slow(part: Slice, seconds: float) -> InputError:
    return InputError(
        f"slice {part.name!r}: pattern {part.pattern!r} takes more than {seconds:g} s. Avoid repeats inside repeats, such as (a|aa)+."
    )


def holds(table: pd.DataFrame, part: Slice, before: str = "", after: str = "") -> np.ndarray:
    """Which rows belong to the slice, (n,) bool. `before` and `after` name the models whose `confidence.MODEL` may be asked for.

    The table has `premise`, `hypothesis` and `gold` (see `evidence.join`); a row without text fulfils no condition on text.
    Raises InputError for a pattern that is too slow, and for confidence of a model that the table does not have.
    """
    import numpy as np

    kept = np.ones(len(table), dtype=bool)
    if part.label is not None:
        kept &= table["gold"].to_numpy() == int(part.label)
    if part.asks_confidence:
        sure = _confidences(table, part, before if part.confidence_of == "older" else after)
        kept &= sure >= (0.0 if part.confidence_at_least is None else part.confidence_at_least)
        kept &= sure <= (1.0 if part.confidence_at_most is None else part.confidence_at_most)
    if part.asks_text:
        found, rows = _searcher(part), np.flatnonzero(kept)
        premises, hypotheses = (table[s].to_numpy(dtype=object)[rows] for s in SEGMENTS)
        pairs = zip(premises.tolist(), hypotheses.tolist(), strict=True)
        kept[rows] = [isinstance(p, str) and isinstance(h, str) and part.reads(p, h, found) for p, h in pairs]
    return kept


def _confidences(table: pd.DataFrame, part: Slice, model: str) -> np.ndarray:
    column = f"confidence.{model}"
    if column not in table:
        raise InputError(f"slice {part.name!r}: confidence_of is {part.confidence_of!r}, and these rows have no predictions of that model.")
    # Rounded as it is shown: float32's 0.9 is below the 0.9 that a person writes.
    sure: np.ndarray = table[column].to_numpy(dtype=float).round(6)
    return sure


def over_matched(table: pd.DataFrame, part: Slice, before: str = "", after: str = "") -> np.ndarray:
    """Which rows a search for the cues as substrings would add to the slice, (n,) bool; none for a slice without cues."""
    import numpy as np

    if not part.cues:
        return np.zeros(len(table), dtype=bool)
    rest = holds(table, replace(part, cues=()), before, after)
    rows = np.flatnonzero(rest)
    sentences = zip(*(table[s].to_numpy(dtype=object)[rows].tolist() for s in part.segments), strict=True)
    rest[rows] = [_only_inside([text for text in texts if isinstance(text, str)], part.cues) for texts in sentences]
    return rest


def _only_inside(texts: Collection[str], cues: tuple[str, ...]) -> bool:
    return any(_loose(cues).search(text) for text in texts) and not any(has_cue(text, cues) for text in texts)


def substrings(text: str, cues: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """(start, end) of each cue in `text`, found inside of words too: what a careless search would take for the cue."""
    return tuple(match.span() for match in _loose(cues).finditer(text))


@lru_cache(maxsize=256)
def _loose(cues: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_spelled(cue) for cue in sorted(cues, key=lambda c: (-len(c), c))), re.IGNORECASE)


def has_cue(text: str, cues: tuple[str, ...]) -> bool:
    """Whether `find_cues` finds any. A search for substrings, which is fast, tells which cues an ASCII text may hold at all."""
    if text.isascii():
        lower = text.lower()
        cues = tuple(cue for cue, part in _longest(cues) if part in lower)
    return bool(cues) and _pattern(cues).search(text) is not None


@lru_cache(maxsize=256)
def _longest(cues: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Each cue with a word of it that an ASCII text with the cue must hold, in lower case; "" where ASCII does not tell."""
    return tuple((cue, max(cue.lower().split(), key=len) if cue.isascii() else "") for cue in cues)


def find_cues(text: str, cues: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """(start, end) of each cue in `text`, left to right, the longest where two begin together."""
    return tuple(match.span() for match in _pattern(cues).finditer(text))


@lru_cache(maxsize=256)
def _pattern(cues: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for all cues: spaces match any white space, ' matches the typographic apostrophe too."""

    def one(cue: str) -> str:
        body = _spelled(cue)
        return rf"(?<=\w){body}(?!\w)" if cue.lower() == "n't" else rf"(?<!\w){body}(?!\w)"

    return re.compile("|".join(one(cue) for cue in sorted(cues, key=lambda c: (-len(c), c))), re.IGNORECASE)


def _spelled(cue: str) -> str:
    return r"\s+".join(re.escape(part).replace("'", "['\u2019]") for part in cue.split())


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


def in_words(part: Slice) -> str:
    """The slice's conditions as a phrase; "every row" without any."""
    side = "either sentence" if part.where == "either" else f"the {part.where}"
    told = (
        [f"one of {len(part.cues)} cue words in {side}" if len(part.cues) > 6 else f"{' or '.join(part.cues)} in {side}"]
        if part.cues
        else []
    )
    if part.pattern:
        told.append(f"the pattern {part.pattern} in {side}")
    more, fewer = part.longer_than, part.shorter_than
    if more is not None or fewer is not None:
        bounds = [f"over {more}"] * (more is not None) + [f"under {fewer}"] * (fewer is not None)
        told.append(f"{' and '.join(bounds)} words in {side}")
    told += _shares("overlap", part.overlap_at_least, part.overlap_at_most)
    told += [f"gold {part.label.text}"] if part.label is not None else []
    told += _shares(f"{part.confidence_of} model's confidence", part.confidence_at_least, part.confidence_at_most)
    return "; ".join(told) or "every row"


def _shares(name: str, low: float | None, high: float | None) -> list[str]:
    if low is not None and high is not None:
        return [f"{name} {low:.4g} to {high:.4g}"]
    return [f"{name} at least {low:.4g}"] if low is not None else [f"{name} at most {high:.4g}"] if high is not None else []
