"""The models of a job, loaded once per process."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoart.errors import EvoartError, UsageError, out_of_memory
from evoart.openclip import catalogue
from evoart.openclip.config import parse
from evoart.openclip.load import check_needs, load, tokenizer, weights_file
from evoart.run import device

if TYPE_CHECKING:
    from evoart.run.clip.job import ClipJob

Say = Callable[[str], None]


@contextlib.contextmanager
def enough_memory(model: str) -> Iterator[None]:
    """Where the memory does not suffice for a model, an EvoartError says so."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        elsewhere = ", --device cpu" if device.accelerator() else ""
        raise EvoartError(
            f"the memory does not suffice for the model {model}",
            f"Use a smaller --model{elsewhere} or --precision bfloat16",
        ) from error


def guidance(job: ClipJob, precision: str, say: Say | None = None) -> tuple[Any, ...]:
    """The models that guide a job's search.

    Raises:
        UsageError, MissingExtra, EvoartError: see ``openclip.load.load``.
    """
    names = [name.strip() for name in job.model.split("+")]
    if not all(names):
        raise UsageError(f"--model {job.model} leaves a name empty", "Join names by +, as in ViT-B-32/TAG+ViT-B-16/TAG")
    tag = job.pretrained if len(names) == 1 else None
    if job.pretrained and len(names) > 1:
        raise UsageError("--pretrained is for one model", "Write the tags into --model: ViT-B-32/TAG+ViT-B-16/TAG")
    return tuple(_model(name, tag, job.clip_weights, precision, job.scorer == "torch", say) for name in names)


def evaluator(job: ClipJob, precision: str, say: Say | None = None) -> Any | None:
    """The model that judges the result, or None where fresh crops of the guides do."""
    name = job.evaluator
    if name == "crops":
        # The two small models were made for each other.
        name = "judge" if job.model.strip().lower() == "tiny" else ""
    return _model(name, None, None, precision, False, say) if name else None


def fetch(job: ClipJob, say: Say, progress: Callable[[int, int | None], None]) -> None:
    """See to it that what the job's models need lies here, downloads announced and watched."""
    if job.clip_weights:
        return
    for name in [*job.model.split("+"), *([job.evaluator] if job.evaluator != "crops" else [])]:
        check_needs(name.strip())
        found = catalogue.entry(
            name.strip(), job.pretrained if "+" not in job.model and name != job.evaluator else None
        )
        if found.name in catalogue.BUILT_IN or found.tag == catalogue.RANDOM:
            continue
        weights_file(found, say=say, progress=progress)
        plain = catalogue.architecture(found.name)
        try:
            config = parse(plain)
        except ValueError:
            continue  # torch's affair
        tokenizer(found, plain, config, say=say)


def cut(job: ClipJob, text: str) -> str:
    """What a job's first model does not read of a text, at its end."""
    return (
        guidance(job, job.precision if job.precision != "auto" else "float32")[0].cut(text)
        if job.scorer != "torch"
        else ""
    )


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


@functools.lru_cache(maxsize=4)
def _model(name: str, tag: str | None, file: str | None, precision: str, torch: bool, say: Say | None) -> Any:
    with enough_memory(name):
        return load(name, tag, file=file, precision=precision, torch=torch, say=say or _tell)


def _tell(text: str) -> None:
    """Nothing is downloaded unsaid, whoever calls."""
    print(text, file=sys.stderr)
