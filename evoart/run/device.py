"""What this machine computes on: its GPU, as far as JAX can use it, and its cores."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evoart.errors import EvoartError
from evoart.run import nvidia

THREADS = "EVOART_THREADS"  # in the environment: the share of the cores that this process is to use
_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


@dataclass(frozen=True)
class Choice:
    """An engine (``scanline``, ``dense``, ``pallas``), what it runs on (``cpu`` or a GPU's name) and why it was chosen.

    ``note`` is what a user should know of it, in one line, or ``""``.
    """

    engine: str
    device: str
    why: str
    note: str = ""


def on_jax(why: str) -> Choice:
    """The best of the engines that are JAX programs, on the device that JAX runs on."""
    gpu = accelerator()
    if gpu is None:
        return Choice("dense", "cpu", why)
    if has_kernels():
        return Choice("pallas", gpu, why)
    return Choice("dense", gpu, f"{why}; this JAX has no Pallas kernels for it")


def choose_jax(device: str) -> Choice:
    """What JAX draws on, for forms that have no other engine; ``device`` is ``auto``, ``cpu`` or ``gpu``.

    Raises:
        EvoartError: a GPU was asked for and JAX sees none, or the CPU and JAX runs on a GPU.
    """
    gpu = accelerator()
    if device == "gpu" and gpu is None:
        raise no_gpu()
    if device == "cpu" and gpu is not None:
        raise EvoartError(f"JAX runs on {gpu} in this process", "Set JAX_PLATFORMS=cpu before it starts")
    return Choice("dense", gpu or "cpu", "the only one")


def no_gpu() -> EvoartError:
    """The error for a GPU that was asked for and that JAX cannot use."""
    return EvoartError(*nvidia.why_unused(os.environ.get("JAX_PLATFORMS", "")))


def accelerator() -> str | None:
    """The name of the first device of JAX that is not a CPU, or None."""
    device = _first_device()
    return None if device is None or device.platform == "cpu" else device.device_kind


def has_kernels() -> bool:
    """Whether this JAX translates our kernels for the device: a GPU, and Pallas' Triton dialect."""
    if _first_device() is None:
        return False
    from evoart.draw import traced

    return traced.has_kernels()


def unused() -> str:
    """One line about a GPU that is there and that JAX cannot use, or ``""``."""
    if nvidia.card() is None or accelerator() is not None or os.environ.get("JAX_PLATFORMS") == "cpu":
        return ""
    what, hint = nvidia.why_unused(os.environ.get("JAX_PLATFORMS", ""))
    return f"{what[0].upper()}{what[1:]}. {hint}"


def _first_device() -> Any:
    from evoart.engine.jax_setup import setup

    setup()
    import jax

    try:
        return jax.devices()[0]
    except RuntimeError:  # a driver that does not fit, or a platform that is not there
        return None


def limit_threads(threads: int | None) -> None:
    """Use so many CPU threads (None: all); for JAX see ``own_process``."""
    from evoart.threads import set_threads

    set_threads(threads or cores())


def own_process(device: str, threads: int | None) -> None:
    """Tell JAX which device (``auto``, ``cpu``, ``gpu``) and how many threads (None: all) this process may use.

    JAX reads both from the environment once, when it is imported, so a library must not set them for its caller. It
    knows only one thread or all of them.
    """
    if device == "cpu":
        os.environ["JAX_PLATFORMS"] = "cpu"
    flags = os.environ.get("XLA_FLAGS", "").split()
    if threads == 1 and _ONE_THREAD not in flags:
        os.environ["XLA_FLAGS"] = " ".join([*flags, _ONE_THREAD])


def cores() -> int:
    """CPU cores that this process may use: those of the machine, or its share of them."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = os.environ.get(THREADS, "")
    return min(there, int(share)) if share.isdigit() and int(share) else there


@contextlib.contextmanager
def limit_cores(count: int) -> Iterator[None]:
    """Have this process use ``count`` CPU cores, 1 or more, at most: what runs meanwhile, and what it starts."""
    before = os.environ.get(THREADS)
    os.environ[THREADS] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ[THREADS]
        else:
            os.environ[THREADS] = before
