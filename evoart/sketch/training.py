"""Training a sketch-rnn: one deterministic step after another, each decided by the seed and its own number.

What comes by chance in step t is drawn from ``(seed, t)``, so the state is the parameters, Adam's moments and t, and a
resumed training ends bit for bit where the unbroken one would have.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from evoart.errors import EvoartError, UsageError
from evoart.sketch.batches import StrokeSet, augment, bucket_bounds, epoch, pad
from evoart.sketch.loss import Batch, losses, noise
from evoart.sketch.model import Config, Model, Parameters, fresh

GIVE_UP = 50  # steps in a row without a finite gradient


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; defaults are those of Ha and Eck (2017).

    Attributes:
        batch: drawings per step.
        rate, decay, least: Adam's learning rate, its factor per step, and where it stays.
        clip: each gradient is held within this.
        keep: share that recurrent dropout on tanh(g) leaves (Semeniuta et al., 2016).
        stretch, drop: augmentation, see ``batches.augment``.
        kl_weight, kl_start, kl_decay, kl_floor: the KL loss counts ``w - (w - start) * decay^t``, and what lies
            below the floor does not count.
        seed: of the first weights and of everything that comes by chance.
    """

    batch: int = 100
    rate: float = 1e-3
    decay: float = 0.9999
    least: float = 1e-5
    clip: float = 1.0
    keep: float = 0.9
    stretch: float = 0.15
    drop: float = 0.1
    kl_weight: float = 0.5
    kl_start: float = 0.01
    kl_decay: float = 0.99995
    kl_floor: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class Figures:
    """Losses of one step, or means over a set: ``total = reconstruction + weight * max(kl, floor)``."""

    reconstruction: float
    kl: float
    total: float


class Training:
    """A training under way.

    Args:
        config: the model's shape; ``config.scale`` is what the data is divided by.
        recipe: how.
        data, valid: what is learned, and what the progress is judged by.
        model: where to go on from; a fresh one where None.

    Attributes:
        step: steps taken.
        skipped: steps whose gradient was not finite; they changed nothing.
    """

    def __init__(
        self, config: Config, recipe: Recipe, data: StrokeSet, valid: StrokeSet, model: Model | None = None
    ) -> None:
        for name, those in (("training", data), ("validation", valid)):
            if not len(those):
                raise UsageError(f"there is no drawing for {name}", "Give more drawings")
            if those.lengths.max() > config.longest or those.lengths.min() < 1:
                raise UsageError(
                    f"drawings of {those.lengths.min()} to {those.lengths.max()} points do not go with --longest "
                    f"{config.longest}",
                    "Simplify them, or allow more points",
                )
        self.config, self.recipe, self.data, self.valid = config, recipe, data, valid
        model = model or fresh(config, np.random.default_rng([recipe.seed, 0]))
        self.params: Parameters = {name: jnp.asarray(value, jnp.float32) for name, value in model.params.items()}
        self.moments = optax.scale_by_adam().init(self.params)
        self.step = self.skipped = self._skipped_now = 0
        self.bounds = bucket_bounds(np.concatenate([data.lengths, valid.lengths]))
        self._per_epoch = -(-len(data) // recipe.batch)
        self._epoch: tuple[int, list[np.ndarray]] = (-1, [])
        self._valid: list[tuple[Batch, int]] | None = None

    @property
    def model(self) -> Model:
        """The model as it is now."""
        return Model(self.config, {name: np.asarray(value) for name, value in self.params.items()})

    def advance(self) -> Figures:
        """Take one step.

        Raises:
            EvoartError: no finite gradient for ``GIVE_UP`` steps together.
        """
        recipe = self.recipe
        rate = jnp.float32((recipe.rate - recipe.least) * recipe.decay**self.step + recipe.least)
        key = jax.random.fold_in(jax.random.key(recipe.seed), self.step)
        self.params, self.moments, values, fine = _learn(
            self.config, recipe, self.params, self.moments, self.batch(), rate, jnp.float32(self.kl_weight), key
        )
        self.step += 1
        self._skipped_now = 0 if bool(fine) else self._skipped_now + 1
        self.skipped += not bool(fine)
        if self._skipped_now >= GIVE_UP:
            raise EvoartError(
                f"{GIVE_UP} training steps in a row had no finite gradient",
                f"The last good weights are kept; try a lower --rate than {recipe.rate:g}",
            )
        return Figures(*(float(value) for value in values))

    def batch(self) -> Batch:
        """What the next step learns from."""
        number, place = divmod(self.step, self._per_epoch)
        if self._epoch[0] != number:
            rng = np.random.default_rng([self.recipe.seed, 1, number])
            self._epoch = number, epoch(self.data.lengths, self.recipe.batch, rng)
        members = self._epoch[1][place]
        rng = np.random.default_rng([self.recipe.seed, 2, self.step])
        sketches = [augment(self.data.sketches[k], rng, self.recipe.stretch, self.recipe.drop) for k in members]
        bound = self.bounds[np.searchsorted(self.bounds, self.data.lengths[members].max())]
        return pad(sketches, self.data.classes[members], self.config.scale, int(bound))

    @property
    def kl_weight(self) -> float:
        """What the KL loss counts now."""
        recipe = self.recipe
        return recipe.kl_weight - (recipe.kl_weight - recipe.kl_start) * recipe.kl_decay**self.step

    def validate(self) -> Figures:
        """Mean losses over the validation set: no augmentation, no dropout, the full KL weight."""
        if self._valid is None:
            order = np.argsort(self.valid.lengths, kind="stable")
            parts = [order[k : k + self.recipe.batch] for k in range(0, len(order), self.recipe.batch)]
            self._valid = [(self._plain(members), len(members)) for members in parts]
        key = jax.random.key(0)
        sums = np.zeros(3)
        for batch, count in self._valid:
            points = float(np.sum(batch.lengths + 1))
            reconstruction, kl = _judge(self.config, self.params, batch, key)
            sums += float(reconstruction) * points, float(kl) * count, points
        reconstruction, kl = float(sums[0] / sums[2]), float(sums[1] / len(self.valid))
        weight = self.recipe.kl_weight if self.config.latent else 0.0
        return Figures(reconstruction, kl, reconstruction + weight * max(kl, self.recipe.kl_floor))

    def _plain(self, members: np.ndarray) -> Batch:
        bound = self.bounds[np.searchsorted(self.bounds, self.valid.lengths[members].max())]
        sketches = [self.valid.sketches[k] for k in members]
        return pad(sketches, self.valid.classes[members], self.config.scale, int(bound))

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state, for ``load``."""
        count, mu, nu = self.moments
        found = {"step": self.step, "skipped": self.skipped, "skipped_now": self._skipped_now, "count": count}
        for name, those in (("params", self.params), ("mu", mu), ("nu", nu)):
            found |= {f"{name}/{key}": value for key, value in those.items()}
        return {name: np.asarray(value) for name, value in found.items()}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from what ``arrays`` gave.

        Raises:
            KeyError, ValueError: it does not fit.
        """

        def part(name: str) -> Parameters:
            found = {key: jnp.asarray(arrays[f"{name}/{key}"], jnp.float32) for key in self.params}
            for key, value in found.items():
                if value.shape != self.params[key].shape:
                    raise ValueError(f"{name}/{key} has another shape")
            return found

        self.params, mu, nu = part("params"), part("mu"), part("nu")
        self.moments = optax.ScaleByAdamState(jnp.asarray(arrays["count"], jnp.int32), mu, nu)
        self.step, self.skipped = int(arrays["step"]), int(arrays["skipped"])
        self._skipped_now = int(arrays["skipped_now"])


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=(2, 3))
def _learn(
    config: Config,
    recipe: Recipe,
    params: Parameters,
    moments: Any,
    batch: Batch,
    rate: jax.Array,
    weight: jax.Array,
    key: jax.Array,
) -> Any:
    """One step of Adam on clipped gradients; nothing changes where one of them is not finite."""
    draws = noise(config, batch, key, recipe.keep)

    def objective(params: Parameters) -> tuple[jax.Array, Any]:
        reconstruction, kl = losses(config, params, batch, draws)
        total = reconstruction + weight * jnp.maximum(kl, recipe.kl_floor) if config.latent else reconstruction
        return total, (reconstruction, kl, total)

    gradient, values = jax.grad(objective, has_aux=True)(params)
    fine = jnp.all(jnp.stack([jnp.all(jnp.isfinite(g)) for g in jax.tree.leaves(gradient)] + [jnp.isfinite(values[2])]))
    clipped = jax.tree.map(lambda g: jnp.clip(jnp.nan_to_num(g), -recipe.clip, recipe.clip), gradient)
    updates, new_moments = optax.scale_by_adam().update(clipped, moments)
    keep = functools.partial(jnp.where, fine)
    params = jax.tree.map(lambda p, u: keep(p - rate * u, p), params, updates)
    return params, jax.tree.map(keep, new_moments, moments), values, fine


@functools.partial(jax.jit, static_argnums=0)
def _judge(config: Config, params: Parameters, batch: Batch, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    return losses(config, params, batch, noise(config, batch, key, 1.0))
