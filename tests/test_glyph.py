"""Letters: read from fonts, learned, drawn, traced, written as fonts."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
import resvg_py
from fakes import tiny_letters
from fontTools.ttLib import TTCollection, TTFont
from PIL import Image, ImageDraw, ImageFont
from trainings import check_files, check_resumed

import evoart
from evoart.cli.app import run
from evoart.errors import EvoartError, UsageError
from evoart.forms.glyphs import GlyphsForm, set_lines
from evoart.glyph.letters import BOTTOM, DEEP, EXTENT, HALF, LETTERS, PIXEL, SIDE, distances
from evoart.glyph.model import decode, one_hot, read_style, splines, whiten
from evoart.glyph.trace import Outline, area, flatten, level_of, trace
from evoart.glyph.training import encode_fonts
from evoart.glyph.truetype import encode_font
from evoart.output.formats import encode as encode_file
from evoart.run import checkpoint
from evoart.run.events import Noted, Unsaved
from evoart.run.glyph.dataset import read_dataset
from evoart.run.glyph.job import GlyphInterpolateJob, GlyphSampleJob, GlyphStyleJob, GlyphTrainJob
from evoart.run.glyph.models import FILES
from evoart.run.glyph.trainer import GlyphTrainProblem
from evoart.run.loop import Keep, drive
from evoart.run.problem import prepare
from evoart.train_state import GIVE_UP

# Letters of bars: x0, y0, x1, y1 of the middle of each, in cap heights and shares of the width.
BARS = {
    "E": ("left", "top", "middle", "bottom"),
    "F": ("left", "top", "middle"),
    "H": ("left", "right", "middle"),
    "L": ("left", "bottom"),
    "T": ("top", "centre"),
    "U": ("left", "right", "bottom"),
    "O": ("left", "right", "top", "bottom"),
    "C": ("left", "top", "bottom"),
    "I": ("centre",),
    "J": ("right", "bottom"),
    "P": ("left", "top", "middle", "upper"),
    "A": ("left", "right", "top", "middle"),
}


def ring(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """A rectangle as curves, clockwise with y up."""
    points = np.array([(x0, y1), (x1, y1), (x1, y0), (x0, y0)])
    return np.stack([(np.roll(points, 1, 0) + points) / 2, points], 1)


def bars(letter: str, width: float, thick: float) -> list[np.ndarray]:
    """The contours of a letter; they overlap, as those of variable fonts do."""
    w, t = width, thick
    places = {
        "left": (0, 0, t, 1), "right": (w - t, 0, w, 1), "centre": (w / 2 - t / 2, 0, w / 2 + t / 2, 1),
        "top": (0, 1 - t, w, 1), "middle": (0, 0.5 - t / 2, w, 0.5 + t / 2), "bottom": (0, 0, w, t),
        "upper": (w - t, 0.5 - t / 2, w, 1),
    }  # fmt: skip
    return [ring(*places[name]) for name in BARS[letter]]


def write_font(path, width: float, thick: float, letters: str = "".join(BARS)) -> None:
    found = [(letter, [each + (0.1, 0) for each in bars(letter, width, thick)], width + 0.2) for letter in letters]
    path.write_bytes(encode_font(found, path.stem))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Fifteen families of one weight, one of two."""
    folder = tmp_path_factory.mktemp("fonts")
    for k, (width, thick) in enumerate(np.random.default_rng(1).uniform((0.5, 0.1), (0.8, 0.24), (16, 2))):
        write_font(folder / f"family{k}.ttf", width, thick)
    write_font(folder / "family15 Bold.ttf", 0.7, 0.28)
    return folder


def problem_of(data, **settings) -> GlyphTrainProblem:
    how = {"units": 40, "latent": 3, "grid": 8, "channels": 4, "encoder": 16, "fonts": 4, "points": 250, "seed": 3}
    how |= {"generations": 200, "interval": 100, "learning_rate": 0.01, "name": "bars", "validation": 0.1} | settings
    return GlyphTrainProblem.prepare(GlyphTrainJob.make(**how, data=(str(data),)))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """The end of a short training, its model's file, and the notes on the way."""
    problem = problem_of(data)
    events = list(drive(problem, problem.search()))
    path = tmp_path_factory.mktemp("net") / "bars.safetensors"
    path.write_bytes(encode_file("safetensors", events[-1].result.artwork()))
    return events[-1], path, [event.text for event in events if isinstance(event, Noted)]


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of the insides of two fields."""
    return float(((a > 0) & (b > 0)).sum() / ((a > 0) | (b > 0)).sum())


def test_it_learns_letters_of_a_family_that_it_never_saw(trained):
    last, path, notes = trained
    assert (last.reason, last.generation) == ("generations", 200)
    assert "15 fonts to learn from; of 16 families 2 held out to judge by" in notes
    assert last.figures["wrong"] < 0.05
    assert last.figures["nll"] < 120  # 700 before
    model = FILES.read(path)
    contours = [flatten(each) for each in bars("H", 0.65, 0.18)]
    field = distances([each - (0.325, 0) for each in contours])
    z = read_style(model, field[None], [LETTERS.index("H")])
    made, spaces = decode(model, z[None].repeat(2, 0), one_hot([LETTERS.index("H"), LETTERS.index("L")]))
    other = distances([flatten(each) - (0.325, 0) for each in bars("L", 0.65, 0.18)])
    assert overlap(made[0], field) > 0.5
    assert overlap(made[1], other) > 0.5
    np.testing.assert_allclose(spaces, 0.1, atol=0.05)


def test_a_resumed_training_ends_where_the_unbroken_one_does(data, trained, tmp_path):
    problem = problem_of(data, generations=6, interval=2)
    check_resumed(problem, 3, tmp_path)
    for k in range(2):
        write_font(tmp_path / f"other{k}.ttf", 0.6 + 0.1 * k, 0.2)
    with pytest.raises(UsageError, match="is not the data this job was made for"):
        problem_of(tmp_path, data_sha256=problem.job.data_sha256)


def test_a_full_disk_and_steps_that_are_not_finite(data, trained, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise EvoartError("no space left", "Free some")

    monkeypatch.setattr(checkpoint, "save", refuse)
    problem = problem_of(data, generations=GIVE_UP + 20, interval=2)
    search = problem.search()
    search.step()
    best = search.best.digest
    search.training.params = {name: value * np.nan for name, value in search.training.params.items()}
    events = list(drive(problem, search, keep=Keep(tmp_path / "x.npz", every=0)))
    assert any(isinstance(event, Unsaved) for event in events)
    assert "had no finite gradient" in search.notes[-1]
    assert search.best.digest == best
    assert encode_file("safetensors", events[-1].result.artwork())


def test_distances_are_those_of_shapely():
    import shapely

    contours = [flatten(each) - (0.3, 0) for each in bars("E", 0.6, 0.2)]
    region = shapely.union_all([shapely.Polygon(each) for each in contours])
    x, y = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    points = shapely.points(x * PIXEL - HALF, BOTTOM + EXTENT - y * PIXEL)
    far = shapely.distance(region.boundary, points) / PIXEL
    expected = np.clip(np.where(shapely.contains(region, points), far, -far), -DEEP, DEEP)
    found = distances([np.asarray(region.exterior.coords)[:-1]])
    np.testing.assert_allclose(found, expected, atol=0.1)
    overlapping = distances(contours)  # inside there are edges, outside none
    np.testing.assert_array_equal(overlapping > 0, expected > 0)


@pytest.mark.parametrize("shape", ["square", "ring"])
def test_tracing_finds_what_was_there(shape):
    """Corners stay corners, circles are round and of few curves, holes run the other way."""
    x, y = np.meshgrid(
        (np.arange(144) + 0.5) * EXTENT / 144 - HALF, BOTTOM + EXTENT - (np.arange(144) + 0.5) * EXTENT / 144
    )
    if shape == "square":
        field = 0.35 - np.maximum(np.abs(x), np.abs(y - 0.5))
    else:
        radius = np.hypot(x, y - 0.5)
        field = np.minimum(0.5 - radius, radius - 0.3)
    found = trace(field / PIXEL)
    areas = sorted(area(flatten(each)) for each in found.contours)
    if shape == "square":
        assert areas == [pytest.approx(-0.49, abs=0.002)]
        assert len(found.contours[0]) == 4
        corners = found.contours[0][:, 1]
        assert np.abs(np.abs(corners - (0, 0.5)) - 0.35).max() < 0.005
    else:
        assert areas == [pytest.approx(-np.pi * 0.25, abs=0.01), pytest.approx(np.pi * 0.09, abs=0.006)]
        assert max(map(len, found.contours)) <= 24
        outer = max(found.contours, key=lambda each: np.ptp(each[:, 1, 0]))
        assert np.abs(np.hypot(*(flatten(outer) - (0, 0.5)).T) - 0.5).max() < 0.012
    assert not trace(np.full((48, 48), -1.0)).contours


def test_a_stroke_that_is_not_sure_is_kept():
    """Its distances are below 0 all over; of a sure letter the level is 0."""
    x = np.broadcast_to((np.arange(480) + 0.5) / 10 - 24, (480, 480))
    sure, unsure = 4 - np.abs(x), -0.4 - 0.5 * np.abs(x)
    assert abs(level_of(np.clip(sure, -4, 4))) < 0.1
    assert level_of(unsure) < -0.4
    assert not trace(unsure).contours
    assert len(trace(unsure, level=level_of(unsure)).contours) == 1


def test_splines_add_up_and_are_smooth():
    at = np.linspace(0, 1, 101)
    weights = splines(at, 7)
    np.testing.assert_allclose(weights.sum(1), 1)
    middle = slice(25, 76)  # where all four knots are there: lines are drawn as they are
    np.testing.assert_allclose((weights @ np.arange(7))[middle], 6 * at[middle], atol=1e-9)


def test_styles_become_the_prior_and_letters_stay_as_they_are(data):
    before, problem = tiny_letters(), problem_of(data)
    styles = encode_fonts(before, problem.dataset.train)
    after = whiten(before, styles)
    found = encode_fonts(after, problem.dataset.train)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-4)
    kinds = one_hot(range(len(styles)))
    np.testing.assert_allclose(decode(before, styles, kinds)[0], decode(after, found, kinds)[0], atol=1e-4)


def letter_page() -> tuple[GlyphsForm, np.ndarray]:
    outline = Outline(tuple(each - (0.3, 0) for each in bars("P", 0.6, 0.2)), 0.1, 0.15)
    other = Outline(tuple(each - (0.3, 0) for each in bars("O", 0.6, 0.15)), 0.1, 0.1)
    return set_lines([[("P", outline), ("O", other)], [("O", other)]], ink=(0.1, 0.2, 0.6))


def test_a_page_is_the_same_as_svg_and_as_a_picture():
    """Against resvg."""
    form, genome = letter_page()
    width, height = 300, round(300 * form.height / form.width)
    svg = form.drawing(genome).svg((width, height))
    with Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width)))) as image:
        expected = np.asarray(image.convert("RGB"), np.float32) / 255
    painted = form.drawing(genome).paint((width, height))[..., :3]
    assert painted.min() < 0.2
    assert np.abs(painted - expected).mean() < 0.004


def test_a_font_shows_what_the_picture_shows(tmp_path):
    """Against FreeType, as Pillow has it, and fontTools."""
    form, genome = letter_page()
    (tmp_path / "a.ttf").write_bytes(form.drawing(genome).font("A <name>: 2 letters", '{"evoart":"x","format":1}'))
    assert (tmp_path / "a.ttf").read_bytes() == form.drawing(genome).font(
        "A <name>: 2 letters", '{"evoart":"x","format":1}'
    )
    with TTFont(tmp_path / "a.ttf") as font:
        assert font["name"].getDebugName(1) == "evoart-A--name"
        assert set(font.getBestCmap()) == {ord(" "), 0xA0, ord("P"), ord("O")}
        assert font["hmtx"]["P"] == (round(0.7 * (0.1 + 0.6 + 0.15) * 1000), 70)
    size = 200
    image = Image.new("L", (400, 400), 255)
    drawn = ImageFont.truetype(tmp_path / "a.ttf", round(size / 0.7))  # a cap height of 200 pixels
    ImageDraw.Draw(image).text((50, 300), "PO", font=drawn, fill=0, anchor="ls")
    first = form.marks[0]
    scale = size / form.cap
    move = (50 - first.x * scale, 300 - first.y * scale)
    ours = Image.new("L", (400, 400), 255)
    for mark, contours in form.split(genome)[:2]:
        assert mark.letter in "PO"
        for each in contours:
            ImageDraw.Draw(ours).polygon([tuple(p) for p in flatten(each) * scale + move], fill=0)
    difference = np.abs(np.asarray(image, float) - np.asarray(ours, float)).mean() / 255
    assert np.asarray(ours).min() == 0
    hole = np.asarray(image)[160, 50 + round(size * 0.4)]
    assert hole == 255  # of the P, whose outline overlaps itself
    assert difference < 0.03


def read(*paths, **how):
    return read_dataset([str(path) for path in paths], **{"validation": 0.2, "seed": 1} | how)


def test_folders_of_fonts(data, tmp_path, monkeypatch):
    found = read(data)
    assert len(found.families) == 16
    assert len(found.held_out) == 3
    assert found.train.fonts + found.valid.fonts == 17
    assert found.train.fields.shape[1:] == (SIDE, SIDE)
    together = [name for name in (found.families) if "Bold" in name]
    assert together == []  # a weight is no family
    (tmp_path / "broken.ttf").write_bytes(b"\0\1\0\0 no font at all")
    (tmp_path / "text.woff").write_text("hello")
    write_font(tmp_path / "few.ttf", 0.6, 0.2, "HIL")
    write_font(tmp_path / "no-h.ttf", 0.6, 0.2, "IL")
    for k in range(2):
        write_font(tmp_path / f"good{k}.ttf", 0.6 + 0.1 * k, 0.2)
    both = TTCollection()
    both.fonts = [TTFont(tmp_path / f"good{k}.ttf") for k in range(2)]
    both.save(tmp_path / "both.ttc")
    mixed = read(tmp_path, validation=0.0)
    told = " ".join(mixed.notes)
    assert mixed.train.fonts == 4  # two of the collection
    assert "4 fonts cannot be used and are left out, the first is 'broken.png'".replace("png", "ttf") in told
    assert "none held out" in told
    for name, text in (("broken.ttf", "no font that can be read"), ("text.woff", "no font"), ("few.ttf", "3 of the 62"),
                       ("no-h.ttf", "no letter H"), ("nothing.ttf", "there is no file")):  # fmt: skip
        with pytest.raises((UsageError, EvoartError), match=text):
            read(tmp_path / name)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="there are no fonts in"):
        read(tmp_path / "empty")
    with pytest.raises(UsageError, match="too few"):
        read(tmp_path / "good0.ttf")
    package = tmp_path / "node_modules" / "@fontsource" / "bars" / "files"
    package.mkdir(parents=True)
    for name in ("bars-latin-400-normal.woff", "bars-greek-400-normal.woff", "bars-latin-700-normal.woff"):
        (package / name).write_bytes((tmp_path / "good0.ttf").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert read("@fontsource/bars", validation=0.0).train.fonts == 2
    with pytest.raises(UsageError, match="npm install|not installed"):
        read("@fontsource/other")


def test_a_model_comes_back_from_its_file(trained, tmp_path):
    check_files(FILES, trained[1], tmp_path, 3, "leters")


def test_samples_styles_fonts_and_films(trained, tmp_path, capsys):
    _, path, _ = trained
    sheet, words = tmp_path / "s.png", ["-m", str(path), "-q"]
    assert run(["glyph", "sample", "H", "-n", "3", "--size", "64", "-s", "5", "-o", str(sheet), *words]) == 0
    assert run(["redo", str(tmp_path / "s-02.png"), "-o", str(tmp_path / "h.svg"), "-q"]) == 0
    first = evoart.load(tmp_path / "h.svg")
    assert first.form.text == "H"
    # What it drew has its style.
    assert (
        run(["glyph", "style", str(tmp_path / "h.svg"), "--letters", "LET HE", "-o", str(tmp_path / "l.svg"), *words])
        == 0
    )
    other = evoart.load(tmp_path / "l.svg")
    assert (other.form.style, other.form.text) == (first.form.style, "LETHE")
    capsys.readouterr()
    assert run(["redo", str(tmp_path / "l.svg"), "-o", str(tmp_path / "l2.svg")]) == 0
    done = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(r"Done: 5 letters, [\d.]+ s, seed \d+", done)  # nothing was searched for or judged
    assert (tmp_path / "l2.svg").read_bytes() == (tmp_path / "l.svg").read_bytes()
    # So it has as an outline of somebody else's.
    plain = (tmp_path / "h.svg").read_text()
    at = plain.index("<metadata>"), plain.index("</metadata>") + len("</metadata>")
    (tmp_path / "theirs.svg").write_text(plain[: at[0]] + plain[at[1] :])
    found = prepare(GlyphStyleJob.make(like=str(tmp_path / "theirs.svg"), letter="H", model=str(path), letters="H"))
    styles = np.array([first.form.style, found.form.style])
    assert overlap(*decode(FILES.read(path), styles, one_hot([LETTERS.index("H")] * 2))[0]) > 0.5
    # A font, and the way back from it.
    font = tmp_path / "mine.ttf"
    assert run(["glyph", "font", "7", "--letters", "HELTOUCI", "-o", str(font), *words]) == 0
    assert evoart.load(font).form.text == "HELTOUCI"
    film = tmp_path / "f.anim.webp"
    given = [str(tmp_path / "h.svg"), "7", "--letters", "HO", "--film-size", "32", "--film-time", "0.3s", "-s", "1"]
    assert run(["glyph", "interpolate", *given, "-o", str(film), *words]) == 0
    with Image.open(film) as shown:
        assert shown.n_frames > 3
    problem = prepare(
        GlyphInterpolateJob.make(stops=(str(tmp_path / "h.svg"), "7"), model=str(path), letter=None, seed=1)
    )
    assert problem.at(0.0)[0].text == "H"
    assert problem.at(0.5)[0].text == "A"  # of a random style
    np.testing.assert_array_equal(problem.at(0.0)[1], problem.at(1.0)[1])
    capsys.readouterr()


def test_the_letters_that_come_along():
    """They are small, have a licence, and every capital of the mean style is nearest to itself."""
    path = FILES.folder / "letters.safetensors"
    assert path.stat().st_size < 1_000_000
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FILES.folder / "letters.LICENCE.txt").read_text()
    model = FILES.find("letters")
    assert model.config.licence
    z = np.random.default_rng(1).normal(0, 0.5, (2, model.config.latent))
    one, other = (decode(model, np.repeat(each[None], 26, 0), one_hot(range(26)))[0] for each in z)
    likeness = np.array([[overlap(a, b) for b in other] for a in one])
    assert (likeness.argmax(1) == np.arange(26)).all()
    result = evoart.make("glyph-style", like="4", letters="Ok", size=200)
    assert result.form.text == "Ok"
    ring = [part for part in result.form.split(result.genome) if part[0].letter == "O"][0][1]
    areas = [area(flatten(each)) for each in ring]
    assert len(areas) == 2  # a hole
    assert np.prod(areas) < 0


def test_what_a_command_refuses(trained, tmp_path, capsys):
    _, path, _ = trained
    (tmp_path / "blank.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>')
    (tmp_path / "five.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 9">'
        + "".join(f'<rect x="{k * 18}" y="{k % 2 * 4}" width="3" height="3"/>' for k in range(5))
        + "</svg>"
    )
    cases = [
        (["style", str(tmp_path / "blank.svg")], "has no paths"),
        (["style", str(tmp_path / "five.svg")], "no letter that the model knows"),
        (["style", str(tmp_path / "five.svg"), "--letter", "H"], "does not look like the letter 'H'"),
        (["style", str(tmp_path / "nothing.svg")], "there is no file"),
        (["style", "3", "--letters", "Ä"], "no model knows the letter 'Ä'"),
        (["style", "3", "--letter", "A"], "there is none"),
        (["style", "3", "--letters", " "], "no letters to draw"),
        (["sample", "ABCDEFGHIJKLMNOP"], "too many for each picture"),
        (["sample", "A", "--ink", "blakc"], "black"),
        (["font", "3", "-m", "nothing.safetensors"], "there is no file"),
        (["interpolate", "3", "--letter", "AB"], "Give one letter"),
    ]
    for words, text in cases:
        model = [] if "-m" in words else ["-m", str(path)]
        assert run(["glyph", *words, *model, "-o", str(tmp_path / "x.png")]) != 0
        assert text in capsys.readouterr().err, words
    assert run(["glyph", "train", str(tmp_path), "-o", str(tmp_path / "only.png")]) == 2  # the model would be lost
    for wrong in ({"latent": 1}, {"data": ()}, {"grid": 3}, {"validation": 0.9}):
        with pytest.raises(UsageError):
            GlyphTrainJob.make(**{"data": ("x",)} | wrong)
    with pytest.raises(UsageError, match="sigma"):
        GlyphSampleJob.make(sigma=-1)
    other = tmp_path / "other.safetensors"
    other.write_bytes(FILES.encode(tiny_letters()))
    assert (
        run(["glyph", "sample", "-n", "1", "--pick", "1", "-m", str(path), "-o", str(tmp_path / "a.json"), "-q"]) == 0
    )
    with pytest.raises(UsageError, match="another model"):
        prepare(GlyphStyleJob.make(like=str(tmp_path / "a.json"), model=str(other)))
    plain = json.loads((tmp_path / "a.json").read_text())
    plain["result"]["style"].append(1.0)
    (tmp_path / "a.json").write_text(json.dumps(plain))
    with pytest.raises(EvoartError, match="a style of 4 numbers and not 3"):
        prepare(GlyphStyleJob.make(like=str(tmp_path / "a.json"), model=str(path)))
