"""The CPU rasteriser: exact area, bands without seams, whatever the size and wherever the shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoart import threads
from evoart.draw import scanline
from evoart.draw.scene import Scene, draw
from evoart.draw.shapes import SHAPES, shape
from evoart.engine import scanline as engines
from evoart.engine.scanline import ScanlineEngine
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import LOSSES, Target, loss_map

ALL = tuple(SHAPES) * 4


def scene(kinds=ALL, width=1.0, height=0.75, background=(0.5, 0.4, 0.3), seed=0) -> Scene:
    form = ShapesForm(tuple(kinds), width, height, background)
    return form.drawing(form.random(np.random.default_rng(seed)))


def polygon(points, size, opacity: float = 1.0) -> np.ndarray:
    """``(h, w)`` coverage of a free polygon given in pixels, drawn black on a transparent background."""
    points, (w, h) = np.asarray(points, np.float32), size
    longest = max(size)
    rgba = np.array([[0, 0, 0, opacity]], np.float32)
    name = "triangle" if len(points) == 3 else f"polygon:{len(points)}"
    return draw(Scene((name,), points.reshape(1, -1) / longest, rgba, None, w / longest, h / longest), size)[..., 3]


def winding(points, x, y) -> np.ndarray:
    """Winding number of a closed polygon about points ``x, y``: the nonzero rule's own definition."""
    total = np.zeros(x.shape, int)
    for (xa, ya), (xb, yb) in zip(points, np.roll(points, -1, 0), strict=True):
        side = (xb - xa) * (y - ya) - (x - xa) * (yb - ya)
        total += ((ya <= y) & (y < yb) & (side > 0)).astype(int) - ((yb <= y) & (y < ya) & (side < 0))
    return total


def supersampled(points, size, fine: int = 32) -> np.ndarray:
    w, h = size
    y, x = (np.mgrid[: h * fine, : w * fine] + 0.5) / fine
    return (winding(np.asarray(points), x, y) != 0).reshape(h, fine, w, fine).mean((1, 3))


OUTLINES = {
    "large": [(3.2, 2.1), (24.7, 8.9), (9.4, 18.3)],
    "turned round": [(9.4, 18.3), (24.7, 8.9), (3.2, 2.1)],
    "past every side": [(-30, -9), (60, 5), (10, 44)],
    "past the left": [(-8.5, 3.3), (6.2, 9.1), (-4.1, 17.7)],
    "past the right": [(20.3, 3.3), (40.2, 9.1), (25.1, 17.7)],
    "on pixel edges": [(5, 3), (5, 15), (20, 15), (20, 3)],
    "upright": [(5.3, 3.4), (5.3, 15.6), (20.6, 15.6), (20.6, 3.4)],
    "thinner than a pixel": [(4, 4.1), (25, 4.4), (25.5, 4.6), (4.5, 4.2)],
    "smaller than a pixel": [(12.1, 3.1), (12.4, 3.1), (12.3, 3.4)],
    "the whole picture": [(-1, -1), (40, -1), (40, 40), (-1, 40)],
    "a level line": [(4, 5), (20, 5), (12, 5)],
}


@pytest.mark.parametrize("points", OUTLINES.values(), ids=OUTLINES)
def test_coverage_is_the_exact_area(points):
    size = (28, 20)
    assert np.abs(polygon(points, size) - supersampled(points, size)).max() < 0.02


def test_a_star_is_filled_by_the_nonzero_rule():
    angle = np.arange(5) * (4 * np.pi / 5) + 0.1
    points = np.stack([20 + 18 * np.sin(angle), 20 - 18 * np.cos(angle)], -1)
    apart = np.abs(polygon(points, (40, 40)) - supersampled(points, (40, 40)))
    assert polygon(points, (40, 40))[20, 20] == 1
    # Where an outline crosses itself within a pixel the area is an approximation: five pixels here.
    assert (apart > 0.02).sum() <= 10
    assert apart.max() < 0.3


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.floats(-40, 60), st.floats(-40, 60)), min_size=3, max_size=3))
def test_any_triangle_covers_its_area(points):
    cover = polygon(points, (20, 16))
    assert np.isfinite(cover).all()
    assert cover.min() >= 0
    assert cover.max() <= 1
    assert cover.sum() == pytest.approx(supersampled(points, (20, 16), 8).sum(), abs=3.0)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3), (7, 64), (64, 65), (65, 129), (33, 128)])
@pytest.mark.parametrize("background", [(0.5, 0.4, 0.3), None])
def test_odd_sizes(size, background):
    longest = max(size)
    drawing = scene(ALL, size[0] / longest, size[1] / longest, background)
    picture = draw(drawing, size)
    assert picture.shape == (size[1], size[0], 4)
    assert picture.dtype == np.float32
    assert np.isfinite(picture).all()
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert (picture[..., 3] == 1).all() == (background is not None)


@pytest.mark.parametrize("band", [1, 7, 10_000])
def test_bands_leave_no_seams(band, monkeypatch):
    drawing, size = scene(), (150, 112)
    expected = draw(drawing, size)
    monkeypatch.setattr("evoart.draw.scene.BAND", band)
    np.testing.assert_allclose(draw(drawing, size), expected, atol=2e-4)


def test_a_transparent_ground_is_laid_over_anything():
    clear = draw(scene(background=None), (96, 72)).astype(np.float64)
    for background in ((1, 1, 1), (0, 0, 0), (0.2, 0.9, 0.4)):
        over = clear[..., :3] * clear[..., 3:] + np.array(background) * (1 - clear[..., 3:])
        np.testing.assert_allclose(draw(scene(background=background), (96, 72))[..., :3], over, atol=1e-5)


def test_paint_order_counts():
    drawing = scene(("triangle", "circle"), seed=4)
    turned = Scene(
        drawing.kinds[::-1], drawing.geometry[::-1], drawing.rgba[::-1], drawing.background, 1.0, drawing.height
    )
    assert np.abs(draw(drawing, (64, 48)) - draw(turned, (64, 48))).max() > 0.02


@pytest.mark.parametrize("kind", list(SHAPES))
@pytest.mark.parametrize("far", [3.0, 1e3, 1e6])
def test_shapes_outside_change_nothing(kind, far):
    drawing = scene((kind,) * 5)
    where = [i for i, parameter in enumerate(shape(kind).parameters) if parameter.role in "xy"]
    for sign in (-1, 1):
        geometry = drawing.geometry.copy()
        geometry[:, where] += sign * far
        picture = draw(Scene(drawing.kinds, geometry, drawing.rgba, drawing.background, 1.0, 0.75), (40, 30))
        np.testing.assert_array_equal(picture, draw(scene(()), (40, 30)))


@pytest.mark.parametrize("kind", list(SHAPES))
def test_huge_shapes_cover_all_and_stay_finite(kind):
    parameters = shape(kind).parameters
    rng = np.random.default_rng(0)
    for huge in (1e2, 1e4, 1e6):
        geometry = (rng.normal(size=(20, len(parameters))) * huge).astype(np.float32)
        rgba = np.full((20, 4), 0.5, np.float32)
        picture = draw(Scene((kind,) * 20, geometry, rgba, (0.1, 0.2, 0.3), 1.0, 0.75), (40, 30))
        assert np.isfinite(picture).all()
        form = ShapesForm((kind,) * 20, 1.0, 0.75, (0.1, 0.2, 0.3))
        loss, gradient = ScanlineEngine(form, random_target(30, 40)).gradient(form.encode(geometry, rgba))
        assert np.isfinite(loss)
        assert np.isfinite(gradient).all()


def test_degenerate_shapes_stay_finite():
    form = ShapesForm(ALL, 1.0, 0.75, None, (0.0, 1.0))
    engine = ScanlineEngine(form, random_target(30, 40))
    for value in (0.0, 0.5, 1.0, -1.0):
        genome = np.full(form.dim, value, np.float32)
        loss, gradient = engine.gradient(genome)
        assert np.isfinite(loss)
        assert np.isfinite(gradient).all()
        assert np.isfinite(engine.removal).all()


def random_target(h: int, w: int, loss: str = "mse") -> Target:
    rng = np.random.default_rng(7)
    weight = rng.random((h, w)).astype(np.float32)
    return Target(rng.random((h, w, 3), np.float32), weight / weight.mean(), loss)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("tiles", [1, 3, 16])
def test_tile_losses_are_the_loss_of_their_pixels(loss, tiles):
    h, w = 27, 35
    form = ShapesForm(ALL, 1.0, h / w, (0.2, 0.4, 0.6))
    engine = ScanlineEngine(form, random_target(h, w, loss))
    genomes = np.stack([form.random(np.random.default_rng(seed)) for seed in range(2)])
    each = loss_map(np, engine.images(genomes), engine.target)
    y, x = np.mgrid[:h, :w]
    expected = np.zeros((2, tiles, tiles))
    np.add.at(expected, (slice(None), y * tiles // h, x * tiles // w), each)
    np.testing.assert_allclose(engine.tile_losses(genomes, tiles), expected, rtol=2e-4, atol=1e-7)
    np.testing.assert_allclose(engine.losses(genomes), each.sum((1, 2)), rtol=1e-4)


def test_results_do_not_depend_on_threads_or_bands(monkeypatch):
    form = ShapesForm(ALL, 0.3, 1.0, (0.2, 0.4, 0.6))
    target = random_target(300, 90)  # three bands
    genome = form.random(np.random.default_rng(0))
    loss, gradient = ScanlineEngine(form, target).gradient(genome)
    before = threads.threads()
    try:
        for number in (1, 3):
            threads.set_threads(number)
            again = ScanlineEngine(form, target).gradient(genome)
            assert again[0] == loss
            np.testing.assert_array_equal(again[1], gradient)
    finally:
        threads.set_threads(before)
    monkeypatch.setattr(engines, "BAND", 1000)
    whole = ScanlineEngine(form, target).gradient(genome)
    assert whole[0] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(whole[1], gradient, atol=2e-3 * np.abs(gradient).max())


def test_the_engine_and_the_final_picture_agree():
    form = ShapesForm(ALL, 1.0, 0.75, (0.2, 0.4, 0.6))
    genome = form.random(np.random.default_rng(0))
    image = ScanlineEngine(form, random_target(192, 256)).images(genome[None])[0]
    final = draw(form.drawing(genome), (256, 192))[..., :3]
    assert np.sqrt(((image - final) ** 2).mean()) < 0.5 / 255


def test_one_engine_for_many_genomes():
    """The buffers of the gradient are kept and grown: a small genome after a large one must not see its remains."""
    form = ShapesForm(("triangle",) * 5, 1.0, 0.75, (0.2, 0.4, 0.6))
    engine = ScanlineEngine(form, random_target(30, 40))
    genomes = [form.random(np.random.default_rng(seed)) for seed in range(4)]
    genomes.insert(2, genomes[0] * 5)
    for genome in genomes:
        fresh = ScanlineEngine(form, engine.target).gradient(genome)
        kept = engine.gradient(genome)
        assert kept[0] == fresh[0]
        np.testing.assert_array_equal(kept[1], fresh[1])


@pytest.mark.parametrize("kind", tuple(SHAPES))
def test_shapes_beside_the_picture_leave_no_record(kind):
    """The recorded pass must not store what its sizes do not count: rows of shapes left, right, above and below."""
    form = ShapesForm((kind,) * 40, 1.0, 0.75, (0.2, 0.4, 0.6))
    rows = form.random(np.random.default_rng(0)).reshape(40, -1)
    roles = [parameter.role for parameter in shape(kind).parameters]
    for axis, far in (("x", -2), ("x", 2), ("y", -2), ("y", 2)):
        outside = rows.copy()
        outside[:, [i for i, role in enumerate(roles) if role == axis]] += far
        engine = ScanlineEngine(form, random_target(96, 128))
        loss, gradient = engine.gradient(outside.ravel())
        assert loss == pytest.approx(float(engine.losses(outside.reshape(1, -1))[0]), rel=1e-5)
        assert not gradient.any()


def test_a_record_that_is_too_small_grows(monkeypatch):
    """Whatever its sizes say, the recorded pass never writes past them."""
    form = ShapesForm(ALL, 1.0, 0.75, (0.2, 0.4, 0.6))
    genome, target = form.random(np.random.default_rng(0)), random_target(96, 128)
    loss, gradient = ScanlineEngine(form, target).gradient(genome)
    monkeypatch.setattr(scanline, "record_size", lambda *_: (0, 0))
    again = ScanlineEngine(form, target).gradient(genome)
    assert again[0] == loss
    np.testing.assert_array_equal(again[1], gradient)


@pytest.mark.parametrize("value", [1e7, -1e18, 3e38])
def test_numbers_that_leave_the_world_stay_finite_and_quick(value):
    form = ShapesForm(ALL, 1.0, 0.75, (0.2, 0.4, 0.6))
    genome = form.random(np.random.default_rng(0))
    genome[::3] = value
    engine = ScanlineEngine(form, random_target(30, 40))
    assert np.isfinite(engine.losses(genome[None])).all()
    loss, gradient = engine.gradient(genome)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()
    assert np.isfinite(draw(form.drawing(genome), (40, 30))).all()


@pytest.mark.parametrize("size", [(64, 7), (7, 64), (33, 20)])
def test_the_engine_draws_what_the_output_draws_where_sides_are_rounded(size):
    w, h = size
    long = max(w, h)
    form = ShapesForm(ALL, min(1, (w + 0.45) / long), min(1, (h + 0.45) / long), (0.2, 0.4, 0.6))
    genome = form.random(np.random.default_rng(0))
    image = ScanlineEngine(form, random_target(h, w)).images(genome[None])[0]
    assert np.abs(image - draw(form.drawing(genome), size)[..., :3]).mean() < 0.5 / 255
