"""The bytes of a file, of standard input, or as given."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

from evoart.errors import EvoartError, UsageError

MAX_BYTES = 1 << 30  # of a file


def read_source(source: str | Path | bytes) -> tuple[bytes, str, str]:
    """The bytes of a path, of standard input (``"-"``) or as given, a stem for outputs, and what messages call it.

    Raises:
        UsageError: no such file, a directory, nothing piped, larger than ``MAX_BYTES``.
        EvoartError: empty, not readable.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data, name, label = bytes(source), "picture", "the picture"
    elif str(source) == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("nothing comes in on standard input", "Pipe a file in: evoart fit - < photo.jpg")
        data, name, label = sys.stdin.buffer.read(MAX_BYTES + 1), "picture", "standard input"
    else:
        path = Path(source)
        data, name, label = _read_file(path), path.stem, f"'{path}'"
    if not data:
        raise EvoartError(f"{label} is empty (0 bytes)", "Give another file")
    if len(data) > MAX_BYTES:
        raise UsageError(f"{label} is larger than {MAX_BYTES >> 20} MiB", "Reduce it first")
    return data, name, label


def _read_file(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise UsageError(f"'{path}' is a directory", "Give one of the files in it")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"there is no file '{path}'", _nearby(path)) from None
    except PermissionError:
        raise EvoartError(f"'{path}' may not be read", f"Allow it: chmod u+r '{path}'") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise EvoartError(f"'{path}' cannot be read ({error})", "Check the path") from None


def _nearby(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return f"There is no folder '{path.parent}' either"
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(path.name.lower(), lower, n=1, cutoff=0.6)
    near = near or [name for name in lower if Path(name).stem == path.stem.lower()][:1]
    return f"Did you mean '{path.parent / lower[near[0]]}'?" if near else "Check the spelling"
