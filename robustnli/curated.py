"""Curated examples as values: what was changed, what the models said, what people judged. Pure; `store` keeps them, `exchange` moves them.

An edit may destroy the evidence for its gold label. So an entry is fit for training only when a person has said what its label is now:
`KEEP` (still the label it had) or `RELABEL` (another one). `UNSURE` goes to a split of its own, `PENDING` and `REJECT` go nowhere.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from robustnli.errors import InputError
from robustnli.masking import spans
from robustnli.types import Label, Pair, Prediction, Segment, Word

Split = Literal["train", "unsure"]
BY_HAND = "by hand"  # the recipe of an edit that a person made


class Verdict(Enum):
    """What a person said of an entry's label after the edit."""

    PENDING = "pending"  # nobody has looked yet
    KEEP = "keep"
    RELABEL = "relabel"
    UNSURE = "unsure"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Said:
    """What one checkpoint predicted when the entry was made: for the original pair and for the edited one."""

    model: str
    fingerprint: str
    before: Prediction
    after: Prediction

    @property
    def flipped(self) -> bool:
        """Whether the edit changed the predicted label."""
        return self.before.label != self.after.label


@dataclass(frozen=True, slots=True)
class Opinion:
    """One person's judgement. `label` is the label after the edit for KEEP and RELABEL, else None. `at`: UTC, ISO 8601 with seconds."""

    author: str
    verdict: Verdict
    label: Label | None = None
    note: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of an entry's history: who changed which field from what to what, and when (UTC, ISO 8601)."""

    at: str
    author: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A curated example. `uid` is a content hash (see `entry_uid`); `changed` are words of the original pair.

    `gold_before` is the label of the original pair, None where nobody gave one. Of `opinions` there is at most one an author, the
    newest last; the entry's verdict and label are those of its owner where the owner gave one, else of the newest opinion.
    """

    uid: str
    original: Pair
    edited: Pair
    gold_before: Label | None
    recipe: str = BY_HAND
    changed: tuple[Word, ...] = ()
    said: tuple[Said, ...] = ()
    note: str = ""
    tags: tuple[str, ...] = ()
    author: str = ""
    created: str = ""
    opinions: tuple[Opinion, ...] = ()
    history: tuple[Change, ...] = ()

    @property
    def opinion(self) -> Opinion | None:
        """The opinion that counts."""
        own = [o for o in self.opinions if o.author == self.author]
        return own[-1] if own else self.opinions[-1] if self.opinions else None

    @property
    def verdict(self) -> Verdict:
        """The verdict that counts; PENDING where nobody has judged."""
        return self.opinion.verdict if self.opinion else Verdict.PENDING

    @property
    def gold_after(self) -> Label | None:
        """The label that a person gave the edited pair; None while there is none."""
        return self.opinion.label if self.opinion and self.verdict in (Verdict.KEEP, Verdict.RELABEL) else None

    @property
    def split(self) -> Split | None:
        """Where an export puts it; None: nowhere, since nobody confirmed it or somebody rejected it."""
        return "train" if self.gold_after is not None else "unsure" if self.verdict is Verdict.UNSURE else None

    @property
    def agreement(self) -> bool | None:
        """Whether all who judged say the same verdict and label; None with fewer than two opinions."""
        return None if len(self.opinions) < 2 else len({(o.verdict, o.label) for o in self.opinions}) == 1


def entry_uid(original: Pair, edited: Pair, gold_before: Label | None) -> str:
    """16 hex digits of sha256 over both pairs and the label before: what makes two entries the same."""
    label = gold_before.text if gold_before is not None else ""
    content = "\x1f".join((original.premise, original.hypothesis, edited.premise, edited.hypothesis, label))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def changed_words(original: Pair, edited: Pair) -> tuple[Word, ...]:
    """Words of the original pair that the edited one does not have in their place, premise first; () where words were only added."""
    return (*_changed(original, edited, "premise"), *_changed(original, edited, "hypothesis"))


def _changed(original: Pair, edited: Pair, segment: Segment) -> list[Word]:
    old, new = original.text(segment), edited.text(segment)
    where = spans(old)
    match = difflib.SequenceMatcher(None, [old[a:b] for a, b in where], [new[a:b] for a, b in spans(new)], autojunk=False)
    kept = {n for block in match.get_matching_blocks() for n in range(block.a, block.a + block.size)}
    return [Word(segment, *span) for n, span in enumerate(where) if n not in kept]


def opinion_on(entry: Entry, author: str, verdict: Verdict, label: Label | None = None, note: str = "", at: str = "") -> Opinion:
    """A checked opinion: KEEP takes the label before (or `label` where there was none), RELABEL needs another one, the rest have none.

    Raises InputError for a verdict and a label that do not go together.
    """
    if verdict is Verdict.KEEP:
        kept = entry.gold_before if entry.gold_before is not None else label
        if kept is None or label not in (None, kept):
            raise InputError("keep means the label before; this entry has none, or another one was given. Choose relabel and a label.")
        return Opinion(author, verdict, kept, note, at)
    if verdict is Verdict.RELABEL:
        if label is None or label == entry.gold_before:
            raise InputError("relabel needs a label other than the one before. Choose keep where it stays the same.")
        return Opinion(author, verdict, label, note, at)
    return Opinion(author, verdict, None, note, at)
