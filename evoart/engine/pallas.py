"""The GPU engine: kernels that draw and score a block of pixels in registers; gradients come from the dense program."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from evoart.draw.pallas import PallasRaster
from evoart.engine.dense import DenseEngine
from evoart.engine.memory import candidates_within
from evoart.score.pixel import Target, oklab, plane_losses
from evoart.types import Array

if TYPE_CHECKING:
    from evoart.forms.shapes import ShapesForm


class PallasEngine(DenseEngine):
    """As ``DenseEngine``, for a GPU; on a CPU its kernels are interpreted, which only tests have a use for."""

    name = "pallas"

    def __init__(self, form: ShapesForm, target: Target) -> None:
        super().__init__(form, target)
        self._kernels = PallasRaster(
            form.kinds,
            form.decode,
            self.height,
            self.width,
            (form.width, form.height),
            interpret=jax.default_backend() == "cpu",
        )
        tables, written = self._kernels.numbers
        # Kernels find their places with 32 bits.
        self._batch = min(candidates_within(4 * (tables + written)), max(1, (2**31 - 1) // max(tables, written)))

    @property
    def block_work(self) -> float:
        """As ``DenseEngine.block_work``; interpreted kernels draw a pixel at a time, nearly."""
        return 1e6 if self._kernels.interpret else 2e11

    @property
    def batch(self) -> int:
        """Candidates that are evaluated at a time."""
        return self._batch

    def shrink(self) -> bool:
        """As ``DenseEngine.shrink``."""
        if self._batch == 1:
            return False
        self._batch //= 2
        return True

    def images_traced(self, genomes: Array) -> Array:
        """``images`` for use inside a JAX program."""
        return self._in_chunks(lambda part: self._kernels.images(part, self.inputs[2]), genomes)

    def losses_traced(self, genomes: Array, inputs: tuple[Array, ...]) -> Array:
        """``losses`` for use inside a JAX program."""
        judge = partial(plane_losses, jnp, loss=self.target.loss)
        target = self._reference(inputs)
        return self._in_chunks(lambda part: self._kernels.losses(part, inputs[2], target, judge), genomes)

    def tile_losses_traced(self, genomes: Array, tiles: int, inputs: tuple[Array, ...]) -> Array:
        """``tile_losses`` for use inside a JAX program; ``tiles`` is a static number."""
        judge = partial(plane_losses, jnp, loss=self.target.loss)
        target = self._reference(inputs)
        return self._in_chunks(lambda part: self._kernels.tile_losses(part, inputs[2], target, judge, tiles), genomes)

    def _reference(self, inputs: tuple[Array, ...]) -> tuple[Array, Array]:
        target = self._target(inputs)
        image = oklab(jnp, target.image) if target.loss == "oklab" else target.image
        return self._kernels.target(image, target.share)

    def _in_chunks(self, work: Callable[[Array], Array], genomes: Array) -> Array:
        """``work(genomes)``, so many candidates at a time as the memory has room for."""
        n, size = len(genomes), self.batch
        if n <= size:
            return work(genomes)
        whole = n // size * size
        parts = jax.lax.map(work, genomes[:whole].reshape(-1, size, genomes.shape[-1]))
        parts = parts.reshape(whole, *parts.shape[2:])
        return parts if whole == n else jnp.concatenate([parts, work(genomes[whole:])])
