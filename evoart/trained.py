"""Models of named parameters, as a training leaves them and a file keeps them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

_HIGHEST = 65504.0  # of float16


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model with its parameters.

    Attributes:
        config: its shape; ``config.shapes`` has that of every parameter.
        params: arrays by name, float32.
    """

    config: Any
    params: dict[str, Any]

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256, hexadecimal, of the configuration and the parameters."""
        digest = hashlib.sha256(repr(self.config).encode())
        for name in sorted(self.params):
            digest.update(np.ascontiguousarray(self.params[name], "<f4").tobytes())
        return digest.hexdigest()

    def round(self) -> Self:
        """The same with parameters that float16 holds exactly, as files keep them; none of a sound one is cut off."""
        params = {name: np.clip(np.asarray(value), -_HIGHEST, _HIGHEST) for name, value in self.params.items()}
        rounded = {name: value.astype(np.float16).astype(np.float32) for name, value in params.items()}
        return dataclasses.replace(self, params=rounded)
