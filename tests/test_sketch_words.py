"""Words in a latent space, strokes in order, and the VAE that comes along."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageSequence
from sketches import small

from evoart.cli.app import run
from evoart.errors import UsageError
from evoart.output.save import read_recipe
from evoart.run.job import Job
from evoart.run.sketch.problem import SketchProblem, in_units
from evoart.sketch import catalogue, latent
from evoart.sketch.order import order
from evoart.sketch.sampling import draw, draw_noise
from evoart.sketch.strokes import to_polylines
from evoart.sketch.weights import decode, to_npz

WORDS = ("apple", "fish", "star")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.npz").write_bytes(to_npz(small(latent=4, words=WORDS, places=2, ordered=True, extent=60.0)))
    (tmp_path / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><path d="M40 30V10H10"/></svg>')
    return tmp_path


def problem(task: str, **given) -> SketchProblem:
    return SketchProblem.prepare(Job.make(command="sketch", task=task, model="words.npz", seed=3, **given))


def test_lines_that_meet_are_one_however_they_were_drawn():
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], float)
    dot = np.array([[5, 5], [5, 6]], float)
    sides = [square[k : k + 2] for k in (2, 0, 3, 1)]
    sides[1] = sides[1][::-1]
    drawn = order([dot[::-1], *sides])
    assert [line.tolist() for line in drawn] == [square.tolist(), dot.tolist()]
    assert [line.tolist() for line in order(drawn)] == [line.tolist() for line in drawn]
    rng = np.random.default_rng(0)
    lines = [np.cumsum(rng.normal(size=(4, 2)), 0) * 5 for _ in range(6)]
    shuffled = [lines[k][:: rng.choice([1, -1])] for k in rng.permutation(6)]
    assert [line.tolist() for line in order(shuffled)] == [line.tolist() for line in order(lines)]
    assert order([]) == []
    open_square = np.array([[10, 0], [10, 10], [0, 10], [0, 0], [9.5, 0.2]], float)
    (closed,) = order([open_square[::-1]])  # a hand does not quite close it
    assert closed[[0, -1]].tolist() == [[0, 0], [0, 0]]
    assert len(closed) == 5


def test_where_four_meet_the_pen_goes_straight_on():
    centre = np.array([5.0, 5.0])
    arms = [np.array([centre, centre + end]) for end in ((5, 0), (-5, 0), (0, 5), (0, -5))]
    assert sorted(line[[0, -1]].tolist() for line in order(arms)) == [[[0, 5], [10, 5]], [[5, 0], [5, 10]]]


def test_a_sheet_between_corners():
    sheet = latent.between_corners(np.eye(4), 3, 5).reshape(3, 5, 4)
    np.testing.assert_allclose(sheet[[0, 0, -1, -1], [0, -1, 0, -1]], np.eye(4), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(sheet, axis=-1), 1)


def test_words_are_kept_with_the_weights(here):
    model = small(latent=4, words=WORDS, places=2, ordered=True, tolerance=0.02, extent=50.0)
    again = decode(to_npz(model, half=False), "it")
    assert again.config == model.config
    assert again.config.usual_tolerance == pytest.approx(1.0)
    np.testing.assert_array_equal(again.params["words/z"], model.params["words/z"])


def test_tasks_take_words(here):
    places = problem("decode", drawing="fish", count=2).model.params["words/z"][:, 0]
    zs = [start.z for start in problem("interpolate", drawing="star", other="apple", count=3).starts]
    np.testing.assert_allclose([zs[0], zs[-1]], places[[2, 0]], rtol=1e-6)
    assert np.array(problem("decode", drawing="fish", count=2).starts[1].z) == pytest.approx(places[1])
    sheet = [start.z for start in problem("grid", count=9).starts]
    assert len({tuple(np.round(z, 5)) for z in (sheet[0], sheet[2], sheet[6], sheet[8])}) == 3  # of three words
    around = [start.z for start in problem("grid", drawing="apple", count=9, span=1.0).starts]
    assert around[4] == pytest.approx(places[0])
    (both,) = problem("combine", plus=("apple", "star"), minus=("fish",), count=1).starts
    assert both.z == pytest.approx(places[0] + places[2] - places[1], rel=1e-5)
    sampled = [start.z for start in problem("sample", classes=("star", "apple"), count=80).starts]
    params = problem("sample", count=1).model.params
    apart = np.array(sampled[::2])[:, None] - params["words/z"][2]
    whose = np.abs(apart / params["words/sigma"][2]).max(-1).argmin(1)
    assert set(whose) == {0, 1}  # both of its places
    for place, own in enumerate(params["words/sigma"][2]):
        assert np.abs(apart[whose == place, place]).mean() == pytest.approx(0.8 * np.abs(own).mean(), rel=0.4)


def test_words_on_the_command_line(here, capsys):
    how = ("-m", "words.npz", "-s", "1", "-q")
    assert run(["sketch", "interpolate", "apple", "a.svg", "-n", "3", *how, "-o", "w.svg"]) == 0
    assert read_recipe("w.svg")["job"]["drawing"] == "apple"
    assert run(["redo", "w.svg", "-o", "again.svg", "-q"]) == 0
    assert (here / "again.svg").read_bytes() == (here / "w.svg").read_bytes()
    capsys.readouterr()
    for words, said in (
        (("interpolate", "aple", "star", *how), r"unknown thing 'aple'.*apple"),
        (("words.npz", "--class", "stars", "-q"), r"unknown thing 'stars'.*star"),
        (("complete", "apple", *how), "no file or folder 'apple'"),
        (("decode", "none.json", *how), "none.json"),
    ):
        assert run(["sketch", *words, "-o", "x.svg"]) == 2
        assert re.search(said, capsys.readouterr().err.replace("\n", " "))
    (here / "vae.npz").write_bytes(to_npz(small(latent=4)))
    assert run(["sketch", "interpolate", "apple", "star", "-m", "vae.npz", "-o", "x.svg"]) == 2
    assert "no file or folder 'apple'" in capsys.readouterr().err


def test_the_film_of_an_interpolation_is_one_drawing_that_bends(here):
    how = ("-n", "4", "-s", "1", "-q", "--film", "bend.gif", "--film-time", "1s", "--film-size", "64")
    assert run(["sketch", "interpolate", "apple", "star", "-o", "w.svg", *how]) == 0
    with Image.open("bend.gif") as film:
        assert film.size == (64, 64)  # and not a strip of four, as the sheet is
        frames = [np.asarray(each.convert("L"), float) for each in ImageSequence.Iterator(film)]
    ink = [(255 - frame).sum() for frame in frames]
    assert min(ink) > 0.5 * max(ink)
    apart = [np.abs(frame - frames[-1]).mean() for frame in frames]
    assert len(apart) > 6
    assert max(apart[0], apart[-2]) < 0.3 * max(apart)
    assert 2 < np.argmax(apart) < len(apart) - 3
    assert run(["render", "w.svg", "-o", "pens.gif", "--film-time", "1s", "--film-style", "grow", "-q"]) == 0
    with Image.open("pens.gif") as film:
        assert film.width == 4 * film.height
        ink = [(np.asarray(each.convert("L")) < 128).sum() for each in ImageSequence.Iterator(film)]
    assert ink == sorted(ink)
    assert ink[0] < 0.2 * ink[-1]


def test_a_drawing_is_put_in_order_before_it_is_encoded():
    parts = [
        np.array([[0, 10], [10, 10]], float),
        np.array([[10, 0], [10, 10]], float),
        np.array([[2, 2], [4, 2]], float),
    ]
    plain, ordered = (
        SimpleNamespace(config=small(latent=4, ordered=flag, extent=60.0).config) for flag in (False, True)
    )
    assert np.array_equal(in_units(ordered, parts, 1.0), in_units(ordered, parts[::-1], 1.0))
    assert not np.array_equal(in_units(plain, parts, 1.0), in_units(plain, parts[::-1], 1.0))


def test_things_come_along_and_are_told_apart():
    model = catalogue.find("things")
    config = model.config
    assert (catalogue.FOLDER / "things.npz").stat().st_size < 1_500_000
    assert "Apache" in config.licence
    noise = np.repeat(draw_noise(1, config.max_points, 1), len(config.words), 0)
    drawn = draw(model, noise, temperature=0.1, z=model.params["words/z"][:, 0])
    assert all(each.finished and len(each.strokes) > 5 for each in drawn)
    sketches = [in_units(model, to_polylines(each.strokes), 1.0) for each in drawn]
    places = model.params["words/z"][:, 0]
    distances = np.linalg.norm(latent.encode(model, sketches)[0][:, None] - places, axis=-1)
    assert (distances.argmin(1) == np.arange(len(config.words))).mean() >= 0.8


def test_what_needs_a_vae_has_one():
    assert Job.make(command="sketch", task="grid").model == "things"
    assert Job.make(command="sketch").model == "kanji"
    with pytest.raises(UsageError, match="decoder only"):
        SketchProblem.prepare(Job.make(command="sketch", task="grid", model="kanji"))
    assert json.loads(json.dumps(Job.make(command="sketch", task="grid").to_dict()))["model"] == "things"
