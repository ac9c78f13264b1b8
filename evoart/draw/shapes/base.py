"""What a shape is: parameters with a role, an outline, an SVG element.

A shape is either *filled* (its outline is a closed polygon, nonzero rule) or a *stroke* (its outline is a polyline
drawn with round caps and joins and a width). Both rasterisers (``draw/scanline.py`` on a CPU, ``draw/dense.py`` on
any device) know these two primitives only, so a shape's file holds its geometry once, in array code that runs on
NumPy and JAX alike; coverage on either engine, spans and gradients all follow from the outline. Curved outlines are
polygons with ``detail`` points of the same *area* as the true curve, so a coarse one does not bias the loss.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from evoart.types import Array

Role = Literal["x", "y", "length", "angle", "colour", "opacity"]
SMALLEST = 0.002  # smallest half-extent, radius or stroke width, in units (half a pixel at 256 px)


@dataclass(frozen=True)
class Parameter:
    """One number of a shape: its name and what it means.

    ``x`` and ``y`` are positions in units and may lie outside the picture; ``length`` is a positive size in units
    (half-extent, radius or stroke width), read as ``max(|value|, SMALLEST)``; ``angle`` is in radians, any value.
    ``colour`` and ``opacity`` are numbers in [0, 1] of a second colour (see ``ramp``).
    """

    name: str
    role: Role


@dataclass(frozen=True)
class Parametric:
    """An outline in closed form, for kernels that move shapes many times without returning to Python.

    ``table`` is ``(v, c)`` float32. A *frame* has rows ``(a, b)``: vertices are
    ``centre + turn((width * a, height * b), angle)``, with the columns of ``p`` that hold width, height and angle in
    ``columns`` (-1: there is no angle). A *basis* has one weight per control point: vertices are ``table @ controls``;
    its ``columns`` are ``()``.
    """

    table: np.ndarray
    columns: tuple[int, int, int] | tuple[()] = ()


class Shape(Protocol):
    """One shape kind. ``p`` is ``(..., dim)`` with one number per entry of ``parameters``, in units and radians."""

    name: str
    parameters: tuple[Parameter, ...]
    filled: bool  # True: closed polygon; False: stroke whose width is the last parameter

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """Vertices ``(..., points(detail), 2)`` in units; ``xp`` is ``numpy`` or ``jax.numpy``. Differentiable."""
        ...

    def points(self, detail: int) -> int:
        """How many vertices ``outline`` gives at this detail (polygons ignore it, curves use about ``detail``)."""
        ...

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """``(n, dim)`` float32 random shapes around ``centre`` ``(n, 2)``, about ``size`` ``(n,)`` units large."""
        ...

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """Element name and geometry attributes of one shape ``p`` ``(dim,)``, without paint; strokes give
        ``stroke-width`` here too."""
        ...

    # Where more than one are not called by the name and an s, such as leaves:
    # plural: str
    # Where the outline has a closed form, so that compiled kernels can move the shape without returning to Python:
    # parametric(detail) -> Parametric


class Number(Protocol):
    """How a shape writes its numbers: compact, exact enough, in the SVG's own user units."""

    def length(self, value: float) -> str:
        """A position or length in units."""
        ...

    def degrees(self, value: float) -> str:
        """An angle in radians, written in degrees."""
        ...


def at_least(xp: Any, value: Array) -> Array:
    """A ``length`` parameter as it is drawn: positive and never too thin to see."""
    return xp.maximum(xp.abs(value), SMALLEST)


@functools.cache
def circle_points(detail: int) -> np.ndarray:
    """``(detail, 2)`` vertices of a regular polygon with the *area* of the unit circle."""
    angle = np.arange(detail) * (2 * np.pi / detail)
    radius = np.sqrt(2 * np.pi / (detail * np.sin(2 * np.pi / detail)))
    return (radius * np.stack([np.cos(angle), np.sin(angle)], -1)).astype(np.float32)


def turn(xp: Any, points: Array, angle: Array) -> Array:
    """Points ``(..., v, 2)`` turned about the origin by ``angle`` ``(...,)`` radians, clockwise on screen (y down)."""
    c, s = xp.cos(angle)[..., None], xp.sin(angle)[..., None]
    return xp.stack([points[..., 0] * c - points[..., 1] * s, points[..., 0] * s + points[..., 1] * c], -1)
