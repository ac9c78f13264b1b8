"""Local processes: each takes a job, says how far it is, and takes the next. One that dies costs no other job."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from multiprocessing.connection import Connection, wait
from pathlib import Path

from evoart.errors import EvoartError
from evoart.gallery import worker
from evoart.gallery.journal import Line
from evoart.gallery.plan import Entry
from evoart.run.device import THREADS, cores, limit_cores
from evoart.run.events import Event, Progress
from evoart.run.fit import batch
from evoart.run.fit.engine import choose
from evoart.run.fit.job import FitJob
from evoart.run.stop import Stop

BATCH = 16  # photographs that a device works on at once
TOGETHER = 2  # fits at a time in one process
TRIES = 2  # of a job whose process dies
_PATIENCE = 0.25  # seconds between two checks of the stop flag


@dataclass(frozen=True)
class Step:
    """How far a running job is."""

    name: str
    progress: Progress


Report = Step | tuple[Entry, Line]


def one_by_one(entries: Sequence[Entry], folder: Path, settings: worker.Settings, stop: Stop) -> Iterator[Report]:
    """Do the jobs in this process; programs compiled for one serve the next.

    Fits on several cores are done two at a time, each by a share of the threads.

    Raises:
        worker.DiskFull: nothing more can be written.
    """
    most = min(TOGETHER, cores())
    for together, jobs in groupby(_prepare(entries), lambda job: _may_share(*job)):
        threads = most if together else 1
        with limit_cores(max(1, cores() // threads)):
            yield from _in_threads(jobs, folder, settings, stop, threads)


def _in_threads(
    jobs: Iterator[tuple[Entry, batch.Picture | None]],
    folder: Path,
    settings: worker.Settings,
    stop: Stop,
    threads: int,
) -> Iterator[Report]:
    """Do jobs in threads of this process, so many at a time."""
    steps: deque[Step] = deque()
    running: dict[Future, Entry] = {}
    full: EvoartError | None = None
    with ThreadPoolExecutor(threads, "evoart-job") as executor:
        while True:
            while len(running) < threads and stop.why is None and full is None and (job := next(jobs, None)):
                watch = partial(_keep_progress, steps, job[0].name)
                future = executor.submit(worker.complete, job[0], folder, settings, stop, watch, job[1])
                running[future] = job[0]
            if not running:
                break
            wait_for(running, _PATIENCE, FIRST_COMPLETED)
            while steps:
                yield steps.popleft()
            for future in [each for each in running if each.done()]:
                entry = running.pop(future)
                line, error = future.result()
                full = full or error
                if line is not None:
                    yield entry, line
    if full is not None:
        raise full


def _may_share(entry: Entry, picture: batch.Picture | None) -> bool:
    """Whether a job is a fit that leaves another half of the time: while one is in compiled code, the other can be in
    Python's. Where the clock decides what it comes to, it has the machine alone."""
    job = entry.job
    if not isinstance(job, FitJob) or picture is not None or job.seconds is not None or job.threads is not None:
        return False
    return _program_of(entry) is None


def _prepare(entries: Sequence[Entry]) -> Iterator[tuple[Entry, batch.Picture | None]]:
    """The jobs, and where a device works on several photographs at once, prepared with those that follow."""
    for program, group in groupby(entries, _program_of):
        members = list(group)
        if program is None:
            yield from ((entry, None) for entry in members)
            continue
        for first in range(0, len(members), BATCH):
            some = members[first : first + BATCH]
            pictures: Sequence[batch.Picture | None] = [None] * len(some)
            with contextlib.suppress(Exception):  # what is wrong, each will say
                pictures = batch.prepare_all([entry.job for entry in some if isinstance(entry.job, FitJob)])
            yield from zip(some, pictures, strict=True)


def _program_of(entry: Entry) -> str | None:
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


def _keep_progress(steps: deque[Step], name: str, event: Event) -> None:
    if isinstance(event, Progress):
        steps.append(Step(name, event))


def side_by_side(
    entries: Sequence[Entry], folder: Path, settings: worker.Settings, stop: Stop, processes: int
) -> Iterator[Report]:
    """Do the jobs in ``processes`` processes, which share the CPU's threads.

    Raises:
        worker.DiskFull: nothing more can be written.
    """
    threads = max(1, cores() // processes)
    workers = [_Worker(folder, settings, threads) for _ in range(min(processes, len(entries)))]
    try:
        yield from _Scheduler(entries, workers, stop).run()
    finally:
        for each in workers:
            each.end()


class _Scheduler:
    """Gives waiting jobs to idle workers and deals with whatever comes of them."""

    def __init__(self, entries: Sequence[Entry], workers: Sequence[_Worker], stop: Stop) -> None:
        self.waiting, self.workers, self.stop = deque(entries), workers, stop
        self.deaths: Counter[str] = Counter()  # of processes, by the job they were at
        self.full: EvoartError | None = None

    def run(self) -> Iterator[Report]:
        """Reports until nothing is left to do, or nothing more may be started and what was started has ended."""
        while busy := self._assign():
            for each in busy:
                if self.stop.why is not None:
                    each.ask_to_stop()
            ready = wait([each.pipe for each in busy], _PATIENCE)
            for each in busy:
                if each.pipe in ready:
                    yield from self._receive(each)
        if self.full is not None:
            raise self.full

    def _assign(self) -> list[_Worker]:
        """Give jobs to idle workers, and return the busy ones."""
        for each in self.workers:
            if each.entry is None and self.waiting and self.stop.why is None and self.full is None:
                each.give(self.waiting.popleft())
        return [each for each in self.workers if each.entry is not None]

    def _receive(self, sender: _Worker) -> Iterator[Report]:
        entry = sender.entry
        assert entry is not None
        try:
            message = sender.pipe.recv()
        except (EOFError, OSError):
            yield from self._replace(sender, entry)
            return
        if isinstance(message, Progress):
            yield Step(entry.name, message)
        else:
            yield from self._finish(sender, entry, *message)

    def _replace(self, dead: _Worker, entry: Entry) -> Iterator[Report]:
        """The process has died: start another, and try the job again, or give it up."""
        dead.renew()
        self.deaths[entry.name] += 1
        if self.stop.why is not None:
            return
        if self.deaths[entry.name] < TRIES:
            self.waiting.appendleft(entry)
        else:
            yield entry, worker.failed(entry, "its process was killed, twice (out of memory?)")

    def _finish(self, idle: _Worker, entry: Entry, line: Line | None, error: EvoartError | None) -> Iterator[Report]:
        """The job has ended; without a line it was stopped, or nothing more can be written."""
        idle.entry = None
        self.full = self.full or error
        if line is not None:
            yield entry, line


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
        self._process = context.Process(target=_serve, args=(theirs, *self._how), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, entry: Entry) -> None:
        """Let the process do a job; one that has died in the meantime is replaced."""
        self.entry = entry
        try:
            self.pipe.send(entry)
        except OSError:
            self.renew()
            self.entry = entry
            self.pipe.send(entry)

    def ask_to_stop(self) -> None:
        """Ask the running job, once, to save and stop."""
        if not self._asked:
            self._asked = True
            with contextlib.suppress(OSError):  # it has died; so its pipe will say
                self.pipe.send(None)

    def renew(self) -> None:
        """Start another process in place of one that has died."""
        self.entry = None
        self.pipe.close()
        self._process.join(1)
        self._start()

    def end(self) -> None:
        """Let the process end, and make it."""
        self.pipe.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()


def _serve(pipe: Connection, folder: Path, settings: worker.Settings, threads: int) -> None:
    """The process: entries in, progress and lines out, until the pipe closes. ``None`` asks the running job to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent decides
    os.environ[THREADS] = str(threads)
    entries: deque[Entry] = deque()
    changed, stop, closed = threading.Condition(), Stop(), threading.Event()

    def listen() -> None:
        while not closed.is_set():
            try:
                message = pipe.recv()
            except (EOFError, OSError):
                closed.set()
                message = None
            with changed:
                if message is None:
                    stop.ask()
                else:
                    entries.append(message)
                changed.notify()

    def watch(event: Event) -> None:
        if isinstance(event, Progress) and not closed.is_set():
            pipe.send(event)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        with changed:
            changed.wait_for(lambda: entries or stop.why is not None)
            if not entries:
                return
            entry = entries.popleft()
        answer = worker.complete(entry, folder, settings, stop, watch)
        if closed.is_set():
            return
        pipe.send(answer)
