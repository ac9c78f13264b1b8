"""Morphs and films of shapes in motion: who becomes whom, where they begin and end, and that nothing jumps."""

from __future__ import annotations

import io
import itertools
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from fakes import SHOWN
from PIL import Image

import evoart
from evoart.cli.app import run
from evoart.draw.match import agree, describe, pair_shapes, transport
from evoart.draw.morph import EASINGS, Frames, Morph, cover
from evoart.draw.motion import STYLES, Motion, animated_svg
from evoart.draw.scene import Scene
from evoart.draw.shapes import SHAPES, shape
from evoart.errors import UsageError
from evoart.forms.shapes import ShapesForm
from evoart.output.formats import Artwork, Options, encode
from evoart.run.result import Result

SIZE = (48, 36)
RECIPES = Path(__file__).parent / "recipes"
SVG = "{http://www.w3.org/2000/svg}"


def scene(kinds, seed=0, width=1.0, height=0.75, background=(0.9, 0.8, 0.7)) -> Scene:
    form = ShapesForm(tuple(kinds), width, height, background)
    return form.drawing(form.random(np.random.default_rng(seed)))


def pixels(drawing, size=SIZE) -> np.ndarray:
    return drawing.paint(size)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two pictures of shapes with their recipes, of 3 and of 5 shapes, and one of 2 that is upright."""
    monkeypatch.chdir(tmp_path)
    for name, kinds, seed, extent in (
        ("a", ["triangle"] * 3, 1, (1.0, 0.75)),
        ("b", ["triangle", "ellipse", "line", "triangle", "circle"], 2, (1.0, 0.75)),
        ("tall", ["circle"] * 2, 3, (0.75, 1.0)),
    ):
        form = ShapesForm(tuple(kinds), *extent, (0.5, 0.5, 0.4))
        genome = form.random(np.random.default_rng(seed))
        job = evoart.Job.make(picture="x.jpg", shapes=len(kinds), seed=seed)
        Result(job, form, genome, (64, 48) if extent[0] == 1 else (48, 64), {}, 1, 1, 0.0).save(f"{name}.svg")
    return tmp_path


# Who becomes whom


@pytest.mark.parametrize(("n", "m"), [(4, 4), (3, 6), (6, 3), (1, 5)])
def test_pairs_are_the_best_of_all(n, m):
    rng = np.random.default_rng(n + 10 * m)
    a, b = rng.normal(size=(n, 8)), rng.normal(size=(m, 8))
    cost = ((a[:, None] - b[None]) ** 2).sum(-1)
    if n > m:
        cost = cost.T
    best = min(
        sum(cost[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(max(n, m)), min(n, m))
    )
    pairs = transport(a, b)
    assert len(pairs) == min(n, m) == len({i for i, _ in pairs}) == len({j for _, j in pairs})
    assert sum(((a[i] - b[j]) ** 2).sum() for i, j in pairs) == pytest.approx(best)


def test_many_shapes_are_matched_in_parts(monkeypatch):
    monkeypatch.setattr("evoart.draw.match.MOST", 10)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(35, 8)), rng.normal(size=(28, 8))
    pairs = transport(a, b)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert len(pairs) >= 26


def test_a_scene_becomes_itself_without_a_move():
    kinds = ["triangle", "rotated-ellipse", "line", "circle", "blob:5"] * 3
    one = scene(kinds)
    assert pair_shapes(one, one) == [(i, i) for i in range(len(kinds))]


def test_kinds_keep_to_themselves_first():
    a, b = scene(["triangle"] * 3 + ["circle"] * 2), scene(["circle"] * 3 + ["triangle"] * 2, 1)
    pairs = pair_shapes(a, b)
    assert len(pairs) == 5
    alike = sum(a.kinds[i] == b.kinds[j] for i, j in pairs)
    assert alike == 4  # the fifth is a triangle that becomes a circle


def test_what_is_described_is_place_size_colour_and_layer():
    one = scene(["circle"] * 2)
    geometry = np.array([[0.2, 0.3, 0.1], [0.4, 0.3, 0.2]], np.float32)
    rows = describe(Scene(one.kinds, geometry, one.rgba, None, 1.0, 0.75))
    assert rows[1, 0] - rows[0, 0] == pytest.approx(0.2 / 0.2, rel=1e-3)
    assert rows[1, 2] - rows[0, 2] == pytest.approx(np.log(2) / 0.7, rel=1e-3)
    assert rows[1, 7] > rows[0, 7]


@pytest.mark.parametrize("name", [*SHAPES, "polygon:7", "blob:4", "regular:5"])
def test_parameters_agree_and_show_the_same_shape(name):
    """However a shape is written down, what it becomes is the shape itself."""
    rng = np.random.default_rng(3)
    p, q = shape(name).sample(rng, np.full((2, 2), 0.5), np.full(2, 0.3))
    kind, _, found = agree(name, p, name, q)
    assert kind == name
    shown = [
        Scene((name,), np.float32(each)[None], np.float32([[0, 0, 0, 1]]), (1.0, 1.0, 1.0), 1, 1) for each in (q, found)
    ]
    np.testing.assert_allclose(*[pixels(each, (64, 64)) for each in shown], atol=2e-3)


def test_an_ellipse_takes_the_short_way():
    p = np.array([0.5, 0.5, 0.3, 0.1, 0.1])
    quarter = np.array([0.5, 0.5, 0.1, 0.3, 0.1 + np.pi / 2])  # the same, its sides swapped
    np.testing.assert_allclose(agree("rotated-ellipse", p, "rotated-ellipse", quarter)[2], p, atol=1e-9)
    around = p + (0, 0, 0, 0, 5 * np.pi)
    np.testing.assert_allclose(agree("rotated-ellipse", p, "rotated-ellipse", around)[2], p, atol=1e-9)


@pytest.mark.parametrize(("one", "other"), [("line", "cubic"), ("triangle", "circle"), ("line", "rectangle")])
def test_different_kinds_meet_in_one_that_shows_both(one, other):
    rng = np.random.default_rng(5)
    places = [shape(name).sample(rng, np.full((1, 2), 0.5), np.full(1, 0.3))[0] for name in (one, other)]
    kind, *found = agree(one, places[0], other, places[1])
    for name, before, after in zip((one, other), places, found, strict=True):
        black = np.float32([[0, 0, 0, 1]])
        a = Scene((name,), np.float32(before)[None], black, (1.0, 1.0, 1.0), 1, 1)
        b = Scene((kind,), np.float32(after)[None], black, (1.0, 1.0, 1.0), 1, 1)
        assert np.abs(pixels(a, (64, 64)) - pixels(b, (64, 64))).mean() < 0.01


# The way


@pytest.mark.parametrize("background", [(0.9, 0.8, 0.7), None])
def test_a_morph_begins_and_ends_with_its_pictures(background):
    a, b = scene(["triangle"] * 6), scene(["triangle"] * 4 + ["line", "ellipse"] * 3, 1, background=background)
    morph = Morph(a, b)
    np.testing.assert_array_equal(pixels(morph.at(0.0)), pixels(a))
    np.testing.assert_array_equal(pixels(morph.at(1.0)), pixels(b))
    # Right after the beginning and right before the end it is nearly the same: nothing jumps, layers neither.
    assert np.abs(pixels(morph.at(1e-3)) - pixels(a)).mean() < 0.02
    assert np.abs(pixels(morph.at(1 - 1e-3)) - pixels(b)).mean() < 0.02


def test_layers_change_without_a_jump():
    """Two opaque shapes that change places in the order of layers: between any two pictures little changes."""
    a = scene(["rectangle"] * 2)
    geometry = np.float32([[0.4, 0.4, 0.2, 0.2], [0.5, 0.4, 0.2, 0.2]])
    rgba = np.float32([[1, 0, 0, 1], [0, 0, 1, 1]])
    a = Scene(a.kinds, geometry, rgba, a.background, 1.0, 0.75)
    b = Scene(a.kinds, geometry[::-1].copy(), rgba[::-1].copy(), a.background, 1.0, 0.75)
    shown = [pixels(Morph(a, b, "linear").at(t)) for t in np.linspace(0, 1, 21)]
    assert np.abs(shown[-1] - shown[0]).max() > 0.9
    assert max(np.abs(after - before).max() for before, after in itertools.pairwise(shown)) < 0.2


def test_a_loop_has_no_seam_and_turns_at_the_other_picture():
    a, b = scene(["triangle"] * 5), scene(["triangle"] * 5, 1)
    frames = Frames(Morph(a, b), True, 40)
    np.testing.assert_array_equal(pixels(frames[39]), pixels(a))
    np.testing.assert_array_equal(pixels(frames[19]), pixels(b))
    np.testing.assert_allclose(pixels(frames[9]), pixels(frames[29]), atol=1e-6)
    steps = [np.abs(pixels(frames[i]) - pixels(frames[(i + 1) % 40])).mean() for i in range(40)]
    assert steps[39] <= max(steps[:39])


@pytest.mark.parametrize("name", EASINGS)
def test_an_easing_is_its_spline(name):
    """The formula and the Bezier curve that SMIL is told agree."""
    formula, spline = EASINGS[name]
    x0, y0, x1, y1 = (float(value) for value in spline.split())
    u = np.linspace(0, 1, 101)
    x, y = (3 * (1 - u) ** 2 * u * p + 3 * (1 - u) * u**2 * q + u**3 for p, q in ((x0, x1), (y0, y1)))
    np.testing.assert_allclose([formula(t) for t in x], y, atol=1e-3)


def test_another_extent_is_covered_from_the_middle():
    tall = scene(["circle"], width=0.75, height=1.0)
    wide = cover(tall, 1.0, 0.75)
    assert (wide.width, wide.height) == (1.0, 0.75)
    whole = pixels(tall, (60, 80))
    np.testing.assert_allclose(pixels(wide, (60, 45)), whole[17:62], atol=0.35)
    assert np.abs(pixels(wide, (60, 45)) - whole[17:62]).mean() < 0.02


# SVG that moves


def test_a_morph_as_svg_is_sound_and_shows_its_first_picture_where_nothing_moves():
    resvg_py = pytest.importorskip("resvg_py")
    a, b = scene(["rotated-ellipse", "triangle", "line"] * 3), scene(["triangle", "circle", "quadratic"] * 3, 1)
    text = Morph(a, b).animated_svg((96, 72), 3.0, 1.0, "A <b>", "{}")
    root = ElementTree.fromstring(text)
    assert "<script" not in text
    names = {element.get("id") for element in root.iter() if element.get("id")}
    used = {element.get("href")[1:] for element in root.iter(f"{SVG}use")}
    assert used <= names
    assert len(used) == 9
    for element in root.iter(f"{SVG}animate"):
        values = [re.sub(r"[\d.-]+", "0", value) for value in element.get("values").split(";")]
        if element.get("attributeName") in ("d", "points"):
            assert len(set(values)) == 1  # only what is built alike can be moved
        assert len(values) == len(element.get("keyTimes").split(";")) == len(element.get("keySplines").split(";")) + 1
    still = resvg_py.svg_to_bytes(svg_string=text)
    image = np.asarray(Image.open(io.BytesIO(bytes(still))).convert("RGB"), float) / 255
    assert np.abs(image - pixels(a, (96, 72))[..., :3]).mean() < 0.01


def test_a_browser_shows_the_ends_of_what_moves(page):
    """Chromium's own clock, stopped at the beginning, in the middle and at the end."""
    a, b = scene(["rotated-ellipse", "triangle", "line"] * 3), scene(["triangle", "circle", "quadratic"] * 3, 1)
    page.set_viewport_size({"width": 96, "height": 72})

    def shown(text: str, time: float) -> np.ndarray:
        page.set_content(f'<body style="margin:0;overflow:hidden">{text}</body>')
        page.evaluate(
            "async t => { const s = document.querySelector('svg'); s.pauseAnimations(); s.setCurrentTime(t);"
            " for (const a of document.getAnimations()) { a.pause(); a.currentTime = 1000 * t }"
            " for (let k = 0; k < 2; k += 1) await new Promise(requestAnimationFrame); }",  # until it is painted
            time,
        )
        return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), float) / 255

    morph = Morph(a, b)
    text = morph.animated_svg((96, 72), 2.0, 1.0)
    for time, drawing in ((0.0, a), (1.0, morph.at(0.5)), (2.5, b)):
        assert np.abs(shown(text, time) - pixels(drawing, (96, 72))[..., :3]).mean() < 0.012
    for style in STYLES:
        motion, text = Motion(a, style), animated_svg(a, style, (96, 72), 2.0, 1.0)
        assert np.abs(shown(text, 1.0) - pixels(motion.at(0.5), (96, 72))[..., :3]).mean() < 0.015
        if style != "explode":
            assert np.abs(shown(text, 2.5) - pixels(a, (96, 72))[..., :3]).mean() < 0.01


@pytest.mark.parametrize("style", STYLES)
def test_shapes_in_motion_come_to_rest_as_the_picture(style):
    one = scene(["triangle", "line", "circle", "regular:5"] * 2)
    motion = Motion(one, style)
    assert motion.at(1.0) is one
    assert np.abs(pixels(motion.at(0.5)) - pixels(one)).mean() > 0.01
    assert (motion.at(0.0) is one) == motion.loop
    assert encode("animated-svg", Artwork(one, SIZE), Options(film_style=style)).startswith(b"<svg")


def test_there_and_back_has_no_seam():
    one = scene(["triangle"] * 6)
    data = encode("apng", Artwork(one, SIZE), Options(film_style="grow", film_loop=True, film_seconds=3, film_hold=1))
    film = Image.open(io.BytesIO(data))
    shown = []
    for i in range(film.n_frames):
        film.seek(i)
        shown.append(np.asarray(film.convert("RGB"), float))
    ends = [np.abs(each - pixels(one)[..., :3] * 255).max() for each in shown]
    assert min(ends) <= 0.51
    assert 0.3 < np.argmin(ends) / len(shown) < 0.7
    assert np.abs(shown[0] - shown[-1]).mean() <= max(np.abs(y - x).mean() for x, y in itertools.pairwise(shown))


def test_the_photograph_is_shown_next_to_the_picture():
    one, photograph = scene(["triangle"] * 3), np.zeros((30, 40, 3), np.float32)
    art = Artwork(one, SIZE, photograph=lambda: photograph)
    data = encode("apng", art, Options(film_style="grow", side_by_side=True, film_seconds=0.5))
    film = Image.open(io.BytesIO(data))
    film.seek(film.n_frames - 1)
    image = np.asarray(film.convert("RGB"), float) / 255
    assert image.shape[1] > 2 * SIZE[0]
    assert image[:, : SIZE[0] - 1].max() == 0
    np.testing.assert_allclose(image[:, -SIZE[0] :], pixels(one)[..., :3], atol=0.01)
    with pytest.raises(UsageError, match="no photograph"):
        encode("gif", Artwork(one, SIZE), Options(side_by_side=True))


def test_only_shapes_fly():
    form = SHOWN["cppn"]()
    drawing = form.drawing(form.random(np.random.default_rng(0)))
    with pytest.raises(UsageError, match="shapes only"):
        encode("gif", Artwork(drawing, SIZE), Options(film_style="glide"))


# The command


def test_a_film_from_one_picture_to_another(folder, capsys):
    words = ["--film-size", "32", "--film-time", "0.5s", "-q"]
    assert run(["morph", "a.svg", "b.svg", "-o", "m.apng", "-o", "m.anim.svg", *words]) == 0
    with Image.open("m.apng") as film:
        for at, name in ((0, "a.svg"), (film.n_frames - 1, "b.svg")):
            film.seek(at)
            shown = np.asarray(film.convert("RGB"), np.float32) / 255
            np.testing.assert_allclose(shown, evoart.load(name).image(32), atol=1e-6)
    assert evoart.load("m.anim.svg").job.pictures == ("a.svg", "b.svg")
    # The recipe makes the same bytes again; it keeps the loop, the easing and the proportions too.
    assert run(["redo", "m.apng", "-o", "again.apng", *words]) == 0
    assert (folder / "again.apng").read_bytes() == (folder / "m.apng").read_bytes()
    assert run(["morph", "a.svg", "tall.svg", "-o", "t.anim.webp", "--loop", "--aspect", "1:1", *words]) == 0
    assert evoart.load("t.anim.webp").job.loop
    with Image.open("t.anim.webp") as film:
        assert film.size == (32, 32)
    capsys.readouterr()
    assert run(["morph", "a.svg", "tall.svg", "-o", "u.gif", "--film-size", "32", "--film-time", "0.5s"]) == 0
    assert "cropped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.svg", "foreign.svg"], "foreign.svg"),
        (["a.svg", "missing.svg"], "missing.svg"),
        (["a.svg", str(RECIPES / "cppn-02.png")], "only shapes"),
        (["a.svg", "b.svg", "-o", "m.pdf"], "cannot be a film"),
        (["a.svg", "b.svg", "-o", "m.xyz"], "extension"),
        (["a.svg", "b.svg", "--film-time", "0"], "--film-time"),
        (["a.svg", "b.svg", "--film-fps", "0"], "--film-fps"),
        (["a.svg", "b.svg", "--easing", "bouncy"], "easing"),
        (["a.svg", "b.svg", "--aspect", "wide"], "--aspect"),
        (["a.svg"], "LAST"),
    ],
)
def test_wrong_input_is_one_line(folder, words, said, capsys):
    (folder / "foreign.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><circle r="3"/></svg>')
    capsys.readouterr()
    assert run(["morph", *words]) in (1, 2)
    line = capsys.readouterr().err.strip()
    assert said.lower() in line.lower()
    assert "\n" not in line


def test_films_of_a_finished_picture(folder, capsys):
    words = ["--film-size", "32", "--film-time", "0.5s", "-q"]
    assert run(["render", "a.svg", "-o", "a.gif", "-o", "a.anim.svg", *words]) == 0
    with Image.open("a.gif") as film:
        assert film.n_frames > 2
    assert run(["render", "a.svg", "-o", "x.gif", "--film-style", "evolve"]) == 2
    assert "redo" in capsys.readouterr().err
    assert run(["render", "a.svg", "-o", "x.png", "--film-style", "glide"]) == 2
    assert "no output is one" in capsys.readouterr().err
