"""Pictures in: any common file to float sRGB, upright, colour-managed, its transparency apart."""

from __future__ import annotations

import difflib
import hashlib
import io
import math
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evoart.errors import EvoartError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

MAX_PIXELS = 100_000_000  # decoded pixels; Pillow holds 4 bytes each
MAX_BYTES = 1 << 30  # of the file itself
SMALLEST_SIDE = 2
MASK_SIDE = 4096  # transparency is kept for the output up to this long side
# What is decoded: pictures of pixels, by Pillow itself. (EPS, for one, would start another program.)
_READ = (
    "AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "QOI", "SGI", "TGA", "TIFF",
    "WEBP",
)  # fmt: skip
LARGEST_LIMIT = 10**10  # pixels that ``--max-pixels`` can be raised to; a test holds the job to it
_pillow_limit = threading.Lock()


@dataclass(frozen=True, eq=False)
class Picture:
    """A photograph as it was loaded.

    Attributes:
        rgb: ``(h, w, 3)`` float32 sRGB in [0, 1]; smaller than the file where ``load`` was told ``needed``.
        alpha: ``(h, w)`` float32 in [0, 1], or None where every pixel is opaque.
        width, height: size of the file's picture in pixels, after its EXIF orientation.
        name: the file's stem, ``"picture"`` for bytes and standard input.
        sha256: of the file's bytes, hexadecimal.
        mask: ``(H, W)`` uint8 transparency for the output, at most 4096 px long, or None.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    width: int
    height: int
    name: str
    sha256: str
    mask: np.ndarray | None = None

    def at(self, long_side: int) -> tuple[np.ndarray, np.ndarray | None]:
        """The picture reduced to ``long_side`` pixels, never enlarged: image ``(h, w, 3)``, alpha ``(h, w)`` or None.

        Where the long side is that already, the pixels come back untouched. Colours are weighted by alpha, so
        that what lies under transparent pixels does not bleed into the visible ones.
        """
        w, h = fitted(self.width, self.height, long_side)
        if max(w, h) >= max(self.rgb.shape[:2]):
            return self.rgb, self.alpha
        if self.alpha is None:
            return _clip(_resize(self.rgb, (w, h))), None
        alpha = _clip(_resize(self.alpha[..., None], (w, h)))
        colour = _resize(self.rgb * self.alpha[..., None], (w, h))
        image = np.where(alpha > 1e-4, colour / np.maximum(alpha, 1e-4), _mean_colour(self.rgb, self.alpha))
        return _clip(image), alpha[..., 0]


def fitted(width: int, height: int, long_side: int) -> tuple[int, int]:
    """``(w, h)`` with the proportions of ``width x height`` and at most ``long_side`` pixels on the longer side."""
    scale = min(1.0, long_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def bundled() -> Path:
    """The photograph that comes with evoart: Chelsea the cat, by Stefan van der Walt, CC0."""
    return Path(__file__).parent / "data" / "chelsea.jpg"


def load(
    source: str | Path | bytes, *, needed: int | None = None, max_pixels: int = MAX_PIXELS, label: str = ""
) -> Picture:
    """Read a picture: PNG, JPEG, WebP, GIF (first frame), TIFF, BMP, AVIF, and some that are rarer (``_READ``).

    Args:
        source: a path, ``"-"`` for standard input, or the file's bytes.
        needed: longest side in pixels that ``Picture.at`` will be asked for; larger pictures are reduced while they
            are decoded. None keeps every pixel.
        max_pixels: more than this many pixels to decode are refused.
        label: what messages call it, where ``source`` is bytes.

    Raises:
        UsageError: no such file, a directory, too many pixels, too small.
        EvoartError: empty, truncated, not a picture, not readable, wholly transparent.
    """
    data, name, called = read_source(source)
    label = label or called
    with _quiet_pillow():
        try:
            image, size = _open(data, needed, max_pixels, label)
            factor = 1 if needed is None else max(1, max(image.size) // (2 * needed))
            rgb, alpha, mask = _pixels(image, factor)
        except EvoartError:
            raise
        except MemoryError as error:
            raise EvoartError(f"{label} needs more memory than there is", "Reduce it first") from error
        except Exception as error:  # damaged files make Pillow raise nearly anything
            raise EvoartError(f"{label} is a damaged or truncated picture ({error})", "Get a sound copy") from error
    if alpha is not None and not (alpha > 0).any():
        raise EvoartError(f"{label} is wholly transparent", "There is nothing to draw; choose another picture")
    if alpha is not None:
        rgb[alpha == 0] = _mean_colour(rgb, alpha)  # whatever the file hid there must not steer anything
    return Picture(rgb, alpha, *size, name, hashlib.sha256(data).hexdigest(), mask)


def load_weights(
    source: str | Path | bytes, shape: tuple[int, int], *, max_pixels: int = MAX_PIXELS, label: str = ""
) -> np.ndarray:
    """An importance map ``(h, w)`` float32 >= 0 for a picture of ``shape`` ``(h, w)``: white counts, black does not.

    Colours count by their luma, transparent pixels not at all. The map is resized; its mean is not normalised.

    Raises:
        UsageError: nothing in it counts, or its proportions are not the picture's.
        EvoartError: as ``load``.
    """
    h, w = shape
    picture = load(source, needed=2 * max(h, w), max_pixels=max_pixels, label=label)
    if abs(math.log(picture.width / picture.height * h / w)) > 0.02 + 1 / min(h, w):
        raise UsageError(
            f"the importance map is {picture.width}x{picture.height} pixels, of other proportions than the picture",
            "Give the map the picture's size",
        )
    gray = picture.rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    if picture.alpha is not None:
        gray = gray * picture.alpha
    # The triangle filter, since the lobes of Lanczos would make weights negative.
    gray = _resize(gray[..., None], (w, h), "BILINEAR")[..., 0] if gray.shape != shape else gray
    gray = np.where(np.isfinite(gray) & (gray > 1e-6), gray, 0).astype(np.float32)
    if not gray.any():
        raise UsageError("the importance map is black everywhere, so nothing would count", "Paint what matters white")
    return gray


def read_source(source: str | Path | bytes) -> tuple[bytes, str, str]:
    """The bytes of a path, of standard input (``"-"``) or as given, a stem for outputs, and what messages call it.

    Raises:
        UsageError: no such file, a directory, nothing piped, larger than ``MAX_BYTES``.
        EvoartError: empty, not readable.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data, name, label = bytes(source), "picture", "the picture"
    elif str(source) == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("nothing comes in on standard input", "Pipe a file in: evoart fit - < photo.jpg")
        data, name, label = sys.stdin.buffer.read(MAX_BYTES + 1), "picture", "standard input"
    else:
        path = Path(source)
        data, name, label = _read_file(path), path.stem, f"'{path}'"
    if not data:
        raise EvoartError(f"{label} is empty (0 bytes)", "Give another file")
    if len(data) > MAX_BYTES:
        raise UsageError(f"{label} is larger than {MAX_BYTES >> 20} MiB", "Reduce it first")
    return data, name, label


def _read_file(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise UsageError(f"'{path}' is a directory", "Give one of the files in it")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"there is no file '{path}'", _nearby(path)) from None
    except PermissionError:
        raise EvoartError(f"'{path}' may not be read", f"Allow it: chmod u+r '{path}'") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise EvoartError(f"'{path}' cannot be read ({error})", "Check the path") from None


def _nearby(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return f"There is no folder '{path.parent}' either"
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(path.name.lower(), lower, n=1, cutoff=0.6)
    near = near or [name for name in lower if Path(name).stem == path.stem.lower()][:1]
    return f"Did you mean '{path.parent / lower[near[0]]}'?" if near else "Check the spelling"


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Pillow without warnings and without its own pixel limit, which ours replaces."""
    from PIL import Image

    with _pillow_limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _open(data: bytes, needed: int | None, max_pixels: int, label: str) -> tuple[PillowImage, tuple[int, int]]:
    """The decoded, upright first frame (perhaps reduced), and the file's own upright size."""
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        raise EvoartError(f"{label} is not a picture that can be read", _instead(data)) from None
    if image.format not in _READ:
        raise EvoartError(f"{label} is a {image.format} file, which is not read", "Export it as PNG first")
    size = image.size
    if min(size) < SMALLEST_SIDE:
        least = f"{SMALLEST_SIDE}x{SMALLEST_SIDE}"
        raise UsageError(f"{label} is {size[0]}x{size[1]} pixels", f"A picture needs at least {least} pixels")
    if needed is not None and image.format in ("JPEG", "MPO"):
        # Twice what is needed, so that the final Lanczos reduction and not the decoder shapes the pixels.
        scale = 2 * needed / max(size)
        image.draft(image.mode, (math.ceil(size[0] * scale), math.ceil(size[1] * scale)))
    # A baseline JPEG reduced while decoding never holds all its pixels; a progressive one does.
    streamed = image.format in ("JPEG", "MPO") and not image.info.get("progressive")
    pixels = max(image.width * image.height, size[0] * size[1] // (4 if streamed else 1))
    if pixels > max_pixels:
        raise UsageError(
            f"{label} has {size[0]}x{size[1]} = {size[0] * size[1]:,} pixels, more than the limit of {max_pixels:,}",
            f"Reduce it, or raise the limit: --max-pixels {size[0] * size[1]}"
            if size[0] * size[1] <= LARGEST_LIMIT
            else "Reduce it first",
        )
    image.load()
    return image, size[::-1] if _turn_upright(image) else size


def _instead(data: bytes) -> str:
    """What to do with a file that is no picture."""
    head = data[:1024].lower()
    if b"<svg" in head:
        return "It is an SVG drawing: render it to PNG first"
    if head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return "It is a HEIC photo: export it as JPEG first"
    if head.startswith(b"%pdf"):
        return "It is a PDF: export the page as PNG first"
    if head.startswith((b"ii*\0", b"mm\0*", b"ii+\0", b"mm\0+")):
        return "It is a TIFF, damaged or of a kind that cannot be read: save it as PNG"
    return "Give a PNG, JPEG, WebP, GIF, TIFF, BMP or AVIF file"


def _turn_upright(image: PillowImage) -> bool:
    """Turn and mirror the image in place as its EXIF says; True where width and height changed places."""
    from PIL import ImageOps

    try:
        orientation = image.getexif().get(0x0112, 1)
        ImageOps.exif_transpose(image, in_place=True)  # no copy where it is upright already
        return orientation in (5, 6, 7, 8)
    except Exception:  # EXIF too damaged to say which way is up is no reason to refuse the pixels
        return False


def _pixels(image: PillowImage, factor: int) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Float sRGB ``(h, w, 3)``, alpha ``(h, w)`` and the output's mask (or None, None) of an image of any mode.

    They are averaged down by the whole ``factor`` first, while they are still 8 bit: big pictures stay small in memory.
    """
    if image.mode == "F" or image.mode.startswith("I"):
        return _deep_pixels(image, factor)
    alpha = mask = None
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        # A gray picture stays gray, so that a gray ICC profile still fits it.
        gray = image.mode in ("L", "LA", "La")
        if image.mode != "RGBA":
            whole = image.convert("RGBA" if image.mode != "La" else "LA")
            image = _keeping_profile(image, whole.convert("LA") if gray else whole)
        if image.getchannel("A").getextrema()[0] < 255:
            mask = _mask(image.getchannel("A"))
    elif image.mode in ("P", "1"):
        image = _keeping_profile(image, image.convert("RGB"))
    if factor > 1:
        image = _keeping_profile(image, image.reduce(factor))  # weighted by alpha where there is one
    if mask is not None:
        alpha = np.asarray(image.getchannel("A"), np.float32) / 255
    if image.mode in ("LA", "RGBA"):
        image = _keeping_profile(image, image.convert(image.mode[:-1]))
    rgb = np.array(_srgb(image), np.float32)
    rgb /= 255
    return rgb, alpha, mask


def _keeping_profile(image: PillowImage, converted: PillowImage) -> PillowImage:
    if profile := image.info.get("icc_profile"):
        converted.info["icc_profile"] = profile
    return converted


def _deep_pixels(image: PillowImage, factor: int) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """``_pixels`` of gray pictures of more than 8 bits."""
    from PIL import Image

    values, tags = np.asarray(image), getattr(image, "tag_v2", {})
    if values.dtype == np.int32 and tags.get(258) == (32,) and tags.get(339, (1,)) == (1,):
        values = values.view(np.uint32)  # Pillow knows signed integers only
    gray, alpha, mask = _deep_gray(values)[..., None], None, None
    if tags.get(262) == 0:  # TIFF: white is zero; Pillow turns only 8 bit ones
        gray = 1 - gray
    if isinstance(level := image.info.get("transparency"), int) and (values == level).any():
        alpha = (values != level).astype(np.float32)[..., None]
        mask = _mask(Image.fromarray((alpha[..., 0] * 255).astype(np.uint8)))
    if factor > 1:
        size = tuple(max(1, round(side / factor)) for side in image.size)
        gray, alpha = _resize(gray, size, "BOX"), None if alpha is None else _resize(alpha, size, "BOX")
    rgb = np.repeat(gray, 3, -1)
    if "icc_profile" in image.info:
        levels = Image.fromarray(np.rint(gray[..., 0] * 255).astype(np.uint8))
        rgb = np.array(_srgb(_keeping_profile(image, levels)), np.float32) / 255
    return rgb, None if alpha is None else alpha[..., 0], mask


def _deep_gray(values: np.ndarray) -> np.ndarray:
    """Integers of 16 and 32 bits, and floats, as [0, 1]; others are stretched from lowest to highest."""
    if values.dtype == np.uint32:
        return (values / np.float64(2**32 - 1)).astype(np.float32)
    if values.dtype.kind in "iu" and values.min() >= 0 and values.max() <= 65535:
        return (values / 65535).astype(np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        raise ValueError("none of its values is a number")
    values = np.where(finite, values, 0).astype(np.float64)
    low, high = values.min(), values.max()
    if low < 0 or high > 1:
        values = (values - low) / (high - low) if high > low else np.full(values.shape, float(high > 0))
    return values.astype(np.float32)


def _srgb(image: PillowImage) -> PillowImage:
    """The image as 8 bit sRGB, through its embedded ICC profile where it has a usable one."""
    from PIL import ImageCms

    if profile := image.info.get("icc_profile"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if ImageCms.getProfileDescription(source).strip().lower().startswith("srgb"):
                return image.convert("RGB")  # a round trip would only add rounding
            if converted := ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"):
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a broken profile, or one for another mode: viewers ignore it too
    return image.convert("RGB")


def _mask(alpha: PillowImage) -> np.ndarray:
    size = fitted(*alpha.size, MASK_SIDE)
    return np.array(alpha if size == alpha.size else alpha.resize(size))


def _resize(image: np.ndarray, size: tuple[int, int], filter: str = "LANCZOS") -> np.ndarray:
    """Channels of ``(h, w, c)`` float32 resampled to ``size`` ``(w, h)``, in float."""
    from PIL import Image

    how = Image.Resampling[filter]
    channels = [Image.fromarray(np.ascontiguousarray(image[..., c], np.float32)) for c in range(image.shape[-1])]
    return np.stack([np.asarray(channel.resize(size, how), np.float32) for channel in channels], -1)


def _clip(image: np.ndarray) -> np.ndarray:
    return np.clip(image, 0, 1).astype(np.float32)


def _mean_colour(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    weights = alpha / max(float(alpha.sum()), 1e-6)
    return np.einsum("hwc,hw->c", rgb, weights).astype(np.float32)
