"""Files that a job names: read, and checked against the hashes that it knows."""

from __future__ import annotations

import hashlib
from typing import Any

from evoart.errors import UsageError
from evoart.picture import MAX_PIXELS, Picture, load
from evoart.sources import read_source


def read_picture(source: Any, needed: int, max_pixels: int | None = None) -> Picture:
    """A photograph: whatever ``picture.load`` takes.

    Args:
        needed: long side in pixels at which it is looked at; larger ones are reduced while they are read.
        max_pixels: larger photographs are refused; None is the usual limit.

    Raises:
        UsageError, EvoartError: no picture, or one that cannot be used.
    """
    return load(source, needed=needed, max_pixels=max_pixels or MAX_PIXELS)


def check_hash(what: str, name: str, found: str, expected: str) -> None:
    """Refuse a file that is not the one a job was made for.

    Args:
        what: the file's part in the job, for the message: ``photograph``, ``start``.
        name: its path.
        found, expected: SHA-256, hexadecimal; where ``expected`` is ``""`` the job does not know yet.

    Raises:
        UsageError: another file.
    """
    if expected and found != expected:
        raise UsageError(
            f"'{name}' is not the {what} this job was made for (its contents differ)",
            "Put that file back, name it (redo: --picture FILE), or start a new run without this recipe",
        )


def read_hashed(what: str, path: str, expected: str) -> tuple[bytes, str, str]:
    """The bytes of a file that a job names, its name for messages, and its SHA-256; see ``check_hash``."""
    data, _, label = read_source(path)
    digest = hashlib.sha256(data).hexdigest()
    check_hash(what, path, digest, expected)
    return data, label, digest
