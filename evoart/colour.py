"""Colour spaces of picture files that carry no ICC profile, brought to sRGB as browsers do.

PNG: the chunks cICP, sRGB, gAMA and cHRM (PNG specification, third edition, 4.3). AVIF: the ``nclx`` box. The code
points and transfer functions are those of ITU-T H.273; PQ and HLG are mapped to SDR with reference white (203 nits,
ITU-R BT.2408) at half the linear range, which is within a few levels of what Chromium 156 shows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)  # x and y of white, red, green and blue
_C = (0.31, 0.316)  # white of illuminant C
# Chromaticities by H.273's ColourPrimaries; 2 (unspecified) is none.
_PRIMARIES = {
    1: SRGB,
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.329, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    22: (0.3127, 0.329, 0.63, 0.34, 0.295, 0.605, 0.155, 0.077),
}
# Exponents by H.273's TransferCharacteristics. Browsers read the camera curves (1, 6, 14, 15) as displays show them.
_GAMMA = {1: 2.4, 4: 2.2, 5: 2.8, 6: 2.4, 8: 1.0, 14: 2.4, 15: 2.4}
_SMPTE_240M, _SRGB_CURVE, _PQ, _SMPTE_428, _HLG = 7, 13, 16, 17, 18
_PEAK, _REFERENCE = 1000.0, 203.0  # nits
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_NEARLY = 0.05  # a gamma this near to 1 / 2.2 means sRGB, as libpng and browsers have it


@dataclass(frozen=True)
class ColourSpace:
    """An RGB colour space.

    Attributes:
        primaries: chromaticities x, y of white, red, green and blue.
        transfer: a code point of H.273's TransferCharacteristics, or None for ``gamma``.
        gamma: exponent of the transfer function where ``transfer`` is None.
    """

    primaries: tuple[float, ...] = SRGB
    transfer: int | None = None
    gamma: float = 1.0


def png_space(data: bytes) -> tuple[ColourSpace | None, bool]:
    """The colour space that a PNG's own chunks name (None: sRGB), and whether it wins over an ICC profile.

    Chunks that are damaged or make no sense are ignored.
    """
    chunks = dict(_png_header_chunks(data))
    if (space := _coded(chunks.get(b"cICP", b""), b"\x00\x01")) is not None:
        return space, True
    gamma = int.from_bytes(chunks.get(b"gAMA", b""), "big") / 100_000
    if b"sRGB" in chunks or not 0.01 < gamma < 100:
        return None, False
    primaries = chunks.get(b"cHRM", b"")
    if len(primaries) == 32:
        xy = tuple(value / 100_000 for value in struct.unpack(">8I", primaries))
        return (ColourSpace(xy, gamma=1 / gamma) if _is_usable(xy) else None), False
    return (None if abs(2.2 * gamma - 1) < _NEARLY else ColourSpace(gamma=1 / gamma)), False


def avif_space(data: bytes) -> ColourSpace | None:
    """The colour space that the ``nclx`` box of an AVIF names; None for sRGB or none."""
    place = data.find(b"colrnclx", 0, 1 << 16)
    if place < 0 or len(data) < place + 14:
        return None
    primaries, transfer = struct.unpack_from(">HH", data, place + 8)
    if transfer in (1, 6, 14, 15):  # what encoders write for video; browsers show it as sRGB
        transfer = _SRGB_CURVE
    if primaries > 255 or transfer > 255 or (primaries, transfer) == (1, _SRGB_CURVE):
        return None
    return _coded(bytes([primaries, transfer, 0, 1]), b"\x00\x01")


def to_srgb(rgb: np.ndarray, space: ColourSpace) -> np.ndarray:
    """Pixels ``(h, w, 3)`` of ``space`` as float32 sRGB in [0, 1]; colours that sRGB lacks are clipped."""
    matrix = _to_xyz(SRGB)
    source = _to_xyz(space.primaries)
    out = np.empty(rgb.shape, np.float32)
    for row in range(0, len(rgb), 256):  # a band at a time: float64 of a large picture would fill the memory
        linear = _linear(np.asarray(rgb[row : row + 256], np.float64), space, source[1])
        if space.primaries != SRGB:
            linear = linear @ (np.linalg.inv(matrix) @ _adapted(source, space.primaries[:2])).T
        linear = np.clip(linear, 0, 1)
        out[row : row + 256] = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return out


def _png_header_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of the chunks before the pixels, the first of each kind."""
    seen, place = set(), 8
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind in (b"IDAT", b"IEND"):
            return
        if kind not in seen and length <= 64:
            yield kind, data[place + 8 : place + 8 + length]
        seen.add(kind)
        place += 12 + length


def _coded(body: bytes, plain: bytes) -> ColourSpace | None:
    """The space of four code points of H.273; None where they say nothing, or the samples are no full-range RGB."""
    if len(body) != 4 or body[2:] != plain:
        return None
    primaries, transfer = _PRIMARIES.get(body[0]), body[1]
    if primaries is None or transfer not in (*_GAMMA, _SMPTE_240M, _SRGB_CURVE, _PQ, _SMPTE_428, _HLG):
        return None
    return ColourSpace(primaries, transfer)


def _is_usable(xy: tuple[float, ...]) -> bool:
    """Whether chromaticities span a triangle with the white inside, so that they can be inverted."""
    if not all(0 <= value <= 1 for value in xy) or min(xy[1], xy[3], xy[5]) < 1e-3 or xy[7] < 1e-4:
        return False
    corners = np.array(xy[2:]).reshape(3, 2)
    area = np.linalg.det(np.column_stack([corners, np.ones(3)]))
    if abs(area) < 1e-4:
        return False
    weights = np.linalg.solve(np.vstack([corners.T, np.ones(3)]), np.array([xy[0], xy[1], 1]))
    return bool((weights > 0).all())


def _to_xyz(primaries: tuple[float, ...]) -> np.ndarray:
    """The matrix ``(3, 3)`` from linear RGB to XYZ whose white has Y = 1."""
    white, *columns = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in np.reshape(primaries, (4, 2)))
    matrix = np.column_stack(columns)
    return matrix * np.linalg.solve(matrix, white)


def _adapted(matrix: np.ndarray, white: tuple[float, ...]) -> np.ndarray:
    """``matrix`` to XYZ with its white brought to that of sRGB (Bradford)."""
    before, after = (_BRADFORD @ [x / y, 1, (1 - x - y) / y] for x, y in (white, SRGB[:2]))
    return np.linalg.inv(_BRADFORD) @ np.diag(after / before) @ _BRADFORD @ matrix


def _linear(rgb: np.ndarray, space: ColourSpace, luminance: np.ndarray) -> np.ndarray:
    """Light of encoded samples, 1 for white."""
    transfer = space.transfer
    if transfer is None or transfer in _GAMMA:
        return rgb ** (space.gamma if transfer is None else _GAMMA[transfer])
    if transfer == _SRGB_CURVE:
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if transfer == _SMPTE_240M:
        return np.where(rgb < 0.0913, rgb / 4, ((rgb + 0.1115) / 1.1115) ** (1 / 0.45))
    if transfer == _SMPTE_428:
        return rgb**2.6 * (52.37 / 48)
    if transfer == _PQ:  # SMPTE ST 2084
        root = rgb ** (32 / 2523)
        nits = 10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (16_384 / 2610)
    else:  # HLG, ITU-R BT.2100, with the system gamma of a display of 1,000 nits
        scene = np.where(rgb <= 0.5, rgb**2 / 3, (np.exp((rgb - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        nits = _PEAK * scene * np.maximum(scene @ luminance, 1e-9)[..., None] ** 0.2
    return _tone_mapped(nits / _REFERENCE)


def _tone_mapped(light: np.ndarray) -> np.ndarray:
    """HDR light, 1 for reference white, within [0, 1]: halved up to there, rolled off to the peak of 1,000 nits."""
    most = light.max(-1, keepdims=True)
    peak = _PEAK / _REFERENCE
    above = 1 - 0.5 * np.clip((peak - most) / (peak - 1), 0, 1) ** (peak - 1)
    return light * np.where(most <= 1, 0.5, above / np.maximum(most, 1e-9))
