"""``evoart cppn``: from the command line to files and back, each kind of run, and what is refused."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from conftest import scenery
from PIL import Image as Pillow

from evoart.cli.app import run
from evoart.output.save import read_recipe
from evoart.run import loop
from evoart.run.api import load
from evoart.run.checkpoint import Checkpoint
from evoart.run.cppn.fit_job import CppnFitJob
from evoart.run.job import JOBS, Job
from evoart.run.problem import prepare

LAYERS = ("--layers", "6x2", "--latent", "1")
QUICK = (*LAYERS, "--size", "40", "--sheet-size", "90", "-n", "4", "-s", "5", "-q")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with sheets and pictures of two kinds, and a photograph."""
    folder = tmp_path_factory.mktemp("cppn")
    assert run(["cppn", *QUICK, "-o", str(folder / "a.png")]) == 0
    graphs = ["cppn", "--topology", "graph", "--latent", "2", *QUICK[4:], "-o", str(folder / "g.png")]
    assert run(graphs) == 0
    image = Pillow.fromarray((scenery(24, 32) * 255).astype(np.uint8))
    image.save(folder / "photo.png")
    return folder


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    """The same files, in a folder of the test's own."""
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(path) -> Pillow.Image:
    """A picture, its file closed."""
    return Pillow.open(io.BytesIO(Path(path).read_bytes()))


def refused(capsys, *words) -> str:
    """The one line that is said where ``words`` are refused before any work."""
    capsys.readouterr()
    assert run(list(words)) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1, said
    return said


@pytest.mark.slow
def test_a_sheet_and_each_picture_are_written(here):
    assert sorted(path.name for path in here.glob("a*")) == ["a-01.png", "a-02.png", "a-03.png", "a-04.png", "a.png"]
    sheet, alone = load("a.png"), load("a-03.png")
    assert max(opened("a.png").size) == 90
    assert opened("a-03.png").size == (40, 40)
    picked = load("a.png", pick=3)
    np.testing.assert_array_equal(alone.genome, picked.genome)
    assert alone.job.pick == 3
    assert sheet.form.label == "4 pictures"


@pytest.mark.parametrize("name", ["a.png", "a-02.png", "g.png", "g-04.png"])
def test_redo_gives_the_same_bytes(here, name):
    assert run(["redo", name, "-o", "again.png", "-q"]) == 0
    assert (here / "again.png").read_bytes() == (here / name).read_bytes()


def test_the_same_seed_gives_the_same_bytes(here):
    assert run(["cppn", *QUICK, "-o", "b.png"]) == 0
    for name in ("", "-01", "-04"):
        assert (here / f"a{name}.png").read_bytes() == (here / f"b{name}.png").read_bytes()


def test_info_tells_what_a_network_is(here, capsys):
    assert run(["info", "g-01.png"]) == 0
    said = capsys.readouterr().out
    assert "nodes at work" in said
    assert "topology       graph" in said


@pytest.mark.parametrize("name", ["a-01.png", "g-01.png"])
def test_exports_carry_the_network_and_come_back(here, name):
    outputs = [
        word for e in ("html", "frag", "network.svg", "weights.json", "json", "svg") for word in ("-o", f"x.{e}")
    ]
    assert run(["render", name, *outputs, "-q"]) == 0
    for extension in ("html", "frag", "network.svg", "weights.json", "json", "svg"):
        again = load(f"x.{extension}")
        np.testing.assert_array_equal(again.genome, load(name).genome)
        assert again.form == load(name).form
    assert run(["render", "x.weights.json", "-o", "y.png", "-q"]) == 0
    assert (here / "y.png").read_bytes() == (here / name).read_bytes()


def test_weights_can_be_fixed_by_hand(here):
    assert run(["render", "g-01.png", "-o", "w.weights.json", "-q"]) == 0
    plain = json.loads((here / "w.weights.json").read_text())
    plain["result"]["weights"]["links"][0]["weight"] = 1.25
    (here / "w.weights.json").write_text(json.dumps(plain))
    result = load("w.weights.json")
    assert result.genome[result.form.latent] == np.float32(1.25)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda r: r["links"].append([r["nodes"][-1][0], r["nodes"][-1][0], 1]), "a cycle through node"),
        (lambda r: r["links"].append([0, 99999, 1]), "0 -> 99999"),
        (lambda r: r["nodes"].pop(0), "between nodes|lacks an output"),
        (lambda r: r["weights"]["links"].pop(0), "lacks the weight of the link"),
        (lambda r: r["weights"]["links"][0].update(weight=1e400), "damaged"),
        (lambda r: r["weights"]["links"][0].update(weight="NaN"), "not a finite number"),
        (lambda r: r["weights"]["links"][0].update(weight=1e30), "damaged"),
        (lambda r: r["nodes"][0].__setitem__(1, "sinus"), "unknown activation 'sinus'"),
        (lambda r: r.update(symmetry="z"), "not a symmetry"),
    ],
)
def test_damaged_networks_are_refused_with_the_reason(here, spoil, says, capsys):
    import re

    assert run(["render", "g-01.png", "-o", "w.weights.json", "-q"]) == 0
    plain = json.loads((here / "w.weights.json").read_text())
    spoil(plain["result"])
    (here / "w.weights.json").write_text(json.dumps(plain))
    capsys.readouterr()
    assert run(["render", "w.weights.json", "-o", "z.png", "-q"]) == 1
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    assert re.search(says, said), said
    assert not (here / "z.png").exists()


def test_layers_without_layers_in_a_file_are_refused(here, capsys):
    recipe = read_recipe("a-01.png")
    recipe["result"]["layers"] = []
    (here / "w.json").write_text(json.dumps(recipe))
    assert run(["render", "w.json", "-o", "z.png"]) == 1
    assert "a network of 0 layers" in capsys.readouterr().err


def test_children_are_bred_and_know_their_ancestors(here, capsys):
    words = ["--size", "40", "--sheet-size", "90", "-n", "4", "-q"]
    assert run(["cppn", "breed", "a-01.png", "a.png:3", *words, "-s", "1", "-o", "b.png"]) == 0
    assert run(["cppn", "breed", "b-02.png", *words, "-s", "2", "-o", "c.png"]) == 0
    lineage = load("c-01.png").job.lineage
    assert [line[:2] for line in lineage] == ["1 ", "2 ", "2 "]
    assert "b-02.png" in lineage[0]
    assert any("a.png:3" in line and "seed 5 picture 3" in line for line in lineage)
    assert run(["redo", "c-03.png", "-o", "again.png", "-q"]) == 0
    assert (here / "again.png").read_bytes() == (here / "c-03.png").read_bytes()
    capsys.readouterr()
    assert run(["info", "c-01.png"]) == 0
    assert "2 a-01.png" in capsys.readouterr().out
    children = [load(f"b-0{k}.png").genome for k in (1, 2, 3, 4)]
    assert len({child.tobytes() for child in children}) == 4


def test_graphs_are_crossed_too(here):
    words = ["--size", "40", "--sheet-size", "90", "-n", "3", "-q", "-s", "1", "--sheet-only", "-o", "b.png"]
    assert run(["cppn", "breed", "g-01.png", "g-02.png", *words]) == 0
    assert not (here / "b-01.png").exists()
    assert load("b.png").form.label == "5 pictures"  # with the parents


def test_the_breeding_sheet_keeps_the_parents_and_says_whose_a_child_is(here):
    words = ["--size", "40", "--sheet-size", "400", "-q", "-s", "1", "-o", "b.png"]
    assert run(["cppn", "breed", "a-01.png", "g-02.png", "a.png:3", *words]) == 0
    form, genome = load("b.png").form, load("b.png").genome
    assert form.columns == 4  # sixteen children are four by four, and the parents are a row of their own
    assert form.captions[16:] == ("parent 1: a-01.png", "parent 2: g-02.png", "parent 3: a.png:3")
    assert form.captions[0] == "1: child of 1 and 3"  # those of one kind are crossed
    assert form.captions[1] == "2: child of 2"
    parts = {cell: (member, part) for cell, member, part in form.split(genome)}
    assert [parts[cell][0].name for cell in (0, 1, 16, 17)] == ["cppn", "cppn-graph", "cppn", "cppn-graph"]
    np.testing.assert_array_equal(parts[17][1], load("g-02.png").genome)
    assert not (here / "b-17.png").exists()  # parents have files already
    assert run(["redo", "b.png", "-o", "again.png", "-q"]) == 0
    assert (here / "again.png").read_bytes() == (here / "b.png").read_bytes()
    *_, alone = loop.run(load("b.png", pick=18).job)
    np.testing.assert_array_equal(alone.result.genome, load("g-02.png").genome)


def test_a_breeding_run_goes_on_from_a_checkpoint(here, tmp_path):
    from evoart.run import checkpoint
    from evoart.run.state import Run

    job = Job.make(command="cppn-breed", parents=["a-01.png", "g-02.png"], n=3, seed=1)
    *_, whole = loop.run(job)
    problem = prepare(job)
    state = Run(problem, problem.search(), None)
    state.search.step()
    checkpoint.save(tmp_path / "c.npz", state.checkpoint(None))
    for name in ("a-01.png", "g-02.png"):
        (here / name).unlink()  # the checkpoint has all that it needs
    *_, last = loop.resume(checkpoint.load(tmp_path / "c.npz"))
    assert last.result.recipe["result"] == whole.result.recipe["result"]


def test_a_sheet_without_options_mixes_kinds_of_networks():
    *_, last = loop.run(Job.make(command="cppn", n=8, candidates=1, seed=3))
    form = last.result.form
    assert {member.name for member in form.members} == {"cppn", "cppn-graph"}
    assert {"none", "x", "kaleidoscope:6"} == {member.net.symmetry for member in form.members}
    for pick in (2, 5):
        *_, alone = loop.run(Job.make(command="cppn", n=8, candidates=1, seed=3, pick=pick))
        cell, member, genome = form.split(last.result.genome)[pick - 1]
        assert alone.result.form == member
        np.testing.assert_array_equal(alone.result.genome, genome)
        assert alone.result.job.form_name == member.name
    named = Job.make(command="cppn", layers="6x2")
    assert (named.topology, named.symmetry) == ("layers", "none")


@pytest.mark.parametrize("count", range(1, 41))
def test_sheets_have_few_empty_cells(count):
    job = Job.make(command="cppn", n=count)
    rows = -(-count // job.columns)
    assert rows * job.columns - count < job.columns
    assert rows * job.columns <= max(1.2 * count, count + 2)


def test_parents_that_do_not_fit_are_refused(here, capsys):
    assert "no parents" in refused(capsys, "cppn", "breed")
    assert "different layouts" in refused(capsys, "cppn", "film", "a-01.png", "g-01.png")
    assert "sheet of 4 pictures" in refused(capsys, "cppn", "breed", "a.png")
    assert "no picture 9" in refused(capsys, "cppn", "breed", "a.png:9")
    assert "there is no file" in refused(capsys, "cppn", "breed", "nowhere.png")
    assert run(["fit", "photo.png", "-n", "3", "--pixels", "16", "--quality", "draft", "-o", "shapes.png", "-q"]) == 0
    assert "not a picture of a network" in refused(capsys, "cppn", "breed", "shapes.png")
    assert "for cppn and cppn-graph and cppn-latent only" in refused(capsys, "render", "shapes.png", "-o", "x.frag")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--layers", "0x4"], "a layer of 0 units"),
        (["--layers", "24x0"], "without layers"),
        (["--layers", "many"], "24x4"),
        (["--layers", "24x99"], "99 layers"),
        (["--activations", "tahn"], "tanh"),
        (["--color", "cmyk"], "unknown color"),
        (["--symmetry", "kaleidoscope:99"], "2 to 24"),
        (["--latent", "-1"], "--latent"),
        (["--aspect", "wide"], "16:9"),
        (["-n", "0"], "-n is 0"),
        (["--pick", "7", "-n", "4"], "no picture 7"),
        (["--size", "99999"], "out of range"),
        (["fit", "photo.png", "--topology", "agnostic"], "--weights evolve"),
        (["fit", "photo.png", "--strategy", "snes"], "--weights evolve --strategy snes"),
        (["fit", "photo.png", "--topology", "graph", "--set", "nodes=1"], "node"),
        (["fit", "nowhere.png"], "there is no file"),
        (["explore", "--grid", "1x1"], "2 to 100"),
        (["explore", "--measures", "edges,edges"], "Name two"),
        (["explore", "--objective", "beauty"], "unknown objective"),
        (["film"], "there is no network"),
        (["film", "a-01.png", "-o", "x.pdf"], "cannot be a film"),
        (["-n", "3", "breed", "a-01.png"], "stands before 'breed'"),
    ],
)
def test_wrong_options_are_refused(here, capsys, words, says):
    assert says in refused(capsys, "cppn", *words)


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"weights": "evolve", "strategy": "snes", "population": 8},
        {"topology": "graph", "population": 4, "options": {"steps": 5}},
        {"topology": "graph", "weights": "evolve", "population": 6},
        {"topology": "agnostic", "weights": "evolve", "population": 6},
    ],
    ids=["layers", "strategy", "backprop-neat", "neat", "agnostic"],
)
def test_fits_come_nearer_can_be_interrupted_and_done_again(how):
    picture = scenery(24, 32)
    budget = {"generations": 200} if not how else {"generations": 8}
    job = CppnFitJob.make(layers="8x2", pixels=16, seed=3, **budget, **how)

    def ended(make=None):
        *_, last = loop.run(job, picture, make=make)
        return last.result

    result = ended()
    blank = prepare(job, picture)
    assert result.psnr > 8
    first = blank.search()
    first.step()
    assert blank.evaluate(result.form, result.genome)["loss"] <= first.loss + 1e-3
    again = ended()
    np.testing.assert_array_equal(again.genome, result.genome)
    # The same through a checkpoint after some steps.
    search = blank.search()
    for _ in range(3):
        search.step()
    state = {"seconds": 0.0, "mark": [float(search.loss), 0], "reason": None, "notes": {}}
    from evoart.run.recorder import FilmRecorder

    saved = Checkpoint(blank, search.arrays(), FilmRecorder(16).arrays(), state)
    *_, last = loop.resume(saved)
    np.testing.assert_array_equal(last.result.genome, result.genome)
    assert last.result.form == result.form


def test_photographs_may_be_long_strips(here):
    """Nobody chose the proportions of a photograph, nor those of the parents."""
    Pillow.new("RGB", (400, 2), "red").save("strip.png")
    for command in (["cppn", "fit", *LAYERS, "--set", "steps=2"], ["fit", "-n", "1", "--evaluations", "50"]):
        assert (
            run([*command, "strip.png", "--pixels", "16", "-o", "drawn.png", "--size", "64", "--overwrite", "-q"]) == 0
        )
        assert load("drawn.png").size == (64, 1)
        if command[0] == "cppn":
            assert run(["cppn", "breed", "drawn.png", "-n", "2", "--size", "40", "-o", "b.png", "-q", "-s", "1"]) == 0


def test_a_fit_goes_on_from_a_result(here):
    words = ["--layers", "6x2", "--pixels", "16", "-s", "1", "-q"]
    assert run(["cppn", "fit", "photo.png", *words, "--generations", "30", "-o", "one.png"]) == 0
    assert (
        run(["cppn", "fit", "photo.png", "--start", "one.png", *words[2:], "--generations", "60", "-o", "two.png"]) == 0
    )
    assert load("two.png").loss < load("one.png").loss
    assert load("two.png").form.net == load("one.png").form.net
    assert opened("two.png").size == (32, 24)
    assert run(["redo", "two.png", "-o", "again.png", "-q"]) == 0
    assert (here / "again.png").read_bytes() == (here / "two.png").read_bytes()


def test_another_limit_does_not_change_the_plan(here):
    """A run that was stopped, and given another limit when it continued, is still what its recipe says."""
    words = ["--layers", "6x2", "--pixels", "16", "-s", "1", "-q"]
    how = ["cppn", "fit", "photo.png", *words, "--generations", "100", "--set", "steps=300"]
    assert run([*how, "-o", "one.png", "--checkpoint", "one.npz"]) == 0
    assert run(["resume", "one.npz", "--generations", "200", "-o", "two.png", "-q"]) == 0
    assert load("two.png").generations == 200
    assert run(["redo", "two.png", "-o", "again.png", "-q"]) == 0
    assert (here / "again.png").read_bytes() == (here / "two.png").read_bytes()


def test_a_sheet_goes_on_from_a_checkpoint(here):
    from evoart.run.recorder import FilmRecorder

    problem = prepare(load("a.png").job)
    search = problem.search()
    search.step()
    search.step()
    state = {"seconds": 0.0, "mark": [float(search.loss), 0], "reason": None, "notes": {}}
    *_, last = loop.resume(Checkpoint(problem, search.arrays(), FilmRecorder(16).arrays(), state))
    assert last.result.recipe["result"] == read_recipe("a.png")["result"]


def test_exploring_fills_a_sheet(here):
    words = ["--layers", "6x3", "--grid", "4x3", "--sheet-size", "120", "-s", "1", "-q"]
    assert run(["cppn", "explore", *words, "--evaluations", "256", "-o", "e.png"]) == 0
    result = load("e.png")
    assert len(result.form.filled) >= 4
    assert len(result.form.members) == 12
    assert result.form.axes == (("0", "edges", "0.08"), ("0", "colourfulness", "0.7"))
    w, h = result.size
    for mask, left, top in result.drawing._texts((w, h)):  # as far from the edge as the pictures are
        first, last = (top, top + mask.shape[0] - h) if left == 0 else (left, left + mask.shape[1] - w)
        assert first > 0 > last
    assert run(["redo", "e.png", "-o", "again.png", "-q"]) == 0
    assert (here / "again.png").read_bytes() == (here / "e.png").read_bytes()


@pytest.mark.parametrize("names", [["a-01.png"], ["a.png:1", "a.png:2"], ["g-01.png", "g-02.png", "g-03.png"]])
def test_films_are_loops(here, names):
    words = ["--film-size", "32", "--film-time", "1s", "-s", "3", "-q", "-o", "f.gif"]
    assert run(["cppn", "film", *names, *words]) == 0
    film = opened("f.gif")
    frames = []
    for index in range(film.n_frames):
        film.seek(index)
        frames.append(np.asarray(film.convert("RGB"), float))
    steps = [np.abs(a - b).mean() for a, b in zip(frames, [*frames[1:], frames[0]], strict=True)]
    assert len(frames) == 12
    assert steps[-1] <= 1.5 * max(steps[:-1]) + 1  # the seam is a step like any other
    assert max(steps) > 0.5
    first = np.asarray(opened(names[0].partition(":")[0].replace("a.png", "a-01.png")).resize((32, 32)), float)
    assert np.abs(frames[-1] - first).mean() < 25
    assert run(["redo", "f.gif", "-o", "again.gif", "--film-size", "32", "--film-time", "1s", "-q"]) == 0
    assert (here / "again.gif").read_bytes() == (here / "f.gif").read_bytes()


def test_large_pictures_are_written_row_by_row(here, monkeypatch):
    from evoart.output import formats, save

    assert run(["render", "a-01.png", "-o", "whole.png", "--size", "300", "--supersample", "1", "-q"]) == 0
    for module in (formats, save):
        monkeypatch.setattr(module, "HELD", 1000)
    assert run(["render", "a-01.png", "-o", "rows.png", "--size", "300", "--supersample", "1", "-q"]) == 0
    np.testing.assert_array_equal(np.asarray(opened("rows.png")), np.asarray(opened("whole.png")))
    assert read_recipe("rows.png") == read_recipe("a-01.png")
    assert opened("rows.png").info["srgb"] == 0


def test_memory_does_not_grow_with_the_picture(here):
    from evoart.output.formats import encode

    artwork = load("a-01.png").artwork(5000)
    encode("png", artwork)
    tracemalloc.start()
    data = encode("png", artwork)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - len(data) < 60e6  # the pixels alone are 75 MB


def test_what_memory_and_disk_cannot_hold_is_said_before(here, monkeypatch, capsys):
    from evoart.cli import session

    monkeypatch.setattr(session, "available_memory", lambda: 10**8)
    assert "GB of memory" in refused(capsys, "render", "a-01.png", "-o", "x.jpg", "--size", "16000")
    usage = type("Usage", (), {"free": 10**6})
    monkeypatch.setattr(session.shutil, "disk_usage", lambda path: usage)
    assert "its disk has" in refused(capsys, "render", "a-01.png", "-o", "x.png", "--size", "16384")
    assert list(here.glob("x*")) == []


def test_an_interrupted_render_leaves_nothing(here, monkeypatch):
    from evoart.forms.network import NetworkDrawing

    def stop(self, size, first, last):
        yield 0, np.zeros((1, size[0], 3), np.float32)
        raise KeyboardInterrupt

    monkeypatch.setattr(NetworkDrawing, "strips", stop)
    assert run(["render", "a-01.png", "-o", "x.png", "--size", "5000"]) == 130
    assert list(here.glob("*.part")) + list(here.glob(".*.part")) + list(here.glob("x.png")) == []


def test_jobs_come_back_from_plain_values():
    for command in ("cppn", "cppn-fit", "cppn-breed", "cppn-explore", "cppn-film"):
        given = {"cppn-breed": {"parents": ["a.png"]}, "cppn-film": {"networks": ["a.png"]}}.get(command, {})
        job = JOBS[command].make(seed=1, **given)
        assert Job.from_dict(json.loads(json.dumps(job.to_dict()))) == job


def test_a_resumed_sheet_writes_its_pictures_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["-n", "2", "--candidates", "1", "--layers", "2x1", "--size", "16", "-s", "1", "-q"]
    assert run(["cppn", *words, "--checkpoint", "c.npz", "-o", "a.png"]) == 0
    assert run(["resume", "c.npz", "-o", "b.png", "-q"]) == 0
    assert capsys.readouterr().out.split()[3:] == ["b.png", "b-01.png", "b-02.png"]
    assert (tmp_path / "b-02.png").read_bytes() == (tmp_path / "a-02.png").read_bytes()
