"""What trainings of all kinds share: parameters, Adam's moments, and steps that change nothing where a gradient is not
finite."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from evoart.errors import EvoartError

GIVE_UP = 50  # steps in a row without a finite gradient


class TrainState:
    """Parameters and Adam's moments, and how many steps led to them.

    Args:
        params: the first parameters by name.

    Attributes:
        step: steps taken.
        skipped: steps whose gradient was not finite; they changed nothing.
    """

    def __init__(self, params: dict[str, Any]) -> None:
        self.params: dict[str, Any] = {name: jnp.asarray(value, jnp.float32) for name, value in params.items()}
        self.moments: Any = optax.scale_by_adam().init(self.params)
        self.step = self.skipped = self._skipped_now = 0

    def count(self, fine: Any, learning_rate: float) -> None:
        """One more step was taken; ``fine``: its gradient was finite.

        Raises:
            EvoartError: no finite gradient in ``GIVE_UP`` steps in a row.
        """
        self.step += 1
        self._skipped_now = 0 if bool(fine) else self._skipped_now + 1
        self.skipped += not bool(fine)
        if self._skipped_now >= GIVE_UP:
            raise EvoartError(
                f"{GIVE_UP} training steps in a row had no finite gradient",
                f"Try a lower --learning-rate than {learning_rate:g}",
            )

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state, for ``load``."""
        moments = self.moments
        found = {"step": self.step, "skipped": self.skipped, "skipped_now": self._skipped_now, "count": moments.count}
        for name, those in (("params", self.params), ("mu", moments.mu), ("nu", moments.nu)):
            found |= {f"{name}/{key}": value for key, value in those.items()}
        return {name: np.asarray(value) for name, value in found.items()}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from what ``arrays`` gave.

        Raises:
            KeyError, ValueError: it does not fit.
        """

        def part(name: str) -> dict[str, Any]:
            found = {key: jnp.asarray(arrays[f"{name}/{key}"], jnp.float32) for key in self.params}
            for key, value in found.items():
                if value.shape != self.params[key].shape:
                    raise ValueError(f"{name}/{key} has another shape")
            return found

        self.params, mu, nu = part("params"), part("mu"), part("nu")
        self.moments = optax.ScaleByAdamState(jnp.asarray(arrays["count"], jnp.int32), mu, nu)
        self.step, self.skipped = int(arrays["step"]), int(arrays["skipped"])
        self._skipped_now = int(arrays["skipped_now"])


def is_finite(gradient: Any, loss: Any) -> Any:
    """Whether all of a gradient and its loss are, inside a JAX program."""
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(g)) for g in jax.tree.leaves(gradient)] + [jnp.isfinite(loss)]))


def descend(params: Any, gradient: Any, moments: Any, rate: Any, fine: Any) -> tuple[Any, Any]:
    """Parameters and moments after a step of Adam (Kingma and Ba, 2015) along a gradient of finite numbers, inside a
    JAX program; as they were where not ``fine``."""
    updates, new_moments = optax.scale_by_adam().update(gradient, moments)
    keep = functools.partial(jnp.where, fine)
    params = jax.tree.map(lambda p, u: keep(p - rate * u, p), params, updates)
    return params, jax.tree.map(keep, new_moments, moments)
