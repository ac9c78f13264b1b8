"""Training an autoencoder: one deterministic step after another, each decided by the seed and its own number.

The random numbers of step t are drawn from ``(seed, t)``, so the state is the parameters, Adam's moments and t, and a
resumed training ends bit for bit where the uninterrupted one would have.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from evoart.cppn.latent import discriminator
from evoart.cppn.latent.model import Config, Model, Parameters, create_model, encode_traced, logits, positions
from evoart.train_state import TrainState, descend, is_finite

_LOWEST = 0.02  # share of the learning rate that is left in the end
_WHOLE = 256  # pictures at a time that are validated
_CROPS = 8  # one in so many pictures of a batch is drawn whole for the discriminator
_AT_ONCE = 8  # pictures whose points stay in a CPU's cache: twice as fast as all of a batch


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes:
        batch: pictures a step.
        share: of each picture's pixels that a step looks at, in (0, 1]; a quarter costs about a quarter.
        learning_rate: of Adam at its highest; it falls along a cosine.
        steps: steps over which it falls.
        kl_weight: weight of the KL divergence, in nats a picture, once it is warm.
        warm_up: share of ``steps`` over which its weight rises from 0, so that z comes to mean something first.
        gan_weight: weight of passing for pictures before a discriminator, in nats a pixel; it rises likewise. 0: none.
        seed: of the first weights and of all random numbers.
    """

    batch: int = 128
    share: float = 0.25
    learning_rate: float = 2e-3
    steps: int = 4000
    kl_weight: float = 1.0
    warm_up: float = 0.25
    seed: int = 0
    gan_weight: float = 0.0


@dataclass(frozen=True)
class Losses:
    """Of one step or a set, in nats a picture: ``total = nll + weight * kl``; ``mse`` of pixels in [0, 1].

    ``generator`` and ``discriminator`` are those of ``adversarial_losses``, 0 where there is none.
    """

    nll: float
    kl: float
    total: float
    mse: float
    generator: float = 0.0
    discriminator: float = 0.0


class Training(TrainState):
    """A training in progress.

    Args:
        config: the model's shape.
        settings: how it is trained.
        data, valid: pictures ``(n, side, side, channels)`` uint8 to learn from, and to validate with.
    """

    def __init__(self, config: Config, settings: TrainingConfig, data: np.ndarray, valid: np.ndarray) -> None:
        self.config, self.settings, self.data, self.valid = config, settings, data, valid
        params = create_model(config, np.random.default_rng([settings.seed, 0])).params
        if settings.gan_weight:
            params |= discriminator.create_discriminator(config, np.random.default_rng([settings.seed, 4]))
        super().__init__(params)
        self._epoch = (-1, np.zeros(0, int))

    @property
    def model(self) -> Model:
        """The model as it is now."""
        return Model(self.config, {name: np.asarray(self.params[name]) for name in self.config.shapes})

    def advance(self) -> Losses:
        """Take one step.

        Raises:
            EvoartError: see ``TrainState.count``.
        """
        settings, config = self.settings, self.config
        at = min(self.step / settings.steps, 1.0)
        rate = settings.learning_rate * (_LOWEST + (1 - _LOWEST) * (1 + np.cos(np.pi * at)) / 2)
        warmth = min(1.0, at / settings.warm_up) if settings.warm_up else 1.0
        weights = np.array([settings.kl_weight, settings.gan_weight * config.side**2], np.float32) * np.float32(warmth)
        rng = np.random.default_rng([settings.seed, 2, self.step])
        pixels = rng.permutation(config.side**2)[: max(1, round(settings.share * config.side**2))]
        noise = rng.standard_normal((settings.batch, config.decoder.latent), np.float32)
        corner = rng.integers(0, discriminator.MARGIN + 1, 2)
        images = self.data[self._members()]
        self.params, self.moments, values, fine = _learn(
            config, self.params, self.moments, images, pixels, corner, noise, np.float32(rate), weights
        )
        self.count(fine, settings.learning_rate)
        return Losses(*(float(value) for value in values))

    def _members(self) -> np.ndarray:
        """The pictures of the next step ``(batch,)``: those of one shuffled order after another."""
        count, batch = len(self.data), self.settings.batch
        first = self.step * batch
        return np.array([self._order(k // count)[k % count] for k in range(first, first + batch)])

    def _order(self, number: int) -> np.ndarray:
        if self._epoch[0] != number:
            rng = np.random.default_rng([self.settings.seed, 1, number])
            self._epoch = number, rng.permutation(len(self.data))
        return self._epoch[1]

    def validate(self) -> Losses:
        """Mean losses over the validation set: z is the mean of what a picture is encoded as, all pixels count, the KL
        divergence with its full weight."""
        sums = np.zeros(3)
        for first in range(0, len(self.valid), _WHOLE):
            images = self.valid[first : first + _WHOLE]
            sums += len(images) * np.array([float(v) for v in _judge(self.config, self.params, images)])
        nll, kl, mse = (float(v) for v in sums / len(self.valid))
        return Losses(nll, kl, nll + self.settings.kl_weight * kl, mse)


def _losses(
    config: Config, params: Parameters, images: jax.Array, pixels: jax.Array | None, noise: jax.Array | None
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """NLL and KL in nats a picture, and the mean squared error, of pictures in [0, 1] at some pixels; and their z."""
    mean, log_sigma = encode_traced(config, params, images)
    z = mean if noise is None else mean + jnp.exp(log_sigma) * noise
    x, y = (jnp.asarray(at) for at in positions(config.side))
    flat = images.reshape(len(images), -1, config.channels)
    share = 1.0
    if pixels is not None:
        x, y, flat, share = x[pixels], y[pixels], flat[:, pixels], pixels.shape[0] / config.side**2

    def draw(part: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        values, target = logits(config.decoder, params["decoder"], part[0], x, y), jnp.moveaxis(part[1], 2, 0)
        nll = jnp.sum(optax.sigmoid_binary_cross_entropy(values, target))
        return nll, jnp.sum((jax.nn.sigmoid(values) - target) ** 2)

    n, few = len(images), _AT_ONCE if len(images) % _AT_ONCE == 0 else len(images)
    parts = z.reshape(n // few, few, -1), flat.reshape(n // few, few, *flat.shape[1:])
    nll, squares = (jnp.sum(each) for each in jax.lax.map(jax.checkpoint(draw), parts))
    kl = 0.5 * jnp.sum(mean**2 + jnp.exp(2 * log_sigma) - 1 - 2 * log_sigma) / n
    return nll / n / share, kl, squares / flat.size, z


def _adversarial(
    config: Config, params: Parameters, images: jax.Array, z: jax.Array, corner: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """See ``adversarial_losses``: crops of some of the pictures, against those of what is drawn of their ``z``."""
    few = max(1, len(images) // _CROPS)
    real, x, y = discriminator.crop(config, images[:few], corner)
    draw = jax.checkpoint(lambda one: jax.nn.sigmoid(logits(config.decoder, params["decoder"], one[None], x, y))[:, 0])
    drawn = jnp.moveaxis(jax.lax.map(draw, z[:few]), 1, 2).reshape(real.shape)
    return discriminator.adversarial_losses(params, real, drawn)


def _float(images: jax.Array) -> jax.Array:
    return images.astype(jnp.float32) / 255


@functools.partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
def _learn(
    config: Config,
    params: Parameters,
    moments: Any,
    images: jax.Array,
    pixels: jax.Array,
    corner: jax.Array,
    noise: jax.Array,
    rate: jax.Array,
    weights: jax.Array,
) -> Any:
    """One step of Adam; nothing changes where a gradient is not finite. ``weights``: of the KL, and of passing for
    pictures."""
    adversary = [name for name in params if name.startswith(discriminator.PREFIX)]

    def objective(params: Parameters) -> tuple[jax.Array, Any]:
        nll, kl, mse, z = _losses(config, params, _float(images), pixels, noise)
        total = nll + weights[0] * kl
        if not adversary:
            return total, (nll, kl, total, mse)
        passing, judging = _adversarial(config, params, _float(images), z, corner)
        return total + weights[1] * passing + judging, (nll, kl, total, mse, passing, judging)

    (whole, values), gradient = jax.value_and_grad(objective, has_aux=True)(params)
    fine = is_finite(gradient, whole)
    new, moments = descend(params, jax.tree.map(jnp.nan_to_num, gradient), moments, rate, fine)
    slow = {name: params[name] + discriminator.RATE * (new[name] - params[name]) for name in adversary}
    return new | slow, moments, values, fine


@functools.partial(jax.jit, static_argnums=0)
def _judge(config: Config, params: Parameters, images: jax.Array) -> Any:
    return _losses(config, params, _float(images), None, None)[:3]
