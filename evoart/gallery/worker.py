"""One job of a gallery: run or continue it, and make its files."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evoart.errors import EvoartError, out_of_memory
from evoart.gallery.journal import Line, key_of, make_folder
from evoart.gallery.plan import Entry
from evoart.output.files import write
from evoart.output.formats import OUTPUTS, Options, encode
from evoart.run import checkpoint as checkpoints
from evoart.run.events import Event, Finished, Interrupted
from evoart.run.fit import batch
from evoart.run.fit.batch import Picture
from evoart.run.loop import Keep, drive, resume
from evoart.run.problem import prepare
from evoart.run.result import Result
from evoart.run.stop import Stop

WORK = ".work"  # checkpoints of what is being made
THUMBS, FILMS = "thumbs", "films"
THUMB, FILM = 320, 220  # pixels of the long side
LEAST = 5.0  # seconds of a run that is worth a checkpoint at its end, in case that its files cannot be written
THUMBNAIL = 8  # pixels a side of what pictures are compared by
Watch = Callable[[Event], None]


@dataclass(frozen=True)
class Settings:
    """What is made of every picture.

    Attributes:
        formats: names of still formats; empty: those that are natural for the job.
        film: also a film of its evolution, for the pages.
    """

    formats: tuple[str, ...] = ()
    film: bool = False


def perform(
    entry: Entry,
    folder: Path,
    settings: Settings,
    stop: Stop,
    watch: Watch,
    checkpoint: bool = True,
    picture: Picture | None = None,
) -> tuple[Line, dict[str, bytes]] | None:
    """The journal's line of a job and its files by their names in the gallery; None where it was asked to stop.

    Whatever goes wrong costs this job only: its line says so. With ``checkpoint`` the job continues where it stopped;
    ``picture`` is the job where it was prepared together with others.
    """
    start = time.monotonic()
    try:
        result = _run(entry, folder, stop, watch, checkpoint, picture)
        if result is None:
            return None
        files = _encode(entry.name, result, settings)
        thumbnail = thumbnail_of(result)
    except Exception as error:
        return failed(entry, error), {}
    line = Line(
        name=entry.name,
        key=key_of(entry.job),
        group=entry.group,
        status="done",
        job=result.job.to_dict(),
        form=result.form.name,
        drawing=result.form.label,
        title=result.title,
        heading=entry.heading,
        size=result.size,
        figures={**result.figures, "generations": result.generations, "evaluations": result.evaluations},
        files={kind: name for kind, (name, _) in files.items()},
        thumbnail=thumbnail,
        seconds=round(time.monotonic() - start, 3),
    )
    return line, dict(files.values())


def failed(entry: Entry, error: Exception | str) -> Line:
    """The line of a job that did not come to a picture, and why."""
    reason = str(error)
    if isinstance(error, OSError):
        reason = f"the system refuses a file ({error.strerror or error})"
    elif isinstance(error, Exception) and out_of_memory(error):
        reason = "there is not enough memory"
    elif isinstance(error, Exception) and not isinstance(error, EvoartError):
        reason = f"this is a bug in evoart ({type(error).__name__}: {error})"
    job = entry.job.to_dict()
    return Line(entry.name, key_of(entry.job), entry.group, "failed", " ".join(reason.split()), job)


class DiskFull(EvoartError):
    """Nothing more can be written: the gallery ends here, and continues when it is run again."""


def store(folder: Path, entry: Entry, files: dict[str, bytes]) -> None:
    """Write a job's files and forget its checkpoint.

    Raises:
        DiskFull: so that the other jobs are not tried in vain.
        EvoartError: another refusal of the system.
    """
    try:
        for name, data in files.items():
            make_folder((folder / name).parent)
            write(folder / name, data, overwrite=True)
    except EvoartError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(error.message, "Free some space, then run the same command again") from error
        raise
    with contextlib.suppress(OSError):
        _checkpoint(folder, entry).unlink()


def complete(
    entry: Entry, folder: Path, settings: Settings, stop: Stop, watch: Watch, picture: Picture | None = None
) -> tuple[Line | None, DiskFull | None]:
    """Run a job and write its files: its line (None where it was asked to stop) and, where nothing more can be written,
    the reason. Never raises: any other failure is in the line."""
    try:
        made = perform(entry, folder, settings, stop, watch, picture=picture)
        if made is None:
            return None, None
        line, files = made
        store(folder, entry, files)
    except DiskFull as error:
        return None, error
    except Exception as error:
        return failed(entry, error), None
    return line, None


def is_done(folder: Path, line: Line, entry: Entry, surplus: bool = False) -> bool:
    """Whether a job is done: the same job, and its files exist (with ``surplus``: or it was made and not chosen)."""
    made = line.status == "done" or (surplus and line.status == "surplus")
    return made and line.key == key_of(entry.job) and all((folder / name).exists() for name in line.files.values())


def _checkpoint(folder: Path, entry: Entry) -> Path:
    return folder / WORK / f"{entry.name}.npz"


def _run(
    entry: Entry, folder: Path, stop: Stop, watch: Watch, checkpoint: bool, picture: Picture | None
) -> Result | None:
    """The finished picture, or None where the run was asked to stop."""
    keep = None
    if checkpoint:
        path = _checkpoint(folder, entry)
        make_folder(path.parent)
        keep = Keep(path, notes={"key": key_of(entry.job)}, least=LEAST)
    events = None
    if keep and keep.path.exists():
        with contextlib.suppress(EvoartError):  # of another job, or cut off: start again
            saved = checkpoints.load(keep.path)
            if saved.state["notes"].get("key") == key_of(entry.job):
                events = resume(saved, keep=keep, stop=stop)
    if events is None and picture is not None:
        events = batch.events(picture, keep=keep, stop=stop)
    elif events is None:
        problem = prepare(entry.job)
        events = drive(problem, problem.search(), keep=keep, stop=stop)
    last = None
    for last in events:
        watch(last)
    return last.result if isinstance(last, Finished) and not isinstance(last, Interrupted) else None


def thumbnail_of(result: Result) -> str:
    """The picture in ``THUMBNAIL x THUMBNAIL`` pixels on white, hexadecimal sRGB row by row."""
    image = result.image(8 * THUMBNAIL)
    if image.shape[-1] == 4:
        image = image[..., :3] * image[..., 3:] + 1 - image[..., 3:]
    rows, columns = (np.arange(side) * THUMBNAIL // side for side in image.shape[:2])
    sums, counts = np.zeros((THUMBNAIL, THUMBNAIL, 3)), np.zeros((THUMBNAIL, THUMBNAIL, 1))
    where = rows[:, None], columns[None, :]
    np.add.at(sums, where, image)
    np.add.at(counts, where, 1)
    return np.rint(sums / np.maximum(counts, 1) * 255).astype(np.uint8).tobytes().hex()


def _encode(name: str, result: Result, settings: Settings) -> dict[str, tuple[str, bytes]]:
    """Kind -> name in the gallery and bytes."""
    artwork = result.artwork()
    formats = settings.formats or tuple(result.job.formats)
    files = {kind: (f"{name}{OUTPUTS[kind].extensions[0]}", encode(kind, artwork)) for kind in formats}
    small = result.artwork(min(THUMB, max(result.size)))
    bare = dataclasses.replace(small, recipe={}, frames=())
    files["thumb"] = (f"{THUMBS}/{name}.webp", encode("webp", bare, Options(quality=82)))
    if settings.film and len(result.frames) > 1:
        moving = dataclasses.replace(artwork, recipe={})
        options = Options(film_side=min(FILM, max(result.size)), film_seconds=3, film_hold=1.5, quality=60)
        files["film"] = (f"{FILMS}/{name}.webp", encode("animated-webp", moving, options))
    return files
