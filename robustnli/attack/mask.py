"""`mask`, the paper's attack (sections 4.1 to 4.4): the loss at the gold label, its gradient at the input embeddings, the sum of
absolute values per token, the best word of the hypothesis, one [MASK] per piece, predict again.

It guarantees nothing about meaning: the gold label of a masked example is unconfirmed until a person has seen it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from robustnli.attack.recipe import CHUNK, Options, Recipe, Walk, start
from robustnli.masking import mask
from robustnli.types import MASK, Attack, Attribution, Example, Word

if TYPE_CHECKING:
    from robustnli.models import NLIModel


def attack(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """Words are ranked once, by the gradient of the untouched pair; they are masked one after the other until the
    prediction leaves the gold label or `k` are masked. An example that was wrong before is SKIPPED, yet masked too.
    """
    walks, scored = walk(model, examples, options.k)
    return [w.end("mask", s) for w, s in zip(walks, scored, strict=True)]


def walk(model: NLIModel, examples: Sequence[Example], k: int) -> tuple[list[Walk], list[tuple[float, ...]]]:
    """The attack on each example before it is judged, and the scores of the hypothesis words."""
    from robustnli.attribution import attribute_many

    walks = start(model, examples)
    attributions = attribute_many(model, [e.pair for e in examples], [e.label for e in examples], method="gradient")
    mask_in_order(model, walks, [rank(a) for a in attributions], k)
    return walks, [hypothesis_scores(a) for a in attributions]


def mask_in_order(model: NLIModel, walks: Sequence[Walk], orders: Sequence[Sequence[Word]], k: int, *, done: int = 0) -> None:
    """Mask the first 1, 2, ... `k` words of each order, as long as the prediction holds; the first `done` are masked already."""
    for count in range(done + 1, k + 1):
        live = [(w, o[:count]) for w, o in zip(walks, orders, strict=True) if len(o) >= count and (count == 1 or w.holds)]
        pairs = [mask(w.example.pair, words) for w, words in live]
        for (w, words), pair, said in zip(live, pairs, model.predict(pairs), strict=True):
            w.step(pair, said, words)
        if not live:
            return


def rank(attribution: Attribution) -> list[Word]:
    """The hypothesis words by falling score, the earlier of equals first; words already masked are left out."""
    scored = [
        (word, score)
        for word, score in zip(attribution.words, attribution.scores, strict=True)
        if word.segment == "hypothesis" and word.of(attribution.pair) != MASK
    ]
    return [word for word, _ in sorted(scored, key=lambda item: -item[1])]


def hypothesis_scores(attribution: Attribution) -> tuple[float, ...]:
    """The scores of the hypothesis words, in their order."""
    return tuple(score for word, score in zip(attribution.words, attribution.scores, strict=True) if word.segment == "hypothesis")


RECIPE = Recipe(
    name="mask",
    title="Gradient-ranked [MASK]",
    paper="the paper rebuilt here, sections 4.1 to 4.4",
    guarantee="At most k hypothesis words, those with the largest loss gradient, become [MASK]; the flip is a true prediction. "
    "A mask can hide what the label rests on, so the gold label is unconfirmed; another set of words, or a smaller one, may flip it too.",
    gold="unconfirmed",
    budgeted=True,
    budget="words masked at most",
    function=attack,
    chunk=CHUNK,
)
