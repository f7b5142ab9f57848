"""Score models on labelled examples, in bulk: figures for one model, the error breakdown for two."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from robustnli.compare import TOO_FEW, breakdown, holm, mcnemar, verdict, wilson
from robustnli.metrics import Metrics, metrics
from robustnli.models import NLIModel
from robustnli.slices import STANDARD, Slice
from robustnli.types import ErrorBreakdown, Example, Label, Prediction

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
    for start in range(0, len(examples), CHUNK):
        chunk = examples[start : start + CHUNK]
        predictions += model.predict([e.pair for e in chunk])
        if progress:
            progress(len(chunk))
    seconds = time.perf_counter() - begun
    return Evaluation(tuple(predictions), metrics([e.label for e in examples], predictions), len(examples) / max(seconds, 1e-9))


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """The figures as plain values for JSON; accuracy with its Wilson 95 % interval."""
    return metrics_summary(evaluation.metrics) | {"pairs_per_second": evaluation.pairs_per_second}


def metrics_summary(m: Metrics) -> dict[str, Any]:
    """One model's figures on one data set as plain values."""
    return {
        "n": m.n,
        "correct": m.correct,
        "accuracy": m.accuracy,
        "accuracy_interval": list(wilson(m.correct, m.n)),
        "loss": m.loss,
        "ece": m.ece,
        "classes": {c.label.text: {"precision": c.precision, "recall": c.recall, "f1": c.f1, "support": c.support} for c in m.classes},
        "confusion": [list(row) for row in m.confusion],
    }


def sources(examples: Sequence[Example], predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """n, correct and accuracy of each source of the examples, in the order they appear."""
    right: dict[str, list[bool]] = {}
    for item, said in zip(examples, predictions, strict=True):
        right.setdefault(item.source or "unnamed", []).append(said.label == item.label)
    return [{"source": name, "n": len(hits), "correct": sum(hits), "accuracy": sum(hits) / len(hits)} for name, hits in right.items()]


def rows_of(examples: Sequence[Example], slices: Sequence[Slice] = STANDARD) -> dict[str, list[int]]:
    """Slice name -> the numbers of its rows."""
    return {part.name: [i for i, e in enumerate(examples) if part.holds(e)] for part in slices}


def compare(
    gold: Sequence[Label], before: Sequence[Prediction], after: Sequence[Prediction], parts: Mapping[str, Sequence[int]]
) -> list[ErrorBreakdown]:
    """The error breakdown of two models' predictions of the same examples, one a part (as `rows_of` gives them)."""
    return [breakdown(name, *([column[i] for i in rows] for column in (gold, before, after))) for name, rows in parts.items()]  # type: ignore[arg-type]


def comparison_summary(parts: Sequence[ErrorBreakdown]) -> list[dict[str, Any]]:
    """A row a slice: counts first, then the shares fixed by both denominators with Wilson intervals, McNemar's exact p, Holm's, and words.

    Holm's correction is over the slices that have rows enough; the first part ("all") is a question of its own.
    """
    ps = [mcnemar(part.fixed, part.introduced) for part in parts]
    tested = [i for i, part in enumerate(parts) if i and part.n >= TOO_FEW]
    adjusted = dict(zip(tested, holm([ps[i] for i in tested]), strict=True))
    return [_comparison_row(part, ps[i], adjusted.get(i, ps[i])) for i, part in enumerate(parts)]


def _comparison_row(counts: ErrorBreakdown, p: float, adjusted: float) -> dict[str, Any]:
    of_older, of_either = counts.fixed + counts.remaining, counts.fixed + counts.introduced + counts.remaining
    return {
        "slice": counts.slice,
        "n": counts.n,
        "fixed": counts.fixed,
        "introduced": counts.introduced,
        "remaining": counts.remaining,
        "still_right": counts.still_right,
        "accuracy_before": (counts.introduced + counts.still_right) / counts.n if counts.n else None,
        "accuracy_after": (counts.fixed + counts.still_right) / counts.n if counts.n else None,
        "fixed_of_older_errors": counts.fixed / of_older if of_older else None,
        "fixed_of_older_errors_interval": list(wilson(counts.fixed, of_older)),
        "fixed_of_all_errors": counts.fixed / of_either if of_either else None,
        "fixed_of_all_errors_interval": list(wilson(counts.fixed, of_either)),
        "mcnemar_p": p,
        "holm_p": adjusted,
        "verdict": verdict(counts, adjusted),
    }
