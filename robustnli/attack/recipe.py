"""What a recipe is, and an example under attack. No model code is imported here: a page lists the recipes without loading torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from robustnli.errors import InputError
from robustnli.types import Attack, Example, Label, Pair, Prediction, Status, Word

if TYPE_CHECKING:
    from robustnli.models import NLIModel

Gold = Literal["unconfirmed", "by rule", "kept"]
CHUNK = 512  # examples between two progress reports; large enough for batches of one length


@dataclass(frozen=True, slots=True)
class Trigger:
    """Words that are put before any hypothesis. Of the `n` examples it was found on that were right before (and not of the `target`),
    the share `success` broke, in `tried` predictions; `source` says what examples those were.
    """

    words: tuple[str, ...]
    target: Label | None
    success: float
    n: int
    tried: int
    seed: int
    source: str = ""

    @property
    def text(self) -> str:
        """The words as they are written."""
        return " ".join(self.words)

    def before(self, pair: Pair) -> Pair:
        """`pair` with the words put before the hypothesis."""
        return Pair(pair.premise, f"{self.text} {pair.hypothesis}")


@dataclass(frozen=True, slots=True)
class Options:
    """What a recipe is asked with: the budget `k`, the seed of all that is drawn, a trigger where one is given."""

    k: int = 1
    seed: int = 13
    trigger: Trigger | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An attack with its source, and what it does and does not guarantee.

    `gold`, the label of what it makes: "unconfirmed" until a person has seen it; "by rule", where `Attack.gold` is set (None there: needs
    a person); "kept". `budgeted`: `k` means something, as `budget` says, up to `most`. `broken`: what that status says here.
    `function` attacks a list of examples, `chunk` of them at a time. `bulk`: it may search in bulk precision, since it confirms in float32.
    """

    name: str
    title: str
    paper: str
    guarantee: str
    gold: Gold
    budgeted: bool
    function: Callable[[NLIModel, Sequence[Example], Options], list[Attack]]
    budget: str = ""
    most: int | None = None
    broken: str = "The model is right before and wrong after."
    chunk: int = 64
    bulk: bool = False

    def check(self, k: int) -> None:
        """Raises InputError for a budget that the recipe does not have."""
        if k < 1:
            raise InputError(f"k is {k}; at least 1 word must be masked.")
        if self.budgeted and self.most and k > self.most:
            raise InputError(f"{self.name}: k is {k}; it is {self.budget}, {self.most} at most.")


@dataclass(slots=True)
class Walk:
    """One example under attack: where it stands. `words` are those of the untouched pair that were changed."""

    example: Example
    before: Prediction
    pair: Pair
    after: Prediction
    words: tuple[Word, ...] = ()
    tried: int = 1

    @property
    def holds(self) -> bool:
        """Whether the model still gives the example's label."""
        return self.after.label == self.example.label

    def step(self, pair: Pair, said: Prediction, words: Sequence[Word], *, asked: int = 1) -> None:
        """Go on to `pair`, of which the model said `said`, after `asked` predictions."""
        self.pair, self.after, self.words = pair, said, tuple(words)
        self.tried += asked

    def end(
        self, recipe: str, scores: Sequence[float] = (), *, gold: Label | None = None, note: str = "", status: Status | None = None
    ) -> Attack:
        """The finished attack, judged by `gold` where it is known, else by the example's label."""
        judged = status or judge(self.example, self.before, self.after, gold)
        return Attack(
            self.example, recipe, judged, self.pair, self.words, self.before, self.after, self.tried, tuple(scores), gold, note
        )  # fmt: skip


def start(model: NLIModel, examples: Sequence[Example]) -> list[Walk]:
    """Each example with the model's prediction of the untouched pair."""
    said = model.predict([e.pair for e in examples])
    return [Walk(e, p, e.pair, p) for e, p in zip(examples, said, strict=True)]


def judge(example: Example, before: Prediction, after: Prediction, gold: Label | None = None) -> Status:
    """SKIPPED where it was wrong before; else BROKEN or HELD by `gold`, the changed pair's own label, or without one by the example's."""
    if before.label != example.label:
        return Status.SKIPPED
    return Status.HELD if after.label == (example.label if gold is None else gold) else Status.BROKEN
