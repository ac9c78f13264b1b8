"""How many CPU threads work at a time, and the pool that they are in. Results never depend on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

_threads = os.cpu_count() or 1


def set_threads(threads: int) -> None:
    """How many threads are used from now on."""
    global _threads
    _threads = max(1, threads)
    pool.cache_clear()


def threads() -> int:
    """How many threads are used."""
    return _threads


@cache
def pool() -> ThreadPoolExecutor:
    """The threads."""
    return ThreadPoolExecutor(_threads)


def spread(work: Callable[[int], object], count: int) -> list:
    """``[work(0), ..., work(count - 1)]``, over the threads (compiled kernels and JAX's programs release the GIL)."""
    if count == 1 or _threads == 1:
        return [work(i) for i in range(count)]
    return list(pool().map(work, range(count)))
