"""Events on their way to the pages: numbered, kept for a while, so that a page that was away gets what it missed."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

KEPT = 512  # events
QUIET = 15.0  # seconds after which a comment shows that the stream is alive


class Bus:
    """Takes events from any thread and gives them to every stream.

    Args:
        snapshot: the whole state as plain values. A stream begins with it unless it only continues, and jumps to it
            where it fell too far behind.
    """

    def __init__(self, snapshot: Callable[[], dict[str, Any]]) -> None:
        self.snapshot = snapshot
        self.boot = secrets.token_hex(4)  # numbers of another run of the server mean nothing here
        self._events: deque[tuple[int, str, str]] = deque(maxlen=KEPT)
        self._last = 0
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._closed = False

    def publish(self, name: str, data: dict[str, Any]) -> None:
        """Send an event to all pages; ``data`` is plain values."""
        text = json.dumps(data, separators=(",", ":"))
        with self._lock:
            self._last += 1
            self._events.append((self._last, name, text))
            self._wake()

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            self._closed = True
            self._wake()

    def _wake(self) -> None:
        for loop, ready in self._waiting:
            loop.call_soon_threadsafe(ready.set)

    async def stream(self, last: str = "") -> AsyncIterator[bytes]:
        """Server-sent events from after the one with the id ``last``, for as long as the server runs."""
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        boot, _, number = last.partition("-")
        at = int(number) if boot == self.boot and number.isdigit() else -1
        with self._lock:
            self._waiting.add((loop, ready))
        try:
            while not self._closed:
                ready.clear()
                with self._lock:
                    first = self._events[0][0] if self._events else self._last + 1
                    missed = not first - 1 <= at <= self._last
                    events = [] if missed else [event for event in self._events if event[0] > at]
                    at = self._last
                if missed:
                    # Taken after the number: what happens in between is told twice rather than never.
                    events = [(at, "state", json.dumps(await asyncio.to_thread(self.snapshot)))]
                for number, name, text in events:
                    yield f"id: {self.boot}-{number}\nevent: {name}\ndata: {text}\n\n".encode()
                try:
                    await asyncio.wait_for(ready.wait(), QUIET)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            with self._lock:
                self._waiting.discard((loop, ready))
