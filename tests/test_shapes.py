"""What every shape promises, from the registry: both engines, resvg's picture of its SVG, gradients, removal costs."""

from __future__ import annotations

import io
import re

import jax.numpy as jnp
import numpy as np
import pytest
import resvg_py
from PIL import Image

from evoart.draw.layout import detail_for
from evoart.draw.scene import svg
from evoart.draw.shapes import CORNERS, FAMILIES, MIXED, SHAPES, shape
from evoart.draw.shapes.base import SMALLEST
from evoart.draw.svg import Numbers
from evoart.engine.dense import DenseEngine
from evoart.engine.scanline import ScanlineEngine
from evoart.errors import UsageError
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target

NAMES = [*SHAPES, "polygon:7", "regular:3", "blob:9"]
ROLES = {"x", "y", "length", "angle"}
BACKGROUND = (0.5, 0.4, 0.3)


def target(h: int, w: int) -> Target:
    """Smooth colours and weights, so that differences tell the slope."""
    y, x = np.mgrid[:h, :w].astype(np.float32) / max(h, w)
    image = np.stack([0.5 + 0.5 * np.sin(7 * x), 0.5 + 0.4 * np.cos(5 * y), 0.2 + 0.6 * x * y], -1)
    weight = 1 + x - y
    return Target(image.astype(np.float32), (weight / weight.mean()).astype(np.float32))


def engine(kind: str, count: int) -> ScanlineEngine:
    h, w = 24, 32
    return ScanlineEngine(ShapesForm((kind,) * count, 1.0, h / w, BACKGROUND, opacity=(0.0, 1.0)), target(h, w))


def genome_of(form: ShapesForm, seed: int = 0) -> np.ndarray:
    """Random shapes, of random colours and opacities strictly inside their range."""
    rng = np.random.default_rng(seed)
    rows = form.random(rng).reshape(form.groups, -1)
    rows[:, -4:] = rng.uniform(0.2, 0.8, (form.groups, 4))
    return rows.ravel().astype(np.float32)


def exact_loss(of, genome: np.ndarray) -> float:
    """The loss summed in double precision: float32 sums are too coarse for differences."""
    difference = of.images(genome[None])[0].astype(np.float64) - of.target.image
    return float((difference**2 * of.target.share[..., None]).sum())


def differences(of, genome: np.ndarray, where: np.ndarray, step: float = 5e-5) -> np.ndarray:
    """Central differences of the loss by the numbers of ``genome`` at ``where``."""
    out = []
    for i in where:
        ahead, behind = genome.copy(), genome.copy()
        ahead[i] += step
        behind[i] -= step
        out.append((exact_loss(of, ahead) - exact_loss(of, behind)) / float(ahead[i] - behind[i]))
    return np.array(out)


def assert_gradient_is_right(of, genome: np.ndarray, where: np.ndarray, oracle: ScanlineEngine) -> None:
    """The engine's gradient at the numbers ``where``, against differences of the oracle's pictures."""
    loss, gradient = of.gradient(genome)
    assert loss == pytest.approx(exact_loss(oracle, genome), rel=1e-4)
    expected = differences(oracle, genome, where)
    # A pixel at the very rim of a stroke has two slopes, and differences see half of each.
    assert np.linalg.norm(gradient[where] - expected) < 0.03 * np.linalg.norm(expected)
    assert not gradient[of.form.steps() == 0].any()


# The dense engine compiles a program per list of kinds, so one program draws them all: those not asked about are clear.
def among_all(count: int, h: int, w: int) -> DenseEngine:
    form = ShapesForm(tuple(NAMES) * count, 1.0, h / w, BACKGROUND, opacity=(0.0, 1.0))
    return DenseEngine(form, target(h, w))


@pytest.fixture(scope="module")
def large():
    return among_all(100, 192, 256)


@pytest.fixture(scope="module")
def small():
    return among_all(1, 24, 32)


def of_kind(form: ShapesForm, kind: str) -> np.ndarray:
    """Which rows of the form are of a kind, ``(k,)`` bool."""
    return np.array([name == kind for name in form.kinds])


@pytest.mark.parametrize("kind", NAMES)
def test_both_engines_show_what_resvg_shows(kind, large):
    form = ShapesForm((kind,) * 100, 1.0, 0.75, BACKGROUND, opacity=(0.5, 0.5))
    genome = form.random(np.random.default_rng(3))
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg(form.drawing(genome), (256, 192))))
    oracle = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.float64) / 255
    scanline = ScanlineEngine(form, target(192, 256)).images(genome[None])[0]
    rows = np.zeros((large.form.groups, large.form.dim_per_group), np.float32)
    mine = genome.reshape(100, -1)
    rows[of_kind(large.form, kind), : mine.shape[1] - 4] = mine[:, :-4]
    rows[of_kind(large.form, kind), -4:] = form.decode(np, genome)[1]
    dense = large.images(rows.reshape(1, -1))[0]
    for image in (scanline, dense):
        assert np.sqrt(((image - oracle) ** 2).mean()) <= 2 / 255
    assert np.sqrt(((scanline - dense) ** 2).mean()) < 1e-3
    assert np.abs(scanline - dense).max() < 0.02


@pytest.mark.parametrize("kind", NAMES)
def test_gradients_are_those_of_differences(kind):
    of = engine(kind, 3)
    assert_gradient_is_right(of, genome_of(of.form), np.flatnonzero(of.form.steps()), of)


@pytest.mark.slow
@pytest.mark.parametrize("kind", NAMES)
def test_dense_gradients_are_those_of_differences(kind, small):
    form = small.form
    where = np.flatnonzero((form.steps().reshape(form.groups, -1) * of_kind(form, kind)[:, None]).ravel())
    assert_gradient_is_right(small, genome_of(form), where, ScanlineEngine(form, small.target))


@pytest.mark.parametrize("kind", NAMES)
def test_removal_costs_are_exact(kind):
    of = engine(kind, 6)
    genome = genome_of(of.form)
    of.gradient(genome)
    rows, whole = genome.reshape(6, -1), exact_loss(of, genome)
    for i in range(6):
        fewer = ScanlineEngine(of.form.with_kinds((kind,) * 5), of.target)
        assert of.removal[i] == pytest.approx(exact_loss(fewer, np.delete(rows, i, 0).ravel()) - whole, abs=2e-6)


@pytest.mark.parametrize("kind", NAMES)
def test_parameters(kind):
    parameters = shape(kind).parameters
    assert {p.role for p in parameters} <= ROLES
    assert len({p.name for p in parameters}) == len(parameters)
    assert [p.role for p in parameters[:2]] == ["x", "y"]
    if not shape(kind).filled:
        assert parameters[-1].role == "length"  # the stroke's width
    assert shape(kind).name in (kind, f"{kind}:{shape(kind).points(0)}", f"{kind}:{len(parameters) // 2}")


@pytest.mark.parametrize("kind", NAMES)
def test_outline_is_the_same_in_numpy_and_jax_and_for_any_batch(kind):
    of = shape(kind)
    rng = np.random.default_rng(0)
    p = of.sample(rng, rng.random((6, 2)), np.full(6, 0.2))
    assert p.shape == (6, len(of.parameters))
    assert p.dtype == np.float32
    points = of.outline(np, p, 24)
    assert points.shape == (6, of.points(24), 2)
    np.testing.assert_allclose(of.outline(jnp, jnp.asarray(p), 24), points, atol=1e-6)
    np.testing.assert_array_equal(of.outline(np, p.reshape(2, 3, -1), 24).reshape(points.shape), points)


@pytest.mark.parametrize("kind", NAMES)
def test_fresh_shapes_are_about_where_and_as_large_as_asked(kind):
    of, rng, n = shape(kind), np.random.default_rng(1), 400
    centre, size = rng.random((n, 2)), np.exp(rng.uniform(np.log(0.02), np.log(0.5), n))
    p = of.sample(rng, centre, size)
    away = np.linalg.norm(of.outline(np, p, 32) - centre[:, None], axis=-1) / size[:, None]
    assert away.max() < 3
    assert 0.2 < np.median(away.max(1)) < 1.6
    assert np.isfinite(p).all()
    lengths = [i for i, parameter in enumerate(of.parameters) if parameter.role == "length"]
    assert (p[:, lengths] > 0).all()
    again = of.sample(np.random.default_rng(5), centre, size)
    np.testing.assert_array_equal(again, of.sample(np.random.default_rng(5), centre, size))


@pytest.mark.parametrize("kind", NAMES)
def test_svg_numbers_are_plain_and_come_back(kind):
    of, rng = shape(kind), np.random.default_rng(2)
    for p in of.sample(rng, rng.random((20, 2)) * 3 - 1, np.full(20, 0.3)):
        element, attributes = of.svg(p, Numbers(1024))
        assert element in ("polygon", "rect", "circle", "ellipse", "line", "path")
        text = " ".join(attributes.values())
        assert re.fullmatch(r"[MQCZrotate() ,.\d-]+", text)
        numbers = np.array([float(word) for word in re.findall(r"-?\d*\.?\d+", text)])
        # Positions that appear as they are, whatever the element, are the shape's own to a hundredth of a pixel.
        corners = p[: len(p) // 2 * 2].reshape(-1, 2)
        middles = (corners + np.roll(corners, 1, 0)) / 2  # where a blob's arcs meet
        first = np.concatenate([p, of.outline(np, p, 24).ravel(), middles.ravel()]) * 1024
        if element in ("polygon", "line", "path", "circle", "ellipse"):
            assert np.abs(numbers[:2, None] - first).min(1).max() < 0.011


@pytest.mark.parametrize("kind", NAMES)
def test_nothing_is_too_thin_to_see(kind):
    of = shape(kind)
    if not any(parameter.role == "length" for parameter in of.parameters):
        return
    form = ShapesForm((kind,), 1.0, 1.0, (1.0, 1.0, 1.0), (1.0, 1.0))
    p = np.array(
        [{"length": 0.0, "angle": 0.3}.get(parameter.role, 32.5 / 64) for parameter in of.parameters], np.float32
    )
    image = ScanlineEngine(form, target(64, 64)).images(form.encode(p[None], np.float32([[0, 0, 0, 1]]))[None])[0]
    inked = (1 - image).sum() / 3
    assert 0.5 * (SMALLEST * 64) ** 2 < inked < 16 * (SMALLEST * 64) ** 2 + 0.1


@pytest.mark.parametrize("kind", ["circle", "ellipse", "rotated-ellipse"])
@pytest.mark.parametrize("detail", [24, 32, detail_for(4000)])
def test_curves_have_their_true_area(kind, detail):
    of = shape(kind)
    p = np.array([[0.5, 0.4, 0.3, 0.2, 0.7][: len(of.parameters)]], np.float32)
    x, y = of.outline(np, p.astype(np.float64), detail)[0].T
    area = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    assert area == pytest.approx(np.pi * 0.3 * (0.3 if kind == "circle" else 0.2), rel=1e-5)


def test_names():
    assert shape("rotated_rectangle") is shape("rotated-rectangle")
    assert set(MIXED) <= set(SHAPES)
    for family in FAMILIES:
        for corners in CORNERS:
            found = shape(f"{family}:{corners}")
            assert corners in (found.points(0), len(found.parameters) // 2)
        for wrong in (CORNERS[0] - 1, CORNERS[1] + 1, "x", "", "-4", "99999"):
            with pytest.raises(UsageError, match="corners"):
                shape(f"{family}:{wrong}")
    with pytest.raises(UsageError, match="Did you mean triangle"):
        shape("tirangle")


class Diamond:
    """A shape from elsewhere: nothing but what the protocol asks for."""

    name, filled = "diamond", True
    parameters = (*SHAPES["circle"].parameters,)

    def outline(self, xp, p, detail):
        corners = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
        return p[..., None, :2] + xp.abs(p[..., 2])[..., None, None] * corners

    def points(self, detail):
        return 4

    def sample(self, rng, centre, size):
        return np.column_stack([centre, size]).astype(np.float32)


def test_a_new_shape_needs_its_outline_only(monkeypatch):
    monkeypatch.setitem(SHAPES._table(), "diamond", Diamond())
    assert "diamond" in SHAPES
    of = engine("diamond", 3)
    genome = genome_of(of.form)
    assert_gradient_is_right(of, genome, np.flatnonzero(of.form.steps()), of)
    dense = DenseEngine(of.form, of.target).images(genome[None])
    np.testing.assert_allclose(dense, of.images(genome[None]), atol=2e-3)
