"""Numba, told where to keep what it compiles. Every file with kernels takes ``njit`` from here.

Left to itself Numba writes beside the source files, which an installation may forbid, and knows nothing of
``EVOART_CACHE``. Its setting counts when a function is decorated and is not put into the environment, so that
other programs which this process starts do not inherit it.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import numba
from numba import njit

from evoart.cache import cache_dir
from evoart.version import __version__

__all__ = ["njit"]


def folder() -> Path:
    """Where kernels are kept: one folder for each version and state of the functions that other kernels contain.

    Numba notices when a kernel's own file has changed, but not when a file has whose functions went into it.
    """
    shared = (Path(__file__).parent / "draw" / "row_coverage.py").read_bytes()
    return cache_dir() / f"numba-{__version__}-{hashlib.sha256(shared).hexdigest()[:8]}"


if not numba.config.CACHE_DIR:  # NUMBA_CACHE_DIR is the user's word
    with contextlib.suppress(OSError, RuntimeError):  # a user without a home: Numba finds a place, or none
        numba.config.CACHE_DIR = str(folder())
