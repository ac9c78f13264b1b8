"""The models of a job, loaded once per process."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evoart.download import MissingFile, Progress, Report, print_line
from evoart.errors import EvoartError, UsageError, out_of_memory
from evoart.openclip import catalogue, store
from evoart.openclip.load import Clip, check_extra, load, resolve
from evoart.run import device

if TYPE_CHECKING:
    from evoart.openclip.torch_clip import TorchClip
    from evoart.run.clip.job import ClipJob


@contextlib.contextmanager
def enough_memory(model: str) -> Iterator[None]:
    """Raise an EvoartError that says so where a model does not fit into memory."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        elsewhere = ", --device cpu" if device.accelerator() else ""
        raise EvoartError(
            f"there is not enough memory for the model {model}",
            f"Use a smaller --model{elsewhere} or --precision bfloat16",
        ) from error


def load_guidance(job: ClipJob, precision: str, report: Report = print_line) -> tuple[Clip | TorchClip, ...]:
    """The models that guide a job's search.

    Raises:
        UsageError, MissingExtra, EvoartError: see ``openclip.load.load``.
    """
    return tuple(_load(*names, precision, job.scorer == "torch", report) for names in _guidance_names(job))


def load_evaluator(job: ClipJob, precision: str, report: Report = print_line) -> Clip | TorchClip | None:
    """The model that evaluates the result, or None where fresh crops of the guidance models do."""
    name = _evaluator_name(job)
    return _load(name, None, None, precision, False, report) if name else None


def fetch(job: ClipJob, report: Report, progress: Progress) -> None:
    """Make sure that what the job's models need is here; downloads are announced and watched.

    Raises:
        UsageError, MissingExtra, EvoartError: see ``openclip.load.resolve``.
    """
    missing = find_missing_files(job)
    if len(missing) > 1:
        report(f"To be downloaded, once: {', and '.join(each.summary for each in missing)}")
    for name, tag, file in _names(job):
        resolved = resolve(name, tag, file=file, torch=job.scorer == "torch", report=report, progress=progress)
        if not resolved.torch and store.needs_byte_pairs(resolved.entry):
            store.load_byte_pairs(resolved.entry, 77, report=report)


def find_missing_files(job: ClipJob) -> list[MissingFile]:
    """What the job's models would have to download; asks nothing and changes nothing.

    Raises:
        UsageError: an unknown model. MissingExtra: one that needs open_clip.
    """
    missing: list[MissingFile] = []
    for name, tag, file in _names(job):
        entry = catalogue.find_architecture(name, tag) if file else catalogue.find_entry(name, tag)
        check_extra(entry, job.scorer == "torch")
        missing += store.missing_files(entry, weights=not file)
    return list({each.path: each for each in missing}.values())  # models share the vocabulary


def find_overflow(job: ClipJob, text: str) -> str:
    """The end of a text that a job's first model does not read."""
    if job.scorer == "torch":
        return ""
    return load_guidance(job, job.precision if job.precision != "auto" else "float32")[0].find_overflow(text)


def hash_of(path: str) -> str:
    """SHA-256, hexadecimal, of a weights file.

    Raises:
        EvoartError: it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EvoartError(
            f"the weights '{path}' cannot be read ({error.strerror or error})", "Check the path"
        ) from error


_Names = tuple[str, str | None, str | None]  # of a model, its tag, and a file of its weights


def _guidance_names(job: ClipJob) -> list[_Names]:
    names = [name.strip() for name in job.model.split("+")]
    if not all(names):
        raise UsageError(f"--model {job.model} leaves a name empty", "Join names by +, as in ViT-B-32/TAG+ViT-B-16/TAG")
    if job.pretrained and len(names) > 1:
        raise UsageError("--pretrained is for one model", "Write the tags into --model: ViT-B-32/TAG+ViT-B-16/TAG")
    return [(name, job.pretrained, job.clip_weights) for name in names]


def _evaluator_name(job: ClipJob) -> str:
    if job.evaluator != "crops":
        return job.evaluator
    # The two small models were made for each other.
    return "judge" if job.model.strip().lower() == "tiny" else ""


def _names(job: ClipJob) -> list[_Names]:
    evaluator = _evaluator_name(job)
    return _guidance_names(job) + ([(evaluator, None, None)] if evaluator else [])


@functools.lru_cache(maxsize=4)
def _load(
    name: str, tag: str | None, file: str | None, precision: str, torch: bool, report: Report
) -> Clip | TorchClip:
    with enough_memory(name):
        return load(name, tag, file=file, precision=precision, torch=torch, report=report)
