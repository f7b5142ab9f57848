"""Entries predicted again: which examples that once flipped a model still do, now that its checkpoint may be another one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from robustnli.curated import Entry, Said
from robustnli.types import Pair, Prediction

BATCH = 128
Predict = Callable[[Sequence[Pair]], Sequence[Prediction]]


@dataclass(frozen=True, slots=True)
class Again:
    """One entry and one model: what was said then (None: this model was not asked), and what is said now."""

    entry: Entry
    then: Said | None
    now: Said

    @property
    def no_longer(self) -> bool:
        """It flipped the model then and does not now."""
        return self.then is not None and self.then.flipped and not self.now.flipped

    @property
    def newly(self) -> bool:
        """It did not flip the model then and does now."""
        return self.then is not None and not self.then.flipped and self.now.flipped

    @property
    def right_now(self) -> bool | None:
        """Whether the model's label of the edited pair is the one a person gave; None where nobody gave one."""
        return None if self.entry.gold_after is None else self.now.after.label == self.entry.gold_after

    @property
    def same_checkpoint(self) -> bool | None:
        """Whether the checkpoint is the one asked then; None where none was asked."""
        return None if self.then is None else self.then.fingerprint == self.now.fingerprint

    @property
    def moved(self) -> float:
        """The largest change of a probability, before or after the edit, from 0 to 1."""
        if self.then is None:
            return 0.0
        pairs = ((self.then.before, self.now.before), (self.then.after, self.now.after))
        return max(abs(a - b) for then, now in pairs for a, b in zip(then.probs, now.probs, strict=True))


@dataclass(frozen=True, slots=True)
class Drift:
    """How a model's answers to the entries moved. Counts of entries; `flipped_then` is what `no_longer` is a part of."""

    model: str
    fingerprint: str
    rows: tuple[Again, ...]

    @property
    def flipped_then(self) -> int:
        """Entries that flipped the model when they were made."""
        return sum(row.then is not None and row.then.flipped for row in self.rows)

    @property
    def no_longer(self) -> int:
        """Those that do not any more."""
        return sum(row.no_longer for row in self.rows)

    @property
    def newly(self) -> int:
        """Entries that flip it now and did not then."""
        return sum(row.newly for row in self.rows)

    @property
    def unasked(self) -> int:
        """Entries that hold no answer of this model."""
        return sum(row.then is None for row in self.rows)

    @property
    def other_checkpoint(self) -> int:
        """Entries whose answer is another checkpoint's of this name."""
        return sum(row.same_checkpoint is False for row in self.rows)

    @property
    def summary(self) -> str:
        """The drift in words: '12 of 40 no longer flip baseline', and what else there is to know."""
        asked = len(self.rows) - self.unasked
        parts = []
        if self.flipped_then:
            parts.append(f"{self.no_longer:,} of {self.flipped_then:,} no longer flip {self.model}")
        elif asked:
            parts.append(f"none of {asked:,} flipped {self.model} then")
        if self.newly:
            parts.append(f"{self.newly:,} newly do")
        if self.unasked:
            flips = sum(row.then is None and row.now.flipped for row in self.rows)
            parts.append(f"{self.model} was not asked about {self.unasked:,} before, of which {flips:,} flip it now")
        if asked:
            other = f"another one than then for {self.other_checkpoint:,} of {asked:,}" if self.other_checkpoint else "the same one as then"
            parts.append(f"its checkpoint is {other}")
        return "; ".join(parts) + "." if parts else "There is nothing to ask about."


def replay(
    entries: Sequence[Entry], model: str, fingerprint: str, predict: Predict, *, progress: Callable[[int], None] | None = None
) -> Drift:
    """Both pairs of each entry predicted again with `predict` (one prediction a pair, in order), beside what `model` said then.

    `progress` is told how many entries are done. An entry's newest answer of a model of that name counts as what was said then.
    """
    rows: list[Again] = []
    for start in range(0, len(entries), BATCH):
        part = entries[start : start + BATCH]
        pairs = list(dict.fromkeys(pair for entry in part for pair in (entry.original, entry.edited)))
        said = dict(zip(pairs, predict(pairs), strict=True))
        for entry in part:
            then = next((s for s in reversed(entry.said) if s.model == model), None)
            rows.append(Again(entry, then, Said(model, fingerprint, said[entry.original], said[entry.edited])))
        if progress:
            progress(len(rows))
    return Drift(model, fingerprint, tuple(rows))
