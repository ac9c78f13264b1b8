"""A step of an automaton inside a JAX program that computes only cells that change: of a lizard a fifth of the grid.

The network is evaluated for cells that are alive and have their turn, which are first moved together. The result is
that of ``rule.advance`` up to the order of sums.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.automaton import rule
from evoart.types import Array

_MARGIN = 1.3  # of cells that may change, over those that do while the automaton looks like its target


def find_capacity(target: np.ndarray, batch: int) -> int:
    """How many cells of a batch change in a step at most, unless there is much more than the target ``(rows, columns,
    4)``: then all are computed."""
    cells = np.zeros((1, *target.shape[:2], rule.CHANNELS), np.float32)
    cells[..., : rule.ALPHA + 1] = target
    alive = batch * int(rule.alive(np, cells).sum())
    return min(int(_MARGIN * alive / 2) + 64, batch * target.shape[0] * target.shape[1])


def advance(genome: Array, state: Array, change: Array, capacity: int) -> Array:
    """The cells after a step, see ``rule.advance``; fast where at most ``capacity`` of them change."""
    table = genome.reshape(-1, rule.row_length())
    before = rule.alive(jnp, state)
    active = (before & change).ravel()
    seen = jnp.concatenate(rule.see(jnp, state), -1).reshape(-1, rule.SEEN)

    def network(cells: Array) -> Array:
        inner = jnp.maximum(cells @ table[:, : rule.SEEN].T + table[:, rule.SEEN], 0)
        return inner @ table[:, rule.SEEN + 1 :]

    def some(seen: Array) -> Array:
        rank = jnp.cumsum(active)
        cells = jnp.searchsorted(rank, jnp.arange(1, capacity + 1, dtype=rank.dtype)).astype(jnp.int32)
        slots = jnp.where(active, rank - 1, capacity)  # of each cell; beyond the last: nothing
        return _take(network(_take(seen, cells, slots)), slots, cells)

    def every(seen: Array) -> Array:
        return network(seen) * active[:, None]

    moved = state + jax.lax.cond(active.sum() <= capacity, some, every, seen).reshape(state.shape)
    moved = jnp.clip(moved, -rule.HIGHEST, rule.HIGHEST)
    return moved * (before & rule.alive(jnp, moved))[..., None]


@jax.custom_vjp
def _take(rows: Array, which: Array, back: Array) -> Array:
    """``rows[which]``, nothing where that is out of range; ``back`` is the inverse: what of the result each row became.

    Its gradient is a look-up as well: that of JAX adds up row after row, which takes much longer.
    """
    return jnp.take(rows, which, 0, mode="fill", fill_value=0)


def _take_forward(rows: Array, which: Array, back: Array) -> tuple[Array, Array]:
    return _take(rows, which, back), back


def _take_backward(back: Array, gradient: Array) -> tuple[Any, None, None]:
    return jnp.take(gradient, back, 0, mode="fill", fill_value=0), None, None


_take.defvjp(_take_forward, _take_backward)
