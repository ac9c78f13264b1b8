"""TCP connections as browsers open them: all addresses of a host race, so that half a network is enough.

RFC 8305, "Happy Eyeballs Version 2": IPv6 and IPv4 addresses take turns, each a quarter of a second after the one
before, and the first that answers is used. Python's ``socket.create_connection`` tries one after the other instead.
"""

from __future__ import annotations

import errno
import itertools
import math
import os
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable

LIMIT = 10.0  # seconds for the name and all addresses together
STAGGER = 0.25  # seconds between the starts of two attempts
QUIET = 1.5  # seconds after which a line says what is being waited for
_STARTED = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EWOULDBLOCK)}
_Address = tuple[socket.AddressFamily, tuple]


def connect(host: str, port: int, *, limit: float = LIMIT, report: Callable[[str], None]) -> socket.socket:
    """A connected, blocking socket.

    Args:
        host: a name or an address.
        limit: seconds in which the name must be found and an address must answer.
        report: gets one line where this takes longer than ``QUIET``.

    Raises:
        OSError: the name is unknown (``socket.gaierror``), no address answered (``TimeoutError``), or all refused.
    """
    clock = _Clock(host, limit, report)
    return _race(_interleave(_look_up(host, port, clock)), clock)


class _Clock:
    """Bounds every wait of one connection, and says once that it takes long."""

    def __init__(self, host: str, limit: float, report: Callable[[str], None]) -> None:
        self.host, self.limit, self.report = host, limit, report
        self.start, self.reported = time.monotonic(), False

    def seconds_to_wait(self, at_most: float = math.inf) -> float:
        """How long the next wait may be.

        Raises:
            TimeoutError: the limit is reached.
        """
        now = time.monotonic() - self.start
        if now >= self.limit:
            raise TimeoutError(f"no answer within {self.limit:g} s")
        if now >= QUIET and not self.reported:
            self.reported = True
            self.report(f"Waiting for {self.host} to answer ...")
        notice = math.inf if self.reported else QUIET - now
        return max(min(self.limit - now, notice, at_most), 1e-3)


def _look_up(host: str, port: int, clock: _Clock) -> list[_Address]:
    """Addresses of a host, from a thread: a name server that does not answer blocks ``getaddrinfo`` for minutes."""
    answers: queue.Queue[list[_Address] | OSError] = queue.Queue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([(family, address) for family, _, _, _, address in found])
        except OSError as error:
            answers.put(error)
        except UnicodeError:  # a label of more than 63 characters
            answers.put(socket.gaierror(socket.EAI_NONAME, "not a name of a host"))

    threading.Thread(target=ask, daemon=True).start()
    while True:
        try:
            answer = answers.get(timeout=clock.seconds_to_wait())
        except queue.Empty:
            continue
        if isinstance(answer, OSError):
            raise answer
        return answer


def _interleave(addresses: list[_Address]) -> list[_Address]:
    """The two families in turns, the resolver's first choice first."""
    families = list(dict.fromkeys(family for family, _ in addresses))
    lists = [[each for each in addresses if each[0] == family] for family in families]
    return [each for turn in itertools.zip_longest(*lists) for each in turn if each is not None]


def _race(addresses: list[_Address], clock: _Clock) -> socket.socket:
    failure: OSError = OSError(errno.EADDRNOTAVAIL, "the host has no address")
    waiting, start_next = list(addresses), 0.0
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or selector.get_map():
                running = bool(selector.get_map())
                if waiting and (not running or time.monotonic() >= start_next):
                    try:
                        attempt = _start(*waiting.pop(0))
                        selector.register(attempt, selectors.EVENT_WRITE, attempt)
                        start_next = time.monotonic() + STAGGER
                    except OSError as error:
                        failure = error
                    continue
                pause = start_next - time.monotonic() if waiting else math.inf
                for key, _ in selector.select(clock.seconds_to_wait(pause)):
                    attempt = key.data
                    selector.unregister(attempt)
                    code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        attempt.setblocking(True)
                        return attempt
                    attempt.close()
                    failure, start_next = OSError(code, os.strerror(code)), 0.0
        finally:
            for key in list(selector.get_map().values()):
                key.data.close()
    raise failure


def _start(family: socket.AddressFamily, address: tuple) -> socket.socket:
    """A socket that is connecting."""
    attempt = socket.socket(family, socket.SOCK_STREAM)
    attempt.setblocking(False)
    code = attempt.connect_ex(address)
    if code not in _STARTED:
        attempt.close()
        raise OSError(code, os.strerror(code))
    return attempt
