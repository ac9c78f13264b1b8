"""``evoart sketch`` as people use it: sheets, recipes, completions, films, conversions, training, and wrong input."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from xml.etree import ElementTree

import click
import numpy as np
import pytest
from PIL import Image
from sketches import small

from evoart.cli.app import run
from evoart.cli.sketch import training
from evoart.cli.sketch.group import COMMANDS, sketch
from evoart.draw.pen import PenDrawing
from evoart.errors import EvoartError, UsageError
from evoart.forms.sketch import SketchForm, sketch_form
from evoart.output.recipe import encode_genome
from evoart.output.save import read_recipe
from evoart.run.api import load
from evoart.run.checkpoint import load as read_checkpoint
from evoart.run.job import Job
from evoart.run.loop import Keep, drive, resume
from evoart.run.loop import run as events
from evoart.run.problem import prepare
from evoart.run.sketch import layout, sampling
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


def test_a_sheet_is_drawn_without_jax(here):
    code = "import sys, evoart; evoart.make('sketch', count=2, seed=1).save('k.svg'); print('jax' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split()[-1] == "False"


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


def test_completions_begin_with_what_was_given(here, capsys):
    (here / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><path d="M10 10L25 10L40 10L40 30"/></svg>')
    code, _, _ = evoart(
        capsys, "sketch", "complete", "a.svg", "-n", 3, "-s", 1, "--color", "#ff0000,#0000ff", "-o", "c.json", "-q"
    )
    assert code == 0
    result = load("c.json")
    drawing = result.form.drawing(result.genome)
    for members in drawing.sketches():
        given = drawing.strokes[members[0]]
        step = np.diff(given[[0, 2, 3]], axis=0)
        assert len(given) == 4  # as it was drawn, however straight
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
    code, _, said = evoart(capsys, "sketch", "interpolate", "a.svg", "b.svg", "-m", "kanji", "-o", "i.svg")
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
        (("a.svg", "-o", "x.bmp"), "not a format of drawings"),
        (("w.npz", "-o", "x.svg"), "not a format of weights"),
        (("no.svg", "-o", "x.npz"), "no file"),
    ):
        code, _, said = evoart(capsys, "sketch", "convert", *words)
        assert code == 2
        assert message in said


@pytest.mark.slow
def test_training_from_the_command_line(here, capsys):
    evoart(capsys, "sketch", "convert", "a.svg", "b.svg", "-o", "s.ndjson")
    lines = (here / "s.ndjson").read_text() * 5
    (here / "s.ndjson").write_text(lines)
    how = ("--hidden", 8, "--mixtures", 2, "--steps", 4, "--check", 2, "-s", 1, "--tolerance", 20)
    code, out, said = evoart(capsys, "sketch", "train", "s.ndjson", "--out", "m.npz", *how)
    assert code == 0
    assert out == ["m.npz", "m-samples.svg"]
    assert "8 drawings to learn from, 2 to validate with" in said
    assert len(re.findall("validation L_R", said)) == 2
    assert not (here / "m.checkpoint.npz").exists()
    assert evoart(capsys, "sketch", "m.npz", "-n", 1, "-o", "m.svg", "-q")[0] == 0
    code, out, _ = evoart(
        capsys, "sketch", "train", "s.ndjson", "--out", "n.npz", *how, "--start", "m.npz", "--json", "-q"
    )
    facts = json.loads(out[0])
    assert (facts["generations"], facts["outputs"]) == (4, ["n.npz", "n-samples.svg"])
    assert "L_R" in facts
    for words, message in (
        (("--out", "m.npz"), "exists already"),
        (("--out", "m.txt"), "does not end in .npz"),
        (("--out", "o.npz", "--resume", "no.npz"), "no file"),
        (("--out", "o.npz", "--hidden", "2"), "4 to 4,096"),
        (("--out", "o.npz", "--rate", "0.1"), "--learning-rate"),
        (("--out", "o.npz", "--steps", "0"), "--steps is 0"),
    ):
        code, _, said = evoart(capsys, "sketch", "train", "s.ndjson", *words)
        assert code == 2, said
        assert message in said
    code, _, said = evoart(capsys, "sketch", "train", "s.ndjson", "--out", "o.npz", "--resume", "m.npz")
    assert code == 1
    assert "'m.npz' is not an evoart checkpoint" in said
    assert not (here / "o.checkpoint.npz").exists()
    code, out, _ = evoart(capsys, "info", "m.npz")  # a model that was trained here carries its recipe
    assert code == 0
    assert any(line.startswith("L_R ") for line in out)
    (here / "bare.npz").write_bytes(to_npz(small()))
    for name in ("bare.npz", "bare.json"):
        evoart(capsys, "sketch", "convert", "bare.npz", "-o", "bare.json")
        code, out, said = evoart(capsys, "info", name, "--json")
        assert code == 0, said
        assert json.loads(out[0])["hidden"] == small().config.hidden


def test_a_training_is_resumed_with_its_own_settings(here, capsys, monkeypatch):
    evoart(capsys, "sketch", "convert", "a.svg", "b.svg", "-o", "s.ndjson")
    (here / "s.ndjson").write_text((here / "s.ndjson").read_text() * 5)
    how = ("--hidden", 8, "--mixtures", 2, "--check", 2, "-s", 1, "--tolerance", 20)
    write = training.write

    def write_and_stop(path, data, **settings):
        monkeypatch.setattr(training, "write", write)  # once: a second signal ends the process
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)  # a thread hears of it
        return write(path, data, **settings)

    monkeypatch.setattr(training, "write", write_and_stop)
    code, out, said = evoart(capsys, "sketch", "train", "s.ndjson", "--out", "m.npz", "--steps", 400, *how)
    assert (code, out) == (130, ["m.npz", "m-samples.svg"])
    assert "Continue with: evoart resume m.checkpoint.npz" in said
    copy = (here / "m.checkpoint.npz").read_bytes()
    (here / "copy.npz").write_bytes(copy)

    def refuse(*_, **__):
        raise EvoartError("no space left", "Free some")

    monkeypatch.setattr(training, "write", refuse)
    for words in (("--hidden", 16), ("--learning-rate", 0.1), ("-s", 2), ("--classes",), ("--check", 3)):
        code, _, said = evoart(capsys, "sketch", "train", "s.ndjson", "--resume", "m.checkpoint.npz", *words)
        assert code == 2
        assert re.search(r"is .*, and 'm.checkpoint.npz' was trained with", said)
    code, out, said = evoart(
        capsys, "sketch", "train", "s.ndjson", "--resume", "m.checkpoint.npz", "--hidden", 8, "--steps", 6
    )
    assert (code, out) == (0, ["m.npz", "m-samples.svg"]), said
    assert "Warning: no space left" in said
    assert not (here / "m.checkpoint.npz").exists()
    first = (here / "m.npz").read_bytes()
    code, out, said = evoart(capsys, "resume", "copy.npz", "--generations", 6)
    assert (code, out) == (0, ["m.npz", "m-samples.svg"]), said
    assert (here / "m.npz").read_bytes() == first
    (here / "copy.npz").write_bytes(copy)
    code, out, said = evoart(capsys, "resume", "copy.npz", "--generations", 6, "-o", "other.npz")
    assert (code, out) == (0, ["other.npz"]), said
    assert (here / "other.npz").read_bytes() == first


def test_no_file_of_a_job_is_written_to_and_all_are_known_again(here, capsys):
    how = ("-m", "vae.npz", "-n", 1, "-s", 1)
    (here / "a.json").write_text('{"drawing": [[[0, 9, 9], [0, 0, 9]]]}')
    (here / "vae.json").write_bytes(to_js(small(latent=4)))
    evoart(capsys, "sketch", "encode", "a.svg", "-m", "vae.npz", "-o", "z.json")
    for words in (
        ("combine", "a.svg", "b.svg", *how, "-o", "b.svg"),
        ("combine", "a.svg", "--minus", "b.svg", *how, "-o", "b.svg"),
        ("complete", "a.svg", "-m", "vae.json", "-n", 1, "-o", "vae.json"),
        ("decode", "z.json", *how, "-o", "z.json"),
        ("encode", "a.json", "-m", "vae.npz", "-o", "a.json"),
    ):
        before = {path.name: path.read_bytes() for path in here.iterdir() if path.is_file()}
        code, _, said = evoart(capsys, "sketch", *words, "--overwrite")
        assert code == 2, words
        assert "is the input" in said
        assert {path.name: path.read_bytes() for path in here.iterdir() if path.is_file()} == before
    assert evoart(capsys, "sketch", "combine", "a.svg", "--minus", "b.svg", *how, "-o", "c.json", "-q")[0] == 0
    (here / "b.svg").write_text((here / "a.svg").read_text())
    code, _, said = evoart(capsys, "redo", "c.json", "-o", "d.json")
    assert code == 2
    assert "is not the drawing this job was made for" in said


def test_a_second_model_is_known_again(here, capsys):
    (here / "second.npz").write_bytes(to_npz(small(extent=60.0)))
    assert evoart(capsys, "sketch", "--then", "second.npz", "-n", 1, "-s", 1, "-o", "t.json", "-q")[0] == 0
    (here / "second.npz").write_bytes(to_npz(small(spread=0.2, extent=60.0)))
    code, _, said = evoart(capsys, "redo", "t.json", "-o", "u.json")
    assert code == 2
    assert "is not the second model this job was made for" in said


def test_blank_sketches_are_told_of(here, capsys, monkeypatch):
    drawn = sampling.draw

    def blank(*words, **how):
        samples = drawn(*words, **how)
        return [samples[0], replace(samples[1], strokes=samples[1].strokes[:0]), *samples[2:]]

    monkeypatch.setattr(sampling, "draw", blank)
    code, _, said = evoart(capsys, "sketch", "-n", 3, "-s", 1, "-o", "k.svg")
    assert code == 0
    assert "the model drew nothing in 1 of 3 cells (2)" in said


def test_only_what_is_asked_for_is_laid_out(monkeypatch):
    laid, cut = [], []
    sheet, truncate = layout.sheet, PenDrawing.truncate
    monkeypatch.setattr(layout, "sheet", lambda *words: laid.append(1) or sheet(*words))
    monkeypatch.setattr(PenDrawing, "truncate", lambda *words: cut.append(1) or truncate(*words))
    problem = prepare(Job.make(command="sketch", count=10, seed=4, points=4))
    laid.clear()
    monkeypatch.setattr(sampling, "BATCH", 1)
    search = problem.search()
    while not search.done:
        search.step()
    assert not laid
    *_, last = drive(problem, search)
    assert (len(laid), cut) == (1, [])
    assert len(last.result.frames) == 120
    assert len(last.result.frames[-1].strokes) == len(last.result.drawing.strokes)
    assert 0 < len(last.result.frames[:3][0].strokes[0]) <= len(last.result.drawing.strokes[0])


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
        (("encode", "a.svg", "-m", "kanji"), "decoder only"),
        (("grid", "-m", "kanji"), "decoder only"),
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
    for name, end in (("handwriting", "rnn-tutorial/master/weights.js"), ("flowchart", "json/flowchart.gen.js")):
        assert evoart(capsys, "sketch", name, "-n", 1, "-o", f"{name}.svg")[0] == 0
        assert fetched[-1].endswith(end)
        assert any(line.startswith(name) for line in evoart(capsys, "sketch", "models")[1])
    catalogue.place("bird").write_bytes(b"[]")
    with pytest.raises(EvoartError, match="Delete '.*bird.gen.json' and try again"):
        catalogue.find("bird", download=False)
    assert catalogue.find("bird").config.hidden == 12  # what is damaged is fetched again
    assert fetched[-1].endswith("/bird.gen.json")
    for wrong in ("brid", "bird.exe"):
        with pytest.raises(UsageError):
            catalogue.find(wrong)
    assert len(set(catalogue.PUBLISHED)) == len(catalogue.PUBLISHED) > 100


def test_the_built_in_model_and_its_licence():
    model = catalogue.find("kanji")
    assert "CC BY-SA" in model.config.licence
    assert model.config.max_points == 90  # which its file calls ``longest``, as earlier versions did
    assert (catalogue.FOLDER / "kanji.npz").stat().st_size < 1_000_000
    for name, author in {"kanji": "Ulrich Apel", "things": "Lucide Contributors"}.items():
        assert author in (catalogue.FOLDER / f"{name}.LICENCE.txt").read_text("utf-8")
    assert list(catalogue.BUILTIN) == ["kanji", "things"]
    assert "CC BY-SA 3.0" in sketch.get_help(click.Context(sketch))


@pytest.mark.slow
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
    for form, number in (("sketch:two.npz", 2), ("sketch:vae.npz.z", 2)):
        code, _, said = evoart(
            capsys, "fit", "p.png", "--form", form, "-n", number, "-o", "f.json", "--overwrite", *how
        )
        assert code == 0, said
        result = load("f.json")
        assert result.form.name == "strokes"
        assert 3 < result.figures["psnr"] < 40
    for form, message in (
        ("sktch", "no form"),
        ("sketch:brid", "Did you mean"),
        ("sketch:kanji.z", "decoder only"),
    ):
        code, _, said = evoart(capsys, "fit", "p.png", "--form", form, *how)
        assert code == 2
        assert message in said


def test_the_tape_decides_and_z_too(here):
    form = sketch_form("vae.npz", "z", 3, 20)
    assert form.dim == 3 * (4 + 4)
    a, b = (form.finalised(form.random(np.random.default_rng(k)))[1] for k in (0, 1))
    assert a.shape != b.shape or not np.allclose(a, b)
    other = SketchForm.from_plain(form.to_plain() | {"sha256": "0" * 64})
    with pytest.raises(EvoartError, match="not the model that this was made with"):
        other.drawing(np.zeros(other.dim, np.float32))


@pytest.mark.parametrize("model", ["bird", "/etc/hostname/x.npz", "vae.npz"])
def test_reading_a_recipe_never_asks_for_a_model(here, capsys, monkeypatch, model):
    def refuse(name, **_):
        raise AssertionError(f"it asked for {name}")

    assert evoart(capsys, "sketch", "-n", 1, "-s", 1, "-o", "k.json", "-q")[0] == 0
    recipe = json.loads((here / "k.json").read_text())
    monkeypatch.setattr(catalogue, "find", refuse)
    form = SketchForm(model, "z", 1, latent=4) if model == "vae.npz" else SketchForm(model)
    genome = encode_genome(np.zeros(form.dim, np.float32))
    recipe["result"] = {"form": "sketch", **form.to_plain(), "genome": genome, "size": [64, 64]}
    (here / "forged.json").write_text(json.dumps(recipe))
    for words in (("info", "forged.json"), ("render", "forged.json", "-o", "x.png"), ("fit", "--start", "forged.json")):
        code, _, said = evoart(capsys, *words)
        assert code == 1, said
        assert "the result in 'forged.json' is damaged" in said
    with pytest.raises(EvoartError, match="damaged"):
        load("forged.json")
