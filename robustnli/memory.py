"""How the C library keeps freed memory, set once for a server."""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8  # glibc's malloc.h
ARENAS = 2


def few_arenas() -> bool:
    """Let all threads share two arenas; whether the C library is glibc and agreed.

    glibc gives each of a server's threads an arena of its own, up to eight a core, and what a thread frees stays in its arena: a server that
    answers each visitor from another thread grows until all arenas have held an answer's tensors.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS))
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows: they keep no arena a thread
        return False
