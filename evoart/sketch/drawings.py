"""Drawings from files: SVG, folders of them, Quick, Draw! records, stroke-3 sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.sketch.arrays import read_npz
from evoart.sketch.quickdraw import BOX, read_records
from evoart.sketch.strokes import Polylines, to_polylines
from evoart.sketch.svgfile import read_svg

LARGEST = 4 << 30  # bytes of a file that is read
ENDINGS = (".svg", ".ndjson", ".json", ".npz")


@dataclass
class Drawings:
    """What files hold: strokes, the word each goes by, and how a stroke set divides itself."""

    strokes: list[Polylines] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)  # train, valid, test, or "" where the file does not say
    dropped: int = 0  # without a point, or with numbers that are not finite

    def __len__(self) -> int:
        return len(self.strokes)

    def add(self, strokes: Polylines, word: str, part: str = "") -> None:
        """Take a drawing in, or drop it where there is nothing in it."""
        strokes = [line for line in strokes if len(line)]
        if not strokes or not all(np.isfinite(line).all() for line in strokes):
            self.dropped += 1
            return
        self.strokes.append(strokes)
        self.words.append(word)
        self.parts.append(part)


def read_drawings(paths: list[Path]) -> Drawings:
    """All drawings in files and folders (which are searched for SVG), in order of names.

    An SVG's page is scaled to a box of 255, as Quick, Draw! drawings are; stroke sets keep their own units.

    Raises:
        UsageError: no such file, or of a kind that holds no strokes. EvoartError: damaged, or nothing in it.
    """
    found = Drawings()
    for path in paths:
        word = path.stem.split(".")[0]
        if path.suffix.lower() == ".npz":
            for part, sketches in read_npz(path).items():
                for sketch in sketches:
                    found.add(to_polylines(sketch), word, part)
        elif path.suffix.lower() in (".ndjson", ".json"):
            for strokes, own in read_records(_bytes(path), str(path)):
                found.add(strokes, own or word)
        else:
            for file in _svgs(path):
                page = read_svg(_bytes(file), str(file))
                factor = BOX / max(page.box[2:])  # pages differ, drawings should not
                found.add([line * factor for line in page.strokes], word)
    if not len(found):
        raise EvoartError(
            f"there is no drawing in '{paths[0]}'", "Every one is empty or has numbers that are not finite"
        )
    return found


def _svgs(path: Path) -> Iterator[Path]:
    if path.is_dir():
        files = sorted(path.glob("**/*.svg"))
        if not files:
            raise UsageError(f"there is no SVG in '{path}'", "Name a folder of drawings")
        yield from files
        return
    if path.suffix.lower() != ".svg":
        if not path.exists():
            raise UsageError(f"there is no file or folder '{path}'", "Check the spelling")
        raise UsageError(f"'{path}' holds no strokes that evoart knows", f"Known are folders, {' '.join(ENDINGS)}")
    yield path


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise EvoartError(f"'{path}' is too large", f"{LARGEST >> 30} GiB is the most")
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"there is no file '{path}'", "Check the spelling") from None
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read ({error.strerror or error})", "Name another file") from None
