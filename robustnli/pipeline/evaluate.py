"""Score models on labelled examples, in bulk: figures for one model, the error breakdown for two."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from robustnli.compare import breakdown, mcnemar, wilson
from robustnli.metrics import Metrics, metrics
from robustnli.models import NLIModel, fast_matmul
from robustnli.types import ErrorBreakdown, Example, Prediction

CHUNK = 1024
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's predictions on the examples, their figures, and how many pairs a second were predicted."""

    predictions: tuple[Prediction, ...]
    metrics: Metrics
    pairs_per_second: float


def evaluate(model: NLIModel, examples: Sequence[Example], *, progress: Progress | None = None) -> Evaluation:
    """Predict all examples and score them. Raises InputError for no examples."""
    begun = time.perf_counter()
    predictions: list[Prediction] = []
    with fast_matmul():
        for start in range(0, len(examples), CHUNK):
            chunk = examples[start : start + CHUNK]
            predictions += model.predict([e.pair for e in chunk])
            if progress:
                progress(len(chunk))
    seconds = time.perf_counter() - begun
    return Evaluation(tuple(predictions), metrics([e.label for e in examples], predictions), len(examples) / max(seconds, 1e-9))


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """The figures as plain values for JSON; accuracy with its Wilson 95 % interval."""
    m = evaluation.metrics
    return {
        "n": m.n,
        "correct": m.correct,
        "accuracy": m.accuracy,
        "accuracy_interval": list(wilson(m.correct, m.n)),
        "loss": m.loss,
        "ece": m.ece,
        "classes": {c.label.text: {"precision": c.precision, "recall": c.recall, "f1": c.f1, "support": c.support} for c in m.classes},
        "confusion": [list(row) for row in m.confusion],
        "pairs_per_second": evaluation.pairs_per_second,
    }


def compare(examples: Sequence[Example], before: Evaluation, after: Evaluation, name: str = "all") -> ErrorBreakdown:
    """The error breakdown of two evaluations of the same examples."""
    return breakdown(name, [e.label for e in examples], before.predictions, after.predictions)


def comparison_summary(counts: ErrorBreakdown) -> dict[str, Any]:
    """Counts first, then the share of the older model's errors that were fixed, and McNemar's exact p."""
    errors_before = counts.fixed + counts.remaining
    return {
        "slice": counts.slice,
        "n": counts.n,
        "fixed": counts.fixed,
        "introduced": counts.introduced,
        "remaining": counts.remaining,
        "still_right": counts.still_right,
        "fixed_of_older_errors": counts.fixed / errors_before if errors_before else None,
        "fixed_of_older_errors_interval": list(wilson(counts.fixed, errors_before)),
        "mcnemar_p": mcnemar(counts.fixed, counts.introduced),
    }
