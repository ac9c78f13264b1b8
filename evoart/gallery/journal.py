"""The journal of a gallery: what was done, a line of JSON each, appended and flushed, so that nothing is done twice."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from evoart.errors import EvoartError, UsageError
from evoart.locks import try_lock
from evoart.run.job import Job

NAME = "journal.jsonl"
LOCK = ".work/lock"
_RENAMED = {"look": "thumbnail"}  # fields that had other names in earlier journals
_STATUS = {"spare": "surplus"}


@dataclass(frozen=True)
class Line:
    """One finished or failed job.

    Attributes:
        name: of the entry.
        key: of its job, see ``key_of``: another job of the same name is another picture.
        group: see ``plan.Entry``.
        status: ``done``, ``failed``, or ``surplus``: made and not chosen (see ``run.choose``).
        reason: why it failed, or what ended it.
        job: plain values.
        form: what the picture is made of: ``shapes``.
        drawing: what it consists of: ``100 triangles``.
        title: for viewers and screen readers, ``photo, drawn with 100 triangles``.
        heading: what the job is called where it was given a name; else ``""``.
        size: ``(w, h)`` in pixels.
        figures: loss and whatever else was measured.
        files: names in the gallery's folder, by kind: ``svg``, ``png``, ``thumb``, ``film``.
        thumbnail: the picture in 8 x 8 pixels, hexadecimal sRGB row by row: by it pictures are compared.
        seconds: wall time.
    """

    name: str
    key: str
    group: str
    status: str
    reason: str = ""
    job: dict[str, Any] = field(default_factory=dict)
    form: str = ""
    drawing: str = ""
    title: str = ""
    heading: str = ""
    size: tuple[int, int] = (0, 0)
    figures: dict[str, float] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    thumbnail: str = ""
    seconds: float = 0.0


def make_folder(path: Path) -> None:
    """Make a folder where there is none.

    Raises:
        EvoartError: the system refuses; such as where a file has that name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"the folder '{path}' cannot be made ({error.strerror})"
        raise EvoartError(what, "Rename or remove what is there, or use another folder") from error


def key_of(job: Job) -> str:
    """Sixteen hexadecimal digits that differ where two jobs do. Hashes of files, known after reading, do not count."""
    plain = {name: value for name, value in job.to_dict().items() if "sha256" not in name}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def read(folder: Path) -> tuple[dict[str, Line], int]:
    """The latest line of every name in all journals of a folder, and how many lines were damaged and skipped.

    A process that was killed while writing leaves half a line; its job is simply done again.

    Raises:
        EvoartError: the system refuses a journal.
    """
    lines: dict[str, Line] = {}
    damaged = 0
    for path in sorted(folder.glob("journal*.jsonl")):
        try:
            data = path.read_bytes()
        except OSError as error:
            what = f"the journal '{path}' cannot be read ({error.strerror})"
            raise EvoartError(what, "Check the file, or use another folder") from error
        for raw in io.BytesIO(data):
            try:
                line = _parse(raw)
            except (ValueError, TypeError, KeyError):
                damaged += bool(raw.strip())
                continue
            # A job that failed in one shard or try may have been done in another.
            known = lines.get(line.name)
            if not (known and known.status == "done" and line.status == "failed" and known.key == line.key):
                lines[line.name] = line
    return lines, damaged


def _parse(raw: bytes) -> Line:
    if not raw.endswith(b"\n"):
        raise ValueError("cut off")
    values: dict[str, Any] = dict(json.loads(raw))
    for old in _RENAMED.keys() & values.keys():
        values[_RENAMED[old]] = values.pop(old)
    values["status"] = _STATUS.get(values["status"], values["status"])
    line = Line(**values)
    strings = (
        line.name, line.key, line.group, line.status, line.reason, line.form, line.drawing, line.title, line.heading,
        line.thumbnail,
    )  # fmt: skip
    files = all(isinstance(n, str) and not os.path.isabs(n) and ".." not in Path(n).parts for n in line.files.values())
    numbers = all(isinstance(value, int | float) for value in line.figures.values())
    if not (all(isinstance(each, str) for each in strings) and isinstance(line.job, dict) and files and numbers):
        raise ValueError("kinds")
    w, h = line.size
    return Line(**values | {"size": (int(w), int(h)), "seconds": float(line.seconds)})


class Journal:
    """Appends lines, each whole and on the disk before it is counted as written.

    Args:
        folder: of the gallery.
        shard: ``""``, or what tells this process's journal from others' in the same folder, ``3-of-16``.
    """

    def __init__(self, folder: Path, shard: str = "") -> None:
        self.path = folder / (f"journal-{shard}.jsonl" if shard else NAME)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, line: Line) -> None:
        """Append a line.

        Raises:
            EvoartError: the disk is full, or refuses.
        """
        data = json.dumps({**line.__dict__, "size": list(line.size)}, separators=(",", ":")).encode() + b"\n"
        try:
            if self._file is None:
                self._file = self.path.open("ab+")
                self._end_half_a_line()
            self._file.write(data)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise EvoartError(
                f"the journal '{self.path}' cannot be written ({error.strerror})", "Free some space, then run it again"
            ) from error

    def close(self) -> None:
        """Close the file, where one is open."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _end_half_a_line(self) -> None:
        """Half a line that a killed process left must not spoil the next one."""
        assert self._file is not None
        size = self._file.seek(0, os.SEEK_END)
        if size:
            self._file.seek(size - 1)
            if self._file.read(1) != b"\n":
                self._file.write(b"\n")


@contextlib.contextmanager
def hold(folder: Path, shard: str = "", wait: bool = False) -> Iterator[None]:
    """Lock the folder (or this shard of it) until the end, however this process ends.

    Raises:
        UsageError: another process has it, and ``wait`` is False.
        EvoartError: the system refuses the lock's folder.
    """
    if sys.platform == "win32":  # two at once are the user's affair
        yield
        return
    make_folder((folder / LOCK).parent)
    with (folder / (f"{LOCK}-{shard}" if shard else LOCK)).open("a+") as file:
        if not _is_ours(file):
            if not wait:
                who = _owner(file)
                raise UsageError(
                    f"another evoart gallery{who} is writing to '{folder}'",
                    "Use --wait to start when it has finished, or another folder",
                )
            while not _is_ours(file):
                time.sleep(0.5)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def _is_ours(file: IO[str]) -> bool:
    try:
        return try_lock(file.fileno())
    except OSError:  # a file system without locks: two at once are the user's affair
        return True


def _owner(file: IO[str]) -> str:
    with contextlib.suppress(OSError, ValueError):
        file.seek(0)
        if text := file.read(20).strip():
            return f" (process {int(text)})"
    return ""
