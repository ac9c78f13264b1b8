"""Drawing a sheet as a search that the run loop can drive: some sketches a step, until all are there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from evoart.forms.strokes import StrokesForm
from evoart.run.sketch import layout
from evoart.run.sketch.job import SketchJob
from evoart.sketch.model import Model
from evoart.sketch.sampling import Drawn, draw, tapes
from evoart.sketch.strokes import Polylines, to_polylines
from evoart.types import Genome, Search

TOGETHER = 64  # sketches of one step


class Sampling(Search):
    """See ``types.Search``; the loss is the share of sketches that are still to be drawn."""

    def __init__(
        self, job: SketchJob, model: Model, second: tuple[Model, int] | None, starts: tuple[Start, ...]
    ) -> None:
        """Arguments as the fields of ``SketchProblem``."""
        self.job, self.model, self.second, self.starts = job, model, second, starts
        self.sketches: list[Polylines] = []
        self.given: list[int] = []
        self.finished: list[bool] = []  # whether each sketch ended by itself
        self.generation, self.stage = 0, "drawing"
        self._sheet: tuple[StrokesForm, Genome] | None = None
        self._settle()

    def step(self) -> None:
        starts = self.starts[len(self.sketches) : len(self.sketches) + TOGETHER]
        for sketch, given, finished in self._drawn(starts):
            self.sketches.append(sketch)
            self.given.append(given)
            self.finished.append(finished)
        self.generation += 1
        self._settle()

    def _settle(self) -> None:
        count = len(self.starts)
        self.figures = {"finished": float(np.mean(self.finished)) if self.finished else 0.0}
        self._sheet = None
        self.label = f"{len(self.sketches):,} sketch{'es' if len(self.sketches) != 1 else ''}"
        self.evaluations = len(self.sketches)
        self.progress = self.evaluations / count
        self.loss, self.planned = 1 - self.progress, count
        self.done = self.evaluations >= count

    def sheet(self) -> tuple[StrokesForm, Genome]:
        """Form and genome of what is drawn so far, laid out when it is asked for."""
        if self._sheet is None:
            self._sheet = layout.sheet(self.job, self.sketches, self.given)
        return self._sheet

    @property
    def structure(self) -> StrokesForm:
        return self.sheet()[0]

    @property
    def genome(self) -> Genome:
        return self.sheet()[1]

    def _drawn(self, starts: tuple[Start, ...]) -> list[tuple[Polylines, int, bool]]:
        """Strokes, how many of them were there before (or by the first model), and whether the sketch ended itself."""
        job, model = self.job, self.model
        drawn = self._draw(model, starts)
        given = [len(to_polylines(start.begun)) if len(start.begun) else 0 for start in starts]
        if self.second is not None:
            second, class_index = self.second
            cut = [_first_strokes(each.strokes, count + job.after) for each, count in zip(drawn, given, strict=True)]
            given = [len(to_polylines(strokes)) for strokes in cut]
            factor = (second.config.extent or 12 * second.config.scale) / (
                model.config.extent or 12 * model.config.scale
            )
            begun = [strokes * (factor, factor, 1) for strokes in cut]
            drawn = self._draw(
                second, tuple(replace(s, begun=b, class_index=class_index) for s, b in zip(starts, begun, strict=True))
            )
        sketches = [finished_strokes(each.strokes) for each in drawn]
        return [(sketch, count, each.finished) for sketch, count, each in zip(sketches, given, drawn, strict=True)]

    def _draw(self, model: Model, starts: tuple[Start, ...]) -> list[Drawn]:
        job = self.job
        tape = np.concatenate([tapes(1, model.config.longest, job.seed or 0, start.tape) for start in starts])
        z = None if starts[0].z is None else np.stack([start.z for start in starts]).astype(np.float32)
        return draw(
            model,
            tape,
            temperature=job.temperature,
            rule=job.rule or "js",
            z=z if model.config.latent else None,
            classes=np.array([start.class_index for start in starts]),
            begun=[start.begun for start in starts],
        )

    def arrays(self) -> dict[str, np.ndarray]:
        lines = [line for sketch in self.sketches for line in sketch]
        return {
            "points": np.concatenate([np.zeros((0, 2)), *lines]),
            "lines": np.array([len(line) for line in lines], np.int64),
            "strokes": np.array([len(sketch) for sketch in self.sketches], np.int64),
            "given": np.array(self.given, np.int64),
            "finished": np.array(self.finished, bool),
            "generation": np.array(self.generation),
        }

    def load(self, arrays: dict[str, Any]) -> None:
        ends = np.cumsum(np.asarray(arrays["lines"], int))
        lines = np.split(np.asarray(arrays["points"], np.float64), ends)[:-1]
        strokes = [int(n) for n in arrays["strokes"]]
        if sum(strokes) != len(lines):
            raise ValueError("strokes")
        left = iter(lines)
        self.sketches = [[next(left) for _ in range(count)] for count in strokes]
        self.given = [int(n) for n in arrays["given"]]
        self.finished[:] = [bool(f) for f in arrays["finished"]]
        self.generation = int(arrays["generation"])
        self._settle()


def _first_strokes(strokes: np.ndarray, count: int) -> np.ndarray:
    """The first ``count`` strokes of stroke-3, the pen lifted at their end."""
    ends = np.flatnonzero(strokes[:, 2] > 0.5)
    cut = strokes[: ends[count - 1] + 1].copy() if len(ends) >= count else strokes.copy()
    if len(cut):
        cut[-1, 2] = 1
    return cut


@dataclass(frozen=True)
class Start:
    """What a sketch begins with.

    Attributes:
        tape: number of its noise tape.
        z: latent vector ``(latent,)``, or None.
        begun: stroke-3 in the model's training units that are there already; may be empty.
        class_index: what the model is told to draw.
    """

    tape: int
    z: np.ndarray | None = None
    begun: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    class_index: int = 0


def finished_strokes(drawn: np.ndarray) -> Polylines:
    """Strokes of what was drawn; a drawing that ended at once is a dot, so that its cell is not forgotten."""
    return to_polylines(drawn) or [np.zeros((1, 2))]
