"""The growing search's canvas on a device gives the answers of the compiled one on the CPU."""

from __future__ import annotations

import numpy as np
import pytest

import evoart
from evoart.draw.shapes import SHAPES
from evoart.engine.placement import PlacementCanvas
from evoart.engine.placement_jax import PlacementCanvasJax
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target

HEIGHT, WIDTH = 30, 40
SETS = {
    "triangles": ("triangle",) * 7,
    "several kinds": tuple(SHAPES),
    "two colours": ("triangle~linear", "triangle", "rotated-ellipse~radial", "circle~linear", "line"),
}


@pytest.fixture(scope="module", params=SETS)
def both(request):
    """The two canvases, kinds, and rows of shapes."""
    kinds = SETS[request.param]
    rng = np.random.default_rng(3)
    weight = rng.random((HEIGHT, WIDTH)).astype(np.float32)
    target = Target(rng.random((HEIGHT, WIDTH, 3), np.float32), weight / weight.mean())
    form = ShapesForm(kinds, 1.0, HEIGHT / WIDTH, (0.3, 0.5, 0.7), (0.1, 1.0))
    rows = form.random(rng).reshape(len(kinds), -1)
    rows[:, -1] = rng.uniform(0.2, 1.0, len(rows))
    rows[0, -1] = 1.0  # opaque: what lies below it is not seen through it
    device = PlacementCanvasJax(form, target, kinds, len(kinds) + 2)
    device._stack.rows, device._stack.bands = 13, 3  # bands, the last one cut
    return PlacementCanvas(form, target), device, kinds, rows


def test_judges_and_differentiates_alike(both):
    host, device, kinds, rows = both
    np.testing.assert_allclose(device.evaluate(kinds, rows), host.evaluate(kinds, rows), rtol=1e-5)
    loss, gradient, removal = host.gradient(kinds, rows)
    found = device.gradient(kinds, rows)
    assert found[0] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(found[1], gradient, atol=3e-3 * np.abs(gradient).max())
    np.testing.assert_allclose(device.removal(kinds, rows), removal, atol=1e-4 * np.abs(removal).max())
    fewer = device.evaluate(kinds[:3], rows[:3])  # the same program, filled up
    np.testing.assert_allclose(fewer, host.evaluate(kinds[:3], rows[:3]), rtol=1e-5)


def test_finds_the_same_gains(both):
    host, device, kinds, rows = both
    for canvas in (host, device):
        canvas.open(kinds[:4], rows[:4])
        canvas.paint(kinds[4], rows[4])
    np.testing.assert_allclose(np.asarray(device._shown), host._canvas.transpose(1, 2, 0), atol=1e-4)
    np.testing.assert_allclose(device._error, host._error, rtol=1e-4)
    for kind in dict.fromkeys(kinds):
        fresh = host.sample(np.random.default_rng(1), kind, 70)
        np.testing.assert_array_equal(device.sample(np.random.default_rng(1), kind, 70), fresh)
        gains, rgba = host.gains(kind, fresh)
        found, colours = device.gains(kind, fresh)
        seen = gains > 0.05
        assert seen.any()
        np.testing.assert_allclose(found[seen], gains[seen], rtol=5e-3, atol=1e-3 * gains.max())
    best = int(found.argmax())
    row = np.zeros(rows.shape[1], np.float32)
    row[: fresh.shape[1]], row[-4:] = fresh[best], colours[best]
    before = device._error[-1]
    device.paint(kind, row)
    assert before - device._error[-1] == pytest.approx(found[best], rel=1e-3)


def test_the_default_search_runs_on_a_device(photo):
    """Step by step the same search: what differs is rounding."""
    how = {"shapes": 4, "pixels": 24, "seed": 2, "options": {"stages": 2, "cycles": 2, "finish": 20, "effort": 60}}
    device = evoart.fit(photo, engine="dense", device="cpu", **how)
    host = evoart.fit(photo, **how)
    assert device.evaluations == host.evaluations
    assert device.psnr == pytest.approx(host.psnr, abs=0.7)
    with pytest.raises(evoart.UsageError, match="--engine dense or --search sets"):
        evoart.fit(photo, engine="pallas", **how)
