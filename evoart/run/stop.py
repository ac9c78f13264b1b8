"""Requests to stop: the first Ctrl-C or SIGTERM sets a flag, the second one ends the process at once."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Literal

Why = Literal["interrupted", "terminated"]
EXIT = {"interrupted": 130, "terminated": 143}


class Stop:
    """The flag that a run looks at between steps.

    Attributes:
        why: what asked, or None.
        early: True while there is nothing to save yet, so that the first request ends the process already.
    """

    def __init__(self, early: bool = False) -> None:
        self.why: Why | None = None
        self.early = early

    def ask(self, why: Why = "interrupted") -> None:
        """Ask the run to stop after its current step, save, and say so."""
        self.why = self.why or why


@contextlib.contextmanager
def listening(stop: Stop, told: Callable[[Why], None], leave: Callable[[Why], None]) -> Iterator[None]:
    """While inside, SIGINT, SIGTERM and SIGHUP set ``stop``; a second one (the first, while ``stop.early``) calls
    ``leave`` and ends the process.

    Python runs signal handlers between bytecodes only, so a long call into compiled code would swallow both; and an
    exception that a handler raised in the middle of a compiler would break it. The C-level handler writes to a socket
    at once instead, and a thread reads it: ``told`` and ``leave`` are called from that thread. Outside the main thread
    nothing is changed, for only the main thread may handle signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    meanings: dict[int, Why] = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup stays nohup
        meanings[signal.SIGHUP] = "terminated"
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    ended = threading.Event()

    def watch() -> None:
        while True:
            try:
                numbers = reader.recv(64)
            except OSError:
                return
            if not numbers:
                return
            for number in numbers:
                if ended.is_set() or number not in meanings:
                    continue
                if stop.early or stop.why is not None:
                    leave(meanings[number])
                    os._exit(EXIT[meanings[number]])
                stop.ask(meanings[number])
                told(meanings[number])

    before = {number: signal.signal(number, lambda *_: None) for number in meanings}
    wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=watch, name="evoart-signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        with contextlib.suppress(OSError):
            writer.shutdown(socket.SHUT_RDWR)
        thread.join(1.0)
        reader.close()
        writer.close()


Reason = Literal["done", "generations", "evaluations", "time", "psnr", "patience", "interrupted", "terminated"]
