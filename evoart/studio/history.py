"""What was done, step by step, in one file that only grows: nothing is lost, whenever the process ends."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evoart.errors import EvoartError

NAME = "history.jsonl"


@dataclass(frozen=True)
class Step:
    """One thing that was done in a room, and what the room shows after it.

    Attributes:
        id: from 1, in order.
        room: where.
        parent: the step that it followed, or None for a first one.
        label: what was done, for people: ``100 triangles``.
        pictures: names of files in the studio's folder of pictures; the first is the one that the wall shows.
        state: plain values of the room's own.
        made: seconds since 1970.
        kept: a favourite: the wall shows it whatever followed.
        hidden: the wall does not show it.
        fresh: it is a beginning of its own: what it followed stays on the wall.
    """

    id: int
    room: str
    parent: int | None
    label: str
    pictures: tuple[str, ...] = ()
    state: dict[str, Any] = field(default_factory=dict)
    made: float = 0.0
    kept: bool = False
    hidden: bool = False
    fresh: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)


class History:
    """The steps of all rooms as a tree, and where each room stands. Undo goes to the parent, redo back again.

    Args:
        path: of the file; what it holds is read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps: dict[int, Step] = {}
        self.at: dict[str, int | None] = {}  # room -> the step it shows
        self._next: dict[tuple[str, int | None], int] = {}  # (room, step) -> the step that redo goes to
        self._lock = threading.RLock()
        self._read()
        self._file = path.open("a", encoding="utf-8")

    def add(
        self, room: str, label: str, pictures: Sequence[str] = (), state: dict[str, Any] | None = None, **more: Any
    ) -> Step:
        """A new step of a room, which then stands there. ``parent=N`` says after which, else it is where it stands;
        ``fresh=True`` that it does not continue that one."""
        with self._lock:
            parent = more.get("parent", self.at.get(room))
            number = max(self.steps, default=0) + 1
            step = Step(
                number, room, parent, label, tuple(pictures), state or {}, round(time.time(), 3),
                fresh=bool(more.get("fresh")),
            )  # fmt: skip
            self._do({"step": step.to_dict()})
            return step

    def go(self, room: str, to: int | None) -> Step | None:
        """Let a room stand at one of its steps (None: before the first).

        Raises:
            EvoartError: no such step.
        """
        with self._lock:
            if to is not None and (to not in self.steps or self.steps[to].room != room):
                raise EvoartError(f"there is no step {to} here", "Choose another")
            self._do({"at": [room, to]})
            return self.current(room)

    def current(self, room: str) -> Step | None:
        """Where a room stands."""
        with self._lock:
            at = self.at.get(room)
            return None if at is None else self.steps[at]

    def undo(self, room: str) -> Step | None:
        """Go one step back.

        Raises:
            EvoartError: there is nothing to undo.
        """
        with self._lock:
            step = self.current(room)
            if step is None:
                raise EvoartError("there is nothing to undo", "")
            return self.go(room, step.parent)

    def redo(self, room: str) -> Step | None:
        """Go forward to the step that was last shown after this one.

        Raises:
            EvoartError: there is nothing to redo.
        """
        with self._lock:
            after = self._next.get((room, self.at.get(room)))
            if after is None:
                raise EvoartError("there is nothing to redo", "")
            return self.go(room, after)

    def mark(self, number: int, **marks: bool) -> Step:
        """Change ``kept`` or ``hidden`` of a step.

        Raises:
            EvoartError: no such step.
        """
        with self._lock:
            if number not in self.steps:
                raise EvoartError(f"there is no step {number}", "Choose another")
            self._do({"mark": [number, marks]})
            return self.steps[number]

    def wall(self) -> list[Step]:
        """Pictures to be shown, newest first: the last of every line of work, and favourites."""
        with self._lock:
            followed = {step.parent for step in self.steps.values() if step.pictures and not step.fresh}
            shown = [s for s in self.steps.values() if s.pictures and not s.hidden and (s.kept or s.id not in followed)]
            return sorted(shown, key=lambda step: -step.id)

    def view(self, room: str) -> dict[str, Any]:
        """Where a room stands, as plain values for its page."""
        with self._lock:
            step = self.current(room)
            return {
                "room": room,
                "step": None if step is None else step.to_dict(),
                "undo": step is not None,
                "redo": (room, self.at.get(room)) in self._next,
            }

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()

    def _do(self, line: dict[str, Any]) -> None:
        """Write a line, then let it count."""
        try:
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except (OSError, ValueError) as error:
            raise EvoartError(f"the history was not written ({error})", "Free some space") from error
        self._apply(line)

    def _apply(self, line: dict[str, Any]) -> None:
        if "step" in line:
            step = Step(**{**line["step"], "pictures": tuple(line["step"]["pictures"])})
            self.steps[step.id] = step
            self._next[step.room, step.parent] = step.id
            self.at[step.room] = step.id
        elif "at" in line:
            room, to = line["at"]
            self.at[room] = to
            while to is not None:  # so that redo leads here again, however it was come to
                parent = self.steps[to].parent
                self._next[room, parent] = to
                to = parent
        elif "mark" in line:
            number, marks = line["mark"]
            self.steps[number] = dataclasses.replace(self.steps[number], **marks)

    def _read(self) -> None:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        whole, _, rest = data.rpartition(b"\n")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                self._apply(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                hint = "Use another --folder, or remove that line"
                raise EvoartError(f"line {number} of '{self.path}' is damaged", hint) from error
        if rest:  # the process ended in the middle of a line
            with self.path.open("r+b") as file:
                file.truncate(len(data) - len(rest))
