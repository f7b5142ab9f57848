"""A server's threads share a few arenas of the C library."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest
import torch

from robustnli.memory import KERNELS, few_kernels

# Each of 24 threads takes and frees 8 MB of small pieces; glibc's own count of arenas goes to stderr.
PROGRAM = """
import ctypes, sys, threading
from robustnli.memory import few_arenas
if sys.argv[1] == "few":
    assert few_arenas()
gate = threading.Barrier(24)
def work():
    held = []
    gate.wait()
    for _ in range(80):
        held.append(bytearray(100_000))
        held.append(ctypes.create_string_buffer(2_000))
    gate.wait()
threads = [threading.Thread(target=work) for _ in range(24)]
[t.start() for t in threads]; [t.join() for t in threads]
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps arenas a thread")
def test_many_threads_make_two_arenas_at_most() -> None:
    def arenas(how: str) -> int:
        said = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True, timeout=120).stderr
        return said.count("Arena ")

    assert arenas("few") <= 2 < arenas("own")


SIZES = """
import os, sys
if sys.argv[1] == "few":
    import robustnli
import psutil, torch
torch.set_num_threads(1)
product = torch.ops.mkldnn._linear_pointwise
weight, bias = torch.randn(384, 384), torch.randn(384)
with torch.inference_mode():
    for rows in range(100, 700):
        product(torch.randn(rows, 384), weight, bias, "none", [], "")
print(psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch has no oneDNN here")
def test_batches_of_any_size_leave_few_kernels_behind() -> None:
    def held(how: str) -> float:
        done = subprocess.run(
            [sys.executable, "-c", SIZES, how],
            capture_output=True, text=True, check=True, timeout=120, env={n: v for n, v in os.environ.items() if n not in KERNELS},
        )  # fmt: skip
        return int(done.stdout) / 2**20

    assert held("few") < held("all") - 20


def test_what_is_set_outside_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "7")
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    few_kernels()
    assert (os.environ["LRU_CACHE_CAPACITY"], os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"]) == ("7", "192")
