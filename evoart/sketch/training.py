"""Training a sketch-rnn: one deterministic step after another, each decided by the seed and its own number.

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

from evoart.errors import UsageError
from evoart.sketch.batches import StrokeSet, augment, bucket_bounds, epoch, pad
from evoart.sketch.loss import Batch, losses, noise
from evoart.sketch.model import Config, Model, Parameters, create_model
from evoart.train_state import TrainState, descend, is_finite


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained; defaults are those of Ha and Eck (2017).

    Attributes:
        batch: drawings per step.
        learning_rate, decay, min_learning_rate: of Adam, its factor per step, and the value it falls to.
        grad_clip: each number of the gradient is held within plus and minus this.
        keep_prob: keep probability of recurrent dropout on tanh(g), in (0, 1] (Semeniuta et al., 2016).
        augment_scale, augment_drop: see ``batches.augment``.
        kl_weight, kl_start, kl_decay, kl_floor: the KL loss has the weight ``w - (w - start) * decay^t`` in step t, and
            what lies below the floor does not count.
        seed: of the first weights and of all random numbers.
    """

    batch: int = 100
    learning_rate: float = 1e-3
    decay: float = 0.9999
    min_learning_rate: float = 1e-5
    grad_clip: float = 1.0
    keep_prob: float = 0.9
    augment_scale: float = 0.15
    augment_drop: float = 0.1
    kl_weight: float = 0.5
    kl_start: float = 0.01
    kl_decay: float = 0.99995
    kl_floor: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class Losses:
    """Losses of one step, or means over a set: ``total = reconstruction + weight * max(kl, floor)``."""

    reconstruction: float
    kl: float
    total: float


class Training(TrainState):
    """A training in progress.

    Args:
        config: the model's shape; ``config.scale`` is what the data is divided by.
        settings: how it is trained.
        data, valid: drawings to learn from, and drawings to validate with.
        model: its weights are the first ones; new ones where None.
    """

    def __init__(
        self, config: Config, settings: TrainingConfig, data: StrokeSet, valid: StrokeSet, model: Model | None = None
    ) -> None:
        for name, those in (("training", data), ("validation", valid)):
            if not len(those):
                raise UsageError(f"there is no drawing for {name}", "Give more drawings")
            if those.lengths.max() > config.max_points or those.lengths.min() < 1:
                raise UsageError(
                    f"drawings of {those.lengths.min()} to {those.lengths.max()} points do not go with --max-points "
                    f"{config.max_points}",
                    "Simplify them, or allow more points",
                )
        self.config, self.settings, self.data, self.valid = config, settings, data, valid
        model = model or create_model(config, np.random.default_rng([settings.seed, 0]))
        super().__init__(model.params)
        self.bounds = bucket_bounds(np.concatenate([data.lengths, valid.lengths]))
        self._per_epoch = -(-len(data) // settings.batch)
        self._epoch: tuple[int, list[np.ndarray]] = (-1, [])
        self._valid: list[tuple[Batch, int]] | None = None

    @property
    def model(self) -> Model:
        """The model as it is now."""
        return Model(self.config, {name: np.asarray(value) for name, value in self.params.items()})

    def advance(self) -> Losses:
        """Take one step.

        Raises:
            EvoartError: see ``TrainState.count``.
        """
        settings, low = self.settings, self.settings.min_learning_rate
        rate = jnp.float32((settings.learning_rate - low) * settings.decay**self.step + low)
        key = jax.random.fold_in(jax.random.key(settings.seed), self.step)
        self.params, self.moments, values, fine = _learn(
            self.config, settings, self.params, self.moments, self.batch(), rate, jnp.float32(self.kl_weight), key
        )
        self.count(fine, settings.learning_rate)
        return Losses(*(float(value) for value in values))

    def batch(self) -> Batch:
        """The drawings of the next step, augmented."""
        settings = self.settings
        number, place = divmod(self.step, self._per_epoch)
        if self._epoch[0] != number:
            rng = np.random.default_rng([settings.seed, 1, number])
            self._epoch = number, epoch(self.data.lengths, settings.batch, rng)
        members = self._epoch[1][place]
        rng = np.random.default_rng([settings.seed, 2, self.step])
        sketches = [augment(self.data.sketches[k], rng, settings.augment_scale, settings.augment_drop) for k in members]
        bound = self.bounds[np.searchsorted(self.bounds, self.data.lengths[members].max())]
        return pad(sketches, self.data.classes[members], self.config.scale, int(bound))

    @property
    def kl_weight(self) -> float:
        """The weight of the KL loss in the next step."""
        settings = self.settings
        return settings.kl_weight - (settings.kl_weight - settings.kl_start) * settings.kl_decay**self.step

    def validate(self) -> Losses:
        """Mean losses over the validation set: no augmentation, no dropout, the full KL weight."""
        if self._valid is None:
            order = np.argsort(self.valid.lengths, kind="stable")
            parts = [order[k : k + self.settings.batch] for k in range(0, len(order), self.settings.batch)]
            self._valid = [(self._plain(members), len(members)) for members in parts]
        key = jax.random.key(0)
        sums = np.zeros(3)
        for batch, count in self._valid:
            points = float(np.sum(batch.lengths + 1))
            reconstruction, kl = _judge(self.config, self.params, batch, key)
            sums += float(reconstruction) * points, float(kl) * count, points
        reconstruction, kl = float(sums[0] / sums[2]), float(sums[1] / len(self.valid))
        weight = self.settings.kl_weight if self.config.latent else 0.0
        return Losses(reconstruction, kl, reconstruction + weight * max(kl, self.settings.kl_floor))

    def _plain(self, members: np.ndarray) -> Batch:
        bound = self.bounds[np.searchsorted(self.bounds, self.valid.lengths[members].max())]
        sketches = [self.valid.sketches[k] for k in members]
        return pad(sketches, self.valid.classes[members], self.config.scale, int(bound))


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=(2, 3))
def _learn(
    config: Config,
    settings: TrainingConfig,
    params: Parameters,
    moments: Any,
    batch: Batch,
    rate: jax.Array,
    weight: jax.Array,
    key: jax.Array,
) -> Any:
    """One step of Adam on clipped gradients; nothing changes where one of them is not finite."""
    draws = noise(config, batch, key, settings.keep_prob)

    def objective(params: Parameters) -> tuple[jax.Array, Any]:
        reconstruction, kl = losses(config, params, batch, draws)
        total = reconstruction + weight * jnp.maximum(kl, settings.kl_floor) if config.latent else reconstruction
        return total, (reconstruction, kl, total)

    gradient, values = jax.grad(objective, has_aux=True)(params)
    fine = is_finite(gradient, values[2])
    clipped = jax.tree.map(lambda g: jnp.clip(jnp.nan_to_num(g), -settings.grad_clip, settings.grad_clip), gradient)
    return *descend(params, clipped, moments, rate, fine), values, fine


@functools.partial(jax.jit, static_argnums=0)
def _judge(config: Config, params: Parameters, batch: Batch, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    return losses(config, params, batch, noise(config, batch, key, 1.0))
