"""SVG: resvg, which shares no code with us, must show what our rasteriser draws, for every registered shape."""

from __future__ import annotations

import io
import math
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from evoart.draw.scene import Scene, draw, svg
from evoart.draw.shapes import SHAPES
from evoart.draw.svg import Numbers, colour, compact
from evoart.forms.shapes import ShapesForm

MIX = tuple(SHAPES) * 3


def scene(kinds: tuple[str, ...], height: float = 0.75, background=(0.5, 0.4, 0.3), seed: int = 0) -> Scene:
    form = ShapesForm(kinds, 1.0, height, background)
    return form.drawing(form.random(np.random.default_rng(seed)))


def resvg(text: str) -> np.ndarray:
    png = bytes(resvg_py.svg_to_bytes(svg_string=text))
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), np.float64)


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean squared difference of pictures 0..255, colours weighted by their alpha."""
    a, b = (np.concatenate([x[..., :3] * x[..., 3:] / 255, x[..., 3:]], -1) for x in (a, b))
    return float(np.sqrt(((a - b) ** 2).mean()))


@pytest.mark.parametrize("background", [(0.5, 0.4, 0.3), None])
@pytest.mark.parametrize("kind", [*SHAPES, "polygon:7", "regular:3", "mixed"])
def test_resvg_shows_what_we_draw(kind, background):
    drawing = scene(MIX if kind == "mixed" else (kind,) * 30, background=background)
    size = (256, 192)
    # On a transparent background an edge runs from 0 to 255, so anti-aliasing differs by more levels.
    assert rmse(resvg(svg(drawing, size)), 255 * draw(drawing, size)) < (3 if background is None else 1.5)


def test_a_difference_is_seen():
    size = (256, 192)
    assert rmse(resvg(svg(scene(("triangle",) * 30), size)), 255 * draw(scene(("triangle",) * 30, seed=1), size)) > 5


@pytest.mark.parametrize("size", [(257, 193), (64, 48), (100, 1), (1000, 750)])
def test_rounded_sizes_agree_with_the_rasteriser(size):
    drawing = scene(MIX, height=size[1] / size[0] * 1.0003)
    assert resvg(svg(drawing, size)).shape == (size[1], size[0], 4)
    # Of one row of pixels nearly all are edges.
    assert rmse(resvg(svg(drawing, size)), 255 * draw(drawing, size)) < (6 if min(size) == 1 else 2)


def test_a_tall_picture():
    form = ShapesForm(MIX, 0.6, 1.0, (1, 1, 1))
    drawing = form.drawing(form.random(np.random.default_rng(0)))
    assert rmse(resvg(svg(drawing, (150, 250))), 255 * draw(drawing, (150, 250))) < 2


def test_a_laid_over_transparency():
    drawing = scene(MIX)
    alpha = np.zeros((192, 256), np.uint8)
    alpha[40:190, 30:250] = 255
    shown = resvg(svg(drawing, (256, 192), alpha=alpha))
    np.testing.assert_array_equal(shown[..., 3], alpha)
    expected = 255 * draw(drawing, (256, 192))
    expected[..., 3] = alpha
    assert rmse(shown, expected) < 2
    as_float = resvg(svg(drawing, (256, 192), alpha=alpha / np.float32(255)))
    np.testing.assert_array_equal(as_float, shown)


def two_masked() -> list[str]:
    """Two pictures of one size that show different halves."""
    left = np.zeros((48, 64), np.uint8)
    left[:, :32] = 255
    return [svg(scene(MIX, background=(1, 0, 0)), (64, 48), alpha=alpha) for alpha in (left, 255 - left)]


def test_masks_do_not_meddle_with_one_another_in_one_page(page):
    texts = two_masked()
    assert texts[0] == two_masked()[0]
    page.set_content(f"<body style='margin:0;background:#00f'>{texts[0]}<br>{texts[1]}")
    for locator, half in zip(page.locator("svg").all(), (slice(40, 64), slice(0, 24)), strict=True):
        shot = np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB"))
        assert (shot[:, half] == (0, 0, 255)).all()
        assert (shot != (0, 0, 255)).any()


def test_a_mask_says_the_same_in_its_luminance_and_in_its_alpha(page):
    (text, _), shots = two_masked(), []
    for kind in ("luminance", "alpha"):
        page.set_content(f"<style>mask {{ mask-type: {kind} }}</style>{text}")
        shots.append(page.locator("svg").screenshot())
    assert shots[0] == shots[1]


def test_the_document():
    text = svg(scene(("line", "triangle", "cubic")), (256, 192), title='A <cat> & "dog"\0', recipe='{"a":"<&>"}')
    root = ElementTree.fromstring(text)
    tag = "{http://www.w3.org/2000/svg}"
    assert root.tag == tag + "svg"
    assert root.get("role") == "img"
    assert root.get("viewBox") == "0 0 256 192"
    assert root.get("preserveAspectRatio") is None
    assert root.find(tag + "title").text == 'A <cat> & "dog"'
    assert root.find(tag + "metadata").text == '{"a":"<&>"}'
    names = [e.tag.removeprefix(tag) for e in root.iter() if e.get("fill", "") != "none"][3:]
    assert names == ["rect", "line", "polygon", "path"]  # background, then paint order


def test_it_is_compact():
    text = svg(scene(("triangle",) * 100), (1024, 768))
    assert len(text) / 100 < 95
    solid = ShapesForm(("triangle",) * 9, 1.0, 0.75, None, opacity=(1.0, 1.0))
    assert "opacity" not in svg(solid.drawing(solid.random(np.random.default_rng(0))), (100, 75))
    fixed = ShapesForm(("triangle",) * 9, 1.0, 0.75, None, opacity=(0.5, 0.5))
    text = svg(fixed.drawing(fixed.random(np.random.default_rng(0))), (100, 75))
    assert text.count("opacity") == 1  # said once for the group


def test_an_empty_drawing_is_its_background():
    empty = ShapesForm((), 1.0, 1.0, (1.0, 0.0, 0.0)).drawing(np.zeros(0, np.float32))
    assert (resvg(svg(empty, (4, 4))) == [255, 0, 0, 255]).all()


def test_numbers_that_are_not_finite_are_refused():
    drawing = scene(("circle",))
    drawing.geometry[0, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        svg(drawing, (4, 3))


@settings(max_examples=300, deadline=None)
@given(st.floats(-3, 4), st.floats(2, 60_000))
def test_lengths_are_exact_to_a_hundredth_pixel_at_1024(value, scale):
    written = Numbers(scale).length(value)
    assert abs(float(written) / scale - value) * 1024 <= 0.01
    assert "e" not in written
    assert len(written) <= 9


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-3, 4) | st.sampled_from([0.0, -0.0, 1.0, -1e-9, 0.5, -0.5])), st.floats(0.1, 60_000))
def test_many_lengths_are_written_as_each_is(values, scale):
    number = Numbers(scale)
    assert number.lengths(np.array(values)) == [number.length(value) for value in values]


@settings(max_examples=300, deadline=None)
@given(st.floats(-1e3, 1e3))
def test_angles_are_exact(radians):
    written = math.radians(float(Numbers(100).degrees(radians)))
    assert abs(math.remainder(written - radians, 2 * math.pi)) < 1e-5


@settings(max_examples=300, deadline=None)
@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_compact_numbers_lose_characters_only(value, digits):
    text = compact(value, digits)
    assert float(text) == float(f"{value:.{digits}f}")
    assert not text.startswith(("0.", "-0"))
    assert not ("." in text and text.endswith("0"))


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_colours_are_exact(levels):
    text = colour(np.array(levels) / 255)
    full = text if len(text) == 7 else "#" + "".join(c * 2 for c in text[1:])
    assert tuple(bytes.fromhex(full[1:])) == levels


@pytest.mark.parametrize("clip", ["path", "cut"])
@pytest.mark.parametrize(
    "kinds", [("triangle", "circle", "line", "rotated-ellipse"), ("polygon:5", "cubic", "rectangle")]
)
def test_clipped_shapes_look_the_same_and_stay_within(clip, kinds, tmp_path):
    """resvg shows what it showed; of ``cut``, svgelements finds nothing outside of the page."""
    import svgelements

    from evoart.draw.scene import svg
    from evoart.forms.shapes import ShapesForm

    form = ShapesForm(kinds * 5, 1.0, 0.75, (0.9, 0.8, 0.7), opacity=(0.2, 1.0))
    rng = np.random.default_rng(4)
    rows = form.random(rng).reshape(form.groups, -1)
    rows[:, :2] += rng.normal(0, 0.3, (form.groups, 2))
    scene = form.drawing(rows.ravel().astype(np.float32))
    size = (320, 240)
    plain, clipped = (_shown(svg(scene, size, clip=each)) for each in (None, clip))
    assert np.abs(plain.astype(float) - clipped).mean() < 0.15
    assert np.abs(plain.astype(float) - clipped).max() < 40  # at an edge of a path, another way of rounding
    (tmp_path / "clipped.svg").write_text(svg(scene, size, clip=clip))
    if clip == "cut":
        parts = [part for part in svgelements.SVG.parse(tmp_path / "clipped.svg").elements() if hasattr(part, "bbox")]
        boxes = np.array([part.bbox(with_stroke=True) for part in parts if part.bbox() is not None])
        assert (boxes[:, :2] >= -0.02).all()
        assert (boxes[:, 2:] <= np.array(size) + 0.02).all()


def _shown(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text)))).convert("RGB"))
