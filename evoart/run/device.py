"""Which engine runs, decided in one place. ``--engine`` and ``--device`` overrule it, ``evoart doctor`` prints it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evoart.errors import EvoartError, UsageError
from evoart.run import distributed, nvidia

if TYPE_CHECKING:
    from evoart.forms.shapes import ShapesForm
    from evoart.run.fit.job import FitJob
    from evoart.run.job import Job
    from evoart.score.pixel import Target


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


def choose(job: FitJob) -> Choice:
    """The engine of a job.

    The scanline kernel is the fastest on a CPU and needs no JAX; on a GPU it is the Pallas kernels, and the dense
    program where this JAX has none for it. Both pay where whole populations are judged, which the default search does
    not do: it stays on the CPU unless a device or the dense engine is asked for.

    Raises:
        UsageError: an engine on a device that it does not run on, a search that processes cannot share.
        EvoartError: a GPU was asked for and JAX sees none, or the CPU and JAX has settled on a GPU.
    """
    if job.device == "gpu" and job.engine == "scanline":
        raise UsageError("the scanline engine runs on a CPU only", "Use --engine pallas or --device cpu")
    if distributed.active() and job.search == "evolve" and job.finish == "gradient":
        raise UsageError(
            "the default search is the work of one process", "Add --search sets, or leave --distributed out"
        )
    if job.engine == "scanline":
        return Choice("scanline", "cpu", "asked for")
    if job.device == "gpu" or job.engine in ("dense", "pallas"):
        return _asked_for(job)
    if distributed.active():
        return on_jax("several processes work on it")
    if job.search == "evolve" or job.device == "cpu":
        return Choice("scanline", "cpu", "fastest on a CPU")
    if accelerator():
        return on_jax("fastest on a GPU")
    return Choice("scanline", "cpu", "there is no GPU", unused())


def _asked_for(job: FitJob) -> Choice:
    gpu = accelerator()
    if gpu is None and (job.device == "gpu" or (job.engine == "pallas" and job.device != "cpu")):
        raise no_gpu()
    if gpu is not None and job.device == "cpu":
        raise EvoartError(f"JAX runs on {gpu} in this process", "Set JAX_PLATFORMS=cpu before it starts")
    if job.search == "evolve" and job.finish == "gradient":  # asks for gradients, which the kernels have none of
        return Choice("dense", gpu or "cpu", "asked for")
    if job.engine == "auto":
        return on_jax("asked for")
    if job.engine == "pallas" and gpu is None:
        return Choice("pallas", "cpu", "asked for", "the pallas engine is interpreted on a CPU: very slow, for tests")
    if job.engine == "pallas" and not has_kernels():
        raise EvoartError("this JAX has no kernels for the GPU here", "Use --engine dense")
    return Choice(job.engine, gpu or "cpu", "asked for")


def on_jax(why: str) -> Choice:
    """The best of the engines that are JAX programs, on the device that JAX has settled on."""
    gpu = accelerator()
    if gpu is None:
        return Choice("dense", "cpu", why)
    if has_kernels():
        return Choice("pallas", gpu, why)
    return Choice("dense", gpu, f"{why}; this JAX has no Pallas kernels for it")


def choose_jax(device: str) -> Choice:
    """What JAX draws on, for forms that have no other engine; ``device`` is ``auto``, ``cpu`` or ``gpu``.

    Raises:
        EvoartError: a GPU was asked for and JAX sees none, or the CPU and JAX has settled on a GPU.
    """
    gpu = accelerator()
    if device == "gpu" and gpu is None:
        raise no_gpu()
    if device == "cpu" and gpu is not None:
        raise EvoartError(f"JAX runs on {gpu} in this process", "Set JAX_PLATFORMS=cpu before it starts")
    return Choice("dense", gpu or "cpu", "the one that there is")


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
    what, remedy = nvidia.why_unused(os.environ.get("JAX_PLATFORMS", ""))
    return f"{what[0].upper()}{what[1:]}. {remedy}"


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


def own_process(job: Job) -> None:
    """Tell JAX about the job's device and threads; for a process that is there for this job alone.

    JAX takes both from the environment, once, when it is imported: a library has no business to set them for its
    caller. Of numbers of threads it knows one and all.
    """
    if job.device == "cpu":
        os.environ["JAX_PLATFORMS"] = "cpu"
    flags = os.environ.get("XLA_FLAGS", "").split()
    if job.threads == 1 and _ONE_THREAD not in flags:
        os.environ["XLA_FLAGS"] = " ".join([*flags, _ONE_THREAD])


def cores() -> int:
    """CPU cores that this process may use: those of the machine, or its share of them."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = os.environ.get(THREADS, "")
    return min(there, int(share)) if share.isdigit() and int(share) else there


def make(choice: Choice, form: ShapesForm, target: Target) -> Any:
    """The engine ``choice`` names, for genomes of ``form`` judged against ``target``; over all devices there are."""
    if choice.engine == "scanline":
        from evoart.engine.scanline import ScanlineEngine

        return ScanlineEngine(form, target)
    from evoart.engine.sharded import over_devices

    if choice.engine == "pallas":
        from evoart.engine.pallas import PallasEngine

        return over_devices(PallasEngine(form, target))
    from evoart.engine.dense import DenseEngine

    return over_devices(DenseEngine(form, target))
