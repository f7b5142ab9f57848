"""Batches side by side give the answers of one after the other, and leave torch's threads as they were."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

from robustnli.batching import TOKENS_PER_BATCH, packs, side_by_side, tokens_a_batch
from robustnli.models import load
from robustnli.types import Label, Pair


@pytest.fixture
def two() -> Iterator[None]:
    """Two threads of torch; afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_as_many_at_once_as_torch_has_threads_and_one_thread_each(two: None) -> None:
    both = threading.Barrier(2, timeout=20)  # passed only when two groups are at work at the same time

    def work(group: int) -> tuple[int, int]:
        both.wait()
        return group, torch.get_num_threads()

    assert side_by_side(work, [5, 6, 7, 8]) == [(5, 1), (6, 1), (7, 1), (8, 1)]
    assert torch.get_num_threads() == 2
    seen: list[int] = []
    fresh = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    fresh.start()
    fresh.join()
    assert seen == [2], "threads to come have what was set before"


def test_one_group_and_one_thread_stay_where_they_are(two: None) -> None:
    here = threading.get_ident()
    assert side_by_side(lambda group: (threading.get_ident(), torch.get_num_threads()), [1]) == [(here, 1)]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    assert side_by_side(lambda group: threading.get_ident(), [1, 2]) == [here, here]


def test_an_error_in_one_batch_is_the_callers(two: None) -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda group: 1 // group, [1, 0, 2])
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("rows", [3, 40, 151, 1000])
def test_an_even_number_of_batches_of_about_one_size(rows: int) -> None:
    lengths = [11 + i % 30 for i in range(rows)]
    groups = list(packs(lengths, tokens=tokens_a_batch(lengths)))
    assert sorted(i for group in groups for i in group) == list(range(rows))
    held = [sum(lengths[i] for i in group) for group in groups]
    assert max(held) <= TOKENS_PER_BATCH + max(lengths)
    assert len(groups) == 1 or (len(groups) % 2 == 0 and min(held) > 0.6 * max(held))


def test_two_threads_answer_as_one_does(two: None) -> None:
    model = load("baseline")
    pairs = [Pair(f"A weaver sells {i} rugs at the harbour" + " today" * (i % 9) + ".", "The weaver has a stall.") for i in range(150)]
    encodings = model.encode(pairs)
    targets = dict.fromkeys(range(0, 150, 2), Label.NEUTRAL)
    torch.set_num_threads(1)
    alone = model.ask(encodings, targets)
    torch.set_num_threads(2)
    together = model.ask(encodings, targets)
    assert together == alone, "bit for bit: a file of answers is the same however many threads made it"
