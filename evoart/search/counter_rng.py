"""Counter-based random numbers: the same on NumPy and in a JAX program, any of them without the ones before.

A number is a hash of where it is used: PCG3D (M. Jarzynski and M. Olano, "Hash Functions for GPU Rendering", Journal of
Computer Graphics Techniques, 2020), a map of three 32 bit numbers to three, of the best quality among those they test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from evoart.types import Array


def pcg3d(xp: Any, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
    """Three uint32 arrays, hashed; arithmetic is modulo 2^32."""
    a, c, s = xp.uint32(1664525), xp.uint32(1013904223), xp.uint32(16)
    x, y, z = x * a + c, y * a + c, z * a + c
    x = x + y * z
    y = y + z * x
    z = z + x * y
    x, y, z = x ^ (x >> s), y ^ (y >> s), z ^ (z >> s)
    x = x + y * z
    y = y + z * x
    return x, y, z + x * y


@dataclass(frozen=True)
class CounterRNG:
    """Random arrays of one generation of one run.

    Attributes:
        xp: ``numpy`` or ``jax.numpy``.
        seed, generation: uint32 arrays ``(1,)``; arrays, so that NumPy wraps them without a warning.
    """

    xp: Any
    seed: Array
    generation: Array

    @classmethod
    def of(cls, xp: Any, seed: Any, generation: Any) -> CounterRNG:
        """From whole numbers."""
        return cls(xp, xp.asarray([seed]).astype(xp.uint32), xp.asarray([generation]).astype(xp.uint32))

    def bits(self, use: int, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """Two arrays of 32 random bits; every ``use`` gives others."""
        xp, size = self.xp, math.prod(shape)
        index = xp.arange(size, dtype=xp.uint32)
        stream = self.seed ^ np.array([(use * 0x9E3779B9) % 2**32], np.uint32)
        first, second, _ = pcg3d(xp, index, self.generation, stream)
        return first.reshape(shape), second.reshape(shape)

    def uniform(self, use: int, shape: tuple[int, ...]) -> Array:
        """float32 in [0, 1)."""
        return _unit(self.xp, self.bits(use, shape)[0])

    def normal(self, use: int, shape: tuple[int, ...]) -> Array:
        """float32, standard normal (G. Box and M. Muller, 1958)."""
        xp = self.xp
        first, second = (_unit(xp, bits) for bits in self.bits(use, shape))
        radius = xp.sqrt(xp.float32(-2) * xp.log(xp.float32(1) - first))
        return radius * xp.cos(xp.float32(2 * np.pi) * second)


def _unit(xp: Any, bits: Array) -> Array:
    return (bits >> xp.uint32(8)).astype(xp.float32) * xp.float32(2**-24)
