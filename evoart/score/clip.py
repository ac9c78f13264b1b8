"""How well pictures agree with words and with other pictures, by one or several CLIP models.

A model puts texts and pictures on one sphere; their cosine says how near they are. A score is made of prompts with
weights (below zero: negative prompts), embedded once. The loss is 1 - sum(w cos) / sum(abs(w)), so from 0 to 2.

In the softmax form prompts compete. The loss is 1 less the mean cosine of the positive prompts, so that the picture has
what they share with the negative ones, plus their negative log-probability over the model's scale: about by how much a
negative prompt is nearer than the positive ones, and next to nothing where it is not.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from evoart.score.crops import Crops, resample, resize_picture
from evoart.types import Array, Image

MAX_SIDE_BY_SIDE = 16  # crops that are embedded in one batch, where several of a picture are


class EmbeddingModel(Protocol):
    """A model that embeds texts and pictures in one space; see ``evoart.openclip.load``."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def licence(self) -> str:
        """Of its weights; ``""`` where it is not known."""
        ...

    @property
    def size(self) -> int:
        """Pixels along the sides of the pictures it reads."""
        ...

    @property
    def interpolation(self) -> str:
        """How pictures are brought to that size: ``bicubic`` or ``bilinear``."""
        ...

    @property
    def resize_mode(self) -> str:
        """What it reads of a picture that is not square: ``shortest`` (the middle) or ``squash`` (all, distorted)."""
        ...

    @property
    def scale(self) -> float:
        """Factor of similarities before a softmax."""
        ...

    @property
    def params(self) -> Any:
        """Arrays that ``embed_traced`` takes as an argument."""
        ...

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        """Unit embeddings ``(n, embed)`` float32."""
        ...

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """Unit embeddings ``(n, embed)`` float32 of pictures ``(n, size, size, 3)`` sRGB in [0, 1]."""
        ...

    def embed_traced(self, params: Any, images: Array) -> Array:
        """``embed_images`` inside a JAX program."""
        ...


@dataclass(frozen=True)
class Prompt:
    """A text, or a picture ``(h, w, 3)`` sRGB in [0, 1] that goes by the name ``text``, and its weight."""

    text: str
    weight: float = 1.0
    image: Image | None = field(default=None, repr=False, compare=False)


class ClipScore:
    """The loss of pictures by how well they agree with prompts.

    Args:
        models: one or several, of which the mean counts.
        prompts: at least one, of a weight that is not 0.
        crops: what a picture is shown as.
        softmax: the softmax form of the loss; it needs a prompt to be told from.

    Attributes:
        inputs: parameters, embeddings and weights, as arguments of compiled programs.
    """

    def __init__(
        self,
        models: Sequence[EmbeddingModel],
        prompts: Sequence[Prompt],
        crops: Crops | None = None,
        softmax: bool = False,
    ) -> None:
        self.models, self.prompts, self.softmax = tuple(models), tuple(prompts), softmax
        self.crops = crops or Crops()
        weights = np.array([prompt.weight for prompt in prompts], np.float32)
        embeddings = tuple(self._embed_prompts(model) for model in self.models)
        self.inputs = (tuple(model.params for model in self.models), embeddings, weights)

    def _embed_prompts(self, model: EmbeddingModel) -> np.ndarray:
        """The prompts' embeddings ``(m, embed)`` by a model."""
        texts = [prompt.text for prompt in self.prompts if prompt.image is None]
        of_texts = iter(model.embed_texts(texts) if texts else ())
        return np.stack(
            [next(of_texts) if each.image is None else embed_image(model, each.image) for each in self.prompts]
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
        positive = jnp.maximum(weights, 0)
        logits = self.scale * similarities + jnp.log(jnp.abs(weights))
        of_positive = jnp.where(weights > 0, logits, -jnp.inf)
        lost = jax.nn.logsumexp(logits, -1) - jax.nn.logsumexp(of_positive, -1)
        return 1 - similarities @ positive / positive.sum() + lost / self.scale

    def similarities_traced(self, images: Array, inputs: Any, boxes: Array) -> Array:
        """Cosines ``(n, m)`` of pictures ``(n, h, w, 3)`` and prompts: means over ``boxes`` ``(k, 4)`` and models."""
        n, k = images.shape[0], boxes.shape[0]
        total = jnp.zeros((n, len(self.prompts)), jnp.float32)
        # Of few pictures several crops are embedded side by side, which is twice as fast; of many one after the other,
        # so that memory does not grow with their number.
        side = max(d for d in range(1, k + 1) if k % d == 0 and (d == 1 or d * n <= MAX_SIDE_BY_SIDE))
        for model, params, embeddings in zip(self.models, inputs[0], inputs[1], strict=True):

            def compare(
                boxes: Array, model: EmbeddingModel = model, params: Any = params, embeddings: Array = embeddings
            ) -> Array:
                seen = jax.vmap(lambda box: resample(images, box, model.size, model.interpolation))(boxes)
                found = model.embed_traced(params, seen.reshape(-1, *seen.shape[2:])) @ jnp.asarray(embeddings).T
                return found.reshape(side, n, -1).mean(0)

            total += jax.lax.map(compare, boxes.reshape(-1, side, 4)).mean(0)
        return total / len(self.models)

    def similarities(self, image: Image, key: Array | None = None, crops: int = 1) -> np.ndarray:
        """Cosines ``(m,)`` of one picture ``(h, w, 3)`` and the prompts: as open_clip shows it to a model, or with
        ``key`` the means over so many random ``crops``."""
        if key is None:
            found = [
                embed_image(model, image) @ each.T for model, each in zip(self.models, self.inputs[1], strict=True)
            ]
            return np.mean(found, 0)
        boxes = Crops(crops, self.crops.area, self.crops.aspect).boxes(key, *image.shape[:2])
        return np.asarray(self._similarities(jnp.asarray(image, jnp.float32)[None], self.inputs, boxes))[0]

    @functools.cached_property
    def _similarities(self) -> Any:
        return jax.jit(self.similarities_traced)


def embed_image(model: EmbeddingModel, image: Image) -> np.ndarray:
    """The unit embedding ``(embed,)`` of a picture ``(h, w, 3)`` sRGB in [0, 1] of any size, as open_clip sees it."""
    return model.embed_images(resize_picture(image, model.size, model.interpolation, model.resize_mode)[None])[0]
