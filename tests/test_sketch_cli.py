"""``evoart sketch`` as people use it: sheets, recipes, completions, films, conversions, training, and wrong input."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import click
import numpy as np
import pytest
from PIL import Image
from sketches import small

from evoart.cli.app import run
from evoart.cli.sketch.group import COMMANDS, sketch
from evoart.errors import EvoartError, UsageError
from evoart.forms.sketch import SketchForm, sketch_form
from evoart.output import recipe as container
from evoart.output.save import read_recipe
from evoart.run.api import load
from evoart.run.checkpoint import load as read_checkpoint
from evoart.run.job import Job
from evoart.run.loop import Keep, resume
from evoart.run.loop import run as events
from evoart.run.stop import Stop
from evoart.sketch import catalogue
from evoart.sketch.strokes import bounds
from evoart.sketch.svgfile import read_svg
from evoart.sketch.weights import to_js, to_npz


def evoart(capsys, *words):
    """Exit code, standard output's lines, standard error."""
    code = run([str(word) for word in words])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vae.npz").write_bytes(to_npz(small(latent=4, extent=60.0)))
    (tmp_path / "two.npz").write_bytes(to_npz(small(classes=("cat", "dog"), extent=60.0)))
    for name, d in (("a", "M10 10h30v20"), ("b", "M10 10c20 0 20 30 0 30M5 5h2")):
        (tmp_path / f"{name}.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><path d="{d}"/></svg>')
    return tmp_path


def test_a_sheet_with_no_network_and_its_recipe(here, capsys):
    code, out, said = evoart(capsys, "sketch", "-n", 5, "-s", 1, "-o", "k.svg", "-o", "k.png")
    assert (code, out) == (0, ["k.svg", "k.png"])
    assert "finished with 5 sketches" in said
    root = ElementTree.parse("k.svg").getroot()
    groups = root.findall(".//{*}g[@id]")
    assert [g.get("id") for g in groups] == [f"sketch-{k}" for k in range(1, 6)]
    page = read_svg((here / "k.svg").read_bytes(), "k.svg")
    assert len(page.strokes) == len(root.findall(".//{*}path"))
    assert not root.findall(".//{*}rect")  # which a plotter would draw
    assert root.get("style") == "background:#fff"
    low, high = bounds(page.strokes)
    assert low.min() > 0
    assert (high < page.box[2:]).all()
    with Image.open("k.png") as picture:
        assert picture.size == (768, 512)
    assert read_recipe("k.svg")["job"]["model_sha256"]
    code, out, _ = evoart(capsys, "redo", "k.svg", "-o", "again.svg", "-q")
    assert code == 0
    assert (here / "again.svg").read_bytes() == (here / "k.svg").read_bytes()
    assert evoart(capsys, "render", "k.png", "-o", "large.png", "--size", 1000, "-q")[0] == 0
    assert "5 sketches" in "\n".join(evoart(capsys, "info", "k.png")[1])
    assert load("k.svg").figures["finished"] == 1


def test_a_sketch_is_the_same_on_every_sheet(here, capsys):
    assert evoart(capsys, "sketch", "-n", 3, "-s", 2, "-o", "three.json", "-q")[0] == 0
    assert evoart(capsys, "sketch", "-n", 1, "-s", 2, "--offset", 1, "-o", "one.json", "-q")[0] == 0
    three, one = load("three.json"), load("one.json")
    members = list(three.form.drawing(three.genome).sketches())
    lengths = [three.form.lengths[k] for k in members[1]]
    assert list(one.form.lengths) == lengths


def test_files_for_each_and_default_names(here, capsys):
    code, out, _ = evoart(capsys, "sketch", "-n", 2, "--each", "-o", "s.svg", "-s", 3)
    assert (code, out) == (0, ["s-1.svg", "s-2.svg"])
    assert (here / "s-1.svg").read_bytes() != (here / "s-2.svg").read_bytes()
    code, out, _ = evoart(capsys, "sketch", "two.npz", "-n", 1, "--class", "dog", "-q")
    assert out == ["two-sketch.svg", "two-sketch.png"]


def test_a_pen_on_its_way(here, capsys):
    code, out, _ = evoart(
        capsys, "sketch", "-n", 2, "-s", 1, "-o", "k.anim.svg", "--film", "k.gif", "--film-time", "1s", "-q"
    )
    assert code == 0
    text = (here / "k.anim.svg").read_text()
    paths = len(ElementTree.fromstring(text).findall(".//{*}path"))
    assert len(re.findall("@keyframes", text)) == paths > 4
    assert "prefers-reduced-motion" in text
    ink = []
    with Image.open("k.gif") as film:
        assert film.n_frames == 12
        for k in (0, 5, 11):
            film.seek(k)
            ink.append(int((np.asarray(film.convert("L")) < 128).sum()))
    assert 0 < ink[0] < ink[1] < ink[2]
    assert load("k.gif").form.label == "2 sketches"
    code, _, said = evoart(capsys, "fit", "--dry-run", "-o", "x.anim.svg")
    assert code == 2
    assert "is for sketch and strokes only" in said


def test_completions_begin_with_what_was_given(here, capsys):
    code, _, _ = evoart(
        capsys, "sketch", "complete", "a.svg", "-n", 3, "-s", 1, "--color", "#ff0000,#0000ff", "-o", "c.json", "-q"
    )
    assert code == 0
    result = load("c.json")
    drawing = result.form.drawing(result.genome)
    for members in drawing.sketches():
        given = drawing.strokes[members[0]]
        step = np.diff(given, axis=0)
        assert len(given) == 3
        np.testing.assert_allclose(step[0, 0] / step[1, 1], 1.5, rtol=1e-3)
        assert [tuple(drawing.colours[k]) for k in members] == [(1, 0, 0)] + [(0, 0, 1)] * (len(members) - 1)
    (here / "a.svg").write_text((here / "b.svg").read_text())
    code, _, said = evoart(capsys, "redo", "c.json", "-o", "d.json")
    assert code == 2
    assert "is not the drawing this job was made for" in said


def test_another_takes_over_in_mid_drawing(here, capsys):
    how = ("-n", 2, "-s", 1, "--color", "black,red", "-q")
    assert evoart(capsys, "sketch", "--then", "kanji", "--after", 2, "-o", "t.json", *how)[0] == 0
    assert evoart(capsys, "sketch", "two.npz", "--class", "cat", "--then", "dog", "-o", "u.json", *how)[0] == 0
    plain = load("t.json")
    drawing = plain.form.drawing(plain.genome)
    for members in drawing.sketches():
        assert [float(drawing.colours[k][0]) for k in members][:3] == [0, 0, 1]
    code, _, said = evoart(capsys, "sketch", "two.npz", "--class", "cta", "-o", "v.svg")
    assert code == 2
    assert "Did you mean cat?" in said


def test_the_latent_space(here, capsys):
    code, out, _ = evoart(capsys, "sketch", "encode", "a.svg", "-m", "vae.npz", "-o", "z.json")
    assert code == 0
    assert len(json.loads((here / "z.json").read_text())["z"]) == 4
    for words in (
        ("decode", "z.json"),
        ("decode", "a.svg"),
        ("interpolate", "a.svg", "b.svg", "--steps", 4),
        ("grid", "--span", 1, "-n", 4),
        ("combine", "a.svg", "--minus", "b.svg"),
        ("complete", "a.svg"),
    ):
        code, out, said = evoart(capsys, "sketch", *words, "-m", "vae.npz", "-s", 1, "-o", f"{words[0]}.json", "-q")
        assert code == 0, said
        (here / f"{words[0]}.json").unlink()
    assert evoart(capsys, "sketch", "vae.npz", "-n", 2, "-o", "p.svg", "-q")[0] == 0
    code, _, said = evoart(capsys, "sketch", "interpolate", "a.svg", "b.svg", "-o", "i.svg")
    assert code == 2
    assert "'kanji' is a decoder only" in said


def test_an_interrupted_sheet_ends_as_the_unbroken_one(tmp_path):
    job = Job.make(command="sketch", count=70, seed=4, model="kanji", points=8)
    *_, whole = events(job)
    stop, keep = Stop(), Keep(tmp_path / "x.npz")
    for _ in events(job, keep=keep, stop=stop):
        stop.ask()
    *_, again = resume(read_checkpoint(tmp_path / "x.npz"))
    assert again.result.form == whole.result.form
    np.testing.assert_array_equal(again.result.genome, whole.result.genome)
    assert again.result.figures == whole.result.figures


def test_conversions(here, capsys):
    assert evoart(capsys, "sketch", "convert", "a.svg", "b.svg", "-o", "s.ndjson")[0] == 0
    assert evoart(capsys, "sketch", "convert", "s.ndjson", "-o", "s.npz")[0] == 0
    assert evoart(capsys, "sketch", "convert", "s.npz", "-o", "out", "--points", 4)[0] == 0
    assert sorted(p.name for p in (here / "out").iterdir()) == ["s-1.svg", "s-2.svg"]
    assert evoart(capsys, "sketch", "convert", "out", "-o", "sheet.svg")[0] == 0
    assert len(read_svg((here / "sheet.svg").read_bytes(), "x").strokes) == 3
    (here / "w.json").write_bytes(to_js(small()))
    assert evoart(capsys, "sketch", "convert", "w.json", "-o", "w.npz")[0] == 0
    assert evoart(capsys, "sketch", "convert", "w.npz", "-o", "w.js")[0] == 0
    for words, message in (
        (("a.svg", "-o", "s.npz"), "exists already"),
        (("a.svg", "-o", "a.svg"), "is the input"),
        (("a.svg", "-o", "x.bmp"), "no format of drawings"),
        (("w.npz", "-o", "x.svg"), "no format of weights"),
        (("no.svg", "-o", "x.npz"), "no file"),
    ):
        code, _, said = evoart(capsys, "sketch", "convert", *words)
        assert code == 2
        assert message in said


def test_training_from_the_command_line(here, capsys):
    evoart(capsys, "sketch", "convert", "a.svg", "b.svg", "-o", "s.ndjson")
    lines = (here / "s.ndjson").read_text() * 5
    (here / "s.ndjson").write_text(lines)
    how = ("--hidden", 8, "--mixtures", 2, "--steps", 4, "--check", 2, "-s", 1, "--tolerance", 20)
    code, out, said = evoart(capsys, "sketch", "train", "s.ndjson", "--out", "m.npz", *how)
    assert code == 0
    assert out == ["m.npz", "m-samples.svg"]
    assert "8 drawings to learn from, 2 to check by" in said
    assert len(re.findall("validation L_R", said)) == 3
    assert not (here / "m.checkpoint.npz").exists()
    assert evoart(capsys, "sketch", "m.npz", "-n", 1, "-o", "m.svg", "-q")[0] == 0
    code, out, _ = evoart(
        capsys, "sketch", "train", "s.ndjson", "--out", "n.npz", *how, "--start", "m.npz", "--json", "-q"
    )
    assert json.loads(out[0])["steps"] == 4
    for words, message in (
        (("--out", "m.npz"), "exists already"),
        (("--out", "m.txt"), "does not end in .npz"),
        (("--out", "o.npz", "--resume", "no.npz"), "no file"),
        (("--out", "o.npz", "--hidden", "2"), "4 to 4,096"),
    ):
        code, _, said = evoart(capsys, "sketch", "train", "s.ndjson", *words)
        assert code == 2, said
        assert message in said
    code, _, said = evoart(capsys, "sketch", "train", "s.ndjson", "--out", "o.npz", "--resume", "m.npz")
    assert code == 1
    assert "no checkpoint of a sketch training" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("brid",), "Did you mean"),
        (("complte", "a.svg"), "Did you mean complete"),
        (("no.npz",), "there is no file"),
        (("a.svg",), "Did you mean: evoart sketch complete a.svg"),
        (("--temperature", "5"), "0 to 2"),
        (("--temperature", "nan"), "temperature"),
        (("--rule", "jss"), "Did you mean js"),
        (("-n", "0"), "1 to 10,000"),
        (("--points", "1"), "2 to 5,000"),
        (("--color", "redd"), "Did you mean red"),
        (("--class", "cat"), "knows no classes"),
        (("--width", "99"), "0.05 to 20"),
        (("encode", "a.svg"), "decoder only"),
        (("grid",), "decoder only"),
        (("decode", "no.json"), "cannot be read"),
        (("complete", "empty.svg"), "no paths"),
        (("complete", "bomb.svg"), "XML entities"),
        (("--each", "-o", "-"), "exclude each other"),
    ],
)
def test_wrong_input_is_told_in_one_line(here, capsys, words, message):
    (here / "empty.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (here / "bomb.svg").write_text('<!DOCTYPE x [<!ENTITY a "b">]><svg>&a;</svg>')
    outputs = () if words[0] in ("encode",) or "-o" in words else ("-o", "x.svg")
    code, out, said = evoart(capsys, "sketch", *words, *outputs)
    assert code in (1, 2)
    errors = [line for line in said.splitlines() if line.startswith("Error")]
    assert len(errors) == 1
    assert re.search(message, errors[0])
    assert not out
    assert not (here / "x.svg").exists()


def test_published_models_are_fetched_once_and_checked(here, monkeypatch, capsys):
    fetched = []

    def obtain(remote, path, *, report, progress):
        if not path.exists():
            fetched.append(remote.url)
            report(f"Downloading {remote.name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(to_js(small()))
            progress(1, 1)
        return path

    monkeypatch.setenv("EVOART_CACHE", str(here / "cache"))
    monkeypatch.setattr(catalogue, "obtain", obtain)
    for k in range(2):
        assert evoart(capsys, "sketch", "bird", "-n", 1, "-o", f"{k}.svg")[0] == 0
    assert fetched == ["https://storage.googleapis.com/quickdraw-models/sketchRNN/models/bird.gen.json"]
    assert catalogue.find("Sea-Turtle.vae").config.hidden == 12
    assert fetched[1].endswith("/sea_turtle.vae.json")
    catalogue.place("bird").write_bytes(b"[]")
    with pytest.raises(EvoartError, match="Delete '.*bird.gen.json' and try again"):
        catalogue.find("bird", download=False)
    lines = []
    assert catalogue.find("bird", report=lines.append).config.hidden == 12  # what is bad is fetched again
    assert "is deleted" in lines[0]
    assert len(fetched) == 3
    for wrong in ("brid", "bird.exe"):
        with pytest.raises(UsageError):
            catalogue.find(wrong)
    assert len(set(catalogue.PUBLISHED)) == len(catalogue.PUBLISHED) > 100


def test_the_built_in_model_and_its_licence():
    model = catalogue.find("kanji")
    assert "CC BY-SA" in model.config.licence
    assert (catalogue.FOLDER / "kanji.npz").stat().st_size < 1_000_000
    for name in catalogue.BUILTIN:
        assert "Ulrich Apel" in (catalogue.FOLDER / f"{name}.LICENCE.txt").read_text()
    assert "CC BY-SA 3.0" in sketch.get_help(click.Context(sketch))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_explains_itself(name):
    context = click.Context(sketch)
    command = sketch.get_command(context, name)
    assert command.help
    text = command.get_help(click.Context(command, info_name=name))
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help.endswith((".", "]")), parameter.name
            assert all(word in text for word in parameter.opts)


def test_pens_evolve_to_a_photograph(here, capsys, photo):
    Image.fromarray((photo * 255).astype(np.uint8)).save("p.png")
    how = ("--pixels", 32, "--generations", 2, "-s", 1, "--no-checkpoint", "-q")
    for canvas, number in (("sketch:two.npz", 2), ("strokes", 9), ("sketch:vae.npz.z", 2)):
        code, _, said = evoart(
            capsys, "fit", "p.png", "--form", canvas, "-n", number, "-o", "f.json", "--overwrite", *how
        )
        assert code == 0, said
        result = load("f.json")
        assert result.form.name == "strokes"
        assert 3 < result.figures["psnr"] < 40
    for canvas, message in (
        ("sktch", "no canvas"),
        ("sketch:brid", "Did you mean"),
        ("sketch:kanji.z", "decoder only"),
    ):
        code, _, said = evoart(capsys, "fit", "p.png", "--form", canvas, *how)
        assert code == 2
        assert message in said


def test_the_tape_decides_and_z_too(here):
    form = sketch_form("vae.npz", "z", 3, 20)
    assert form.dim == 3 * (4 + 4)
    a, b = (form.finalised(form.random(np.random.default_rng(k)))[1] for k in (0, 1))
    assert a.shape != b.shape or not np.allclose(a, b)
    other = SketchForm.from_plain(form.to_plain() | {"sha256": "0" * 64})
    with pytest.raises(EvoartError, match="not the model that this was made with"):
        other.drawing(other.random(np.random.default_rng(0)))


@pytest.mark.parametrize("model", ["bird", "/etc/nothing.npz", "mine.npz"])
def test_reading_a_form_asks_for_no_model(here, monkeypatch, capsys, model):
    def fail(*given, **how):
        raise AssertionError("a recipe was only read")

    monkeypatch.setenv("EVOART_CACHE", str(here / "cache"))
    for name in ("find", "obtain", "read"):
        monkeypatch.setattr(catalogue, name, fail)
    form = SketchForm(model, "tape", 2, 16)
    genome = form.random(np.random.default_rng(0))
    result = {"form": "sketch", **form.to_plain(), "genome": container.encode_genome(genome), "size": [64, 64]}
    recipe = {"evoart": "0", "format": 1, "job": {"command": "sketch"}, "result": result | {"figures": {}}}
    (here / "r.json").write_text(json.dumps(recipe))
    assert evoart(capsys, "info", "r.json")[0] == 0
    load("r.json")
    monkeypatch.undo()
    monkeypatch.chdir(here)
    monkeypatch.setenv("EVOART_CACHE", str(here / "cache"))
    monkeypatch.setattr(catalogue, "obtain", fail)
    code, _, said = evoart(capsys, "render", "r.json", "-o", "r.png")
    assert code == 1
    assert ("is not here. Fetch it with: evoart sketch bird" if model == "bird" else "does not say what") in said
