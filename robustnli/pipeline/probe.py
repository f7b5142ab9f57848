"""The hypothesis-only probe (Poliak et al. 2018): how far the label can be told without reading the premise.

A logistic regression over hashed words and word pairs of the hypothesis: fast, and strong enough to find cue words.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

from robustnli.errors import RunError
from robustnli.masking import spans
from robustnli.types import LABELS, Example, Prediction

BUCKETS = 1 << 17
BATCH = 256


@dataclass(frozen=True, slots=True)
class Probe:
    """`weights` (BUCKETS, 3): what each feature adds to the logits; `bias` (3,)."""

    weights: torch.Tensor
    bias: torch.Tensor

    def predict(self, hypotheses: Sequence[str]) -> list[Prediction]:
        """Probabilities from the hypotheses alone."""
        rows = [_logits([features(h)], self.weights, self.bias)[0].softmax(-1).tolist() for h in hypotheses]
        return [Prediction((a, b, c)) for a, b, c in rows]


def features(hypothesis: str) -> list[int]:
    """Bucket of each lower-case word and of each two neighbours, the sentence's ends included."""
    tokens = ["<", *(hypothesis[a:b].lower() for a, b in spans(hypothesis)), ">"]
    grams = (*tokens, *(f"{a} {b}" for a, b in pairwise(tokens)))
    return [zlib.crc32(gram.encode("utf-8", "surrogatepass")) % BUCKETS for gram in grams]


def fit(examples: Sequence[Example], *, epochs: int = 4, learning_rate: float = 0.1, decay: float = 1e-6, seed: int = 13) -> Probe:
    """Train on the hypotheses and labels of the examples; the same for the same seed. Raises RunError for no examples."""
    if not examples:
        raise RunError("the hypothesis-only probe needs examples to learn from.")
    generator = torch.Generator().manual_seed(seed)
    weights = torch.zeros(BUCKETS, len(LABELS), requires_grad=True)
    bias = torch.zeros(len(LABELS), requires_grad=True)
    optimizer = torch.optim.Adagrad([weights, bias], lr=learning_rate, weight_decay=decay)
    bags = [features(e.pair.hypothesis) for e in examples]
    gold = torch.tensor([int(e.label) for e in examples])
    for _ in range(epochs):
        for rows in torch.randperm(len(bags), generator=generator).split(BATCH):
            loss = torch.nn.functional.cross_entropy(_logits([bags[i] for i in rows.tolist()], weights, bias), gold[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return Probe(weights.detach(), bias.detach())


def _logits(bags: Sequence[Sequence[int]], weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """(len(bags), 3)."""
    ids = torch.tensor([i for bag in bags for i in bag])
    starts = torch.tensor([0, *(len(bag) for bag in bags[:-1])]).cumsum(0)
    return torch.nn.functional.embedding_bag(ids, weights, starts, mode="sum") + bias
