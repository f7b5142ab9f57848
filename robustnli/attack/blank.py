"""`hypothesis-only` (Poliak et al. 2018): the model is asked about the hypothesis without its premise.

Their probe trains a classifier on hypotheses alone; here the model that is at hand gets an empty premise, and what it says is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from robustnli.attack.recipe import Options, Recipe, start
from robustnli.types import Attack, Example, Pair, Status

if TYPE_CHECKING:
    from robustnli.models import NLIModel


def attack(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """Each example with an empty premise. BROKEN: right before, and the same answer with nothing to follow from; HELD: another answer.

    No word of the hypothesis is changed, so `words` is (); `scores` is ().
    """
    walks = start(model, examples)
    pairs = [Pair("", e.pair.hypothesis) for e in examples]
    out = []
    for walk, pair, said in zip(walks, pairs, model.predict(pairs), strict=True):
        walk.step(pair, said, ())
        right = walk.before.label == walk.example.label
        status = Status.SKIPPED if not right else Status.BROKEN if walk.holds else Status.HELD
        out.append(walk.end("hypothesis-only", note=f"without a premise: {said.label.text} {said.confidence:.2f}", status=status))
    return out


RECIPE = Recipe(
    name="hypothesis-only",
    title="Premise blanked",
    paper="Poliak et al. 2018 (hypothesis-only model)",
    guarantee="Tells what the model says without a premise. By chance alone a model that always gives one answer keeps about a third of the labels, "
    "so compare with that; a pair without a premise has no gold label.",
    gold="unconfirmed",
    budgeted=False,
    broken="The model gives the gold label without reading the premise: the hypothesis gave it away, or chance did.",
    function=attack,
)
