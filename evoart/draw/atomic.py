"""Atomic addition and giving way, for kernels that several threads run at once. Numba has neither on a CPU."""

from __future__ import annotations

import sys
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from evoart.compiled import Part, njit

PART: dict[str, Any] = {"nogil": True, "no_cpython_wrapper": True, "forceinline": True, "pipeline_class": Part}
SPINS = 256  # looks at a number that another thread will change, before the processor is given away


def _exchange(operation: str, array: types.Type) -> tuple:
    def generate(context, builder, signature, args):
        kind = signature.args[0]
        memory = context.make_array(kind)(context, builder, args[0])
        pointer = cgutils.get_item_pointer(context, builder, kind, memory, [args[1]])
        return builder.atomic_rmw(operation, pointer, args[2], "seq_cst")

    return types.int64(array, types.intp, types.int64), generate


def _atomic_add(context, array, index, value):
    """Add ``value`` to ``array[index]`` (int64, one axis) and return what was there; no other thread comes between."""
    return _exchange("add", array)


def _atomic_set(context, array, index, value):
    """Set ``array[index]`` to ``value`` and return what was there; see ``atomic_add``."""
    return _exchange("xchg", array)


# Compiled functions of three arguments: Numba gives the first one, its own context, itself.
atomic_add: Any = intrinsic(_atomic_add)
atomic_set: Any = intrinsic(_atomic_set)


if sys.platform == "win32":

    @njit(**PART)
    def give_way():
        """Do nothing: threads take turns by themselves on Windows."""

else:
    _sched_yield = types.ExternalFunction("sched_yield", types.int32())

    @njit(**PART)
    def give_way():
        """Let another thread have the processor, where one waits for it."""
        _sched_yield()
