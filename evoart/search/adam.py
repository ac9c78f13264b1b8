"""Adam (Kingma and Ba, 2015) over rows of shapes, with a falling rate, keeping the best it has seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evoart.types import Array

BETA1, BETA2, TINY = 0.9, 0.99, 1e-12
LAST = 0.05  # the rate falls linearly to this share of its start


def adam_moments(mean: Array, square: Array, slope: Array) -> tuple[Array, Array]:
    """Running means of the gradient and of its square after ``slope``, all of one shape; NumPy or JAX."""
    return mean + (1 - BETA1) * (slope - mean), square + (1 - BETA2) * (slope * slope - square)


class Adam:
    """A polish of ``steps`` gradient steps from ``rows`` ``(k, d)`` with rates ``(k, d)`` or ``(d,)``.

    Attributes:
        rows: where it is now, ``(k, d)`` float32.
        best, loss: the rows of the lowest loss so far, and that loss.
        t: steps taken.
    """

    def __init__(self, rows: np.ndarray, rates: np.ndarray, steps: int) -> None:
        self.rows, self.steps, self.t = rows.astype(np.float32), steps, 0
        self.rates = np.broadcast_to(rates, rows.shape).astype(np.float32)
        self.mean, self.square = np.zeros_like(self.rows), np.zeros_like(self.rows)
        self.best, self.loss = self.rows.copy(), np.inf

    @property
    def done(self) -> bool:
        """Whether every step is taken and evaluated."""
        return self.t > self.steps

    def step(self, gradient: Callable[[np.ndarray], tuple[float, np.ndarray]], clip: Callable) -> None:
        """One step; the last call only evaluates where the one before has led.

        Args:
            gradient: loss and its derivative ``(k, d)`` at rows ``(k, d)``.
            clip: rows ``(k, d)`` brought back into their bounds.
        """
        loss, slope = gradient(self.rows)
        if loss < self.loss:
            self.best, self.loss = self.rows.copy(), loss
        self.t += 1
        if self.done:
            return
        self.mean, self.square = adam_moments(self.mean, self.square, slope)
        rate = 1 - (1 - LAST) * (self.t - 1) / self.steps
        scale = np.float32(rate * np.sqrt(1 - BETA2**self.t) / (1 - BETA1**self.t))
        self.rows = clip(self.rows - self.rates * scale * self.mean / (np.sqrt(self.square) + np.float32(TINY)))

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state as named arrays."""
        state = np.array([self.steps, self.t, self.loss])
        return {
            "rows": self.rows, "rates": self.rates, "mean": self.mean, "square": self.square,
            "best": self.best, "state": state,
        }  # fmt: skip

    @classmethod
    def load(cls, arrays: dict[str, np.ndarray]) -> Adam:
        """The polish that ``arrays`` gave."""
        adam = cls(arrays["rows"], arrays["rates"], int(arrays["state"][0]))
        adam.t, adam.loss = int(arrays["state"][1]), float(arrays["state"][2])
        adam.mean, adam.square, adam.best = (arrays[name].copy() for name in ("mean", "square", "best"))
        return adam
