"""How far word scores tell what a model uses: comprehensiveness, sufficiency (DeYoung et al. 2020, ERASER), and agreement with leave-one-out.

Of each pair, j is the label that the model predicts for it untouched, and p its probability. The words are those of the hypothesis; the
premise stays whole. A word is taken away by [MASK], one a piece, where ERASER deletes it. With the k words of the highest scores,
k = 10, 20 and 50 % of the words, rounded up:

comprehensiveness   p - p with these k masked: high where the scores found what the model needs
sufficiency         p - p with all others masked: low where these k alone are enough; may be negative
rank                Spearman's correlation of the scores with what each word's own mask takes from p
rank of sizes       the same of absolute values, which is fair to a method that has no sign

The first two are means over the three k, then over pairs. `random` ranks by chance: what a method must beat. Leave-one-out agrees with
itself by definition.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from robustnli.attribution import METHODS, attribute_many, predict_and_attribute
from robustnli.compare import Z95
from robustnli.masking import mask
from robustnli.models import NLIModel
from robustnli.types import Attribution, Label, Method, Pair, Prediction, Word

PERCENTS = (10, 20, 50)
RANDOM = "random"
FEWEST = 3  # words below which a rank correlation says nothing
BATCH = 64  # pairs a step


@dataclass(frozen=True, slots=True)
class Ranked:
    """One pair: what is predicted, its hypothesis words, what each word's own mask takes from the prediction, each method's scores."""

    pair: Pair
    said: Prediction
    words: tuple[Word, ...]
    drops: tuple[float, ...]
    scores: dict[str, tuple[float, ...]]


def measure(
    model: NLIModel, pairs: Sequence[Pair], *, seed: int = 13, advance: Callable[[int], None] = lambda _: None
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Method -> its figures over all pairs that have a hypothesis word. `advance` is told how many pairs are done."""
    chance = random.Random(seed)
    rows: dict[str, list[dict[str, float | None]]] = {}
    for begin in range(0, len(pairs), BATCH):
        part = pairs[begin : begin + BATCH]
        ranked = rank(model, part, chance)
        for method in (*METHODS, RANDOM):
            rows.setdefault(method, []).extend(_rows(model, ranked, method))
        advance(len(part))
    return {method: _summary(found) for method, found in rows.items()}


def rank(model: NLIModel, pairs: Sequence[Pair], chance: random.Random) -> list[Ranked]:
    """The words and all scores of pairs, by every method and by chance; a pair without a hypothesis word is left out."""
    looked = predict_and_attribute(model, pairs, [None] * len(pairs))
    kept = [(found.pair, said, found) for said, found in looked if any(w.segment == "hypothesis" for w in found.words)]
    words = [tuple(w for w in found.words if w.segment == "hypothesis") for _, _, found in kept]
    labels = [said.label for _, said, _ in kept]
    asked = iter(model.predict([mask(pair, [word]) for (pair, *_), row in zip(kept, words, strict=True) for word in row]))
    drops = [
        tuple(said.probs[said.label] - next(asked).probs[said.label] for _ in row) for (_, said, _), row in zip(kept, words, strict=True)
    ]
    found = _attributed(model, [pair for pair, *_ in kept], labels)
    found["gradient"] = [f for *_, f in kept]
    out = []
    for i, (pair, said, _) in enumerate(kept):
        scores = {method: _of(many[i], words[i]) for method, many in found.items()}
        scores |= {"leave_one_out": drops[i], RANDOM: tuple(chance.random() for _ in words[i])}
        out.append(Ranked(pair, said, words[i], drops[i], scores))
    return out


def _attributed(model: NLIModel, pairs: Sequence[Pair], labels: Sequence[Label]) -> dict[str, list[Attribution]]:
    rest: tuple[Method, ...] = ("input_x_gradient", "integrated_gradients")
    return {method: attribute_many(model, pairs, labels, method=method) for method in rest}


def _of(found: Attribution, words: Sequence[Word]) -> tuple[float, ...]:
    scores = dict(zip(found.words, found.scores, strict=True))
    return tuple(scores[word] for word in words)


def _rows(model: NLIModel, ranked: Sequence[Ranked], method: str) -> Iterator[dict[str, float | None]]:
    """The figures of each pair by one method: keys as `_summary` takes them."""
    pairs = [changed for row in ranked for top in tops(row.words, row.scores[method]) for changed in (without(row, top), only(row, top))]
    asked = iter(model.predict(pairs))
    for row in ranked:
        j = row.said.label
        out: dict[str, float | None] = {}
        for percent in PERCENTS:
            out[f"comprehensiveness {percent}"] = row.said.probs[j] - next(asked).probs[j]
            out[f"sufficiency {percent}"] = row.said.probs[j] - next(asked).probs[j]
        scores = row.scores[method]
        yield out | {"rank": spearman(scores, row.drops), "rank of sizes": spearman([abs(s) for s in scores], [abs(d) for d in row.drops])}


def tops(words: Sequence[Word], scores: Sequence[float]) -> list[list[Word]]:
    """For each share the words of the highest scores, rounded up; the first of equals."""
    order = sorted(range(len(words)), key=lambda i: -scores[i])
    return [[words[i] for i in order[: -(-percent * len(words) // 100)]] for percent in PERCENTS]


def without(row: Ranked, top: Sequence[Word]) -> Pair:
    """The pair with these words masked."""
    return mask(row.pair, top)


def only(row: Ranked, top: Sequence[Word]) -> Pair:
    """The pair with all other hypothesis words masked."""
    return mask(row.pair, [word for word in row.words if word not in top])


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Pearson's correlation of ranks, equals sharing their mean rank; None below three words or where one side is all equal."""
    if len(a) < FEWEST:
        return None
    x, y = _ranks(a), _ranks(b)
    dx, dy = [v - fmean(x) for v in x], [v - fmean(y) for v in y]
    size = math.sqrt(sum(v * v for v in dx) * sum(v * v for v in dy))
    return sum(p * q for p, q in zip(dx, dy, strict=True)) / size if size else None


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(values)
    first = {value: i for i, value in reversed(list(enumerate(order)))}
    return [first[v] + (order.count(v) - 1) / 2 for v in values]


def _summary(rows: Sequence[dict[str, float | None]]) -> dict[str, Any]:
    """Each figure's mean over pairs with its 95 % interval; the first two figures at each share as well."""
    out: dict[str, Any] = {}
    for name in ("comprehensiveness", "sufficiency"):
        each = {percent: [row[f"{name} {percent}"] for row in rows] for percent in PERCENTS}
        out[name] = _mean([fmean(values) for values in zip(*each.values(), strict=True)])  # type: ignore[arg-type]
        out[name]["at"] = {str(percent): fmean(values) for percent, values in each.items()} if rows else {}  # type: ignore[arg-type]
    for name in ("rank", "rank of sizes"):
        out[name] = _mean([value for row in rows if (value := row[name]) is not None])
    return out


def _mean(values: Sequence[float]) -> dict[str, Any]:
    """n, mean and its 95 % interval by the normal law; None where there is nothing to average."""
    if not values:
        return {"n": 0, "mean": None, "interval": None}
    mean = fmean(values)
    half = Z95 * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return {"n": len(values), "mean": mean, "interval": None if half is None else [mean - half, mean + half]}
