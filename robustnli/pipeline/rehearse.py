"""A short training on a few examples that rehearses what the model knew: each step has some examples and some replay pairs.

An example is learned from its label, a replay pair from the probabilities that the model gave it before (learning without forgetting,
Li and Hoiem 2016). It ends as soon as a whole pass over the examples found all of them right, and sure enough: each step beyond that
only forgets. No dropout, so that what a step sees is what a prediction says. Then `walk_back` goes as far back towards the old weights as
the examples allow: a mean of old and new weights forgets less than the new ones (Wortsman et al. 2022).
"""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from robustnli.fast import half_precision
from robustnli.models import Encoding, NLIModel
from robustnli.types import LABELS, Example, Pair, Prediction

EXAMPLES_A_STEP = 16
WARM_UP = 8  # steps
SURE = 0.7  # mean probability of the right label at which learning ends
GRADIENT = 1.0  # the gradient's norm, at most
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # of the new weights in the mean
_POOL = 8  # batches that are made alike in length together
_JITTER = 4.0  # tokens
STAY = 0.95  # share of the learned examples that must stay right on the way back


class Telling(Protocol):
    """What is told of the training: `jobs.Tell` does."""

    def phase(self, name: str, total: int) -> None:
        """A part begins."""

    def step(self, count: int = 1) -> None:
        """Steps are done."""

    def curve(self, **point: float) -> None:
        """A point of the learning curve."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a training did. `passes` over the examples, the last of which found `right` of them right; `history`: a point a step."""

    steps: int
    passes: int
    right: int
    seconds: float
    history: tuple[dict[str, float], ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded pairs and what is learned of each: probabilities in our label order, (n, 3)."""

    encodings: Sequence[Encoding]
    targets: torch.Tensor


def rehearse(
    model: NLIModel, examples: Sequence[Example], known: Sequence[Pair], said: Sequence[Prediction], *, passes: int, learning_rate: float,
    replay: float, seed: int, tell: Telling,
) -> Learned:  # fmt: skip
    """Train `model.network` in place. `said`: what the model says of the pairs `known`. `replay`: their share of each step's pairs."""
    wanted = torch.eye(len(LABELS))[[int(e.label) for e in examples]]
    new = Rows(model.encode([e.pair for e in examples]), wanted)
    old = Rows(model.encode(known), torch.tensor([p.probs for p in said]).reshape(-1, len(LABELS)))
    each = round(EXAMPLES_A_STEP * replay / (1 - replay)) if known else 0
    chance, begun = random.Random(seed), time.time()
    replayed = _endless([len(e.ids) for e in old.encodings], each, chance)
    lengths = [len(e.ids) for e in new.encodings]
    network = model.network.eval().requires_grad_(True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=0.0, fused=True)
    history: list[dict[str, float]] = []
    a_pass = math.ceil(len(examples) / EXAMPLES_A_STEP)
    tell.phase("training", passes * a_pass)
    for number in range(1, passes + 1):  # noqa: B007 - told at the end
        right, sure = 0, 0.0
        for rows in _alike(lengths, range(len(examples)), a_pass, chance):
            _warm(optimizer, learning_rate, len(history))
            again = next(replayed) if each else []
            loss, probs = _backward(model, network, new, rows, len(rows) + len(again))
            kept = _backward(model, network, old, again, len(rows) + len(again))[0] if again else 0.0
            torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT)
            optimizer.step()
            optimizer.zero_grad()
            gold = wanted[rows].argmax(-1)
            right += int((probs.argmax(-1) == gold).sum())
            sure += float(probs[range(len(rows)), gold].sum())
            history.append({"step": len(history) + 1, "loss": loss} | ({"replay": kept} if again else {}))
            tell.curve(**history[-1])
            tell.step()
        if right == len(examples) and sure / len(examples) >= SURE:
            break
    network.requires_grad_(False)
    return Learned(len(history), number, right, round(time.time() - begun, 1), tuple(history))


def walk_back(model: NLIModel, old: Mapping[str, torch.Tensor], examples: Sequence[Example]) -> float:
    """Mix the old weights into `model.network` as far as `STAY` of the examples that it has right stay so; the new weights' share."""
    network = model.network
    new = {key: value.clone() for key, value in network.state_dict().items()}
    rows = Rows(model.encode([e.pair for e in examples]), torch.eye(len(LABELS))[[int(e.label) for e in examples]])
    want = math.ceil(STAY * _right(model, rows))
    low, high = 0, len(SHARES) - 1  # the smallest share that is enough lies between them, both included
    while low < high:
        middle = (low + high) // 2
        _mix(network, old, new, SHARES[middle])
        low, high = (low, middle) if _right(model, rows) >= want else (middle + 1, high)
    _mix(network, old, new, SHARES[high])
    return SHARES[high]


def _mix(network: Any, old: Mapping[str, torch.Tensor], new: Mapping[str, torch.Tensor], share: float) -> None:
    mixed = {key: torch.lerp(old[key], value, share) if value.is_floating_point() else value for key, value in new.items()}
    network.load_state_dict(mixed)


def _right(model: NLIModel, data: Rows) -> int:
    """How many rows' most probable label is that of their target."""
    count = 0
    for start in range(0, len(data.encodings), EXAMPLES_A_STEP):
        with torch.inference_mode():
            logits = model.network(**_padded(model.network.config, data.encodings[start : start + EXAMPLES_A_STEP])).logits
        own = logits[:, list(model.order)].argmax(-1)
        count += int((own == data.targets[start : start + EXAMPLES_A_STEP].argmax(-1)).sum())
    return count


def _backward(model: NLIModel, network: Any, data: Rows, rows: Sequence[int], of: int) -> tuple[float, torch.Tensor]:
    """Add the gradient of the rows' loss, as their part of `of` pairs; returns (their mean loss, probabilities (rows, 3))."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half_precision()):
        logits = network(**_padded(network.config, [data.encodings[i] for i in rows])).logits
    said = logits.float()[:, list(model.order)].log_softmax(-1)
    loss = -(data.targets[list(rows)] * said).sum()
    (loss / of).backward()
    return float(loss.detach()) / len(rows), said.detach().exp()


def _padded(config: Any, encodings: Sequence[Encoding]) -> dict[str, torch.Tensor]:
    """Model inputs of rows of different lengths, each tensor (rows, longest)."""
    longest, pad = max(len(e.ids) for e in encodings), getattr(config, "pad_token_id", None) or 0
    inputs = {
        "input_ids": torch.tensor([[*e.ids, *[pad] * (longest - len(e.ids))] for e in encodings]),
        "attention_mask": torch.tensor([[1] * len(e.ids) + [0] * (longest - len(e.ids)) for e in encodings]),
    }
    if getattr(config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = torch.tensor([[*e.types, *[0] * (longest - len(e.types))] for e in encodings])
    return inputs


def _alike(lengths: Sequence[int], rows: Sequence[int], parts: int, chance: random.Random) -> list[list[int]]:
    """The rows in `parts` of like size, each of rows of like length, so that little is padded; other ones in each call."""
    order = sorted(rows, key=lambda i: lengths[i] + _JITTER * chance.random())
    size, rest = divmod(len(order), parts)
    starts = [i * size + min(i, rest) for i in range(parts + 1)]
    out = [order[a:b] for a, b in itertools.pairwise(starts)]
    chance.shuffle(out)
    return out


def _endless(lengths: Sequence[int], each: int, chance: random.Random) -> Iterator[list[int]]:
    """Batches of about `each` rows of like length: all rows in random order, again and again."""
    while lengths and each:
        order = chance.sample(range(len(lengths)), len(lengths))
        for start in range(0, len(order), _POOL * each):
            rows = order[start : start + _POOL * each]
            yield from _alike(lengths, rows, math.ceil(len(rows) / each), chance)


def _warm(optimizer: Any, rate: float, steps: int) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate * min(1.0, (steps + 1) / WARM_UP)
