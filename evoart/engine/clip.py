"""Draws genomes and evaluates them by CLIP: draw, crop, encode and score, in one JAX program where JAX draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.engine.jax_setup import setup
from evoart.engine.memory import candidates_within
from evoart.engine.rendering import pictures
from evoart.score.clip import ClipScore
from evoart.types import Array, Form, Genome, Image

_MOST = {"cpu": 64, "other": 1024}  # pictures at a time: more are no faster
_ROOM = 1 << 24  # bytes to look at one picture by a model that does not say
FIXED = 8  # crops by which the best so far is chosen, always the same ones
APART = 30  # evaluations between two choices: ten gradient steps, which cost about ten times as much as a choice


class ClipEngine:
    """Evaluates genomes of ``form``.

    Methods named ``*_traced`` may be used inside a JAX program where ``traceable`` is True. Elsewhere they are the
    host's: it draws, and everything else is a program of its own.

    Args:
        form: what a genome stands for; it must offer ``images_traced``.
        score: the prompts.
        height, width: of the canvas in pixels.
        seed: decides the crops that the best so far is chosen by.
        evaluations_apart: how many evaluations should lie between two choices of the best so far, at least.

    Attributes:
        batch: pictures that are evaluated at a time.
        inputs: what differs from run to run, as an argument of the programs.
        work: operations that evaluating one genome takes, about.
    """

    name = "clip"

    def __init__(
        self, form: Any, score: ClipScore, height: int, width: int, seed: int = 0, evaluations_apart: int = APART
    ) -> None:
        setup()
        self.form, self.score, self.height, self.width = form, score, height, width
        self.evaluations_apart = evaluations_apart
        self._pictures = pictures(form, height, width)
        self.traceable = self._pictures.traceable
        room = 24 * height * width + max(getattr(model, "memory", _ROOM) for model in score.models)
        self.batch = min(candidates_within(room), _MOST.get(jax.default_backend(), _MOST["other"]))
        self._asked = 1
        # Operations to evaluate one genome: two for every weight and token, and some for every pixel and shape.
        drawing = 30.0 * height * width * getattr(form, "groups", 1)
        self.work = drawing + score.crops.number * sum(getattr(model, "work", 1e10) for model in score.models)
        self.inputs = (score.inputs, np.asarray(jax.random.key_data(jax.random.key(seed ^ 0x5EED))))
        self._fixed_crops = type(score.crops)(FIXED, score.crops.area, score.crops.aspect)
        self._evaluate = jax.jit(self._losses_of)
        self._evaluate_fixed = jax.jit(self._evaluated_fixed)
        self._slope = jax.jit(jax.value_and_grad(lambda image, *how: self._losses_of(image[None], *how)[0]))
        self._change = jax.jit(self._changed, static_argnums=3)
        self._losses = jax.jit(self.finalised_traced) if self.traceable else self.finalised_traced

    def losses_traced(self, genomes: Array, inputs: Any, key: Array) -> Array:
        """Losses ``(n,)`` of genomes ``(n, dim)``, under the crops that ``key`` decides, a bounded number at a time."""
        return self._in_parts(lambda some: self._evaluate(self._pictures.images(some), inputs, key), genomes)

    def finalised_traced(self, genomes: Array, inputs: Any) -> Array:
        """Losses ``(n,)`` under crops that never change: what "the best so far" means."""
        return self._evaluate_fixed(self._pictures.images(genomes), inputs)

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n,)`` float32 of genomes ``(n, dim)`` under the crops that never change."""
        return np.asarray(self._losses(jnp.asarray(genomes, jnp.float32), self.inputs))

    def gradient_traced(self, genome: Array, inputs: Any, key: Array) -> tuple[Array, Array]:
        """Loss of a genome ``(dim,)`` and its derivative: through the models, the crops and the shapes' edges."""
        loss, _, slope = self.where_traced(genome, inputs, key)
        return loss, self.pull_traced(genome, slope)

    def pull_traced(self, genome: Array, slope: Array) -> Array:
        """The derivative ``(dim,)`` by a genome ``(dim,)`` of what has the derivative ``(h, w, 3)`` by its picture."""
        return self._pictures.vjp(genome, slope)

    def where_traced(self, genome: Array, inputs: Any, key: Array) -> tuple[Array, Array, Array]:
        """Loss of a genome ``(dim,)``, its picture ``(h, w, 3)``, and the loss's derivative by every pixel."""
        image = self._pictures.images(genome[None])[0]
        loss, slope = self._slope(image, inputs, key)
        return loss, image, slope

    def changes_traced(self, genomes: Array, parent: Array, slope: Array, tiles: int) -> Array:
        """First-order changes of the loss ``(n, tiles, tiles)`` that candidates ``(n, dim)`` bring, by tile.

        Args:
            parent, slope: picture and derivative, as ``where_traced`` gave them.
        """
        return self._in_parts(lambda some: self._change(self._pictures.images(some), parent, slope, tiles), genomes)

    def shrink(self) -> bool:
        """Evaluate half as many pictures at a time from now on; False where it is one already.

        Programs that hold this engine are to be compiled again.
        """
        most = min(self.batch, self._asked)
        self.batch = max(most // 2, 1)
        return most > 1

    @property
    def too_large(self) -> tuple[str, str]:
        """What does not fit where one picture does not, and what to do."""
        names, crops = " and ".join(model.name for model in self.score.models), self.score.crops.number
        return (
            f"{names} to look at one picture, {crops} crop{'s' if crops > 1 else ''} of it",
            "Use fewer --crops, a smaller --model, --precision bfloat16 or --search classical",
        )

    # What is a program in any case.

    def _losses_of(self, images: Array, inputs: Any, key: Array) -> Array:
        return self.score.losses_traced(images, inputs[0], key)

    def _evaluated_fixed(self, images: Array, inputs: Any) -> Array:
        boxes = self._fixed_crops.boxes(jax.random.wrap_key_data(inputs[1]), self.height, self.width)
        return self.score.loss_of(self.score.similarities_traced(images, inputs[0], boxes), inputs[0][2])

    def _changed(self, images: Array, parent: Array, slope: Array, tiles: int) -> Array:
        rows, columns = _members(self.height, tiles), _members(self.width, tiles)
        change = ((images - parent) * slope).sum(-1)
        return jnp.einsum("th,nhw,sw->nts", rows, change, columns, precision="highest")

    def _in_parts(self, evaluate: Callable[[Array], Array], genomes: Array) -> Array:
        """``evaluate`` of genomes ``(n, dim)``, ``batch`` of them at a time."""
        n, batch = genomes.shape[0], self.batch
        self._asked = max(n, self._asked)
        if not self.traceable:
            return np.concatenate([evaluate(genomes[i : i + batch]) for i in range(0, n, batch)])
        parts, whole = [], n - n % batch
        if whole:
            found = jax.lax.map(evaluate, genomes[:whole].reshape(-1, batch, genomes.shape[1]))
            parts.append(found.reshape(whole, *found.shape[2:]))
        if whole < n:
            parts.append(evaluate(genomes[whole:]))
        return jnp.concatenate(parts)


def _members(pixels: int, tiles: int) -> np.ndarray:
    """``(tiles, pixels)`` float32: 1 where a row (or column) of pixels belongs to a row (or column) of tiles."""
    return (np.arange(pixels) * tiles // pixels == np.arange(tiles)[:, None]).astype(np.float32)


def flat(form: Form, genome: Genome, size: tuple[int, int]) -> Image:
    """A genome's drawing as it will be written, ``(h, w, 3)`` float32, on white where it is transparent."""
    rgba = form.drawing(genome).paint(size)
    return rgba[..., :3] * rgba[..., 3:] + (1 - rgba[..., 3:])
