"""Pictures in: any common file or array to float sRGB, upright, colour-managed, its transparency separate."""

from __future__ import annotations

import hashlib
import io
import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.colour import ColourSpace, avif_space, png_space, to_srgb
from evoart.errors import EvoartError, UsageError
from evoart.pixels import clamp, fit_size, gray8, has_profile, mask_of, read_pixels, resize, turn_upright
from evoart.sources import read_source

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

MAX_PIXELS = 100_000_000  # decoded pixels; Pillow holds 4 bytes each
# What is decoded: pictures of pixels, by Pillow itself. (EPS, for one, would start another program.)
_READ = (
    "AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "QOI", "SGI", "TGA", "TIFF",
    "WEBP",
)  # fmt: skip
LARGEST_LIMIT = 10**10  # pixels that ``--max-pixels`` can be raised to; a test checks that the job agrees
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
        notes: what a user should know of the file, such as that it has more pictures than the one that was read.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    width: int
    height: int
    name: str
    sha256: str
    mask: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def at(self, long_side: int) -> tuple[np.ndarray, np.ndarray | None]:
        """The picture reduced to ``long_side`` pixels, never enlarged: image ``(h, w, 3)``, alpha ``(h, w)`` or None.

        Where the long side is that already, the pixels come back untouched. Colours are weighted by alpha, so
        that what lies under transparent pixels does not bleed into the visible ones.
        """
        w, h = fit_size(self.width, self.height, long_side)
        if max(w, h) >= max(self.rgb.shape[:2]):
            return self.rgb, self.alpha
        if self.alpha is None:
            return clamp(resize(self.rgb, (w, h))), None
        alpha = clamp(resize(self.alpha[..., None], (w, h)))
        colour = resize(self.rgb * self.alpha[..., None], (w, h))
        image = np.where(alpha > 1e-4, colour / np.maximum(alpha, 1e-4), _mean_colour(self.rgb, self.alpha))
        return clamp(image), alpha[..., 0]


@dataclass(frozen=True, eq=False)
class Sources:
    """A photograph and its importance map, each whatever ``load`` takes, or None: what the job names."""

    picture: Any = None
    weights: Any = None


def bundled() -> Path:
    """The photograph that comes with evoart: Chelsea the cat, by Stefan van der Walt, CC0."""
    return Path(__file__).parent / "data" / "chelsea.jpg"


def load(source: Any, *, needed: int | None = None, max_pixels: int = MAX_PIXELS, label: str = "") -> Picture:
    """Read a picture: PNG, JPEG, WebP, GIF, TIFF, BMP, AVIF, and some that are rarer (``_READ``), or an array.

    Args:
        source: a path, ``"-"`` for standard input, the file's bytes, an open file, a Pillow image, or an array
            ``(h, w)``, ``(h, w, 3)`` or ``(h, w, 4)`` of uint8, uint16, bool or floats in [0, 1], of NumPy, JAX, torch
            or whatever else speaks ``__array__`` or DLPack. Floats and 16 bits keep every bit that float32 can hold.
        needed: longest side in pixels that ``Picture.at`` will be asked for; larger pictures are reduced while they
            are decoded. None keeps every pixel.
        max_pixels: more than this many pixels to decode are refused.
        label: what messages call it, where ``source`` has no name.

    Raises:
        UsageError: no such file, a directory, too many pixels, an array of another shape or type.
        EvoartError: empty, truncated, not a picture, of a kind that is not read, entirely transparent.
    """
    source = _as_plain(source)
    label = label or "the picture"
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8:
            rgb, alpha = _array_pixels(source)
            if rgb.shape[0] * rgb.shape[1] > max_pixels:
                raise _size_error(label, rgb.shape[1], rgb.shape[0], max_pixels)
            digest = hashlib.sha256(f"{source.dtype.str}{source.shape}".encode() + source.tobytes()).hexdigest()
            mask = None if alpha is None else mask_of(gray8(alpha))
            return _make_picture(rgb, alpha, (rgb.shape[1], rgb.shape[0]), "picture", digest, mask, (), label)
        source = _array_file(source)
    data, name, called = read_source(source)
    label = label if called == "the picture" else called
    with _quiet_pillow():
        try:
            image, size = _open(data, needed, max_pixels, label)
            space = _space_of(image, data)
            notes = _notes(image, label)
            factor = 1 if needed is None else max(1, max(image.size) // (2 * needed))
            rgb, alpha, mask = read_pixels(image, factor, data)
            if space is not None:
                rgb = to_srgb(rgb, space)
        except EvoartError:
            raise
        except MemoryError as error:
            raise EvoartError(f"{label} needs more memory than there is", "Reduce it first") from error
        except Exception as error:  # damaged files make Pillow raise nearly anything
            raise _decode_error(error, data, label) from error
    return _make_picture(rgb, alpha, size, name, hashlib.sha256(data).hexdigest(), mask, notes, label)


def _make_picture(
    rgb: np.ndarray,
    alpha: np.ndarray | None,
    size: tuple[int, int],
    name: str,
    digest: str,
    mask: np.ndarray | None,
    notes: tuple[str, ...],
    label: str,
) -> Picture:
    """The picture, with nothing under its transparent pixels that could steer a search."""
    if alpha is not None:
        if not (alpha > 0).any():
            raise EvoartError(f"{label} is entirely transparent", "There is nothing to draw; choose another picture")
        rgb[alpha == 0] = _mean_colour(rgb, alpha)
    return Picture(rgb, alpha, *size, name, digest, mask, notes)


def _decode_error(error: Exception, data: bytes, label: str) -> EvoartError:
    """The error for a file that Pillow knows and cannot decode: unsupported is not damaged."""
    said = str(error).lower()
    if isinstance(error, NotImplementedError) or any(word in said for word in _UNSUPPORTED):
        return EvoartError(f"{label} is of a kind that cannot be read", _instead(data, "Save it as PNG"))
    return EvoartError(f"{label} is a damaged or truncated picture", "Get an undamaged copy")


_UNSUPPORTED = ("unsupported", "not supported", "not available", "not installed", "unknown pixel", "unknown raw")


def load_weights(source: Any, shape: tuple[int, int], *, max_pixels: int = MAX_PIXELS, label: str = "") -> np.ndarray:
    """An importance map ``(h, w)`` float32 >= 0 for a picture of ``shape`` ``(h, w)``: white counts, black does not.

    Colours count by their luma, transparent pixels not at all. The map is resized; its mean is not normalised.
    ``source`` is what ``load`` takes; an array of one channel may hold any finite numbers >= 0.

    Raises:
        UsageError: nothing in it counts, or its proportions are not the picture's.
        EvoartError: as ``load``.
    """
    h, w = shape
    source = _as_plain(source)
    if isinstance(source, np.ndarray) and source.ndim == 2 and source.dtype.kind in "fiu" and source.dtype != np.uint8:
        size, gray = source.shape[::-1], np.asarray(source, np.float32)
        if not gray.size or not np.isfinite(gray).all() or gray.min() < 0:
            raise UsageError("the importance map has numbers that are negative or not finite", "Use numbers from 0 up")
        gray = gray / max(float(gray.max()), 1e-30)
    else:
        picture = load(source, needed=2 * max(h, w), max_pixels=max_pixels, label=label or "the importance map")
        size, gray = (picture.width, picture.height), picture.rgb @ np.array([0.299, 0.587, 0.114], np.float32)
        if picture.alpha is not None:
            gray = gray * picture.alpha
    if abs(math.log(size[0] / size[1] * h / w)) > 0.02 + 1 / min(h, w):
        raise UsageError(
            f"the importance map is {size[0]}x{size[1]} pixels, of other proportions than the picture",
            "Give the map the picture's size",
        )
    # The triangle filter, since the lobes of Lanczos would make weights negative.
    gray = resize(gray[..., None], (w, h), "BILINEAR")[..., 0] if gray.shape != shape else gray
    gray = np.where(np.isfinite(gray) & (gray > 1e-6), gray, 0).astype(np.float32)
    if not gray.any():
        raise UsageError("the importance map is black everywhere, so nothing would count", "Paint what matters white")
    return gray


def digest_of(source: Any) -> str:
    """SHA-256, hexadecimal, of a picture given as a file's bytes, an array or a Pillow image."""
    plain = _as_plain(source)
    data = (
        plain.dtype.str.encode() + str(plain.shape).encode() + plain.tobytes()
        if isinstance(plain, np.ndarray)
        else plain
    )
    return hashlib.sha256(data).hexdigest()


def _as_plain(source: Any) -> Any:
    """``source`` as a path, bytes, or a NumPy array.

    Raises:
        UsageError: none of what ``load`` takes.
    """
    if isinstance(source, str | Path | bytes | bytearray | memoryview | np.ndarray):
        return source
    if hasattr(source, "save") and hasattr(source, "mode"):
        return _pillow_file(source)
    if hasattr(source, "read"):
        return source.read()
    if hasattr(source, "__array__") or hasattr(source, "__dlpack__"):
        return _as_array(source)
    raise UsageError(
        f"a picture cannot be a {type(source).__name__}", "Give a path, bytes, a file, an array or a Pillow image"
    )


def _as_array(source: Any) -> np.ndarray:
    """The numbers of a JAX array, a torch tensor, or of anything with ``__array__`` or DLPack."""
    if hasattr(source, "detach"):  # a tensor: without its gradient, on the CPU
        source = source.detach().cpu()
    if "bfloat16" in str(getattr(source, "dtype", "")):  # which NumPy has not
        source = source.float() if hasattr(source, "float") else source.astype("float32")
    try:
        return np.asarray(source) if hasattr(source, "__array__") else np.from_dlpack(source)
    except (TypeError, ValueError, RuntimeError, BufferError):
        raise UsageError(
            f"the {type(source).__name__} cannot be read as an array", "Give a NumPy array: numpy.asarray(picture)"
        ) from None


def _array_pixels(array: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Float sRGB ``(h, w, 3)`` and alpha ``(h, w)`` (None: opaque) of an array, exact.

    Raises:
        UsageError: another shape, type or range than a picture has.
    """
    _check_shape(array)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
            raise UsageError("the picture's floats leave [0, 1]", "Divide by its largest value, or give uint8")
        values = array.astype(np.float32)
    elif array.dtype == np.uint16:
        values = (array / 65535).astype(np.float32)
    elif array.dtype == bool:
        values = array.astype(np.float32)
    else:
        raise UsageError(f"the picture is an array of {array.dtype}", "Give uint8, uint16, or floats in [0, 1]")
    values = values.reshape(*array.shape[:2], -1)
    alpha = values[..., 3] if values.shape[2] == 4 and values[..., 3].min() < 1 else None
    rgb = np.repeat(values, 3, -1) if values.shape[2] == 1 else values[..., :3]
    return np.array(rgb, np.float32), None if alpha is None else np.array(alpha)


def _check_shape(array: np.ndarray) -> None:
    if array.ndim in (2, 3) and array.size and (array.ndim == 2 or array.shape[2] in (1, 3, 4)):
        return
    hint = "Give (h, w, 3), (h, w, 4) or (h, w)"
    if array.ndim == 3 and array.shape[0] in (1, 3, 4):
        hint = "Its channels come first; give (h, w, 3): picture.transpose(1, 2, 0)"
    raise UsageError(f"the picture is an array of shape {array.shape}", hint)


def _array_file(array: np.ndarray) -> bytes:
    """An array of 8 bits as a file, so that it has the same hash as that file."""
    from PIL import Image

    _check_shape(array)
    return _pillow_file(Image.fromarray(np.ascontiguousarray(array[..., 0] if array.shape[2:] == (1,) else array)))


def _pillow_file(image: Any) -> bytes:
    """A Pillow image, upright, as the bytes of a file."""
    from PIL import ImageOps

    buffer = io.BytesIO()
    try:
        image = ImageOps.exif_transpose(image)
        if image.mode in _CONVERTED:
            image = image.convert(_CONVERTED[image.mode])
        # TIFF holds what PNG does not.
        image.save(buffer, "TIFF" if image.mode in ("F", "I", "CMYK", "YCbCr", "LAB") else "PNG", compress_level=1)
    except (OSError, ValueError, SyntaxError) as error:
        raise EvoartError("the Pillow image cannot be read", "Give an open image, in RGB for one") from error
    return buffer.getvalue()


_CONVERTED = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA", "RGBX": "RGB", "HSV": "RGB"}


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
    except (SyntaxError, OSError, NotImplementedError) as error:
        raise _decode_error(error, data, label) from None
    if image.format not in _READ:
        raise EvoartError(f"{label} is a {image.format} file, which is not read", "Export it as PNG first")
    size = image.size
    if needed is not None and image.format in ("JPEG", "MPO"):
        # Twice what is needed, so that the final Lanczos reduction and not the decoder shapes the pixels.
        scale = 2 * needed / max(size)
        image.draft(image.mode, (math.ceil(size[0] * scale), math.ceil(size[1] * scale)))
    # A baseline JPEG reduced while decoding never holds all its pixels; a progressive one does.
    streamed = image.format in ("JPEG", "MPO") and not image.info.get("progressive")
    pixels = max(image.width * image.height, size[0] * size[1] // (4 if streamed else 1))
    if pixels > max_pixels:
        raise _size_error(label, *size, max_pixels)
    try:
        image.load()
    except OSError:
        if image.format not in ("JPEG", "MPO"):
            raise
        image = _without_end(data, image)
    _scale_key(image, data)
    w, h = size
    return image, (h, w) if turn_upright(image) else (w, h)


def _size_error(label: str, width: int, height: int, max_pixels: int) -> UsageError:
    pixels = width * height
    return UsageError(
        f"{label} has {width}x{height} = {pixels:,} pixels, more than the limit of {max_pixels:,}",
        f"Reduce it, or raise the limit: --max-pixels {pixels}" if pixels <= LARGEST_LIMIT else "Reduce it first",
    )


def _without_end(data: bytes, image: PillowImage) -> PillowImage:
    """A JPEG that lacks its end marker and nothing else, which every viewer shows.

    Where pixels are missing, what the decoder is fed in their place shows in them: two fillings, two pictures.

    Raises:
        OSError: pixels are missing.
    """
    from PIL import Image

    found = []
    for filling in (b"", b"\x55\xaa\x33" * 21):
        again = Image.open(io.BytesIO(data.removesuffix(b"\xff") + filling + b"\xff\xd9"))
        again.draft(image.mode, image.size)
        again.load()
        found.append(again)
    if found[0].tobytes() != found[1].tobytes():
        raise OSError("truncated")
    return found[0]


def _scale_key(image: PillowImage, data: bytes) -> None:
    """Bring the transparent level of a gray PNG of few bits to the 8 bits that Pillow decodes it to."""
    level = image.info.get("transparency")
    if image.format == "PNG" and data[25:26] == b"\0" and data[24] < 8 and isinstance(level, int):
        # (Of one bit, some versions of Pillow do so themselves.)
        image.info["transparency"] = min(level * 255 // ((1 << data[24]) - 1), 255)


def _notes(image: PillowImage, label: str) -> tuple[str, ...]:
    """A note where a file holds more pictures than the first one."""
    frames = getattr(image, "n_frames", 1)
    if frames < 2 or image.format == "MPO":  # a photograph with its preview or its second eye
        return ()
    what = "pages" if image.format == "TIFF" else "frames"
    return (f"{label} has {frames:,} {what}; only the first is used",)


def _space_of(image: PillowImage, data: bytes) -> ColourSpace | None:
    """The colour space to be brought to sRGB, where the file names one without an ICC profile."""
    if image.format == "PNG":
        space, wins = png_space(data)
        if space is not None and wins:
            image.info.pop("icc_profile", None)
    else:
        space = avif_space(data) if image.format == "AVIF" else None
    return None if has_profile(image) else space


def _instead(data: bytes, otherwise: str = "Give a PNG, JPEG, WebP, GIF, TIFF, BMP or AVIF file") -> str:
    """What to do with a file that is not a picture, or none that can be read."""
    head = data[:1024].lower()
    if b"<svg" in head:
        return "It is an SVG drawing: render it to PNG first"
    if head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return "It is a HEIC photo: export it as JPEG first"
    if head.startswith(b"%pdf"):
        return "It is a PDF: export the page as PNG first"
    if head.startswith((b"ii*\0", b"mm\0*", b"ii+\0", b"mm\0+")):
        return "It is a TIFF, damaged or of a kind that cannot be read: save it as PNG"
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            return f"It is a {name} file, damaged or of a kind that cannot be read: save it as PNG or JPEG"
    return otherwise


_MAGIC = {
    b"\xff\xd8": "JPEG", b"\x89PNG": "PNG", b"GIF8": "GIF", b"BM": "BMP", b"RIFF": "WebP", b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL", b"8BPS": "Photoshop", b"\0\0\0\x0cjP": "JPEG 2000", b"v/1\x01": "OpenEXR",
}  # fmt: skip


def _mean_colour(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    weights = alpha / max(float(alpha.sum()), 1e-6)
    return np.einsum("hwc,hw->c", rgb, weights).astype(np.float32)
