"""Figures of one model on labelled examples: accuracy, loss, per-class precision / recall / F1, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from robustnli.errors import InputError
from robustnli.types import LABELS, Label, Prediction

BINS = 15


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Precision, recall and F1 of one label; 0 where undefined. `support`: rows with that gold label."""

    label: Label
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """`confusion[gold][predicted]` counts; `loss` is the mean negative log-likelihood of gold in nats; `ece` in 0..1."""

    n: int
    correct: int
    loss: float
    ece: float
    confusion: tuple[tuple[int, int, int], ...]

    @property
    def accuracy(self) -> float:
        """The share of right predictions."""
        return self.correct / self.n

    @property
    def classes(self) -> tuple[ClassScores, ...]:
        """Scores of the three labels, in order."""
        return tuple(_class_scores(self.confusion, label) for label in LABELS)


def metrics(gold: Sequence[Label], predictions: Sequence[Prediction]) -> Metrics:
    """All figures of `predictions` against `gold`. Raises InputError for no rows, or unequal lengths."""
    if not gold or len(gold) != len(predictions):
        raise InputError(f"{len(gold)} gold labels and {len(predictions)} predictions: at least one row, and as many of each, are needed.")
    confusion = [[0, 0, 0] for _ in LABELS]
    for label, prediction in zip(gold, predictions, strict=True):
        confusion[label][prediction.label] += 1
    loss = -sum(math.log(max(p.probs[label], 1e-12)) for label, p in zip(gold, predictions, strict=True)) / len(gold)
    correct = sum(confusion[label][label] for label in LABELS)
    return Metrics(len(gold), correct, loss, calibration_error(gold, predictions), tuple((a, b, c) for a, b, c in confusion))


def calibration_error(gold: Sequence[Label], predictions: Sequence[Prediction], bins: int = BINS) -> float:
    """Expected calibration error (Guo et al. 2017): |accuracy - confidence| over equal-width bins, weighted by rows."""
    rows: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for label, prediction in zip(gold, predictions, strict=True):
        rows[min(int(prediction.confidence * bins), bins - 1)].append((prediction.confidence, prediction.label == label))
    return sum(abs(sum(right for _, right in row) - sum(c for c, _ in row)) for row in rows) / len(gold)


def _class_scores(confusion: Sequence[Sequence[int]], label: Label) -> ClassScores:
    hit = confusion[label][label]
    support, predicted = sum(confusion[label]), sum(row[label] for row in confusion)
    precision, recall = hit / predicted if predicted else 0.0, hit / support if support else 0.0
    return ClassScores(label, precision, recall, 2 * hit / (support + predicted) if hit else 0.0, support)
