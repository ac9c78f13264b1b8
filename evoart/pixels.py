"""From what Pillow decoded to float sRGB: any mode and depth, upright, colour-managed, transparency apart."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.errors import EvoartError

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

MASK_SIDE = 4096  # transparency is kept for the output up to this long side
Pixels = tuple[np.ndarray, np.ndarray | None, np.ndarray | None]  # sRGB, alpha, mask


def fit_size(width: int, height: int, long_side: int) -> tuple[int, int]:
    """``(w, h)`` with the proportions of ``width x height`` and at most ``long_side`` pixels on the longer side."""
    scale = min(1.0, long_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def has_profile(image: PillowImage) -> bool:
    """Whether an ICC profile that can be read decides, sRGB's among them."""
    from PIL import ImageCms

    try:
        ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    except (KeyError, ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False
    return True


def turn_upright(image: PillowImage) -> bool:
    """Turn and mirror the image in place as its EXIF says; True where width and height changed places.

    An orientation that stands in XMP alone is ignored, as browsers do.
    """
    from PIL import ImageOps

    for key in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(key, None)
    try:
        orientation = image.getexif().get(0x0112, 1)
        ImageOps.exif_transpose(image, in_place=True)  # no copy where it is upright already
        return orientation in (5, 6, 7, 8)
    except Exception:  # EXIF too damaged to say which way is up is no reason to refuse the pixels
        return False


def read_pixels(image: PillowImage, factor: int, data: bytes) -> Pixels:
    """Float sRGB ``(h, w, 3)``, alpha ``(h, w)`` and the output's mask (or None, None) of an image of any mode.

    They are averaged down by the whole ``factor`` first, while they are still 8 bit: big pictures stay small in memory.
    """
    if image.mode == "F" or image.mode.startswith("I"):
        return _deep_pixels(image, factor)
    if image.format == "PNG" and data[24] == 16 and not _profile(image):
        return _png16_pixels(image, factor, data)
    alpha = mask = None
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        # A gray picture stays gray, so that a gray ICC profile still fits it.
        gray = image.mode in ("1", "L", "LA", "La")
        if image.mode == "1":
            image = _keeping_info(image, image.convert("L"))
        if image.mode != "RGBA":
            whole = image.convert("RGBA" if image.mode != "La" else "LA")
            image = _keeping_info(image, whole.convert("LA") if gray else whole)
        levels = np.asarray(image.getchannel("A"))
        if not levels.any() and image.format in _PADDED:
            image = _keeping_info(image, image.convert(image.mode[:-1]))  # the fourth byte is padding
        elif levels.min() < 255:
            mask = mask_of(image.getchannel("A"))
    elif image.mode in ("P", "1"):
        image = _keeping_info(image, image.convert("RGB"))
    if factor > 1:
        image = _keeping_info(image, image.reduce(factor))  # weighted by alpha where there is one
    if mask is not None:
        alpha = np.asarray(image.getchannel("A"), np.float32) / 255
    if image.mode in ("LA", "RGBA"):
        image = _keeping_info(image, image.convert(image.mode[:-1]))
    rgb = np.array(_srgb(image), np.float32)
    rgb /= 255
    return rgb, alpha, mask


_PADDED = ("BMP", "DIB", "TGA", "ICO")  # where an alpha of 0 everywhere means that nobody wrote one


def _keeping_info(image: PillowImage, converted: PillowImage) -> PillowImage:
    """A converted image with what its file was and its ICC profile."""
    converted.format = image.format
    if profile := image.info.get("icc_profile"):
        converted.info["icc_profile"] = profile
    if image.mode == "1" and "transparency" in image.info:
        converted.info["transparency"] = image.info["transparency"]
    return converted


def _png16_pixels(image: PillowImage, factor: int, data: bytes) -> Pixels:
    """``read_pixels`` of a PNG of 16 bits with several channels, which Pillow decodes to its high bytes: decoded
    once more for the low ones."""
    planes = []
    for which in "BL":
        again = _reopen(data)
        (tile,) = again.tile
        if tile.args == "LA;16B":  # there is no unpacker for its low bytes; both at once look like RGBA
            again._mode, again.tile = "RGBA", [tile._replace(args="RGBA")]
        else:
            again.tile = [tile._replace(args=f"{again.mode};16{which}")]
        again.load()
        turn_upright(again)
        planes.append(np.asarray(again))
        if tile.args == "LA;16B":
            planes = [planes[0][..., 0::2], planes[0][..., 1::2]]
            break
    values = planes[0].astype(np.uint16) << 8 | planes[1]
    alpha = values[..., -1] if values.shape[2] in (2, 4) else None
    if isinstance(key := image.info.get("transparency"), tuple):
        alpha = np.where((values == np.array(key, np.uint16)).all(-1), 0, 65535)
    colour = values[..., :1] if values.shape[2] == 2 else values[..., :3]
    rgb = np.repeat(
        (colour / np.float32(65535)).astype(np.float32), 4 - colour.shape[2] if colour.shape[2] == 1 else 1, -1
    )
    if alpha is None or alpha.min() == 65535:
        return (rgb if factor == 1 else clamp(resize(rgb, _reduced_size(image, factor), "BOX"))), None, None
    alpha = (alpha / np.float32(65535)).astype(np.float32)
    mask = mask_of(gray8(alpha))
    if factor > 1:
        weighted = resize(rgb * alpha[..., None], _reduced_size(image, factor), "BOX")
        alpha = clamp(resize(alpha[..., None], _reduced_size(image, factor), "BOX"))[..., 0]
        rgb = clamp(weighted / np.maximum(alpha, 1e-6)[..., None])
    return rgb, alpha, mask


def _reopen(data: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(data))


def _reduced_size(image: PillowImage, factor: int) -> tuple[int, int]:
    """The size ``(w, h)`` of an image whose sides are divided by ``factor``."""
    w, h = image.size
    return max(1, round(w / factor)), max(1, round(h / factor))


def gray8(values: np.ndarray) -> PillowImage:
    """Floats ``(h, w)`` in [0, 1] as an image of 8 bits."""
    from PIL import Image

    return Image.fromarray(np.rint(values * 255).astype(np.uint8))


def _deep_pixels(image: PillowImage, factor: int) -> Pixels:
    """``read_pixels`` of gray pictures of more than 8 bits."""
    values, tags = np.asarray(image), getattr(image, "tag_v2", {})
    if values.dtype == np.int32 and tags.get(258) == (32,) and tags.get(339, (1,)) == (1,):
        values = values.view(np.uint32)  # Pillow knows signed integers only
    gray, alpha, mask = _deep_gray(values)[..., None], None, None
    if tags.get(262) == 0:  # TIFF: white is zero; Pillow turns only 8 bit ones
        gray = 1 - gray
    if isinstance(level := image.info.get("transparency"), int) and (values == level).any():
        alpha = (values != level).astype(np.float32)[..., None]
        mask = mask_of(gray8(alpha[..., 0]))
    if factor > 1:
        size = _reduced_size(image, factor)
        gray, alpha = resize(gray, size, "BOX"), None if alpha is None else resize(alpha, size, "BOX")
    rgb = np.repeat(gray, 3, -1)
    if _profile(image):
        rgb = np.array(_srgb(_keeping_info(image, gray8(gray[..., 0]))), np.float32) / 255
    return rgb, None if alpha is None else alpha[..., 0], mask


def _deep_gray(values: np.ndarray) -> np.ndarray:
    """Integers of 16 and 32 bits, and floats, as [0, 1]; others are stretched from lowest to highest."""
    if values.dtype == np.uint32:
        return (values / np.float64(2**32 - 1)).astype(np.float32)
    if values.dtype.kind in "iu" and values.min() >= 0 and values.max() <= 65535:
        return (values / 65535).astype(np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        raise EvoartError("the picture has no pixel: none of its values is a number", "Choose another picture")
    values = np.where(finite, values, 0).astype(np.float64)
    low, high = values.min(), values.max()
    if low < 0 or high > 1:
        values = (values - low) / (high - low) if high > low else np.full(values.shape, float(high > 0))
    return values.astype(np.float32)


def _profile(image: PillowImage) -> Any:
    """The embedded ICC profile that has to be applied, or None: there is none, it is sRGB's, or it is broken."""
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        # sRGB's own: a round trip would only add rounding
        return None if ImageCms.getProfileDescription(profile).strip().lower().startswith("srgb") else profile
    except (KeyError, ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _srgb(image: PillowImage) -> PillowImage:
    """The image as 8 bit sRGB, through its embedded ICC profile where it has a usable one."""
    from PIL import ImageCms

    if profile := _profile(image):
        try:
            if converted := ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"):
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile for another mode: viewers ignore it too
    return image.convert("RGB")


def mask_of(alpha: PillowImage) -> np.ndarray:
    """The transparency that is kept for outputs, ``(h, w)`` uint8, from a channel of 8 bits."""
    size = fit_size(*alpha.size, MASK_SIDE)
    return np.array(alpha if size == alpha.size else alpha.resize(size))


def resize(image: np.ndarray, size: tuple[int, int], filter: str = "LANCZOS") -> np.ndarray:
    """Channels of ``(h, w, c)`` float32 resampled to ``size`` ``(w, h)``, in float."""
    from PIL import Image

    how = Image.Resampling[filter]
    channels = [Image.fromarray(np.ascontiguousarray(image[..., c], np.float32)) for c in range(image.shape[-1])]
    return np.stack([np.asarray(channel.resize(size, how), np.float32) for channel in channels], -1)


def clamp(image: np.ndarray) -> np.ndarray:
    """The image, float32 in [0, 1]."""
    return np.clip(image, 0, 1).astype(np.float32)
