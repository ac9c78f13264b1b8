"""Still pictures: pixels of an artwork, PNG, JPEG and WebP."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from evoart.errors import UsageError
from evoart.output import recipe as recipes
from evoart.output.formats import Artwork, Format, Options
from evoart.output.png import write_rows
from evoart.types import Drawing

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

MAX_PIXELS = 1 << 28
_STRIP = 1 << 22  # pixels at a time of a picture that is written row by row
_ROWS = 512  # drawn at a time, so that no float copy of a big picture is made


def pixels(artwork: Artwork, drawing: Drawing | None = None, size: tuple[int, int] | None = None) -> np.ndarray:
    """The picture as uint8 sRGB ``(h, w, 3)``, or ``(h, w, 4)`` straight where any pixel is transparent.

    Args:
        drawing, size: draw this one at this ``(width, height)`` instead of the artwork's own.

    Raises:
        UsageError: more than 2^28 pixels.
    """
    w, h = size or artwork.size
    if w * h > MAX_PIXELS:
        raise UsageError(f"{w}x{h} pixels are too many for one picture", f"Stay below {MAX_PIXELS:,}, or write SVG")
    drawing = artwork.drawing if drawing is None else drawing
    out = np.empty((h, w, 4), np.uint8)
    out[..., 3] = 255
    for y, part in _parts(drawing, (w, h), _ROWS):
        part *= np.float32(255)
        out[y : y + len(part), :, : part.shape[-1]] = np.rint(part, out=part)
    if artwork.alpha is not None:
        out[..., 3] = np.rint(out[..., 3] * (_fit(artwork.alpha, (w, h)) / np.float32(255)))
    return out if out[..., 3].min() < 255 else np.ascontiguousarray(out[..., :3])


def _parts(drawing: Drawing, size: tuple[int, int], height: int) -> Iterator[tuple[int, np.ndarray]]:
    """``(row, pixels (rows, w, 3 or 4) float32)`` from the top down, to be overwritten; ``height`` rows at a time where
    the drawing does not know how to paint itself in strips, by threads."""
    if ahead := getattr(drawing, "strips", None):
        yield from ahead(size, 0, size[1])
        return
    for y in range(0, size[1], height):
        yield y, drawing.paint(size, (y, min(y + height, size[1])))


def flatten(image: np.ndarray, matte: tuple[float, float, float]) -> np.ndarray:
    """uint8 ``(h, w, 3)``: the picture laid over the colour ``matte`` where it is transparent."""
    if image.shape[-1] == 3:
        return image
    alpha = image[..., 3:].astype(np.float32) / 255
    over = image[..., :3] * alpha + np.asarray(matte, np.float32) * 255 * (1 - alpha)
    return np.rint(over).astype(np.uint8)


def to_bytes(image: PillowImage, format: str, **options: Any) -> bytes:
    """``image.save`` into memory."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png_info(artwork: Artwork) -> Any:
    """The text chunks of a PNG: recipe and title, and the mark that its colours are sRGB."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add(b"sRGB", b"\0")
    if artwork.title:
        info.add_itxt("Title", artwork.title.encode(errors="replace").decode())  # a name may hold what is not text
    if text := artwork.recipe_text():
        info.add_itxt(recipes.KEY, text)
    return info


def _fit(alpha: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    from PIL import Image

    levels = alpha if alpha.dtype == np.uint8 else np.rint(np.clip(alpha, 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(levels)
    return np.asarray(image if image.size == size else image.resize(size))


def _image(array: np.ndarray) -> PillowImage:
    from PIL import Image

    return Image.fromarray(array)


def _dpi(options: Options) -> dict[str, tuple[float, float]]:
    return {"dpi": (options.dpi, options.dpi)} if options.dpi else {}


def _png(artwork: Artwork, options: Options) -> bytes:
    image = _image(pixels(artwork))
    level = 6 if image.width * image.height <= 500_000 else 3  # a third of the time, for a fifth more bytes
    return to_bytes(image, "PNG", pnginfo=png_info(artwork), compress_level=level, **_dpi(options))


def _png_rows(artwork: Artwork, options: Options, file: BinaryIO) -> None:
    """A picture of any size, of which a few rows are in memory at a time."""
    w, h = artwork.size
    drawing, told = artwork.drawing, options.progress or (lambda share: None)
    channels = 4 if drawing.background is None or artwork.alpha is not None else 3
    alpha = None if artwork.alpha is None else _fit(artwork.alpha, (w, h))

    def strips() -> Iterator[np.ndarray]:
        for y, part in _parts(drawing, (w, h), max(1, _STRIP // w)):
            levels = np.rint(part[..., :channels] * np.float32(255)).astype(np.uint8)
            if alpha is not None:
                levels[..., 3] = np.rint(levels[..., 3] * (alpha[y : y + len(levels)] / np.float32(255)))
            yield levels
            told((y + len(levels)) / h)

    texts = [("Title", artwork.title.encode(errors="replace").decode())] if artwork.title else []
    texts += [(recipes.KEY, text)] if (text := artwork.recipe_text()) else []
    write_rows(file, (w, h), channels, strips(), texts, options.dpi)


def _jpeg(artwork: Artwork, options: Options) -> bytes:
    image = _image(flatten(pixels(artwork), options.matte))
    # Shapes have hard coloured edges, which chroma subsampling smears.
    data = to_bytes(image, "JPEG", quality=options.quality, subsampling=0, optimize=True, **_dpi(options))
    text = artwork.recipe_text()
    return recipes.into_jpeg(data, text) if text else data


def _webp(artwork: Artwork, options: Options) -> bytes:
    text = artwork.recipe_text()
    extra = {"xmp": recipes.xmp(text)} if text else {}
    return to_bytes(_image(pixels(artwork)), "WEBP", quality=options.quality, method=4, **extra)


PNG = Format((".png",), _png, most=1 << 30, stream=_png_rows)
JPEG = Format((".jpg", ".jpeg"), _jpeg, longest=65_500, most=MAX_PIXELS)
WEBP = Format((".webp",), _webp, longest=16_383, most=MAX_PIXELS)
