"""Colours of files without an ICC profile: as Chromium shows them."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from evoart.colour import png_space
from evoart.picture import load

P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
ADOBE = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
PROPHOTO = (0.3457, 0.3585, 0.7347, 0.2653, 0.1595, 0.8404, 0.0366, 0.0001)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PIXELS = np.random.default_rng(1).integers(0, 256, (8, 8, 3)).astype(np.uint8)
PIXELS[0, :2] = [(208, 166, 233), (128, 128, 128)]


def png(*chunks: tuple[bytes, bytes], mode: str = "RGB", **options) -> bytes:
    """A PNG of ``PIXELS`` with further chunks after its header."""
    file = io.BytesIO()
    image = Image.fromarray(PIXELS)
    image = image.quantize(64) if mode == "P" else image.convert(mode)
    image.save(file, "PNG", **options)
    data = file.getvalue()
    more = b"".join(struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks)
    return data[:33] + more + data[33:]


def gama(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chrm(*values: float) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *[round(value * 100_000) for value in values])


def cicp(*codes: int) -> tuple[bytes, bytes]:
    return b"cICP", bytes(codes)


# What Chromium 156 shows of the first two pixels.
SHOWN = {
    "linear": ([gama(1.0)], (233, 211, 245), 188),
    "nearly sRGB": ([gama(0.46)], (208, 166, 233), 128),
    "gamma and P3": ([gama(0.45455), chrm(*P3)], (217, 165, 238), 129),
    "primaries alone": ([chrm(*P3)], (208, 166, 233), 128),
    "sRGB wins": ([(b"sRGB", b"\0"), gama(1.0)], (208, 166, 233), 128),
    "P3": ([cicp(12, 13, 0, 1)], (216, 164, 238), 128),
    "cICP wins": ([gama(1.0), cicp(12, 13, 0, 1)], (216, 164, 238), 128),
    "BT.709": ([cicp(1, 1, 0, 1)], (205, 161, 232), 121),
    "SMPTE 240M": ([cicp(1, 7, 0, 1)], (213, 176, 236), 141),
    "limited range": ([cicp(1, 13, 0, 0)], (208, 166, 233), 128),
    "no gamma at all": ([gama(0.0)], (208, 166, 233), 128),
}


@pytest.mark.parametrize("name", SHOWN)
def test_chunks_are_obeyed_as_browsers_do(name):
    chunks, colour, gray = SHOWN[name]
    rgb = load(png(*chunks)).rgb[0] * 255
    np.testing.assert_allclose(rgb[0], colour, atol=1.2)
    np.testing.assert_allclose(rgb[1], [gray] * 3, atol=1.2)


CASES = {
    "gray": png(gama(0.55), mode="L"),
    "palette": png(gama(0.6), mode="P"),
    "transparent": png(gama(0.7), cicp(9, 4, 0, 1), mode="RGBA"),
    "Adobe RGB": png(gama(0.4547), chrm(*ADOBE)),
    "ProPhoto": png(gama(0.5556), chrm(*PROPHOTO)),
    "no primaries": png(gama(0.5), chrm(*[0] * 8)),
    "a profile wins": png(gama(1.0), icc_profile=ICC),
    "but not over cICP": png(cicp(12, 13, 0, 1), icc_profile=ICC),
    **{f"primaries {p}": png(cicp(p, 8, 0, 1)) for p in (1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 22)},
    **{f"transfer {t}": png(cicp(9, t, 0, 1)) for t in (1, 2, 4, 5, 6, 7, 8, 13, 14, 15, 17)},
}


def shown(page, data: bytes, kind: str = "png") -> np.ndarray:
    script = """async u => { const i = new Image(); i.src = u; await i.decode();
        const c = document.createElement('canvas'); c.width = i.naturalWidth; c.height = i.naturalHeight;
        const x = c.getContext('2d'); x.drawImage(i, 0, 0);
        return [c.height, c.width, Array.from(x.getImageData(0, 0, c.width, c.height).data)] }"""
    height, width, values = page.evaluate(script, f"data:image/{kind};base64,{base64.b64encode(data).decode()}")
    return np.array(values, float).reshape(height, width, 4)


def test_every_chunk_looks_as_in_a_browser(page):
    for name, data in CASES.items():
        error = np.abs(load(data).rgb * 255 - shown(page, data)[..., :3])
        assert error.max() < 1.7, name


def test_bright_pictures_are_near_to_what_a_browser_shows(page):
    for transfer in (16, 18):  # PQ and HLG, whose mapping to SDR every program chooses
        data = png(cicp(9, transfer, 0, 1))
        assert np.abs(load(data).rgb * 255 - shown(page, data)[..., :3]).mean() < 4


def test_the_colours_of_an_avif(page):
    file = io.BytesIO()
    Image.fromarray(PIXELS).resize((64, 64), 0).save(file, "AVIF", quality=100, subsampling="4:4:4")
    plain = file.getvalue()
    place = plain.find(b"colrnclx") + 8
    for primaries, transfer in ((1, 13), (1, 1), (2, 2), (12, 13), (9, 1), (5, 6)):
        data = plain[:place] + struct.pack(">HH", primaries, transfer) + plain[place + 4 :]
        error = np.abs(load(data).rgb * 255 - shown(page, data, "avif")[..., :3])
        assert error.mean() < 0.6, (primaries, transfer)  # the decoders round differently


def test_the_right_side_is_up_as_in_a_browser(page):
    exif = Image.Exif()
    exif[0x0112] = 6
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    for kind, extra in (
        ("jpeg", {"exif": exif}),
        ("jpeg", {"xmp": packet}),
        ("png", {"exif": exif}),
        ("webp", {"xmp": packet}),
    ):
        file = io.BytesIO()
        Image.new("RGB", (60, 40)).save(file, kind, **extra)
        assert load(file.getvalue()).rgb.shape[:2] == shown(page, file.getvalue(), kind).shape[:2], (kind, *extra)


@pytest.mark.parametrize("length", [0, 3, 4, 31, 33, 60])
def test_damaged_chunks_are_ignored(length):
    for kind in (b"cICP", b"gAMA", b"cHRM"):
        png_space(png((kind, bytes([255] * length)), gama(0.5)))
    assert load(png((b"cICP", bytes([255] * length)))).rgb.shape == (8, 8, 3)
    png_space(b"\x89PNG\r\n\x1a\n\xff\xff\xff")
