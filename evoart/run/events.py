"""What a run reports. A terminal, ``--json``, a notebook and the tests all read this one stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoart.run.stop import Reason

if TYPE_CHECKING:
    from evoart.run.job import Job
    from evoart.run.result import Result
    from evoart.types import Drawing


@dataclass(frozen=True)
class Event:
    """Something that happened in a run."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: ``event`` is the name in lower case; drawings and results are left out."""
        plain: dict[str, Any] = {"event": type(self).__name__.lower()}
        for entry in fields(self):
            if entry.metadata.get("plain", True):
                value = getattr(self, entry.name)
                plain[entry.name] = str(value) if isinstance(value, Path) else value
        return plain


@dataclass(frozen=True)
class Started(Event):
    """The search is set up; its first step, which may have to compile, comes next.

    Attributes:
        job: the job with its seed and every other choice made.
        engine, device, why: what draws and judges, on what it runs, and why it was chosen.
        label: what the picture will consist of, ``100 triangles``.
        resolution: of the pictures that the search judges, ``(w, h)`` in pixels.
        seed: the job's.
        resumed: generations already behind (0 for a new run).
    """

    job: Job = field(repr=False, metadata={"plain": False})
    engine: str
    device: str
    why: str
    label: str
    resolution: tuple[int, int]
    seed: int
    resumed: int


@dataclass(frozen=True)
class Progress(Event):
    """Where the run stands, about four times a second.

    Attributes:
        stage: a word or two.
        loss: of the best so far.
        figures: what else is known of it, by name: ``psnr`` in dB, ``similarity``.
        label: what it consists of so far, ``57 triangles``.
        rate: evaluations per second, lately.
        seconds: wall time spent, earlier sessions included.
        fraction: of the budget that is spent, in [0, 1], or None where there is none to tell.
        left: estimated seconds to go, or None.
    """

    stage: str
    generation: int
    evaluations: int
    loss: float
    figures: dict[str, float]
    label: str
    rate: float
    seconds: float
    fraction: float | None
    left: float | None


@dataclass(frozen=True)
class Improved(Event):
    """The best so far is better than at the last report.

    Attributes:
        generation, loss, figures: as in ``Progress``.
        draw: makes the drawing of the best so far; ask for ``drawing``.
    """

    generation: int
    loss: float
    figures: dict[str, float]
    draw: Callable[[], Drawing] = field(repr=False, metadata={"plain": False})

    @cached_property
    def drawing(self) -> Drawing:
        """The best so far, drawn when this is asked for the first time."""
        return self.draw()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_improved, (self.generation, self.loss, self.figures, self.drawing)


def _rebuild_improved(generation: int, loss: float, figures: dict[str, float], drawing: Drawing) -> Improved:
    return Improved(generation, loss, figures, partial(_return_drawing, drawing))


def _return_drawing(drawing: Drawing) -> Drawing:
    return drawing


@dataclass(frozen=True)
class Saved(Event):
    """The checkpoint at ``path`` now holds the run."""

    path: Path
    generation: int


@dataclass(frozen=True)
class Unsaved(Event):
    """A checkpoint could not be written (``error``); the run continues."""

    path: Path
    error: str


@dataclass(frozen=True)
class Noted(Event):
    """Something that a user should know, in one line; the run continues."""

    text: str


@dataclass(frozen=True)
class Finished(Event):
    """The run came to its end by itself: ``reason`` says why."""

    reason: Reason
    result: Result = field(repr=False, metadata={"plain": False})
    figures: dict[str, float]
    generation: int
    evaluations: int
    seconds: float


@dataclass(frozen=True)
class Interrupted(Finished):
    """The run was asked to stop (``interrupted`` or ``terminated``); ``checkpoint`` continues from here."""

    checkpoint: Path | None = None
