"""Files that a job names: read, and held to the hashes that it knows."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.picture import MAX_PIXELS, Picture, load, read_source


def read_picture(source: Any, needed: int, max_pixels: int | None = None) -> Picture:
    """A photograph: a path, bytes, an open file, an array ``(h, w, 3 or 4)`` or a Pillow image.

    Args:
        needed: long side in pixels at which it is looked at; larger ones are reduced while they are read.
        max_pixels: larger photographs are refused; None is the usual limit.

    Raises:
        UsageError, EvoartError: none of these, or one that cannot be used.
    """
    if isinstance(source, np.ndarray):
        source = _array_bytes(source)
    elif hasattr(source, "save") and hasattr(source, "mode"):
        source = _pillow_bytes(source)
    elif hasattr(source, "read"):
        source = source.read()
    if not isinstance(source, str | Path | bytes | bytearray | memoryview):
        raise UsageError(
            f"a picture cannot be a {type(source).__name__}", "Give a path, bytes, a file, an array or a Pillow image"
        )
    if isinstance(source, bytearray | memoryview):
        source = bytes(source)
    return load(source, needed=needed, max_pixels=max_pixels or MAX_PIXELS)


_CONVERTED = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA", "RGBX": "RGB", "HSV": "RGB"}


def _array_bytes(array: np.ndarray) -> bytes:
    from PIL import Image

    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or not array.size:
        raise UsageError(f"the picture is an array of shape {array.shape}", "Give (h, w, 3), (h, w, 4) or (h, w)")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
            raise UsageError("the picture's floats leave [0, 1]", "Divide by its largest value, or give uint8")
        array = np.round(array * 255).astype(np.uint8)
    elif array.dtype == np.uint16:
        array = np.round(array / 257).astype(np.uint8)
    elif array.dtype == bool:
        array = array * np.uint8(255)
    if array.dtype != np.uint8:
        raise UsageError(f"the picture is an array of {array.dtype}", "Give uint8, or floats in [0, 1]")
    return _pillow_bytes(Image.fromarray(np.ascontiguousarray(array)))


def _pillow_bytes(image: Any) -> bytes:
    """A Pillow image, upright, as the bytes of a file, so that it is read and known again as one."""
    from PIL import ImageOps

    buffer = io.BytesIO()
    try:
        image = ImageOps.exif_transpose(image)
        if image.mode in _CONVERTED:
            image = image.convert(_CONVERTED[image.mode])
        # TIFF holds what PNG does not.
        image.save(buffer, "TIFF" if image.mode in ("F", "I", "CMYK", "YCbCr", "LAB") else "PNG", compress_level=1)
    except (OSError, ValueError, SyntaxError) as error:
        raise EvoartError(f"the Pillow image cannot be read ({error})", "Give an open image, in RGB for one") from error
    return buffer.getvalue()


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
