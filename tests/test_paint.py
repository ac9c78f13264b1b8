"""Shapes of two colours: every way to draw them agrees, and a fit with them is a fit like any other."""

from __future__ import annotations

import io

import numpy as np
import pytest
import resvg_py
from PIL import Image

import evoart
from evoart.draw.shapes import shape
from evoart.draw.shapes.stamp import Stamp, add
from evoart.engine.placement import PlacementCanvas
from evoart.engine.scanline import ScanlineEngine
from evoart.errors import UsageError
from evoart.forms.shapes import ShapesForm
from evoart.output.formats import Artwork, encode
from evoart.run.fit import edits
from evoart.score.pixel import Target
from evoart.search.adam import Adam

ARROW = add(Stamp("arrow", [np.array([[-10_000, -6000], [10_000, 0], [-10_000, 6000], [-4000, 0]])]))
KINDS = ("triangle~linear", "rotated-ellipse~radial", "line", f"{ARROW}~linear", "rotated-rectangle~linear", "triangle")
SMALL = {"stages": 2, "cycles": 1, "finish": 10, "effort": 60}


def form_of(kinds: tuple[str, ...] = KINDS, columns: int = 0) -> ShapesForm:
    return ShapesForm(kinds, 1.0, 0.75, (0.9, 0.9, 0.8), opacity=(0.0, 1.0), columns=columns)


@pytest.fixture(scope="module")
def scene():
    form = form_of()
    return form.drawing(form.random(np.random.default_rng(0)))


@pytest.fixture(scope="module")
def canvas():
    form = form_of()
    y, x = np.mgrid[:30, :40] / 40
    image = np.stack([0.2 + 0.6 * x, 0.3 + 0.5 * y, 0.5 + 0.3 * np.sin(5 * x * y)], -1).astype(np.float32)
    return PlacementCanvas(form, Target(image, np.ones((30, 40), np.float32)))


def rows_of(form: ShapesForm, seed: int = 1) -> np.ndarray:
    return form.random(np.random.default_rng(seed)).reshape(form.groups, -1)


def on(picture: np.ndarray) -> np.ndarray:
    return np.rint(picture[..., :3] * 255)


def test_svg_and_pdf_show_what_is_drawn(scene):
    """Also where the gradient lies in the space of a turned, scaled element, and fades."""
    text = scene.svg((320, 240))
    assert text.count("<linearGradient") == 3
    assert text.count("<radialGradient") == 1
    shown = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text)))).convert("RGB")
    assert np.abs(np.asarray(shown) - on(scene.paint((320, 240)))).mean() < 0.6
    pdfium = pytest.importorskip("pypdfium2")
    page = pdfium.PdfDocument(encode("pdf", Artwork(scene, (320, 240))))[0].render(scale=96 / 72).to_pil()
    assert np.abs(np.asarray(page.convert("RGB")) - on(scene.paint((320, 240)))).mean() < 1.2


def test_a_clipped_svg_has_the_same_colours(scene):
    from evoart.draw.scene import svg

    cut = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg(scene, (320, 240), clip="cut")))))
    assert np.abs(np.asarray(cut.convert("RGB")) - on(scene.paint((320, 240)))).mean() < 0.8


def test_strips_make_the_whole(scene):
    strips = [scene.paint((40, 30), (y, y + 6)) for y in range(0, 30, 6)]
    np.testing.assert_allclose(np.concatenate(strips), scene.paint((40, 30)), atol=1e-5)


def test_the_derivative_is_the_slope(canvas):
    form = form_of()
    engine, genome = ScanlineEngine(form, canvas.target), rows_of(form).ravel()
    slope = engine.gradient(genome)[1].reshape(form.groups, -1)
    for k, kind in enumerate(map(shape, form.kinds)):
        if not hasattr(kind, "first"):
            continue
        for j in range(kind.first, len(kind.parameters)):
            at = k * form.dim_per_group + j
            moved = np.repeat(genome[None], 2, 0)
            moved[:, at] += np.float32([2e-3, -2e-3])
            more, less = engine.losses(moved).astype(float)
            assert slope[k, j] == pytest.approx((more - less) / (moved[0, at] - moved[1, at]), abs=4e-4)
    assert np.abs(slope[0, 6:14]).min() > 0


def test_all_steps_in_one_call_are_the_steps_one_by_one(canvas):
    form = form_of()
    rows = rows_of(form)
    rates = np.full(rows.shape, 0.004, np.float32)
    together, alone = Adam(rows, rates, 12), Adam(rows, rates, 12)
    assert canvas.polish(form.kinds, together, 13)
    while not alone.done:
        decoded = lambda rows: np.concatenate(form.decode(np, rows.ravel()), -1)  # noqa: E731
        alone.step(lambda rows: canvas.gradient(form.kinds, rows)[:2], decoded)
    assert together.loss < 0.9 * canvas.gradient(form.kinds, rows)[0]
    assert together.loss == pytest.approx(alone.loss, rel=1e-3)
    np.testing.assert_allclose(
        canvas.removal(form.kinds, rows), canvas.gradient(form.kinds, rows)[2], rtol=1e-3, atol=1e-6
    )


def test_the_dense_program_draws_the_same(canvas):
    from evoart.engine.dense import DenseEngine

    form = form_of(("triangle~linear", "triangle~radial"))
    genomes = np.stack([rows_of(form, seed).ravel() for seed in (1, 2)])
    dense, host = DenseEngine(form, canvas.target), ScanlineEngine(form, canvas.target)
    np.testing.assert_allclose(dense.images(genomes), host.images(genomes), atol=2e-3)
    slope = host.gradient(genomes[0])[1]
    np.testing.assert_allclose(dense.gradient(genomes[0])[1], slope, atol=2e-2 * np.abs(slope).max())


@pytest.mark.parametrize("paint", ["linear", "radial"])
def test_a_ramp_is_found_in_closed_form(paint):
    """A shape over a picture that is such a ramp itself."""
    form = form_of(("rectangle",), 12)
    y, x = (np.mgrid[:30, :40] + 0.5) / 40
    share = (x + 2 * y) / 2.5 if paint == "linear" else np.hypot(x - 0.5, y - 0.375) / 0.625
    image = (0.1 + 0.8 * share[..., None] * np.float32([1, 0.5, 0.8])).astype(np.float32)
    canvas = PlacementCanvas(form, Target(image, np.ones((30, 40), np.float32)))
    canvas.open((), np.zeros((0, 16), np.float32))
    row = np.zeros(4 + 8 + 4, np.float32)
    row[:4], row[-4:] = (0.5, 0.375, 0.5, 0.375), (0.5, 0.5, 0.5, 1)
    kind, ramped = canvas.fit_ramp("rectangle", row, (paint,))
    assert kind == f"rectangle~{paint}"
    assert canvas.evaluate((kind,), ramped[None])[1] > 45
    both, _ = canvas.fit_ramp("rectangle", row, ("linear", "radial"))
    assert both == kind


def test_strokes_and_small_shapes_keep_one_colour(canvas):
    width = canvas.form.dim_per_group
    canvas.open((), np.zeros((0, width), np.float32))
    line = np.float32([0.1, 0.1, 0.9, 0.6, 0.1] + [0] * (width - 5))
    assert canvas.fit_ramp("line", line, ("linear",))[0] == "line"
    tiny = np.float32([0.5, 0.4, 0.01, 0.01] + [0] * (width - 5) + [1])
    assert canvas.fit_ramp("rectangle", tiny, ("linear",))[0] == "rectangle"


def test_edits_paint_all_of_a_shape():
    rows = rows_of(form_of())
    kinds, painted = edits.apply((KINDS, rows), ["colour 1 #ff0000", "opacity 2 0.5"], lambda shapes: np.zeros(6))
    assert kinds[:2] == ("triangle", KINDS[1])
    np.testing.assert_allclose(painted[0, -4:-1], (1, 0, 0))
    assert painted[1, -1] == painted[1, shape(KINDS[1]).first + 7] == 0.5


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A picture of few shapes, as SVG."""
    folder = tmp_path_factory.mktemp("paint")
    y, x = np.mgrid[:24, :32] / 32
    photo = np.stack([x, 0.5 + y / 2, 1 - x], -1).astype(np.float32)
    result = evoart.fit(photo, shapes=4, kind="rectangle", paint="auto", pixels=32, seed=3, options=SMALL)
    (path,) = result.save(folder / "a.svg")
    return result, path, photo


def test_a_fit_uses_two_colours_and_is_better_for_it(fitted):
    result, _, photo = fitted
    assert any("~" in kind for kind in result.form.kinds)
    flat = evoart.fit(photo, shapes=4, kind="rectangle", pixels=32, seed=3, options=SMALL)
    assert result.psnr > flat.psnr + 1
    assert result.form.label == "4 rectangles"


def test_a_fit_is_the_same_again_and_is_read_from_its_file(fitted):
    result, path, photo = fitted
    again = evoart.fit(photo, shapes=4, kind="rectangle", paint="auto", pixels=32, seed=3, options=SMALL)
    np.testing.assert_array_equal(again.genome, result.genome)
    kept = evoart.load(path)
    assert kept.job.paint == "auto"
    np.testing.assert_array_equal(kept.drawing.paint((32, 24)), result.drawing.paint((32, 24)))
    more = evoart.fit(photo, shapes=5, start=str(path), paint="linear", pixels=32, seed=3, options=SMALL)
    assert more.psnr > result.psnr - 0.1


def test_machines_draw_the_mean_of_two_colours():
    from evoart.machine.planar import scene_items

    form = form_of(("rectangle~linear",))
    row = np.float32([[0.5, 0.4, 0.3, 0.2, 0.2, 0.4, 0.8, 0.4, 1, 0, 0, 1, 0, 0, 1, 1]])
    (item,) = scene_items(form.drawing(row.ravel()), 100.0)
    assert item.rgba == pytest.approx((0.5, 0, 0.5, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"paint": "stripes"}, "stripes"),
        ({"paint": "linear", "palette": 4}, "--palette"),
        ({"paint": "linear", "search": "sets"}, "--paint"),
        ({"paint": "radial", "kind": "line,cubic"}, "strokes have one colour"),
        ({"kind": "triangle~linear"}, "-k triangle --paint linear"),
    ],
)
def test_what_does_not_go_together_is_said(options, message):
    photo = np.zeros((8, 8, 3), np.float32)
    with pytest.raises(UsageError) as caught:
        evoart.fit(photo, shapes=2, **options)
    assert message in str(caught.value)


def test_the_kernels_of_gpus_refuse_two_colours(canvas):
    from evoart.engine.pallas import PallasEngine

    with pytest.raises(UsageError, match="two colours"):
        PallasEngine(form_of(("triangle~linear",)), canvas.target)
