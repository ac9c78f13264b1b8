"""Arrays of NumPy or JAX: the same cells draw without JAX, which takes a second to start, and learn within it.

NumPy's sums of products depend on how a BLAS library cuts them, which depends on its threads and on the size of a
batch. ``ExactWeights`` leaves nothing to round, so that a drawing is the same for any number of threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from evoart.types import Array

_BITS = 24  # of the numbers that weights are multiplied by: those of float32


class ExactWeights:
    """Weights ``(..., inputs, outputs)`` for ``x @ weights``, with every sum exact in float64 and thus in any order.

    Both factors are rounded to whole multiples of a power of two: ``x (..., inputs)`` to one of its own in each row,
    as fine as float32 has it for the largest number there, the weights to what is left of 52 bits.
    """

    __array_ufunc__ = None  # so that NumPy leaves the product to this class

    def __init__(self, values: np.ndarray) -> None:
        values = np.asarray(values, np.float64)
        most = np.abs(values).sum(-2).max(initial=1e-30)
        unit = math.ldexp(1.0, math.frexp(most)[1] + _BITS - 52)
        self.values = np.rint(values / unit) * unit

    @property
    def shape(self) -> tuple[int, ...]:
        """See the class."""
        return self.values.shape

    def __getitem__(self, rows: int | slice) -> ExactWeights:
        part = object.__new__(ExactWeights)
        part.values = self.values[rows]
        return part

    def __rmatmul__(self, x: np.ndarray) -> np.ndarray:
        """``(..., outputs)`` float32."""
        largest = np.abs(x).max(-1, keepdims=True, initial=0)
        unit = np.ldexp(1.0, np.frexp(largest)[1] - _BITS)
        return (np.rint(x / unit) @ self.values * unit).astype(np.float32)


def namespace(x: Array) -> Any:
    """``numpy`` for its arrays and numbers, else ``jax.numpy``."""
    if isinstance(x, np.ndarray | np.generic):
        return np
    import jax.numpy as jnp

    return jnp


def sigmoid(x: Array) -> Array:
    """The logistic function."""
    if namespace(x) is np:
        return 0.5 + 0.5 * np.tanh(0.5 * x)
    import jax

    return jax.nn.sigmoid(x)


def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    # NumPy's differs in the last bit between parts of arrays and whole ones.
    return np.tanh(np.ascontiguousarray(x)) if (xp := namespace(x)) is np else xp.tanh(x)


def rsqrt(x: Array) -> Array:
    """One over the square root."""
    if namespace(x) is np:
        return 1 / np.sqrt(x)
    import jax

    return jax.lax.rsqrt(x)


def softmax(x: Array) -> Array:
    """Over the last axis."""
    if namespace(x) is np:
        powers = np.exp(x - x.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)
    import jax

    return jax.nn.softmax(x, -1)


def ndtr(x: Array) -> Array:
    """The share of a standard normal distribution below ``x``."""
    if namespace(x) is np:
        below = [0.5 * math.erfc(-value / math.sqrt(2)) for value in x.ravel().tolist()]
        return np.array(below, x.dtype).reshape(x.shape)
    from jax.scipy import special

    return special.ndtr(x)
