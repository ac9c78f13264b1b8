"""The process that draws. The server stays responsive whatever a run does, and an end of either loses nothing.

It works in the studio's folder, so that jobs name files there the same way wherever the server was started. When the
server is gone, it saves the run and ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from evoart.errors import EvoartError
from evoart.locks import try_lock
from evoart.run.events import Event, Finished, Improved, Interrupted, Noted, Progress, Started, Unsaved
from evoart.run.job import Job
from evoart.run.loop import Keep, resume, run
from evoart.run.stop import Stop
from evoart.studio.keeping import FILMS, check_models, explain, keep_picture

EVERY = 3.0  # seconds between checkpoints
SHOWN = 0.2  # seconds between pictures of a run
LIVE, PAINTED = 1024, 384  # pixels of a run's pictures: as elements, as one embedded picture


def main(pipe: Connection, folder: str) -> None:
    """Do what comes out of the pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the server says what to do
    os.chdir(folder)
    with _alone(Path("worker.lock")):
        _Worker(pipe).serve()


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until a worker of an earlier server has saved what it was making."""
    with path.open("a") as file:
        with contextlib.suppress(OSError):  # a file system without locks
            while not try_lock(file.fileno()):
                time.sleep(0.1)
        yield


class _Worker:
    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.orders: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.stop = Stop()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                order = self.pipe.recv()
            except (EOFError, OSError):
                order = {"do": "end"}
            if order["do"] == "end":
                self.stop.ask("terminated")
                self.orders.put(None)
                return
            if order["do"] == "stop":
                self.stop.ask()
            else:
                self.stop.why = None  # here, for a request to stop may come before the run has begun
                self.orders.put(order)

    def tell(self, what: str, **data: Any) -> None:
        with contextlib.suppress(OSError):  # the server is gone, and the run is saved all the same
            self.pipe.send((what, data))

    def serve(self) -> None:
        _warm()
        self.tell("ready")
        while (order := self.orders.get()) is not None:
            try:
                self._run(order)
            except Exception as error:
                told = explain(error)
                self.tell("failed", error=told.message, hint=told.hint)

    def _run(self, order: dict[str, Any]) -> None:
        path = Path(order["keep"])
        keep, shown = Keep(path, EVERY), 0.0
        last: Event | None = None
        for last in self._events(order, keep):
            now = time.monotonic()
            if isinstance(last, Improved) and now - shown > SHOWN:
                shown = now
                self.tell("picture", svg=svg_of(last))
            elif isinstance(last, Noted):
                self.tell("note", text=last.text)
            elif isinstance(last, Unsaved):
                self.tell("note", text=last.error)
            elif isinstance(last, Started | Progress):
                self.tell("event", **last.to_dict())
        if not isinstance(last, Finished):
            raise EvoartError("the run ended without a result", "Report this with what you did")
        name = keep_picture(last.result, order["name"])
        stopped = isinstance(last, Interrupted)
        if not stopped:
            with contextlib.suppress(OSError):
                path.replace(Path(FILMS) / f"{order['name']}.npz")
        facts = {"figures": last.figures, "label": last.result.form.label, "seed": last.result.seed}
        self.tell("stopped" if stopped else "finished", picture=name, seconds=last.seconds, reason=last.reason, **facts)

    def _events(self, order: dict[str, Any], keep: Keep) -> Iterator[Event]:
        ended = Path(FILMS) / f"{order['name']}.npz"  # it came to its end, and nobody was there to hear of it
        saved = next((path for path in (keep.path, ended) if path.exists()), None)
        if order["resume"] and saved:
            from evoart.run import checkpoint as checkpoints

            return resume(checkpoints.load(saved), keep=keep, stop=self.stop)
        job = Job.from_dict(order["job"])
        check_models(job)
        return run(job, keep=keep, stop=self.stop)


def _warm() -> None:
    """Have everything at hand that the first picture of shapes needs."""
    from evoart.run.device import limit_threads
    from evoart.run.fit.precompile import precompile

    limit_threads(None)
    precompile()


def svg_of(event: Improved) -> str:
    """A run's best so far as SVG, without a recipe."""
    from evoart.draw.scene import Scene
    from evoart.run.job import output_size

    drawing = event.drawing
    side = LIVE if isinstance(drawing, Scene) else PAINTED
    return drawing.svg(output_size(drawing.width, drawing.height, side))
