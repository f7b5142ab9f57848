"""`mask`, the paper's attack (sections 4.1 to 4.4): the loss at the gold label, its gradient at the input embeddings, the sum of
absolute values per token, the best word of the hypothesis, one [MASK] per piece, predict again.

It guarantees nothing about meaning: the gold label of a masked example is unconfirmed until a person has seen it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from robustnli.attack.confirm import confirmed, first_look
from robustnli.attack.recipe import CHUNK, Options, Recipe, Walk
from robustnli.masking import mask
from robustnli.types import MASK, Attack, Attribution, Example, Word

if TYPE_CHECKING:
    from robustnli.models import NLIModel


def attack(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """Words are ranked once, by the gradient of the untouched pair; they are masked one after the other until the
    prediction leaves the gold label or `k` are masked. An example that was wrong before is SKIPPED, yet masked too.

    With a model in bulk precision, both ends of every flip are confirmed in float32, and whatever is close is decided there.
    """
    walks, scored = walk(model, examples, options.k)
    return [w.end("mask", s) for w, s in zip(walks, scored, strict=True)]


def walk(model: NLIModel, examples: Sequence[Example], k: int) -> tuple[list[Walk], list[tuple[float, ...]]]:
    """The attack on each example before it is judged, and the scores of the hypothesis words."""
    looks = first_look(model, [e.pair for e in examples], [e.label for e in examples], k)
    walks = [Walk(e, said, e.pair, said) for e, (said, _, _) in zip(examples, looks, strict=True)]
    mask_in_order(model, walks, [order for _, _, order in looks], k)
    if model.exact is not model:  # a flip has two ends
        broken = [w for w in walks if w.before.label == w.example.label and not w.holds]
        for w, said in zip(broken, model.exact.predict([w.example.pair for w in broken]), strict=True):
            w.before = said
    return walks, [hypothesis_scores(found) for _, found, _ in looks]


def mask_in_order(model: NLIModel, walks: Sequence[Walk], orders: Sequence[Sequence[Word]], k: int, *, done: int = 0) -> None:
    """Mask the first 1, 2, ... `k` words of each order, as long as the prediction holds; the first `done` are masked already."""
    for count in range(done + 1, k + 1):
        live = [(w, o[:count]) for w, o in zip(walks, orders, strict=True) if len(o) >= count and (count == 1 or w.holds)]
        pairs = [mask(w.example.pair, words) for w, words in live]
        said = model.predict(pairs)
        flips = [w.before.label == w.example.label != p.label for (w, _), p in zip(live, said, strict=True)]
        for (w, words), pair, answer in zip(live, pairs, confirmed(model, pairs, said, flips), strict=True):
            w.step(pair, answer, words)
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
    bulk=True,
)
