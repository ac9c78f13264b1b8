"""What training minimises: reconstruction loss and Kullback-Leibler loss (Ha and Eck, 2017, section 3.2)."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from evoart.sketch import mixture
from evoart.sketch.cells import CELLS
from evoart.sketch.encoder import encode, first_state
from evoart.sketch.model import Config, Parameters, part
from evoart.sketch.unroll import unroll
from evoart.types import Array


class Batch(NamedTuple):
    """Drawings side by side, in the model's units.

    rows ``(steps, batch, 5)``: stroke-5 with the row that ends each drawing, zeros behind it; ``lengths (batch,)``:
    points before that row; ``classes (batch,)``: indices, zeros where there are none.
    """

    rows: Array
    lengths: Array
    classes: Array


class Noise(NamedTuple):
    """The random numbers of a training step: z's draw ``(batch, latent)``, dropout's mask (see ``unroll``) or None."""

    z: Array
    keep: Array | None


def noise(config: Config, batch: Batch, key: Array, keep_prob: float) -> Noise:
    """The random numbers of one training step; ``keep_prob`` in (0, 1] is that of recurrent dropout (1: no dropout)."""
    steps, size, _ = batch.rows.shape
    z = jax.random.normal(key, (size, config.latent))
    if keep_prob >= 1:
        return Noise(z, None)
    level = round(256 * keep_prob)  # bytes are drawn four times as fast as floats
    bits = jax.random.bits(jax.random.fold_in(key, 1), (steps, size, config.hidden), "uint8")
    return Noise(z, jnp.where(bits < level, jnp.uint8(round(255 * level / 256)), jnp.uint8(0)))


def losses(config: Config, params: Parameters, batch: Batch, draws: Noise) -> tuple[Array, Array]:
    """L_R, in nats per point, and L_KL, in nats per latent number (0 for a decoder only).

    The paper divides by the longest sequence, padding included; here by the points there are (and one end each), so
    that neither bucketing nor a stray long drawing changes the figure. Being the log of a density, it may be negative.
    """
    steps, size, _ = batch.rows.shape
    condition = jnp.zeros((size, 0))
    state = jnp.zeros((size, CELLS[config.cell].state_size(config.hidden)))
    kl = jnp.zeros(())
    if config.latent:
        mu, log_var = encode(config, params, batch.rows, batch.lengths)
        kl = -0.5 * jnp.mean(1 + log_var - mu * mu - jnp.exp(log_var))
        condition = mu + jnp.exp(log_var / 2) * draws.z
        state = first_state(config, params, condition)
    if config.classes:
        condition = jnp.concatenate([condition, jax.nn.one_hot(batch.classes, len(config.classes))], -1)
    cell = part(params, "cell")
    start = jnp.broadcast_to(jnp.array([0, 0, 1, 0, 0], jnp.float32), (1, size, 5))
    xs = jnp.concatenate([start, batch.rows[:-1]])
    hs = unroll(config.cell, cell, CELLS[config.cell].base(cell, condition), state, xs, draws.keep)
    parts = mixture.split(hs @ params["out/w"] + params["out/b"])
    t = jnp.arange(steps)[:, None]
    drawn, counted = t < batch.lengths, t <= batch.lengths
    density = jnp.where(drawn, mixture.log_density(parts, batch.rows[..., :2]), 0)
    pen = jnp.where(counted, mixture.log_pen(parts, batch.rows[..., 2:]), 0)
    return -(jnp.sum(density) + jnp.sum(pen)) / jnp.sum(counted), kl
