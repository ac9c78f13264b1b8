"""A cell over a whole sequence, with a gradient that does not wait for itself.

What autodiff makes of an LSTM's loop adds a large weight gradient at every step. Written by hand, the backward loop
only keeps what each gate's input changes, and one large product at the end gives the weights (Appleyard, Kocisky and
Blunsom, "Optimizing Performance of Recurrent Neural Networks on GPUs", 2016, section 3.2).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from evoart.sketch.cells import CELLS, FORGET
from evoart.types import Array


def unroll(cell: str, params: dict[str, Array], base: Any, state: Array, xs: Array, keep: Array | None) -> Array:
    """Hidden states ``(steps, batch, hidden)`` of a cell along ``xs (steps, batch, inputs)``.

    Args:
        base, state: see ``cells``.
        keep: recurrent dropout's mask ``(steps, batch, hidden)``, uint8: 255 times the share that is kept where a unit
            is kept, 0 where it is not; or None.
    """
    hidden = params["wh"].shape[0]
    if cell == "lstm":
        weights = jnp.concatenate([params["wx"][: xs.shape[-1]], params["wh"]])
        shift = jnp.concatenate([jnp.zeros(2 * hidden), jnp.full(hidden, FORGET), jnp.zeros(hidden)])
        gates = tuple(jnp.split(weights, 4, -1)), tuple(jnp.split(base + shift, 4, -1))
        return _lstm(*gates, state[:, :hidden], state[:, hidden:], xs, keep)

    def step(state: Array, inputs: tuple[Array, Array | None]) -> tuple[Array, Array]:
        x, kept = inputs
        state = CELLS[cell].step(params, base, state, x, None if kept is None else scaled(kept))
        return state, CELLS[cell].output(state, hidden)

    return jax.lax.scan(step, state, (xs, keep))[1]


def scaled(keep: Array) -> Array:
    """The factors of a dropout mask: 0, or one over the share that is kept."""
    return jnp.where(keep > 0, 255.0 / jnp.maximum(keep, 1).astype(jnp.float32), 0.0)


@jax.custom_vjp
def _lstm(weights: Any, base: Any, c: Array, h: Array, xs: Array, keep: Array | None) -> Array:
    """Hidden states. ``weights`` and ``base`` are given gate by gate: slices of one array would be copied each step."""
    return _lstm_forward(weights, base, c, h, xs, keep)[0]


def _lstm_forward(weights: Any, base: Any, c: Array, h: Array, xs: Array, keep: Array | None) -> tuple[Array, Any]:
    def step(state: Any, inputs: Any) -> tuple[Any, Any]:
        c, h = state
        x, kept = inputs
        xh = jnp.concatenate([x, h], -1)
        i, g, f, o = [xh @ w + b for w, b in zip(weights, base, strict=True)]
        i, g, f, o = jax.nn.sigmoid(i), jnp.tanh(g), jax.nn.sigmoid(f), jax.nn.sigmoid(o)
        new = c * f + i * (g if kept is None else g * scaled(kept))
        h = o * jnp.tanh(new)
        return (new, h), (h, xh, c, i, g, f, o)

    _, (hs, *states) = jax.lax.scan(step, (c, h), (xs, keep))
    return hs, (weights, keep, xs, states)


def _lstm_backward(residuals: Any, by_hs: Array) -> Any:
    weights, keep, xs, (xhs, *states) = residuals
    back = [w[xs.shape[-1] :].T for w in weights]

    def step(carry: Any, inputs: Any) -> tuple[Any, Any]:
        dc, dh, dbase = carry
        by_h, kept, c, i, g, f, o = inputs
        mask = 1.0 if kept is None else scaled(kept)
        gk = g * mask
        t = jnp.tanh(c * f + i * gk)
        dh = dh + by_h
        dc = dc + dh * o * (1 - t * t)
        gates = (dc * gk * i * (1 - i), dc * i * mask * (1 - g * g), dc * c * f * (1 - f), dh * t * o * (1 - o))
        dbase = tuple(a + b for a, b in zip(dbase, gates, strict=True))
        dh = sum(d @ w for d, w in zip(gates, back, strict=True))
        return (dc * f, dh, dbase), gates

    nothing = jnp.zeros_like(states[0][0])
    start = (nothing, nothing, (nothing,) * 4)
    (dc, dh, dbase), dgates = jax.lax.scan(step, start, (by_hs, keep, *states), reverse=True)
    flat = xhs.reshape(-1, xhs.shape[-1]).T
    dweights = tuple(flat @ d.reshape(-1, d.shape[-1]) for d in dgates)
    # Nobody asks what pen positions would change; a mask of whole numbers has no gradient.
    return dweights, dbase, dc, dh, jnp.zeros_like(xs), None


_lstm.defvjp(_lstm_forward, _lstm_backward)
