"""`occlude`: each word masked alone tells by how much the gold label's probability truly falls (Li et al. 2016: representation erasure).

The same attack as `mask` with the true effect in the gradient's place: what it breaks more than `mask` is what the gradient missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from robustnli.attack.mask import mask_in_order
from robustnli.attack.recipe import Options, Recipe, start
from robustnli.masking import mask
from robustnli.types import MASK, Attack, Example, Word

if TYPE_CHECKING:
    from robustnli.models import NLIModel


def attack(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """Words are masked by falling true drop until the prediction leaves the gold label or `k` are masked.

    A word whose mask alone flips goes first: among three labels the largest drop need not be the one that flips. `scores` are the
    drops; a word that is [MASK] already has none (0), and is not asked for.
    """
    walks = start(model, examples)
    words = [_words(model, e) for e in examples]
    asks = [(i, w) for i, row in enumerate(words) for w in row if w.of(examples[i].pair) != MASK]
    pairs = [mask(examples[i].pair, [w]) for i, w in asks]
    alone = {ask: (pair, said) for ask, pair, said in zip(asks, pairs, model.predict(pairs), strict=True)}
    orders, scores = [], []
    for i, w in enumerate(walks):
        label = w.example.label
        drops = {word: w.before.probs[label] - alone[i, word][1].probs[label] for word in words[i] if (i, word) in alone}
        ranked = sorted(drops, key=drops.__getitem__, reverse=True)
        orders.append(sorted(ranked, key=lambda word, i=i, label=label: alone[i, word][1].label == label))  # type: ignore[misc]
        scores.append([drops.get(word, 0.0) for word in words[i]])
        w.tried += len(drops)
        if orders[-1]:
            w.step(*alone[i, orders[-1][0]], orders[-1][:1], asked=0)
    mask_in_order(model, walks, orders, options.k, done=1)
    return [w.end("occlude", s) for w, s in zip(walks, scores, strict=True)]


def _words(model: NLIModel, example: Example) -> list[Word]:
    return [word for word in model.words(example.pair) if word.segment == "hypothesis"]


RECIPE = Recipe(
    name="occlude",
    title="Leave-one-out [MASK]",
    paper="Li et al. 2016 (representation erasure)",
    guarantee="One mask flips wherever any single mask does, because each was truly tried; with more it masks greedily by the single drops, and a "
    "better set may exist. A mask can hide what the label rests on, so the gold label is unconfirmed.",
    gold="unconfirmed",
    budgeted=True,
    budget="words masked at most",
    function=attack,
)
