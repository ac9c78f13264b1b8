"""One run at a time, in a process of its own: started, watched, paused, continued, stopped, and found again."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evoart.errors import EvoartError, UsageError
from evoart.output.files import write
from evoart.run.job import Job
from evoart.studio import keeping
from evoart.studio.process import work

PLAN, KEEP = "run.json", "run.npz"
FILMED = 60  # pictures of which a film can be made
Publish = Callable[[str, dict[str, Any]], None]
Done = Callable[[dict[str, Any]], None]


class Runner:
    """Runs jobs, one after the other, and says what happens.

    What is planned is in a file before it starts, and the run's checkpoint is next to it: whenever the processes end,
    the next ``Runner`` of the folder continues.

    Args:
        folder: the studio's.
        publish: takes the events ``run`` (the status), ``picture`` (there is a new one), ``note`` and ``failure``.
        done: takes the plan when all of its jobs are done, or it was stopped; ``results`` says what they came to.
        number: gives the next free number of a picture.
    """

    def __init__(self, folder: Path, publish: Publish, done: Done, number: Callable[[], int]) -> None:
        self.folder, self.publish, self.done, self.number = folder, publish, done, number
        self._lock = threading.RLock()
        self._plan: dict[str, Any] | None = None
        self._asked = ""  # what the worker was told to stop for: "pause", "stop" or "close"
        self._progress: dict[str, Any] = {}
        self._pictures: dict[int, str] = {}
        self._curve: list[tuple[float, float]] = []
        self._shown = 0
        self._process: Any = None
        self._pipe: Any = None
        self._reader: threading.Thread | None = None
        self._closed, self._warm = False, False
        with contextlib.suppress(FileNotFoundError):
            try:
                self._plan = json.loads((folder / PLAN).read_text("utf-8"))
            except ValueError as error:
                raise EvoartError(f"'{folder / PLAN}' is damaged", "Remove it") from error

    def open(self) -> None:
        """Start the worker, and continue what was being made when the studio was left."""
        with self._lock:
            self._start_worker()
            plan = self._plan
            if plan is None:
                return
            for i, result in enumerate(plan["results"]):
                with contextlib.suppress(OSError, UnicodeDecodeError):
                    self._pictures[i] = (self.folder / keeping.PICTURES / result["picture"]).read_text("utf-8")
            if len(plan["results"]) == len(plan["jobs"]):
                self._finish()
            elif not plan["paused"]:
                self._order(resume=True)

    def start(self, room: str, jobs: Sequence[Job], label: str, **more: Any) -> None:
        """Make the pictures of jobs; before ``open``, as soon as it is called. ``more`` are plain values that ``done``
        wants back.

        Raises:
            UsageError: something is being made already.
        """
        with self._lock:
            if self._plan is not None:
                raise UsageError("a picture is being made already", "Stop it first, or wait")
            plain = [job.with_seed().to_dict() for job in jobs]
            plan = {"room": room, "label": label, "jobs": plain, "index": 0, "results": [], "paused": False} | more
            (self.folder / KEEP).unlink(missing_ok=True)
            self._plan, self._progress, self._pictures, self._curve = plan, {}, {}, []
            self._write()
            self._order(resume=False)

    def pause(self) -> None:
        """Save the run and rest.

        Raises:
            UsageError: nothing is being made.
        """
        self._halt("pause")

    def go_on(self) -> None:
        """Continue what was paused.

        Raises:
            UsageError: nothing is paused.
        """
        with self._lock:
            if self._plan is None or not self._plan["paused"]:
                raise UsageError("nothing is paused", "")
            self._plan["paused"] = False
            self._write()
            self._order(resume=True)

    def stop(self) -> None:
        """End the run and keep what there is.

        Raises:
            UsageError: nothing is being made.
        """
        with self._lock:
            if self._plan is not None and self._plan["paused"]:
                self._finish()
            else:
                self._halt("stop")

    def _halt(self, asked: str) -> None:
        with self._lock:
            if self._plan is None or (self._plan["paused"] and asked == "pause"):
                raise UsageError("nothing is being made", "")
            self._asked = asked
            self._send({"do": "stop"})
            self._tell()

    def close(self) -> None:
        """Save the run and end the worker; the next ``open`` continues."""
        with self._lock:
            self._closed = True
            process, self._asked = self._process, "close"
            self._send({"do": "end"})  # a pipe that a thread still reads from does not close
        if process is not None:
            process.join(20)
            if process.is_alive():
                process.kill()
                process.join()
        if self._reader is not None:
            self._reader.join(5)
        if self._pipe is not None:
            self._pipe.close()

    def status(self) -> dict[str, Any]:
        """What is being made, as plain values."""
        with self._lock:
            plan = self._plan
            if plan is None:
                return {"state": "idle"}
            state = "paused" if plan["paused"] else "stopping" if self._asked else "running"
            facts = {name: plan[name] for name in ("room", "label", "index", "parent") if name in plan}
            results = [{k: r[k] for k in ("picture", "figures", "label", "seed")} for r in plan["results"]]
            return facts | {
                "state": state,
                "warm": self._warm,
                "count": len(plan["jobs"]),
                "results": results,
                "progress": self._progress,
                "curve": self._curve,
                "shown": {str(i): self._shown for i in self._pictures},
            }

    def picture(self, index: int) -> str:
        """The best so far of the run's job of that index, as SVG; ``""`` where there is none yet."""
        with self._lock:
            return self._pictures.get(index, "")

    # -- the worker ---------------------------------------------------------------------------------------------

    def _start_worker(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=work, args=(other, str(self.folder.resolve())), daemon=True)
        self._process.start()
        other.close()  # so that each end sees when the other is gone
        self._reader = threading.Thread(target=self._listen, args=(self._pipe,), name="evoart-runner", daemon=True)
        self._reader.start()

    def _listen(self, pipe: Any) -> None:
        while True:
            try:
                what, data = pipe.recv()
            except (EOFError, OSError):
                break
            with self._lock:
                if not self._closed:
                    getattr(self, f"_on_{what}")(data)
        with self._lock:
            if self._closed:
                return
            self._start_worker()
            if self._plan is not None and not self._plan["paused"]:
                self._plan["paused"], self._asked = True, ""
                self._write()
                self._tell()
                hint = "It may have run out of memory. Go on from the last moment that was saved, or stop"
                self.publish("failure", {"error": "the process that draws has ended", "hint": hint})

    def _send(self, order: dict[str, Any]) -> None:
        if self._pipe is not None:
            with contextlib.suppress(OSError):  # it has just ended: ``_listen`` says so
                self._pipe.send(order)

    def _order(self, resume: bool) -> None:
        assert self._plan is not None
        self._asked = ""
        index = self._plan["index"]
        name = f"{self._plan.setdefault('number', self.number()):06d}"
        name += f"-{index + 1}" if len(self._plan["jobs"]) > 1 else ""
        self._send({"do": "run", "job": self._plan["jobs"][index], "keep": KEEP, "name": name, "resume": resume})
        self._tell()

    def _on_ready(self, data: dict[str, Any]) -> None:
        self._warm = True
        self._tell()

    def _on_event(self, data: dict[str, Any]) -> None:
        if self._plan is None:
            return
        kept = ("event", "stage", "figures", "label", "seconds", "fraction", "left", "evaluations", "seed", "resumed")
        self._progress = {name: data[name] for name in kept if name in data}
        figures = data.get("figures") or {}
        if figures:
            value = figures.get("psnr", figures.get("similarity", -figures.get("loss", 0.0)))
            self._curve.append((round(data["seconds"], 2), round(float(value), 4)))
            if len(self._curve) > 400:  # every other one: a curve needs no more
                self._curve = self._curve[::2]
        self.publish("progress", self._progress | {"index": self._plan["index"], "point": self._curve[-1:]})

    def _on_picture(self, data: dict[str, Any]) -> None:
        if self._plan is None:
            return
        index = self._plan["index"]
        self._pictures[index] = data["svg"]
        self._shown += 1
        self.publish("picture", {"index": index, "shown": self._shown})

    def _on_note(self, data: dict[str, Any]) -> None:
        self.publish("note", data)

    def _on_failed(self, data: dict[str, Any]) -> None:
        self.publish("failure", data)
        self._finish()

    def _on_stopped(self, data: dict[str, Any]) -> None:
        if self._plan is None:
            return
        self._plan["partial"] = data
        if self._asked == "pause":
            self._plan["paused"], self._asked = True, ""
            self._write()
            self._tell()
        else:
            self._finish()

    def _on_finished(self, data: dict[str, Any]) -> None:
        if self._plan is None:
            return
        self._plan["results"].append(data)
        self._plan.pop("partial", None)
        (self.folder / KEEP).unlink(missing_ok=True)
        if self._asked == "stop" or len(self._plan["results"]) == len(self._plan["jobs"]):
            self._write()
            self._finish()
            return
        self._plan["index"] += 1
        self._curve, paused = [], self._asked == "pause"
        self._plan["paused"] = paused
        self._write()
        if paused:
            self._asked = ""
            self._tell()
        else:
            self._order(resume=False)

    def _finish(self) -> None:
        """The plan is over: hand its results on, then forget it."""
        plan = self._plan
        if plan is None:
            return
        if partial := plan.pop("partial", None):
            plan["results"].append(partial)
            with contextlib.suppress(OSError):  # what a film of it is made from
                film = Path(keeping.FILMS) / f"{Path(partial['picture']).stem}.npz"
                (self.folder / KEEP).replace(self.folder / film)
        try:
            if plan["results"]:
                self.done(plan)
        except EvoartError as error:
            self.publish("failure", {"error": error.message, "hint": error.hint})
        self._plan, self._asked = None, ""
        self._thin_films()
        for name in (PLAN, KEEP):
            with contextlib.suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)
        self._tell()

    def _thin_films(self) -> None:
        """Films are kept of the latest pictures only, for each is as large as a checkpoint."""
        for path in sorted((self.folder / keeping.FILMS).glob("*.npz"))[:-FILMED]:
            with contextlib.suppress(OSError):
                path.unlink()

    def _write(self) -> None:
        write(self.folder / PLAN, json.dumps(self._plan).encode(), overwrite=True)

    def _tell(self) -> None:
        self.publish("run", self.status())
