"""Sketches on a sheet: which cell, how large, which pen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evoart.draw.pen import PenDrawing
from evoart.forms.strokes import StrokesForm, strokes_form
from evoart.run import fields
from evoart.run.sketch.job import SketchJob
from evoart.sketch.simplify import simplify
from evoart.sketch.strokes import Polylines, bounds, fitted
from evoart.types import Genome

_ENLARGED = 1.6  # a sketch of a stroke or two is not blown up beyond so much of what is usual on its sheet
_FINE = 0.0005  # of a cell: points nearer to the line than this are left out


def extent(job: SketchJob) -> tuple[float, float]:
    """Width and height of the sheet in units; the longer one is 1."""
    rows, columns = job.grid
    wide = columns * (job.aspect or 1)
    return wide / max(rows, wide), rows / max(rows, wide)


def sheet(job: SketchJob, sketches: Sequence[Polylines], given: Sequence[int] = ()) -> tuple[StrokesForm, Genome]:
    """Form and genome of sketches in their own units, row by row.

    Args:
        given: strokes of each sketch that the model did not draw; they have the first ink, and the model's the second.
            Where there are none, sketches take the inks in turn. Those of a drawing that is completed keep every point.
    """
    (width, height), (rows, columns) = extent(job), job.grid
    cell = np.array([width / columns, height / rows])
    inner = cell - 2 * job.margin / 100 * cell.min()
    most = _ENLARGED * float(inner.max()) / max(_usual_side(sketches), 1e-9)
    strokes, inks, groups = [], [], []
    for k, sketch in enumerate(sketches):
        row, column = divmod(k, columns)
        middle = (np.array([column, row]) + 0.5) * cell
        placed = _placed(sketch, middle, inner, most)
        own = given[k] if given else 0
        exact = own if job.task == "complete" else 0
        strokes += placed[:exact] + simplify(placed[exact:], _FINE * cell.min())
        inks += _inks(job, k, len(sketch), own)
        groups.append(len(sketch))
    return strokes_form(strokes, **_settings(job, inks, groups))


def single_sketches(job: SketchJob, drawing: PenDrawing) -> list[PenDrawing]:
    """The sketches of a sheet, each on a page of its own as large as its cell."""
    (width, height), (rows, columns) = extent(job), job.grid
    cell = np.array([width / columns, height / rows])
    side = float(cell.max())
    page = {"line": drawing.line / side, "width": float(cell[0]) / side, "height": float(cell[1]) / side}
    found = []
    for k, members in enumerate(drawing.sketches()):
        corner = np.array(divmod(k, columns)[::-1]) * cell
        strokes = tuple((drawing.strokes[i] - corner) / side for i in members)
        found.append(replace(drawing, strokes=strokes, colours=drawing.colours[list(members)], groups=(), **page))
    return found


def blank_form(job: SketchJob) -> StrokesForm:
    """The form of a sheet on which nothing is drawn yet: it says how many sketches there will be."""
    inks = [ink for k in range(job.count) for ink in _inks(job, k, 1, 0)]
    return StrokesForm((1,) * job.count, **_settings(job, inks, [1] * job.count))


def _settings(job: SketchJob, inks: Sequence[int], groups: Sequence[int]) -> dict[str, Any]:
    """Fields of the form: ``inks`` of every stroke, and ``groups``, strokes of every sketch."""
    (width, height), (rows, columns) = extent(job), job.grid
    return {
        "width": width,
        "height": height,
        "line": job.line / 100 * min(width / columns, height / rows),
        "palette": tuple(fields.rgb(ink) for ink in job.ink),
        "inks": tuple(inks) if any(inks) else (),
        "sketches": tuple(groups),
        "background": None if job.paper == "transparent" else fields.rgb(job.paper),
    }


def _usual_side(sketches: Sequence[Polylines]) -> float:
    sides = [float(np.max(np.subtract(*bounds(sketch)[::-1]))) for sketch in sketches if sketch]
    return float(np.median(sides)) if sides else 0.0


def _placed(sketch: Polylines, middle: np.ndarray, inner: np.ndarray, most: float) -> Polylines:
    """A sketch of any units in the middle of its cell, as large as ``inner`` up to a scale of ``most``."""
    low, high = bounds(sketch)
    own = np.maximum(high - low, 1e-9)
    box = np.minimum(inner, own * min(most, float(np.min(inner / own))))
    return fitted(sketch, (*(middle - box / 2), *box))


def _inks(job: SketchJob, index: int, strokes: int, given: int) -> list[int]:
    if job.drawing and job.task == "complete" or job.then:
        return [0 if k < given else min(1, len(job.ink) - 1) for k in range(strokes)]
    return [index % len(job.ink)] * strokes
