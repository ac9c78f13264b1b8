"""Local processes: each takes a job, says how far it is, and takes the next. One that dies costs no other job."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from evoart.errors import EvoartError
from evoart.gallery import worker
from evoart.gallery.journal import Line
from evoart.gallery.plan import Entry
from evoart.run.device import THREADS, cores
from evoart.run.events import Event, Progress
from evoart.run.fit import batch
from evoart.run.fit.engine import choose
from evoart.run.fit.job import FitJob
from evoart.run.stop import Stop

BATCH = 16  # photographs that a device works on at once
TRIES = 2  # of a job whose process dies
_PATIENCE = 0.25  # seconds between looks at the stop flag


@dataclass(frozen=True)
class Step:
    """How far a running job is."""

    name: str
    progress: Progress


Report = Step | tuple[Entry, Line]


def one_by_one(entries: Sequence[Entry], folder: Path, settings: worker.Settings, stop: Stop) -> Iterator[Report]:
    """Do the jobs in this process, in order; programs compiled for one serve the next.

    Raises:
        worker.DiskFull: nothing more can be written.
    """
    for entry, picture in _prepared(entries):
        if stop.why is not None:
            return
        steps: list[Progress] = []
        seen = _Watched(steps)
        done: list[Any] = []
        thread = threading.Thread(
            target=lambda entry=entry, picture=picture, seen=seen, done=done: done.append(
                worker.complete(entry, folder, settings, stop, seen, picture)
            ),
            name="evoart-job",
        )
        thread.start()
        while thread.is_alive():
            thread.join(_PATIENCE)
            while steps:
                yield Step(entry.name, steps.pop(0))
        line, error = done[0]
        if error is not None:
            raise error
        if line is not None:
            yield entry, line


def _prepared(entries: Sequence[Entry]) -> Iterator[tuple[Entry, batch.Picture | None]]:
    """The jobs, and where a device works on several photographs at once, prepared with those that follow."""
    for beside, some in groupby(entries, _sort):
        members = list(some)
        if beside is None:
            yield from ((entry, None) for entry in members)
            continue
        for first in range(0, len(members), BATCH):
            some_entries = members[first : first + BATCH]
            try:
                pictures: list[batch.Picture | None] = [*batch.prepare_all([entry.job for entry in some_entries])]
            except EvoartError:  # what is wrong with all of them, each will say
                pictures = [None] * len(some_entries)
            yield from zip(some_entries, pictures, strict=True)


def _sort(entry: Entry) -> str | None:
    """What jobs that one program can serve have in common; None where a CPU draws them one after another."""
    if not isinstance(entry.job, FitJob):
        return None
    try:
        if choose(entry.job).engine == "scanline":
            return None
    except EvoartError:
        return None
    plain = entry.job.to_dict()
    return json.dumps({name: plain[name] for name in plain if name not in ("picture", "sha256", "seed")})


class _Watched:
    def __init__(self, steps: list[Progress]) -> None:
        self.steps = steps

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.steps.append(event)


def side_by_side(
    entries: Sequence[Entry], folder: Path, settings: worker.Settings, stop: Stop, processes: int
) -> Iterator[Report]:
    """Do the jobs in so many processes, which share the CPU's threads.

    Raises:
        worker.DiskFull: nothing more can be written.
    """
    waiting, tries = deque(entries), dict.fromkeys((entry.name for entry in entries), 0)
    threads = max(1, cores() // processes)
    crew = [_Worker(folder, settings, threads) for _ in range(min(processes, len(entries)))]
    full: EvoartError | None = None
    try:
        while True:
            for worker in crew:
                if worker.entry is None and waiting and stop.why is None and full is None:
                    worker.give(waiting.popleft())
            busy = {worker.pipe: worker for worker in crew if worker.entry is not None}
            if not busy:
                break
            if stop.why is not None:
                for worker in busy.values():
                    worker.ask_to_stop()
            for pipe in wait(list(busy), _PATIENCE):
                worker = busy[pipe]
                entry = worker.entry
                assert entry is not None
                try:
                    message = worker.pipe.recv()
                except (EOFError, OSError):
                    worker.renew()
                    tries[entry.name] += 1
                    if tries[entry.name] < TRIES and stop.why is None:
                        waiting.appendleft(entry)
                    elif stop.why is None:
                        yield entry, worker.failed(entry, "its process was killed, twice (out of memory?)")
                    continue
                if isinstance(message, Progress):
                    yield Step(entry.name, message)
                    continue
                worker.entry = None
                line, error = message
                full = full or error
                if line is not None:
                    yield entry, line
        if full is not None:
            raise full
    finally:
        for worker in crew:
            worker.end()


class _Worker:
    """One process and the pipe to it."""

    def __init__(self, folder: Path, settings: worker.Settings, threads: int) -> None:
        self._how = (folder, settings, threads)
        self.entry: Entry | None = None
        self._asked = False
        self._start()

    def _start(self) -> None:
        # Spawned: JAX's and Numba's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, *self._how), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, entry: Entry) -> None:
        self.entry = entry
        self.pipe.send(entry)

    def ask_to_stop(self) -> None:
        if not self._asked:
            self._asked = True
            self.pipe.send(None)

    def renew(self) -> None:
        self.entry = None
        self.pipe.close()
        self._process.join(1)
        self._start()

    def end(self) -> None:
        self.pipe.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()


def _work(pipe: Connection, folder: Path, settings: worker.Settings, threads: int) -> None:
    """The process: entries in, progress and lines out, until the pipe closes. ``None`` asks the running job to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent decides
    os.environ[THREADS] = str(threads)
    entries: deque[Entry] = deque()
    there, stop, gone = threading.Condition(), Stop(), threading.Event()

    def listen() -> None:
        while True:
            try:
                message = pipe.recv()
            except (EOFError, OSError):
                gone.set()
                message = None
            with there:
                if message is None:
                    stop.ask()
                else:
                    entries.append(message)
                there.notify()
            if gone.is_set():
                return

    def watch(event: Event) -> None:
        if isinstance(event, Progress) and not gone.is_set():
            pipe.send(event)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        with there:
            there.wait_for(lambda: entries or stop.why is not None)
            if not entries:
                return
            entry = entries.popleft()
        answer = worker.complete(entry, folder, settings, stop, watch)
        if gone.is_set():
            return
        pipe.send(answer)
