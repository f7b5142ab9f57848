"""A server's threads share a few arenas of the C library."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

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
