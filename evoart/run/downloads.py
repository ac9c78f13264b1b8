"""What a job would have to download before it can run: for dry runs, which fetch nothing."""

from __future__ import annotations

from typing import Any

from evoart.download import MissingFile
from evoart.run.job import Job


def find_missing_files(job: Job) -> list[MissingFile]:
    """The files of models that ``job`` needs and that are not on this machine; nothing is asked and nothing changed.

    Raises:
        UsageError: a model that there is not.
    """
    fields: Any = job
    missing: list[MissingFile | None] = []
    if job.command == "clip":
        from evoart.run.clip.models import find_missing_files as find_clip_files

        missing += find_clip_files(fields)
    if job.command == "sketch":
        missing += _sketch_files(fields.model, fields.then)
    form, _, model = getattr(job, "form", "").partition(":")
    if form == "sketch" and model:
        missing += _sketch_files(model.removesuffix(".z"), None)
    return list({file.path: file for file in missing if file is not None}.values())


def _sketch_files(model: str, then: str | None) -> list[MissingFile | None]:
    """Files of a sketch-rnn, and of the one that takes over: ``then`` may also be a class of the first."""
    from evoart.sketch.catalogue import find, missing_file

    first = missing_file(model)
    if then is None or (first is None and then in find(model, download=False).config.classes):
        return [first]
    return [first, missing_file(then)]
