"""A kite: the shape that children fly. From its outline evoart derives coverage, gradients, films and both engines."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.draw.shapes.base import Number, Parameter, at_least, turn

CORNERS = np.array([[0, -1], [0.6, -0.3], [0, 1], [-0.6, -0.3]], np.float32)  # for a size of 1, y down


class Kite:
    """A kite: ``x y size angle``, in units and radians."""

    name = "kite"
    filled = True
    parameters = (Parameter("x", "x"), Parameter("y", "y"), Parameter("size", "length"), Parameter("angle", "angle"))

    def outline(self, xp: Any, p: Any, detail: int) -> Any:
        """Its four corners, ``(..., 4, 2)``; ``xp`` is NumPy or JAX's NumPy."""
        return p[..., None, :2] + turn(xp, at_least(xp, p[..., 2])[..., None, None] * CORNERS, p[..., 3])

    def points(self, detail: int) -> int:
        """Four, whatever the detail."""
        return len(CORNERS)

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Kites of about ``size`` around ``centre``, turned at random."""
        angle = rng.uniform(0, 2 * np.pi, len(centre))
        return np.column_stack([centre, size * rng.uniform(0.5, 1, len(centre)), angle]).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """A polygon."""
        corners = self.outline(np, p, 0)
        return "polygon", {"points": " ".join(f"{number.length(x)},{number.length(y)}" for x, y in corners)}


KITE = Kite()
