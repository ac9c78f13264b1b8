"""A step of an automaton inside a JAX program that computes only cells that change: of a lizard a fifth of the grid.

The network is evaluated for cells that are alive and have their turn, which are first moved together. The result is
that of ``rule.advance`` up to the order of sums.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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


class Turn(NamedTuple):
    """Whose turn it is in a step of ``n`` cells in all.

    Attributes:
        alive: before the step, ``(batch, rows, columns)`` bool.
        cells: numbers of those that are alive and change, ``(capacity,)`` int32; ``n`` where there are fewer.
        slots: where in ``cells`` each cell is, ``(n,)``; ``capacity`` or more where it is not.
        fits: whether ``cells`` has all of them.
    """

    alive: Array
    cells: Array
    slots: Array
    fits: Array


def choose(state: Array, change: Array, capacity: int) -> Turn:
    """Whose turn it is; see ``rule.advance``. No gradient goes through it: on the way back it is not done again."""
    alive = rule.alive(jnp, jax.lax.stop_gradient(state))
    active = (alive & change).ravel()
    rank = jnp.cumsum(active)
    cells = jnp.searchsorted(rank, jnp.arange(1, capacity + 1, dtype=rank.dtype)).astype(jnp.int32)
    return Turn(alive, cells, jnp.where(active, rank - 1, capacity), rank[-1] <= capacity)


def advance(genome: Array, state: Array, turn: Turn) -> Array:
    """The cells after a step in which ``turn`` fits, see ``rule.advance``."""
    table = genome.reshape(-1, rule.row_length())
    seen = jnp.concatenate(rule.see(jnp, state), -1).reshape(-1, rule.SEEN)
    some = _take(seen, turn.cells, turn.slots)
    inner = jnp.maximum(some @ table[:, : rule.SEEN].T + table[:, rule.SEEN], 0)
    change = _take(inner @ table[:, rule.SEEN + 1 :], turn.slots, turn.cells)
    moved = jnp.clip(state + change.reshape(state.shape), -rule.HIGHEST, rule.HIGHEST)
    return moved * (turn.alive & rule.alive(jnp, moved))[..., None]


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
