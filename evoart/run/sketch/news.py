"""Where a download says what it does: nowhere, unless the command line listens."""

from __future__ import annotations

from collections.abc import Callable

_listeners: list[tuple[Callable[[str], None], Callable[[int, int | None], None]]] = []


def listen(say: Callable[[str], None], progress: Callable[[int, int | None], None]) -> None:
    """Have lines and progress of downloads; the last to ask is the one who gets them."""
    _listeners[:] = [(say, progress)]


def say(line: str) -> None:
    """Hand on a line about a download."""
    for listener, _ in _listeners:
        listener(line)


def progress(done: int, total: int | None) -> None:
    """Hand on how many bytes have come, of how many (None: unknown)."""
    for _, listener in _listeners:
        listener(done, total)
