"""Where the pixels of a picture lie on the networks' plane, and the symmetries it may have.

The long side runs from -1 to 1 with the middle at 0, y down, whatever the number of pixels: pixels are samples.
"""

from __future__ import annotations

import re

import numpy as np

from evoart.errors import UsageError
from evoart.types import Array

SPATIAL = ("x", "y", "r")  # a network's first inputs; latent numbers follow
SYMMETRIES = ("none", "x", "y", "xy", "kaleidoscope")
_KALEIDOSCOPE = re.compile(r"kaleidoscope(?::(\d{1,2}))?")


def wedges(symmetry: str) -> int:
    """Mirrored wedges of a ``kaleidoscope:N`` (6 where N is not said); 0 for the other symmetries.

    Raises:
        UsageError: no such symmetry.
    """
    if symmetry in SYMMETRIES[:4]:
        return 0
    match = _KALEIDOSCOPE.fullmatch(symmetry)
    count = int(match[1] or 6) if match else 0
    if not 2 <= count <= 24:
        raise UsageError(f"'{symmetry}' is not a symmetry", "Use none, x, y, xy, or kaleidoscope:N with N from 2 to 24")
    return count


def fold(x: Array, y: Array, symmetry: str) -> tuple[Array, Array]:
    """The point of the fundamental region that ``(x, y)`` is a mirror image of."""
    import jax.numpy as jnp

    if count := wedges(symmetry):
        r = jnp.sqrt(x * x + y * y)
        turn = jnp.arctan2(y, x) * np.float32(count / (2 * np.pi))
        angle = jnp.abs(turn - jnp.floor(turn + np.float32(0.5))) * np.float32(2 * np.pi / count)
        return r * jnp.cos(angle), r * jnp.sin(angle)
    if symmetry in ("x", "xy"):
        x = jnp.abs(x)
    if symmetry in ("y", "xy"):
        y = jnp.abs(y)
    return x, y


def inputs(x: Array, y: Array, latent: Array, symmetry: str) -> Array:
    """A network's inputs ``(3 + latent, p)``: x, y, r and the latent numbers ``(latent,)``, the same everywhere."""
    import jax.numpy as jnp

    x, y = fold(x, y, symmetry)
    constant = jnp.broadcast_to(latent[:, None], (latent.shape[0], x.shape[0]))
    return jnp.concatenate([jnp.stack([x, y, jnp.sqrt(x * x + y * y)]), constant])


def positions(index: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    """x and y ``(p,)`` of the pixels numbered ``index`` ``(p,)`` int32, row by row, of a picture of ``size`` (w, h)."""
    import jax.numpy as jnp

    w, h = size
    step = np.float32(2 / max(w, h))
    column, row = index % w, index // w
    x = (column.astype(jnp.float32) - np.float32((w - 1) / 2)) * step
    y = (row.astype(jnp.float32) - np.float32((h - 1) / 2)) * step
    return x, y
