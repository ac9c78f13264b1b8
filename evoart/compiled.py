"""Numba with a place for what it compiles. Every file with kernels takes ``njit`` from here.

By default Numba writes next to the source files, which an installation may forbid, and ignores
``EVOART_CACHE``. Its setting counts when a function is decorated and is not put into the environment, so that
other programs which this process starts do not inherit it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from numba import njit
from numba.core import config
from numba.np import linalg

from evoart.cache import cache_dir

__all__ = ["compile_elsewhere", "njit"]


# The files that kernels are in, and those whose constants went into them.
KERNELS = (
    "cppn/activations.py", "cppn/colour.py", "cppn/kernel.py", "cppn/plane.py", "cppn/slots.py",
    "draw/atomic.py", "draw/gains.py", "draw/parametric.py", "draw/row_coverage.py", "draw/scanline.py",
    "draw/shapes/base.py", "draw/shapes/ramp.py", "engine/candidates.py", "engine/polish.py", "machine/order.py",
    "search/tiles.py",
)  # fmt: skip


def folder() -> Path:
    """Where kernels are kept: one folder for each state of the files that they are in, whatever the version.

    Numba notices when a kernel's own file has changed, but not when a file has whose functions went into it.
    """
    digest = hashlib.sha256()
    for name in KERNELS:
        digest.update((Path(__file__).parent / name).read_bytes())
    return cache_dir() / f"numba-{digest.hexdigest()[:12]}"


def compile_elsewhere(programs: Sequence[str]) -> None:
    """Have kernels compiled by processes of their own, one for each Python program, unless that was done before.

    Numba compiles one kernel at a time in a process, so several processes keep several cores busy. Where none can be
    started, kernels are compiled in this one when they are first called.
    """
    kept = Path(getattr(config, "CACHE_DIR", "") or folder())
    name = f"{folder().name}-{sys.implementation.cache_tag}"
    done = [kept / f"{name}-{hashlib.sha256(each.encode()).hexdigest()[:8]}" for each in programs]
    missing = [i for i, mark in enumerate(done) if not mark.exists()]
    if getattr(config, "DISABLE_JIT", 0) or not missing or not sys.executable:
        return
    none = subprocess.DEVNULL
    # A process that reads from this one ends with it, however that comes about.
    watch = (
        "import os, sys, threading as t; t.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()"
    )
    paths = {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path), "NUMBA_CACHE_DIR": str(kept)}
    with contextlib.suppress(OSError):
        started = [
            subprocess.Popen(
                [sys.executable, "-c", f"{watch}; import gc; gc.disable(); {each}"],
                env=os.environ | paths, stdin=subprocess.PIPE, stdout=none, stderr=none,
            )
            for each in (programs[i] for i in missing)
        ]  # fmt: skip
        for i, process in zip(missing, started, strict=True):
            if process.wait() == 0:
                done[i].touch()
            if process.stdin is not None:
                process.stdin.close()


if not getattr(config, "CACHE_DIR", ""):  # where the user has set NUMBA_CACHE_DIR, that stays
    with contextlib.suppress(OSError, RuntimeError):  # a user without a home: Numba finds a place, or none
        config.CACHE_DIR = str(folder())  # pyright: ignore[reportAttributeAccessIssue]


def _see_scipy() -> None:
    if importlib.util.find_spec("scipy") is None:
        raise ImportError


# Numba imports SciPy's linear algebra with the first kernel, only to see whether it is there: a sixth of a start. What
# uses linear algebra imports it when it is compiled. Where another Numba does it otherwise, this does nothing.
if "numba.np.arraymath" not in sys.modules and hasattr(linalg, "ensure_blas"):
    _ensure_blas, linalg.ensure_blas = linalg.ensure_blas, _see_scipy
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = _ensure_blas
