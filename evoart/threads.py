"""The pool of CPU threads, and how many it has. Results never depend on that."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

_threads = os.cpu_count() or 1


def set_threads(threads: int) -> None:
    """Use so many threads from now on, 1 at least."""
    global _threads
    _threads = max(1, threads)
    pool.cache_clear()


def threads() -> int:
    """How many threads are used."""
    return _threads


@cache
def pool() -> ThreadPoolExecutor:
    """The pool, of ``threads()`` threads."""
    return ThreadPoolExecutor(_threads)


def spread(work: Callable[[int], object], count: int) -> list:
    """``[work(0), ..., work(count - 1)]``, over the threads (compiled kernels and JAX's programs release the GIL)."""
    if count == 1 or _threads == 1:
        return [work(i) for i in range(count)]
    return list(pool().map(work, range(count)))
