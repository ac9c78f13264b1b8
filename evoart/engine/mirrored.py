"""A picture that is its own mirror image, being built: every shape is drawn twice, the second time mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.draw.shapes import shape
from evoart.engine.placement import PlacementCanvas
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target

Kinds = tuple[str, ...]


class MirroredCanvas:
    """A ``PlacementCanvas`` whose shapes come in pairs about the picture's upright middle line.

    Kinds and rows are those of one half; ``both`` gives the whole. ``target`` should be its own mirror image.
    """

    def __init__(self, form: ShapesForm, target: Target) -> None:
        self.form, self._whole = form, PlacementCanvas(form, target)

    @property
    def area(self) -> tuple[float, float, float, float] | None:
        """See ``PlacementCanvas.area``."""
        return self._whole.area

    @area.setter
    def area(self, area: tuple[float, float, float, float] | None) -> None:
        self._whole.area = area

    def both(self, kinds: Kinds, rows: np.ndarray) -> tuple[Kinds, np.ndarray]:
        """Kinds ``(2 k,)`` and rows ``(2 k, dim_per_group)`` of all shapes, each followed by its mirror image."""
        return tuple(kind for kind in kinds for _ in range(2)), both(self.form, kinds, rows)

    def evaluate(self, kinds: Kinds, rows: np.ndarray) -> tuple[float, float]:
        """See ``PlacementCanvas.evaluate``."""
        return self._whole.evaluate(*self.both(kinds, rows))

    def gradient(self, kinds: Kinds, rows: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """See ``PlacementCanvas.gradient``; by the numbers of one half, removal costs of pairs."""
        loss, slope, removal = self._whole.gradient(*self.both(kinds, rows))
        signs, _ = _mirror(kinds, rows.shape[1], self.form.width)
        return loss, slope[::2] + signs * slope[1::2], removal[::2] + removal[1::2]

    def removal(self, kinds: Kinds, rows: np.ndarray) -> np.ndarray:
        """By how much the loss would rise without each pair ``(k,)``, about."""
        return self.gradient(kinds, rows)[2]

    def open(self, kinds: Kinds, rows: np.ndarray) -> None:
        """See ``PlacementCanvas.open``."""
        self._whole.open(*self.both(kinds, rows))

    def paint(self, kind: str, row: np.ndarray) -> None:
        """Draw one more pair on top."""
        for each in self.both((kind,), row[None])[1]:
            self._whole.paint(kind, each)

    def sample(self, rng: np.random.Generator, kind: str, n: int) -> np.ndarray:
        """See ``PlacementCanvas.sample``."""
        return self._whole.sample(rng, kind, n)

    def gains(self, kind: str, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See ``PlacementCanvas.gains``: what one of the pair gains; its mirror image gains as much."""
        return self._whole.gains(kind, geometry)

    def evolve(self, kind: str, *evolution: Any) -> tuple[np.ndarray, np.ndarray, float, int] | None:
        """See ``PlacementCanvas.evolve``."""
        return self._whole.evolve(kind, *evolution)


def both(form: ShapesForm, kinds: Kinds, rows: np.ndarray) -> np.ndarray:
    """Rows ``(2 k, dim_per_group)`` of shapes ``(k, dim_per_group)``, each followed by its mirror image."""
    signs, shift = _mirror(kinds, rows.shape[1], form.width)
    return np.stack([rows, signs * rows + shift], 1).reshape(-1, rows.shape[1]).astype(np.float32)


def _mirror(kinds: Kinds, columns: int, width: float) -> tuple[np.ndarray, np.ndarray]:
    """What numbers ``(k, columns)`` are multiplied by, and what is added, to mirror shapes in a picture so wide."""
    signs, shift = np.ones((len(kinds), columns), np.float32), np.zeros((len(kinds), columns), np.float32)
    for i, kind in enumerate(kinds):
        for j, parameter in enumerate(shape(kind).parameters):
            if parameter.role == "x":
                signs[i, j], shift[i, j] = -1, width
            elif parameter.role == "angle":
                signs[i, j] = -1
    return signs, shift
