"""What the checkpoints at hand say of pairs, as entries hold it. Models are the app's shared ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from robustnli.checkpoints import find
from robustnli.curated import Said
from robustnli.types import Checkpoint, Pair, Prediction
from robustnli.ui import cached

DEFAULT = 2  # models asked where none is named: the first ones, as in the Flip lab


def at_hand() -> dict[str, Checkpoint]:
    """The usable checkpoints by name."""
    return {item.name: item.checkpoint for item in find() if item.checkpoint}


def said(pairs: Sequence[tuple[Pair, Pair]], names: Collection[str] = ()) -> list[tuple[Said, ...]]:
    """For each (original, edited): what the models of these names say, as far as they are at hand; without any, the first two."""
    usable = at_hand()
    chosen = [usable[name] for name in names if name in usable] or list(usable.values())[:DEFAULT]
    answers = [answer() for answer in cached.together(lambda c: predict(c, [pair for both in pairs for pair in both]), chosen)]
    return [
        tuple(Said(c.name, c.fingerprint, given[2 * i], given[2 * i + 1]) for c, given in zip(chosen, answers, strict=True))
        for i in range(len(pairs))
    ]


def predict(checkpoint: Checkpoint, pairs: Sequence[Pair]) -> list[Prediction]:
    """The model's predictions, in order; equal pairs are asked once."""
    once = list(dict.fromkeys(pairs))
    answers = dict(zip(once, cached.model(checkpoint).predict(once), strict=True))
    return [answers[pair] for pair in pairs]
