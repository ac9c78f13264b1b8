"""A drawing to its place in the latent space: a bidirectional LSTM (Ha and Eck, 2017, equations 1 and 2)."""

from __future__ import annotations

from evoart.sketch.model import Config, Parameters, part
from evoart.sketch.numerics import tanh
from evoart.types import Array


def encode(config: Config, params: Parameters, rows: Array, lengths: Array) -> tuple[Array, Array]:
    """Mean and log variance of z, each ``(batch, latent)``.

    Args:
        rows: stroke-5 ``(steps, batch, 5)`` in the model's units, without the start token.
        lengths: points of each drawing ``(batch,)``, 1 or more; the rows after them do not count.
    """
    import jax.numpy as jnp

    from evoart.sketch.unroll import unroll

    steps, batch, _ = rows.shape
    zero = jnp.zeros((batch, 2 * config.encoder), rows.dtype)
    last = jnp.clip(lengths, 1, steps) - 1
    # Backwards within its own length: row t of the reversed drawing is row last - t.
    back = jnp.clip(last[None] - jnp.arange(steps)[:, None], 0, None)
    backwards = jnp.take_along_axis(rows, back[..., None], 0)
    ends = []
    for way, xs in (("forward", rows), ("backward", backwards)):
        cell = part(params, way)
        base = jnp.broadcast_to(cell["b"], (batch, 4 * config.encoder))
        hs = unroll("lstm", cell, base, zero, xs, None)
        ends.append(jnp.take_along_axis(hs, last[None, :, None], 0)[0])
    h = jnp.concatenate(ends, -1)
    return h @ params["mu/w"] + params["mu/b"], h @ params["sigma/w"] + params["sigma/b"]


def first_state(config: Config, params: Parameters, z: Array) -> Array:
    """The decoder's state before its first step: ``tanh(z W + b)``."""
    return tanh(z @ params["start/w"] + params["start/b"])
