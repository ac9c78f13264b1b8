"""Shapes in pairs about a picture's middle: the picture is its own mirror image, gradients are those of differences."""

from __future__ import annotations

import numpy as np
import pytest

from evoart.draw.shapes import SHAPES
from evoart.engine.mirrored import MirroredCanvas
from evoart.engine.placement import PlacementCanvas
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target

SIDE = 24


def target() -> Target:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    image = np.stack([np.abs(x - 0.5 + 0.5 / SIDE) * 2, y, 1 - y], -1)
    return Target(image.astype(np.float32), np.ones((SIDE, SIDE), np.float32))


def form(kind: str, count: int = 3) -> ShapesForm:
    return ShapesForm((kind,) * count, 1.0, 1.0, (1.0, 1.0, 1.0), (1.0, 1.0))


def rows_of(shapes: ShapesForm) -> np.ndarray:
    return shapes.random(np.random.default_rng(3)).reshape(shapes.groups, -1).astype(np.float32)


@pytest.mark.parametrize("kind", [*SHAPES, "blob:8"])
def test_pictures_are_their_own_mirror_image(kind):
    shapes = form(kind, 1)
    canvas = MirroredCanvas(shapes, target())
    kinds, rows = canvas.both(shapes.kinds, rows_of(shapes))
    assert len(kinds) == len(rows) == 2
    image = PlacementCanvas(shapes, target()).engine(kinds).canvas(rows.ravel())
    np.testing.assert_allclose(image, image[..., ::-1], atol=2e-3)


@pytest.mark.parametrize("kind", ["triangle", "rotated-ellipse", "blob:5"])
def test_gradients_are_those_of_differences(kind):
    shapes, step = form(kind), 2e-3
    canvas, rows = MirroredCanvas(shapes, target()), rows_of(shapes)
    _, slope, _ = canvas.gradient(shapes.kinds, rows)
    expected = np.zeros_like(slope)
    for i in np.ndindex(*slope.shape):
        ends = []
        for sign in (1, -1):
            moved = rows.copy()
            moved[i] += sign * step
            ends.append(canvas.evaluate(shapes.kinds, moved)[0])
        expected[i] = (ends[0] - ends[1]) / (2 * step)
    geometry = slope[:, : shapes.geometry], expected[:, : shapes.geometry]
    assert np.linalg.norm(geometry[0] - geometry[1]) < 0.1 * np.linalg.norm(geometry[1])
