"""Results and events: they travel between processes, and draw nothing that nobody asks for."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import math
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from PIL import Image

import evoart
from evoart.cli.console import tell_json
from evoart.draw.pen import PenDrawing
from evoart.errors import EvoartError, MissingExtra, UsageError
from evoart.forms.shapes import ShapesForm
from evoart.output.formats import Options, encode
from evoart.run.api import load
from evoart.run.events import Finished, Improved
from evoart.run.fit.mask import mask_of
from evoart.run.job import Job
from evoart.run.loop import run
from evoart.run.recorder import FilmRecorder
from evoart.run.sketch import layout

COMMANDS = {
    "fit": {"shapes": 3, "evaluations": 400, "pixels": 24},
    "cppn": {"n": 2},
    "cppn-fit": {"generations": 3, "pixels": 16},
    "sketch": {"count": 3},
    "clip": {"prompts": ["a red circle"], "model": "tiny", "shapes": 3, "generations": 2, "crops": 2},
}


@pytest.mark.parametrize("command", COMMANDS)
def test_everything_that_a_run_tells_can_be_pickled(command):
    events = list(run(Job.make(command=command, seed=1, **COMMANDS[command])))
    again = pickle.loads(pickle.dumps(events))
    assert [type(event) for event in again] == [type(event) for event in events]
    before, after = events[-1].result, again[-1].result
    assert isinstance(again[-1], Finished)
    assert after.svg() == before.svg()
    assert [number for number, _ in after.members()] == [number for number, _ in before.members()]
    assert encode("gif", after.artwork(), Options(film_side=16)) == encode(
        "gif", before.artwork(), Options(film_side=16)
    )
    improved = [event for event in again if isinstance(event, Improved)]
    assert all(event.drawing.svg((9, 9)) for event in improved)
    loaded = evoart.load(before.svg().encode())
    assert pickle.loads(pickle.dumps(loaded)).recipe == before.recipe


def test_a_pickle_does_not_hold_the_photograph():
    result = evoart.fit(np.random.default_rng(0).random((256, 256, 3)), shapes=2, evaluations=100, seed=1)
    assert len(pickle.dumps(result)) < 100_000


@pytest.mark.slow
def test_photographs_are_drawn_by_a_pool_of_processes():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        (result,) = pool.map(evoart.fit, [np.zeros((8, 8, 3), np.uint8)])
    assert result.size == (8, 8)


def test_errors_can_be_pickled():
    for error in (UsageError("what.", "do this"), EvoartError("what"), MissingExtra("video", "MP4 output")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert (str(again), again.message, again.hint) == (str(error), error.message, error.hint)
    assert again.extra == "video"


def test_no_frame_is_drawn_before_it_is_asked_for(monkeypatch):
    drawn = []
    drawing = ShapesForm.drawing
    monkeypatch.setattr(ShapesForm, "drawing", lambda form, genome: drawn.append(1) or drawing(form, genome))
    form, recorder = ShapesForm(("circle",), 1.0, 1.0, None), FilmRecorder()
    for i in range(50):
        recorder.add(form, np.full(form.dim, i, np.float32), 0.9**i)
    frames = recorder.frames(20)
    assert drawn == []
    assert len(frames) == 20
    assert drawn == []
    assert len(list(frames)) == 20
    assert len(frames[3:5]) == 2
    assert len(drawn) == 22


def test_a_film_draws_the_frames_that_it_shows_and_no_others(monkeypatch):
    drawn = []
    truncate = PenDrawing.truncate
    monkeypatch.setattr(PenDrawing, "truncate", lambda self, share: drawn.append(share) or truncate(self, share))
    result = evoart.make("sketch", count=2, seed=1)
    result.svg()
    assert drawn == []
    encode("gif", result.artwork(), Options(film_side=16, film_seconds=1))
    assert 0 < len(drawn) <= 13


def test_a_sheet_is_laid_out_once(monkeypatch):
    laid = []
    sheet = layout.sheet
    monkeypatch.setattr(layout, "sheet", lambda *given: laid.append(len(given[1])) or sheet(*given))
    result = evoart.make("sketch", count=300, seed=1, points=12)
    assert laid.count(300) == 1
    assert len(laid) <= 2  # and what there is after the first batch
    assert len(result.form.sketches) == 300


def test_transparency_that_an_older_evoart_wrote_is_read(tmp_path):
    """It was a gray PNG in a mask called alpha."""
    levels, file = np.arange(0, 240, dtype=np.uint8).reshape(12, 20), io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    mask = f'<svg><mask id="alpha" x="0"><image href="data:image/png;base64,{data}"/>'
    found = mask_of(mask.encode(), tmp_path / "a.svg", "", "")
    np.testing.assert_array_equal(found, levels)
    written = evoart.fit(
        np.dstack([np.zeros((12, 20, 3), np.uint8), levels]), keep_alpha=True, shapes=1, evaluations=9, seed=1
    )
    np.testing.assert_array_equal(evoart.load(written.svg().encode()).mask, levels)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e300])
def test_no_figure_costs_the_picture(tmp_path, capsys, value):
    (*_, last) = run(Job.make(command="cppn", n=1, candidates=1, layers="2x1", seed=1))
    result = dataclasses.replace(last.result, figures={"loss": value, "liveliness": 0.5})
    result.save(tmp_path / "a.png")
    assert load(tmp_path / "a.png").figures == {"liveliness": 0.5}
    tell_json({"figures": [value, {"a": value}]})
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["figures"]
    assert told == ([value, {"a": value}] if math.isfinite(value) else [None, {"a": None}])
