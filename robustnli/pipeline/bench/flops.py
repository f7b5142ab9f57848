"""How many floating-point operations a job needs: those of its matrix products, a multiplication and an addition each.

Layer norms, softmax, GELU and sums are not counted, so a fraction of the ceiling is what they leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def forward(config: Mapping[str, Any], length: int, *, whole: bool = False) -> int:
    """One row of `length` tokens to its logits. `whole`: the last layer for all tokens, as transformers does, not for [CLS] alone."""
    width, inner, layers = (int(config[name]) for name in ("hidden_size", "intermediate_size", "num_hidden_layers"))
    narrow = int(config.get("embedding_size", width))
    linear = 2 * (4 * width * width + 2 * width * inner)  # a token and layer: query, key, value, output; up, down
    layer = length * linear + 4 * length * length * width  # and scores and mixtures of attention
    firsts = 2 * length * 2 * width * width + (linear - 4 * width * width) + 4 * length * width
    project = 2 * length * narrow * width if narrow != width else 0
    head = 2 * width * width + 2 * width * 3
    return project + (layers - 1) * layer + (layer if whole else firsts) + head


def backward(config: Mapping[str, Any], length: int, *, whole: bool = False) -> int:
    """From the logits to the word embeddings: each weight once more, each product of attention twice."""
    width, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
    attention = 4 * length * length * width
    more = layers * attention if whole else (layers - 1) * attention + 4 * length * width
    return forward(config, length, whole=whole) + more


def training(config: Mapping[str, Any], length: int) -> int:
    """A training step's share of one row: forward, the gradient at every input, and at every weight."""
    width, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
    weights = forward(config, length, whole=True) - layers * 4 * length * length * width
    return forward(config, length, whole=True) + backward(config, length, whole=True) + weights


def attack(config: Mapping[str, Any], length: int, *, whole: bool = False) -> int:
    """The paper's attack with one mask: forward and back, then forward."""
    return 2 * forward(config, length, whole=whole) + backward(config, length, whole=whole)


def total(of: Any, config: Mapping[str, Any], lengths: Iterable[int], **options: Any) -> int:
    """The sum of `of` over rows."""
    return sum(of(config, length, **options) for length in lengths)
