"""What ``plot`` and ``cut`` have in common: their input as faces and lines, and the files they write."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoart.errors import EvoartError, UsageError

if TYPE_CHECKING:
    from evoart.machine.planar import Planar

TONES = 48  # colours of a picture of pixels before pens or sheets are chosen
SIDE = 400  # pixels of its long side, as it is traced
Colours = tuple[tuple[float, float, float], ...]
MOST_SHAPES = 3000  # of which outlines are cut where they cross; more are drawn and traced


@dataclass(frozen=True, eq=False)
class Source:
    """A picture to be plotted or cut.

    Attributes:
        stem: of its file's name.
        what: what it is, for people: ``200 triangles``, ``an SVG``, ``a photograph``.
        width, height: its extent, in units of its own.
        drawing: a ``Scene``, a ``PenDrawing``, a ``Painting``, or pixels ``(h, w, 4)``.
        recipe: what made it; empty where it is not evoart's.
        notes: what a user should know of how it was read.
    """

    stem: str
    what: str
    width: float
    height: float
    drawing: Any
    recipe: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def planar(
        self, frame: tuple[float, float, float, float], thin: float = 0.0, tones: int | Colours = TONES
    ) -> Planar:
        """Faces and lines within ``frame`` (x0, y0, x1, y1 in mm), which has the proportions of the picture.

        Args:
            thin: strokes of shapes that are not wider, in mm, become lines.
            tones: how many colours a picture of pixels is reduced to, or these.
        """
        from evoart.draw.pen import PenDrawing
        from evoart.draw.scene import Scene
        from evoart.machine import planar
        from evoart.sketch.svgfile import Painting

        scale, offset, drawing = (frame[2] - frame[0]) / self.width, frame[:2], self.drawing
        if isinstance(drawing, Scene):
            return planar.overlay(planar.scene_items(drawing, scale, offset, thin), frame, drawing.background)
        if isinstance(drawing, PenDrawing):
            return planar.overlay(planar.pen_items(drawing, scale, offset), frame, None)
        if isinstance(drawing, Painting):
            return planar.overlay(planar.painting_items(drawing, scale, offset), frame, drawing.background)
        return planar.trace(*_posterised(drawing, tones), frame)


def read(file: str) -> Source:
    """The picture in a file: evoart's own by its recipe, another SVG by what it shows, else a photograph.

    Raises:
        UsageError: no such file. EvoartError: nothing that can be read.
    """
    from evoart.output.recipe import extract
    from evoart.run.recipe import record
    from evoart.sources import read_source

    data, stem, label = read_source(file)
    try:
        recipe = extract(data, label)
    except EvoartError:
        recipe = None  # not evoart's, or no recipe any more
    if recipe is not None and "result" in recipe:
        return _own(data, stem, record(recipe, label).recipe)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return _svg(data, stem, label.strip("'"))
    return _photograph(data, stem, label, file)


def _own(data: bytes, stem: str, recipe: dict[str, Any]) -> Source:
    from evoart.draw.pen import PenDrawing
    from evoart.draw.scene import Scene
    from evoart.run.api import load

    result = load(data)
    drawing: Any = result.drawing
    vectors = isinstance(drawing, PenDrawing) or (
        isinstance(drawing, Scene) and result.mask is None and len(drawing.kinds) <= MOST_SHAPES
    )
    notes: tuple[str, ...] = ()
    if not vectors:
        drawing = _pixels(result.image(2 * SIDE))
        notes = (f"{result.form.label}: drawn as pixels, and traced",)
    stem = stem.removesuffix(".anim").removesuffix(f"-{result.form.name}")
    return Source(stem, result.form.label, result.form.width, result.form.height, drawing, recipe, notes)


def _svg(data: bytes, stem: str, label: str) -> Source:
    from evoart.sketch.svgfile import read_painting

    painting = read_painting(data, label)
    count = painting.open_fills
    notes = (
        (f"{count} open {'path is' if count == 1 else 'paths are'} filled as if closed, as viewers do",)
        if count
        else ()
    )
    return Source(stem, "an SVG", painting.box[2], painting.box[3], painting, notes=notes)


def _photograph(data: bytes, stem: str, label: str, file: str) -> Source:
    import numpy as np

    from evoart.picture import load

    picture = load(data, needed=2 * SIDE, label=label)
    alpha = np.ones(picture.rgb.shape[:2], np.float32) if picture.alpha is None else picture.alpha
    pixels = np.dstack([picture.rgb, alpha])
    note = f"a photograph is drawn by its tones; for shapes, fit it first: evoart fit {shlex.quote(file)}"
    return Source(stem, "a photograph", picture.width, picture.height, pixels, notes=(note,))


def _pixels(image: Any) -> Any:
    import numpy as np

    return image if image.shape[2] == 4 else np.dstack([image, np.ones(image.shape[:2], np.float32)])


def _posterised(pixels: Any, tones: int | Colours) -> tuple[Any, Any]:
    """Labels ``(h, w)`` of a smaller copy of pixels ``(h, w, 4)`` in few colours, -1 where transparent; these."""
    import numpy as np
    from PIL import Image, ImageFilter

    from evoart.machine.planar import nearest_colours
    from evoart.pixels import fit_size
    from evoart.run.fit.palette import choose

    image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    if max(image.size) > SIDE:
        image = image.resize(fit_size(image.width, image.height, SIDE), Image.Resampling.BOX)
    levels = np.asarray(image.filter(ImageFilter.MedianFilter(3)), np.float32) / 255
    rgb, shown = levels[..., :3], levels[..., 3] >= 0.5
    if not shown.any():
        raise EvoartError("the picture is transparent everywhere", "Give a picture that shows something")
    colours = np.array(choose(rgb, shown.astype(np.float32), tones) if isinstance(tones, int) else tones)
    labels = nearest_colours(rgb.reshape(-1, 3), colours).reshape(shown.shape)
    return np.where(shown, labels, -1), colours


def command_line(command: str, words: Sequence[str]) -> str:
    """What was typed, as a file tells how it was made."""
    return shlex.join(["evoart", command, *words])


def outputs_for(
    values: Sequence[str], stem: str, suffix: str, overwrite: bool, file: str, as_json: bool
) -> list[Path | None]:
    """The files that ``-o`` names (None: standard output), checked before the work; one of the default name else.

    Raises:
        UsageError: a file that exists, is the input or is named twice, or a folder that is not there; standard output
            both for the drawing and for the JSON.
    """
    from evoart.output.files import numbered
    from evoart.output.names import check_path

    found: list[Path | None] = []
    for value in values or (".",):
        if value == "-":
            found.append(None)
            continue
        path = Path(value).expanduser()
        if path.is_dir():
            first, number = path / f"{stem}-{suffix}.svg", 1
            while os.path.lexists(numbered(first, number)):
                number += 1
            path = numbered(first, number)
        elif not value or value.endswith(("/", os.sep)):
            raise UsageError(f"there is no folder '{value}'", f"Make it first: mkdir -p '{value}'")
        check_path(path, overwrite, [] if file == "-" else [Path(file)])
        found.append(path)
    for path in found:
        if found.count(path) > 1:
            raise UsageError(f"the output '{path or '-'}' is given twice", "Give every output its own name")
    if None in found and as_json:
        raise UsageError("--json and -o - both want standard output", "Write the drawing to a file")
    return found


def write(path: Path | None, text: str, overwrite: bool) -> Path | None:
    """Write a file, or to standard output; where it is."""
    from evoart.output import files

    if path is not None:
        return files.write(path, text.encode(), overwrite=overwrite)
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
    return None


def tell_written(written: Sequence[Path | None], as_json: bool, **facts: Any) -> None:
    """The paths of the files that were written, one a line; with ``--json`` one object of these and ``facts``."""
    from evoart.cli.console import near, tell_json, tell_path

    if as_json:
        tell_json({"outputs": [str(path and near(path)) for path in written], **facts})
        return
    for path in written:
        if path is not None:
            tell_path(path)


def recipe_text(source: Source, command: str, options: dict[str, Any]) -> str:
    """The recipe of the picture with what was made of it; ``""`` where the picture has none."""
    from evoart.output.recipe import dumps

    return dumps(source.recipe | {command: options}) if source.recipe else ""
