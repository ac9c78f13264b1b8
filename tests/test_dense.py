"""The dense engine against a supersampled oracle in NumPy and against the scanline engine."""

from __future__ import annotations

import numpy as np
import pytest

from evoart.draw.dense import filled_coverage, stroke_coverage
from evoart.draw.shapes import SHAPES
from evoart.engine.dense import DenseEngine
from evoart.engine.scanline import ScanlineEngine
from evoart.forms.boxes import boxes
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import LOSSES, Target

HEIGHT, WIDTH = 20, 28


def target(loss="mse", seed=0):
    rng = np.random.default_rng(seed)
    weight = rng.random((HEIGHT, WIDTH)).astype(np.float32)
    return Target(rng.random((HEIGHT, WIDTH, 3), np.float32), weight / weight.mean(), loss)


def form(*kinds, background=(0.2, 0.4, 0.6)):
    return ShapesForm(tuple(kinds), 1.0, HEIGHT / WIDTH, background, (0.0, 1.0))


def genomes(of, n=2, seed=0):
    """Random genomes whose numbers are strictly inside their ranges, so that clipping has no say in gradients."""
    rng = np.random.default_rng(seed)
    rows = np.stack([of.random(rng) for _ in range(n)]).reshape(n, of.groups, -1)
    rows[..., -4:] = rng.uniform(0.1, 0.9, rows[..., -4:].shape)
    return rows.reshape(n, -1).astype(np.float32)


def winding(points, x, y):
    """Winding number of a closed polygon about points: the nonzero rule's own definition."""
    total = np.zeros(x.shape, int)
    for (xa, ya), (xb, yb) in zip(points, np.roll(points, -1, 0), strict=True):
        side = (xb - xa) * (y - ya) - (x - xa) * (yb - ya)
        total += ((ya <= y) & (y < yb) & (side > 0)).astype(int) - ((yb <= y) & (y < ya) & (side < 0))
    return total


def supersampled(points, fine=24):
    y, x = (np.mgrid[: HEIGHT * fine, : WIDTH * fine] + 0.5) / fine
    inside = winding(points, x, y) != 0
    return inside.reshape(HEIGHT, fine, WIDTH, fine).mean((1, 3))


@pytest.mark.parametrize(
    "points",
    [
        [(3.2, 2.1), (24.7, 8.9), (9.4, 18.3)],
        [(9.4, 18.3), (24.7, 8.9), (3.2, 2.1)],  # the other way round
        [(-30, -9), (60, 5), (10, 44)],  # larger than the picture
        [(5, 3), (5, 15), (20, 15), (20, 3)],  # on pixel edges
        [(5.3, 3.4), (5.3, 15.6), (20.6, 15.6), (20.6, 3.4)],  # upright and level
        [(4, 4.1), (25, 4.4), (25.5, 4.6), (4.5, 4.2)],  # thinner than a pixel
        [(12.1, 3.1), (12.4, 3.1), (12.3, 3.4)],  # smaller than a pixel
    ],
)
def test_filled_coverage_is_the_covered_area(points):
    points = np.array(points, np.float32)
    cover = np.asarray(filled_coverage(points, HEIGHT, WIDTH))
    assert np.abs(cover - supersampled(points)).max() < 0.03


def test_filled_coverage_sums_to_the_area_far_from_the_origin():
    points = np.array([(3000.25, 0.5), (3003.75, 0.75), (3001.5, 6.25)], np.float32)
    (ax, ay), (bx, by), (cx, cy) = points.astype(np.float64)
    area = abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2
    assert float(filled_coverage(points, 8, 3008).sum()) == pytest.approx(area, rel=1e-3)


@pytest.mark.parametrize("wide", [0.25, 1.0, 5.0])
def test_stroke_coverage_is_the_band_about_the_line(wide):
    points = np.array([(4.3, 3.1), (15.2, 16.4), (24.8, 6.0), (24.8, 6.0)], np.float32)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    distance = np.full((HEIGHT, WIDTH), np.inf)
    for a, b in zip(points[:-2], points[1:-1], strict=True):
        t = np.clip(((x - a[0]) * (b - a)[0] + (y - a[1]) * (b - a)[1]) / ((b - a) ** 2).sum(), 0, 1)
        distance = np.minimum(distance, np.hypot(x - a[0] - t * (b - a)[0], y - a[1] - t * (b - a)[1]))
    # The share of a pixel-wide window about the centre that lies within half the width of the line.
    window = distance[..., None] + (np.arange(1000) + 0.5) / 1000 - 0.5
    expected = (np.abs(window) < wide / 2).mean(-1)
    cover = np.asarray(stroke_coverage(points, np.float32(wide), HEIGHT, WIDTH))
    assert np.abs(cover - expected).max() < 2e-3


def both(of, judged):
    return DenseEngine(of, judged), ScanlineEngine(of, judged)


# One program for all: a shape of every kind, fills and strokes among one another.
ALL = form(*SHAPES, *SHAPES, background=None)


@pytest.fixture(scope="module")
def engines():
    return both(ALL, target())


def test_pictures_and_losses_agree_with_the_scanline_engine(engines):
    dense, scanline = engines
    rows = genomes(ALL, 3)
    assert np.abs(dense.images(rows) - scanline.images(rows)).max() < 2e-3
    np.testing.assert_allclose(dense.losses(rows), scanline.losses(rows), rtol=1e-4)


def test_tile_losses_agree_with_the_scanline_engine_and_sum_to_the_loss(engines):
    dense, scanline = engines
    rows = genomes(ALL, 2)
    tiles = dense.tile_losses(rows, 3)
    assert tiles.shape == (2, 3, 3)
    np.testing.assert_allclose(tiles, scanline.tile_losses(rows, 3), rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(tiles.sum((1, 2)), dense.losses(rows), rtol=1e-5)


# Few kinds: every one is a branch to compile, backwards too.
SOME = form("triangle", "line", "rotated-ellipse", "quadratic", "triangle", "line")


@pytest.fixture(scope="module")
def gradients():
    return both(SOME, target())


def test_gradient_agrees_with_the_scanline_engine(gradients):
    dense, scanline = gradients
    for genome in genomes(SOME, 2, seed=3):
        (loss, ours), (same, theirs) = dense.gradient(genome), scanline.gradient(genome)
        assert loss == pytest.approx(same, rel=1e-4)
        assert np.linalg.norm(ours - theirs) < 0.02 * np.linalg.norm(theirs)


def test_gradient_agrees_with_differences_of_the_loss(gradients):
    dense, _ = gradients
    genome = genomes(SOME, 1)[0]
    gradient = dense.gradient(genome)[1]
    rng = np.random.default_rng(0)
    found, expected = [], []
    for _ in range(12):
        along = (SOME.steps() * rng.standard_normal(SOME.dim)).astype(np.float32)
        ends = [dense.gradient((genome + sign * 3e-3 * along).astype(np.float32))[0] for sign in (1, -1)]
        found.append((ends[0] - ends[1]) / 6e-3)
        expected.append(float(gradient @ along))
    assert np.corrcoef(found, expected)[0, 1] > 0.995
    assert np.linalg.norm(np.subtract(found, expected)) < 0.1 * np.linalg.norm(expected)


def test_gradient_is_finite_where_shapes_are_degenerate(gradients):
    dense, _ = gradients
    for value in (0.0, 0.5):
        loss, gradient = dense.gradient(np.full(SOME.dim, value, np.float32))
        assert np.isfinite(loss)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "mse"])
def test_other_losses_agree_with_the_scanline_engine(loss):
    of = form("triangle")
    dense, scanline = both(of, target(loss))
    rows = genomes(of, 2)
    np.testing.assert_allclose(dense.losses(rows), scanline.losses(rows), rtol=1e-3)


def test_no_shapes_is_the_background():
    dense = DenseEngine(form(), target())
    image = dense.images(np.zeros((1, 0), np.float32))
    np.testing.assert_allclose(image[0], np.broadcast_to(np.float32([0.2, 0.4, 0.6]), image[0].shape))


def test_boxes_hold_all_that_a_shape_changes():
    for kind in (*SHAPES, "polygon:7", "regular:5"):
        of = form(kind, background=(1.0, 1.0, 1.0))
        rows = genomes(of, 8, seed=1)
        rows[:, -4:] = (0, 0, 0, 1)
        changed = ScanlineEngine(of, target()).images(rows).min(-1) < 0.999
        shares = boxes(of, rows)[:, 0] * (WIDTH, HEIGHT, WIDTH, HEIGHT)
        for box, inked in zip(shares, changed, strict=True):
            y, x = np.nonzero(inked)
            x0, y0, x1, y1 = np.floor(box)
            assert x.min(initial=99) >= x0
            assert y.min(initial=99) >= y0
            assert x.max(initial=-1) <= max(x1, -1)
            assert y.max(initial=-1) <= max(y1, -1)
