"""An older and a newer model on the same examples: fixed, introduced, remaining, still right; intervals and a paired test."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from robustnli.errors import InputError
from robustnli.types import ErrorBreakdown, Label, Outcome, Prediction

Z95 = 1.959963984540054
TOO_FEW = 30  # rows below which a slice tells nothing


def outcome(gold: Label, before: Prediction, after: Prediction) -> Outcome:
    """What became of one example (the paper's section 5.1, and the fourth case it leaves out)."""
    if before.label == gold:
        return Outcome.STILL_RIGHT if after.label == gold else Outcome.INTRODUCED
    return Outcome.FIXED if after.label == gold else Outcome.REMAINING


def breakdown(name: str, gold: Sequence[Label], before: Sequence[Prediction], after: Sequence[Prediction]) -> ErrorBreakdown:
    """The four counts over aligned rows. Raises InputError when the rows do not align."""
    if not len(gold) == len(before) == len(after):
        raise InputError(f"{len(gold)} gold labels, {len(before)} older and {len(after)} newer predictions: all must be of the same rows.")
    counts = Counter(map(outcome, gold, before, after))
    return ErrorBreakdown(name, counts[Outcome.FIXED], counts[Outcome.INTRODUCED], counts[Outcome.REMAINING], counts[Outcome.STILL_RIGHT])


def wilson(hits: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval (95 %) of a share hits / n; (0, 1) for n = 0."""
    if not 0 <= hits <= n:
        raise InputError(f"{hits} of {n} is no share.")
    if n == 0:
        return 0.0, 1.0
    share, square = hits / n, z * z / n
    centre, half = share + square / 2, z * math.sqrt(share * (1 - share) / n + square / (4 * n))
    return max(0.0, (centre - half) / (1 + square)), min(1.0, (centre + half) / (1 + square))


@lru_cache(maxsize=4096)
def mcnemar(fixed: int, introduced: int) -> float:
    """Exact two-sided p of McNemar's test: as many fixed as introduced is what chance alone would give."""
    n, few = fixed + introduced, min(fixed, introduced)
    if n == 0:
        return 1.0
    ways = tail = 1  # ways to choose i of n, from one to the next: thousands of rows cost milliseconds
    for i in range(few):
        ways = ways * (n - i) // (i + 1)
        tail += ways
    return float(min(1.0, 2 * tail / 2**n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p-values, in the given order: below 0.05 stays significant over all the tests together."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def verdict(counts: ErrorBreakdown, p: float) -> str:
    """What the counts and their (adjusted) p-value tell, in words."""
    if counts.n < TOO_FEW:
        return "too few rows to tell"
    if p >= 0.05:
        return "no clear change"
    return "better" if counts.fixed > counts.introduced else "worse"
