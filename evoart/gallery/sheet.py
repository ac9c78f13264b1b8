"""A contact sheet: the gallery's thumbnails on one page."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

from evoart.errors import EvoartError
from evoart.gallery.journal import Line
from evoart.output.files import write

NAME = "sheet.png"
CELL, GAP = 150, 10  # pixels
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
    rows = math.ceil(len(shown) / columns)
    step = CELL + GAP
    page = Image.new("RGB", (columns * step + GAP, rows * step + GAP), _BACKGROUND)
    for i, line in enumerate(shown):
        try:
            with Image.open(folder / line.files["thumb"]) as opened:
                opened.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
                picture = opened.convert("RGBA")
        except (OSError, ValueError, Image.DecompressionBombError):
            continue  # it was removed: its place stays empty
        x = GAP + i % columns * step + (CELL - picture.width) // 2
        y = GAP + i // columns * step + (CELL - picture.height) // 2
        page.paste(picture, (x, y), picture)
    file = io.BytesIO()
    page.save(file, "PNG", optimize=True)
    try:
        return write(folder / NAME, file.getvalue(), overwrite=True)
    except EvoartError as error:
        raise EvoartError(f"the contact sheet was not written: {error.message}", error.hint) from error
