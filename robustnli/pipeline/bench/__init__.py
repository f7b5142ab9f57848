"""How fast it is, measured: whole jobs against what everybody would write, and against what this machine can multiply.

`flops` counts, `timing` takes times in turn and the ceiling, `rivals` are the others' loops, `jobs` what is timed; `live` asks as the
page asks; `growth` shows what more pairs and longer ones cost; `tables` writes results down and judges them by their aims.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch

from robustnli.errors import InputError
from robustnli.pipeline import runs
from robustnli.pipeline.bench.jobs import JOBS, SMALL, Counting, Job, jobs_of, lengths, model_of
from robustnli.pipeline.bench.timing import Clock, ceiling, interleave, peak_memory
from robustnli.types import Example

AGAINST = ("naive", "captum", "pipeline")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def bench(
    models: Sequence[str], examples: Sequence[Example], *, pairs: int = 512, rounds: int = 5, against: Sequence[str] = AGAINST,
    only: Sequence[str] = JOBS, quick: bool = False, threads: int = 1, clock: Clock = "wall", source: str = "", say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:  # fmt: skip
    """All jobs on all models, as plain values for JSON. `quick`: two rounds on few pairs, which shows that it runs, not how fast.

    Raises InputError for a contender, a job or a number of pairs that there is not.
    """
    for name, known in (("contender", AGAINST), ("job", JOBS)):
        for given in against if name == "contender" else only:
            if given not in known:
                raise InputError(f"no {name} {given!r}. Known: {', '.join(known)}.")
    if pairs < 1 or not examples:
        raise InputError(f"{pairs} pairs of {len(examples)} examples: there is nothing to time.")
    pairs, rounds = (min(pairs, 32), 2) if quick else (pairs, rounds)
    items = random.Random(0).sample(list(examples), min(pairs, len(examples)))
    asked = {
        "pairs": len(items),
        "source": source,
        "rounds": rounds,
        "threads": threads,
        "clock": clock,
        "quick": quick,
        "against": list(against),
    }
    seconds = 0.02 if quick else 0.4
    loaded = [model_of(name) for name in dict.fromkeys(models)]
    torch.set_num_threads(threads)  # after loading, which sets it to what a server needs
    out = [_model(model, items, against, only, rounds, seconds, clock, say) for model in loaded]
    return {"machine": runs.machine(), "asked": asked, "models": out, "peak_memory": peak_memory()}


def _model(
    model: Counting, items: Sequence[Example], against: Sequence[str], only: Sequence[str], rounds: int, seconds: float, clock: Clock,
    say: Callable[[str], None]
) -> dict[str, Any]:  # fmt: skip
    config = model.parts.config
    keys = ("num_hidden_layers", "hidden_size", "embedding_size", "intermediate_size", "num_attention_heads")
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes = ((width, 3 * width), (width, width), (width, inner), (inner, width))
    roofs = {"float32": ceiling(torch.float32, shapes, seconds=seconds, clock=clock)}
    if model.bulk is not model:
        roofs["bfloat16"] = ceiling(torch.bfloat16, shapes, seconds=seconds, clock=clock)
    done = []
    for job in jobs_of(model, items, against, only):
        say(f"{model.checkpoint.name}: {job.name}")
        done.append(_job(job, rounds, roofs, clock))
    # Measured again: what else runs on the machine may have changed.
    again = {name: ceiling(DTYPES[name], shapes, seconds=seconds, clock=clock) for name in roofs}
    counts = lengths(model, items)
    return {
        "model": model.checkpoint.name,
        "shape": {key: config.get(key) for key in keys},
        "mean_tokens": sum(counts) / len(counts),
        "ceiling_gflops": roofs,
        "ceiling_gflops_after": again,
        "jobs": done,
    }


def _job(job: Job, rounds: int, roofs: dict[str, dict[str, float]], clock: Clock) -> dict[str, Any]:
    timings = interleave(job.contenders, rounds, clock=clock)
    rows = {}
    for name, timing in timings.items():
        row = timing.summary()
        if name in job.needs:
            row["gflop_a_pair"] = sum(job.needs[name].values()) / timing.work
            row["fraction_of_ceiling"] = fraction(job.needs[name], timing.work / timing.rate, roofs)
        if name in job.whole:
            row["gflop_a_pair_whole"] = job.whole[name] / timing.work
        rows[name] = row
    best = next(iter(timings.values())).rate
    times = {name: best / timing.rate for name, timing in timings.items() if name not in job.needs}
    return {"job": job.name, "contenders": rows, "times_faster": times, "agreement": job.agreement}


def fraction(gflop: dict[str, float], seconds: float, roofs: dict[str, dict[str, float]]) -> float:
    """The share of `seconds` that the work would take at the best rate this machine multiplies at, each part at its precision."""
    return sum(work / roofs[precision]["best"] for precision, work in gflop.items()) / seconds


__all__ = ["AGAINST", "JOBS", "SMALL", "bench", "fraction"]
