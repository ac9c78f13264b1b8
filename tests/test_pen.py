"""Pen drawings: pixels against resvg, and how they are drawn bit by bit."""

from __future__ import annotations

import io

import numpy as np
import pytest
import resvg_py
from PIL import Image

from evoart.draw.pen import PenDrawing
from evoart.sketch.strokes import length


def drawing(**settings) -> PenDrawing:
    rng = np.random.default_rng(2)
    strokes = [np.cumsum(rng.normal(0, 0.06, (n, 2)), 0) + 0.5 for n in (9, 2, 5, 12)]
    strokes += [np.array([[0.2, 0.3]]), np.array([[0.05, 0.7], [0.95, 0.72]])]
    colours = np.array([[0, 0, 0]] * 3 + [[0.8, 0.1, 0.2]] * 3, float)
    how = {"line": 0.02, "width": 1.0, "height": 0.8, "groups": (2, 4)} | settings
    return PenDrawing(tuple(strokes), colours, **how)


@pytest.mark.parametrize("line", [0.004, 0.02, 0.1])
def test_pixels_are_those_of_resvg(line):
    pen = drawing(line=line, background=None)
    size = (250, 200)
    found = pen.paint(size)
    data = bytes(resvg_py.svg_to_bytes(svg_string=pen.svg(size)))
    wanted = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), np.float32) / 255
    away = np.abs(found[..., 3] - wanted[..., 3])
    assert away.mean() < 0.01
    assert np.quantile(away, 0.99) < 0.2
    solid = (found[..., 3] > 0.9) & (wanted[..., 3] > 0.9)
    if line > 0.01:
        assert np.abs(found[solid] - wanted[solid]).mean() < 0.02


def test_a_line_within_a_pixel_is_paler_and_nothing_else():
    pen = PenDrawing((np.array([[0.1, 0.5], [0.9, 0.5]]),), np.zeros((1, 3)), 0.001, 1.0, 1.0, None)
    rows = pen.paint((100, 100))[..., 3]
    assert rows.sum() == pytest.approx(80 * 0.1, rel=0.1)


def test_strips_and_what_lies_outside():
    far = PenDrawing((np.array([[-5.0, -5.0], [-4.0, 3.0]]), np.array([[9.0, 9.0]])), np.zeros((2, 3)), 0.1, 1.0, 1.0)
    assert (far.paint((20, 20)) == 1).all()


def test_a_truncated_drawing_grows():
    pen = drawing()
    done = [sum(length([s]) for s in pen.truncate(share).strokes) for share in np.linspace(0, 1, 11)]
    assert done[0] == 0
    assert (np.diff(done) > 0).all()
    assert done[-1] == pytest.approx(length(pen.strokes))
    half = pen.truncate(0.5)
    assert len(half.groups) == 2
    for a, b in zip(half.strokes, [pen.strokes[0]], strict=False):
        np.testing.assert_allclose(a[0], b[0])


def test_drawings_that_draw_themselves_leave_the_rest_of_a_page_alone(page):
    first, second = (drawing(line=line).animated_svg((100, 80), 2, seconds) for line, seconds in ((0.02, 1), (0.02, 2)))
    page.set_content(f"{first}{second}<svg><path id='other' d='M0 0h9'/></svg>")
    animation = "getComputedStyle(e).animationName"
    names = page.evaluate(f"[...document.querySelectorAll('path')].map(e => {animation})")
    assert names[-1] == "none"
    assert len(set(names)) == len(names) == 13
