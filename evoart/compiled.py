"""Numba with a place for what it compiles. Every file with kernels takes ``njit`` from here.

By default Numba writes next to the source files, which an installation may forbid, and ignores
``EVOART_CACHE``. Its setting counts when a function is decorated and is not put into the environment, so that
other programs which this process starts do not inherit it.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core import config
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.targetconfig import ConfigStack
from numba.np import linalg

from evoart.cache import cache_dir

__all__ = ["Part", "compiling_elsewhere", "njit"]

# What is done below to Numba's insides was tried with these versions. With any other it is left out: all works, and the
# first run takes half as long again.
_KNOWN = (0, 63) <= tuple(numba.version_info[:2]) <= (0, 68)


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


@contextlib.contextmanager
def compiling_elsewhere(programs: Sequence[str]) -> Iterator[None]:
    """Have kernels compiled by processes of their own, one for each Python program, unless that was done before; while
    this one does something else, and until they are ready.

    Numba compiles one kernel at a time in a process, so several processes keep several cores busy. Where none can be
    started, kernels are compiled in this one when they are first called.
    """
    kept = Path(getattr(config, "CACHE_DIR", "") or folder())
    name = f"{folder().name}-{sys.implementation.cache_tag}"
    done = [kept / f"{name}-{hashlib.sha256(each.encode()).hexdigest()[:8]}" for each in programs]
    missing = [i for i, mark in enumerate(done) if not mark.exists()]
    if getattr(config, "DISABLE_JIT", 0) or not missing or not sys.executable:
        yield
        return
    none = subprocess.DEVNULL
    # A process that reads from this one ends with it, however that comes about.
    watch = (
        "import os, sys, threading as t; t.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()"
    )
    paths = {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path), "NUMBA_CACHE_DIR": str(kept)}
    started: dict[int, subprocess.Popen] = {}
    with contextlib.suppress(OSError):
        for i in missing:
            started[i] = subprocess.Popen(
                [sys.executable, "-c", f"{watch}; import gc; gc.disable(); {programs[i]}"],
                env=os.environ | paths, stdin=subprocess.PIPE, stdout=none, stderr=none,
            )  # fmt: skip
    collects = gc.isenabled()
    gc.disable()  # a compiler makes no garbage worth looking for, and much to look through
    try:
        yield
        for i, process in started.items():
            if process.wait() == 0:
                with contextlib.suppress(OSError):
                    done[i].touch()
    finally:
        if collects:
            gc.enable()
        for process in started.values():
            if process.stdin is not None:
                process.stdin.close()


def njit(function: Callable | None = None, **options: Any) -> Any:
    """``numba.njit``; with ``pipeline_class=Part``, for functions that become part of kernels.

    Numba would compile such a function for every number that is written where it is called.
    """
    if function is None:
        return partial(njit, **options)
    part = options.get("pipeline_class") is Part
    if part and not _KNOWN:
        options = options | {"pipeline_class": Compiler}
    made: Any = numba.njit(**options)(function)
    if part and _KNOWN:
        find = made.get_call_template
        made.get_call_template = lambda args, kws: find(tuple(map(types.unliteral, args)), kws)
    return made


class _PartLibrary(JITCodeLibrary):
    """The code of a function that only becomes part of kernels: it is not optimised by itself, nor made machine code,
    which is a third of what it costs. What it becomes part of is."""

    @property
    def codegen(self) -> Any:  # which Numba tells where the function's Python objects are, of which it has none
        return self

    def set_env(self, env_name: str, env: object) -> None:
        """Nothing: there is no machine code to write it into."""

    def finalize(self) -> None:
        """Take in what this calls."""
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()
        self._finalized = True


class Part(Compiler):
    """Compiles a function that only kernels call, and all of them contain; it cannot be called from Python."""

    def compile_extra(self, func: Any) -> Any:
        """See ``numba.core.compiler.CompilerBase``."""
        self.state.library = _PartLibrary(self.state.targetctx.codegen(), func.__qualname__)
        return super().compile_extra(func)


def _remember_types(function: type) -> None:
    """Have Numba remember what it made of a call of its own functions with arguments of these types. It would ask all
    kinds of ``+`` or ``max`` again, those of text and sets first, wherever one is written: a fifth of its time."""
    ask, known = function.get_call_type, {}

    def get_call_type(self, context, args, kws):
        flags = ConfigStack.top_or_none()
        asked = self, context, tuple(args), tuple(kws.items()), flags and flags.summary()
        if asked in known:
            signature, self._impl_keys[signature.args] = known[asked]
        else:
            signature = ask(self, context, args, kws)
            if signature is not None:
                known[asked] = signature, self._impl_keys[signature.args]
        return signature

    function.get_call_type = get_call_type


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

if _KNOWN:
    _remember_types(types.Function)
