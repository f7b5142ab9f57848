"""Attacks on one example or many, by recipe; and the smallest set of words whose masking changes a prediction.

    from robustnli.attack import RECIPES, find
    attack = find(load("baseline"), example("A potter plays a guitar.", "A potter makes music.", Label.ENTAILMENT), "occlude", k=2)

Each recipe is a small module that names its paper; `RECIPES[name].guarantee` says what it promises and what not. All are deterministic
for a seed, batch over examples, and count every prediction asked of the model in `Attack.tried`. Importing this loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from robustnli.attack import blank, edits, hotflip, mask, minimal, occlude, reduce, trigger
from robustnli.attack.mask import hypothesis_scores, rank
from robustnli.attack.minimal import smallest_flip
from robustnli.attack.recipe import CHUNK, Options, Recipe, Trigger
from robustnli.attack.trigger import dev_examples, find_trigger
from robustnli.errors import InputError, did_you_mean
from robustnli.types import Attack, Example

if TYPE_CHECKING:
    from robustnli.models import NLIModel

__all__ = [
    "CHUNK",
    "RECIPES",
    "Recipe",
    "Trigger",
    "dev_examples",
    "find",
    "find_many",
    "find_trigger",
    "hypothesis_scores",
    "rank",
    "smallest_flip",
]

RECIPES: dict[str, Recipe] = {
    r.name: r
    for r in (
        mask.RECIPE, minimal.RECIPE, occlude.RECIPE, hotflip.RECIPE, trigger.RECIPE, reduce.RECIPE,
        edits.NEGATE, edits.HEDGE, edits.LENGTHEN, blank.RECIPE,
    )
}  # fmt: skip


def find(model: NLIModel, example: Example, recipe: str = "mask", *, k: int = 1, seed: int = 13, trigger: Trigger | None = None) -> Attack:
    """One example attacked by the recipe, with the budget `k` where it has one (see `Recipe.budget`)."""
    return next(find_many(model, [example], recipe, k=k, seed=seed, trigger=trigger))


def find_many(
    model: NLIModel, examples: Sequence[Example], recipe: str = "mask", *, k: int = 1, seed: int = 13,
    progress: Callable[[int], None] | None = None, trigger: Trigger | None = None,
) -> Iterator[Attack]:  # fmt: skip
    """One `Attack` an example, in order. `progress` is told how many more are done.

    The recipe `trigger` puts the given `trigger` before each hypothesis; without one it first finds one of `k` words on the suite's dev
    split, which each `Attack.note` tells. Raises InputError for an unknown recipe, or a budget that it does not have.
    """
    chosen = named(recipe)
    model = model if chosen.bulk else model.exact
    chosen.check(k)
    if recipe == "trigger" and trigger is None and examples:
        trigger = find_trigger(model, dev_examples(seed), length=k, seed=seed, source="suite dev")
    options = Options(k, seed, trigger)
    for at in range(0, len(examples), chosen.chunk):
        chunk = examples[at : at + chosen.chunk]
        yield from chosen.function(model, chunk, options)
        if progress:
            progress(len(chunk))


def named(recipe: str) -> Recipe:
    """The recipe of that name. Raises InputError for an unknown one."""
    if recipe not in RECIPES:
        raise InputError(f"no recipe {recipe!r}.{did_you_mean(recipe, RECIPES)}")
    return RECIPES[recipe]
