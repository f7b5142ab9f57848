"""The page's questions, without the page: what `ui/panels.py` asks of two models for one typed pair, nothing cached."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from robustnli.attribution import look_and_map
from robustnli.config import threads
from robustnli.errors import InputError
from robustnli.masking import mask
from robustnli.memory import few_arenas
from robustnli.models import NLIModel, load
from robustnli.pipeline import runs
from robustnli.pipeline.bench.timing import memory, peak_memory
from robustnli.types import Pair

Answer = tuple[Any, ...]


def answer(model: NLIModel, pair: Pair) -> Answer:
    """All that the Flip lab shows of one model before a click: what it read, prediction, word scores, mask map."""
    fitted = model.fit(pair).pair
    return model.words(fitted), *look_and_map(model, fitted)


def click(model: NLIModel, pair: Pair) -> Answer:
    """What a click on the first hypothesis word asks for."""
    words = [word for word in model.words(pair) if word.segment == "hypothesis"]
    return tuple(model.predict([mask(pair, words[:1])]))


def both(models: Sequence[NLIModel], pair: Pair, ask: Callable[[NLIModel, Pair], Answer] = answer) -> tuple[Answer, ...]:
    """Both models at once, each in a thread, as `ui/cached.together` does."""
    with ThreadPoolExecutor(len(models)) as pool:
        return tuple(pool.map(lambda model: ask(model, pair), models))


def live(names: Sequence[str], pairs: Sequence[Pair], *, users: int = 10, seconds: float = 30.0, quick: bool = False) -> dict[str, Any]:
    """Latencies in ms: one user after the other; then `users` at once who type a pair every second, each answer checked."""
    if not names or not pairs or users < 1:
        raise InputError("a live bench needs a model, a pair and a user.")
    torch.set_num_threads(threads())
    few_arenas()  # as the server does
    begun = time.perf_counter()
    models = [load(name) for name in names]
    loaded = time.perf_counter() - begun
    pairs = random.Random(0).sample(list(pairs), min(len(pairs), 4 if quick else 60))
    for pair in pairs[:3]:
        both(models, pair)
    right = {pair: both(models, pair) for pair in pairs}
    alone = [_timed(lambda pair=pair: both(models, pair)) for pair in pairs]  # type: ignore[misc]
    clicks = [_timed(lambda pair=pair: both(models, pair, click)) for pair in pairs]  # type: ignore[misc]
    one = [_timed(lambda pair=pair: answer(models[0], pair)) for pair in pairs]  # type: ignore[misc]
    crowd, wrong, memories = _crowd(models, right, users, 0.5 if quick else seconds)
    words = [sum(word.segment == "hypothesis" for word in models[0].words(pair)) for pair in pairs]
    return {
        "machine": runs.machine(),
        "models": list(names),
        "pairs": len(pairs),
        "mean_hypothesis_words": statistics.fmean(words),
        "mean_tokens": statistics.fmean(len(e.ids) for e in models[0].encode(pairs)),
        "threads_of_a_call": threads(),
        "load_seconds": loaded,
        "one_user": percentiles(alone),
        "one_user_one_model": percentiles(one),
        "one_click": percentiles(clicks),
        "users": users,
        "all_users": percentiles(crowd) | {"answers": len(crowd), "wrong": wrong, "seconds": seconds},
        "memory_mib": {"first": memories[0], "last": memories[-1], "most": max(memories), "peak": peak_memory()},
    }


def _timed(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - begun)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile (the value that 95 % do not exceed), least and most."""
    ordered = sorted(values)
    return {"p50": statistics.median(ordered), "p95": ordered[-(-95 * len(ordered) // 100) - 1], "least": ordered[0], "most": ordered[-1]}


def _crowd(
    models: Sequence[NLIModel], right: dict[Pair, tuple[Answer, ...]], users: int, seconds: float
) -> tuple[list[float], int, list[float]]:
    """Each user types at a beat of one second from a start of its own; what takes longer than a second delays only that user."""
    end = time.perf_counter() + seconds
    memories = [memory()]

    def user(number: int) -> tuple[list[float], int]:
        taken: list[float] = []
        chooser, wrong = random.Random(number), 0
        due = time.perf_counter() + number / users
        while not taken or due < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            pair = chooser.choice(list(right))
            begun = time.perf_counter()
            wrong += both(models, pair) != right[pair]
            taken.append(1e3 * (time.perf_counter() - begun))
            due = max(due + 1, time.perf_counter())
            if number == 0:
                memories.append(memory())
        return taken, wrong

    with ThreadPoolExecutor(users) as pool:
        rows = list(pool.map(user, range(users)))
    return [t for taken, _ in rows for t in taken], sum(wrong for _, wrong in rows), memories
