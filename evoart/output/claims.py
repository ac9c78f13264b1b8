"""Names that a run takes before it writes, all of them together: two runs in one folder never cross their files.

A name is held by a locked file in evoart's cache. The system gives a lock back when its process ends, however it ends:
a killed run leaves no name taken and nothing in anybody's folder.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from evoart.cache import cache_dir
from evoart.locks import try_lock


class Claims:
    """The names that one run holds; no other run of this machine gets them until they are released."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Path, int]] = {}  # real path -> lock file and its descriptor

    def take(self, paths: Iterable[Path]) -> bool:
        """Take all of ``paths``, or none where another run holds one of them; what is held already may be taken again.

        Where the cache cannot be written to, every name is granted: then it is the writing that finds out.
        """
        new: list[str] = []
        for path in paths:
            name = os.path.realpath(path)
            if name in self._held:
                continue
            lock = _lock(name)
            if lock is None:
                self._release(new)
                return False
            self._held[name] = lock
            new.append(name)
        return True

    def release(self) -> None:
        """Give all names back."""
        self._release(list(self._held))

    def _release(self, names: list[str]) -> None:
        for name in names:
            path, descriptor = self._held.pop(name)
            if descriptor < 0:
                continue
            with contextlib.suppress(OSError):
                path.unlink()  # while it is still locked, so that nobody's new lock is removed
            with contextlib.suppress(OSError):
                os.close(descriptor)


CLAIMS = Claims()  # of the run that this process is at; a process runs one job after another
atexit.register(CLAIMS.release)


def _lock(name: str) -> tuple[Path, int] | None:
    """A locked file for a name, or None where another process has it; without a cache a descriptor of -1."""
    path = cache_dir() / "names" / f"{hashlib.sha256(os.fsencode(name)).hexdigest()[:32]}.lock"
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return path, -1
        try:
            if not try_lock(descriptor):
                os.close(descriptor)
                return None
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return path, descriptor
        except FileNotFoundError:
            pass
        except OSError:  # a file system without locks
            os.close(descriptor)
            return path, -1
        os.close(descriptor)  # it was removed between opening and locking
