"""Stamps: outlines from files as shapes that keep the contract of shapes, and stay in the recipe."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import resvg_py
import shapely
from PIL import Image
from test_shapes import engine, genome_of

import evoart
from evoart.draw.filled import fill_region
from evoart.draw.shapes import shape
from evoart.draw.shapes.stamp import COARSE, POINTS, Stamp, add, area, join, thin, unpack
from evoart.errors import EvoartError, UsageError
from evoart.forms.shapes import ShapesForm
from evoart.run.fields import kinds
from evoart.run.shapes import expand
from evoart.stamps.read import read_letters, read_stamps
from evoart.stamps.region import stamps_of

HEART = "M12 21s-8-5.5-8-11.5A4.5 4.5 0 0 1 12 6a4.5 4.5 0 0 1 8 3.5C20 15.5 12 21 12 21z"
RING = "M0 0H10V10H0ZM3 3V7H7V3Z"  # a square with a square hole
PAGE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{}</svg>'


def write(path, body: str):
    path.write_text(PAGE.format(body), encoding="utf-8")
    return path


@pytest.fixture
def ring(tmp_path) -> Stamp:
    (found,) = read_stamps(str(write(tmp_path / "ring.svg", f'<path d="{RING}"/>')))
    return found


def test_rules_of_filling_agree_with_geometry():
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], float)
    hole = square * 0.4 + 3
    assert fill_region([square, hole[::-1]]).area == pytest.approx(84)  # nonzero, against the outer one
    assert fill_region([square, hole]).area == pytest.approx(100)  # nonzero, along it
    assert fill_region([square, hole], even_odd=True).area == pytest.approx(84)
    star = np.array([[np.sin(a), -np.cos(a)] for a in np.arange(5) * 4 * np.pi / 5])  # crosses itself
    assert fill_region([star]).area > fill_region([star], even_odd=True).area > 0


def test_holes_stay_holes(ring):
    assert len(ring.contours) == 2
    assert abs(area(join([c / 10_000 for c in ring.contours]))) == pytest.approx(4 * 0.84, rel=1e-3)
    assert ring.name.startswith("stamp:ring-")


@pytest.mark.parametrize("detail", [24, 128])
def test_one_polygon_covers_what_the_contours_cover(detail, ring):
    """The bridges between contours enclose nothing."""
    p = np.array([0.5, 0.5, 0.3, 0.4])
    outline = ring.outline(np, p, detail)
    assert len(outline) == ring.points(detail)
    assert abs(area(outline)) == pytest.approx(0.3**2 * 4 * 0.84, rel=2e-3)


def test_two_separate_parts_make_one_stamp():
    (dotted,) = stamps_of(shapely.union_all([shapely.box(0, 0, 2, 2), shapely.box(0, 4, 2, 10)]), "i", "i", mirror=True)
    assert len(dotted.contours) == 2  # symmetric: no mirror image


def test_what_is_not_symmetric_gets_a_mirror_image(tmp_path):
    path = write(tmp_path / "flag.svg", '<path d="M0 0L10 0L10 4L2 4L2 12L0 12Z"/>')
    first, second = read_stamps(str(path))
    assert first.name != second.name
    assert first.label == second.label == "flag"
    assert np.allclose(np.sort(-second.contours[0][:, 0]), np.sort(first.contours[0][:, 0]))


def test_an_outline_is_thinned_and_keeps_its_area():
    angle = np.linspace(0, 2 * np.pi, 900, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    (coarse,) = thin([circle], COARSE)
    assert len(coarse) == COARSE
    assert area(coarse) == pytest.approx(np.pi, rel=1e-3)
    (fine,) = stamps_of(shapely.Polygon(circle), "disc", "disc", mirror=True)
    assert fine.points(128) <= POINTS


def test_the_scanline_engine_and_resvg_show_the_same(tmp_path, ring):
    """One symbol, used; the hole shows what lies beneath."""
    kind = add(ring)
    form = ShapesForm((kind,) * 3, 1.0, 0.75, (0.9, 0.9, 0.8), opacity=(0.0, 1.0))
    scene = form.drawing(genome_of(form, 3))
    text = scene.svg((320, 240))
    assert text.count("<path") == 1
    assert text.count("<use") == 3
    shown = np.asarray(
        Image.open(__import__("io").BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text)))).convert("RGB")
    )
    ours = np.rint(scene.paint((320, 240))[..., :3] * 255)
    assert np.abs(shown - ours).mean() < 0.6


def test_the_dense_engine_agrees(ring):
    from evoart.engine.dense import DenseEngine

    fast = engine(add(ring), 3)
    slow = DenseEngine(fast.form, fast.target)
    genome = genome_of(fast.form, 1)[None]
    assert np.asarray(slow.images(genome)) == pytest.approx(fast.images(genome), abs=2e-3)


def test_a_recipe_keeps_the_outline(ring):
    """Read where nobody knows the stamp: another process."""
    form = ShapesForm((add(ring),) * 2, 1.0, 1.0, (1, 1, 1))
    plain = json.loads(json.dumps(form.to_plain()))
    code = (
        "import json, sys; from evoart.forms.shapes import ShapesForm\n"
        "form = ShapesForm.from_plain(json.load(sys.stdin)); print(form.label, form.geometry)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=json.dumps(plain), capture_output=True, text=True)
    assert done.stdout == "2 stamps of ring 4\n", done.stderr
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).label)"
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(form), capture_output=True)
    assert done.stdout == b"2 stamps of ring\n", done.stderr


@pytest.mark.parametrize(
    "change",
    [
        lambda stamps, name: stamps.update({name: {"contours": [[0, 0, 10, 0, 10, 10]]}}),  # another outline
        lambda stamps, name: stamps[name]["contours"][0].append(1),  # odd
        lambda stamps, name: stamps[name]["contours"][0].extend([10**9, 0]),  # far away
        lambda stamps, name: stamps.update({"stamp:x": stamps.pop(name)}),
        lambda stamps, name: stamps.update({name: []}),
        lambda stamps, name: stamps[name].update(contours=[[0, 0, 1, 0, 1, 1]] * 1000),
    ],
)
def test_a_recipe_with_a_wrong_outline_is_refused(ring, change):
    stamps = {ring.name: ring.to_plain()}
    change(stamps, ring.name)
    with pytest.raises(ValueError, match="stamp|contour"):
        unpack(stamps)


def test_letters_come_upright_from_a_font():
    found = read_letters("LOVE O", None)
    assert [each.label for each in found] == ["l", "o", "v", "e"]
    assert all(each.upright for each in found)
    assert len(found[1].contours) == 2  # the hole of the O
    assert len(found[0].contours) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "has no paths"),
        ('<path d="M0 0L5 5"/>', "nothing that is filled"),
        ('<text x="1" y="9">words</text>', "has no paths"),
        ('<path fill="none" d="M0 0H5V5Z"/>', "has no paths|nothing that is filled"),
        ("<script>alert(1)</script>", "has no paths"),
    ],
)
def test_svgs_without_an_area_are_told_apart(tmp_path, body, says):
    with pytest.raises(EvoartError, match=says):
        read_stamps(str(write(tmp_path / "none.svg", body)))


def test_lines_are_as_wide_as_they_are_drawn(tmp_path):
    path = write(tmp_path / "l.svg", '<path fill="none" stroke="black" stroke-width="2" d="M2 12H22"/>')
    (bar,) = read_stamps(str(path))
    low, high = (np.asarray(bar.contours[0]).min(0), np.asarray(bar.contours[0]).max(0))
    assert (high - low)[1] / (high - low)[0] == pytest.approx(2 / 22, abs=0.01)  # round caps


def test_an_svg_of_very_many_points_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in rng.uniform(0, 24, (30_000, 2)))
    with pytest.raises(EvoartError, match="more than 20,000 points"):
        read_stamps(str(write(tmp_path / "many.svg", f'<polygon points="{points}"/>')))


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("stamp:nowhere.svg", "there is no file 'nowhere.svg'"),
        ("stamp:", "names nothing"),
        ("letters:", "names nothing"),
        ("letters:日", "has no letter"),
        ("stamp:words.txt", "no outline by its extension"),
        ("stamp:heart-0123456789", "is not known here"),
    ],
)
def test_wrong_words_are_answered(tmp_path, monkeypatch, word, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("no outline")
    with pytest.raises(UsageError, match=says):
        expand(kinds("kind", word))


def test_a_broken_font_is_told(tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"\0\1\0\0" + b"x" * 200)
    with pytest.raises(UsageError, match="no font that can be read"):
        read_letters("A", str(tmp_path / "broken.ttf"))


def test_the_silhouette_of_a_picture_is_traced(tmp_path):
    y, x = np.mgrid[:120, :120]
    distance = np.hypot(x - 60, y - 60)
    rgba = np.zeros((120, 120, 4), np.uint8)
    rgba[..., 3] = 255 * ((distance < 50) & (distance > 20))
    Image.fromarray(rgba).save(tmp_path / "tyre.png")
    (tyre,) = read_stamps(str(tmp_path / "tyre.png"))
    assert len(tyre.contours) == 2
    assert abs(area(tyre.outline(np, np.array([0, 0, 50.0, 0]), 128))) == pytest.approx(
        np.pi * (50**2 - 20**2), rel=0.03
    )
    gray = np.full((60, 60, 3), 240, np.uint8)
    gray[20:40, 10:50] = 20
    Image.fromarray(gray).save(tmp_path / "bar.png")
    (bar,) = read_stamps(str(tmp_path / "bar.png"))
    assert len(bar.contours) == 1
    for size, says in (((60, 60), "shows nothing"), ((1, 1), "shows nothing|too small")):
        Image.new("RGB", size, "white").save(tmp_path / "white.png")
        with pytest.raises(EvoartError, match=says):
            read_stamps(str(tmp_path / "white.png"))


def test_a_folder_of_outlines_is_a_mixture(tmp_path):
    write(tmp_path / "a.svg", f'<path d="{HEART}"/>')
    write(tmp_path / "b.svg", f'<path d="{RING}"/>')
    names = expand(kinds("kind", f"stamp:{tmp_path},circle"))
    assert [shape(name).name.rpartition("-")[0] for name in names[:2]] == ["stamp:a", "stamp:b"]
    assert names[-1] == "circle"
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="has no SVG"):
        read_stamps(str(tmp_path / "empty"))


@pytest.mark.slow
def test_a_photograph_in_hearts_is_redone_without_the_file(tmp_path):
    import evoart

    path = write(tmp_path / "heart.svg", f'<path d="{HEART}"/>')
    first = evoart.fit(kind=f"stamp:{path}", shapes=6, seed=1, quality="draft", pixels=64)
    first.save(tmp_path / "cat.svg")
    path.unlink()
    code = (
        "import sys, evoart; kept = evoart.load(sys.argv[1])\n"
        "*_, last = evoart.events(kept.job); last.result.save(sys.argv[2])\n"
        "print(kept.form.label, kept.job.kind)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "cat.svg"), str(tmp_path / "again.svg")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.stdout.startswith("6 stamps of heart stamp:heart-"), done.stderr
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "cat.svg").read_bytes()
    ElementTree.parse(tmp_path / "cat.svg")


@pytest.mark.slow
def test_shapes_stay_inside_a_picture_with_transparency(tmp_path):
    import evoart

    y, x = np.mgrid[:96, :96]
    rgba = np.zeros((96, 96, 4), np.uint8)
    disc = np.hypot(x - 48, y - 48) < 30
    rgba[disc] = (230, 57, 70, 255)
    result = evoart.fit(rgba, kind="ellipse", shapes=3, seed=2, quality="draft", pixels=96)
    assert result.form.background is None
    assert result.job.inside
    image = result.image(96)
    assert image.shape[2] == 4
    assert image[..., 3][~disc].mean() < 0.02
    assert image[..., 3][disc].mean() > 0.97
    assert np.abs(image[disc][:, :3] - np.array([230, 57, 70]) / 255).mean() < 0.03
    painted = evoart.fit(rgba, kind="ellipse", shapes=3, seed=1, quality="draft", pixels=96, inside=False)
    assert painted.form.background is not None


def test_what_stays_inside_excludes_a_background():
    import evoart

    with pytest.raises(UsageError, match="exclude each other"):
        evoart.Job.make(command="fit", inside=True, background="#ff0000")
    with pytest.raises(UsageError, match="opaque everywhere"):
        evoart.fit(np.zeros((8, 8, 3), np.uint8), inside=True)
    with pytest.raises(EvoartError, match="entirely transparent"):
        evoart.fit(np.zeros((8, 8, 4), np.uint8))


@pytest.mark.parametrize("value", ["1,2,3", "10,20,30,40", "0%,0%,0%,10%", "0%,0%,10%,10%:-1", "a%,0%,10%,10%", 5])
def test_a_focus_that_is_none_is_refused(value):
    from evoart.run.fields import focus

    with pytest.raises(UsageError, match="--focus"):
        focus("focus", value)


def test_a_focus_weighs_its_rectangle():
    from evoart.run.fields import focus
    from evoart.run.fit.job import FitJob
    from evoart.run.fit.problem import FitProblem

    assert focus("focus", "50%,0%,50%,100%:3") == ((0.5, 0.0, 0.5, 1.0, 3.0),)
    problem = FitProblem.prepare(FitJob.make(focus=["50%,0%,50%,100%:3"]), np.zeros((32, 32, 3), np.uint8))
    weight = problem.target.weight
    assert weight[:, 16:] == pytest.approx(1.5)
    assert weight[:, :16] == pytest.approx(0.5)


def test_no_shape_hides_in_transparency_what_should_not_be_there():
    """Opaque shapes that reach out of a logo are not painted over in the colour that stands for nothing."""
    y, x = np.mgrid[:48, :48] - 23.5
    inside = np.hypot(x, y) < 20
    photo = np.dstack([np.where(y < x, 0.95, 0.2), np.where(y < x, 0.75, 0.4), np.full((48, 48), 0.3), inside])
    small = {"stages": 2, "cycles": 3, "finish": 10, "effort": 200}
    result = evoart.fit(photo.astype(np.float32), shapes=8, kind="triangle", opacity=(1.0, 1.0), seed=1, options=small)
    rgba = result.image(48)
    assert result.form.background is None
    away = np.abs(result.drawing.rgba[:, None, :3] - photo[inside][:, :3]).sum(-1).min(1)
    assert away.max() < 0.3
    assert rgba[..., 3][np.hypot(x, y) > 23].mean() < 0.3
