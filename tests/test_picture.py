"""Pictures in: every mode and format, orientation, colour profiles, transparency, limits and bad files."""

from __future__ import annotations

import contextlib
import io
import os
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from evoart import sources
from evoart.errors import EvoartError, UsageError
from evoart.picture import bundled, load, load_weights
from evoart.pixels import fit_size


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
    assert fit_size(1000, 3, 100) == (100, 1)


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
def test_a_picture_may_be_one_pixel_wide(size):
    loaded = load(encoded(Image.new("RGB", size, (10, 20, 30))))
    assert (loaded.width, loaded.height) == size
    assert loaded.at(16)[0].shape == (min(size[1], 16), min(size[0], 16), 3)


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
    monkeypatch.setattr(sources, "MAX_BYTES", 100)
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


def png_of(samples: np.ndarray, bits: int, colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of samples ``(h, w)`` or ``(h, w, c)``, written without Pillow."""
    h, w = samples.shape[:2]
    flat = samples.reshape(h, -1)
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in flat]
    else:
        rows = [
            np.packbits(np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits :]).tobytes() for row in flat
        ]
    header = struct.pack(">IIBBBBB", w, h, bits, colour, 0, 0, 0)
    body = b"".join(b"\0" + row for row in rows)
    every = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in every
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("needed", [None, 4])
def test_the_transparent_gray_of_a_png_is_found_at_every_depth(bits, needed):
    levels = np.arange(256).reshape(16, 16) % (1 << bits)
    for key in {0, 1, (1 << bits) - 1} & set(levels.ravel().tolist()):
        loaded = load(png_of(levels, bits, 0, (b"tRNS", struct.pack(">H", key))), needed=needed)
        np.testing.assert_array_equal(loaded.mask == 0, levels == key)
        if needed is None:
            np.testing.assert_array_equal(loaded.alpha == 0, levels == key)
            seen = levels != key
            np.testing.assert_allclose(loaded.rgb[seen][:, 1], levels[seen] / ((1 << bits) - 1), atol=1e-6)


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_of_several_channels_are_exact(colour, channels):
    values = np.random.default_rng(0).integers(0, 65536, (8, 12, channels))
    values[0, 0, -1] = 0
    loaded = load(png_of(values, 16, colour))
    shown = np.repeat(values[..., :1], 3, -1) if channels == 2 else values[..., :3]
    seen = np.ones((8, 12), bool) if channels == 3 else values[..., -1] > 0
    np.testing.assert_allclose(loaded.rgb[seen], shown[seen] / 65535, atol=1e-7)
    if channels != 3:
        np.testing.assert_allclose(loaded.alpha, values[..., -1] / 65535, atol=1e-7)
    half = load(png_of(values, 16, colour), needed=3)
    assert half.rgb.shape == (4, 6, 3)
    assert half.rgb.min() >= 0
    assert half.rgb.max() <= 1
    if channels == 3:
        key = struct.pack(">HHH", *values[2, 3])
        keyed = load(png_of(values, 16, 2, (b"tRNS", key)))
        assert np.argwhere(keyed.alpha == 0).tolist() == [[2, 3]]


@pytest.mark.parametrize("format", ["BMP", "TGA"])
def test_an_alpha_that_nobody_wrote_is_padding(format, photo):
    image = photo.convert("RGBA")
    image.putalpha(0)
    data = encoded(image, format)
    if format == "BMP":  # with masks for its channels, as a bitmap of version 4 has them
        pixels = np.asarray(image)[::-1, :, [2, 1, 0, 3]].tobytes()
        fields = struct.pack("<IiiHHIIiiII", 108, *image.size, 1, 32, 3, len(pixels), 0, 0, 0, 0)
        masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
        data = struct.pack("<2sIHHI", b"BM", 14 + 108 + len(pixels), 0, 0, 122) + fields + masks + pixels
    loaded = load(data)
    assert loaded.alpha is None
    np.testing.assert_allclose(loaded.rgb, np.asarray(photo) / 255, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0, "quality": 100}])
def test_a_jpeg_that_lacks_its_end_marker_alone_is_read(options):
    noise = Image.effect_noise((70, 50), 90).convert("RGB")
    data = encoded(noise, "JPEG", **options)
    for cut in (1, 2):
        for needed in (None, 16):
            np.testing.assert_array_equal(load(data[:-cut], needed=needed).rgb, load(data, needed=needed).rgb)
    with pytest.raises(EvoartError, match="truncated"):
        load(data[:-40])


def test_more_than_one_picture_is_said(photo):
    other = photo.rotate(180)
    for format, word in (("GIF", "frames"), ("PNG", "frames"), ("WEBP", "frames"), ("TIFF", "pages")):
        (note,) = load(encoded(photo, format, save_all=True, append_images=[other])).notes
        assert note == f"the picture has 2 {word}; only the first is used"
    assert load(encoded(photo, "MPO", save_all=True, append_images=[other])).notes == ()
    assert load(encoded(photo)).notes == ()


def test_unsupported_is_not_called_damaged():
    strange = png_of(np.zeros((8, 8), int), 8, 0).replace(struct.pack(">IIB", 8, 8, 8), struct.pack(">IIB", 8, 8, 3))
    cases = {"PNG": strange, "Photoshop": b"8BPS\0\1" + bytes(40), "JPEG XL": b"\xff\x0a" + bytes(40)}
    for name, data in cases.items():
        with pytest.raises(EvoartError, match=f"{name} file, damaged or of a kind that cannot be read"):
            load(data)


def test_messages_are_no_words_of_python(photo):
    rng = np.random.default_rng(3)
    for format in ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP"):
        data = encoded(photo, format)
        for _ in range(20):
            broken = bytearray(data[: int(rng.integers(20, len(data)))])
            broken[int(rng.integers(10, len(broken)))] ^= 255
            said = ""
            try:
                load(bytes(broken))
            except EvoartError as error:
                said = str(error)
            assert not re.search(r"0x|object|\(|Error", said), said


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.uint16])
def test_arrays_of_more_than_eight_bits_stay_exact(dtype):
    values = np.random.default_rng(0).random((9, 7, 4))
    values[0, 0, 3] = 0
    array = (values * 65535).astype(dtype) if dtype is np.uint16 else values.astype(dtype)
    loaded = load(array)
    seen = array[..., 3] > 0
    expected = (array / 65535 if dtype is np.uint16 else array).astype(np.float32)
    np.testing.assert_array_equal(loaded.rgb[seen], expected[seen][:, :3])
    np.testing.assert_array_equal(loaded.alpha, expected[..., 3])
    assert (loaded.width, loaded.height) == (7, 9)
    assert load(array).sha256 == loaded.sha256 != load(array[::-1]).sha256
    np.testing.assert_array_equal(load(array[..., 0]).rgb[..., 2], expected[..., 0])


def test_arrays_of_other_libraries_are_read(photo):
    import jax.numpy as jnp

    torch = pytest.importorskip("torch")
    array = np.asarray(photo)
    expected = load(array).rgb
    for other in (jnp.asarray(array), torch.tensor(array)):
        np.testing.assert_array_equal(load(other).rgb, expected)
        assert load(other).sha256 == load(array).sha256
    half = array.astype(np.float32) / 256
    for other in (
        jnp.asarray(half, jnp.bfloat16),
        torch.tensor(half).bfloat16(),
        torch.tensor(half, requires_grad=True),
    ):
        np.testing.assert_allclose(load(other).rgb, half, atol=0.004)

    class Bare:  # DLPack and nothing else
        def __init__(self, tensor):
            self.tensor = tensor

        def __dlpack__(self, **options):
            return self.tensor.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.tensor.__dlpack_device__()

    np.testing.assert_array_equal(load(Bare(torch.tensor(array))).rgb, expected)
    with pytest.raises(UsageError, match="channels come first"):
        load(torch.tensor(half).permute(2, 0, 1))
    with pytest.raises(UsageError, match="array of int64"):
        load(torch.tensor(array).long())


def test_an_importance_map_may_be_an_array(photo):
    values = np.zeros((20, 30))
    values[:, 15:] = 7.5
    weights = load_weights(values, (20, 30))
    assert not weights[:, :15].any()
    assert (weights[:, 15:] == 1).all()
    np.testing.assert_array_equal(load_weights(values > 0, (20, 30)), weights)
    for wrong in (-values, values * np.nan):
        with pytest.raises(UsageError, match="negative or not finite"):
            load_weights(wrong, (20, 30))
