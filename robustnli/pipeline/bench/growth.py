"""What more pairs cost, and longer ones: the attack, each size in a process of its own so that its memory is its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import torch

from robustnli.data import load_all
from robustnli.pipeline import runs
from robustnli.pipeline.bench.timing import memory, peak_memory
from robustnli.types import Example, Label, example

LENGTHS = (8, 16, 32, 64, 128, 256, 512)
PAIRS = (1_000, 3_000, 10_000, 30_000, 100_000)


def growth(
    model: str, data: Sequence[str], *, pairs: Sequence[int] = PAIRS, lengths: Sequence[int] = LENGTHS, threads: int = 1,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:  # fmt: skip
    """Seconds and peak memory of the attack on each number of pairs, and on pairs of each length; plain values for JSON."""
    rows: dict[str, list[dict[str, float]]] = {"pairs": [], "lengths": []}
    for kind, values in (("pairs", pairs), ("lengths", lengths)):
        for value in values:
            say(f"{model}: {value:,} {'pairs' if kind == 'pairs' else 'tokens a pair'}")
            asked = json.dumps({"model": model, "data": list(data), "kind": kind, "value": value, "threads": threads})
            done = subprocess.run(
                [sys.executable, "-m", "robustnli.pipeline.bench.growth", asked], capture_output=True, text=True, check=True
            )
            rows[kind].append(json.loads(done.stdout.splitlines()[-1]))
    return {"machine": runs.machine(), "model": model, "threads": threads, **rows}


def measure(model: str, data: Sequence[str], kind: str, value: int, threads: int) -> dict[str, float]:
    """One size: how long the attack takes once the model is loaded, and the memory it takes above that of the loaded model."""
    from robustnli.attack import find_many
    from robustnli.models import load

    loaded = load(model)
    torch.set_num_threads(threads)
    items = long_pairs(value, 4096 // value) if kind == "lengths" else list(islice(cycle(load_all(data).examples), value))
    for _ in find_many(loaded.bulk, items[:8]):
        pass
    before, begun = memory(), time.perf_counter()
    broken = sum(attack.status.value == "broken" for attack in find_many(loaded.bulk, items))  # a stream: no list is kept
    seconds = time.perf_counter() - begun
    return {
        "value": value, "pairs": len(items), "seconds": seconds, "pairs_per_second": len(items) / seconds, "broken": broken,
        "memory_before": before, "peak_memory": peak_memory(),
    }  # fmt: skip


def long_pairs(length: int, count: int) -> list[Example]:
    """Pairs of `length` tokens, three of them [CLS] and [SEP]: a premise of one word over and over, a hypothesis of at most six."""
    hypothesis = min(6, (length - 3) // 2)
    premise = " ".join(["man"] * (length - 3 - hypothesis))
    words = " ".join(["dog"] * hypothesis)
    return [example(premise, words, Label.NEUTRAL, str(number)) for number in range(max(1, count))]


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
