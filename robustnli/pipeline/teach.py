"""Soft targets to train on: what teachers say, or what the model that training starts from had right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from robustnli.types import LABELS, Example


def teach(teachers: Sequence[str], examples: Sequence[Example]) -> np.ndarray:
    """The teachers' mean probabilities of each example, (n, 3): targets to distil from."""
    from robustnli.models import load

    pairs = [e.pair for e in examples]
    taught: np.ndarray = np.asarray([[p.probs for p in load(name).bulk.predict(pairs)] for name in teachers], dtype=np.float32)
    return np.mean(taught, axis=0, dtype=np.float32)  # type: ignore[return-value]


def keep_right(start: str, examples: Sequence[Example]) -> np.ndarray:
    """Targets (n, 3) that hold on to what `start` had right: its probabilities there, the gold label where it was wrong.

    Positive-congruent training (Yan et al. 2021, focal distillation): fewer errors are introduced for those that are fixed.
    """
    soft = teach([start], examples)
    gold = np.asarray([int(e.label) for e in examples])
    wrong = soft.argmax(-1) != gold
    soft[wrong] = np.eye(len(LABELS), dtype=np.float32)[gold[wrong]]
    return soft
