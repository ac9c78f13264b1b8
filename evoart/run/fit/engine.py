"""Which engine draws and judges shapes, decided in one place; ``--engine`` and ``--device`` overrule it."""

from __future__ import annotations

from typing import Any

from evoart.errors import EvoartError, UsageError
from evoart.forms.shapes import ShapesForm
from evoart.run import device, distributed
from evoart.run.device import Choice
from evoart.run.fit.job import FitJob
from evoart.score.pixel import Target


def choose(job: FitJob) -> Choice:
    """The engine of a job.

    The scanline kernel is the fastest on a CPU and needs no JAX; on a GPU it is the Pallas kernels, and the dense
    program where this JAX has none for it. Both pay where whole populations are judged, which the default search does
    not do: it stays on the CPU unless a device or the dense engine is asked for.

    Raises:
        UsageError: an engine on a device that it does not run on, a search that processes cannot share.
        EvoartError: a GPU was asked for and JAX sees none, or the CPU and JAX runs on a GPU.
    """
    if job.device == "gpu" and job.engine == "scanline":
        raise UsageError("the scanline engine runs on a CPU only", "Use --engine pallas or --device cpu")
    if distributed.active() and job.plans:
        raise UsageError(
            f"the search '{job.search}' is the work of one process", "Add --search sets, or leave --distributed out"
        )
    if job.search == "waves":  # device programs and nothing else, whose gradients the kernels have none of
        return device.choose_jax(job.device)
    if job.engine == "scanline":
        return Choice("scanline", "cpu", "asked for")
    if job.device == "gpu" or job.engine in ("dense", "pallas"):
        return _choose_asked(job)
    if distributed.active():
        return device.on_jax("several processes work on it")
    if job.search == "evolve" or job.device == "cpu":
        return Choice("scanline", "cpu", "fastest on a CPU")
    if device.accelerator():
        return device.on_jax("fastest on a GPU")
    return Choice("scanline", "cpu", "there is no GPU", device.unused())


def _choose_asked(job: FitJob) -> Choice:
    gpu = device.accelerator()
    if gpu is None and (job.device == "gpu" or (job.engine == "pallas" and job.device != "cpu")):
        raise device.no_gpu()
    if gpu is not None and job.device == "cpu":
        raise EvoartError(f"JAX runs on {gpu} in this process", "Set JAX_PLATFORMS=cpu before it starts")
    if job.search == "evolve" and job.finish == "gradient":  # asks for gradients, which the kernels have none of
        return Choice("dense", gpu or "cpu", "asked for")
    if job.engine == "auto":
        return device.on_jax("asked for")
    if job.engine == "pallas" and gpu is None:
        return Choice("pallas", "cpu", "asked for", "the pallas engine is interpreted on a CPU: very slow, for tests")
    if job.engine == "pallas" and not device.has_kernels():
        raise EvoartError("this JAX has no kernels for the GPU here", "Use --engine dense")
    return Choice(job.engine, gpu or "cpu", "asked for")


def make(choice: Choice, form: ShapesForm, target: Target) -> Any:
    """The engine ``choice`` names, for genomes of ``form`` judged against ``target``; over all available devices."""
    if choice.engine == "scanline":
        from evoart.engine.scanline import ScanlineEngine

        return ScanlineEngine(form, target)
    from evoart.engine.sharded import over_devices

    if choice.engine == "pallas":
        from evoart.engine.pallas import PallasEngine

        return over_devices(PallasEngine(form, target))
    from evoart.engine.dense import DenseEngine

    return over_devices(DenseEngine(form, target))
