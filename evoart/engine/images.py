"""The engine of any form that JAX can draw and any score of images: a few pictures are drawn and scored at a time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.engine.jax_setup import setup
from evoart.types import Array, Score, TracedForm

_PIXELS = {"cpu": 2**20, "other": 2**26}  # of the pictures that are there at a time


class ImagesEngine:
    """Evaluates genomes of ``form`` by ``score``; ``losses_traced`` may be used inside a JAX program.

    Args:
        form: what genomes stand for.
        score: evaluates pictures.
        size: ``(w, h)`` in pixels at which pictures are evaluated.

    Attributes:
        traceable: True: a search may put this engine into its own program.
        inputs: the score's, for ``losses_traced``.
    """

    name, traceable = "images", True

    def __init__(self, form: TracedForm, score: Score, size: tuple[int, int]) -> None:
        setup()
        self.form, self.score = form, score
        self.width, self.height = size
        self.inputs = score.inputs
        most = _PIXELS.get(jax.default_backend(), _PIXELS["other"])
        self.batch = int(np.clip(most // (self.width * self.height), 1, 256))
        self._losses = jax.jit(self.losses_traced)

    @property
    def work(self) -> float:
        """What one picture costs, in pixels times shapes."""
        return float(getattr(self.form, "work", float)(self.width * self.height))

    def shrink(self) -> bool:
        """Evaluate half as many candidates at a time from now on; False where it is one already.

        Programs that hold this engine are to be compiled again.
        """
        if self.batch == 1:
            return False
        self.batch //= 2
        return True

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n,)`` float32 of genomes ``(n, dim)``."""
        return np.asarray(self._losses(np.asarray(genomes, np.float32), self.inputs))

    def losses_traced(self, genomes: Array, inputs: tuple[Any, ...]) -> Array:
        """``losses`` for use inside a JAX program; a bounded number of pictures is there at a time."""

        def evaluate(some: Array) -> Array:
            images = self.form.images_traced(some, self.height, self.width)
            return self.score.losses_traced(images, inputs)

        n = genomes.shape[0]
        if n <= self.batch:
            return evaluate(genomes)
        whole = n - n % self.batch
        parts = [jax.lax.map(evaluate, genomes[:whole].reshape(-1, self.batch, genomes.shape[1])).reshape(-1)]
        if whole < n:
            parts.append(evaluate(genomes[whole:]))
        return jnp.concatenate(parts)
