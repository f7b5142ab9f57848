"""The paper's printed figures, and the counts that its pies must stand on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from robustnli.types import ErrorBreakdown

FILE = Path(__file__).with_name("paper.toml")
ROUNDED = 0.1  # a printed percentage is at most so far from the true one: rounding, and what makes a pie sum to 100
MOST = 1000


@dataclass(frozen=True, slots=True)
class PrintedPie:
    """A pie of the paper: its printed percentages, and the fewest errors that give them, as counts (`still_right` is not printed: 0)."""

    slice: str
    percents: tuple[float, float, float]
    counts: ErrorBreakdown
    where: str


@lru_cache(maxsize=1)
def printed() -> dict[str, Any]:
    """The file of printed figures: `row`, `pie` and a few single values."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def pies() -> list[PrintedPie]:
    """The paper's pies with their counts."""
    out = []
    for row in printed()["pie"]:
        percents = (float(row["fixed"]), float(row["introduced"]), float(row["remaining"]))
        fixed, introduced, remaining = fewest(percents)
        out.append(PrintedPie(row["slice"], percents, ErrorBreakdown(row["slice"], fixed, introduced, remaining, 0), row["where"]))
    return out


def fewest(percents: tuple[float, ...]) -> tuple[int, ...]:
    """The counts of the smallest total whose shares are the percentages, each within `ROUNDED`. Raises ValueError where none fits."""
    for total in range(1, MOST):
        counts = tuple(round(p * total / 100) for p in percents)
        if sum(counts) == total and all(abs(100 * n / total - p) <= ROUNDED for n, p in zip(counts, percents, strict=True)):
            return counts
    raise ValueError(f"no {MOST} rows or fewer give {percents}")
