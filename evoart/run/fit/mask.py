"""The transparency of a finished picture: recipes do not hold it, the files around them do."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import numpy as np

from evoart.errors import EvoartError
from evoart.picture import load
from evoart.pixels import MASK_SIDE

_EMBEDDED = re.compile(rb'<mask id="alpha[-0-9a-f]*".{0,400}?base64,([A-Za-z0-9+/=]+)"', re.DOTALL)
_RASTER = (b"\x89PNG", b"RIFF", b"GIF8")


def mask_of(data: bytes, path: Path, photograph: str, sha256: str) -> np.ndarray | None:
    """Transparency ``(h, w)`` uint8 of the picture ``data`` read from ``path``: its own, or the photograph's.

    None where it has none.

    Raises:
        EvoartError: the picture is transparent, and neither its file nor the photograph can say where.
    """
    if found := _EMBEDDED.search(data):
        return _embedded(found[1], path)
    if data.startswith(_RASTER):
        return load(data).mask
    for photo in (Path(photograph), path.parent / Path(photograph).name):
        if photograph and os.path.isfile(photo):  # unlike Path.is_file, False for a name that no file can have
            picture = load(photo)
            if picture.sha256 == sha256:
                return picture.mask
    raise EvoartError(
        f"'{path}' is transparent where its photograph '{photograph}' is, which is not there",
        "Use the SVG or PNG, or put the photograph next to it",
    )


def _embedded(text: bytes, path: Path) -> np.ndarray:
    """The PNG that an SVG holds as base64, read as warily as any picture and no larger than evoart writes one."""
    try:
        picture = load(base64.b64decode(text), max_pixels=MASK_SIDE**2)
    except (ValueError, EvoartError):
        raise EvoartError(f"the transparency in '{path}' is damaged", "Use another copy of the file") from None
    levels = picture.rgb[..., 0] if picture.alpha is None else picture.alpha  # gray where an older evoart wrote it
    return np.rint(levels * 255).astype(np.uint8)
