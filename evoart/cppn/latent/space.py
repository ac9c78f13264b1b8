"""Ways through the space of latent vectors."""

from __future__ import annotations

import numpy as np


def slerp(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """The latent vector at ``share`` (0 to 1) of the way from ``a`` to ``b`` ``(latent,)`` along a great circle.

    Gaussian vectors of many dimensions lie in a thin shell; a straight line would leave it (White, "Sampling
    Generative Networks", 2016). Lengths go over evenly. Opposite or vanishing vectors have no great circle: a line.
    """
    lengths = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if min(lengths) < 1e-9:
        return a + share * (b - a)
    u, v = a / lengths[0], b / lengths[1]
    angle = float(np.arccos(np.clip(u @ v, -1, 1)))
    if np.sin(angle) < 1e-6:
        return a + share * (b - a)
    direction = (np.sin((1 - share) * angle) * u + np.sin(share * angle) * v) / np.sin(angle)
    return direction * (lengths[0] + share * (lengths[1] - lengths[0]))
