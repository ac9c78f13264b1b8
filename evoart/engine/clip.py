"""Draws genomes and lets CLIP judge them: draw, crop, encode and score in one JAX program, on any device."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.engine.drawn import ScanlinePictures
from evoart.engine.jax_setup import setup
from evoart.score.clip import ClipScore
from evoart.types import Array, Form, Genome, Image

_LOOKS = {"cpu": 64, "other": 1024}  # pictures that a model looks at side by side
FIXED = 8  # crops by which the best so far is chosen, always the same ones


class ClipEngine:
    """Judges genomes of ``form``; every method named ``*_traced`` may be used inside a JAX program.

    Args:
        form: what a genome stands for; it must offer ``images_traced``.
        score: the prompts.
        height, width: of the canvas in pixels.
        seed: decides the crops that the best so far is chosen by.

    Attributes:
        inputs: what differs from run to run, as an argument of the programs.
        work: operations that judging one genome takes, about.
    """

    name, traceable = "clip", True

    def __init__(self, form: Any, score: ClipScore, height: int, width: int, seed: int = 0) -> None:
        setup()
        self.form, self.score, self.height, self.width = form, score, height, width
        self._kernels = None
        if jax.default_backend() == "cpu" and hasattr(form, "kinds"):
            self._kernels = ScanlinePictures(form, height, width)
        self.batch = _LOOKS.get(jax.default_backend(), _LOOKS["other"])
        # Operations to judge one genome: two for every weight and token, and some for every pixel and shape.
        drawing = 30.0 * height * width * getattr(form, "groups", 1)
        self.work = drawing + score.crops.number * sum(getattr(model, "work", 1e10) for model in score.models)
        self._settling = type(score.crops)(FIXED, score.crops.area, score.crops.aspect)
        self.inputs = (score.inputs, np.asarray(jax.random.key_data(jax.random.key(seed ^ 0x5EED))))
        self._losses = jax.jit(self.settled_traced)

    def images_traced(self, genomes: Array) -> Array:
        """Pictures ``(n, h, w, 3)`` of genomes ``(n, dim)``."""
        if self._kernels is not None:
            return self._kernels.images_traced(genomes)
        return self.form.images_traced(genomes, self.height, self.width)

    def losses_traced(self, genomes: Array, inputs: Any, key: Array) -> Array:
        """Losses ``(n,)`` of genomes ``(n, dim)``, under the crops that ``key`` decides, a bounded number at a time."""

        def judge(some: Array) -> Array:
            return self.score.losses_traced(self.images_traced(some), inputs[0], key)

        n, whole = genomes.shape[0], genomes.shape[0] - genomes.shape[0] % self.batch
        parts = []
        if whole:
            parts.append(jax.lax.map(judge, genomes[:whole].reshape(-1, self.batch, genomes.shape[1])).reshape(-1))
        if whole < n:
            parts.append(judge(genomes[whole:]))
        return jnp.concatenate(parts)

    def settled_traced(self, genomes: Array, inputs: Any) -> Array:
        """Losses ``(n,)`` under crops that never change: what "the best so far" means."""
        boxes = self._settling.boxes(jax.random.wrap_key_data(inputs[1]), self.height, self.width)
        found = self.score.similarities_traced(self.images_traced(genomes), inputs[0], boxes)
        return self.score.loss_of(found, inputs[0][2])

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n,)`` float32 of genomes ``(n, dim)`` under the crops that never change."""
        return np.asarray(self._losses(jnp.asarray(genomes, jnp.float32), self.inputs))

    def gradient_traced(self, genome: Array, inputs: Any, key: Array) -> tuple[Array, Array]:
        """Loss of a genome ``(dim,)`` and its derivative: through the models, the crops and the shapes' edges."""
        return jax.value_and_grad(lambda x: self.losses_traced(x[None], inputs, key)[0])(genome)

    def where_traced(self, genome: Array, inputs: Any, key: Array) -> tuple[Array, Array, Array]:
        """Loss of a genome ``(dim,)``, its picture ``(h, w, 3)``, and the loss's derivative by every pixel."""
        image = self.images_traced(genome[None])

        def judge(image: Array) -> Array:
            return self.score.losses_traced(image, inputs[0], key)[0]

        loss, slope = jax.value_and_grad(judge)(image)
        return loss, image[0], slope[0]

    def changes_traced(self, genomes: Array, parent: Array, slope: Array, tiles: int) -> Array:
        """First-order changes of the loss ``(n, tiles, tiles)`` that candidates ``(n, dim)`` bring, by tile.

        Args:
            parent, slope: picture and derivative, as ``where_traced`` gave them.
        """
        change = ((self.images_traced(genomes) - parent) * slope).sum(-1)
        rows, columns = _members(self.height, tiles), _members(self.width, tiles)
        return jnp.einsum("th,nhw,sw->nts", rows, change, columns, precision="highest")


def _members(pixels: int, tiles: int) -> np.ndarray:
    """``(tiles, pixels)`` float32: 1 where a row (or column) of pixels belongs to a row (or column) of tiles."""
    return (np.arange(pixels) * tiles // pixels == np.arange(tiles)[:, None]).astype(np.float32)


def flat(form: Form, genome: Genome, size: tuple[int, int]) -> Image:
    """A genome's drawing as it will be written, ``(h, w, 3)`` float32, on white where it is transparent."""
    rgba = form.drawing(genome).paint(size)
    return rgba[..., :3] * rgba[..., 3:] + (1 - rgba[..., 3:])
