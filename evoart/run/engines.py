"""Which engine runs, decided in one place. ``--engine`` and ``--device`` overrule it, ``evoart doctor`` prints it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evoart.errors import EvoartError, UsageError

if TYPE_CHECKING:
    from evoart.forms.shapes import ShapesForm
    from evoart.run.fit.job import FitJob
    from evoart.run.job import Job
    from evoart.score.pixel import Target


_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


@dataclass(frozen=True)
class Choice:
    """An engine (``scanline`` or ``dense``), what it runs on (``cpu`` or a GPU's name) and why it was chosen."""

    engine: str
    device: str
    why: str


def choose(job: FitJob) -> Choice:
    """The engine of a job.

    The scanline kernel is the fastest on a CPU and needs no JAX; the dense program is the one for an accelerator,
    and pays where whole populations are judged, which the default search does not do.

    Raises:
        UsageError: the scanline engine on a GPU.
        EvoartError: a GPU was asked for and JAX sees none, or the CPU and JAX has settled on a GPU.
    """
    if job.device == "gpu" and job.engine == "scanline":
        raise UsageError("the scanline engine runs on a CPU only", "Use --engine dense or --device cpu")
    if job.device == "gpu":
        gpu = accelerator()
        if gpu is None:
            raise EvoartError("JAX sees no GPU here", 'Install it with: pip install "jax[cuda12]", or use --device cpu')
        return Choice("dense", gpu, "asked for")
    if job.engine == "scanline":
        return Choice("scanline", "cpu", "asked for")
    if job.engine == "dense":
        gpu = accelerator()
        if gpu is not None and job.device == "cpu":
            raise EvoartError(f"JAX runs on {gpu} in this process", "Set JAX_PLATFORMS=cpu before it starts")
        return Choice("dense", gpu or "cpu", "asked for")
    if job.search == "evolve" or job.device == "cpu":
        return Choice("scanline", "cpu", "fastest on a CPU")
    gpu = accelerator()
    return Choice("dense", gpu, "fastest on a GPU") if gpu else Choice("scanline", "cpu", "there is no GPU")


def accelerator() -> str | None:
    """The name of the first device of JAX that is not a CPU, or None."""
    from evoart.engine.jax_setup import setup

    setup()
    import jax

    try:
        device = jax.devices()[0]
    except RuntimeError:  # a driver that does not fit
        return None
    return None if device.platform == "cpu" else device.device_kind


def limit_threads(threads: int | None) -> None:
    """Let the scanline engine use so many CPU threads (None: all); for JAX see ``own_process``."""
    from evoart.engine.scanline import set_threads

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
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make(choice: Choice, form: ShapesForm, target: Target) -> Any:
    """The engine ``choice`` names, for genomes of ``form`` judged against ``target``."""
    if choice.engine == "dense":
        from evoart.engine.dense import DenseEngine

        return DenseEngine(form, target)
    from evoart.engine.scanline import ScanlineEngine

    return ScanlineEngine(form, target)
