"""A model draws: from noise, at a temperature, from nothing or after strokes that are there.

All that is random in a drawing is its noise, four normal numbers a step: which Gaussian, the two of the offset, what
the pen does. Drawing is a plain function of the noise, so a drawing can be repeated, and noise can evolve.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evoart.errors import UsageError, unknown
from evoart.sketch import mixture
from evoart.sketch.cells import CELLS
from evoart.sketch.encoder import first_state
from evoart.sketch.model import Config, Model, Parameters, part
from evoart.sketch.numerics import ExactWeights, namespace, ndtr, sigmoid, softmax
from evoart.sketch.strokes import START, from_stroke5, to_stroke5
from evoart.threads import spread
from evoart.types import Array

BATCH = 128  # drawings of one thread at once: what they need stays in a processor's cache
_COLDEST = 1e-4  # temperature that is divided by
_MATRICES = {"wx", "wh", "w", "z"}  # the last part of the names of weights that are multiplied with

# What a temperature does under each rule: divisors of the mixture's and the pen's logits, factor of sigma.
RULES: dict[str, Callable[[Array], tuple[Array, Array, Array]]] = {
    # sketch-rnn-js; for sigma also the paper's equation 8. Drawings end by themselves at low temperatures too.
    "js": lambda tau: (0.5 + 0.5 * tau, 0.5 + 0.5 * tau, namespace(tau).sqrt(tau)),
    # The TensorFlow program of the paper.
    "tf": lambda tau: (tau, tau, tau),
    # Graves' handwriting as in rnn-tutorial: the pen is left alone.
    "handwriting": lambda tau: (tau, namespace(tau).ones_like(tau), tau),
}


@dataclass(frozen=True)
class Sample:
    """A drawing of a model: stroke-3 ``(n, 3)`` float64 in the units of its training data; whether it ended itself."""

    strokes: np.ndarray
    finished: bool


def draw_noise(count: int, steps: int, seed: int, offset: int = 0) -> np.ndarray:
    """The noise of drawings ``offset`` to ``offset + count`` of a seed, ``(count, steps, 4)`` float32, standard normal.

    That of the k-th drawing is always the same, and a longer one begins as the shorter does.
    """
    rngs = (np.random.default_rng([seed, k]) for k in range(offset, offset + count))
    return np.stack([rng.standard_normal((steps, 4), np.float32) for rng in rngs])


def check_temperature(value: float, rule: str) -> None:
    """Raises: UsageError: a temperature outside [0, 2], or an unknown rule."""
    if not 0 <= value <= 2:  # NaN too
        raise UsageError(
            f"a temperature of {value:g} is out of range", "Use 0 to 2: 0.3 is careful, 1 as varied as the data"
        )
    if rule not in RULES:
        raise unknown("temperature rule", rule, RULES)


def draw(
    model: Model,
    noise: np.ndarray,
    *,
    temperature: float = 0.35,
    rule: str = "js",
    z: np.ndarray | None = None,
    classes: np.ndarray | None = None,
    prefix: Sequence[np.ndarray] | None = None,
) -> list[Sample]:
    """The drawings of noise.

    Args:
        noise: ``(count, steps, 4)`` float32; no drawing has more than ``steps`` or ``model.config.max_points`` points.
        temperature: 0 to 2; ``rule``: a name of ``RULES``.
        z: ``(count, latent)``, needed by a VAE.
        classes: class indices ``(count,)``, needed where the model knows classes.
        prefix: stroke-3 of what is drawn already, one per drawing, in the units of the training data; the model
            continues from there, and the drawings contain it.

    Raises:
        UsageError: temperature or rule out of range, or ``prefix`` longer than the model can hold.
    """
    check_temperature(temperature, rule)
    config, count = model.config, len(noise)
    steps = min(noise.shape[1], config.max_points)
    if prefix is not None and (used := max((len(strokes) for strokes in prefix), default=0)) >= steps:
        raise UsageError(
            f"{used} points are given, and '{config.name}' holds {steps}", "Give fewer strokes, or simplify them more"
        )
    params = {
        name: ExactWeights(value) if name.rpartition("/")[2] in _MATRICES and not name.startswith("words/") else value
        for name, value in model.params.items()
    }

    def batch(number: int) -> list[Sample]:
        these = slice(number * BATCH, min((number + 1) * BATCH, count))
        forced, known = _forced(
            config, prefix[these] if prefix is not None else [()] * (these.stop - these.start), steps
        )
        condition, state = _condition(config, params, z, classes, these, noise)
        rows = _run(config, params, (state, condition, forced, known, noise[these, :steps]), temperature, rule)
        return [_drawn(config, row) for row in rows]

    return [sample for samples in spread(batch, -(-count // BATCH)) for sample in samples]


def _run(config: Config, params: Parameters, start: tuple, temperature: float, rule: str) -> np.ndarray:
    """stroke-5 rows ``(count, steps, 5)``; finished drawings make room for the others."""
    state, condition, forced, known, noise = start
    count, steps = noise.shape[:2]
    out = np.zeros((count, steps, 5), np.float32)
    live, x = np.arange(count), np.tile(START, (count, 1))
    cell, own = CELLS[config.cell], part(params, "cell")
    base = cell.base(own, condition)
    divisors = RULES[rule](np.float32(max(temperature, _COLDEST)))
    for t in range(steps):
        state, new = _step(config, params, own, base, state, x, noise[live, t], divisors)
        x = np.where((t < known[live])[:, None], forced[live, t], new)
        out[live, t] = x
        going = x[:, 4] < 0.5
        if not going.all():
            live, state, x, condition = live[going], state[going], x[going], condition[going]
            if not len(live):
                break
            base = cell.base(own, condition)
    return out


def _step(
    config: Config, params: Parameters, own: Parameters, base: Any, state: Array, x: Array, noise: Array, divisors: Any
) -> tuple[Array, Array]:
    """The next state, and the row that it draws ``(batch, 5)`` from noise ``(batch, 4)``."""
    cell = CELLS[config.cell]
    pen = x if config.inputs == 5 else namespace(x).stack([x[:, 0], x[:, 1], x[:, 3]], -1)
    state = cell.step(own, base, state, pen)
    hidden = cell.output(state, config.hidden)
    return state, _pick(mixture.split(hidden @ params["out/w"] + params["out/b"]), noise, *divisors)


def trace(
    config: Config,
    rule: str,
    params: Parameters,
    state: Array,
    x: Array,
    condition: Array,
    noise: Array,
    tau: Array,
) -> tuple[tuple[Array, Array], Array]:
    """Some steps of drawing, for use inside a JAX program.

    Args:
        state, x: the cell's state ``(batch, ...)`` and the last stroke-5 row ``(batch, 5)``.
        condition: z and class ``(batch, config.conditioning)``.
        noise: ``(steps, batch, 4)``; ``tau``: the temperature.

    Returns:
        The new state and row, and all rows ``(steps, batch, 5)``, offsets in the model's units; once a drawing has
        ended its rows say nothing but that.
    """
    import jax
    import jax.numpy as jnp

    own = part(params, "cell")
    base = CELLS[config.cell].base(own, condition)
    divisors = RULES[rule](jnp.maximum(tau, _COLDEST))
    ended = jnp.array([0, 0, 0, 0, 1], jnp.float32)

    def step(carry: Any, noise: Array) -> tuple[Any, Array]:
        state, x = carry
        state, new = _step(config, params, own, base, state, x, noise, divisors)
        new = jnp.where(x[:, 4:] > 0.5, ended, new)
        return (state, new), new

    return jax.lax.scan(step, (state, x), noise)


def _pick(parts: mixture.Mixture, noise: Array, by_pi: Array, by_pen: Array, by_sigma: Array) -> Array:
    """One stroke-5 row ``(batch, 5)`` from noise ``(batch, 4)``."""
    xp = namespace(noise)
    which = _choice(parts.pi / by_pi, ndtr(noise[:, 0]))[:, None]
    of = [xp.take_along_axis(value, which, -1)[:, 0] for value in parts[2:]]
    mu_x, mu_y, sx, sy, rho = of[0], of[1], xp.exp(of[2]) * by_sigma, xp.exp(of[3]) * by_sigma, xp.tanh(of[4])
    z1, z2 = noise[:, 1], noise[:, 2]
    x = mu_x + sx * (rho * z2 + xp.sqrt(1 - rho * rho) * z1)
    y = mu_y + sy * z2
    if parts.pen.shape[-1] == 1:
        up = (ndtr(noise[:, 3]) < sigmoid(parts.pen[:, 0] / by_pen)).astype(x.dtype)
        return xp.stack([x, y, 1 - up, up, xp.zeros_like(x)], -1)
    pen = xp.eye(3, dtype=noise.dtype)[_choice(parts.pen / by_pen, ndtr(noise[:, 3]))]
    moves = 1 - pen[:, 2:]
    return xp.concatenate([xp.stack([x, y], -1) * moves, pen], -1)


def _choice(logits: Array, u: Array) -> Array:
    """Where the running sum of softmax passes ``u (batch,)``."""
    xp = namespace(logits)
    passed = xp.cumsum(softmax(logits), -1) < u[:, None]
    return xp.minimum(xp.sum(passed, -1), logits.shape[-1] - 1)


def _forced(config: Config, prefix: Sequence[Any], steps: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.zeros((len(prefix), steps, 5), np.float32)
    for k, strokes in enumerate(prefix):
        if len(strokes):
            rows[k, : len(strokes)] = to_stroke5(strokes, end=False)
    rows[..., :2] /= config.scale
    return rows, np.array([len(strokes) for strokes in prefix], np.int32)


def _condition(
    config: Config,
    params: Parameters,
    z: np.ndarray | None,
    classes: np.ndarray | None,
    these: slice,
    noise: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """What the decoder is told at every step, and its first state."""
    count = these.stop - these.start
    condition = np.zeros((count, config.conditioning), np.float32)
    state = np.zeros((count, CELLS[config.cell].state_size(config.hidden)), np.float32)
    if config.latent:
        if z is None:
            raise ValueError("a VAE draws from z")
        condition[:, : config.latent] = z[these]
        state = first_state(config, params, z[these].astype(np.float32))
    if config.classes:
        if classes is None:
            raise ValueError("a model of several classes must be told which to draw")
        condition[np.arange(count), config.latent + np.asarray(classes[these], int)] = 1
    if config.inputs == 3:  # handwriting begins from a random state (rnn-tutorial); the noise decides
        seeds = noise[these].view(np.uint32)[:, 0, :]
        state = np.stack([np.random.default_rng(s).normal(0, 0.5, state.shape[1]) for s in seeds]).astype(np.float32)
    return condition, state


def _drawn(config: Config, rows: np.ndarray) -> Sample:
    written = int(np.count_nonzero(rows[:, 2:].any(1)))
    strokes, finished = from_stroke5(rows[:written])
    strokes[:, :2] *= config.scale
    return Sample(strokes, finished)
