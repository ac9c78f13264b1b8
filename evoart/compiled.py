"""Numba with a place for what it compiles. Every file with kernels takes ``njit`` from here.

By default Numba writes next to the source files, which an installation may forbid, and ignores
``EVOART_CACHE``. Its setting counts when a function is decorated and is not put into the environment, so that
other programs which this process starts do not inherit it.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from numba import njit
from numba.core import config

from evoart.cache import cache_dir
from evoart.version import __version__

__all__ = ["njit"]


def folder() -> Path:
    """The cache of compiled kernels: one folder for each version and state of the functions that others contain.

    Numba notices when a kernel's own file has changed, but not when a file has whose functions went into it.
    """
    shared = (Path(__file__).parent / "draw" / "row_coverage.py").read_bytes()
    return cache_dir() / f"numba-{__version__}-{hashlib.sha256(shared).hexdigest()[:8]}"


if not getattr(config, "CACHE_DIR", ""):  # where the user has set NUMBA_CACHE_DIR, that stays
    with contextlib.suppress(OSError, RuntimeError):  # a user without a home: Numba finds a place, or none
        config.CACHE_DIR = str(folder())  # pyright: ignore[reportAttributeAccessIssue]
