"""Artworks written to their outputs, and recipes read back from files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from evoart.output import recipe as recipes
from evoart.output.files import stream, write
from evoart.output.formats import HELD, OUTPUTS, Artwork, Options, encode
from evoart.output.names import Output
from evoart.sources import read_source


def save(artwork: Artwork, output: Output, options: Options | None = None) -> Path | None:
    """Write an artwork and return where it is, None for standard output.

    Raises:
        EvoartError: the system refuses the file, or the format the picture.
    """
    put = OUTPUTS[output.format].stream
    w, h = artwork.size
    if output.path is not None and put is not None and w * h > HELD:
        chosen = options or Options()
        return stream(output.path, lambda file: put(artwork, chosen, file), overwrite=output.overwrite)
    data = encode(output.format, artwork, options)
    if output.path is not None:
        return write(output.path, data, overwrite=output.overwrite)
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return None


def read_recipe(source: str | Path | bytes) -> dict[str, Any]:
    """The recipe inside a file that evoart wrote; ``source`` is a path, ``"-"`` for standard input, or bytes.

    Raises:
        UsageError: no such file. EvoartError: no recipe in it, a damaged one, or one of a newer evoart.
    """
    data, _, label = read_source(source)
    return recipes.extract(data, label)
