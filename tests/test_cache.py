"""Compiled kernels are kept where the user says, and a folder that cannot be written stops nobody."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import config
from numba.core.dispatcher import Dispatcher

import evoart
import evoart.compiled
from evoart.compiled import KERNELS, Part, compiling_elsewhere, njit
from evoart.draw.row_coverage import BARE

KEPT = "from evoart.draw.gains import running_sums; import os; print(running_sums.stats.cache_path)"


def kept(program: str = KEPT, **env: str) -> str:
    without = {name: value for name, value in os.environ.items() if name not in ("EVOART_CACHE", "NUMBA_CACHE_DIR")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, env={**without, **env}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_kernels_are_kept_in_the_cache_folder(tmp_path):
    place = Path(kept(EVOART_CACHE=str(tmp_path)))
    assert place.parent.parent == tmp_path
    assert place.parent.name.startswith("numba-")
    assert kept(EVOART_CACHE=str(tmp_path), NUMBA_CACHE_DIR=str(tmp_path / "mine")).startswith(str(tmp_path / "mine"))


def test_kernels_are_kept_there_where_numba_is_loaded_already(tmp_path):
    assert kept("import numba; " + KEPT, EVOART_CACHE=str(tmp_path)).startswith(str(tmp_path))


def test_kernels_load_without_scipy():
    """Numba would import it with the first kernel, only to see whether it is there."""
    program = """
import sys
import numpy as np
from evoart.compiled import njit
print(njit(lambda a: a + 1)(1), "scipy.linalg" in sys.modules)
print(njit(lambda a: a @ a)(np.eye(2)).sum(), "scipy.linalg" in sys.modules)
"""
    assert kept(program).split() == ["2", "False", "2.0", "True"]


def test_other_processes_do_not_inherit_it(tmp_path):
    assert kept(KEPT + "; print(os.environ.get('NUMBA_CACHE_DIR'))", EVOART_CACHE=str(tmp_path)).endswith("None")


def test_a_cache_folder_that_cannot_be_made_is_no_error():
    assert "/dev/null" not in kept(EVOART_CACHE="/dev/null/evoart")


def test_a_user_without_a_home_is_no_error(tmp_path):
    program = "import pathlib\ndef none(*_): raise RuntimeError('no home')\npathlib.Path.home = none\n" + KEPT
    assert kept(program, XDG_CACHE_HOME="")


def test_doctor_names_the_folders(tmp_path):
    program = "from evoart.cli.app import run; run(['doctor'])"
    said = kept(program, EVOART_CACHE=str(tmp_path))
    assert f"drawing      {tmp_path / 'numba-'}" in said
    assert f"JAX          {tmp_path / 'jax'}" in said


def test_every_file_with_kernels_counts_for_the_folder():
    root = Path(evoart.__file__).parent
    with_kernels = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "from evoart.compiled import njit" in path.read_text()
    }
    assert len(with_kernels) > 5
    assert with_kernels <= set(KERNELS)


def test_what_kernels_call_becomes_part_of_them():
    """A function with copies in several kernels would round as the copy does that a process has loaded first."""
    called = 0
    for name in KERNELS:
        module = importlib.import_module("evoart." + name.removesuffix(".py").replace("/", "."))
        fast = [k for k in vars(module).values() if isinstance(k, Dispatcher) and k.targetoptions.get("fastmath")]
        for kernel in fast:  # all others round by the rules of IEEE 754, each copy alike
            for word in kernel.py_func.__code__.co_names:
                inner = getattr(module, word, None)
                if isinstance(inner, Dispatcher) and inner.py_func.__module__ != "evoart.draw.atomic":
                    called += 1
                    options = inner.targetoptions
                    assert options.get("forceinline") or options.get("inline") == "always", (name, kernel, word)
    assert called > 20


@pytest.mark.skipif(not evoart.compiled._KNOWN, reason="this Numba is none whose insides are known")
def test_parts_of_kernels_are_not_compiled_by_themselves():
    @njit(**BARE)
    def part(a, b):
        return a + b

    @njit(nogil=True)
    def kernel(a):
        return part(a, 1) * part(a, 2)

    assert kernel(3) == 20
    (compiled,) = part.overloads.values()  # once, though it is called with two numbers
    assert compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name) == 0  # no machine code of its own
    (compiled,) = kernel.overloads.values()
    assert compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name) != 0


def test_a_process_of_its_own_compiles_what_no_other_has(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    said = tmp_path / "said"
    first, second = (f"open({str(said)!r}, 'a').write('{letter}')" for letter in "ab")
    for programs in ([first], [first, second], [second, "raise SystemExit(1)"]):
        with compiling_elsewhere(programs):
            pass
    assert said.read_text() == "ab"
    with compiling_elsewhere(["raise SystemExit(1)"]):  # whoever failed is asked again, and nobody minds
        pass
    assert len(list(tmp_path.glob("numba-*"))) == 2


def test_with_another_numba_parts_are_functions_like_any(monkeypatch):
    monkeypatch.setattr(evoart.compiled, "_KNOWN", False)
    double = njit(lambda x: x + x, pipeline_class=Part)
    assert double(21) == 42  # which a part cannot be asked from Python
