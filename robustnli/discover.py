"""Where do two models differ most? All slices of one and two conditions, tested, and those with the largest net change ranked.

The test is McNemar's exact one on the rows that changed; over all the slices tried, Benjamini and Hochberg (1995) hold the share of
false discoveries at `rate`. Conditions come from the records alone (gold, confidence, names of slices), and from the text where it is.
A slice found is a question, not an answer: many were looked at, so its own numbers look better than new data would show.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from robustnli.compare import TOO_FEW
from robustnli.slices import AMBIGUITY_WIDE, NEGATION_WIDE, SEGMENTS, Slice, has_cue, holds, overlap
from robustnli.types import LABELS, ErrorBreakdown

CUES: dict[str, tuple[str, ...]] = {
    "negation": NEGATION_WIDE.cues,
    "what may be": AMBIGUITY_WIDE.cues,
    "number": ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "several", "couple", "pair", "group", "many"),
    "quantifier": ("all", "every", "each", "some", "any", "most", "few", "only", "both", "everyone", "someone", "nobody"),
    "place": ("inside", "outside", "indoors", "outdoors", "near", "behind", "under", "above", "between", "next to", "in front of", "home"),
    "time": ("before", "after", "while", "during", "about to", "going to", "will", "already", "yesterday", "tomorrow", "night", "day"),
    "purpose": ("because", "so that", "in order to", "waiting", "trying", "preparing", "getting ready", "for his", "for her", "for their"),
    "comparison": ("more", "less", "than", "bigger", "smaller", "taller", "older", "younger", "best", "first", "last", "same", "different"),
    "feeling": ("happy", "sad", "angry", "tired", "bored", "excited", "scared", "enjoying", "loves", "likes", "wants", "hates"),
}
WORDS = {"premise": (0, 10, 15, 21), "hypothesis": (0, 5, 7, 10, 14)}
OVERLAPS, CONFIDENCES = (0.0, 0.25, 0.5, 0.75, 1.0), (0.0, 0.5, 0.7, 0.9, 0.99)
_RUN = re.compile(r"\w+")
NAMED = frozenset({"all", *(label.text for label in LABELS)})  # slices that other conditions say already


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A condition in words, and which rows fulfil it, (n,) bool. Two of one `family` (bands of one length, say) are not combined."""

    family: str
    text: str
    rows: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """A slice on which the models differ: its conditions in words, four counts, McNemar's exact p, and p adjusted for all slices tried."""

    conditions: tuple[str, ...]
    counts: ErrorBreakdown
    p: float
    adjusted: float
    rows: np.ndarray

    @property
    def net(self) -> int:
        """Fixed minus introduced."""
        return self.counts.fixed - self.counts.introduced


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What was found, largest net change first; how many distinct slices were tried, and how many of them changed significantly."""

    found: tuple[Difference, ...]
    tried: int
    significant: int


def differences(
    table: pd.DataFrame,
    before: str,
    after: str,
    *,
    own: Sequence[Slice] = (),
    rate: float = 0.05,
    at_least: int = TOO_FEW,
    limit: int = 20,
) -> Search:
    """The slices of up to two conditions with the largest significant net change from model `before` to `after`, at most `limit`.

    The table is as `evidence.read_records` makes it (`gold`, `label.MODEL`, `confidence.MODEL`), with text or without. Of slices with
    the same rows the one with the fewest conditions is tried; a significant one that a clearer one explains (a set it contains, or is
    contained in, say) is left out. `own`: slices of the user's, tried as conditions too. Raises InputError for a slice that cannot be had.
    """
    gold, older, newer = (table[c].to_numpy() for c in ("gold", f"label.{before}", f"label.{after}"))
    was, now = older == gold, newer == gold
    tried = _distinct([c for c in conditions(table, before, after, own) if not c.rows.all()], at_least)
    if not tried:
        return Search((), 0, 0)
    rows = np.stack([mask for _, mask in tried])  # (slices, n)
    fixed, introduced = (_count(rows, changed) for changed in (~was & now, was & ~now))
    logs = log_p(fixed, introduced)
    adjusted = benjamini_hochberg(np.exp(logs))
    significant = np.flatnonzero(adjusted <= rate)
    clearest = sorted(significant, key=lambda i: (logs[i], rows[i].sum(), len(tried[i][0])))
    kept = _unexplained(clearest, rows[:, ~was & now], rows[:, was & ~now])
    ranked = sorted(kept, key=lambda i: (-abs(int(fixed[i]) - int(introduced[i])), logs[i]))[:limit]
    found = []
    for i in ranked:
        texts, mask = tried[i]
        remaining, right = int((mask & ~was & ~now).sum()), int((mask & was & now).sum())
        counts = ErrorBreakdown(" and ".join(texts), int(fixed[i]), int(introduced[i]), remaining, right)
        found.append(Difference(texts, counts, float(np.exp(logs[i])), float(adjusted[i]), mask))
    return Search(tuple(found), len(tried), len(significant))


def conditions(table: pd.DataFrame, before: str, after: str, own: Sequence[Slice] = ()) -> list[Condition]:
    """All conditions that the table can tell."""
    gold = table["gold"].to_numpy()
    out = [Condition("gold", f"gold {label.text}", gold == int(label)) for label in LABELS]
    sure = table[f"confidence.{before}"].to_numpy(dtype=float)
    out += _bands("confidence", sure, CONFIDENCES, lambda low, high: f"{before}'s confidence {_band(low, high, 1.0)}")
    out += _named(table)
    if "premise" in table and "hypothesis" in table:
        out += _textual(table)
    return out + [Condition(f"own {part.name}", part.name, holds(table, part, before, after)) for part in own]


def _named(table: pd.DataFrame) -> Iterator[Condition]:
    """Slices that the records name, a phenomenon, and what a hypothesis-only model gets wrong."""
    if "slices" in table:
        held = [frozenset(names) for names in table["slices"]]
        for name in sorted(frozenset().union(*held) - NAMED):
            yield Condition(f"slice {name}", f"slice {name}", np.fromiter((name in names for names in held), dtype=bool, count=len(held)))
    for column in ("slice", "phenomenon"):
        if column in table:
            values = table[column].astype(object)
            for name in sorted({v for v in values if isinstance(v, str)}):
                yield Condition(column, f"{column} {name}", (values == name).to_numpy(dtype=bool))
    if "hard" in table:
        yield Condition("hard", "wrong for a hypothesis-only model", table["hard"].to_numpy(dtype=bool))


def _textual(table: pd.DataFrame) -> Iterator[Condition]:
    """Cue words and lengths of each sentence, and their overlap; a row without text fulfils none."""
    sentences: dict[str, list[Any]] = {s: table[s].tolist() for s in SEGMENTS}
    for segment in SEGMENTS:
        for name, rows in cue_rows(sentences[segment], CUES).items():
            yield Condition(f"{name} {segment}", f"{segment} with a word of {name}", rows)
        counts = np.array([len(t.split()) if isinstance(t, str) else np.nan for t in sentences[segment]], dtype=float)
        yield from _bands(f"words {segment}", counts, WORDS[segment], lambda low, high, s=segment: f"{s} of {_words(low, high)} words")  # type: ignore[misc]
    pairs = zip(sentences["premise"], sentences["hypothesis"], strict=True)
    shares = np.array([overlap(p, h) if isinstance(p, str) and isinstance(h, str) else None for p, h in pairs], dtype=float)
    yield from _bands("overlap", shares, OVERLAPS, lambda low, high: f"overlap {_band(low, high, 1.0)}")


def cue_rows(texts: Sequence[Any], families: Mapping[str, Sequence[str]]) -> dict[str, np.ndarray]:
    """Family -> which texts hold one of its cues, (n,) bool, as `slices.has_cue` tells it: each text is read once for all families.

    An ASCII text is looked up by its words; where those do not tell (phrases, "n't", other alphabets), `has_cue` does.
    """
    words = {cue: frozenset(["t"] if cue == "n't" else _RUN.findall(cue.lower())) for cues in families.values() for cue in cues}
    known, at = frozenset().union(*words.values()), defaultdict(set)
    foreign = {i for i, text in enumerate(texts) if isinstance(text, str) and not text.isascii()}
    for i, text in enumerate(texts):
        if isinstance(text, str) and i not in foreign:
            for word in known.intersection(_RUN.findall(text.lower())):
                at[word].add(i)
    out = {}
    for name, cues in families.items():
        rows = np.zeros(len(texts), dtype=bool)
        rows[[i for i in foreign if has_cue(texts[i], tuple(cues))]] = True
        for cue in cues:
            found = set.intersection(*(at[word] for word in words[cue])) if words[cue] else range(len(texts))
            sure = words[cue] == {cue.lower()}
            rows[[i for i in found if sure or (isinstance(texts[i], str) and has_cue(texts[i], (cue,)))]] = True
        out[name] = rows
    return out


def _bands(family: str, values: np.ndarray, edges: Sequence[float], told: Callable[[float, float], str]) -> Iterator[Condition]:
    """A condition a band from each edge up to the next, the last without end. NaN is in none."""
    for low, high in zip(edges, (*edges[1:], np.inf), strict=True):
        yield Condition(family, told(low, high), (values >= low) & (values < high))


def _band(low: float, high: float, top: float) -> str:
    return (
        f"{low:.0%}"
        if low >= top
        else f"{low:.0%} or more"
        if high > top
        else f"under {high:.0%}"
        if low <= 0
        else f"{low:.0%} to {high:.0%}"
    )


def _words(low: float, high: float) -> str:
    return f"{low:.0f} or more" if high == np.inf else f"under {high:.0f}" if low <= 0 else f"{low:.0f} to {high - 1:.0f}"


def _distinct(parts: Sequence[Condition], at_least: int) -> list[tuple[tuple[str, ...], np.ndarray]]:
    """(conditions in words, rows) of each slice of one and two conditions with rows enough, once a set of rows."""
    if not parts:
        return []
    masks = np.stack([part.rows for part in parts])  # (conditions, n)
    numbers = masks.astype(np.float32)
    sizes = numbers @ numbers.T  # counts of both; exact in float32 up to 2**24
    pairs = [(i, j) for i, j in np.argwhere(np.triu(sizes >= at_least, 1)) if parts[i].family != parts[j].family]
    kept: dict[bytes, tuple[tuple[str, ...], np.ndarray]] = {}
    for where in [(i,) for i in range(len(parts)) if sizes[i, i] >= at_least] + pairs:
        rows = masks[where[0]] if len(where) == 1 else masks[where[0]] & masks[where[1]]
        kept.setdefault(np.packbits(rows).tobytes(), (tuple(parts[i].text for i in where), rows))
    return list(kept.values())


def _count(rows: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """How many of the changed rows each slice holds, (slices,) int."""
    return np.asarray(rows[:, changed].sum(axis=1, dtype=np.int64))


def log_p(fixed: np.ndarray, introduced: np.ndarray) -> np.ndarray:
    """The logarithm of McNemar's exact two-sided p, (slices,): the vector form of `compare.mcnemar`, without underflow."""
    n, few = fixed + introduced, np.minimum(fixed, introduced)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, max(1, n.max(initial=1)) + 1)))])  # log factorials
    # Terms further down than this weigh under 1e-16 of the largest.
    steps = np.arange(int(min(few.max(initial=0), 20 + 5 * np.sqrt(n.max(initial=0)))) + 1)
    at = np.maximum(few[:, None] - steps, 0)  # (slices, steps)
    terms = logs[n, None] - logs[at] - logs[n[:, None] - at]
    ratios = np.where(steps <= few[:, None], np.exp(terms - terms[:, :1]), 0.0)
    return np.asarray(np.minimum(0.0, np.log(2) * (1 - n) + terms[:, 0] + np.log(ratios.sum(axis=1))))


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p-values (Benjamini and Hochberg 1995), (tests,): those at most q are discoveries with a false share of q."""
    order = np.argsort(p_values)
    scaled = p_values[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return adjusted


def _unexplained(order: Sequence[Any], fixed: np.ndarray, introduced: np.ndarray) -> list[int]:
    """The slices in that order without those that an earlier one explains: outside of its rows they hardly change.

    `fixed`, `introduced`: which of the rows that were fixed, or introduced, each slice holds, (slices, rows). Hardly: less than half
    of the slice's net change is left, and McNemar's p of that is above 0.05.
    """
    parts = [mask[list(order)].astype(np.float32) for mask in (fixed, introduced)]
    counts = np.stack([part.sum(axis=1) for part in parts])  # (2, slices)
    net, alive, kept = np.abs(counts[0] - counts[1]), np.ones(len(order), dtype=bool), []
    for at, i in enumerate(order):
        if alive[at]:
            kept.append(i)
            left = (counts - np.stack([part @ part[at] for part in parts])).astype(np.int64)  # (2, slices), outside of slice i
            small = np.flatnonzero(alive & (np.abs(left[0] - left[1]) < net / 2))
            alive[small] = log_p(*left[:, small]) <= np.log(0.05)
    return kept
