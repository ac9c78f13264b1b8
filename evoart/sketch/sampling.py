"""A model draws: from noise, at a temperature, from nothing or after strokes that are there.

All that is random in a drawing is its noise, four normal numbers a step: which Gaussian, the two of the offset, what
the pen does. Drawing is a plain function of the noise, so a drawing can be repeated, and noise can evolve.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr

from evoart.errors import UsageError, unknown
from evoart.sketch import mixture
from evoart.sketch.cells import CELLS
from evoart.sketch.encoder import first_state
from evoart.sketch.model import Config, Model, Parameters, part
from evoart.sketch.strokes import START, from_stroke5, to_stroke5
from evoart.types import Array

CHUNK = 32  # steps of one compiled program, about a tenth of a second
BATCH = 512  # drawings at once
_SMALLEST = 64  # batches are halved down to this while drawings finish: each size is a program of its own

# What a temperature does under each rule: divisors of the mixture's and the pen's logits, factor of sigma.
RULES: dict[str, Callable[[Array], tuple[Array, Array, Array]]] = {
    # sketch-rnn-js; for sigma also the paper's equation 8. Drawings end by themselves at low temperatures too.
    "js": lambda tau: (0.5 + 0.5 * tau, 0.5 + 0.5 * tau, jnp.sqrt(tau)),
    # The TensorFlow program of the paper.
    "tf": lambda tau: (tau, tau, tau),
    # Graves' handwriting as in rnn-tutorial: the pen is left alone.
    "handwriting": lambda tau: (tau, jnp.ones_like(tau), tau),
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
    stop: Callable[[], bool] = lambda: False,
) -> list[Sample]:
    """The drawings of noise.

    Args:
        noise: ``(count, steps, 4)`` float32; no drawing has more than ``steps`` or ``model.config.max_points`` points.
        temperature: 0 to 2; ``rule``: a name of ``RULES``.
        z: ``(count, latent)``, needed by a VAE.
        classes: class indices ``(count,)``, needed where the model knows classes.
        prefix: stroke-3 of what is drawn already, one per drawing, in the units of the training data; the model
            continues from there, and the drawings contain it.
        stop: called between chunks; True ends the work, and unfinished drawings stay as they are.

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
    params = {name: jax.device_put(value) for name, value in model.params.items()}
    drawn: list[Sample] = []
    for first in range(0, count, BATCH):
        these = slice(first, min(first + BATCH, count))
        forced, known = _forced(config, prefix[these] if prefix is not None else [()] * (these.stop - first), steps)
        condition, state = _condition(config, params, z, classes, these, noise)
        rows = _run(config, params, (state, condition, forced, known, noise[these, :steps]), temperature, rule, stop)
        drawn += [_drawn(config, row) for row in rows]
    return drawn


def _run(
    config: Config, params: Parameters, start: tuple, temperature: float, rule: str, stop: Callable[[], bool]
) -> np.ndarray:
    """stroke-5 rows ``(count, steps, 5)``, chunk by chunk; finished drawings make room for the others."""
    state, condition, forced, known, noise = start
    count, steps = noise.shape[:2]
    out = np.zeros((count, steps, 5), np.float32)
    live, t = np.arange(count), 0
    size = _power(count)
    fit = functools.partial(_padded, size=size)
    carry = (fit(state), np.tile(START, (size, 1)), fit(condition))
    while t < steps and len(live) and not stop():
        span = min(CHUNK, steps - t)
        chunk = [_padded(_padded(a[live, t : t + span], size).swapaxes(0, 1), CHUNK) for a in (noise, forced)]
        carry, rows = _chunk(config, rule, params, carry, *chunk, fit(known[live]) - t, np.float32(temperature))
        out[live, t : t + span] = np.asarray(rows)[:span, : len(live)].swapaxes(0, 1)
        t += span
        going = np.flatnonzero(out[live, t - 1, 4] < 0.5)
        if len(going) <= size // 2 and size > _SMALLEST:
            size = max(_power(len(going)), _SMALLEST)
            fit = functools.partial(_padded, size=size)
            carry = tuple(fit(np.asarray(a)[going]) for a in carry)
            live = live[going]
        elif not len(going):
            break
    return out


@functools.partial(jax.jit, static_argnums=(0, 1))
def _chunk(
    config: Config, rule: str, params: Parameters, carry: Any, noise: Array, forced: Array, known: Array, tau: Array
) -> tuple[Any, Array]:
    state, x, condition = carry
    (state, x), rows = trace(config, rule, params, state, x, condition, noise, tau, forced, known)
    return (state, x, condition), rows


def trace(
    config: Config,
    rule: str,
    params: Parameters,
    state: Array,
    x: Array,
    condition: Array,
    noise: Array,
    tau: Array,
    forced: Array | None = None,
    known: Array | None = None,
) -> tuple[tuple[Array, Array], Array]:
    """Some steps of drawing, for use inside a JAX program.

    Args:
        state, x: the cell's state ``(batch, ...)`` and the last stroke-5 row ``(batch, 5)``.
        condition: z and class ``(batch, config.conditioning)``.
        noise: ``(steps, batch, 4)``; ``tau``: the temperature.
        forced, known: rows ``(steps, batch, 5)`` that are taken instead of drawn in the first ``known (batch,)`` steps.

    Returns:
        The new state and row, and all rows ``(steps, batch, 5)``, offsets in the model's units; once a drawing has
        ended its rows say nothing but that.
    """
    cell, own = CELLS[config.cell], part(params, "cell")
    base = cell.base(own, condition)
    divisors = RULES[rule](jnp.maximum(tau, 1e-4))
    ended = jnp.array([0, 0, 0, 0, 1], jnp.float32)

    def step(carry: Any, inputs: Any) -> tuple[Any, Array]:
        state, x = carry
        noise, row, t = inputs
        pen = x if config.inputs == 5 else jnp.stack([x[:, 0], x[:, 1], x[:, 3]], -1)
        state = cell.step(own, base, state, pen)
        hidden = cell.output(state, config.hidden)
        new = _pick(mixture.split(hidden @ params["out/w"] + params["out/b"]), noise, *divisors)
        if forced is not None:
            new = jnp.where((t < known)[:, None], row, new)
        new = jnp.where(x[:, 4:] > 0.5, ended, new)
        return (state, new), new

    rows = jnp.zeros((noise.shape[0], 0)) if forced is None else forced
    return jax.lax.scan(step, (state, x), (noise, rows, jnp.arange(noise.shape[0])))


def _pick(parts: mixture.Mixture, noise: Array, by_pi: Array, by_pen: Array, by_sigma: Array) -> Array:
    """One stroke-5 row ``(batch, 5)`` from noise ``(batch, 4)``."""
    which = _choice(parts.pi / by_pi, ndtr(noise[:, 0]))[:, None]
    of = [jnp.take_along_axis(value, which, -1)[:, 0] for value in parts[2:]]
    mu_x, mu_y, sx, sy, rho = of[0], of[1], jnp.exp(of[2]) * by_sigma, jnp.exp(of[3]) * by_sigma, jnp.tanh(of[4])
    z1, z2 = noise[:, 1], noise[:, 2]
    x = mu_x + sx * (rho * z2 + jnp.sqrt(1 - rho * rho) * z1)
    y = mu_y + sy * z2
    if parts.pen.shape[-1] == 1:
        up = (ndtr(noise[:, 3]) < jax.nn.sigmoid(parts.pen[:, 0] / by_pen)).astype(x.dtype)
        return jnp.stack([x, y, 1 - up, up, jnp.zeros_like(x)], -1)
    pen = jax.nn.one_hot(_choice(parts.pen / by_pen, ndtr(noise[:, 3])), 3)
    moves = 1 - pen[:, 2:]
    return jnp.concatenate([jnp.stack([x, y], -1) * moves, pen], -1)


def _choice(logits: Array, u: Array) -> Array:
    """Where the running sum of softmax passes ``u (batch,)``."""
    passed = jnp.cumsum(jax.nn.softmax(logits, -1), -1) < u[:, None]
    return jnp.minimum(jnp.sum(passed, -1), logits.shape[-1] - 1)


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
        state = np.asarray(first_state(config, params, jnp.asarray(z[these], jnp.float32)))
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


def _power(count: int) -> int:
    return 1 << max(0, count - 1).bit_length()


def _padded(a: np.ndarray, size: int) -> np.ndarray:
    """``a`` with rows of zeros behind it: few sizes mean few compiled programs."""
    return np.concatenate([a, np.zeros((size - len(a), *a.shape[1:]), a.dtype)]) if len(a) < size else a
