"""How well pictures agree with words and with other pictures, by one or several CLIP models.

A model puts texts and pictures on one sphere; their cosine says how near they are. A score is made of prompts with
weights (below zero: to be avoided), embedded once. The loss is 1 - sum(w cos) / sum(abs(w)), so from 0 to 2; or, for
the softmax form, the negative log-probability that a picture is one of the wanted prompts and none of the others.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.score.crops import Crops, resample, whole
from evoart.types import Array

TOGETHER = 16  # looks at most, where several crops of a picture are looked at side by side


@dataclass(frozen=True)
class Prompt:
    """A text, or a picture ``(h, w, 3)`` sRGB in [0, 1] that goes by the name ``text``, and its weight."""

    text: str
    weight: float = 1.0
    image: np.ndarray | None = field(default=None, repr=False, compare=False)


class ClipScore:
    """Judges pictures by prompts.

    Args:
        models: one or several, of which the mean counts; see ``evoart.openclip.load``.
        prompts: at least one, of a weight that is not 0.
        crops: what a picture is shown as.
        softmax: the softmax form of the loss; it needs a prompt to be told from.

    Attributes:
        inputs: parameters, embeddings and weights, as arguments of compiled programs.
    """

    def __init__(
        self, models: Sequence[Any], prompts: Sequence[Prompt], crops: Crops | None = None, softmax: bool = False
    ) -> None:
        self.models, self.prompts, self.softmax = tuple(models), tuple(prompts), softmax
        self.crops = crops or Crops()
        weights = np.array([prompt.weight for prompt in prompts], np.float32)
        aims = tuple(self._aims(model) for model in self.models)
        self.inputs = (tuple(model.params for model in self.models), aims, weights)

    def _aims(self, model: Any) -> np.ndarray:
        """The prompts' embeddings ``(m, embed)`` by a model."""
        texts = [prompt.text for prompt in self.prompts if prompt.image is None]
        words = iter(model.texts(texts) if texts else ())
        return np.stack(
            [next(words) if each.image is None else look(model, each.image[None])[0] for each in self.prompts]
        )

    @property
    def scale(self) -> float:
        """Factor of similarities before a softmax."""
        return float(np.mean([model.scale for model in self.models]))

    def losses_traced(self, images: Array, inputs: Any, key: Array) -> Array:
        """Losses ``(n,)`` of pictures ``(n, h, w, 3)``; ``key`` decides the crops, which all pictures share."""
        found = self.similarities_traced(images, inputs, self.crops.boxes(key, *images.shape[1:3]))
        return self.loss_of(found, inputs[2])

    def loss_of(self, similarities: Array, weights: Array) -> Array:
        """Losses ``(n,)`` of similarities ``(n, m)`` to prompts of ``weights`` ``(m,)``."""
        if not self.softmax:
            return 1 - similarities @ weights / jnp.abs(weights).sum()
        logits = self.scale * similarities + jnp.log(jnp.abs(weights))
        wanted = jnp.where(weights > 0, logits, -jnp.inf)
        return jax.nn.logsumexp(logits, -1) - jax.nn.logsumexp(wanted, -1)

    def similarities_traced(self, images: Array, inputs: Any, boxes: Array) -> Array:
        """Cosines ``(n, m)`` of pictures ``(n, h, w, 3)`` and prompts: means over ``boxes`` ``(k, 4)`` and models."""
        n, k = images.shape[0], boxes.shape[0]
        total = jnp.zeros((n, len(self.prompts)), jnp.float32)
        # Of few pictures several crops are looked at side by side, which is twice as fast; of many one after the other,
        # so that memory does not grow with their number.
        side = max(d for d in range(1, k + 1) if k % d == 0 and (d == 1 or d * n <= TOGETHER))
        for model, params, aims in zip(self.models, inputs[0], inputs[1], strict=True):

            def some(boxes: Array, model: Any = model, params: Any = params, aims: Array = aims) -> Array:
                seen = jax.vmap(lambda box: resample(images, box, model.size, model.interpolation))(boxes)
                found = model.embed_traced(params, seen.reshape(-1, *seen.shape[2:])) @ jnp.asarray(aims).T
                return found.reshape(side, n, -1).mean(0)

            total += jax.lax.map(some, boxes.reshape(-1, side, 4)).mean(0)
        return total / len(self.models)

    def similarities(self, image: np.ndarray, key: Array | None = None, looks: int = 1) -> np.ndarray:
        """Cosines ``(m,)`` of one picture ``(h, w, 3)`` and the prompts: of its middle, or with ``key`` over ``looks``
        crops."""
        height, width = image.shape[:2]
        crops = Crops(looks, self.crops.area, self.crops.aspect)
        boxes = whole(height, width) if key is None else crops.boxes(key, height, width)
        return np.asarray(self._similarities(jnp.asarray(image, jnp.float32)[None], self.inputs, boxes))[0]

    @functools.cached_property
    def _similarities(self) -> Any:
        return jax.jit(self.similarities_traced)


def look(model: Any, images: np.ndarray) -> np.ndarray:
    """Unit embeddings ``(n, embed)`` of pictures ``(n, h, w, 3)`` of any one size, of their middle square."""
    box = whole(*images.shape[1:3])[0]
    return model.images(np.asarray(resample(jnp.asarray(images, jnp.float32), box, model.size, model.interpolation)))
