"""The rule of a neural cellular automaton (Mordvintsev, Randazzo, Niklasson and Levin, 2020), for NumPy and JAX.

Every cell has 16 numbers, of which the first four are its colour and its opacity, the colour times the opacity. In each
step a cell sees itself and how its neighbours differ, and a small network says how its numbers change. A cell changes
in about half of the steps only, so that no clock is shared; it is alive as long as itself or a neighbour is opaque.

Two things differ from the paper. Numbers are held within ``HIGHEST``, so that half floats of a phone can hold them.
Which cells change in a step follows from a seed by integers alone, so that NumPy, JAX and a shader agree on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.types import Array, Genome

CHANNELS = 16
SEEN = 3 * CHANNELS  # what a cell sees: its numbers, and their slopes along x and along y
ALPHA = 3  # the channel that says how opaque a cell is
ALIVE = 0.1  # opacity above which a cell keeps itself and its neighbours alive
HIGHEST = 8.0  # no number of a cell goes beyond plus and minus this
HEALING = 100  # steps after a wound at which healing is judged
FAR = 10.0  # radius of a wound whose edge is about a straight line
WOUND = (0.68, 0.36, 0.22)  # the wound that is shown: a disc, see ``place_wound``
_JUDGED = (WOUND, (0.5, 0.5, 0.2), (0.3, 0.68, 0.25))  # those that are judged, with two halves
_ODD = 0x9E3779B9  # spreads the number of a step over 32 bits
_BLOCK = 1 << 18  # products of one call of BLAS, at most: OpenBLAS gives more than that to several threads


def row_length() -> int:
    """Numbers of each hidden unit in a genome: weights of what is seen, a bias, weights of what changes."""
    return SEEN + 1 + CHANNELS


def random_genome(rng: np.random.Generator, hidden: int, strength: float = 0.02) -> Genome:
    """A genome ``(hidden * 65,)``; what a cell sees changes it by about ``strength`` a step."""
    seen = rng.normal(0, (2 / SEEN) ** 0.5, (hidden, SEEN))
    changes = rng.normal(0, strength / hidden**0.5, (hidden, CHANNELS))
    return np.concatenate([seen, np.zeros((hidden, 1)), changes], 1).astype(np.float32).ravel()


def seed_cell(rows: int, columns: int) -> np.ndarray:
    """One black, opaque cell in the middle of empty ones: ``(1, rows, columns, 16)`` float32."""
    state = np.zeros((1, rows, columns, CHANNELS), np.float32)
    state[:, rows // 2, columns // 2, ALPHA:] = 1
    return state


def changing(xp: Any, seeds: Array, step: Any, rows: int, columns: int) -> Array:
    """Which cells change in a step: ``(n, rows, columns)`` bool, about half of them.

    Args:
        seeds: ``(n,)`` uint32, one for each automaton.
        step: its number, from 0.
    """
    start = _scramble(xp, seeds ^ (xp.asarray([step]).astype(xp.uint32) * xp.uint32(_ODD)))
    places = xp.arange(rows * columns, dtype=xp.uint32).reshape(1, rows, columns)
    return (_scramble(xp, start[:, None, None] ^ places) >> xp.uint32(31)) == 1


def _scramble(xp: Any, x: Array) -> Array:
    """A hash of 32 bits ("lowbias32", C. Wellons, 2018)."""
    x = (x ^ (x >> xp.uint32(16))) * xp.uint32(0x7FEB352D)
    x = (x ^ (x >> xp.uint32(15))) * xp.uint32(0x846CA68B)
    return x ^ (x >> xp.uint32(16))


def advance(xp: Any, genome: Array, state: Array, change: Array) -> Array:
    """The cells after a step.

    Args:
        genome: ``(hidden * 65,)``.
        state: ``(n, rows, columns, 16)``.
        change: which cells change, ``(n, rows, columns)``; see ``changing``.
    """
    table = genome.reshape(-1, row_length())
    before = alive(xp, state)
    inner = table[:, SEEN]
    for i, view in enumerate(see(xp, state)):
        inner = inner + _product(xp, view, table[:, i * CHANNELS : (i + 1) * CHANNELS].T)
    inner = xp.maximum(inner, 0)
    moved = state + _product(xp, inner, table[:, SEEN + 1 :]) * change[..., None]
    moved = xp.clip(moved, -HIGHEST, HIGHEST)
    return moved * (before & alive(xp, moved))[..., None]


def see(xp: Any, state: Array) -> tuple[Array, Array, Array]:
    """What each cell sees: itself, and how its neighbours differ along x and along y (an eighth of Sobel's filters).

    Each is ``(n, rows, columns, 16)``; around the grid is nothing.
    """
    wide = xp.pad(state, ((0, 0), (1, 1), (1, 1), (0, 0)))
    over, level, under = wide[:, :-2], wide[:, 1:-1], wide[:, 2:]
    smooth, slope = over + 2 * level + under, under - over
    across = (smooth[:, :, 2:] - smooth[:, :, :-2]) / 8
    down = (slope[:, :, :-2] + 2 * slope[:, :, 1:-1] + slope[:, :, 2:]) / 8
    return state, across, down


def alive(xp: Any, state: Array) -> Array:
    """Which cells are alive ``(n, rows, columns)``: the most opaque of three by three counts."""
    wide = xp.pad(state[..., ALPHA], ((0, 0), (1, 1), (1, 1)))
    tall = xp.maximum(xp.maximum(wide[:, :-2], wide[:, 1:-1]), wide[:, 2:])
    return xp.maximum(xp.maximum(tall[..., :-2], tall[..., 1:-1]), tall[..., 2:]) > ALIVE


def _product(xp: Any, a: Array, b: Array) -> Array:
    """``a @ b``; NumPy's in parts so small that one thread does each, for the same bits with any number of threads."""
    flat = a.reshape(-1, a.shape[-1])
    if xp is not np:
        return (flat @ b).reshape(*a.shape[:-1], -1)
    size = max(1, _BLOCK // (b.shape[0] * b.shape[1]))
    rest = -len(flat) % size
    parts = np.pad(flat, ((0, rest), (0, 0))).reshape(-1, size, a.shape[-1])
    return (parts @ np.ascontiguousarray(b)).reshape(-1, b.shape[1])[: len(flat)].reshape(*a.shape[:-1], -1)


def simulate(genome: Genome, state: np.ndarray, seed: int, first: int, last: int) -> np.ndarray:
    """The cells after the steps ``first`` to ``last`` (exclusive), by NumPy; see ``advance``."""
    seeds = np.array([seed], np.uint32)
    for step in range(first, last):
        state = advance(np, genome, state, changing(np, seeds, step, *state.shape[1:3]))
    return state


def wound(state: np.ndarray, x: float, y: float, radius: float) -> np.ndarray:
    """The cells without those in a disc: its middle, from the upper left, and its radius in shares of the long side."""
    _, rows, columns, _ = state.shape
    down, right = np.ogrid[:rows, :columns]
    side = max(rows, columns)
    far = ((right + 0.5) / side - x) ** 2 + ((down + 0.5) / side - y) ** 2
    return state * (far > radius**2)[None, :, :, None].astype(np.float32)


def place_wound(rows: int, columns: int, disc: tuple[float, float, float] = WOUND) -> tuple[float, float, float]:
    """A wound ``x, y, radius``, in shares of a grid's sides and of its long side, for ``wound``."""
    side = max(rows, columns)
    return disc[0] * columns / side, disc[1] * rows / side, disc[2]


def judged_wounds(rows: int, columns: int) -> list[tuple[float, float, float]]:
    """The wounds ``x, y, radius`` that healing is judged by: three discs, the left half and the lower half."""
    x, y, _ = place_wound(rows, columns, (0.5, 0.5, 0.0))
    discs = [place_wound(rows, columns, disc) for disc in _JUDGED]
    return [*discs, (x - FAR, y, FAR), (x, y + FAR, FAR)]


def shown(state: np.ndarray) -> np.ndarray:
    """Colour times opacity, and opacity, of cells ``(n, rows, columns, 16)``: ``(n, rows, columns, 4)`` in [0, 1]."""
    alpha = np.clip(state[..., ALPHA : ALPHA + 1], 0, 1)
    return np.concatenate([np.clip(state[..., :ALPHA], 0, alpha), alpha], -1)
