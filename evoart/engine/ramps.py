"""The second colour of a shape that was placed in one: least squares, in closed form.

With opacity ``a``, coverage ``v``, picture ``B`` below and target ``T``, the weighted squared error is that of fitting
colours ``c(x)`` to ``(T - B) / (a v) + B``, each pixel weighted by ``w (a v)^2``. Where ``c`` is linear in the
position, or in the distance from the shape's middle, sums of first and second moments give its best.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FAINT = 0.02  # coverage below which a pixel says nothing
LEAST = 12  # pixels that a ramp is fitted to, at least


class Fitted(NamedTuple):
    """A ramp: its two points in pixels and colours, ``(2,)`` and ``(3,)`` each, and what the shape gains with it."""

    first: np.ndarray
    second: np.ndarray
    near: np.ndarray
    far: np.ndarray
    gain: float


def fit_ramp(
    paint: str,
    opacity: float,
    cover: np.ndarray,
    target: np.ndarray,
    canvas: np.ndarray,
    weight: np.ndarray,
    vertices: np.ndarray,
) -> Fitted | None:
    """The best ramp of one shape on top of a picture; None where it is too small for one.

    Args:
        paint: ``linear`` or ``radial``.
        cover: covered share of every pixel ``(h, w)``.
        target, canvas: planes ``(3, h, w)``: the picture to come near, and what is there.
        weight: ``(h, w)``.
        vertices: of the shape's outline, in pixels.
    """
    rows, columns = np.nonzero(cover > FAINT)
    if len(rows) < LEAST:
        return None
    height, width = cover.shape
    within = np.clip(vertices, 0, (width, height)).astype(np.float64)
    places = np.stack([columns + 0.5, rows + 0.5], -1)
    u, w = opacity * cover[rows, columns].astype(np.float64), weight[rows, columns].astype(np.float64)
    below = canvas[:, rows, columns].T.astype(np.float64)
    missing = target[:, rows, columns].T - below
    wanted, counts = missing / u[:, None] + below, w * u * u
    middle = counts @ places / max(counts.sum(), 1e-12)
    if paint == "linear":
        direction = _steepest(places - middle, wanted, counts)
        along, ends = (places - middle) @ direction, (within - middle) @ direction
        low, high = float(ends.min()), float(ends.max())
        first, second = middle + low * direction, middle + high * direction
    else:
        along = np.linalg.norm(places - middle, axis=-1)
        low, high = 0.0, float(np.linalg.norm(within - middle, axis=-1).max())
        first, second = middle, middle + (high, 0.0)
    if high - low < 2:
        return None
    share = np.clip((along - low) / (high - low), 0, 1)
    at_ends = np.clip(_solve(np.stack([1 - share, share], -1), wanted, counts), 0, 1)
    colours = np.outer(1 - share, at_ends[0]) + np.outer(share, at_ends[1])
    left = missing - u[:, None] * (colours - below)
    gain = float((w[:, None] * (missing**2 - left**2)).sum())
    return Fitted(first, second, at_ends[0], at_ends[1], gain)


def _solve(basis: np.ndarray, wanted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weighted least squares ``(b, 3)`` of ``wanted`` ``(n, 3)`` by ``basis`` ``(n, b)``; nearly flat is flat."""
    normal = np.einsum("n,nb,nc->bc", counts, basis, basis)
    normal += 1e-6 * max(np.trace(normal), 1e-12) * np.eye(len(normal))
    return np.linalg.solve(normal, np.einsum("n,nb,nc->bc", counts, basis, wanted))


def _steepest(places: np.ndarray, wanted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The direction ``(2,)`` along which one colour ramp explains most of what a plane of colours does."""
    slopes = _solve(np.concatenate([np.ones((len(places), 1)), places], 1), wanted, counts)[1:]
    spread = np.einsum("n,nb,nc->bc", counts, places, places) / max(counts.sum(), 1e-12) + 1e-6 * np.eye(2)
    root = np.linalg.cholesky(spread)
    direction = np.linalg.solve(root.T, np.linalg.svd(root.T @ slopes)[0][:, 0])
    return direction / np.linalg.norm(direction)
