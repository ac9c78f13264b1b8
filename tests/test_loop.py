"""The loop: budgets, patience, interruption, and checkpoints that continue where they stopped or say what is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import zipfile
from functools import partial

import numpy as np
import pytest
from fakes import HillClimber
from hypothesis import given, settings
from hypothesis import strategies as st

from evoart.errors import EvoartError, UsageError
from evoart.run import checkpoint as checkpoints
from evoart.run import forecast, state
from evoart.run.events import Finished, Improved, Interrupted, Noted, Progress, Saved, Started, Unsaved
from evoart.run.fit.problem import FitProblem, complete
from evoart.run.job import Job
from evoart.run.loop import Keep, resume, run
from evoart.run.problem import prepare
from evoart.run.stop import Stop, listening


def small(**options) -> Job:
    return Job.make(**({"shapes": 5, "pixels": 24, "seed": 3} | options))


def events_of(job, **how):
    return list(run(job, make=how.pop("make", HillClimber), **how))


def test_what_a_clock_ends_is_settled():
    class Lazy(HillClimber):
        settled = 0

        def settle(self):
            self.settled += 1

    for options, times in (({"seconds": 0.2}, 1), ({"generations": 7}, 0)):
        made = []
        events_of(small(**options), make=lambda problem, made=made: made.append(Lazy(problem)) or made[0])
        assert made[0].settled == times


def test_the_stream_begins_and_ends_as_promised():
    events = events_of(small(generations=20))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert {type(e) for e in events[1:-1]} == {Improved, Progress}
    assert all(json.dumps(e.to_dict()) for e in events)
    result = events[-1].result
    assert result.loss == pytest.approx(events[-2].loss, rel=1e-5)
    assert result.seed == 3


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"generations": 7}, "generations"),
        ({"evaluations": 7}, "evaluations"),
        ({"seconds": 0.3}, "time"),
        ({"until_psnr": 8}, "psnr"),
        ({"until_psnr": 8, "loss": "mae"}, "psnr"),
        ({"patience": 3}, "patience"),
    ],
)
def test_budgets(options, reason):
    last = events_of(small(**options))[-1]
    assert last.reason == reason
    if reason in ("generations", "evaluations"):
        assert last.generation == 7
    if reason == "psnr":
        assert last.figures["psnr"] >= 8


class BelowZero(HillClimber):
    """Its loss is a logarithm, as of likelihoods, and never improves."""

    def _judge(self, genome: np.ndarray) -> float:
        return -1.4


def test_patience_ends_a_run_whose_loss_is_below_zero():
    (*_, last) = events_of(small(patience=3), make=partial(BelowZero, last=50))
    assert (last.reason, last.generation) == ("patience", 3)


def test_what_a_run_costs_is_said_once_and_early(monkeypatch):
    monkeypatch.setattr(state, "BLOCK", 0.0)
    monkeypatch.setattr(forecast, "TIMED", 0.0)
    monkeypatch.setattr(FitProblem, "estimate", lambda self, seconds, evaluations: f"{evaluations:.0f} evaluations")
    events = events_of(small(generations=40))
    (place,) = (i for i, event in enumerate(events) if isinstance(event, Noted))
    assert events[place].text == "40 evaluations"
    assert len([event for event in events[:place] if isinstance(event, Progress)]) == 2  # the first block compiles
    monkeypatch.setattr(forecast, "TIMED", 1e9)
    assert not any(isinstance(event, Noted) for event in events_of(small(generations=40)))
    monkeypatch.setattr(forecast, "SLOW", 0.0)
    events = events_of(small(generations=40))
    (place,) = (i for i, event in enumerate(events) if isinstance(event, Noted))
    assert len([event for event in events[:place] if isinstance(event, Progress)]) == 1


def test_a_search_ends_by_itself():
    assert events_of(small(), make=partial(HillClimber, last=5))[-1].reason == "done"


def test_stopping_saves_and_says_so(tmp_path):
    stop, path = Stop(), tmp_path / "run.npz"
    stop.ask("terminated")
    last = events_of(small(generations=50), stop=stop, keep=Keep(path))[-1]
    assert isinstance(last, Interrupted)
    assert (last.reason, last.checkpoint, last.generation) == ("terminated", path, 0)
    assert checkpoints.load(path).state["reason"] is None


@pytest.mark.parametrize("loss", ["mse", "oklab"])
def test_a_resumed_run_ends_exactly_where_the_unbroken_one_does(tmp_path, loss):
    job = small(generations=90, loss=loss)
    whole = events_of(job)[-1].result
    path = tmp_path / "run.npz"

    class Impatient(HillClimber):
        def step(self):
            super().step()
            if self.generation in (17, 41):
                stop.ask()

    stop = Stop()
    last = events_of(job, make=Impatient, stop=stop, keep=Keep(path))[-1]
    assert last.generation == 17
    for expected in (41, 90):
        stop = Stop()
        last = list(resume(checkpoints.load(path), make=Impatient, stop=stop, keep=Keep(path)))[-1]
        assert last.generation == expected
    assert last.reason == "generations"
    again = last.result
    assert np.array_equal(again.genome, whole.genome)
    assert again.svg() == whole.svg()
    assert len(again.frames) == len(whole.frames)
    assert all(np.array_equal(a.rgba, b.rgba) for a, b in zip(again.frames, whole.frames, strict=True))


def test_how_a_run_is_cut_into_blocks_does_not_show(monkeypatch):
    job = small(patience=25)
    results = []
    for block in (0.0, 0.05, 10.0):
        monkeypatch.setattr("evoart.run.state.BLOCK", block)
        results.append(events_of(job)[-1])
    assert len({(r.generation, r.result.loss, r.result.svg()) for r in results}) == 1


def test_a_plan_that_is_done_says_so_and_one_that_a_limit_ended_goes_on(tmp_path):
    path, job = tmp_path / "run.npz", small(quality="draft")
    whole = list(run(job, keep=Keep(path)))[-1]
    assert whole.reason == "done"
    with pytest.raises(UsageError, match="this run is finished"):
        list(resume(checkpoints.with_budget(checkpoints.load(path), evaluations=10**6)))
    short = list(run(small(quality="draft", generations=9), keep=Keep(path)))[-1]
    assert short.generation == 9
    last = list(resume(checkpoints.with_budget(checkpoints.load(path), generations=10**6)))[-1]
    assert last.result.genome.tobytes() == whole.result.genome.tobytes()


@pytest.mark.parametrize("budget", [{"evaluations": 10**6}, {"seconds": 1000.0}])
def test_a_resumed_run_with_another_budget_can_be_redone(tmp_path, budget):
    path = tmp_path / "run.npz"
    list(run(small(evaluations=4_000, until_psnr=5), keep=Keep(path)))
    resumed = checkpoints.with_budget(checkpoints.load(path), **budget, until_psnr=90)
    last = list(resume(resumed))[-1]
    assert last.reason in ("done", "evaluations")
    *_, again = run(Job.from_dict(last.result.recipe["job"]))
    assert again.result.genome.tobytes() == last.result.genome.tobytes()


def test_a_finished_run_goes_on_with_a_larger_budget(tmp_path):
    path = tmp_path / "run.npz"
    events_of(small(generations=30), keep=Keep(path))
    assert list(resume(checkpoints.load(path), make=HillClimber))[-1].generation == 30
    longer = checkpoints.with_budget(checkpoints.load(path), generations=60)
    last = list(resume(longer, make=HillClimber))[-1]
    assert last.generation == 60
    assert np.array_equal(last.result.genome, events_of(small(generations=60))[-1].result.genome)


def test_checkpoints_come_now_and_then(tmp_path):
    events = events_of(small(seconds=0.9), keep=Keep(tmp_path / "run.npz", every=0.2))
    assert sum(isinstance(e, Saved) for e in events) >= 2


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_run(tmp_path):
    events = events_of(small(generations=3), keep=Keep(tmp_path / "no" / "run.npz"))
    assert any(isinstance(e, Unsaved) for e in events)
    assert isinstance(events[-1], Finished)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "run.npz"
    events_of(small(generations=10, keep_alpha=True), keep=Keep(path, notes={"outputs": []}))
    return path.read_bytes()


def test_a_checkpoint_holds_everything(tmp_path, saved):
    (tmp_path / "run.npz").write_bytes(saved)
    checkpoint = checkpoints.load(tmp_path / "run.npz")
    problem, fresh = checkpoint.problem, prepare(small(generations=10, keep_alpha=True))
    assert problem.job == fresh.job
    assert problem.form == fresh.form
    assert np.array_equal(problem.target.image, fresh.target.image)
    assert (problem.size, problem.name, problem.choices) == (fresh.size, fresh.name, fresh.choices)
    assert checkpoint.state["notes"] == {"outputs": []}


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_damaged_checkpoints_are_refused(tmp_path_factory, saved, data):
    path = tmp_path_factory.mktemp("damaged") / "run.npz"
    if data.draw(st.booleans()):
        path.write_bytes(saved[: data.draw(st.integers(0, len(saved) - 1))])
        must = True
    else:
        broken = bytearray(saved)
        broken[data.draw(st.integers(0, len(saved) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(broken)
        must = False  # a few bytes of a zip, such as dates, mean nothing
    with pytest.raises(EvoartError) if must else contextlib.suppress(EvoartError):
        checkpoints.load(path)


def _rewritten(data, tmp_path, change):
    """The checkpoint with one array changed and the zip's own checksums right again."""
    source = tmp_path / "a.npz"
    source.write_bytes(data)
    target = tmp_path / "b.npz"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
    return target


def test_a_tampered_checkpoint_is_refused(tmp_path, saved):
    def change(name, content):
        return content[:-4] + bytes(4) if name == "search/genome.npy" else content

    with pytest.raises(EvoartError, match="damaged or truncated"):
        checkpoints.load(_rewritten(saved, tmp_path, change))


@pytest.mark.parametrize(
    "change",
    [
        {"problem/image": lambda image: image[1:]},
        {"problem/image": lambda image: image * np.nan},
        {"problem/image": lambda image: image.astype(np.float64)},
        {"problem/weight": lambda weight: -weight},
        {"header": {"size": [10]}},
        {"header": {"size": [10**9, 1]}},
        {"header": {"state": {"seconds": None, "mark": [1, 2], "reason": None, "notes": {}}}},
        {"header": {"state": {"seconds": 1.0, "mark": [1], "reason": None, "notes": {}}}},
        {"header": {"state": {"seconds": 1.0, "mark": [1, 2], "reason": 5, "notes": {}}}},
        {"form": {"columns": 10**9}},
        {"form": {"opacity": [0.1]}},
        {"form": {"background": [1]}},
        {"form": {"width": 0}},
    ],
)
def test_a_checkpoint_whose_parts_do_not_fit_is_damaged_however_well_it_is_signed(tmp_path, change):
    path = tmp_path / "run.npz"
    events_of(small(generations=3), keep=Keep(path))
    arrays = checkpoints._unpack(path.read_bytes())
    header = json.loads(arrays["header"].tobytes())
    for name, new in change.items():
        if name == "header":
            header |= new
        elif name == "form":
            header["form"] |= new
        else:
            arrays[name] = new(arrays[name])
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    del arrays["digest"]
    arrays["digest"] = checkpoints._digest(arrays)
    path.write_bytes(checkpoints._pack(arrays))
    with pytest.raises(EvoartError, match="damaged"):
        checkpoints.load(path)


@pytest.mark.parametrize("shape", [(67, 101), (101, 13), (40, 60)])
def test_what_the_search_sees_is_what_the_result_is(shape):
    """Also on canvases whose short side is rounded."""
    picture = np.random.default_rng(0).random((*shape, 3)).astype(np.float32).cumsum(1)
    events = list(run(small(quality="draft", shapes=12, pixels=32), picture / picture.max()))
    assert events[-1].figures["psnr"] == pytest.approx(events[-2].figures["psnr"], abs=0.01)
    assert events[-1].figures["loss"] == pytest.approx(events[-2].loss, rel=2e-3)


def test_a_pickle_is_never_opened(tmp_path, saved):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    array = np.array([Trap()], object)
    np.save(tmp_path / "trap.npy", array, allow_pickle=True)
    trap = (tmp_path / "trap.npy").read_bytes()
    path = _rewritten(saved, tmp_path, lambda name, content: trap if name == "problem/weight.npy" else content)
    with pytest.raises(EvoartError):
        checkpoints.load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_newer_checkpoint_is_refused(tmp_path, saved, monkeypatch):
    path = tmp_path / "run.npz"
    monkeypatch.setattr(checkpoints, "FORMAT", 2)
    events_of(small(generations=2), keep=Keep(path))
    monkeypatch.setattr(checkpoints, "FORMAT", 1)
    with pytest.raises(EvoartError, match="newer evoart"):
        checkpoints.load(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"hello", b"PK\x03\x04" + bytes(500)])
def test_what_is_no_checkpoint(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(EvoartError):
        checkpoints.load(tmp_path / "x.npz")


def test_a_missing_checkpoint_is_a_wrong_request(tmp_path):
    with pytest.raises(UsageError):
        checkpoints.load(tmp_path / "none.npz")


def test_the_state_of_another_search_is_refused(tmp_path, saved):
    (tmp_path / "run.npz").write_bytes(saved)
    checkpoint = checkpoints.load(tmp_path / "run.npz")
    del checkpoint.search["random"]
    with pytest.raises(EvoartError, match="does not fit"):
        list(resume(checkpoint, make=HillClimber))


def test_a_search_without_an_end_of_its_own_gets_a_budget():
    assert complete(Job.make(search="classical"))[0].evaluations
    assert complete(Job.make(search="classical", until_psnr=30))[0].patience
    assert complete(Job.make(search="classical", generations=5))[0].evaluations is None


def test_signals_set_the_flag_and_handlers_come_back():
    before = signal.getsignal(signal.SIGINT)
    stop, said = Stop(), []
    with listening(stop, said.append, lambda why: None):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(100):
            if said:
                break
            signal.sigtimedwait([], 0.02)
    assert (stop.why, said) == ("terminated", ["terminated"])
    assert signal.getsignal(signal.SIGINT) is before
