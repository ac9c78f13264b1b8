"""Shapes drawn by the CPU's scanline kernels inside a JAX program, derivative included.

The dense program looks at every pixel and shape; the kernels only at pixels that are covered, which for one picture and
its derivative is many times faster on a CPU. JAX calls them through the host.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.engine.scanline import ScanlineEngine
from evoart.score.pixel import Target
from evoart.types import Array, Form, Genome


class ScanlinePictures:
    """Draws genomes of ``form`` at one size; ``images_traced`` stands in for the form's own.

    Where decoding clips a number or snaps a colour, the derivative is that of the decoded one.
    """

    def __init__(self, form: Form, height: int, width: int) -> None:
        self.shape = (height, width, 3)
        self._kernels = Pulled(form, height, width)

    def images_traced(self, genomes: Array) -> Array:
        """Pictures ``(n, h, w, 3)`` of genomes ``(n, dim)``, with a derivative."""

        @jax.custom_vjp
        def draw(genomes: Array) -> Array:
            shape = jax.ShapeDtypeStruct((genomes.shape[0], *self.shape), jnp.float32)
            return jax.pure_callback(lambda x: self._kernels.images(np.asarray(x)), shape, genomes)

        def back(genomes: Array, slope: Array) -> tuple[Array]:
            shape = jax.ShapeDtypeStruct(genomes.shape, jnp.float32)
            return (jax.pure_callback(self._pull, shape, genomes, slope),)

        draw.defvjp(lambda genomes: (draw(genomes), genomes), back)
        return draw(genomes)

    def _pull(self, genomes: Any, slopes: Any) -> np.ndarray:
        pairs = zip(np.asarray(genomes), np.asarray(slopes), strict=True)
        return np.stack([self._kernels.pulled(genome, slope) for genome, slope in pairs])


class Pulled(ScanlineEngine):
    """Draws, and carries any derivative by the picture back to the genome."""

    def __init__(self, form: Any, height: int, width: int) -> None:
        super().__init__(form, Target(np.zeros((height, width, 3), np.float32), np.ones((height, width), np.float32)))

    def pulled(self, genome: Genome, slope: np.ndarray) -> np.ndarray:
        """d loss / d genome ``(dim,)`` from d loss / d picture ``(h, w, 3)``."""
        self._slope = np.ascontiguousarray(slope.transpose(2, 0, 1), np.float32)
        return self.gradient(genome)[1].astype(np.float32)

    def _loss_band(self, canvas: np.ndarray, y0: int, y1: int) -> tuple[float, np.ndarray]:
        return 0.0, self._slope[:, y0:y1].copy()
