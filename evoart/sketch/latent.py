"""Latent vectors of a VAE: encoding, interpolation, a plane through them, sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evoart.errors import UsageError
from evoart.sketch.encoder import encode as _encode
from evoart.sketch.model import Model
from evoart.sketch.strokes import to_stroke5


def encode(model: Model, sketches: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of z, each ``(count, latent)``, of stroke-3 in the units of the training data.

    Raises:
        UsageError: the model is a decoder only, or a sketch is empty or longer than the model can hold.
    """
    import jax
    import jax.numpy as jnp

    model.need_latent("encode a drawing")
    config = model.config
    for sketch in sketches:
        if not 1 <= len(sketch) <= config.max_points:
            raise UsageError(
                f"a drawing of {len(sketch)} points does not go with '{config.name}'",
                f"It takes 1 to {config.max_points}",
            )
    rows = np.zeros((config.max_points, len(sketches), 5), np.float32)
    for k, sketch in enumerate(sketches):
        rows[: len(sketch), k] = to_stroke5(sketch, end=False)
    rows[..., :2] /= config.scale
    params = {name: jnp.asarray(value) for name, value in model.params.items()}
    lengths = np.array([len(sketch) for sketch in sketches], np.int32)
    mu, log_var = jax.jit(_encode, static_argnums=0)(config, params, rows, lengths)
    return np.asarray(mu), np.exp(np.asarray(log_var) / 2)


def slerp(a: np.ndarray, b: np.ndarray, steps: int) -> np.ndarray:
    """``steps`` latent vectors from ``a`` to ``b``, both included, along the great circle between their directions.

    Gaussian vectors of many dimensions lie in a thin shell; a straight line would leave it (White, "Sampling
    Generative Networks", 2016). Lengths go over evenly. Opposite or vanishing vectors have no great circle: a line.
    """
    shares = np.linspace(0, 1, steps)[:, None]
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if min(lengths) < 1e-9:
        return a + shares * (b - a)
    u, v = a / lengths[0], b / lengths[1]
    angle = np.arccos(np.clip(u @ v, -1, 1))
    if np.sin(angle) < 1e-6:
        return a + shares * (b - a)
    direction = (np.sin((1 - shares) * angle) * u + np.sin(shares * angle) * v) / np.sin(angle)
    return direction * (lengths[0] + shares * (lengths[1] - lengths[0]))


def plane(centre: np.ndarray, u: np.ndarray, v: np.ndarray, rows: int, columns: int, reach: float) -> np.ndarray:
    """Latent vectors ``(rows * columns, latent)``, row by row, of a slice through ``centre``.

    ``u`` and ``v`` are made orthonormal; the slice reaches ``reach`` along each to either side.
    """
    u = u / np.linalg.norm(u)
    v = v - (v @ u) * u
    v = v / np.linalg.norm(v)
    across = np.linspace(-reach, reach, columns) if columns > 1 else np.zeros(1)
    down = np.linspace(-reach, reach, rows) if rows > 1 else np.zeros(1)
    return np.concatenate([centre + y * v + across[:, None] * u for y in down])


def between_corners(corners: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Latent vectors ``(rows * columns, latent)``, row by row, of a sheet with ``corners (4, latent)`` in its
    corners, the upper ones first; see ``slerp``."""
    upper, lower = slerp(corners[0], corners[1], columns), slerp(corners[2], corners[3], columns)
    return np.stack([slerp(a, b, rows) for a, b in zip(upper, lower, strict=True)], 1).reshape(rows * columns, -1)


def combined(plus: np.ndarray, minus: np.ndarray) -> np.ndarray:
    """Latent arithmetic: the sum of ``plus (p, latent)`` less that of ``minus (m, latent)``."""
    return plus.sum(0) - (minus.sum(0) if len(minus) else 0)
