"""Files of named arrays in the safetensors format: a header of JSON, then the numbers. Nothing in it can run.

https://github.com/huggingface/safetensors: eight bytes of header length (little endian), the header, the data.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from evoart.errors import EvoartError

_TYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
_NAMES = {np.dtype(kind): name for name, kind in _TYPES.items()}
_LARGEST_HEADER = 100_000_000  # the format's own limit


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays by name, mapped from the file and read as they are used, and the file's notes.

    Raises:
        EvoartError: no such file, one of another format, or one that is cut short.
    """
    header, notes, start = _read_header(Path(path))
    with _explained(Path(path)):
        size = Path(path).stat().st_size
        data = np.memmap(path, np.uint8, "r", offset=start) if size > start else np.empty(0, np.uint8)
        return {name: _array(data, entry) for name, entry in header.items()}, notes


def read_names(path: str | Path) -> list[str]:
    """The names of the arrays in a complete file; of the file only the header is read.

    Raises:
        EvoartError: no such file, one of another format, or one that is cut short.
    """
    header, _, start = _read_header(Path(path))
    with _explained(Path(path)):
        size = Path(path).stat().st_size - start
        for entry in header.values():
            _layout_of(entry, size)
    return list(header)


def _read_header(path: Path) -> tuple[dict[str, Any], dict[str, str], int]:
    """Entries by name, notes, and where the data begins."""
    with _explained(path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
            raise ValueError("its first bytes are not those of a safetensors file")
        header = json.loads(file.read(length))
        notes = header.pop("__metadata__", {})
        return dict(header), dict(notes), 8 + length


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into an EvoartError."""
    try:
        yield
    except OSError as error:
        raise EvoartError(
            f"the weights '{path}' cannot be read ({error.strerror or error})", "Check the path"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"the weights '{path}' are damaged or of another format ({error})"
        raise EvoartError(what, "Fetch or copy it again; it must be a .safetensors file") from error


def _layout_of(entry: Mapping[str, Any], size: int) -> tuple[np.dtype, tuple[int, ...], int, int]:
    """Type, shape, first byte and end of an array in ``size`` bytes of data."""
    kind, shape = np.dtype(_TYPES[entry["dtype"]]), tuple(int(n) for n in entry["shape"])
    first, end = (int(n) for n in entry["data_offsets"])
    if min(shape, default=0) < 0 or end - first != math.prod(shape) * kind.itemsize or not 0 <= first <= end:
        raise ValueError("an array's size does not fit its place")
    if end > size:
        raise ValueError("it is cut short")
    return kind, shape, first, end


def _array(data: np.ndarray, entry: Mapping[str, Any]) -> np.ndarray:
    kind, shape, first, end = _layout_of(entry, len(data))
    part = data[first:end]
    return np.frombuffer(part.tobytes() if first % kind.itemsize else part, kind).reshape(shape)


def write(path: str | Path, arrays: Mapping[str, np.ndarray], notes: Mapping[str, str] | None = None) -> None:
    """Write arrays, under a temporary name first. The same arrays give the same bytes."""
    path = Path(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            for part in _parts(arrays, notes):
                file.write(part)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def encode(arrays: Mapping[str, np.ndarray], notes: Mapping[str, str] | None = None) -> bytes:
    """What ``write`` writes, as bytes."""
    return b"".join(_parts(arrays, notes))


def _parts(arrays: Mapping[str, np.ndarray], notes: Mapping[str, str] | None) -> Iterator[bytes]:
    header: dict = {"__metadata__": dict(notes)} if notes else {}
    offset = 0
    for name in sorted(arrays):
        array = arrays[name]
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # data begins on a multiple of eight
    yield len(text).to_bytes(8, "little") + text
    for name in sorted(arrays):
        yield np.ascontiguousarray(arrays[name]).tobytes()
