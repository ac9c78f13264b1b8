"""Films of the evolution that need nothing but Pillow: GIF, animated PNG and animated WebP."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from evoart.output import recipe as recipes
from evoart.output.formats import FILM_LONGEST, FILM_SIDE, FILM_STRIP, Artwork, Format, Options
from evoart.output.raster import pixels, png_info
from evoart.output.stage import stage
from evoart.types import Drawing

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

T = TypeVar("T")
_PALETTE_FROM = 8  # frames that a GIF's one palette is chosen from
_PALETTE_PIXELS = 1 << 16  # pixels of all of them together, about: more give the same colours
_FLAT, _FLATS = 0.02, 8  # share of those pixels from which one colour is kept exactly; how many at most


def spread(items: Sequence[T], count: int) -> list[T]:
    """At most ``count`` of ``items``, evenly spread, the first and the last among them (the last alone for 1)."""
    return [items[place] for place in _places(len(items), count)]


def _places(length: int, count: int) -> list[int]:
    """At most ``count`` of ``range(length)``, evenly spread; see ``spread``."""
    if length <= count:
        return list(range(length))
    if count == 1:
        return [length - 1]
    return [round(i * (length - 1) / (count - 1)) for i in range(count)]


def film_size(artwork: Artwork, longest: int | None, multiple: int = 1) -> tuple[int, int]:
    """The artwork's proportions with ``longest`` pixels on the long side, each side a multiple of ``multiple``; None:
    its own size, at most ``FILM_SIDE``, or ``FILM_STRIP`` on the short side where that is more."""
    w, h = artwork.size
    usual = max(FILM_SIDE, min(FILM_STRIP * max(w, h) / min(w, h), FILM_LONGEST))
    scale = (longest or (max(w, h) if artwork.rate else min(usual, max(w, h)))) / max(w, h)
    w, h = max(1, round(w * scale)), max(1, round(h * scale))
    return max(multiple, round(w / multiple) * multiple), max(multiple, round(h / multiple) * multiple)


def film_drawings(artwork: Artwork, options: Options, per_second: float) -> list[Drawing]:
    """What the film shows: all frames of one that has a rate, else at most ``per_second`` drawings for its length, and
    the artwork itself at the end."""
    if artwork.rate is not None:
        return list(artwork.frames) or [artwork.drawing]
    most = max(2, round(options.film_seconds * (options.film_fps or per_second)))
    if artwork.loop:  # evenly around, the first after the last: none is there twice
        count = min(most, len(artwork.frames))
        return [artwork.frames[round((i + 1) * len(artwork.frames) / count) - 1] for i in range(count)]
    frames, count = artwork.frames, len(artwork.frames)
    ends = count > 0 and frames[-1] is artwork.drawing
    # Frames are drawn when they are asked for: only those that are shown.
    return [frames[i] if i < count else artwork.drawing for i in _places(count if ends else count + 1, most)]


def film_frames(artwork: Artwork, options: Options, per_second: float) -> list[np.ndarray]:
    """The film's pictures, uint8, all ``(h, w, 3)`` or all ``(h, w, 4)``."""
    size = film_size(artwork, options.film_side)
    drawings, frames = film_drawings(artwork, options, per_second), []
    for drawing in drawings:
        frames.append(pixels(artwork, drawing, size))
        if options.progress:
            options.progress(len(frames) / (len(drawings) + 1))  # the file itself comes last
    if any(frame.shape[-1] == 4 for frame in frames):
        frames = [_with_alpha(frame) for frame in frames]
    return frames


def durations(count: int, options: Options, step: int = 1) -> list[int]:
    """Milliseconds that each of ``count`` frames is shown, in whole ``step``s; the last one is held."""
    ends = np.round(np.linspace(0, options.film_seconds * 1000, count + 1) / step).astype(int) * step
    times = np.maximum(np.diff(ends), step)
    times[-1] += round(options.film_hold * 1000 / step) * step
    return times.tolist()


def _with_alpha(frame: np.ndarray) -> np.ndarray:
    if frame.shape[-1] == 4:
        return frame
    return np.concatenate([frame, np.full_like(frame[..., :1], 255)], -1)


def _save(frames: list[PillowImage], format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    frames[0].save(file, format, save_all=True, append_images=frames[1:], **options)
    return file.getvalue()


def _gif(artwork: Artwork, options: Options) -> bytes:
    artwork, options = stage(artwork, options)
    frames = film_frames(artwork, options, per_second=12)
    images, transparent = to_palette(frames)
    extra: dict[str, Any] = {"comment": artwork.recipe_text().encode()} if artwork.recipe else {}
    if transparent:
        extra |= {"transparency": 255, "disposal": 2}
    if len(images) > 1:
        extra |= {"duration": durations(len(images), options, 10), "loop": 0}
    return _save(images, "GIF", optimize=False, **extra)


def to_palette(frames: list[np.ndarray]) -> tuple[list[PillowImage], bool]:
    """The frames in one palette of 255 colours; index 255 is transparent where the second value is True."""
    from PIL import Image

    # The palette is the last picture's above all: it is the one that stays.
    chosen = [*spread(frames, _PALETTE_FROM), *[frames[-1]] * 3]
    stride = max(1, round((sum(frame.shape[0] * frame.shape[1] for frame in chosen) / _PALETTE_PIXELS) ** 0.5))
    montage = Image.fromarray(
        np.concatenate([frame[stride // 2 :: stride, stride // 2 :: stride, :3] for frame in chosen])
    )
    flat = _flat_colours(np.asarray(montage))
    palette = montage.quantize(255 - len(flat), Image.Quantize.MEDIANCUT, kmeans=1)
    mixed = (palette.getpalette() or [])[: 3 * (255 - len(flat))]
    palette.putpalette(mixed + flat.ravel().tolist())
    images = []
    transparent = frames[0].shape[-1] == 4
    for frame in frames:
        # Dithering would flicker from frame to frame and double the size; translucent shapes do without.
        image = Image.fromarray(np.ascontiguousarray(frame[..., :3])).quantize(
            palette=palette, dither=Image.Dither.NONE
        )
        for index, colour in enumerate(flat, len(mixed) // 3):
            image.paste(index, mask=Image.fromarray((frame[..., :3] == colour).all(-1)))
        if transparent:
            image.paste(255, mask=Image.fromarray(np.where(frame[..., 3] < 128, 255, 0).astype(np.uint8)))
        images.append(image)
    return images, transparent


def _flat_colours(pixels: np.ndarray) -> np.ndarray:
    """Colours ``(n, 3)`` uint8 that many of the ``pixels`` ``(h, w, 3)`` have exactly: the mean of one and its
    neighbours would make white paper gray."""
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    values, counts = np.unique(packed, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:_FLATS]
    kept = values[most[counts[most] >= _FLAT * packed.size]]
    return np.stack([kept >> 16, kept >> 8 & 255, kept & 255], -1).astype(np.uint8)


def _apng(artwork: Artwork, options: Options) -> bytes:
    from PIL import Image

    artwork, options = stage(artwork, options)
    images = [Image.fromarray(frame) for frame in film_frames(artwork, options, per_second=8)]
    times = durations(len(images), options)
    return _save(images, "PNG", duration=times, loop=0, pnginfo=png_info(artwork), default_image=False)


def _webp(artwork: Artwork, options: Options) -> bytes:
    from PIL import Image

    artwork, options = stage(artwork, options)
    images = [Image.fromarray(frame) for frame in film_frames(artwork, options, per_second=15)]
    text = artwork.recipe_text()
    extra = {"xmp": recipes.xmp(text)} if text else {}
    how = {"lossless": True, "quality": 50} if artwork.flat else {"quality": min(options.quality, 80)}
    return _save(images, "WEBP", duration=durations(len(images), options), loop=0, method=3, **how, **extra)


GIF = Format((".gif",), _gif, film=True)
APNG = Format((".apng",), _apng, film=True)
WEBP = Format((".anim.webp",), _webp, film=True)
