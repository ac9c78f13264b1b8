"""Closed forms of the growing search: gains against brute-force drawing, colour and opacity against least squares."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from evoart.draw import scanline
from evoart.draw.gains import STATISTICS, best_paint
from evoart.draw.layout import layout
from evoart.draw.shapes import SHAPES, shape
from evoart.engine.placement import PlacementCanvas
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target
from evoart.search.place import Effort, place

H, W = 30, 40
NO_PALETTE = np.empty((0, 3), np.float32)


def make_canvas(opacity=(0.1, 1.0), palette=None, seed: int = 0) -> PlacementCanvas:
    """A canvas of a random picture, with a few shapes drawn already and pixels that count differently."""
    rng = np.random.default_rng(seed)
    weight = rng.random((H, W)).astype(np.float32)
    target = Target(rng.random((H, W, 3), np.float32), weight / weight.mean())
    made = PlacementCanvas(ShapesForm((), 1.0, H / W, (0.4, 0.5, 0.6), opacity, palette, columns=8), target)
    below = made.form.with_kinds(("triangle", "circle", "line"))
    made.open(below.kinds, below.random(rng).reshape(3, -1))
    return made


def coverage(of: PlacementCanvas, kind: str, p: np.ndarray) -> np.ndarray:
    """``(h, w)`` share of each pixel under one shape, drawn black on white."""
    plan = layout((kind,), of._detail)
    points, widths = plan.outlines(np, p[None], of.scale)
    canvas = np.ones((3, H, W), np.float32)
    black = np.array([[0, 0, 0, 1]], np.float32)
    scanline.paint(canvas, points.astype(np.float32), plan.start, widths.astype(np.float32), black)
    return 1 - canvas[0].astype(np.float64)


def squared_error(of: PlacementCanvas, canvas: np.ndarray) -> float:
    image = of.target.image.transpose(2, 0, 1).astype(np.float64)
    return float(((image - canvas) ** 2 * of.target.weight).sum())


def painted(of: PlacementCanvas, v: np.ndarray, rgba: np.ndarray) -> np.ndarray:
    canvas = of._canvas.astype(np.float64)
    return canvas + rgba[3] * v * (rgba[:3, None, None] - canvas)


def candidates(of: PlacementCanvas, kind: str, n: int = 12, seed: int = 1) -> np.ndarray:
    return of.sample(np.random.default_rng(seed), kind, n)


@pytest.mark.parametrize("kind", [*SHAPES, "polygon:7"])
def test_gains_are_what_drawing_gains(kind):
    of = make_canvas()
    geometry = candidates(of, kind)
    gains, rgba = of.gains(kind, geometry)
    before = squared_error(of, of._canvas)
    for p, gain, paint in zip(geometry, gains, rgba, strict=True):
        after = squared_error(of, painted(of, coverage(of, kind, p), paint))
        assert before - after == pytest.approx(gain, rel=1e-3, abs=1e-3)
        assert (paint[:3] >= 0).all()
        assert (paint[:3] <= 1).all()
        assert 0.1 <= paint[3] <= 1


def test_what_is_judged_best_is_drawn_as_judged():
    of = make_canvas()
    geometry = candidates(of, "triangle")
    gains, rgba = of.gains("triangle", geometry)
    row = np.zeros(of.form.dim_per_group, np.float32)
    row[:6], row[-4:] = geometry[0], rgba[0]
    before = squared_error(of, of._canvas)
    of.paint("triangle", row)
    assert before - squared_error(of, of._canvas) == pytest.approx(gains[0], rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("opacity", [0.3, 1.0])
def test_colours_solve_least_squares(opacity):
    of = make_canvas((opacity, opacity))
    image = of.target.image.transpose(2, 0, 1).astype(np.float64)
    root = np.sqrt(of.target.weight.astype(np.float64)).ravel()
    geometry = candidates(of, "rotated-ellipse")
    _, rgba = of.gains("rotated-ellipse", geometry)
    for p, paint in zip(geometry, rgba, strict=True):
        v = coverage(of, "rotated-ellipse", p)
        canvas = of._canvas.astype(np.float64)
        # image = canvas (1 - a v) + (a v) colour, in the weighted norm
        missing = (image - canvas * (1 - opacity * v)).reshape(3, -1) * root
        solved = np.linalg.lstsq((opacity * v.ravel() * root)[:, None], missing.T, rcond=None)[0][0]
        np.testing.assert_allclose(paint[:3], np.clip(solved, 0, 1), atol=2e-3)
        assert paint[3] == np.float32(opacity)


def test_opacity_is_the_best_of_a_fine_grid():
    of = make_canvas((0.1, 0.9))
    geometry = candidates(of, "rectangle", 30)
    gains, _ = of.gains("rectangle", geometry)
    best = np.full(len(geometry), -np.inf)
    for opacity in np.linspace(0.1, 0.9, 81):
        fixed = make_canvas((float(opacity), float(opacity)))
        fixed._canvas = of._canvas
        fixed.refresh()
        best = np.maximum(best, fixed.gains("rectangle", geometry)[0])
    np.testing.assert_allclose(gains, best, rtol=2e-3, atol=1e-3)


def test_a_palette_gives_the_best_of_its_colours():
    colours = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.8, 0.2, 0.1), (0.1, 0.3, 0.7))
    of = make_canvas((0.5, 0.5), colours)
    geometry = candidates(of, "triangle")
    gains, rgba = of.gains("triangle", geometry)
    before = squared_error(of, of._canvas)
    for p, gain, paint in zip(geometry, gains, rgba, strict=True):
        v = coverage(of, "triangle", p)
        tried = {c: before - squared_error(of, painted(of, v, np.array([*c, 0.5]))) for c in colours}
        assert gain == pytest.approx(max(tried.values()), rel=1e-3, abs=1e-3)
        assert tried[min(tried, key=lambda c: np.abs(np.array(c) - paint[:3]).sum())] == max(tried.values())


def test_a_shape_that_covers_nothing_gains_nothing_ever():
    of = make_canvas()
    for kind in SHAPES:
        outside = candidates(of, kind)
        outside[:, [i for i, p in enumerate(shape(kind).parameters) if p.role == "x"]] += 40
        gains, rgba = of.gains(kind, outside)
        assert (gains < -1e29).all()
        assert np.isfinite(rgba).all()


def test_no_candidates():
    gains, rgba = np.empty(0, np.float32), np.empty((0, 4), np.float32)
    best_paint(np.empty((0, STATISTICS), np.float32), 0, np.float32(0.1), np.float32(1), NO_PALETTE, rgba, gains)


def test_pixels_without_weight_do_not_attract():
    rng = np.random.default_rng(0)
    weight = np.zeros((H, W), np.float32)
    weight[:, : W // 2] = 2
    target = Target(rng.random((H, W, 3), np.float32), weight)
    of = PlacementCanvas(ShapesForm((), 1.0, H / W, (0.4, 0.5, 0.6), columns=3), target)
    of.open((), np.empty((0, 7), np.float32))
    centres = of.sample(rng, "circle", 500)[:, 0]
    assert centres.max() <= 0.5


def test_a_canvas_painted_shape_by_shape_is_the_one_drawn_at_once():
    """A resumed run draws at once what the run before it painted one by one."""
    kinds = tuple(name for name in SHAPES if ":" not in name)
    target, form = make_canvas().target, ShapesForm((), 1.0, H / W, (0.4, 0.5, 0.6), columns=12)
    one, whole = PlacementCanvas(form, target), PlacementCanvas(form, target)
    rows = one.form.with_kinds(kinds).random(np.random.default_rng(3), one.target.image).reshape(len(kinds), -1)
    whole.open(kinds, rows)
    one.open((), rows[:0])
    for kind, row in zip(kinds, rows, strict=True):
        one.paint(kind, row)
    for name in ("_canvas", "_table", "_pixels", "_error"):
        np.testing.assert_array_equal(getattr(one, name), getattr(whole, name))
    painted = one._canvas
    one.open(kinds, rows)
    assert one._canvas is painted  # not drawn again
    one.open(kinds, rows[::-1])
    assert one._canvas is not painted


@pytest.mark.parametrize("kind", ["triangle", "line"])
def test_a_placement_in_one_call_is_that_of_one_call_a_generation(kind):
    of = make_canvas()
    dim, effort = len(shape(kind).parameters), Effort(40, 6, 4, 6)
    found = []
    for canvas in (of, SimpleNamespace(sample=of.sample, gains=of.gains, evolve=lambda *_: None)):
        found.append(place(np.random.default_rng(3), canvas, (kind,), {kind: np.full(dim, 0.1)}, effort))
    (_, geometry, rgba, gain, judged), (_, other, paint, as_much, as_many) = found
    assert judged == as_many == effort.evaluations()
    assert gain == pytest.approx(as_much, rel=1e-4)
    np.testing.assert_allclose(np.append(geometry, rgba), np.append(other, paint), atol=1e-4)
    samples = of.sample(np.random.default_rng(3), kind, 40)
    assert gain > of.gains(kind, samples)[0].max() > 0
