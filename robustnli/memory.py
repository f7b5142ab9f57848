"""What libraries below torch keep in memory, bounded."""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

_M_ARENA_MAX = -8  # glibc's malloc.h
ARENAS = 2
# oneDNN's own name, and that of torch's layer above it. What is set outside counts.
KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "192", "LRU_CACHE_CAPACITY": "192"}


def few_kernels() -> None:
    """Let oneDNN keep 192 compiled kernels, not 1,024; heeded only before torch is imported.

    Each size of a batch has kernels of its own, and batches here have any size: an attack on 1,200 pairs held 1,590 MiB, and at its peak
    holds 912, as fast. With 64 it is 732, but a server that is asked pairs of all lengths compiles most of them anew, 0.6 ms each.
    """
    for name, value in KERNELS.items():
        os.environ.setdefault(name, value)


def few_arenas() -> bool:
    """Let all threads share two arenas; whether the C library is glibc and agreed.

    glibc gives each of a server's threads an arena of its own, up to eight a core, and what a thread frees stays in its arena: a server that
    answers each visitor from another thread grows until all arenas have held an answer's tensors.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS))
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows: they keep no arena a thread
        return False


@contextmanager
def lasting() -> Iterator[None]:
    """What is made inside lasts as long as the process: the garbage collector waits meanwhile, and never looks at it again.

    For imports and what is read once: what refers to itself and is made inside, or lives at its end, is never freed.
    Streamlit collects after each run of a page. With torch, pandas and two models that looked at 260,000 objects, held the interpreter for
    0.14 s and made all other visitors wait; and the imports themselves took half as long again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
