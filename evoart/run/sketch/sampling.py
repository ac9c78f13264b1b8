"""Drawing a sheet as a search that the run loop can drive: some sketches a step, until all are there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from evoart.forms.strokes import StrokesForm
from evoart.run.sketch import layout
from evoart.run.sketch.job import SketchJob
from evoart.sketch.model import Model
from evoart.sketch.sampling import Sample, draw, draw_noise
from evoart.sketch.strokes import Polylines, to_polylines
from evoart.types import Genome, Search

BATCH = 256  # sketches of one step: some tenths of a second


@dataclass(frozen=True)
class Start:
    """What a sketch begins with.

    Attributes:
        number: of the sketch among those of its seed: it decides the noise.
        z: latent vector ``(latent,)``, or None.
        prefix: stroke-3 ``(n, 3)`` in the model's training units that is there already; may be empty.
        strokes: the same as it was given, ``(k, 2)`` each, the first one beginning at the origin: what is shown.
        class_index: what the model is told to draw.
    """

    number: int
    z: np.ndarray | None = None
    prefix: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    strokes: tuple[np.ndarray, ...] = ()
    class_index: int = 0


class Sampling(Search):
    """See ``types.Search``; the loss is the fraction of sketches that are still to be drawn."""

    def __init__(
        self, job: SketchJob, model: Model, second: tuple[Model, int] | None, starts: tuple[Start, ...]
    ) -> None:
        """Arguments as the fields of ``SketchProblem``."""
        self.job, self.model, self.second, self.starts = job, model, second, starts
        self.sketches: list[Polylines] = []
        self.prefixes: list[int] = []  # strokes of each sketch that were there before, or are the first model's
        self.finished: list[bool] = []  # whether each sketch ended by itself
        self.generation, self.stage, self.notes = 0, "drawing", []
        self._update()

    def step(self) -> None:
        """Draw the next ``BATCH`` sketches."""
        starts = self.starts[len(self.sketches) : len(self.sketches) + BATCH]
        for sketch, prefix, finished in self._sketches(starts):
            self.sketches.append(sketch)
            self.prefixes.append(prefix)
            self.finished.append(finished)
        self.generation += 1
        self._update()

    def _update(self) -> None:
        count = len(self.starts)
        self._sheet: tuple[StrokesForm, Genome] | None = None
        self.figures = {"finished": float(np.mean(self.finished)) if self.finished else 0.0}
        self.evaluations = len(self.sketches)
        self.progress = self.evaluations / count
        self.label = "one sketch" if len(self.sketches) == 1 else f"{len(self.sketches):,} sketches"
        self.loss, self.planned = 1 - self.progress, count
        self.done = self.evaluations >= count
        if self.done and (blank := self._blank()):
            completed = self.second is not None or any(len(start.prefix) for start in self.starts)
            self.notes = [_note(blank, count, completed)]

    def _blank(self) -> list[int]:
        """Numbers, from 1, of the cells to which the model added nothing."""
        counts = zip(self.sketches, self.prefixes, strict=True)
        return [
            k for k, (sketch, prefix) in enumerate(counts, 1) if len(sketch) <= prefix or len(np.vstack(sketch)) == 1
        ]

    @property
    def sheet(self) -> tuple[StrokesForm, Genome]:
        """Form and genome of all sketches so far; a large sheet takes seconds, so it is laid out when it is needed."""
        if self._sheet is None:
            self._sheet = layout.sheet(self.job, self.sketches, self.prefixes)
        return self._sheet

    @property
    def structure(self) -> StrokesForm:
        """See ``types.Search``."""
        return self.sheet[0]

    @property
    def genome(self) -> Genome:
        """See ``types.Search``."""
        return self.sheet[1]

    def _sketches(self, starts: tuple[Start, ...]) -> list[tuple[Polylines, int, bool]]:
        """Strokes, how many of them were there before or are the first model's, and whether the sketch ended itself."""
        drawn = self._draw(self.model, starts)
        prefixes = [len(start.strokes) for start in starts]
        shown = [start.strokes for start in starts]
        if self.second is not None:
            second, class_index = self.second
            cut = [
                _first_strokes(each.strokes, count + self.job.after)
                for each, count in zip(drawn, prefixes, strict=True)
            ]
            prefixes = [len(to_polylines(strokes)) for strokes in cut]
            factor = second.config.usual_extent / self.model.config.usual_extent
            shown = [tuple(stroke * factor for stroke in strokes) for strokes in shown]
            starts = tuple(
                replace(start, prefix=strokes * (factor, factor, 1), class_index=class_index)
                for start, strokes in zip(starts, cut, strict=True)
            )
            drawn = self._draw(second, starts)
        rows = zip(drawn, shown, prefixes, strict=True)
        return [(_strokes(each.strokes, given), prefix, each.finished) for each, given, prefix in rows]

    def _draw(self, model: Model, starts: tuple[Start, ...]) -> list[Sample]:
        job = self.job
        noise = [draw_noise(1, model.config.max_points, job.seed or 0, start.number) for start in starts]
        z = [start.z for start in starts if start.z is not None]
        return draw(
            model,
            np.concatenate(noise),
            temperature=job.temperature,
            rule=job.rule or "js",
            z=np.stack(z).astype(np.float32) if z and model.config.latent else None,
            classes=np.array([start.class_index for start in starts]),
            prefix=[start.prefix for start in starts],
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """See ``types.Search``."""
        lines = [line for sketch in self.sketches for line in sketch]
        return {
            "points": np.concatenate([np.zeros((0, 2)), *lines]),
            "lines": np.array([len(line) for line in lines], np.int64),
            "strokes": np.array([len(sketch) for sketch in self.sketches], np.int64),
            "given": np.array(self.prefixes, np.int64),
            "finished": np.array(self.finished, bool),
            "generation": np.array(self.generation),
        }

    def load(self, arrays: dict[str, Any]) -> None:
        """See ``types.Search``."""
        ends = np.cumsum(np.asarray(arrays["lines"], int))
        lines = np.split(np.asarray(arrays["points"], np.float64), ends)[:-1]
        strokes = [int(n) for n in arrays["strokes"]]
        if sum(strokes) != len(lines):
            raise ValueError("strokes")
        left = iter(lines)
        self.sketches = [[next(left) for _ in range(count)] for count in strokes]
        self.prefixes = [int(n) for n in arrays["given"]]
        self.finished[:] = [bool(f) for f in arrays["finished"]]
        self.generation = int(arrays["generation"])
        self._update()


def _first_strokes(strokes: np.ndarray, count: int) -> np.ndarray:
    """The first ``count`` strokes of stroke-3, the pen lifted at their end."""
    ends = np.flatnonzero(strokes[:, 2] > 0.5)
    cut = strokes[: ends[count - 1] + 1].copy() if len(ends) >= count else strokes.copy()
    if len(cut):
        cut[-1, 2] = 1
    return cut


def _strokes(drawn: np.ndarray, given: tuple[np.ndarray, ...]) -> Polylines:
    """The strokes of what was drawn, the first ones as they were ``given``. A drawing that ended at once is a dot, so
    that its cell stays its own."""
    return [*given, *to_polylines(drawn)[len(given) :]] or [np.zeros((1, 2))]


def _note(blank: list[int], count: int, completed: bool) -> str:
    cells = ", ".join(str(k) for k in blank[:8]) + (" ..." if len(blank) > 8 else "")
    what = "the model added nothing to" if completed else "the model drew nothing in"
    hint = "another --seed or a higher --temperature may help"
    return f"{what} {len(blank):,} of {count:,} cells ({cells}); {hint}"
