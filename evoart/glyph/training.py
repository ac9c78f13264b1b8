"""Training a model of letters: one deterministic step after another, each decided by the seed and its own number.

A step takes some fonts. Of each it encodes a few letters, and one vector z drawn from what they say together has to
explain others: so z holds what the letters of a font share.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from evoart.glyph.letters import DEEP, LETTERS, SIDE
from evoart.glyph.model import (
    SURE,
    Config,
    Model,
    combine,
    create_model,
    distances_at,
    encode,
    features,
    places,
    read_style,
    see,
    splines,
)
from evoart.train_state import TrainState, descend, is_finite

SCALE = 31.0  # fields are kept as int8, in 31sts of a pixel
_LOWEST = 0.02  # share of the learning rate that is left in the end
_SPACES = 20.0  # weight of squared errors of the space around letters, in nats
_SMOOTH = 0.02  # weight of squared errors of distances, in nats: so that fields stay smooth away from outlines
_SHOWN = 6  # letters that a font shows of itself, at most
_AT_ONCE = 32  # fonts that are validated at a time
_CACHED = 8  # letters whose points stay in a CPU's cache


@dataclass(frozen=True, eq=False)
class Fields:
    """Fonts as a training sees them.

    Attributes:
        fields: ``(n, SIDE, SIDE)`` int8, see ``letters.distances`` and ``SCALE``.
        spaces: before and after each letter, ``(n, 2)`` float32.
        letters: which letter each is, ``(n,)``.
        starts: the first letter of every font, and of one beyond the last, ``(fonts + 1,)``.
    """

    fields: np.ndarray
    spaces: np.ndarray
    letters: np.ndarray
    starts: np.ndarray

    @property
    def fonts(self) -> int:
        """How many."""
        return len(self.starts) - 1


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes:
        fonts: fonts a step.
        letters: letters of each that z has to explain.
        points: pixels of each letter that a step looks at.
        learning_rate: of Adam at its highest; it falls along a cosine.
        steps: steps over which it falls.
        kl_weight: weight of the KL divergence, in nats, of a font against the mean of its letters.
        seed: of the first weights and of all random numbers.
    """

    fonts: int = 16
    letters: int = 8
    points: int = 400
    learning_rate: float = 2e-3
    steps: int = 8000
    kl_weight: float = 0.03
    seed: int = 0

    @property
    def batch(self) -> int:
        """Letters a step."""
        return self.fonts * self.letters


@dataclass(frozen=True)
class Losses:
    """Of one step or a set, in nats a letter: ``total`` is ``nll + weight * kl`` and the smaller terms; ``cover`` is
    the share of the square that is covered where it should not be or the other way round."""

    nll: float
    kl: float
    total: float
    cover: float


class Training(TrainState):
    """A training in progress.

    Args:
        config: the model's shape.
        settings: how it is trained.
        data, valid: fonts to learn from, and to validate with.
    """

    def __init__(self, config: Config, settings: TrainingConfig, data: Fields, valid: Fields) -> None:
        self.config, self.settings, self.data, self.valid = config, settings, data, valid
        super().__init__(create_model(config, np.random.default_rng([settings.seed, 0])).params)
        covered = 1 / (1 + np.exp(-SURE / SCALE * data.fields[:: max(1, len(data.fields) // 2000)].astype(np.float32)))
        telling = covered.std(0).ravel() + 0.02  # pixels that are the same in all letters tell little
        self._chance = telling / telling.sum()
        self._chosen = _choose(valid, np.random.default_rng([settings.seed, 4]), np.arange(valid.fonts), settings)

    @property
    def model(self) -> Model:
        """The model as it is now."""
        return Model(self.config, {name: np.asarray(value) for name, value in self.params.items()})

    def advance(self) -> Losses:
        """Take one step.

        Raises:
            EvoartError: see ``TrainState.count``.
        """
        settings = self.settings
        at = min(self.step / settings.steps, 1.0)
        warm = min(1.0, self.step / 100)
        rate = settings.learning_rate * warm * (_LOWEST + (1 - _LOWEST) * (1 + np.cos(np.pi * at)) / 2)
        weight = settings.kl_weight * min(1.0, 4 * at)
        rng = np.random.default_rng([settings.seed, 2, self.step])
        chosen = _choose(self.data, rng, rng.integers(0, self.data.fonts, settings.fonts), settings)
        pixels = rng.choice(SIDE * SIDE, settings.points, p=self._chance)
        noise = rng.standard_normal((settings.fonts, self.config.latent), np.float32)
        parts = _part(self.config, pixels, self._chance)
        self.params, self.moments, values, fine = _learn(
            self.config, self.params, self.moments, chosen, parts, noise, np.float32(rate), np.float32(weight)
        )
        self.count(fine, settings.learning_rate)
        return Losses(*(float(value) for value in values))

    def validate(self) -> Losses:
        """Mean losses over the validation fonts: z is the mean of what some letters say, others are judged at all
        pixels, the KL divergence has its full weight."""
        pixels = np.arange(SIDE * SIDE)
        parts = _part(self.config, pixels, np.full(SIDE * SIDE, 1 / SIDE**2))
        sums, weight = np.zeros(4), np.float32(self.settings.kl_weight)
        for first in range(0, self.valid.fonts, _AT_ONCE):
            some = tuple(each[first : first + _AT_ONCE] for each in self._chosen)
            sums += len(some[0]) * np.array([float(v) for v in _judge(self.config, self.params, some, parts, weight)])
        return Losses(*(float(v) for v in sums / self.valid.fonts))


def _choose(data: Fields, rng: np.random.Generator, fonts: np.ndarray, settings: TrainingConfig) -> tuple:
    """Letters of fonts to encode and to explain: what the encoder sees ``(f, k, SEEN * SEEN)``, which letters those
    are ``(f, k)``, how much each counts; fields ``(f, m, SIDE * SIDE)`` int8 to explain, their letters, spaces."""
    shown, told = [], []
    count = settings.letters
    for font in fonts:
        first, last = int(data.starts[font]), int(data.starts[font + 1])
        shown.append(first + rng.integers(0, last - first, _SHOWN))
        told.append(first + rng.integers(0, last - first, count) if last - first < count
                    else first + rng.permutation(last - first)[:count])  # fmt: skip
    shown, told = np.array(shown), np.array(told)
    number = rng.integers(1, _SHOWN + 1, len(shown))
    weights = (np.arange(_SHOWN) < number[:, None]).astype(np.float32)
    seen = see(data.fields[shown.ravel()].astype(np.float32) / SCALE).reshape(*shown.shape, -1)
    fields = data.fields[told].reshape(*told.shape, -1)
    return seen, data.letters[shown], weights, fields, data.letters[told], data.spaces[told]


def _part(config: Config, pixels: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Some pixels, weights ``(p, grid * grid)`` of the features at each, and how much each counts ``(p,)``."""
    matrix = splines(places(SIDE), config.grid)
    rows, columns = matrix[pixels // SIDE], matrix[pixels % SIDE]
    both = (rows[:, :, None] * columns[:, None, :]).reshape(len(pixels), -1)
    return pixels, both.astype(np.float32), (1 / (len(pixels) * chance[pixels])).astype(np.float32)


def _losses(config: Config, params: Any, chosen: Any, parts: Any, noise: Any, weight: Any) -> tuple:
    """Losses as ``Losses`` has them."""
    seen, shown, weights, fields, told, spaces = chosen
    pixels, both, count = parts
    kinds = jnp.eye(len(LETTERS), dtype=jnp.float32)
    mean, precision = encode(params, seen, kinds[shown], jnp)
    mean, variance = combine(mean, precision, weights, jnp)
    z = mean if noise is None else mean + jnp.sqrt(variance) * noise
    n, m = told.shape
    each = jnp.broadcast_to(z[:, None, :], (n, m, config.latent)).reshape(n * m, -1)
    grids, found = features(params, each, kinds[told].reshape(n * m, -1), jnp)
    target = fields.reshape(n * m, -1)[:, pixels]

    def judge(part: tuple[Any, Any]) -> tuple[Any, Any, Any]:
        grids, target = part[0].reshape(-1, config.grid**2, config.channels), part[1].astype(jnp.float32) / SCALE
        distances = distances_at(params, jnp.einsum("pg,ngc->npc", both, grids), jnp)
        wanted = jax.nn.sigmoid(SURE * target)
        cross = optax.sigmoid_binary_cross_entropy(SURE * distances, wanted)
        least = optax.sigmoid_binary_cross_entropy(SURE * target, wanted)  # what a perfect field comes to
        squares = jnp.clip(distances - target, -DEEP, DEEP) ** 2
        return (
            jnp.sum((cross - least) @ count),
            jnp.sum(squares @ count),
            jnp.sum(((distances > 0) != (target > 0)) @ count),
        )

    few = _CACHED if n * m % _CACHED == 0 else n * m
    split = (each.reshape(-1, few, each.shape[-1]) for each in (grids, target))
    nll, far, wrong = (jnp.sum(each) / (n * m) for each in jax.lax.map(jax.checkpoint(judge), tuple(split)))
    wrong = wrong / SIDE**2
    kl = 0.5 * jnp.mean(jnp.sum(mean**2 + variance - 1 - jnp.log(variance), -1))
    space = jnp.mean(jnp.sum((found - spaces.reshape(n * m, 2)) ** 2, 1))
    return nll, kl, nll + weight * kl + _SMOOTH * far + _SPACES * space, wrong


@functools.partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
def _learn(
    config: Config, params: Any, moments: Any, chosen: Any, parts: Any, noise: Any, rate: Any, weight: Any
) -> Any:
    """One step of Adam; nothing changes where a gradient is not finite."""

    def objective(params: Any) -> tuple[Any, Any]:
        values = _losses(config, params, chosen, parts, noise, weight)
        return values[2], values

    gradient, values = jax.grad(objective, has_aux=True)(params)
    fine = is_finite(gradient, values[2])
    return *descend(params, jax.tree.map(jnp.nan_to_num, gradient), moments, rate, fine), values, fine


@functools.partial(jax.jit, static_argnums=0)
def _judge(config: Config, params: Any, chosen: Any, parts: Any, weight: Any) -> Any:
    return _losses(config, params, chosen, parts, None, weight)


def encode_fonts(model: Model, data: Fields) -> np.ndarray:
    """The style ``(fonts, latent)`` of every font, from all its letters."""
    return np.array([
        read_style(model, data.fields[a:b].astype(np.float32) / SCALE, data.letters[a:b])
        for a, b in pairwise(data.starts)
    ])  # fmt: skip
