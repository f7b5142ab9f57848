"""Times taken in turn, so that whatever else the machine does meets every contender alike; and the machine's own ceiling."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import torch


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of each round, after `warmup` seconds of a first one that is not counted; `work` is how many pairs a round does.

    `waited` is the share of the time on the wall in which this process had no processor: the machine was busy with others.
    """

    seconds: tuple[float, ...]
    warmup: float
    work: int
    waited: float = 0.0

    @property
    def rate(self) -> float:
        """Pairs a second in the median round."""
        return self.work / median(self.seconds)

    def summary(self) -> dict[str, Any]:
        """Pairs a second: median, least, most; and the rounds themselves."""
        rates = [self.work / s for s in self.seconds]
        return {
            "pairs_per_second": self.rate,
            "least": min(rates),
            "most": max(rates),
            "pairs": self.work,
            "rounds": len(rates),
            "warmup_seconds": self.warmup,
            "waited": self.waited,
        }


Clock = Literal["wall", "cpu"]
Contender = tuple[int, Callable[[], object]]  # how many pairs it does, and the doing


def interleave(contenders: Mapping[str, Contender], rounds: int, *, clock: Clock = "wall") -> dict[str, Timing]:
    """Each contender once to warm up, then all of them in turn, `rounds` times.

    The clock "cpu" counts the processor's time alone: on a busy machine, and with one thread, it is what a quiet machine's wall would say.
    """
    warm = {name: _seconds(run, clock)[0] for name, (_, run) in contenders.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for number in range(rounds):
        order = list(contenders.items())
        for name, (_, run) in order if number % 2 == 0 else reversed(order):
            taken[name].append(_seconds(run, clock))
    return {
        name: Timing(tuple(s for s, _ in taken[name]), warm[name], work, median(w for _, w in taken[name]))
        for name, (work, _) in contenders.items()
    }


def _seconds(run: Callable[[], object], clock: Clock = "wall") -> tuple[float, float]:
    """How long it took by the clock, and which share of the wall's time was not the processor's."""
    begun, cpu = time.perf_counter(), time.process_time()
    run()
    wall, used = time.perf_counter() - begun, time.process_time() - cpu
    return (wall if clock == "wall" else used), max(0.0, 1 - used / wall)


def ceiling(
    dtype: torch.dtype, shapes: Sequence[tuple[int, int]], *, rows: int = 2048, seconds: float = 0.3, clock: Clock = "wall"
) -> dict[str, float]:
    """GFLOP/s of matrix products at a precision: of (in, out) `shapes` on `rows` rows, of big squares, and the best of all.

    Each is the median over `seconds` of the quicker of torch's linear layer and oneDNN's.
    """
    model = [_gflops(dtype, rows, *shape, seconds, clock) for shape in shapes]
    work = [2 * rows * a * b for a, b in shapes]
    like = sum(work) / sum(w / g for w, g in zip(work, model, strict=True))
    big = max(_gflops(dtype, size, size, size, seconds, clock) for size in (1024, 2048))
    return {"like_the_model": like, "big": big, "best": max([*model, big])}


def _gflops(dtype: torch.dtype, rows: int, into: int, out: int, seconds: float, clock: Clock) -> float:
    from robustnli.fast.pieces import Linear

    x, weight, bias = torch.randn(rows, into).to(dtype), torch.randn(out, into).to(dtype), torch.randn(out).to(dtype)
    ours = Linear.of(weight, bias)
    best = 0.0
    for run in (lambda: torch.nn.functional.linear(x, weight, bias), lambda: ours(x)):
        taken: list[float] = []
        with torch.inference_mode():
            run()
            end = time.perf_counter() + seconds
            while time.perf_counter() < end or len(taken) < 3:
                taken.append(_seconds(run, clock)[0])
        best = max(best, 2 * rows * into * out / median(taken) / 1e9)
    return best


def peak_memory() -> float:
    """The most memory this process has held so far, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10


def memory() -> float:
    """The memory this process holds now, in MiB."""
    import psutil  # type: ignore[import-untyped]

    return float(psutil.Process().memory_info().rss) / 2**20
