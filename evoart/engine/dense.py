"""The dense engine: draws and evaluates in one JAX program, on any device."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from evoart.draw.dense import DenseRaster
from evoart.draw.traced import background_colour
from evoart.engine.jax_setup import setup
from evoart.engine.memory import candidates_within
from evoart.score.pixel import Target, loss_map
from evoart.types import Array, Genome

if TYPE_CHECKING:
    from evoart.forms.shapes import ShapesForm

# Pixels times shapes that half a second has room for, with a wide margin: what a block of generations may hold.
WORK = {"cpu": 1e8, "other": 2e10}
PICTURE = 64  # bytes per pixel that drawing and evaluating one picture takes at most


class DenseEngine:
    """Evaluates genomes of ``form`` against ``target``; methods named ``*_traced`` may be used inside a JAX program.

    Attributes:
        form: what a genome stands for.
        target: the picture to come near, ``(h, w, 3)``, its weights and its loss.
        traceable: True: a search may put this engine into its own program.
        inputs: the target's picture and weights and the background's colour, for the methods named ``*_traced``: as
            arguments, and not constants of a program, they leave it fit for the next picture.
    """

    name, traceable = "dense", True

    def __init__(self, form: ShapesForm, target: Target) -> None:
        setup()
        self.form, self.target = form, target
        self.inputs = (target.image, target.weight, background_colour(form.background))
        self.height, self.width = target.image.shape[:2]
        self._raster = DenseRaster(form.kinds, form.decode, self.height, self.width, (form.width, form.height))
        self._raster.batch = min(self._raster.batch, candidates_within(PICTURE * self.height * self.width))
        self._images = jax.jit(self.images_traced)
        self._losses = jax.jit(self.losses_traced)
        self._tiles = jax.jit(self.tile_losses_traced, static_argnames="tiles")
        self._gradient = jax.jit(jax.value_and_grad(self._loss))

    @property
    def block_work(self) -> float:
        """Pixels times shapes that one program may draw, so that a user never waits long for it."""
        return WORK.get(jax.default_backend(), WORK["other"])

    @property
    def batch(self) -> int:
        """Candidates that are evaluated at a time."""
        return self._raster.batch

    def shrink(self) -> bool:
        """Evaluate half as many candidates at a time from now on; False where it is one already.

        Programs that hold this engine are to be compiled again.
        """
        if self.batch == 1:
            return False
        self._raster.batch = self.batch // 2
        return True

    def images(self, genomes: np.ndarray) -> np.ndarray:
        """Pictures ``(n, h, w, 3)`` float32 sRGB of genomes ``(n, dim)``; a transparent background is white."""
        return np.asarray(self._images(self._array(genomes)))

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n,)`` float32 of genomes ``(n, dim)``."""
        return np.asarray(self._losses(self._array(genomes), self.inputs))

    def tile_losses(self, genomes: np.ndarray, tiles: int) -> np.ndarray:
        """Losses ``(n, tiles, tiles)`` float32 by tile: pixel ``(y, x)`` counts in ``(y*tiles//h, x*tiles//w)``."""
        return np.asarray(self._tiles(self._array(genomes), inputs=self.inputs, tiles=tiles))

    def gradient(self, genome: Genome) -> tuple[float, np.ndarray]:
        """Loss of one genome ``(dim,)`` and its gradient ``(dim,)`` float32."""
        loss, gradient = self._gradient(self._array(genome), self.inputs)
        return float(loss), np.asarray(gradient)

    def images_traced(self, genomes: Array) -> Array:
        """``images`` for use inside a JAX program."""
        return self._raster.map(lambda image: image, genomes, self.inputs[2])

    def losses_traced(self, genomes: Array, inputs: tuple[Array, ...]) -> Array:
        """``losses`` for use inside a JAX program."""
        target = self._target(inputs)
        return self._raster.map(lambda image: loss_map(jnp, image, target).sum(), genomes, inputs[2])

    def tile_losses_traced(self, genomes: Array, tiles: int, inputs: tuple[Array, ...]) -> Array:
        """``tile_losses`` for use inside a JAX program; ``tiles`` is a static number."""
        target = self._target(inputs)
        rows, columns = _membership(self.height, tiles), _membership(self.width, tiles)

        def judge(image: Array) -> Array:
            # Two thin matrix products; an accelerator's fast low precision would spoil exact differences of tiles.
            by_row = jnp.matmul(rows, loss_map(jnp, image, target), precision="highest")
            return jnp.matmul(by_row, columns.T, precision="highest")

        return self._raster.map(judge, genomes, inputs[2])

    def _loss(self, genome: Array, inputs: tuple[Array, ...]) -> Array:
        return loss_map(jnp, self._raster.image(genome, inputs[2]), self._target(inputs)).sum()

    def _target(self, inputs: tuple[Array, ...]) -> Target:
        return replace(self.target, image=inputs[0], weight=inputs[1])

    @staticmethod
    def _array(genomes: np.ndarray) -> np.ndarray:
        return np.asarray(genomes, np.float32)


def _membership(pixels: int, tiles: int) -> np.ndarray:
    """``(tiles, pixels)`` float32: 1 where a row (or column) of pixels belongs to a row (or column) of tiles."""
    return (np.arange(pixels) * tiles // pixels == np.arange(tiles)[:, None]).astype(np.float32)
