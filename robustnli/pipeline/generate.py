"""Adversarial examples in bulk: draw a balanced sample, attack it, and write what is needed to train on it and to check it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from robustnli.attack import find_many
from robustnli.errors import DataError
from robustnli.models import NLIModel
from robustnli.types import LABELS, Attack, Example, Status


def sample(examples: Sequence[Example], per_class: int, seed: int) -> list[Example]:
    """`per_class` distinct examples of each label (all, where there are fewer), in random order of `seed`.

    Raises DataError when a label is absent: an unbalanced sample would bias training (the paper's section 3.2).
    """
    chosen: list[Example] = []
    for label in LABELS:
        pool = sorted({e.uid: e for e in examples if e.label == label}.values(), key=lambda e: e.uid)
        if not pool:
            raise DataError(f"no example is labelled {label.text}; a balanced sample needs all three labels.")
        chosen += random.Random(f"{seed} {label.text}").sample(pool, min(per_class, len(pool)))
    random.Random(seed).shuffle(chosen)
    return chosen


def generate(model: NLIModel, examples: Sequence[Example], *, k: int = 1, progress: Callable[[int], None] | None = None) -> list[Attack]:
    """The paper's attack on every example, in order. The same model and examples give the same attacks on the same kind of processor.

    Searched in bulk precision; every flip is confirmed in float32.
    """
    return list(find_many(model.bulk, examples, k=k, progress=progress))


def to_row(attack: Attack, model: NLIModel, *, seed: int) -> dict[str, Any]:
    """One attack as a row that `data.load` reads (the masked pair, the gold label kept) with its provenance."""
    return {
        "uid": attack.example.uid,
        "premise": attack.pair.premise,
        "hypothesis": attack.pair.hypothesis,
        "label": attack.example.label.text,
        "label_id": int(attack.example.label),
        "label_confirmed": False,
        "original_hypothesis": attack.example.pair.hypothesis,
        "masked": [[word.start, word.end, word.pieces] for word in attack.words],
        "status": attack.status.value,
        "before": list(attack.before.probs),
        "after": list(attack.after.probs),
        "tried": attack.tried,
        "recipe": attack.recipe,
        "model": attack_model_name(model),
        "seed": seed,
        "source": f"mask:{attack.example.source}",
    }


def attack_model_name(model: NLIModel) -> str:
    """The attacked checkpoint as name@fingerprint."""
    return f"{model.checkpoint.name}@{model.checkpoint.fingerprint}"


def summary(attacks: Iterable[Attack]) -> dict[str, Any]:
    """Counts by status; accuracy before and after over all rows; success rate over the rows that were right before."""
    rows = list(attacks)
    count = {status: sum(a.status is status for a in rows) for status in Status}
    right = count[Status.BROKEN] + count[Status.HELD]
    after = sum(a.after.label == a.example.label for a in rows)
    return {
        "n": len(rows),
        "broken": count[Status.BROKEN],
        "held": count[Status.HELD],
        "skipped": count[Status.SKIPPED],
        "accuracy_before": right / len(rows) if rows else None,
        "accuracy_after": after / len(rows) if rows else None,
        "success_rate": count[Status.BROKEN] / right if right else None,
        "mean_words_masked": sum(len(a.words) for a in rows) / len(rows) if rows else None,
        "predictions": sum(a.tried for a in rows),
    }
