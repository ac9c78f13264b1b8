"""The registry of output formats. A new one is one file and one line here (or an entry point ``evoart.outputs``)."""

from __future__ import annotations

import difflib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from evoart.errors import EvoartError, UsageError, unknown
from evoart.output import recipe as recipes
from evoart.registry import Registry
from evoart.types import Drawing

FILM_SIDE = 480  # pixels of a film's long side, where nobody says
FILM_STRIP, FILM_LONGEST = 160, 1920  # of the short side of a picture much longer than wide; of any film's long side
LONGEST = 1e6  # seconds of a film
CLIPS = ("path", "cut")
STYLES = ("evolve", "grow", "glide", "explode")  # of films
HELD = 1 << 24  # pixels that are held at once; larger pictures are written row by row where the format can be


@dataclass(frozen=True)
class Sound:
    """The sound of a film that was drawn.

    Attributes:
        path: of the video that has it, or has none.
        start, seconds: the part of it.
    """

    path: Path
    start: float
    seconds: float


@dataclass(frozen=True)
class Artwork:
    """A finished picture, as every output format gets it.

    Attributes:
        drawing: what it shows.
        size: ``(width, height)`` in pixels.
        recipe: what made it, kept inside the file; empty for none.
        title: for viewers and screen readers.
        frames: its evolution from the first picture to the last, which should be ``drawing``; may be empty.
        loop: after the last frame comes the first again, without a pause.
        rate: frames a second, where the film is as long as all of them take; None: ``Options.film_seconds``.
        sound: that goes with such a film, where the format can hold it; or None.
        alpha: ``(h, w)`` uint8 or float in [0, 1], a transparency laid over the drawing, of any resolution; or None.
        photograph: gives the photograph that the picture was made from, ``(h, w, 3)`` float sRGB in [0, 1], of any
            resolution; of a drawn film that of every frame, ``(n, h, w, 3)`` uint8; or None.
        flat: of few colours, as charts are: WebP films are then lossless, and smaller.
    """

    drawing: Drawing
    size: tuple[int, int]
    recipe: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    frames: Sequence[Drawing] = ()
    loop: bool = False
    rate: float | None = None
    sound: Sound | None = None
    alpha: np.ndarray | None = None
    photograph: Callable[[], np.ndarray] | None = None
    flat: bool = False

    def recipe_text(self) -> str:
        """The recipe as compact JSON, ``""`` where there is none."""
        return recipes.dumps(self.recipe) if self.recipe else ""


@dataclass(frozen=True)
class Options:
    """How files are written.

    Attributes:
        quality: 1 to 100, of JPEG, WebP and MP4.
        matte: sRGB in [0, 1] behind transparency where a format has none (JPEG, MP4).
        film_side: long side of films in pixels, 16 to 1,920; None: see ``film_size``.
        film_seconds: how long the evolution lasts, however many generations it took.
        film_hold: how long the last picture then stays, in seconds.
        film_fps: pictures a second, 1 to 60; None: what suits the format.
        film_style: what films of shapes show, one of ``STYLES``; None: how the picture came about, where that is known.
        film_loop: there and back.
        side_by_side: films show the photograph next to the picture.
        dpi: pixels an inch, by which PNG, JPEG, SVG and PDF have a size in the world; None: that of screens, 96.
        clip: how SVG keeps shapes within the picture, one of ``CLIPS``; None: they reach out where they do.
        progress: called with the share of a large file that is written, 0 to 1, now and then.
    """

    quality: int = 90
    matte: tuple[float, float, float] = (1.0, 1.0, 1.0)
    film_side: int | None = None
    film_seconds: float = 5.0
    film_hold: float = 2.0
    film_fps: int | None = None
    film_style: str | None = None
    film_loop: bool = False
    side_by_side: bool = False
    dpi: float | None = None
    clip: str | None = None
    progress: Callable[[float], None] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise UsageError(f"a quality of {self.quality} is out of range", "Use 1 to 100")
        if self.film_side is not None and not 16 <= self.film_side <= FILM_LONGEST:
            raise UsageError(f"a film of {self.film_side} pixels is out of range", f"Use 16 to {FILM_LONGEST}")
        if self.dpi is not None and not 0 < self.dpi < 1e6:
            raise UsageError(f"{self.dpi} pixels an inch are out of range", "Use 10 to 4800")
        if self.clip is not None and self.clip not in CLIPS:
            raise unknown("way to clip", self.clip, CLIPS)
        if self.film_fps is not None and not 1 <= self.film_fps <= 60:
            raise UsageError(f"a film of {self.film_fps} pictures a second is out of range", "Use 1 to 60")
        if self.film_style is not None and self.film_style not in STYLES:
            raise unknown("film style", self.film_style, STYLES)
        if not (0 < self.film_seconds <= LONGEST and 0 <= self.film_hold <= 120):
            raise UsageError("the film's length is out of range", "Use 0.1 to 120 seconds, and a hold of 0 to 120")


@dataclass(frozen=True)
class Format:
    """One output format.

    Attributes:
        extensions: with the dot, the usual one first.
        encode: an artwork's file as bytes.
        film: True where it shows the evolution, so that the run must keep frames.
        check: raises MissingExtra when it cannot work on this machine; called before any work.
        longest: most pixels a side that a still picture may have; None for any.
        most: most pixels in all, likewise.
        forms: names of the forms that it can show; None for any.
        stream: writes a large artwork row by row into a file that is open for it, or None where all is held at once.
    """

    extensions: tuple[str, ...]
    encode: Callable[[Artwork, Options], bytes]
    film: bool = False
    check: Callable[[], None] = lambda: None
    longest: int | None = None
    most: int | None = None
    forms: tuple[str, ...] | None = None
    stream: Callable[[Artwork, Options, BinaryIO], None] | None = None

    def room(self, size: tuple[int, int]) -> int | None:
        """The longest side that a picture of these proportions may have; None where any size will do.

        Films always have room: they are made as large as ``Options.film_side`` says.
        """
        w, h = size
        limits = [] if self.longest is None else [self.longest]
        if self.most is not None:
            limits.append(int(max(w, h) * (self.most / (w * h)) ** 0.5))
        return None if self.film else min(limits, default=None)


OUTPUTS = Registry(
    "output format",
    "evoart.outputs",
    {
        "svg": "evoart.output.text:SVG",
        "animated-svg": "evoart.output.animated:SVG",
        "json": "evoart.output.text:JSON",
        "png": "evoart.output.raster:PNG",
        "jpeg": "evoart.output.raster:JPEG",
        "webp": "evoart.output.raster:WEBP",
        "gif": "evoart.output.film:GIF",
        "apng": "evoart.output.film:APNG",
        "animated-webp": "evoart.output.film:WEBP",
        "mp4": "evoart.output.video:MP4",
        "webm": "evoart.output.video:WEBM",
        "pdf": "evoart.output.pdf:PDF",
        "shader": "evoart.output.network:SHADER",
        "page": "evoart.output.network:PAGE",
        "network": "evoart.output.network:DIAGRAM",
        "weights": "evoart.output.network:WEIGHTS",
        "model": "evoart.output.model:MODEL",
        "safetensors": "evoart.output.model:SAFETENSORS",
        "ttf": "evoart.output.font:TTF",
    },
)


def extensions() -> dict[str, tuple[str, ...]]:
    """Format name -> its extensions; plugins that do not load are left out."""
    table = {}
    for name in OUTPUTS:
        try:
            table[name] = OUTPUTS[name].extensions
        except EvoartError:
            continue
    return table


def format_of(path: Path) -> str:
    """The format a file name asks for by its extension.

    Raises:
        UsageError: no extension or an unknown one.
    """
    known = {extension: name for name, those in extensions().items() for extension in those}
    lower = path.name.lower()
    for extension in sorted(known, key=len, reverse=True):
        if lower.endswith(extension) and len(lower) > len(extension):
            return known[extension]
    listed = " ".join(sorted(known))
    if not path.suffix:
        raise UsageError(f"'{path}' has no extension, so its format is unknown", f"Add one of: {listed}")
    near = difflib.get_close_matches(path.suffix.lower(), known, n=1, cutoff=0.6)
    hint = f"Did you mean {near[0]}? Known are: {listed}" if near else f"Known are: {listed}"
    raise UsageError(f"'{path.suffix}' is not an extension that evoart writes", hint)


def encode(format: str, artwork: Artwork, options: Options | None = None) -> bytes:
    """The artwork as the bytes of a file in the format called ``format``.

    Raises:
        UsageError: unknown format, or too large for it. MissingExtra: it needs an extra.
    """
    w, h = artwork.size
    room = OUTPUTS[format].room(artwork.size)
    if room is not None and max(w, h) > room:
        raise UsageError(f"{w}x{h} pixels are too many for {format}", f"{room} a side is the most; or write SVG")
    options = options or Options()
    if artwork.rate is not None:
        options = replace(options, film_hold=0.0, film_seconds=max(len(artwork.frames), 1) / artwork.rate)
    if artwork.loop:
        options = replace(options, film_hold=0.0)
    if OUTPUTS[format].stream is not None and w * h > HELD:
        file = io.BytesIO()
        OUTPUTS[format].stream(artwork, options, file)
        return file.getvalue()
    return OUTPUTS[format].encode(artwork, options)
