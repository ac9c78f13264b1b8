"""Writing files: whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from evoart.errors import EvoartError, UsageError


def write(path: Path, data: bytes, *, overwrite: bool = False, flush: bool = True) -> Path:
    """Write ``data`` as ``stream`` does."""
    return stream(path, lambda file: file.write(data), overwrite=overwrite, flush=flush)


def stream(path: Path, put: Callable[[BinaryIO], object], *, overwrite: bool = False, flush: bool = True) -> Path:
    """Let ``put`` write a file so that a reader of ``path`` sees the whole of it or none, and return where it is.

    The bytes go to a temporary name in the same folder, are flushed to disk and renamed. Without ``overwrite`` a file
    that appeared at ``path`` in the meantime is kept, and the data goes to the next free name (``-2``, ``-3``, ...).
    Devices and pipes are written to directly. Without ``flush`` the system may take its time to bring the bytes to the
    disk: for what can be made again in a moment.

    Raises:
        EvoartError: disk full, no permission, or any other refusal of the system; no temporary file stays behind.
    """
    with _explain_errors(path):
        # Before the link is followed: /dev/fd/63 leads to a pipe, whose own name is not a path.
        if is_special(path):
            with path.open("wb") as file:
                put(file)
            return path
    path = Path(os.path.realpath(path))  # a link stays a link
    with _explain_errors(path):
        temporary = path.parent / f".evoart-{secrets.token_hex(6)}.part"
        try:
            _write_through(temporary, put, flush)
            if overwrite:
                with contextlib.suppress(FileNotFoundError):
                    temporary.chmod(stat.S_IMODE(path.stat().st_mode))
                temporary.replace(path)
                return path
            return _take_name(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def is_special(path: Path) -> bool:
    """True for a device, pipe or socket such as ``/dev/null``, which must never be replaced by a file."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def check_writable(folder: Path) -> None:
    """Check before the work whether files can be made in ``folder``.

    Raises:
        UsageError: the folder is missing, is a file, or refuses a new file.
    """
    if not os.path.exists(folder):
        raise UsageError(f"there is no folder '{folder}'", f"Make it first: mkdir -p '{folder}'")
    if not os.path.isdir(folder):
        raise UsageError(f"'{folder}' is a file, not a folder", "Choose another output")
    probe = folder / f".evoart-{secrets.token_hex(6)}.part"
    try:
        # Making a file is the only reliable check: permission bits say nothing about read-only disks and quotas.
        probe.touch(exist_ok=False)
    except OSError as error:
        raise UsageError(
            f"the folder '{folder}' cannot be written to ({error.strerror})", "Choose another with -o"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


def numbered(path: Path, number: int) -> Path:
    """``path`` for 1, else the same with ``-number`` before its suffix."""
    if number == 1:
        return path
    stem, dot, rest = path.name.partition(".") if path.name.endswith(".anim.webp") else (path.stem, "", path.suffix)
    return path.with_name(f"{stem}-{number}{dot}{rest}")


def _write_through(path: Path, put: Callable[[BinaryIO], object], flush: bool) -> None:
    # Plain open honours the user's umask, which tempfile's private mode would not.
    with path.open("xb") as file:
        put(file)
        if flush:
            file.flush()
            os.fsync(file.fileno())


def _take_name(temporary: Path, path: Path) -> Path:
    """Give the temporary file the first free name; linking fails where a name is taken, without a race."""
    for number in range(1, 10_000):
        target = numbered(path, number)
        try:
            os.link(temporary, target)
            return target
        except FileExistsError:
            continue
        except OSError:  # a file system without links
            if not target.exists():
                return temporary.replace(target)
    raise EvoartError(f"'{path}' and ten thousand names like it are taken", "Choose another name with -o")


@contextmanager
def _explain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            what, hint = f"the disk is full: '{path}' was not written", "Free some space or choose another folder"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            what, hint = f"'{path}' may not be written ({error.strerror})", "Choose another folder with -o"
        elif isinstance(error, BrokenPipeError):
            raise
        else:
            what, hint = f"'{path}' was not written ({error.strerror or error})", "Choose another name with -o"
        raise EvoartError(what, hint) from error
