"""Files for plotters and cutters: geometry against brute force, files against other readers, bad input in one line."""

from __future__ import annotations

import io
import itertools
import json
import re

import numpy as np
import pytest
import resvg_py
import shapely
import svgelements
from PIL import Image

import evoart
from evoart.cli import drawings
from evoart.cli.app import run
from evoart.draw.scene import Scene
from evoart.errors import EvoartError, UsageError
from evoart.forms.shapes import ShapesForm
from evoart.machine import cut, cutfile, files, hatch, order, paper, pens, planar, profiles, route
from evoart.machine import plot as plots
from evoart.run.fields import colour
from evoart.run.fit.palette import choose
from evoart.run.job import Job
from evoart.run.result import Result
from evoart.score.pixel import oklab
from evoart.sketch.svgfile import read_painting

KINDS = ("triangle", "rotated-ellipse", "line", "polygon:5", "triangle", "circle", "quadratic", "rectangle") * 4
FORM = ShapesForm(KINDS, 1.0, 0.75, (0.9, 0.85, 0.7))
SCALE = 160.0  # mm a unit
FRAME = (0.0, 0.0, 160.0, 120.0)
RED, BLACK = pens.Pen("red", (1.0, 0.0, 0.0), 0.5), pens.Pen("black", (0.0, 0.0, 0.0), 0.3)


def scene(seed: int = 3) -> Scene:
    drawing = FORM.drawing(FORM.random(np.random.default_rng(seed)))
    return drawing


@pytest.fixture(scope="module")
def flat():
    return planar.overlay(planar.scene_items(scene(), SCALE), FRAME, scene().background)


@pytest.fixture
def picture(tmp_path):
    """A result as a file."""
    genome = FORM.random(np.random.default_rng(3))
    job = Job.make(picture="photo.jpg", sha256="00", shapes=len(KINDS), kind="mixed", seed=1)
    result = Result(job, FORM, genome, (160, 120), figures={}, generations=1, evaluations=1, seconds=0.0)
    return result.save(tmp_path / "art-shapes.svg")[0]


def centres(w: int, h: int) -> np.ndarray:
    """Pixel centres ``(h * w, 2)`` in mm."""
    x, y = np.meshgrid((np.arange(w) + 0.5) / w * FRAME[2], (np.arange(h) + 0.5) / h * FRAME[3])
    return np.stack([x.ravel(), y.ravel()], -1)


def covering(shapes: list, points: np.ndarray) -> np.ndarray:
    """How many of ``shapes`` hold each point."""
    found = shapely.STRtree(shapely.points(points)).query(np.array(shapes, object), predicate="contains")[1]
    return np.bincount(found, minlength=len(points))


# Faces


def test_faces_are_what_the_rasteriser_paints(flat):
    """Face by face the same picture as the scanline engine's, at the centre of every pixel that no outline crosses."""
    w, h = 320, 240
    image = scene().paint((w, h))[..., :3].reshape(-1, 3)
    faces, points = shapely.STRtree(shapely.points(centres(w, h))).query(flat.faces, predicate="contains")
    assert len(points) == len(set(points.tolist()))
    assert len(points) > 0.999 * w * h
    wrong = np.abs(flat.colours[faces] - image[points]).max(1) > 0.02
    edges = shapely.unary_union(shapely.boundary(flat.faces))
    assert wrong.mean() < 0.1
    assert shapely.distance(shapely.points(centres(w, h)[points[wrong]]), edges).max() < 0.5 * np.hypot(0.5, 0.5) + 0.01


def test_faces_cover_the_frame_once(flat):
    assert shapely.area(flat.faces).sum() == pytest.approx(160 * 120, rel=1e-9)
    assert shapely.coverage_is_valid(flat.faces)


def test_the_area_of_a_colour_is_what_a_brute_count_says(flat):
    light = flat.colours.mean(1) > 0.5
    mask = scene().paint((1280, 960))[..., :3].mean(-1) > 0.5
    assert shapely.area(flat.faces[light]).sum() / (160 * 120) == pytest.approx(mask.mean(), abs=0.004)


@pytest.mark.parametrize("even_odd", [True, False])
def test_rings_are_filled_as_resvg_fills_them(even_odd):
    rng = np.random.default_rng(1)
    rings = [rng.random((7, 2)) * 100 for _ in range(3)]
    data = " ".join("M" + " ".join(f"{x:.6f},{y:.6f}" for x, y in ring) + "Z" for ring in rings)
    rule = "evenodd" if even_odd else "nonzero"
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400" viewBox="0 0 100 100">'
    svg = f'{head}<path d="{data}" fill-rule="{rule}"/></svg>'
    alpha = np.asarray(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))))[..., 3]
    assert planar.fill(rings, even_odd).area == pytest.approx(alpha.mean() / 255 * 1e4, rel=0.003)


def test_what_is_hidden_is_not_drawn():
    line = planar.Item(shapely.LineString([(0, 50), (100, 50)]), (0, 0, 0, 1), planar.LINE)
    over = planar.Item(shapely.box(20, 20, 60, 80), (1, 1, 1, 1))
    through = planar.Item(shapely.box(70, 20, 80, 80), (1, 0, 0, 0.5))
    seen = planar.overlay([line, over, through], (0, 0, 100, 100), None)
    assert sorted(part.length for part in seen.lines) == pytest.approx([20, 40])
    assert sum(part.length for part in planar.overlay([over, line], (0, 0, 100, 100), None).lines) == 100


def test_traced_pixels_keep_their_areas():
    y, x = np.mgrid[:200, :300]
    labels = ((x - 150) ** 2 + (y - 100) ** 2 < 70**2).astype(int)
    labels[:20, :20] = -1
    found = planar.trace(labels, np.array([[1, 1, 1], [0, 0, 0]], float), (0, 0, 300, 200))
    disc = found.faces[found.colours[:, 0] == 0]
    assert shapely.area(disc).sum() == pytest.approx(np.pi * 70**2, rel=0.01)
    assert shapely.area(found.faces).sum() == pytest.approx(300 * 200 - 400, abs=25)  # a rounded corner
    turns = np.diff(np.unwrap(np.arctan2(*np.diff(shapely.get_coordinates(disc[0].exterior), axis=0).T)))
    assert np.degrees(np.abs(turns)).max() < 50  # no stairs


# Pens and hatching


def test_mixtures_look_like_the_colours():
    grays = np.repeat(np.linspace(0, 1, 9)[:, None], 3, 1)
    levels = pens.choose_levels(grays, [BLACK])
    assert levels[0, 0] == pens.PERIOD
    assert levels[-1, 0] == 0
    assert (np.diff(levels[:, 0]) <= 0).all()
    assert pens.choose_levels(np.array([[1.0, 0, 0]]), [BLACK, RED]).tolist() == [[0, pens.PERIOD]]
    four = pens.read_pens("cmyk", colour)
    wanted = np.random.default_rng(0).uniform(0.3, 0.9, (50, 3))
    chosen = pens.choose_levels(wanted, four)
    share = pens.coverage(chosen, False)
    light = np.prod([1 - share[:, [k]] * (1 - np.array(pen.rgb)) for k, pen in enumerate(four)], 0)
    alone = pens.choose_levels(wanted, four[-1:])
    plain = 1 - pens.coverage(alone, False) * (1 - np.array(four[-1].rgb))

    def error(colours):
        return np.linalg.norm(oklab(np, colours) - oklab(np, wanted), axis=1).mean()

    assert error(light) < 0.03 < 0.08 < error(plain)
    assert pens.choose_levels(np.zeros((1, 3)), [BLACK], darkest=0.5)[0, 0] == 8


@pytest.mark.parametrize("pattern", hatch.PATTERNS)
@pytest.mark.parametrize("level", [4, 8])
def test_hatching_covers_as_much_as_it_should(pattern, level):
    """The ink of a disc in two halves, as the area of its strokes with their width."""
    disc = shapely.Point(60, 60).buffer(50, quad_segs=64)
    halves = np.array(
        [shapely.intersection(disc, box) for box in (shapely.box(0, 0, 60, 120), shapely.box(60, 0, 120, 120))]
    )
    strokes = hatch.hatch(halves, np.full(2, level), 0.6, pattern, 30)
    ink = shapely.unary_union([shapely.LineString(stroke).buffer(0.3) for stroke in strokes])
    share = float(pens.coverage(np.array(level), pattern == hatch.CROSS))
    assert ink.area / disc.area == pytest.approx(share, rel=0.04)
    assert shapely.difference(ink, disc.buffer(0.35)).area == 0


def test_lines_run_on_through_faces_and_are_shared_by_darker_ones():
    faces = np.array([shapely.box(0, 0, 50, 50), shapely.box(50, 0, 100, 50)])
    strokes = hatch.hatch(faces, np.array([4, 8]), 1.0, "line", 0)
    whole = [stroke for stroke in strokes if abs(stroke[1, 0] - stroke[0, 0]) > 90]
    half = [stroke for stroke in strokes if abs(stroke[1, 0] - stroke[0, 0]) < 60]
    assert len(whole) == 13  # every fourth line
    assert len(half) == 12  # and those between


def test_duplicates_are_drawn_once():
    square = np.array([(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)], float)
    kept = route.without_duplicates([square, square[::-1], np.array([(10, 0), (0, 0), (-5, 0)], float)])
    assert sum(shapely.LineString(stroke).length for stroke in kept) == 45


@pytest.mark.slow
def test_order_is_nearly_the_best_and_loses_nothing():
    def travel(strokes):
        at, way = np.zeros(2), 0.0
        for stroke in strokes:
            way += np.hypot(*(stroke[0] - at))
            at = stroke[-1]
        return way

    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(12):
        strokes = [rng.random((2, 2)) * 100 for _ in range(5)]
        turned = itertools.product([1, -1], repeat=5)
        best = min(
            travel([strokes[i][::way] for i, way in zip(some, ways, strict=True)])
            for ways in turned
            for some in itertools.permutations(range(5))
        )
        found = order.order_strokes(strokes, (0.0, 0.0))
        assert sorted(map(np.sum, found)) == pytest.approx(sorted(map(np.sum, strokes)))
        ratios.append(travel(found) / best)
    assert min(ratios) >= 1 - 1e-9
    assert np.mean(ratios) < 1.15
    many = [rng.random((1, 2)) * 100 + rng.normal(size=(2, 2)) for _ in range(400)]
    assert travel(order.order_strokes(many, (0.0, 0.0))) < 0.2 * travel(many)
    assert order.order_strokes([], (0.0, 0.0)) == []


def test_work_is_counted():
    layer = route.plan([np.array([(10, 0), (20, 0)], float), np.array([(20.1, 0), (20.1, 30)], float)], BLACK, (0, 0))
    assert len(layer.strokes) == 1  # a tenth of a millimetre is no reason to lift a pen
    work = route.measure([layer], (0.0, 0.0), speed=10, travel_speed=20, lift=0.5)
    assert (work.drawn, work.travel, work.lifts) == (pytest.approx(40.1), 10, 1)
    assert work.minutes == pytest.approx((4.01 + 0.5 + 0.5) / 60)


# Files


def layers() -> list[route.PenLayer]:
    rng = np.random.default_rng(2)
    return [route.PenLayer(pen, [rng.random((n, 2)) * (200, 280) for n in (2, 5, 90)]) for pen in (BLACK, RED)]


def test_svg_is_in_true_millimetres():
    text = files.plot_svg(layers(), (210, 297), "t", "made <by>", "")
    parsed = svgelements.SVG.parse(io.StringIO(text), ppi=25.4)  # a millimetre is a unit then
    assert (parsed.width, parsed.height) == (pytest.approx(210), pytest.approx(297))
    whole = [abs(element) for element in parsed.elements() if isinstance(element, svgelements.Path)]
    paths = [part for path in whole for part in path.as_subpaths()]
    assert len(whole) == 2
    drawn = [stroke for layer in layers() for stroke in layer.strokes]
    assert len(paths) == len(drawn)
    for path, stroke in zip(paths, drawn, strict=True):
        points = np.array([(p.end.x, p.end.y) for p in path])
        assert points[0] == pytest.approx(stroke[0], abs=0.011)
        assert points[-1] == pytest.approx(stroke[-1], abs=0.011)
    assert len(re.findall('inkscape:groupmode="layer"', text)) == 2
    assert 'inkscape:label="1 black 0.3 mm"' in text


def test_hpgl_says_the_same_strokes():
    text = files.plot_hpgl(layers(), (210, 297), profiles.PROFILES["hp7475a"])
    strokes, pen = [], 0
    for word in text.replace("\n", "").split(";"):
        numbers = [int(n) for n in word[2:].split(",")] if len(word) > 2 else []
        if word[:2] == "SP":
            pen = numbers[0]
        elif word[:2] == "PU" and numbers:
            strokes.append((pen, [numbers]))
        elif word[:2] == "PD":
            strokes[-1][1].extend(np.reshape(numbers, (-1, 2)).tolist())
    drawn = [(n, stroke) for n, layer in enumerate(layers(), 1) for stroke in layer.strokes]
    assert [n for n, _ in strokes] == [n for n, _ in drawn]
    for (_, said), (_, stroke) in zip(strokes, drawn, strict=True):
        assert np.array(said) / 40 == pytest.approx(np.column_stack([stroke[:, 0], 297 - stroke[:, 1]]), abs=0.013)


def test_gcode_says_the_same_strokes():
    text = files.plot_gcode(layers(), (210, 297), profiles.read_profile("servo"), "made by me")
    down, at, strokes = False, None, []
    for line in text.splitlines():
        if line.startswith("M3 S"):
            down = line == "M3 S90"
        if match := re.match(r"G[01] X([\d.-]+) Y([\d.-]+)", line):
            before, at = at, (float(match[1]), 297 - float(match[2]))
            if down and not (strokes and strokes[-1][-1] == before):
                strokes.append([before])
            if down:
                assert line.startswith("G1")
                strokes[-1].append(at)
    drawn = [stroke for layer in layers() for stroke in layer.strokes]
    assert len(strokes) == len(drawn)
    for said, stroke in zip(strokes, drawn, strict=True):
        assert np.array(said) == pytest.approx(stroke, abs=0.001)
    assert text.count("M0") == 1  # one change of pens
    assert text.splitlines()[0] == "; made by me"


# Cutting


@pytest.fixture(scope="module")
def found(flat):
    return cut.sheets(flat, choose(flat.colours[:, None], shapely.area(flat.faces)[:, None], 4), 2.0)


def test_sheets_cover_everything_once(found):
    assert len(found) == 4
    areas = [sheet.area for sheet in found]
    assert sum(area.area for area in areas) == pytest.approx(160 * 120, abs=0.01)
    assert max(shapely.intersection(a, b).area for a, b in itertools.combinations(areas, 2)) < 1e-3
    assert shapely.difference(shapely.box(*FRAME), shapely.unary_union(areas)).area < 1e-3
    assert [float(oklab(np, np.array(sheet.rgb))[0]) for sheet in found] == sorted(
        float(oklab(np, np.array(sheet.rgb))[0]) for sheet in found
    )


def test_sheets_as_a_browser_draws_them_leave_no_gap(found):
    svg = cutfile.cut_svg(found, (160.0, 120.0), marks=False).replace(
        'width="160mm" height="120mm"', 'width="1280" height="960"'
    )
    alpha = np.asarray(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))))[..., 3]
    assert alpha.min() > 150  # two edges that meet in a pixel, each blended by itself
    assert (alpha == 255).mean() > 0.9


def test_no_piece_is_too_small(found):
    assert min(part.area for sheet in found for part in shapely.get_parts(sheet.area)) > 0.8 * 2.0**2


def test_a_trap_closes_gaps_and_reaches_no_farther(found):
    sheets = cut.trapped(found, 0.4)
    assert [sheet.rgb for sheet in sheets] == [sheet.rgb for sheet in reversed(found)]
    plain = {sheet.rgb: sheet.area for sheet in found}
    assert sheets[-1].area.equals(plain[sheets[-1].rgb])  # nothing is darker
    for i, sheet in enumerate(sheets[:-1]):
        grown = shapely.difference(sheet.area, plain[sheet.rgb])
        darker = shapely.unary_union([plain[other.rgb] for other in sheets[i + 1 :]])
        assert shapely.difference(grown, darker.buffer(1e-3)).area < 1e-3
        assert shapely.difference(grown, plain[sheet.rgb].buffer(0.41)).area < 1e-3
        border = shapely.intersection(plain[sheet.rgb].boundary, darker.boundary).length
        assert grown.area == pytest.approx(0.4 * border, rel=0.25)


def test_a_stack_keeps_lower_sheets_whole(found):
    sheets = cut.stacked(found)
    assert sheets[0].area.area == pytest.approx(160 * 120, abs=0.01)
    for lower, upper in itertools.pairwise(sheets):
        assert shapely.difference(upper.area, lower.area).area < 1e-3


def test_outlines_that_turn_little_are_curves():
    ring = shapely.get_coordinates(shapely.Point(0, 0).buffer(30, quad_segs=8).exterior)
    data = cutfile.path_data(ring, set())
    assert set(re.findall("[A-Z]", data)) == {"M", "Z"}
    assert "c" in data
    assert "l" not in data
    path = svgelements.Path(data)
    points = np.array([tuple(path.point(t)) for t in np.linspace(0, 1, 400)])
    away = np.abs(np.hypot(*points.T) - 30).max()
    assert away < 0.02 < 30 * (1 - np.cos(np.pi / 32))  # nearer to the circle than the polygon is
    square = shapely.get_coordinates(shapely.box(0, 0, 1, 1).exterior)
    assert cutfile.path_data(square, set()) == "M1 0l0 1l-1 0l0-1l1 0Z"


# The commands


def told(capsys) -> str:
    return capsys.readouterr().err.strip()


def test_plot_writes_all_formats_and_says_what_it_takes(picture, capsys, tmp_path, monkeypatch):
    names = [str(tmp_path / name) for name in ("p.svg", "p.hpgl", "p.gcode")]
    words = [word for name in names for word in ("-o", name)]
    assert run(["plot", str(picture), "--pens", "black:0.4,#e63946:0.6", "--speed", "20", *words, "--json"]) == 0
    out, err = capsys.readouterr()
    facts = json.loads(out)
    assert facts["outputs"] == names
    assert facts["minutes"] >= facts["drawn_mm"] / 20 / 60
    assert re.search(r"m drawn, .* m travelled, [\d,]+ lifts, about \d+ min at 20 mm/s", err)
    assert evoart.load(names[0]).form == FORM  # the picture's own recipe
    monkeypatch.chdir(tmp_path)
    assert run(["plot", str(picture), "-o", "q.svg"]) == 0
    assert capsys.readouterr().out == "q.svg\n"
    assert "evoart plot" in (tmp_path / "p.svg").read_text()
    assert run(["plot", str(picture), "-o", names[0]]) == 2
    assert "exists already" in told(capsys)


def test_plot_fits_the_paper(picture, tmp_path):
    out = tmp_path / "p.svg"
    assert run(["plot", str(picture), "--paper", "letter", "--margin", "1in", "-o", str(out)]) == 0
    text = out.read_text()
    assert 'width="279.4mm" height="215.9mm"' in text  # landscape, as the picture
    paths = svgelements.SVG.parse(io.StringIO(text), ppi=25.4)
    boxes = np.array([path.bbox() for path in paths.elements() if isinstance(path, svgelements.Path)])
    assert boxes[:, :2].min() >= 25.4 - 0.2
    assert (boxes[:, 2:].max(0) <= np.array([279.4, 215.9]) - 25.4 + 0.2).all()


@pytest.mark.parametrize("name", ["strokes", "network", "photograph", "svg"])
def test_anything_can_be_plotted(name, tmp_path, capsys):
    file = tmp_path / "in.png"
    if name == "strokes":
        file = evoart.make("sketch", seed=1, count=2).save(tmp_path / "in.svg")[0]
    elif name == "network":
        evoart.make("cppn", seed=1, n=1, image_size=64).save(file)
    elif name == "photograph":
        Image.fromarray(np.tile(np.linspace(0, 255, 90).astype(np.uint8), (60, 1))).save(file)
    else:
        file = tmp_path / "in.svg"
        file.write_text(f'{SVG}<path d="M0,0 L9,0 L9,9" class="a"/><style>.a{{fill:#a00;stroke:#00f}}</style></svg>')
    assert run(["plot", str(file), "--pens", "office", "-o", str(tmp_path / "out.svg")]) == 0
    err = told(capsys)
    assert ("by its tones" in err) == (name == "photograph")
    assert ("open path" in err) == (name == "svg")
    assert "<path" in (tmp_path / "out.svg").read_text()
    if name == "strokes":
        drawing = evoart.load(file).drawing
        length = sum(shapely.LineString(stroke).length for stroke in drawing.strokes if len(stroke) > 1)
        assert float(re.search(r"([\d.]+) m drawn", err)[1]) == pytest.approx(length * 267 / 1000, rel=0.05)


def test_cut_writes_layers_and_separations(picture, tmp_path, capsys):
    out = tmp_path / "c.svg"
    words = ["--palette", "3", "--size", "20cm", "--material", "screen", "--separations"]
    assert run(["cut", str(picture), *words, "-o", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert len(facts["outputs"]) == 4
    assert facts["size_mm"] == [200, 150]
    text = out.read_text()
    assert 'width="224mm" height="174mm"' in text
    assert text.count('class="registration"') == 3
    films = sorted(tmp_path.glob("c-*.svg"))
    assert len(films) == 3
    assert all('fill="#000"' in film.read_text() for film in films)
    assert evoart.load(out).form == FORM


SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">'
BOMB = '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
BAD = [
    (["--paper", "50x50mm", "--margin", "25mm"], "leave nothing of paper"),
    (["--paper", "a9"], "unknown paper"),
    (["--paper", "300x400"], "without a unit"),
    (["--paper", "20000x400mm"], "Use sides of 1 to 10,000 mm"),
    (["--margin", "-3mm"], "Use 0mm or more"),
    (["--margin", "wide"], "no length"),
    (["--pens", "blakc:0.3"], "Did you mean black"),
    (["--pens", "black:99"], "Use 0.05 to 10 mm"),
    (["--pens", "black:thick"], "no length"),
    (["--pens", ","], "names 0 pens"),
    (["--pens", "red:1,red:1"], "twice"),
    (["--pens", "missing.toml"], "there is no file"),
    (["--profile", "servoo"], "Did you mean servo"),
    (["--hatch", "dots"], "unknown hatch"),
    (["--speed", "0"], "out of range"),
    (["--darkness", "5"], "Use 10 to 100 percent"),
    (["--start-point", "500,0"], "off the paper"),
    (["--start-point", "middle"], "unknown start point"),
    (["-o", "plot.dxf"], "no file for a plotter"),
    (["-o", "nowhere/plot.svg"], "there is no folder"),
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_options_of_plot_get_one_line(words, said, picture, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["plot", str(picture), *words]) == 2
    err = told(capsys)
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--palette", "0"], "out of range"),
        (["--palette", "blakc"], "Did you mean black"),
        (["--trap", "0.2"], "without a unit"),
        (["--trap", "9mm"], "Use 0mm to 5mm"),
        (["--trap", "1mm", "--layers", "stack"], "lie apart"),
        (["--size", "300"], "without a unit"),
        (["--size", "300px"], "no unit of length"),
        (["--size", "1mm"], "Use 5mm to 10m"),
        (["--smallest", "90mm", "--size", "80mm"], "larger than the picture"),
        (["--material", "stone"], "unknown material"),
        (["-o", "cut.png"], "does not end in .svg"),
        (["-o", "-", "--separations"], "several files"),
    ],
)
def test_wrong_options_of_cut_get_one_line(words, said, picture, capsys):
    assert run(["cut", str(picture), *words]) == 2
    err = told(capsys)
    assert said in err
    assert len(err.splitlines()) == 1


def test_more_sheets_than_colours(tmp_path, capsys):
    file = tmp_path / "a.svg"
    file.write_text(f'{SVG}<rect x="1" y="1" width="5" height="5" fill="red"/></svg>')
    assert run(["cut", str(file), "--palette", "3"]) == 2
    assert "the picture has 1 colour, so 3 sheets are too many. Use --palette 1." in told(capsys)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f"{BOMB}{SVG}<text>&b;</text></svg>", "entities"),
        (f"{SVG}<text>words</text></svg>", "has no paths"),
        (f'{SVG}<path d="M0,0h5" fill="none"/></svg>', "has no paths"),
        (f'{SVG}<path d="M0,0 L5,5" stroke="none"/></svg>', "nothing to draw"),
        (f'{SVG}<path d="M0,0h5', "XML breaks off"),
        (SVG + "<g>" * 300 + "</g>" * 300 + "</svg>", "deep"),
        (f'{SVG}<path d="M0,0{"l1,1" * 1_100_000}" stroke="red"/></svg>', "points"),
        ("<html></html>", "no SVG"),
    ],
    ids=["entities", "text", "unpainted", "open", "broken", "deep", "points", "html"],
)
@pytest.mark.parametrize("command", ["plot", "cut"])
def test_hostile_svg_gets_one_line(command, body, said, tmp_path, capsys):
    file = tmp_path / "bad.svg"
    file.write_text(body)
    assert run([command, str(file), "-o", str(tmp_path / "out.svg")]) in (1, 2)
    err = told(capsys).splitlines()
    assert said in err[-1] or (command == "cut" and "nothing to cut" in err[-1])
    assert not (tmp_path / "out.svg").exists()


def test_scripts_in_an_svg_do_not_reach_the_plot(tmp_path):
    file = tmp_path / "in.svg"
    file.write_text(f'{SVG}<script>alert(1)</script><path d="M0,0h5v5z" onclick="alert(2)"/></svg>')
    assert run(["plot", str(file), "-o", str(tmp_path / "out.svg")]) == 0
    assert "alert" not in (tmp_path / "out.svg").read_text()


def test_painting_is_read_as_a_browser_shows_it():
    body = (
        '<style>.r{fill:#c00} rect{stroke:blue}</style><g fill="lime" opacity=".5" transform="scale(2)">'
        '<rect width="2" height="2" stroke-width="0.5"/>'
        '<circle cx="3" cy="3" r="1" class="r" style="fill-opacity:50%"/></g>'
        '<defs><linearGradient id="g"><stop stop-color="#000"/><stop stop-color="#fff"/></linearGradient></defs>'
        '<path d="M0,0h3v3z" fill="url(#g)"/><path d="M0,0h3v3z" fill="none"/>'
    )
    found = read_painting(f"{SVG}{body}</svg>".encode(), "a").elements
    assert found[0].fill == (0, 1, 0, 0.5)
    assert found[0].stroke == (0, 0, 1, 0.5)
    assert found[0].width == 1
    assert found[1].fill == (0.8, 0, 0, 0.25)
    assert found[2].fill == (0.5, 0.5, 0.5, 1)
    assert len(found) == 3


def test_profiles_and_pens_from_files(tmp_path):
    profile = tmp_path / "mine.toml"
    profile.write_text('base = "servo"\nspeed = 12\npen_up = ["M5", "G4 P0.2"]\n')
    assert profiles.read_profile(str(profile)).pen_up == "M5\nG4 P0.2"
    assert profiles.read_profile(str(profile)).pen_down == profiles.PROFILES["servo"].pen_down
    for text, said in [
        ('pen_upp = "M5"', "Did you mean pen_up"),
        ('base = "sevro"', "Did you mean servo"),
        ("speed = 0", "Use 0.1 to 5000"),
        ('speed = "fast"', "Use 0.1 to 5000"),
        ("pen_up = 5", "Give G-code as text"),
        ("speed = ", "cannot be read"),
    ]:
        profile.write_text(text)
        with pytest.raises(UsageError, match=re.escape(said)):
            profiles.read_profile(str(profile))
    pens_file = tmp_path / "pens.toml"
    pens_file.write_text('[pens]\nfine = "black:0.1"\nfat = {color = "#ff0000", width = 1.5}\n')
    assert pens.read_pens(str(pens_file), colour) == [
        pens.Pen("fine", (0, 0, 0), 0.1),
        pens.Pen("fat", (1, 0, 0), 1.5),
    ]
    pens_file.write_text('[pens]\nfat = {colour = "red"}\n')
    with pytest.raises(UsageError, match="Did you mean color"):
        pens.read_pens(str(pens_file), colour)
    for name in pens.SETS:
        assert pens.read_pens(name, colour)


def test_paper_has_its_sizes():
    assert paper.read_paper("A3", "10mm", True).size == (420, 297)
    assert paper.read_paper("8.5x11in", "0mm", False).size == pytest.approx((215.9, 279.4))
    scale, frame = paper.Paper(210, 297, 15).place(1.0, 0.5)
    assert scale == 180
    assert frame == (15, 103.5, 195, 193.5)


def test_a_transparent_picture_leaves_nothing(tmp_path, capsys):
    file = tmp_path / "none.png"
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(file)
    assert run(["cut", str(file)]) == 1
    assert "entirely transparent" in told(capsys)


def test_plots_are_the_same_every_time(picture):
    def plot():
        source = drawings.read(str(picture))
        return plots.draw(source.planar(FRAME), [BLACK, RED], "line", [45, 105], 1.0, (0.0, 0.0))

    first, second = plot(), plot()
    assert files.plot_svg(first, (160, 120)) == files.plot_svg(second, (160, 120))


def test_an_error_is_an_evoart_error(tmp_path):
    with pytest.raises(EvoartError):
        drawings.read(str(tmp_path / "missing.svg"))


def test_a_name_that_stands_in_two_lists_is_offered_once():
    from evoart.errors import unknown

    assert unknown("pen", "mauve", ["black", "red", "black"]).hint == "Choose one of: black, red"
