"""Landscapes of two numbers that strategies are compared on, as in D. Ha, "A visual guide to evolution strategies"
(2017): many local optima, and the best place off the centre, where all searches start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evoart.types import Array


def _rastrigin(xp: Any, x: Array, y: Array) -> Array:
    """L. A. Rastrigin (1974); least at (0, 0), where it is 0."""
    return 20 + x**2 + y**2 - 10 * (xp.cos(2 * xp.pi * x) + xp.cos(2 * xp.pi * y))


def _schaffer(xp: Any, x: Array, y: Array) -> Array:
    """J. D. Schaffer et al. (1989), function F6; least at (0, 0), where it is 0."""
    square = x**2 + y**2
    return 0.5 + (xp.sin(xp.sqrt(square + 1e-12)) ** 2 - 0.5) / (1 + 0.001 * square) ** 2


@dataclass(frozen=True)
class Landscape:
    """A function of two numbers, to be made small.

    Attributes:
        title: for people.
        formula: values of places ``x``, ``y`` around the best one; 0 is the least.
        best: where the least value is.
        reach: what is shown is the square from ``-reach`` to ``reach``.
        step: standard deviation of the first samples, around (0, 0).
        goal: a value as low as this has found the right valley.
        floor: values below it are shown as 0.
    """

    title: str
    formula: Callable[[Any, Array, Array], Array]
    best: tuple[float, float]
    reach: float
    step: float
    goal: float
    floor: float = 1e-4

    def values(self, xp: Any, places: Array) -> Array:
        """Values ``(...,)`` of places ``(..., 2)``; ``xp`` is ``numpy`` or ``jax.numpy``."""
        return self.formula(xp, places[..., 0] - self.best[0], places[..., 1] - self.best[1])


LANDSCAPES = {
    "rastrigin": Landscape("the Rastrigin function", _rastrigin, (2.1, 1.4), 4.5, 0.9, 0.5),
    "schaffer": Landscape("the Schaffer function F6", _schaffer, (6.0, 4.2), 11.0, 2.2, 0.005),
}
