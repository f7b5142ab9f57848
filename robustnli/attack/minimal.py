"""`mask-minimal`, the paper's attack with no word too many; and `smallest_flip`, the smallest set of words whose masking changes a prediction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

from robustnli.attack.mask import walk
from robustnli.attack.recipe import CHUNK, Options, Recipe, Walk
from robustnli.errors import InputError
from robustnli.masking import mask
from robustnli.types import MASK, Attack, Example, Pair, Prediction, Radius, Word

if TYPE_CHECKING:
    from robustnli.models import NLIModel

LIMIT = 62  # predictions spent on one example's subsets: all proper ones of 6 words


def attack(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """`mask`, and for each example it broke all smaller sets of the words it masked, smallest first: the first that flips is taken."""
    walks, scored = walk(model, examples, options.k)
    notes = thin(model, walks)
    return [w.end("mask-minimal", s, note=note) for w, s, note in zip(walks, scored, notes, strict=True)]


def thin(model: NLIModel, walks: Sequence[Walk]) -> list[str]:
    """Each broken walk goes back to the smallest set of its words that flips; returns what was proven of each."""
    notes = ["" for _ in walks]
    sets = [w.words for w in walks]
    asked = [0] * len(walks)
    live = [i for i, w in enumerate(walks) if w.words and w.before.label == w.example.label and not w.holds]
    for size in range(1, max([len(sets[i]) for i in live], default=0) + 1):
        for i in [i for i in live if len(sets[i]) <= size]:
            live.remove(i)
            notes[i] = f"proven minimal: none of its {asked[i]} smaller subsets flips" if size > 1 else "proven minimal: one word"
        for i in [i for i in live if asked[i] + comb(len(sets[i]), size) > LIMIT]:
            live.remove(i)
            notes[i] = f"not proven minimal: only its subsets of fewer than {size} words were tried"
        asks = [(i, chosen) for i in live for chosen in combinations(sets[i], size)]
        said = model.exact.predict([mask(walks[i].example.pair, chosen) for i, chosen in asks])
        for i in list(live):
            tried = [(chosen, p) for (j, chosen), p in zip(asks, said, strict=True) if j == i]
            asked[i] += len(tried)
            walks[i].tried += len(tried)
            flips = [(p.probs[walks[i].example.label], chosen, p) for chosen, p in tried if p.label != walks[i].example.label]
            if flips:
                _, words, after = min(flips, key=lambda flip: flip[0])
                walks[i].step(mask(walks[i].example.pair, words), after, words, asked=0)
                notes[i] = f"proven minimal: {len(sets[i])} words were masked at first, no fewer than {size} of them flip it"
                live.remove(i)
    return notes


def smallest_flip(model: NLIModel, pair: Pair, *, budget: int = 200) -> Radius:
    """The smallest set of hypothesis words whose masking changes the predicted label, within `budget` predictions.

    All sets of 1 word, then all of 2, ... are tried while they fit the budget: a set found so is proven minimal.
    When the next size no longer fits, words are added greedily by their single effect, and the set found is thinned
    until no word can be taken out of it: small, yet perhaps not the smallest.
    """
    if budget < 1:
        raise InputError(f"the search budget is {budget}; at least 1 prediction is needed.")
    words = [w for w in model.words(pair) if w.segment == "hypothesis" and w.of(pair) != MASK]
    start = model.predict([pair])[0]
    tried = 1
    order = words
    for size in range(1, len(words) + 1):
        sets = list(_limited(combinations(order, size), budget - tried + 1))
        if tried + len(sets) > budget:
            return _greedy(model, pair, start, order, tried, budget)
        predictions = model.predict([mask(pair, chosen) for chosen in sets])
        tried += len(sets)
        flips = [(p.probs[start.label], i) for i, p in enumerate(predictions) if p.label != start.label]
        if flips:
            best = min(flips)[1]
            return Radius(sets[best], predictions[best], tried, proven_minimal=True)
        if size == 1:
            effects = {w: p.probs[start.label] for w, p in zip(words, predictions, strict=True)}
            order = sorted(words, key=effects.__getitem__)
    return Radius(None, None, tried, proven_minimal=True)


def _limited(sets: Iterator[tuple[Word, ...]], most: int) -> Iterator[tuple[Word, ...]]:
    return (chosen for chosen, _ in zip(sets, range(most), strict=False))


def _greedy(model: NLIModel, pair: Pair, start: Prediction, order: Sequence[Word], tried: int, budget: int) -> Radius:
    """Mask the first 1, 2, 3, ... words of `order`; then take words out again while the flip stays."""
    prefixes = [tuple(order[:n]) for n in range(1, len(order) + 1)][: budget - tried]
    predictions = model.predict([mask(pair, chosen) for chosen in prefixes])
    tried += len(prefixes)
    hit = next((i for i, p in enumerate(predictions) if p.label != start.label), None)
    if hit is None:
        return Radius(None, None, tried, proven_minimal=False)
    words, after = prefixes[hit], predictions[hit]
    thinner = True
    while thinner and len(words) > 1 and tried + len(words) <= budget:
        fewer = [words[:i] + words[i + 1 :] for i in range(len(words))]
        predictions = model.predict([mask(pair, chosen) for chosen in fewer])
        tried += len(fewer)
        kept = next((i for i, p in enumerate(predictions) if p.label != start.label), None)
        thinner = kept is not None
        if kept is not None:
            words, after = fewer[kept], predictions[kept]
    return Radius(words, after, tried, proven_minimal=False)


RECIPE = Recipe(
    name="mask-minimal",
    title="Gradient-ranked [MASK], minimal",
    paper="the paper rebuilt here, sections 4.1 to 4.4; minimality is checked here",
    guarantee=f"As mask; then every smaller set of the words it masked is tried (up to {LIMIT} predictions: all of 6 words), and the note says "
    "whether it is proven that none of them flips. Other words, which the gradient ranked lower, may flip it with fewer masks.",
    gold="unconfirmed",
    budgeted=True,
    budget="words masked at most",
    function=attack,
    chunk=CHUNK,
)
