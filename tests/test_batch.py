"""Many photographs in one go: from the command line and as a call, one after another and side by side."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import evoart
from evoart.cli import batch
from evoart.cli.app import run
from evoart.run.fit.batch import prepare_all
from evoart.run.fit.job import FitJob

FEW = {"shapes": 4, "pixels": 24, "seed": 5, "size": 48, "threads": 1}
LINE = ("-n", "4", "--pixels", "24", "--seed", "5", "--size", "48", "--threads", "1", "--quality", "draft")
DEVICE = {"search": "classical", "engine": "dense", "device": "cpu", "generations": 20, "population": 8}


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """Three pictures of one size, another that is broken between them, and one of another size."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for i in range(3):
        pixels = np.kron(rng.integers(0, 255, (3, 4, 3)), np.ones((16, 16, 1))).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    Image.fromarray(pixels.transpose(1, 0, 2).copy()).save(tmp_path / "tall.png")
    return tmp_path


def test_a_broken_one_stops_none_of_the_others(photographs, capsys):
    assert run(["fit", "0.png", "broken.jpg", "1.png", *LINE, "--json"]) == 1
    said = capsys.readouterr()
    facts = json.loads(said.out)["pictures"]
    assert [entry["picture"] for entry in facts] == ["0.png", "broken.jpg", "1.png"]
    failed = facts.pop(1)
    assert "is not a picture" in failed["error"]
    assert failed["exit_code"] == 1
    assert [entry["outputs"] for entry in facts] == [[f"{i}-shapes.svg", f"{i}-shapes.png"] for i in (0, 1)]
    assert {entry["seed"] for entry in facts} == {5}
    assert said.err.splitlines()[-1] == "Not drawn, 1 of 3 pictures: broken.jpg"
    assert "Error: broken.jpg: 'broken.jpg' is not a picture" in said.err
    assert all((photographs / name).stat().st_size for entry in facts for name in entry["outputs"])


@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error"), ValueError("oh")])
@pytest.mark.parametrize("while_reading", [True, False])
def test_whatever_goes_wrong_with_one_costs_no_other(
    photographs, capsys, monkeypatch, tmp_path_factory, error, while_reading
):
    from evoart.run.fit.problem import FitProblem

    prepare, real = FitProblem.prepare, FitProblem.search

    def fail(job):
        if job.picture == "0.png":
            raise error

    def read(job, source=None):
        fail(job)
        return prepare(job, source)

    def search(self):
        fail(self.job)
        return real(self)

    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("logs")))
    if while_reading:
        monkeypatch.setattr(FitProblem, "prepare", read)
    else:
        monkeypatch.setattr(FitProblem, "search", search)
    assert run(["fit", "0.png", "1.png", *LINE, "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)["pictures"]
    assert ["error" in entry for entry in facts] == [True, False]


def test_into_a_folder_that_is_not_there_yet(photographs, capsys):
    assert run(["fit", "0.png", "1.png", *LINE, "-o", "new/wall/", "--dry-run", "-q"]) == 0
    assert not (photographs / "new").exists()
    assert run(["fit", "0.png", "1.png", *LINE, "-o", "new/wall/", "--format", "svg", "-q"]) == 0
    assert sorted(path.name for path in (photographs / "new" / "wall").iterdir()) == ["0-shapes.svg", "1-shapes.svg"]
    assert run(["fit", "0.png", *LINE, "-o", "one/", "--film", "films/", "-q"]) == 0
    assert [path.name for path in (photographs / "films").iterdir()] == ["0-shapes.gif"]
    assert run(["fit", "broken.jpg", *LINE, "-o", "none/"]) == 1
    assert not (photographs / "none").exists()  # nothing was written, so nothing is left
    capsys.readouterr()


def test_each_gets_what_it_gets_alone(photographs, capsys):
    assert run(["fit", "0.png", "1.png", *LINE, "-q"]) == 0
    alone = evoart.fit("1.png", **FEW, quality="draft")
    assert evoart.load("1-shapes.png").loss == alone.loss
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "x.png"], "Give a folder: -o wall/"),
        (["--film", "x.gif"], "Give a folder"),
        (["--checkpoint", "x.npz"], "each gets its own"),
        (["-"], "standard input is one picture"),
        (["0.png"], "'0.png' is given twice"),
        (["--print-config"], "--print-config is for one picture"),
    ],
)
def test_what_only_one_picture_can_have(photographs, capsys, words, said):
    assert run(["fit", "0.png", "1.png", *words]) == 2
    assert said in capsys.readouterr().err


def test_into_a_folder(photographs, capsys):
    (photographs / "out").mkdir()
    assert run(["fit", "0.png", "1.png", *LINE, "-o", "out", "--format", "svg", "-q"]) == 0
    assert sorted(path.name for path in (photographs / "out").iterdir()) == ["0-shapes.svg", "1-shapes.svg"]
    capsys.readouterr()


def test_side_by_side_on_a_device(photographs):
    pictures = ["0.png", "broken.jpg", np.asarray(Image.open("1.png")), "2.png", "tall.png"]
    results = evoart.fit_many(pictures, **FEW, **DEVICE)
    assert isinstance(results[1], evoart.EvoartError)
    for picture, result in zip(pictures, results, strict=True):
        if result is not results[1]:
            alone = evoart.fit(picture, **FEW, **DEVICE)
            assert result.loss == pytest.approx(alone.loss, rel=1e-3)
            assert result.evaluations == alone.evaluations
    assert len({result.loss for result in results if result is not results[1]}) == 4


def test_what_was_found_side_by_side_is_saved_when_the_user_stops(photographs, capsys, monkeypatch):
    """The first picture is interrupted: the others, which have come as far, are written too and can continue."""
    ask = batch._search

    def search(picture, halted):
        made = ask(picture, halted)

        def stopped(stop):
            started = made(stop)
            started.step()
            stop.ask("interrupted")
            return started

        return made if halted else stopped

    monkeypatch.setattr(batch, "_search", search)
    words = ["--search", "classical", "--engine", "dense", "--device", "cpu", "--generations", "500"]
    assert run(["fit", "0.png", "1.png", "tall.png", *LINE[:-2], *words, "--json"]) == 130
    said = capsys.readouterr()
    first, second, third = json.loads(said.out)["pictures"]
    assert first["generations"] == second["generations"] > 0
    assert second["checkpoint"] == "1-shapes.checkpoint.npz"
    assert third == {"picture": "tall.png", "error": "interrupted"}
    assert said.err.splitlines()[-1] == "Not drawn, 1 of 3 pictures: tall.png"


def test_the_call_wants_a_list():
    for wrong, said in (("a.png", "Give a list"), ([], "no pictures"), (3, "Give a list")):
        with pytest.raises(evoart.UsageError, match=said):
            evoart.fit_many(wrong)
    with pytest.raises(evoart.UsageError, match="unknown option"):
        evoart.fit_many(["a.png"], shape=3)
    (only,) = evoart.fit_many(["nothere.png"])
    assert isinstance(only, evoart.EvoartError)


def test_pictures_on_the_cpu_engine_follow_one_another(photographs):
    read = prepare_all([FitJob.make(picture=f"{i}.png", **FEW) for i in range(2)])
    assert not any(picture.side_by_side for picture in read)
