"""Pictures of shapes inside a JAX program, by what draws them fastest: kernels on a GPU, else the dense program."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np

from evoart.draw.dense import Decoder, DenseRaster
from evoart.draw.shapes.ramp import MARK
from evoart.types import Array

GPUS = ("gpu", "cuda", "rocm")


def has_kernels() -> bool:
    """Whether JAX has settled on a GPU and translates Pallas kernels for it."""
    if jax.default_backend() not in GPUS:
        return False
    try:
        from jax.experimental.pallas import triton  # noqa: F401
    except ImportError:
        return False
    return True


def images(
    kinds: Sequence[str],
    decode: Decoder,
    background: tuple[float, float, float] | None,
    genomes: Array,
    size: tuple[int, int],
    extent: tuple[float, float],
    kernels: bool | None = None,
) -> Array:
    """Pictures ``(n, h, w, 3)`` sRGB of genomes ``(n, dim)``, differentiable.

    Args:
        kinds, decode, extent: as ``DenseRaster``.
        background: sRGB in [0, 1]; None is drawn on white.
        size: ``(w, h)`` in pixels.
        kernels: whether the Pallas kernels draw; None: where they can, which is no shape of two colours. Gradients
            always come from the dense program.
    """
    width, height = size
    dense = DenseRaster(kinds, decode, height, width, extent)
    colour = background_colour(background)
    if any(MARK in kind for kind in kinds) or not (has_kernels() if kernels is None else kernels):
        return dense.map(lambda image: image, genomes, colour)
    from evoart.draw.pallas import PallasRaster

    fast = PallasRaster(kinds, decode, height, width, extent, interpret=jax.default_backend() == "cpu")

    @jax.custom_vjp
    def draw(genomes: Array) -> Array:
        return fast.images(genomes, colour)

    def forward(genomes: Array) -> tuple[Array, Array]:
        return draw(genomes), genomes

    def backward(genomes: Array, by_images: Array) -> tuple[Array]:
        def one(pair: tuple[Array, Array]) -> Array:
            return jax.vjp(lambda genome: dense.image(genome, colour), pair[0])[1](pair[1])[0]

        return (jax.lax.map(one, (genomes, by_images)),)

    draw.defvjp(forward, backward)
    return draw(genomes)


def background_colour(background: tuple[float, float, float] | None) -> np.ndarray:
    """The colour ``(3,)`` that shapes are drawn on: white where the background is transparent."""
    return np.asarray((1.0, 1.0, 1.0) if background is None else background, np.float32)
