"""One job of a gallery: run it or go on with it, and make its files."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evoart.errors import EvoartError
from evoart.gallery.journal import Line, key_of
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
THUMB, FILM = 320, 220  # pixels
LOOK = 8  # pixels a side of the picture by which pictures are compared
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

    What a job does wrong is its own affair: a line that says so. With ``checkpoint`` the job goes on where it
    was; ``picture`` is the job where it was prepared together with others.
    """
    began = time.monotonic()
    try:
        result = _result(entry, folder, stop, watch, checkpoint, picture)
        if result is None:
            return None
        files = _files(entry.name, result, settings.formats or tuple(entry.job.formats), settings.film)
    except EvoartError as error:
        return failed(entry, str(error)), {}
    except MemoryError:
        return failed(entry, "there is not enough memory"), {}
    except Exception as error:  # a bug in one job must not end the other thousand
        return failed(entry, f"this is a bug in evoart ({type(error).__name__}: {error})"), {}
    line = Line(
        name=entry.name,
        key=key_of(entry.job),
        group=entry.group,
        status="done",
        job=result.job.to_dict(),
        form=result.form.name,
        drawing=result.form.label,
        title=result.title,
        size=result.size,
        figures={**result.figures, "generations": result.generations, "evaluations": result.evaluations},
        files={kind: name for kind, (name, _) in files.items()},
        look=look_of(result),
        seconds=round(time.monotonic() - began, 3),
    )
    return line, dict(files.values())


def failed(entry: Entry, reason: str) -> Line:
    """The line of a job that did not come to a picture."""
    job = entry.job.to_dict()
    return Line(entry.name, key_of(entry.job), entry.group, "failed", " ".join(reason.split()), job)


def store(folder: Path, entry: Entry, files: dict[str, bytes]) -> None:
    """Write a job's files and forget its checkpoint.

    Raises:
        DiskFull: so that the other jobs are not tried in vain.
        EvoartError: another refusal of the system.
    """
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        try:
            write(path, data, overwrite=True)
        except EvoartError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(error.message, "Free some space, then run the same command again") from error
            raise
    with contextlib.suppress(OSError):
        _checkpoint(folder, entry).unlink()


class DiskFull(EvoartError):
    """Nothing more can be written: the gallery ends here, and goes on when it is run again."""


def complete(
    entry: Entry, folder: Path, settings: Settings, stop: Stop, watch: Watch, picture: Picture | None = None
) -> tuple[Line | None, EvoartError | None]:
    """Run a job and write its files: its line and, where nothing more can be written, the reason; files come first."""
    made = perform(entry, folder, settings, stop, watch, picture=picture)
    if made is None:
        return None, None
    line, files = made
    try:
        store(folder, entry, files)
    except DiskFull as error:
        return None, error
    except EvoartError as error:
        return failed(entry, str(error)), None
    return line, None


def there(folder: Path, line: Line, entry: Entry, spares: bool = False) -> bool:
    """Whether a job is done: the same job, and its files are there (with ``spares``: or it was made and not kept)."""
    made = line.status == "done" or (spares and line.status == "spare")
    return made and line.key == key_of(entry.job) and all((folder / name).exists() for name in line.files.values())


def _checkpoint(folder: Path, entry: Entry) -> Path:
    return folder / WORK / f"{entry.name}.npz"


def _result(
    entry: Entry, folder: Path, stop: Stop, watch: Watch, checkpoint: bool, picture: Picture | None
) -> Result | None:
    keep = None
    if checkpoint:
        path = _checkpoint(folder, entry)
        path.parent.mkdir(exist_ok=True)
        keep = Keep(path, notes={"key": key_of(entry.job)})
    events = None
    if keep and keep.path.exists():
        with contextlib.suppress(EvoartError):  # of another job, or cut off: begin again
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
    if isinstance(last, Interrupted) or not isinstance(last, Finished):
        return None
    return last.result


def look_of(result: Result) -> str:
    """The picture in ``LOOK x LOOK`` pixels, hexadecimal sRGB row by row, on white."""
    image = result.image(8 * LOOK)
    if image.shape[-1] == 4:
        image = image[..., :3] * image[..., 3:] + 1 - image[..., 3:]
    rows, columns = (np.arange(side) * LOOK // side for side in image.shape[:2])
    sums, counts = np.zeros((LOOK, LOOK, 3)), np.zeros((LOOK, LOOK, 1))
    where = rows[:, None], columns[None, :]
    np.add.at(sums, where, image)
    np.add.at(counts, where, 1)
    return np.rint(sums / np.maximum(counts, 1) * 255).astype(np.uint8).tobytes().hex()


def _files(name: str, result: Result, formats: tuple[str, ...], film: bool) -> dict[str, tuple[str, bytes]]:
    """Kind -> name in the gallery and bytes."""
    artwork = result.artwork()
    files = {}
    for kind in formats:
        files[kind] = (f"{name}{OUTPUTS[kind].extensions[0]}", encode(kind, artwork))
    w, h = result.size
    small = result.artwork(min(THUMB, max(w, h)))
    bare = type(small)(small.drawing, small.size, title=small.title, alpha=small.alpha)
    files["thumb"] = (f"{THUMBS}/{name}.webp", encode("webp", bare, Options(quality=82)))
    if film and len(result.frames) > 1:
        moving = type(small)(
            artwork.drawing, artwork.size, title=small.title, frames=artwork.frames, alpha=artwork.alpha
        )
        options = Options(film_side=min(FILM, max(w, h)), film_seconds=3, film_hold=1.5, quality=60)
        files["film"] = (f"{FILMS}/{name}.webp", encode("animated-webp", moving, options))
    return files
