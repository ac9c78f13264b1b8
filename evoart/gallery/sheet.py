"""A contact sheet: the gallery's thumbnails on one page."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Sequence
from pathlib import Path

from evoart.errors import EvoartError
from evoart.gallery.journal import Line
from evoart.output.files import write

NAME = "sheet.png"
WIDTH, CELLS, GAP = 1000, (150, 320), 10  # pixels: of the page, as far as cells no smaller and no larger allow
MOST = 400  # pictures: beyond, evenly chosen ones
_BACKGROUND = (250, 250, 248)


def sheet(folder: Path, lines: Sequence[Line]) -> Path | None:
    """Write the contact sheet of the pictures that are there, in order; None where there are none.

    Raises:
        EvoartError: the system refuses the file.
    """
    from PIL import Image

    shown = [line for line in lines if line.status == "done" and "thumb" in line.files]
    if len(shown) > MOST:
        shown = [shown[i * len(shown) // MOST] for i in range(MOST)]
    if not shown:
        return None
    columns = math.ceil(math.sqrt(len(shown) * 1.4))
    cell = min(max(WIDTH // columns - GAP, CELLS[0]), CELLS[1])
    pictures: dict[int, Image.Image] = {}
    for i, line in enumerate(shown):
        # What was removed leaves its place empty.
        with (
            contextlib.suppress(OSError, ValueError, Image.DecompressionBombError),
            Image.open(folder / line.files["thumb"]) as opened,
        ):
            opened.thumbnail((cell, cell), Image.Resampling.LANCZOS)
            pictures[i] = opened.convert("RGBA")
    high = max((picture.height for picture in pictures.values()), default=cell)
    size = columns * (cell + GAP) + GAP, math.ceil(len(shown) / columns) * (high + GAP) + GAP
    page = Image.new("RGB", size, _BACKGROUND)
    for i, picture in pictures.items():
        x = GAP + i % columns * (cell + GAP) + (cell - picture.width) // 2
        y = GAP + i // columns * (high + GAP) + (high - picture.height) // 2
        page.paste(picture, (x, y), picture)
    file = io.BytesIO()
    page.save(file, "PNG", compress_level=4)  # a fifth of the time of level 9, for 2 % more bytes
    try:
        return write(folder / NAME, file.getvalue(), overwrite=True)
    except EvoartError as error:
        raise EvoartError(f"the contact sheet was not written: {error.message}", error.hint) from error
