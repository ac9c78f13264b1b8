"""A block of generations as one compiled program: over all devices, and in parts that fit into their memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from evoart.errors import EvoartError, out_of_memory


class Program:
    """``function(*arrays)``, compiled, for an engine that is part of it; called as it is for one that cannot be.

    Where the device runs out of memory, the engine is told to evaluate half as many candidates at a time and
    the block is tried again: nothing was changed by the first attempt. Where nothing is left to halve, the engine's
    ``too_large`` says, for the error, what does not fit and what to do.

    Attributes:
        notes: what was done about the memory, one line each.
    """

    def __init__(self, engine: Any, function: Callable) -> None:
        self._engine, self._function = engine, function
        self.notes: list[str] = []
        self._compile()

    def _compile(self) -> None:
        function = self._function
        if not getattr(self._engine, "traceable", True):
            self._compiled = function
            return
        # A function of its own each time: JAX would take the one it has traced for the same.
        program = getattr(self._engine, "on_all_devices", lambda program: program)(lambda *arrays: function(*arrays))
        self._compiled = jax.jit(program)

    def __call__(self, *arrays: Any) -> Any:
        if jax.process_count() > 1:  # arrays of one process only are passed by value
            arrays = jax.tree.map(_by_value, arrays)
        while True:
            try:
                return jax.block_until_ready(self._compiled(*arrays))
            except (RuntimeError, MemoryError) as error:  # JAX's are RuntimeErrors
                if not out_of_memory(error):
                    raise
                self._shrink(error)

    def _shrink(self, error: BaseException) -> None:
        shrink = getattr(self._engine, "shrink", None)
        if shrink is None or not shrink():
            what, hint = getattr(self._engine, "too_large", ("one picture at a time", "Use fewer --pixels or --shapes"))
            raise EvoartError(f"the device does not have enough memory for {what}", hint) from error
        self.notes.append(
            f"The device ran out of memory: {self._engine.batch:,} candidates are evaluated at a time now."
        )
        self._compile()


def _by_value(leaf: Any) -> Any:
    return np.asarray(leaf) if isinstance(leaf, jax.Array) and leaf.is_fully_addressable else leaf
