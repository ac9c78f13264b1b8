"""A program lowered for an NVIDIA GPU on a machine without one: what can be checked of the kernels there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import jax

CARD = "NVIDIA H100 80GB HBM3"  # stands in for the missing one where JAX wants to know which it is


def lower_for_cuda(program: Callable, *arguments: Any) -> str:
    """``program(*arguments)`` as the text of its module, every kernel in it translated to Triton's language.

    Raises:
        Exception: whatever JAX raises where the program, or this JAX, does not allow it.
    """
    with _a_gpu():
        return jax.jit(program).trace(*arguments).lower(lowering_platforms=("cuda",)).as_text()


def _a_gpu() -> contextlib.AbstractContextManager:
    """JAX 0.12 asks for the card by an abstract mesh; JAX 0.10 assumes one by itself."""
    try:
        from jax.sharding import AbstractDevice, AbstractMesh, AxisType, use_abstract_mesh
    except ImportError:
        return contextlib.nullcontext()
    device = AbstractDevice(device_kind=CARD, num_cores=132, platform="gpu")
    return use_abstract_mesh(AbstractMesh((1,), ("device",), (AxisType.Auto,), abstract_device=device))
