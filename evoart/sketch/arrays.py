"""Stroke sets in ``.npz`` files: pickled object arrays, read without running what a stranger pickled.

The published sets (Quick, Draw!, kanji, omniglot, sheep) are object arrays that Python 2 pickled. Unpickling may call
anything that the file names, so the names are held to the four that rebuild a NumPy array.
"""

from __future__ import annotations

import ast
import codecs
import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import EvoartError

LARGEST = 2 << 30  # bytes of one member, unpacked
FARTHEST = 1e9  # of one step: the squares of much larger ones are no numbers any more
PARTS = ("train", "valid", "test")


def read_npz(path: Path, parts: tuple[str, ...] = PARTS) -> dict[str, list[np.ndarray]]:
    """Stroke-3 sketches by part (``train``, ``valid``, ``test``; those that there are), each ``(n, 3)`` as it was kept.

    Raises:
        EvoartError: no such archive, damaged, too large, or it asks for more than arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy"): name for name in archive.namelist()}
            found = [part for part in parts if part in names]
            if not found:
                raise EvoartError(
                    f"'{path}' has no part called {', '.join(parts)}", "Give a stroke set as sketch-rnn uses it"
                )
            return {part: _member(archive, names[part], path) for part in found}
    except EvoartError:
        raise
    except _Refused as error:
        raise EvoartError(f"'{path}' is not a plain stroke set: {error}", "Nothing in it was run") from None
    except FileNotFoundError:
        raise EvoartError(f"there is no file '{path}'", "Check the spelling") from None
    except PermissionError:
        raise EvoartError(f"'{path}' may not be read", f"Allow it: chmod u+r '{path}'") from None
    except Exception:  # whatever a damaged archive leads zlib, zipfile, pickle or NumPy to
        raise EvoartError(f"'{path}' is damaged, or no stroke set at all", "Download it again") from None


def write_npz(sketches: dict[str, list[np.ndarray]]) -> bytes:
    """The bytes of a stroke set that sketch-rnn, Magenta and this module read: object arrays of int16 or float32."""
    parts = {}
    for part, those in sketches.items():
        parts[part] = np.empty(len(those), object)
        parts[part][:] = [np.asarray(sketch) for sketch in those]
    file = io.BytesIO()
    np.savez_compressed(file, **parts)
    return file.getvalue()


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> list[np.ndarray]:
    info = archive.getinfo(name)
    if info.file_size > LARGEST:
        raise EvoartError(f"'{path}' unpacks to {info.file_size / 1e9:.1f} GB", f"{LARGEST / 1e9:.1f} GB is the most")
    with archive.open(info) as file:
        value = _array(io.BytesIO(file.read(LARGEST + 1)))
    sketches = list(value)
    for index, sketch in enumerate(sketches):
        if (
            not isinstance(sketch, np.ndarray)
            or sketch.ndim != 2
            or sketch.shape[1] != 3
            or sketch.dtype.kind not in "iuf"
        ):
            raise EvoartError(
                f"in '{path}', {name} number {index} is not an array of (dx, dy, lift)", "Give stroke-3 data"
            )
        if np.abs(sketch[:, :2], dtype=np.float64).max(initial=0) > FARTHEST:
            raise EvoartError(f"in '{path}', {name} number {index} reaches too far", f"{FARTHEST:,.0f} is the most")
    return sketches


def _array(file: io.BytesIO) -> np.ndarray:
    """One ``.npy`` file; object arrays through the restricted unpickler."""
    if file.read(6) != b"\x93NUMPY":
        raise ValueError("a member is not in NumPy's format")
    major = file.read(2)[0]
    size = struct.unpack("<H", file.read(2))[0] if major == 1 else struct.unpack("<I", file.read(4))[0]
    header = ast.literal_eval(file.read(min(size, 1 << 16)).decode("latin1"))
    if header["descr"] != "|O":
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    value = _Arrays(file, encoding="latin1").load()
    if not isinstance(value, np.ndarray):
        raise ValueError("a member holds no array")
    return value.ravel()


class _Refused(pickle.UnpicklingError):
    """A pickle asks for something that no stroke set needs."""


class _Arrays(pickle.Unpickler):
    """Admits what rebuilds NumPy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        wanted = (module.replace("numpy._core", "numpy.core"), name)
        if wanted not in _ADMITTED:
            raise _Refused(f"it asks for {module}.{name}")
        return _ADMITTED[wanted]

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused("it asks for persistent objects")


def _encode(text: str, encoding: str) -> bytes:
    """What Python 2 pickles name to get bytes; ``codecs.encode`` itself would look up any codec by name."""
    if not isinstance(text, str) or encoding != "latin1":
        raise _Refused(f"it asks for the encoding {encoding!r}")
    return codecs.latin_1_encode(text)[0]


def _reconstruct(kind: Any, shape: Any, code: Any) -> np.ndarray:
    """An empty array to be filled, as NumPy's own function makes it; larger ones only a forger asks for."""
    if kind is not np.ndarray or shape != (0,):
        raise _Refused("it asks for an array of a kind of its own")
    return np.empty(0, "int8")


_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
}
