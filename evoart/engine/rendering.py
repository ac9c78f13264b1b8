"""Pictures of genomes and their vector-Jacobian product, for a score in JAX: by JAX, or by the CPU's kernels.

The dense program visits every pixel and shape; the kernels only pixels that are covered, which for one picture and its
derivative is many times faster on a CPU. They run on the host: who uses them draws between two programs, not inside of
one. (A callback from inside would keep the program out of JAX's cache.)
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from evoart.engine.scanline import ScanlineEngine
from evoart.score.pixel import Target
from evoart.types import Array, Form, Genome


def pictures(form: Any, height: int, width: int) -> TracedPictures | ScanlinePictures:
    """What draws genomes of ``form`` fastest here, at one size."""
    if jax.default_backend() == "cpu" and hasattr(form, "kinds"):
        return ScanlinePictures(form, height, width)
    return TracedPictures(form, height, width)


class TracedPictures:
    """Drawn by the form itself, inside a JAX program.

    Attributes:
        traceable: whether both methods may be used inside a JAX program.
    """

    traceable = True

    def __init__(self, form: Any, height: int, width: int) -> None:
        self.form, self.height, self.width = form, height, width

    def images(self, genomes: Array) -> Array:
        """Pictures ``(n, h, w, 3)`` of genomes ``(n, dim)``."""
        return self.form.images_traced(genomes, self.height, self.width)

    def vjp(self, genome: Array, slope: Array) -> Array:
        """d loss / d genome ``(dim,)`` from d loss / d picture ``(h, w, 3)``."""
        return jax.vjp(lambda x: self.images(x[None])[0], genome)[1](slope)[0]


class ScanlinePictures:
    """Drawn by the CPU's kernels; attributes and methods as ``TracedPictures``.

    Where decoding clips a number or snaps a colour, the derivative is that of the decoded one.
    """

    traceable = False

    def __init__(self, form: Form, height: int, width: int) -> None:
        self._kernels = ScanlineVjp(form, height, width)

    def images(self, genomes: Array) -> np.ndarray:
        """Pictures ``(n, h, w, 3)`` of genomes ``(n, dim)``."""
        return self._kernels.images(np.asarray(genomes))

    def vjp(self, genome: Array, slope: Array) -> np.ndarray:
        """d loss / d genome ``(dim,)`` from d loss / d picture ``(h, w, 3)``."""
        return self._kernels.vjp(np.asarray(genome), np.asarray(slope))


class ScanlineVjp(ScanlineEngine):
    """The vector-Jacobian product of drawing: from any derivative by the picture to that by the genome."""

    def __init__(self, form: Any, height: int, width: int) -> None:
        super().__init__(form, Target(np.zeros((height, width, 3), np.float32), np.ones((height, width), np.float32)))

    def vjp(self, genome: Genome, slope: np.ndarray) -> np.ndarray:
        """d loss / d genome ``(dim,)`` from d loss / d picture ``(h, w, 3)``."""
        self._slope = np.ascontiguousarray(slope.transpose(2, 0, 1), np.float32)
        return self.gradient(genome)[1].astype(np.float32)

    def _loss_band(self, canvas: np.ndarray, y0: int, y1: int) -> tuple[float, np.ndarray]:
        return 0.0, self._slope[:, y0:y1].copy()
