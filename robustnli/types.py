"""All values. Standard library only; frozen; computes nothing heavy.

They are the arguments and results of every other module, and of `st.cache_data`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Literal

Segment = Literal["premise", "hypothesis"]
Method = Literal["gradient", "input_x_gradient", "integrated_gradients", "leave_one_out"]
MASK = "[MASK]"


class Label(IntEnum):
    """The three NLI labels in SNLI's order; a checkpoint's own order is permuted once, in `models`."""

    ENTAILMENT = 0
    NEUTRAL = 1
    CONTRADICTION = 2

    @property
    def text(self) -> str:
        """The lower-case name, as every file spells it."""
        return self.name.lower()


LABELS = tuple(Label)


@dataclass(frozen=True, slots=True)
class Pair:
    """A premise and a hypothesis. A masked pair is a `Pair` whose text holds `[MASK]`."""

    premise: str
    hypothesis: str

    def text(self, segment: Segment) -> str:
        """The sentence of that segment."""
        return self.premise if segment == "premise" else self.hypothesis


@dataclass(frozen=True, slots=True, order=True)
class Word:
    """A word of a pair: `start:end` are characters of the original sentence, `pieces` its token count."""

    segment: Segment
    start: int
    end: int
    pieces: int = 1

    def of(self, pair: Pair) -> str:
        """The word's text in `pair`."""
        return pair.text(self.segment)[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled pair. `uid` is a hash of premise, hypothesis and label (see `example`)."""

    uid: str
    pair: Pair
    label: Label
    source: str = ""


def example(premise: str, hypothesis: str, label: Label, source: str = "") -> Example:
    """An `Example` with its content hash (16 hex digits of sha256) as uid."""
    content = "\x1f".join((premise, hypothesis, label.text)).encode("utf-8", "surrogatepass")
    return Example(hashlib.sha256(content).hexdigest()[:16], Pair(premise, hypothesis), label, source)


@dataclass(frozen=True, slots=True)
class Prediction:
    """Probabilities of entailment, neutral, contradiction, in that order; they sum to 1."""

    probs: tuple[float, float, float]

    @property
    def label(self) -> Label:
        """The most probable label; the first of equals."""
        return Label(max(range(3), key=self.probs.__getitem__))

    @property
    def confidence(self) -> float:
        """The probability of `label`."""
        return max(self.probs)


@dataclass(frozen=True, slots=True)
class Attribution:
    """One score a word, both sentences.

    `scores[i]` belongs to `words[i]`; `rest` is what special tokens and punctuation outside words hold.
    For the paper's gradient the scores are magnitudes (>= 0) and `gap` is None. For integrated gradients
    sum(scores) + rest = f(x) - f(baseline) + gap; f is the logit of `target`, `change` is f(x) - f(baseline).
    """

    pair: Pair
    target: Label
    method: Method
    words: tuple[Word, ...]
    scores: tuple[float, ...]
    rest: float = 0.0
    change: float | None = None
    gap: float | None = None


class Status(Enum):
    """How an attack on one example ended."""

    BROKEN = "broken"  # right before, wrong after
    HELD = "held"  # right before and after
    SKIPPED = "skipped"  # wrong before: nothing to break


@dataclass(frozen=True, slots=True)
class Attack:
    """One example attacked: what was changed, and the predictions before and after.

    `words` are the changed words of the untouched pair, in the order they were chosen (() where text was only added); `pair`
    is the changed pair. `tried` counts predictions asked of the model. `scores` are what the words were ranked by, one a word
    of the untouched hypothesis, in its order; () where a recipe has none. `gold` is the label of the changed pair where it
    follows by rule; None: unconfirmed until a person has seen it, and the status is judged by the example's label. `note` is
    what the recipe has to say of this example: what was proven, what was not applied and why; "" where nothing.
    """

    example: Example
    recipe: str
    status: Status
    pair: Pair
    words: tuple[Word, ...]
    before: Prediction
    after: Prediction
    tried: int
    scores: tuple[float, ...] = ()
    gold: Label | None = None
    note: str = ""


class Outcome(Enum):
    """What became of one example from the older model to the newer one."""

    FIXED = "fixed"
    INTRODUCED = "introduced"
    REMAINING = "remaining"
    STILL_RIGHT = "still right"


@dataclass(frozen=True, slots=True)
class ErrorBreakdown:
    """Counts of the four outcomes on one slice; rates, intervals and p-values are in `compare`."""

    slice: str
    fixed: int
    introduced: int
    remaining: int
    still_right: int

    @property
    def n(self) -> int:
        """Rows of the slice."""
        return self.fixed + self.introduced + self.remaining + self.still_right


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint folder: shown by `name`, cached by `fingerprint` (a hash of its files)."""

    name: str
    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class MaskEffect:
    """One word masked alone: what the model says then."""

    word: Word
    after: Prediction


@dataclass(frozen=True, slots=True)
class Radius:
    """The smallest set of hypothesis words whose masking changes the prediction.

    `words` is None when none was found in `tried` predictions. `proven_minimal`: every smaller set was tried.
    """

    words: tuple[Word, ...] | None
    after: Prediction | None
    tried: int
    proven_minimal: bool
