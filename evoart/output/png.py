"""PNG row by row, for pictures that are larger than memory: Pillow wants the whole picture at once."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import numpy as np

LEVEL = 1  # of compression: a fifth of the time of Pillow's usual 6, for a few more bytes of a smooth picture


def write_rows(
    file: BinaryIO,
    size: tuple[int, int],
    channels: int,
    strips: Iterable[np.ndarray],
    texts: Sequence[tuple[str, str]],
    dpi: float | None = None,
) -> None:
    """Write an sRGB PNG of ``size`` (w, h), 8 bits a channel.

    Args:
        channels: 3, or 4 with straight alpha.
        strips: uint8 ``(rows, w, channels)`` from the top down, ``h`` rows in all.
        texts: (keyword, text) of the text chunks.
        dpi: pixels an inch; None: not said.
    """
    w, h = size
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2 if channels == 3 else 6, 0, 0, 0))
    _chunk(file, b"sRGB", b"\0")
    if dpi is not None:
        metre = round(dpi / 0.0254)
        _chunk(file, b"pHYs", struct.pack(">IIB", metre, metre, 1))
    for keyword, text in texts:
        _chunk(file, b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode())
    squeeze = zlib.compressobj(LEVEL)
    above = np.zeros((1, w * channels), np.uint8)
    for strip in strips:
        rows = strip.reshape(len(strip), w * channels)
        # Filter 2: the difference to the row above, which in a smooth picture is small almost everywhere.
        lines = np.empty((len(rows), w * channels + 1), np.uint8)
        lines[:, 0] = 2
        np.subtract(rows, np.concatenate([above, rows[:-1]]), out=lines[:, 1:])
        above = rows[-1:].copy()
        if data := squeeze.compress(lines.data):
            _chunk(file, b"IDAT", data)
    _chunk(file, b"IDAT", squeeze.flush())
    _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, kind: bytes, body: bytes) -> None:
    file.write(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
