"""How strategies search, as a film: landscapes, traces, charts, and the command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evoart.cli.app import run
from evoart.errors import EvoartError
from evoart.output import save
from evoart.run.strategies import film as films
from evoart.run.strategies.chart import landscape_chart, picture_chart
from evoart.run.strategies.landscapes import LANDSCAPES
from evoart.run.strategies.traces import CHOSEN, CHOSEN_FOR_PICTURES, Trace, title_of, trace, trace_picture
from evoart.search.strategies import names


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    """One strategy with a distribution and one without, from two seeds."""
    return [trace(LANDSCAPES["rastrigin"], name, 16, 12, [1, 2]) for name in ("snes", "simple_ga")]


@pytest.mark.parametrize("name", LANDSCAPES)
def test_a_landscape_is_least_where_it_says(name):
    landscape = LANDSCAPES[name]
    best = np.array(landscape.best)
    assert landscape.values(np, best) == pytest.approx(0, abs=1e-9)
    line = np.linspace(-landscape.reach, landscape.reach, 301)
    values = landscape.values(np, np.stack(np.meshgrid(line, line), -1))
    assert values.min() >= 0
    assert (np.abs(best) < landscape.reach).all()
    assert np.hypot(*best) > 2 * landscape.step  # off the centre, where all searches start
    # Many valleys: along a line through the best place the slope changes its sign again and again.
    across = landscape.values(np, np.stack([line, np.full_like(line, best[1])], -1))
    assert (np.diff(np.sign(np.diff(across))) > 0).sum() >= 5


def test_known_values():
    x = np.array([1.0, 0.0])
    assert LANDSCAPES["rastrigin"].formula(np, *x) == pytest.approx(1.0)
    assert LANDSCAPES["rastrigin"].formula(np, 0.5, 0.5) == pytest.approx(40.5)
    assert LANDSCAPES["schaffer"].formula(np, np.pi / 2, 0.0) == pytest.approx(0.5 + 0.5 / (1 + np.pi**2 / 4000) ** 2)


def test_a_trace_holds_what_was_sampled_and_from_where(traces):
    snes, ga = traces
    assert snes.samples.shape == (2, 12, 16, 2)
    landscape = LANDSCAPES["rastrigin"]
    np.testing.assert_allclose(snes.values, landscape.values(np, snes.samples), atol=1e-3)
    assert (np.diff(snes.best, axis=1) <= 0).all()
    assert snes.best[0, -1] == snes.values[0].min()
    assert landscape.values(np, snes.best_place(0, 11)) == pytest.approx(snes.best[0, -1], abs=1e-3)
    assert ga.means is None
    assert snes.means is not None
    assert snes.covariances is not None
    # At first: the step that was asked for, around the start; later narrower.
    first = np.sqrt(np.diagonal(snes.covariances[:, 0], axis1=1, axis2=2))
    np.testing.assert_allclose(first, landscape.step, rtol=0.15)
    np.testing.assert_allclose(snes.means[:, 0], 0, atol=1e-6)
    assert np.linalg.det(snes.covariances[0, -1]) < np.linalg.det(snes.covariances[0, 0])
    away = snes.samples - snes.means[:, :, None]  # within five standard deviations of where they come from
    sizes = np.einsum("sgpi,sgij,sgpj->sgp", away, np.linalg.inv(snes.covariances), away)
    assert sizes.max() < 25
    assert np.abs(snes.samples[0] - snes.samples[1]).max() > 0.1


def test_a_chart_shows_what_it_is_told(traces):
    landscape = LANDSCAPES["rastrigin"]
    chart = landscape_chart(landscape, traces)
    first, last = chart.image(0, 320), chart.image(11, 320)
    assert first.shape == last.shape
    assert first.shape[1] == 320
    np.testing.assert_array_equal(chart.image(0, 320), first)  # whatever was drawn in between
    amber = np.abs(last * 255 - (244, 166, 60)).max(-1) < 40
    moved = np.abs(first - last).max(-1) > 0.1
    assert amber.sum() > 20
    assert 0.002 < moved.mean() < 0.5
    # The heat map is darkest where the landscape is lowest.
    still = chart.panels[0].background(200).astype(float).sum(-1)
    x, y = np.array(landscape.best) / landscape.reach / 2 + 0.5
    row, column = round((1 - y) * 200), round(x * 200)
    assert still[row - 2 : row + 3, column - 2 : column + 3].min() == still.min()


def test_pictures_are_moved_by_strategies_too():
    moved = trace_picture("snes", shapes=3, population=8, evaluations=160, moments=4, pixels=16)
    assert len(moved.drawings) == len(moved.psnr) == 4
    assert (np.diff(moved.psnr) >= 0).all()
    assert moved.psnr[-1] > moved.psnr[0]
    chart = picture_chart(np.full((20, 30, 3), 0.5, np.float32), [moved], 160, "3 triangles")
    assert [panel.title for panel in chart.panels] == ["The photograph", "SNES"]
    assert np.abs(chart.image(3, 240) - chart.image(0, 240)).max() > 0.05


def test_what_is_chosen_exists_and_has_a_name():
    assert {*CHOSEN, *CHOSEN_FOR_PICTURES} <= set(names())
    assert all(title_of(name) != name for name in (*CHOSEN, *CHOSEN_FOR_PICTURES))


def test_the_command_writes_the_same_film_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = ["--strategies", "simple_ga", "--evaluations", "100", "--population", "16", "--film-size", "160", "-q"]
    assert run(["strategies", "film", *line, "-o", "a.webp", "-o", "end.png"]) == 0
    assert run(["strategies", "film", *line, "-o", "b.webp"]) == 0
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()
    with Image.open("a.webp") as film, Image.open("end.png") as end:
        assert film.n_frames == 6
        assert max(film.size) == max(end.size) == 160
    # One that the system refuses costs no other, and is kept elsewhere.
    stream = save.stream

    def full(path, *rest, **how):
        if path.name == "c.webp" and path.parent.resolve() == tmp_path:
            raise EvoartError("the disk is full", "Free some space") from OSError(28, "No space left on device")
        return stream(path, *rest, **how)

    monkeypatch.setattr(save, "write", lambda path, data, **how: full(path, lambda file: file.write(data), **how))
    capsys.readouterr()
    assert run(["strategies", "film", *line, "-o", "c.webp", "-o", "c.png"]) == 1
    written = [Path(name) for name in capsys.readouterr().out.split()[-2:]]
    assert written[0].read_bytes() == (tmp_path / "a.webp").read_bytes()
    assert written[0].parent != written[1].parent == Path()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--function", "sphere"], "function"),
        (["--strategies", "cma_ess"], "cma_es"),
        (["--strategies", ","], "0 strategies"),
        (["--evaluations", "0"], "--evaluations"),
        (["--film-time", "0"], "--film-time"),
        (["--shapes", "5"], "picture"),
        (["--function", "picture", "--picture", "missing.jpg"], "missing.jpg"),
        (["-o", "es.xyz"], "extension"),
    ],
)
def test_wrong_input_is_one_line(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["strategies", "film", *words]) == 2
    line = capsys.readouterr().err.strip()
    assert said in line
    assert "\n" not in line


def test_the_list_is_still_printed(capsys):
    assert run(["strategies"]) == 0
    assert "snes" in capsys.readouterr().out
    assert run(["strategies", "--json", "film"]) == 2
    assert "strategies film ... --json" in capsys.readouterr().err


def test_functions_of_the_help_are_those_there_are():
    from evoart.cli.strategies import FUNCTIONS

    assert FUNCTIONS == films.FUNCTIONS
