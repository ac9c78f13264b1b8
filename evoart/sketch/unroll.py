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
        base, state: see ``cells``; ``keep (steps, batch, hidden)`` is recurrent dropout's mask, or None.
    """
    hidden = params["wh"].shape[0]
    if cell == "lstm":
        weights = jnp.concatenate([params["wx"][: xs.shape[-1]], params["wh"]])
        shift = jnp.concatenate([jnp.zeros(2 * hidden), jnp.full(hidden, FORGET), jnp.zeros(hidden)])
        gates = tuple(jnp.split(weights, 4, -1)), tuple(jnp.split(base + shift, 4, -1))
        keep = jnp.ones((), xs.dtype) if keep is None else keep
        return _lstm(*gates, state[:, :hidden], state[:, hidden:], xs, keep)

    def step(state: Array, inputs: tuple[Array, Array | None]) -> tuple[Array, Array]:
        x, kept = inputs
        state = CELLS[cell].step(params, base, state, x, kept)
        return state, CELLS[cell].output(state, hidden)

    return jax.lax.scan(step, state, (xs, keep))[1]


@jax.custom_vjp
def _lstm(weights: Any, base: Any, c: Array, h: Array, xs: Array, keep: Array) -> Array:
    """Hidden states. ``weights`` and ``base`` are given gate by gate: slices of one array would be copied each step."""
    return _lstm_forward(weights, base, c, h, xs, keep)[0]


def _lstm_forward(weights: Any, base: Any, c: Array, h: Array, xs: Array, keep: Array) -> tuple[Array, Any]:
    masked = keep.ndim > 0

    def step(state: Any, inputs: Any) -> tuple[Any, Any]:
        c, h = state
        x, kept = inputs
        xh = jnp.concatenate([x, h], -1)
        i, g, f, o = [xh @ w + b for w, b in zip(weights, base, strict=True)]
        i, g, f, o = jax.nn.sigmoid(i), jnp.tanh(g), jax.nn.sigmoid(f), jax.nn.sigmoid(o)
        new = c * f + i * (g * kept if masked else g)
        h = o * jnp.tanh(new)
        return (new, h), (h, xh, c, i, g, f, o)

    _, (hs, *kept) = jax.lax.scan(step, (c, h), (xs, keep if masked else None))
    return hs, (weights, keep, xs, kept)


def _lstm_backward(residuals: Any, by_hs: Array) -> Any:
    weights, keep, xs, (xhs, *states) = residuals
    masked = keep.ndim > 0
    back = [w[xs.shape[-1] :].T for w in weights]

    def step(carry: Any, inputs: Any) -> tuple[Any, Any]:
        dc, dh, dbase = carry
        by_h, kept, c, i, g, f, o = inputs
        gk = g * kept if masked else g
        t = jnp.tanh(c * f + i * gk)
        dh = dh + by_h
        dc = dc + dh * o * (1 - t * t)
        dg = dc * i * (1 - g * g)
        dgates = (dc * gk * i * (1 - i), dg * kept if masked else dg, dc * c * f * (1 - f), dh * t * o * (1 - o))
        dh = sum(d @ w for d, w in zip(dgates, back, strict=True))
        return (dc * f, dh, tuple(a + b for a, b in zip(dbase, dgates, strict=True))), dgates

    nothing = jnp.zeros_like(states[0][0])
    start = (nothing, nothing, (nothing,) * 4)
    inputs = (by_hs, keep if masked else None, *states)
    (dc, dh, dbase), dgates = jax.lax.scan(step, start, inputs, reverse=True)
    flat = xhs.reshape(-1, xhs.shape[-1]).T
    dweights = tuple(flat @ d.reshape(-1, d.shape[-1]) for d in dgates)
    # Nobody asks what pen positions or a dropout mask would change.
    return dweights, dbase, dc, dh, jnp.zeros_like(xs), jnp.zeros_like(keep)


_lstm.defvjp(_lstm_forward, _lstm_backward)
