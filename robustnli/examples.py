"""Ready pairs for a first visit: original sentences, each showing a way in which models fail."""

from __future__ import annotations

from dataclasses import dataclass

from robustnli.types import MASK, Label, Pair


@dataclass(frozen=True, slots=True)
class Ready:
    """A pair to start from: what it shows, its gold label, and the hypothesis words worth masking first."""

    title: str
    pair: Pair
    gold: Label


READY: tuple[Ready, ...] = (
    Ready("Masked subject: who makes the music?", Pair("A man is playing a guitar on a stage.", "The man performs music."), Label.ENTAILMENT),
    Ready("Ambiguous person: who is cooking?", Pair("A woman is stirring soup in her kitchen.", "A person is making food."), Label.ENTAILMENT),
    Ready("Plain negation", Pair("A painter is not eating lunch.", "A painter is eating lunch."), Label.CONTRADICTION),
    Ready("Negation on both sides", Pair("The girl is not wearing a hat.", "Nobody put a hat on the girl today."), Label.NEUTRAL),
    Ready("Modal: may is not is", Pair("The children may go swimming after school.", "The children go swimming after school."), Label.NEUTRAL),
    Ready("Some and all", Pair("Some of the runners crossed the river.", "All of the runners crossed the river."), Label.NEUTRAL),
    Ready("Who did it to whom", Pair("The dog chased the boy across the field.", "The boy chased the dog across the field."), Label.CONTRADICTION),
    Ready("Overlap without entailment", Pair("The teacher next to the painter laughed.", "The painter laughed."), Label.NEUTRAL),
    Ready(
        "Long sentence, the fact comes late",
        Pair(
            "After the rain stopped and the market reopened, two sisters who had waited under the old bridge for most of"
            " the morning bought three baskets of ripe peaches.",
            "Two sisters bought fruit.",
        ),
        Label.ENTAILMENT,
    ),
    Ready("Number", Pair("Three cyclists are waiting at a red light.", "Two cyclists are waiting at a red light."), Label.CONTRADICTION),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Starter:
    """A ready pair with a small edit that somebody may judge: to try the review with. `of` is its place in `READY`."""

    of: int
    edited: Pair
    tags: tuple[str, ...]

    @property
    def masked(self) -> bool:
        """Whether the edit masks words; otherwise it was made by hand."""
        return MASK in self.edited.premise + self.edited.hypothesis


STARTERS: tuple[Starter, ...] = (
    Starter(0, Pair(READY[0].pair.premise, "The [MASK] performs music."), ("subject",)),
    Starter(1, Pair(READY[1].pair.premise, "A person is making [MASK]."), ("object",)),
    Starter(2, Pair("A painter is eating lunch.", READY[2].pair.hypothesis), ("negation",)),
    Starter(4, Pair(READY[4].pair.premise, "The children may go swimming after school."), ("modal",)),
    Starter(5, Pair("All of the runners crossed the river.", READY[5].pair.hypothesis), ("quantity",)),
    Starter(6, Pair(READY[6].pair.premise, "The boy was chased by the dog across the field."), ("passive",)),
    Starter(8, Pair(READY[8].pair.premise, "Two women bought fruit."), ("long",)),
    Starter(9, Pair(READY[9].pair.premise, "At least two cyclists are waiting at a red light."), ("quantity",)),
)
