"""Pictures in: every mode and format, orientation, colour profiles, transparency, limits and bad files."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from evoart import picture
from evoart.errors import EvoartError, UsageError
from evoart.picture import bundled, fitted, load, load_weights


def encoded(image: Image.Image, format: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    y, x = np.mgrid[:40, :60]
    return Image.fromarray(np.stack([x * 4, y * 6, 255 - x * 2 - y], -1).astype(np.uint8))


def test_the_bundled_photograph_loads():
    cat = load(bundled())
    assert (cat.width, cat.height, cat.name, cat.alpha) == (451, 300, "chelsea", None)
    assert cat.rgb.dtype == np.float32
    assert bundled().stat().st_size < 150_000
    assert "CC0" in (bundled().parent / "SOURCES.txt").read_text()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_every_format_is_read(photo, format):
    lossy = {"quality": 95} if format in ("JPEG", "WEBP", "AVIF") else {}
    loaded = load(encoded(photo, format, **lossy))
    assert loaded.rgb.shape == (40, 60, 3)
    assert np.abs(loaded.rgb - np.asarray(photo) / 255).mean() < 0.03
    assert loaded.rgb.min() >= 0
    assert loaded.rgb.max() <= 1


@pytest.mark.parametrize(
    ("mode", "format"),
    [("1", "PNG"), ("L", "PNG"), ("P", "PNG"), ("P", "GIF"), ("CMYK", "TIFF"), ("CMYK", "JPEG"), ("YCbCr", "JPEG")]
    + [("I;16", "PNG"), ("I;16", "TIFF"), ("I", "TIFF"), ("F", "TIFF"), ("LAB", "TIFF")],
)
@pytest.mark.parametrize("needed", [None, 8])
def test_every_mode_is_read(mode, format, needed):
    loaded = load(encoded(Image.new(mode, (40, 30)), format), needed=needed)
    image, alpha = loaded.at(8)
    assert image.shape == (6, 8, 3)
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert alpha is None
    assert (loaded.width, loaded.height) == (40, 30)


def test_sixteen_bits_and_floats_keep_their_range():
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    np.testing.assert_allclose(load(encoded(Image.fromarray(ramp))).rgb[..., 0], ramp / 65535, atol=1e-6)
    unit = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    np.testing.assert_allclose(load(encoded(Image.fromarray(unit), "TIFF")).rgb[..., 1], unit, atol=1e-6)
    wide = unit * 500 - 100
    wide[0, 0] = -100
    np.testing.assert_allclose(load(encoded(Image.fromarray(wide), "TIFF")).rgb[..., 1], unit, atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("needed", [None, 10])
def test_exif_orientation_is_obeyed(photo, orientation, needed):
    exif = Image.Exif()
    exif[0x0112] = orientation
    loaded = load(encoded(photo, "JPEG", quality=95, exif=exif), needed=needed)
    back = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}[orientation]
    upright = photo if back is None else photo.transpose(Image.Transpose(back))
    assert (loaded.width, loaded.height) == upright.size
    ours, _ = loaded.at(10)
    theirs, _ = load(encoded(upright)).at(10)
    assert np.abs(ours - theirs).mean() < 0.02


def test_damaged_exif_does_not_matter(photo):
    assert load(encoded(photo, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")).rgb.shape == (40, 60, 3)


def test_icc_profiles_become_srgb():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red = Image.new("RGB", (4, 4), (200, 30, 40))
    exact = np.array([200, 30, 40], np.float32) / 255
    for profile in (srgb, b"nonsense", lab):  # sRGB changes nothing; a broken or unfitting one is ignored
        np.testing.assert_allclose(load(encoded(red, icc_profile=profile)).rgb[0, 0], exact)


def test_a_linear_icc_profile_is_converted():
    # A matrix profile as sRGB's, but its three curves are gamma 1: the middle of the range must come out at 188.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    for i in range(count):
        tag, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * i)
        if tag in (b"rTRC", b"gTRC", b"bTRC"):
            struct.pack_into(">4s4xI", profile, offset, b"curv", 0)
        if tag == b"desc":
            profile[offset + 12 : offset + 80] = profile[offset + 12 : offset + 80].replace(
                b"s\0R\0G\0B", b"x\0R\0G\0B"
            )
    if b"xRGB" not in profile.replace(b"\0", b""):
        pytest.skip("this lcms writes another description")
    gray = Image.new("RGB", (4, 4), (128, 128, 128))
    assert load(encoded(gray, icc_profile=bytes(profile))).rgb[0, 0] == pytest.approx(188 / 255, abs=0.01)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
@pytest.mark.parametrize("needed", [None, 8])
def test_transparency_is_kept_apart_and_does_not_bleed(mode, needed):
    image = Image.new("RGBA", (64, 64), (255, 255, 255, 0))
    image.paste((90, 90, 90, 255), (0, 0, 33, 64))
    if mode == "LA":
        image = image.convert("LA")
    file = encoded(image, "PNG") if mode != "PA" else encoded(image.quantize(8), "PNG")
    loaded = load(file, needed=needed)
    reduced, alpha = loaded.at(8)
    assert loaded.mask.shape == (64, 64)
    assert alpha.min() == 0
    assert alpha.max() == 1
    np.testing.assert_allclose(reduced, 90 / 255, atol=0.01)  # white hides under the transparent half


def test_opaque_alpha_is_no_alpha(photo):
    assert load(encoded(photo.convert("RGBA"))).alpha is None


def test_at_reduces_but_never_enlarges(photo):
    loaded = load(encoded(photo))
    assert loaded.at(60)[0] is loaded.rgb
    assert loaded.at(500)[0] is loaded.rgb
    assert loaded.at(30)[0].shape == (20, 30, 3)
    assert fitted(1000, 3, 100) == (100, 1)


def test_large_jpegs_are_reduced_while_decoding():
    big = Image.effect_noise((1600, 1200), 60).resize((3200, 2400)).convert("RGB")
    data = encoded(big, "JPEG", quality=90)
    whole, part = load(data), load(data, needed=128)
    assert (part.width, part.height) == (3200, 2400)
    assert max(part.rgb.shape) < 600
    assert np.abs(whole.at(128)[0] - part.at(128)[0]).max() < 0.03


def test_the_pixel_limit_names_its_option(photo):
    with pytest.raises(UsageError, match="--max-pixels 2400"):
        load(encoded(photo), max_pixels=2399)
    assert load(encoded(photo), max_pixels=2400).width == 60


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (body, pixels, b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_bombs_are_refused_without_warning(photo):
    with pytest.raises(UsageError, match="more than the limit"):
        load(png_header(60_000, 60_000))
    with pytest.raises(UsageError, match="more than the limit"):
        load(png_header(12_000, 12_000))  # where Pillow alone would only warn
    gif = bytearray(encoded(photo, "GIF", save_all=True, append_images=[photo.rotate(90)]))
    struct.pack_into("<HH", gif, 6, 65_535, 65_535)
    with pytest.raises(UsageError, match="more than the limit"):
        load(bytes(gif))
    assert Image.MAX_IMAGE_PIXELS == 89_478_485  # put back


def test_an_animation_gives_its_first_frame(photo):
    for format in ("GIF", "PNG", "WEBP"):
        data = encoded(photo, format, save_all=True, append_images=[Image.new("RGB", photo.size)] * 3)
        assert np.abs(load(data).rgb - np.asarray(photo) / 255).mean() < 0.04


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1)])
def test_too_small_says_what_is_needed(size):
    with pytest.raises(UsageError, match="at least 2x2"):
        load(encoded(Image.new("RGB", size)))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7])
def test_truncated_pictures_are_refused_in_one_line(format, part):
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    data = encoded(noise, format)
    with pytest.raises(EvoartError) as caught:
        load(data[: int(len(data) * part)])
    assert "\n" not in str(caught.value)


def test_random_damage_never_escapes():
    data = encoded(Image.effect_noise((16, 16), 90).convert("RGBA"), "PNG")
    rng = np.random.default_rng(0)
    for _ in range(200):
        broken = bytearray(data)
        for at in rng.integers(8, len(data), 4):
            broken[at] = rng.integers(256)
        with contextlib.suppress(EvoartError):
            load(bytes(broken))


def test_what_is_no_picture(tmp_path):
    cases = {
        b"": "empty",
        b"hello": "not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>": "SVG",
        b"%PDF-1.7": "PDF",
        b"\0\0\0\x18ftypheic": "HEIC",
    }
    for data, message in cases.items():
        with pytest.raises(EvoartError, match=message):
            load(data)
    with pytest.raises(UsageError, match="directory"):
        load(tmp_path)


def test_a_missing_file_is_guessed(tmp_path, photo):
    photo.save(tmp_path / "Holiday.JPG", "JPEG")
    with pytest.raises(UsageError, match=r"Did you mean '.*Holiday\.JPG'"):
        load(tmp_path / "holidya.jpg")
    with pytest.raises(UsageError, match=r"Did you mean '.*Holiday\.JPG'"):
        load(tmp_path / "holiday.png")
    with pytest.raises(UsageError, match="no folder"):
        load(tmp_path / "nowhere" / "photo.jpg")
    with pytest.raises(UsageError, match="no file"):
        load(tmp_path / "Holiday.JPG" / "photo.jpg")
    with pytest.raises(EvoartError):
        load("bad\0name.png")
    with pytest.raises(EvoartError):
        load("x" * 5000)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file(tmp_path, photo):
    path = tmp_path / "secret.png"
    photo.save(path)
    path.chmod(0)
    with pytest.raises(EvoartError, match="may not be read"):
        load(path)


def test_standard_input(photo, monkeypatch):
    class Pipe:
        buffer = io.BytesIO(encoded(photo))

        def isatty(self):
            return False

    monkeypatch.setattr("sys.stdin", Pipe())
    assert load("-").name == "picture"
    monkeypatch.setattr(Pipe, "isatty", lambda self: True)
    with pytest.raises(UsageError, match="Pipe"):
        load("-")


def test_a_wholly_transparent_picture():
    with pytest.raises(EvoartError, match="transparent"):
        load(encoded(Image.new("RGBA", (8, 8))))


def test_a_file_past_the_byte_limit(monkeypatch, photo):
    monkeypatch.setattr(picture, "MAX_BYTES", 100)
    with pytest.raises(UsageError, match="larger"):
        load(encoded(photo))


def test_weights_are_gray_and_of_the_canvas():
    mask = Image.new("L", (120, 80))
    mask.paste(255, (0, 0, 60, 80))
    weights = load_weights(encoded(mask), (20, 30))
    assert weights.shape == (20, 30)
    assert weights.dtype == np.float32
    assert weights[:, :14].min() == 1
    assert weights[:, 16:].max() == 0


def test_weights_that_would_make_nans_are_refused():
    with pytest.raises(UsageError, match="black"):
        load_weights(encoded(Image.new("L", (30, 20))), (20, 30))
    with pytest.raises(UsageError, match="proportions"):
        load_weights(encoded(Image.new("L", (30, 30), 255)), (20, 30))
    values = np.full((20, 30), np.nan, np.float32)
    with pytest.raises(EvoartError, match="none of its values is a number"):
        load_weights(encoded(Image.fromarray(values), "TIFF"), (20, 30))
    values[5:] = np.inf
    values[10:] = 3
    weights = load_weights(encoded(Image.fromarray(values), "TIFF"), (20, 30))
    assert not weights[:10].any()
    assert (weights[10:] == 1).all()


def test_a_map_of_one_value_counts_everywhere_alike():
    for value in (0.5, 5):
        weights = load_weights(encoded(Image.new("F", (30, 20), value), "TIFF"), (20, 30))
        assert weights.min() == weights.max() > 0


def test_deep_gray_knows_its_zero_its_sign_and_its_transparency():
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    expected = ramp / 65535
    negative = encoded(Image.fromarray(65535 - ramp), "TIFF", tiffinfo={262: 0})
    np.testing.assert_allclose(load(negative).rgb[..., 0], expected, atol=1e-6)
    wide = Image.fromarray((expected * (2**32 - 1)).astype(np.uint32).view(np.int32))
    # Pillow writes 32 bits as signed only; the tag that says so is 339, one short.
    signed, unsigned = (struct.pack("<HHIHH", 339, 3, 1, sign, 0) for sign in (2, 1))
    data = encoded(wide, "TIFF")
    assert signed in data
    np.testing.assert_allclose(load(data.replace(signed, unsigned)).rgb[..., 0], expected, atol=1e-6)
    deep = Image.fromarray(ramp)
    keyed = load(encoded(deep, "PNG", transparency=int(ramp[3, 3])))
    assert keyed.alpha[3, 3] == 0
    assert keyed.alpha.sum() == 63
    assert keyed.mask[3, 3] == 0


def test_only_pictures_of_pixels_are_decoded():
    eps = io.BytesIO()
    Image.new("RGB", (8, 8)).save(eps, "EPS")
    with pytest.raises(EvoartError, match="EPS file, which is not read"):
        load(eps.getvalue())
    with pytest.raises(EvoartError, match="save it as PNG"):
        load(b"II*\0" + b"\0" * 40)
