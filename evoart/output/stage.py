"""What a film shows: the evolution that was kept, shapes that move, there and back, next to the photograph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evoart.draw.motion import Motion
from evoart.draw.pen import PenDrawing
from evoart.draw.scene import Scene
from evoart.errors import UsageError
from evoart.output.formats import Artwork, Options
from evoart.types import Drawing

MOMENTS = 10_081  # of a motion; none is drawn before it is asked for
_GAP = 0.03  # between photograph and picture, in units
_PAPER = (1.0, 1.0, 1.0)


def stage(artwork: Artwork, options: Options) -> tuple[Artwork, Options]:
    """The artwork with the frames that ``options`` ask for, and the options that are left to be followed.

    Raises:
        UsageError: a motion of what has no shapes; the evolution of a finished picture; no photograph to show.
    """
    style, drawing = options.film_style, artwork.drawing
    if style is None and not len(artwork.frames) and isinstance(drawing, Scene | PenDrawing):
        style = "grow"
    if style == "grow" and isinstance(drawing, PenDrawing):
        artwork = replace(artwork, frames=Made(drawing.truncate, MOMENTS), loop=False)
    elif style not in (None, "evolve"):
        if not isinstance(drawing, Scene):
            raise UsageError(f"the film style {style} is for shapes only", "Leave it out, or use evolve")
        motion = Motion(drawing, style)
        artwork = replace(artwork, frames=Made(motion.at, MOMENTS), loop=False)
        if motion.loop:
            artwork, options = replace(artwork, loop=True), replace(options, film_hold=0.0)
    elif style == "evolve" and not len(artwork.frames):
        raise UsageError("a finished picture has no evolution to show", "Make the film with: evoart redo FILE")
    if artwork.loop:  # of a sheet, its frames may be single pictures
        shown = artwork.frames[-1]
        longest = max(artwork.size) / max(shown.width, shown.height)
        artwork = replace(artwork, size=(max(1, round(longest * shown.width)), max(1, round(longest * shown.height))))
    if options.film_loop and not artwork.loop:
        artwork = replace(artwork, frames=_there_and_back(artwork, options), loop=True)
        options = replace(options, film_hold=0.0)
    if options.side_by_side:
        if artwork.photograph is None:
            raise UsageError("there is no photograph to show next to the picture", "Leave out --side-by-side")
        artwork = _next_to(artwork, artwork.photograph())
    return artwork, options


@dataclass(frozen=True)
class Made(Sequence[Drawing]):
    """Frames that are made when they are asked for.

    Attributes:
        make: the frame at a time from 0 (the first) to 1 (the last).
        count: frames.
    """

    make: Callable[[float], Drawing]
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: Any) -> Any:
        """The frame at ``index``, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.count))]
        if not -self.count <= index < self.count:
            raise IndexError(index)
        return self.make(index % self.count / max(self.count - 1, 1))


def _there_and_back(artwork: Artwork, options: Options) -> Sequence[Drawing]:
    """The frames, the picture for as long as it stays, and the frames backwards; the first comes last."""
    frames, drawing = artwork.frames, artwork.drawing
    way = options.film_seconds / 2  # the length is that of the whole
    rest = min(options.film_hold / 2, way / 2)
    moving = way - rest / 2

    def at(time: float) -> Drawing:
        turn = min(time, 1 - time) * options.film_seconds  # seconds after the first frame or before it comes again
        if turn >= moving or not len(frames):
            return drawing
        place = round(turn / moving * len(frames))
        return frames[place] if place < len(frames) else drawing

    return Made(at, MOMENTS)


@dataclass(frozen=True, eq=False)
class Pair:
    """A photograph and a drawing next to each other, on white.

    Attributes:
        photograph: ``(h, w, 3)`` float32 sRGB in [0, 1] or uint8, in the drawing's proportions.
        drawing: what was made of it.
    """

    photograph: np.ndarray
    drawing: Drawing
    matte: tuple[float, float, float] = _PAPER

    @property
    def width(self) -> float:
        """See ``types.Drawing``; here the longer side is that of both together, and more than 1."""
        return 2 * self.drawing.width + _GAP

    @property
    def height(self) -> float:
        """See ``types.Drawing``."""
        return self.drawing.height

    @property
    def background(self) -> tuple[float, float, float] | None:
        """See ``types.Drawing``."""
        return self.matte

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """See ``types.Drawing``."""
        from PIL import Image

        w, h = size
        first, last = rows or (0, h)
        each = round(w * self.drawing.width / self.width)
        out = np.ones((last - first, w, 4), np.float32)
        out[..., :3] = self.matte
        levels = np.asarray(self.photograph)
        if levels.dtype != np.uint8:
            levels = np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8)
        photograph = np.asarray(Image.fromarray(levels).resize((each, h), Image.Resampling.LANCZOS), np.float32) / 255
        out[:, :each, :3] = photograph[first:last]
        painted = self.drawing.paint((each, h), (first, last))
        alpha = painted[..., 3:]
        out[:, w - each :, :3] = painted[..., :3] * alpha + np.asarray(self.matte, np.float32) * (1 - alpha)
        return out

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """See ``types.Drawing``: the drawing alone."""
        return self.drawing.svg(size, title, recipe, alpha)


@dataclass(frozen=True)
class _Paired(Sequence[Drawing]):
    frames: Sequence[Drawing]
    photograph: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        photograph = self.photograph if self.photograph.ndim == 3 else self.photograph[index]
        return Pair(photograph, self.frames[index])


def _next_to(artwork: Artwork, photograph: np.ndarray) -> Artwork:
    pair = Pair(photograph if photograph.ndim == 3 else photograph[0], artwork.drawing)
    w, h = artwork.size
    size = round(h * pair.width / pair.height), h
    return replace(artwork, drawing=pair, frames=_Paired(artwork.frames, photograph), size=size, alpha=None)
