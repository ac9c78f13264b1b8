"""Activation functions, each written twice: in JAX to draw and in GLSL to export.

Every sum is clipped to +-``LIMIT`` first, in both: no weights, however wild, then lead to an infinity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evoart.errors import unknown
from evoart.types import Array

LIMIT = 100.0


def _jax() -> Any:
    """JAX, which takes longer to import than a small picture to draw without it."""
    import jax

    return jax


def _jnp() -> Any:
    return _jax().numpy


@dataclass(frozen=True)
class Activation:
    """One activation.

    Attributes:
        name: as on the command line.
        jax: array to array; its range is within +-``LIMIT`` for arguments within it.
        glsl: an expression in the float ``v``, GLSL ES 3.00.
        gain: how strong its sums should be, about, for random networks of many layers to be neither flat nor noise;
            chosen by eye.
    """

    name: str
    jax: Callable[[Array], Array]
    glsl: str
    gain: float


def sine(x: Array) -> Array:
    """sin(x) by a polynomial: ten times as fast as XLA's on a CPU, error below 4e-6 for |x| <= ``LIMIT``.

    The argument is brought to +-pi/2 with pi in two parts (Cody and Waite, 1980), where the Taylor-like minimax
    polynomial of degree 9 is exact to single precision.
    """
    turns = _jnp().floor(x * np.float32(1 / np.pi) + np.float32(0.5))
    rest = (x - turns * np.float32(3.140625)) - turns * np.float32(np.pi - 3.140625)
    square = rest * rest
    series = np.float32(2.60831598e-6)
    for coefficient in (-1.98106907e-4, 8.33307858e-3, -1.66666597e-1):
        series = series * square + np.float32(coefficient)
    value = rest + rest * square * series
    half = turns * np.float32(0.5)
    return _jnp().where(half == _jnp().floor(half), value, -value)


def cosine(x: Array) -> Array:
    """cos(x), as ``sine``."""
    return sine(x + np.float32(np.pi / 2))


def _square(x: Array) -> Array:
    return _jnp().minimum(x * x, np.float32(LIMIT))


TABLE = (
    Activation("identity", lambda x: x, "v", 1.0),
    Activation("tanh", lambda x: _jnp().tanh(x), "1.0 - 2.0 / (1.0 + exp(2.0 * clamp(v, -10.0, 10.0)))", 2.6),
    Activation("sine", sine, "sine_(v)", 1.5),
    Activation("cosine", cosine, "sine_(v + 1.5707964)", 1.5),
    Activation("gaussian", lambda x: _jnp().exp(-x * x), "exp(-min(v * v, 80.0))", 1.5),
    Activation("sigmoid", lambda x: _jax().nn.sigmoid(x), "1.0 / (1.0 + exp(-clamp(v, -80.0, 80.0)))", 5.0),
    Activation("absolute", abs, "abs(v)", 1.2),
    Activation("square", _square, f"min(v * v, {LIMIT:.1f})", 0.8),
    Activation("relu", lambda x: _jnp().maximum(x, 0), "max(v, 0.0)", 1.4),
    Activation(
        "sinc",
        lambda x: _jnp().where(abs(x) < 1e-3, 1.0, sine(x) / _jnp().where(x == 0, 1.0, x)),
        "abs(v) < 1e-3 ? 1.0 : sine_(v) / v",
        2.0,
    ),
)
NAMES = tuple(activation.name for activation in TABLE)
INDEX = {name: i for i, name in enumerate(NAMES)}


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """``names`` as they are written, each a known activation.

    Raises:
        UsageError: an unknown one, with the nearest known.
    """
    for name in names:
        if name not in INDEX:
            raise unknown("activation", name, NAMES)
    return tuple(names)


def clip(x: Array) -> Array:
    """A unit's sum brought to +-``LIMIT``."""
    return _jnp().clip(x, -np.float32(LIMIT), np.float32(LIMIT))


def apply(name: str, x: Array) -> Array:
    """The activation called ``name`` of the clipped sums ``x``."""
    return TABLE[INDEX[name]].jax(clip(x))


def switch(index: Array, x: Array) -> Array:
    """The activation numbered ``index`` (a traced number) of the clipped sums ``x``; only that one is computed."""
    return _jax().lax.switch(index, [activation.jax for activation in TABLE], clip(x))


def pull(index: Array, x: Array, gradient: Array) -> Array:
    """Derivative by the sums ``x`` of something whose derivative by ``switch(index, x)`` is ``gradient``."""

    def back(function: Callable[[Array], Array]) -> Callable[[Array, Array], Any]:
        return lambda x, g: _jax().vjp(lambda x: function(clip(x)), x)[1](g)[0]

    return _jax().lax.switch(index, [back(activation.jax) for activation in TABLE], x, gradient)
