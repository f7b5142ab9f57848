"""The loss's slope at each hypothesis word: what a first-order estimate of exchanging the word is made of. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from robustnli.batching import batches
from robustnli.types import Label, Pair, Word

if TYPE_CHECKING:
    from robustnli.models import NLIModel


@dataclass(frozen=True, slots=True)
class Slopes:
    """Of each of `words`: `gradient` (words, embedding) of the loss, summed over the word's pieces; `now` (words,), the sum over its
    pieces of gradient * embedding.
    """

    words: tuple[Word, ...]
    gradient: torch.Tensor
    now: torch.Tensor

    def rise(self, vectors: torch.Tensor) -> torch.Tensor:
        """First-order estimate (words, candidates) of the loss's rise where all pieces of a word become a vector of (candidates, embedding).

        Ebrahimi et al. 2018, section 3: (new - old) . gradient, summed over the pieces; exact as the step goes to 0.
        """
        return self.gradient @ vectors.T - self.now[:, None]


def slopes(model: NLIModel, pairs: Sequence[Pair], targets: Sequence[Label]) -> list[Slopes]:
    """The slopes of the hypothesis words of each pair; the loss is cross-entropy at its target."""
    encodings = model.encode(pairs)
    out: list[Slopes | None] = [None] * len(pairs)
    for rows in batches([len(e.ids) for e in encodings]):
        inputs = model.tensors([encodings[i] for i in rows])
        embeds = model.embed(inputs.pop("input_ids")).float().detach().requires_grad_()  # (batch, length, embedding)
        labels = torch.tensor([int(targets[i]) for i in rows])
        with torch.enable_grad():
            loss = torch.nn.functional.cross_entropy(model.logits({"inputs_embeds": embeds, **inputs}), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, embeds)
        embeds = embeds.detach()
        for at, i in enumerate(rows):
            spans = list(model.word_of_token(pairs[i], encodings[i]))
            words = [w for w in model.words_of(pairs[i], encodings[i]) if w.segment == "hypothesis"]
            tokens = [[t for t, (segment, span) in enumerate(spans) if segment == 1 and span == (w.start, w.end)] for w in words]
            size = (len(words), embeds.shape[-1])
            summed = torch.stack([gradient[at, t].sum(0) for t in tokens]) if words else torch.zeros(size)
            now = torch.stack([(gradient[at, t] * embeds[at, t]).sum() for t in tokens]) if words else torch.zeros(0)
            out[i] = Slopes(tuple(words), summed, now)
    return out  # type: ignore[return-value]
