"""What a finished attack tells, counted from its rows: success by slice, label, word class and place; strength; transfer; words.

A success rate is always of the rows that the model had right before and that the recipe could judge: broken / (broken + held). Under
`TOO_FEW` rows it tells nothing. Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from robustnli import suite
from robustnli.browse import LABEL_NAMES
from robustnli.compare import TOO_FEW, wilson
from robustnli.gallery.view import BROKEN, HELD, POSITIONS, SKIPPED, STATUSES, View, parts_of
from robustnli.slices import BY_LABEL, STANDARD


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `of`, with the 95 % Wilson interval `low` to `high`."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """`hits / of`; NaN of no rows."""
        return self.hits / self.of if self.of else float("nan")

    @property
    def few(self) -> bool:
        """Whether there are too few rows to tell."""
        return self.of < TOO_FEW

    def told(self) -> str:
        """The counts before the percentage: "37 of 49 (75.5 %)"; what it cannot tell, it says."""
        if not self.of:
            return "no rows"
        return f"{self.hits:,} of {self.of:,} ({100 * self.share:.1f} %)" + (", too few to tell" if self.few else "")


def rate(hits: int, of: int) -> Rate:
    """A share with its interval."""
    return Rate(int(hits), int(of), *wilson(int(hits), int(of)))


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the rows, and for each model how often the attack on it succeeded there."""

    name: str
    rates: dict[str, Rate]


@dataclass(frozen=True, slots=True)
class WordCount:
    """A word, its class, how often it alone broke a model of the times that it was the first one changed, and the label it fell to most."""

    word: str
    part: str
    rate: Rate
    to: str


def success(seen: View, rows: np.ndarray, budget: int | None = None) -> Rate:
    """How often the attack succeeded in those rows, (n,) bool."""
    ended = seen.status(budget)
    return _success(ended == BROKEN, ended == HELD, rows)


def _success(broke: np.ndarray, held: np.ndarray, rows: np.ndarray) -> Rate:
    hits = int((broke & rows).sum())
    return rate(hits, hits + int((held & rows).sum()))


def statuses(seen: View, model: str, budget: int | None = None) -> dict[str, int]:
    """How many of the rows in which the model was attacked ended how; those that none ended in are left out."""
    ended = seen.status(budget)[seen.of(model)]
    return {name: n for name in STATUSES if (n := int((ended == name).sum()))}


def by(seen: View, parts: Iterable[tuple[str, np.ndarray]], budget: int | None = None) -> list[Group]:
    """Success in each part (a name and its rows), for every model; parts in which nothing counts are left out."""
    ended, of = seen.status(budget), {m: seen.of(m) for m in seen.models}
    broke, held = ended == BROKEN, ended == HELD
    groups = [Group(name, {m: _success(broke, held, rows & mine) for m, mine in of.items()}) for name, rows in parts]
    return [g for g in groups if any(r.of for r in g.rates.values())]


@lru_cache(maxsize=24)  # a view never changes
def slice_parts(seen: View) -> list[tuple[str, np.ndarray]]:
    """The slices of the data and their rows: the suite's own, or the standard ones; labels are not among them."""
    held = [set(names) for names in seen.table["slices"]]
    known = [*suite.PHENOMENA, *(s.name for s in STANDARD)]
    found = set().union(*held) - {"all", *(s.name for s in BY_LABEL)} if held else set()
    names = sorted(found, key=lambda n: (known.index(n) if n in known else len(known), n))
    return [(name, np.array([name in names for names in held], dtype=bool)) for name in names]


def phenomenon_parts(seen: View) -> list[tuple[str, np.ndarray]]:
    """The phenomena that the rows name."""
    return _values(seen, "phenomenon", sorted(seen.table["phenomenon"].dropna().unique()))


def label_parts(seen: View) -> list[tuple[str, np.ndarray]]:
    """The gold labels before the change."""
    gold = seen.table["gold"].to_numpy()
    return [(name, gold == i) for i, name in enumerate(LABEL_NAMES)]


def part_parts(seen: View) -> list[tuple[str, np.ndarray]]:
    """The classes of the first word changed."""
    return _values(seen, "part", parts_of(seen))


def place_parts(seen: View) -> list[tuple[str, np.ndarray]]:
    """Where in the hypothesis the first word changed stands."""
    return _values(seen, "place", POSITIONS)


def _values(seen: View, column: str, names: Sequence[str]) -> list[tuple[str, np.ndarray]]:
    values = seen.table[column].to_numpy()
    return [(str(name), values == name) for name in names]


# What success is shown by: title, the parts, and whether only the first word changed counts there (a later one may be of another class).
BY: dict[str, tuple[str, Callable[[View], list[tuple[str, np.ndarray]]], bool]] = {
    "slice": ("Slice", slice_parts, False),
    "gold": ("Gold label", label_parts, False),
    "part": ("Class of the first word changed", part_parts, True),
    "place": ("Place of the first word changed", place_parts, True),
    "phenomenon": ("Phenomenon", phenomenon_parts, False),
}


def curve(seen: View, model: str) -> list[Rate]:
    """The model's accuracy over all its rows that the recipe could judge, with 0, 1, ... k words changed.

    Wrong before stays wrong: this is accuracy under attack, which can only fall. Where an attack succeeds by an answer that stays, it
    is the share of pairs that are right before and not broken.
    """
    rows = seen.of(model) & seen.table["judged"].to_numpy()
    at, ended = seen.table["broke_at"].to_numpy(dtype=float)[rows], seen.status()[rows]
    return [rate(((ended != SKIPPED) & (at > budget)).sum(), rows.sum()) for budget in range(seen.most + 1)]


def transfer(seen: View, budget: int | None = None) -> dict[tuple[str, str], Rate]:
    """(attacked model, another model) -> of the pairs that broke the one and that the other had right before, how many break it too."""
    ended, gold = seen.status(budget), seen.table["gold"].to_numpy(dtype=int)
    out = {}
    for made in seen.models:
        broke = (ended == BROKEN) & seen.of(made)
        for other in seen.models:
            right = broke & (seen.said(other, "before") == gold)
            out[made, other] = rate((right & seen.fooled(other)).sum(), right.sum())
    return out


def words(seen: View, model: str) -> list[WordCount]:
    """The words that were changed first in the attacks on a model, by how often that alone broke it; most flips first."""
    rows = seen.of(model) & seen.table["word"].notna().to_numpy()
    ended, after = seen.status(1)[rows], seen.said(model, "after")[rows]
    found: dict[str, list[int]] = {}
    for i, word in enumerate(seen.table["word"].to_numpy()[rows]):
        if ended[i] in (BROKEN, HELD):
            found.setdefault(word, []).append(i)
    classes = dict(zip(seen.table["word"], seen.table["part"], strict=True))
    counts = [_word(word, str(classes[word]), ended[at], after[at]) for word, at in found.items()]
    return sorted(counts, key=lambda c: (-c.rate.hits, c.rate.of, c.word))


def _word(word: str, part: str, ended: np.ndarray, after: np.ndarray) -> WordCount:
    broken = ended == BROKEN
    fell = np.bincount(after[broken], minlength=len(LABEL_NAMES))
    return WordCount(word, part, rate(broken.sum(), len(ended)), LABEL_NAMES[int(fell.argmax())] if broken.any() else "")


def overview(views: Sequence[View], budget: int | None = None) -> list[dict[str, Any]]:
    """One row a finished attack: for each model the success and the accuracy under it; the queries a pair; the gold label's standing."""
    out = []
    for seen in views:
        of = seen.finished
        row: dict[str, Any] = {"recipe": of.recipe, "title": of.title, "name": of.name, "paper": of.paper, "gold": of.gold}
        asked = min(budget or seen.most, seen.most)
        row |= {"k": of.k if of.budgeted else None, "queries": of.queries / max(1, of.n * len(of.models))}
        row["success"] = {m: success(seen, seen.of(m), asked) for m in seen.models}
        row["accuracy"] = {} if seen.answer_stays else {m: curve(seen, m)[asked] for m in seen.models}
        out.append(row)
    return out
