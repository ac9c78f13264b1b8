"""The pool of CPU threads, and how many it has. Results never depend on that."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

EVERY, CLEARLY = 32, 0.95  # calls, and the share of the time that counts as faster; see ``Payoff``

_threads = os.cpu_count() or 1


def set_threads(threads: int) -> None:
    """Use so many threads from now on, 1 at least."""
    global _threads
    _threads = max(1, threads)
    HELP.pays = True
    pool.cache_clear()
    _helpers.cache_clear()


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


class Payoff:
    """Whether it pays to be helped. Where other programs keep the processors busy, a helper may be waited for longer
    than it saves: one of ``EVERY`` calls is made the other way, and what was faster goes on.

    Attributes:
        pays: the answer.
    """

    def __init__(self) -> None:
        self.pays, self._calls = True, 0
        self._last: tuple[object, float] = (None, 0.0)  # what was done, and its seconds

    @contextmanager
    def timed(self, what: object) -> Iterator[bool]:
        """Time some work, which is to be helped with or not, as this says; calls of equal ``what`` are compared."""
        self._calls += 1
        trial = self._calls >= EVERY and self._last[0] == what
        helped = self.pays != trial
        before = time.perf_counter()
        yield helped
        seconds = time.perf_counter() - before
        if trial:
            self._calls = 0
            if seconds < CLEARLY * self._last[1]:
                self.pays = helped
        self._last = what, seconds


HELP = Payoff()  # of all kernels that threads share


def help_with(work: Callable[..., object], count: int, *arguments: Any) -> list[Future]:
    """Have ``count`` other threads call ``work(*arguments)`` while this one does so too; none where it is below 1."""
    if count < 1:
        return []
    here = _processor()
    return [_helpers().submit(_call_elsewhere, here, work, arguments) for _ in range(count)]


@cache
def _helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, _threads - 1))


def _call_elsewhere(here: int | None, work: Callable[..., object], arguments: tuple) -> None:
    """Call ``work`` on any processor but ``here``. Some kernels of virtual machines put a thread that wakes for a few
    milliseconds on the processor of the one that woke it, though others are idle."""
    if here is not None and (others := _allowed() - {here}):
        os.sched_setaffinity(0, others)
    work(*arguments)


@cache
def _allowed() -> set[int]:
    """The processors that this process may use."""
    return os.sched_getaffinity(os.getpid())


def _processor() -> int | None:
    """The processor that this thread runs on, where the system tells and lets threads choose."""
    return _libc().sched_getcpu() if hasattr(os, "sched_setaffinity") else None


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
