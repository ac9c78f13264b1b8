"""Compile what the growing search runs, before a clock counts it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evoart.compiled import compiling_elsewhere
from evoart.draw.shapes import shape
from evoart.draw.shapes.ramp import MARK
from evoart.engine.placement import PlacementCanvas
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target
from evoart.search.place import Effort, place


def precompile(kinds: tuple[str, ...] = ("triangle",), single: bool = False) -> None:
    """Compile the kernels by which the growing search uses shapes of ``kinds``, or fetch them from the cache, so that
    no clock counts it.

    Args:
        single: also those for one gradient at a time, and for outlines that have no closed form.
    """
    strokes = sorted({not shape(kind).filled for kind in kinds})
    work = [(_polish_one, any(strokes))] + [(_place_one, stroke) for stroke in strokes]
    if single or any(not hasattr(shape(kind), "parametric") for kind in kinds):
        work += [(_differentiate_one, any(strokes))]
    if any(MARK in kind for kind in kinds):
        work += [(_ramp_one, any(strokes))]
    elsewhere = [f"from {__name__} import {each.__name__}; {each.__name__}({stroke})" for each, stroke in work[1:]]
    with compiling_elsewhere(elsewhere):
        work[0][0](work[0][1])
    for each, stroke in work[1:]:
        each(stroke)


def _blank(kind: str) -> tuple[PlacementCanvas, np.ndarray]:
    """A small black canvas, and the row ``(1, d)`` of a shape on it."""
    form = ShapesForm((kind,), 1.0, 1.0, (0.0, 0.0, 0.0))
    canvas = PlacementCanvas(form, Target(np.zeros((8, 8, 3), np.float32), np.ones((8, 8), np.float32)))
    return canvas, form.random(np.random.default_rng(0), canvas.target.image).reshape(1, -1)


def _place_one(stroke: bool) -> None:
    kind = "line" if stroke else "triangle"
    canvas, rows = _blank(kind)
    canvas.open((kind,), rows)
    place(np.random.default_rng(0), canvas, (kind,), {kind: np.ones(canvas.form.geometry)}, Effort(8, 2, 1, 1))


def _differentiate_one(stroke: bool) -> None:
    canvas, rows = _blank("line" if stroke else "triangle")
    canvas.form = replace(canvas.form, min_width=0.01)  # whose outlines have no closed form
    canvas.gradient(canvas.form.kinds, rows)
    canvas.gains(canvas.form.kinds[0], rows[:, :-4])


def _ramp_one(stroke: bool) -> None:
    form = ShapesForm(("triangle~linear", "line")[: 1 + stroke], 1.0, 1.0, (0.0, 0.0, 0.0))
    canvas = PlacementCanvas(form, Target(np.zeros((8, 8, 3), np.float32), np.ones((8, 8), np.float32)))
    rows = form.random(np.random.default_rng(0), canvas.target.image).reshape(form.groups, -1)
    canvas.open(form.kinds, rows)
    canvas.removal(form.kinds, rows)
    canvas.gradient(form.kinds, rows)


def _polish_one(stroke: bool) -> None:
    kinds = ("line" if stroke else "triangle",)
    canvas, rows = _blank(kinds[0])
    canvas.removal(kinds, rows)
