"""Attacks on one example or many, and the smallest set of words whose masking changes a prediction.

`mask` is the paper's attack (sections 4.1 to 4.4): the loss at the gold label, its gradient at the input embeddings,
the sum of absolute values per token, the best word of the hypothesis, one [MASK] per piece, predict again.
It guarantees nothing about meaning: the gold label of a masked example is unconfirmed until a person has seen it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from robustnli.attribution import attribute_many
from robustnli.errors import InputError
from robustnli.masking import mask
from robustnli.models import NLIModel
from robustnli.types import MASK, Attack, Attribution, Example, Pair, Prediction, Radius, Status, Word

CHUNK = 512  # examples between two progress reports; large enough for batches of one length


def find(model: NLIModel, example: Example, *, k: int = 1) -> Attack:
    """The paper's attack on one example; at most `k` words are masked, fewer when fewer suffice."""
    return next(find_many(model, [example], k=k))


def find_many(
    model: NLIModel, examples: Sequence[Example], *, k: int = 1, progress: Callable[[int], None] | None = None
) -> Iterator[Attack]:
    """One `Attack` an example, in order. `progress` is told how many more are done.

    Words are ranked once, by the gradient of the untouched pair; they are masked one after the other until the
    prediction leaves the gold label or `k` are masked. An example that was wrong before is SKIPPED, yet masked too.
    """
    if k < 1:
        raise InputError(f"k is {k}; at least 1 word must be masked.")
    for start in range(0, len(examples), CHUNK):
        chunk = examples[start : start + CHUNK]
        yield from _chunk(model, chunk, k)
        if progress:
            progress(len(chunk))


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


def _chunk(model: NLIModel, examples: Sequence[Example], k: int) -> list[Attack]:
    pairs = [e.pair for e in examples]
    before = model.predict(pairs)
    attributions = attribute_many(model, pairs, [e.label for e in examples], method="gradient")
    ranked = [rank(a) for a in attributions]
    after, masked, used = list(before), list(pairs), [0] * len(examples)
    live = list(range(len(examples)))
    tried = [1] * len(examples)
    for count in range(1, k + 1):
        live = [i for i in live if len(ranked[i]) >= count]
        edited = [mask(pairs[i], ranked[i][:count]) for i in live]
        for i, pair, prediction in zip(live, edited, model.predict(edited), strict=True):
            masked[i], after[i], used[i] = pair, prediction, count
            tried[i] += 1
        live = [i for i in live if after[i].label == examples[i].label]
    return [
        Attack(
            e,
            "mask",
            _status(e, before[i], after[i]),
            masked[i],
            tuple(ranked[i][: used[i]]),
            before[i],
            after[i],
            tried[i],
            hypothesis_scores(attributions[i]),
        )
        for i, e in enumerate(examples)
    ]


def _status(example: Example, before: Prediction, after: Prediction) -> Status:
    if before.label != example.label:
        return Status.SKIPPED
    return Status.BROKEN if after.label != example.label else Status.HELD


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
