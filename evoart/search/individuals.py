"""What searches over individuals of any kind share. Others make, evaluate and pack the individuals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evoart.types import Genome

Individual = Any


@dataclass(frozen=True)
class Kind:
    """How a search takes its individuals apart.

    Attributes:
        split: structure and genome of one, as ``Search.structure`` and ``Search.genome``.
        pack, unpack: several to plain arrays and back.
    """

    split: Callable[[Individual], tuple[Any, Genome]]
    pack: Callable[[Sequence[Individual]], dict[str, np.ndarray]]
    unpack: Callable[[dict[str, np.ndarray]], list[Individual]]


def rng_arrays(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The state of a PCG64 generator as plain arrays, for a checkpoint."""
    state = rng.bit_generator.state
    words = b"".join(state["state"][name].to_bytes(16, "little") for name in ("state", "inc"))
    half = np.array([state["has_uint32"], state["uinteger"]], np.int64)
    return {"random": np.frombuffer(words, np.uint8), "random_half": half}


def rng_from(arrays: dict[str, np.ndarray]) -> np.random.Generator:
    """The generator that ``rng_arrays`` wrote.

    Raises:
        KeyError, ValueError: the arrays are not a generator's.
    """
    rng = np.random.default_rng(0)
    raw = np.asarray(arrays["random"], np.uint8).tobytes()
    has, integer = (int(value) for value in arrays["random_half"])
    state = {"state": int.from_bytes(raw[:16], "little"), "inc": int.from_bytes(raw[16:], "little")}
    rng.bit_generator.state = {"bit_generator": "PCG64", "state": state, "has_uint32": has, "uinteger": integer}
    return rng
