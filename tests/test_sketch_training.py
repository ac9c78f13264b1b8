"""Training: it learns, it resumes bit for bit, and nothing that is not finite gets in."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest

from evoart.errors import EvoartError, UsageError
from evoart.output.formats import encode
from evoart.run import checkpoint
from evoart.run.events import Noted, Unsaved
from evoart.run.loop import Keep, drive, resume
from evoart.run.sketch.dataset import read_dataset
from evoart.run.sketch.job import SketchTrainJob
from evoart.run.sketch.trainer import TrainProblem
from evoart.run.stop import Stop
from evoart.sketch.arrays import write_npz
from evoart.sketch.batches import StrokeSet, augment, bucket_bounds, epoch, pad, scale_of
from evoart.sketch.model import Config
from evoart.sketch.sampling import draw, draw_noise
from evoart.sketch.training import Training, TrainingConfig
from evoart.sketch.weights import decode
from evoart.train_state import GIVE_UP


def zigzags(count: int, seed: int = 0) -> StrokeSet:
    """Two strokes each: a zigzag to the right, then one down. Of one length, which is one program to compile."""
    rng = np.random.default_rng(seed)
    sketches = []
    for _ in range(count):
        n = 3
        rows = [[10, 5 * (-1) ** k, 0] for k in range(n)] + [[-10, 10, 0], [0, 10, 1]]
        rows[n - 1][2] = 1
        sketches.append(np.array(rows, np.float32) + np.r_[rng.normal(0, 0.3, 2), 0].astype(np.float32))
    return StrokeSet(tuple(sketches), np.arange(count) % 2)


SMALL = Config(hidden=24, mixtures=4, max_points=10, scale=8.0, encoder=8)
FAST = TrainingConfig(batch=20, learning_rate=0.01, decay=0.99, augment_drop=0.0, augment_scale=0.05, seed=3)


def test_a_tiny_model_learns_and_draws_what_it_saw():
    training = Training(SMALL, replace(FAST, decay=0.995), zigzags(200), zigzags(40, 1))
    before = training.validate()
    for _ in range(250):
        figures = training.advance()
    after = training.validate()
    assert np.isfinite(figures.total)
    assert after.reconstruction < before.reconstruction - 3
    assert after.reconstruction < 0.5
    drawn = draw(training.model, draw_noise(50, 10, 4), temperature=0.2)
    assert np.mean([each.finished for each in drawn]) > 0.9
    assert np.mean([len(each.strokes) == 5 for each in drawn]) > 0.9
    assert np.mean([each.strokes[:, 2].sum() == 2 for each in drawn]) > 0.9
    first = np.array([each.strokes[0, :2] for each in drawn])
    np.testing.assert_allclose(first.mean(0), [10, 5], atol=1.5)


@pytest.mark.parametrize("latent", [0, 3])
def test_a_resumed_training_ends_where_the_unbroken_one_does(latent):
    config = replace(SMALL, latent=latent, classes=("a", "b") if latent else ())
    data, valid = zigzags(60), zigzags(20, 1)
    unbroken = Training(config, FAST, data, valid)
    for _ in range(7):
        unbroken.advance()
    broken = Training(config, FAST, data, valid)
    for _ in range(3):
        broken.advance()
    state = broken.arrays()
    again = Training(config, FAST, data, valid)
    again.load(state)
    for _ in range(4):
        last = again.advance()
    for name, value in unbroken.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], value, err_msg=name)
    assert np.isfinite(last.kl)
    with pytest.raises(KeyError):
        again.load({})
    with pytest.raises(ValueError, match="another shape"):
        again.load(state | {"params/out/b": np.zeros(2)})


def test_a_gradient_that_is_not_finite_changes_nothing(monkeypatch):
    data = zigzags(40)
    training = Training(SMALL, FAST, data, data)
    fine = training.batch()
    before = {name: np.asarray(value) for name, value in training.params.items()}
    monkeypatch.setattr(training, "batch", lambda: fine._replace(rows=np.where(fine.rows > 0, np.nan, fine.rows)))
    training.advance()
    assert training.skipped == 1
    for name, value in before.items():
        np.testing.assert_array_equal(training.params[name], value)
    with pytest.raises(EvoartError, match="no finite gradient.*lower --learning-rate"):
        _many(training)


def _many(training):
    for _ in range(GIVE_UP):
        training.advance()


def test_a_rate_that_is_far_too_high_does_no_harm():
    data = zigzags(40)
    training = Training(SMALL, replace(FAST, learning_rate=5.0), data, data)
    for _ in range(20):
        training.advance()
    assert all(np.isfinite(value).all() for value in training.model.params.values())


def test_the_kl_loss_is_annealed_and_has_a_floor():
    data = zigzags(20)
    training = Training(replace(SMALL, latent=2), replace(FAST, kl_weight=0.5, kl_decay=0.5), data, data)
    assert training.kl_weight == pytest.approx(0.01)
    training.step = 1
    assert training.kl_weight == pytest.approx(0.5 - 0.49 * 0.5)
    training.step = 30
    assert training.kl_weight == pytest.approx(0.5)
    figures = training.validate()
    assert figures.total == pytest.approx(figures.reconstruction + 0.5 * max(figures.kl, 0.2))


def test_batches_hold_every_drawing_and_waste_little():
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 200, 1000)
    batches = epoch(lengths, 50, rng)
    assert sorted(np.concatenate(batches)) == list(range(1000))
    bounds = bucket_bounds(lengths)
    assert len(bounds) <= 8
    assert bounds[-1] == lengths.max()
    padded = sum(50 * bounds[np.searchsorted(bounds, lengths[b].max())] for b in batches)
    assert padded < 1.25 * lengths.sum()
    assert padded < 0.66 * 1000 * lengths.max()
    assert [len(b) for b in epoch(lengths[:70], 50, rng)] == [50, 50]
    assert [len(b) for b in epoch(lengths[:7], 50, rng)] == [7]


def test_augmentation_keeps_strokes_and_their_ends():
    rng = np.random.default_rng(1)
    sketch = np.column_stack([rng.normal(size=(40, 2)), rng.random(40) < 0.2]).astype(np.float32)
    sketch[-1, 2] = 1
    less = augment(sketch, np.random.default_rng(2), 0.0, 0.5)
    assert len(less) < 40
    assert less[:, 2].sum() == sketch[:, 2].sum()
    ends = [np.cumsum(each[:, :2], 0)[each[:, 2] > 0.5] for each in (sketch, less)]
    np.testing.assert_allclose(*ends, atol=1e-4)
    wide = augment(sketch, np.random.default_rng(2), 0.15, 0.0)
    factor = wide[:, 0] / sketch[:, 0]
    np.testing.assert_allclose(factor, factor[0], rtol=1e-4)
    assert 0.85 <= factor[0] <= 1.15


def test_a_padded_batch_ends_every_drawing():
    data = zigzags(3)
    batch = pad(data.sketches, data.classes, 2.0, 9)
    assert batch.rows.shape == (10, 3, 5)
    for k, sketch in enumerate(data.sketches):
        assert batch.rows[len(sketch), k].tolist() == [0, 0, 0, 0, 1]
        assert not batch.rows[len(sketch) + 1 :, k].any()
        np.testing.assert_allclose(batch.rows[: len(sketch), k, :2] * 2, sketch[:, :2])
    assert scale_of(data) == pytest.approx(np.concatenate([s[:, :2] for s in data.sketches]).std())


def test_data_that_cannot_be_learned():
    empty = StrokeSet((), np.zeros(0, int))
    with pytest.raises(UsageError, match="no drawing for training"):
        Training(SMALL, FAST, empty, zigzags(2))
    with pytest.raises(UsageError, match="--max-points 3"):
        Training(replace(SMALL, max_points=3), FAST, zigzags(9), zigzags(2))


@pytest.fixture
def stroke_set(tmp_path):
    path = tmp_path / "zigzags.npz"
    path.write_bytes(write_npz({"train": list(zigzags(60).sketches), "valid": list(zigzags(12, 1).sketches)}))
    return path


def dataset_of(path, **settings):
    how = {"tolerance": None, "max_points": 250, "by_class": False, "seed": 1} | settings
    return read_dataset([path] if not isinstance(path, list) else path, **how)


def test_a_dataset_from_files(stroke_set, tmp_path):
    dataset = dataset_of(stroke_set)
    assert (len(dataset.train), len(dataset.valid)) == (60, 12)
    assert dataset.max_points == 5
    assert dataset.extent == pytest.approx(31, rel=0.2)
    short = dataset_of(stroke_set, max_points=4)
    assert short.max_points <= 4
    assert any("had more than 4 points" in note for note in short.notes)
    other = tmp_path / "others.npz"
    other.write_bytes(stroke_set.read_bytes())
    both = dataset_of([stroke_set, other], by_class=True)
    assert both.classes == ("others", "zigzags")
    assert set(both.train.classes) == {0, 1}
    with pytest.raises(UsageError, match="of one class"):
        dataset_of(stroke_set, by_class=True)
    other.write_bytes(write_npz({"train": list(zigzags(1).sketches)}))
    with pytest.raises(UsageError, match="too few"):
        dataset_of(other)


def training_of(stroke_set, **settings):
    """The problem of a short training."""
    how = {"hidden": 24, "mixtures": 4, "batch": 20, "learning_rate": 0.01, "augment_drop": 0.0, "seed": 3}
    return TrainProblem.prepare(
        SketchTrainJob.make(**how | {"interval": 4, "generations": 12} | settings, data=(str(stroke_set),))
    )


def test_a_training_is_a_run_of_the_loop_and_resumes_exactly(stroke_set, tmp_path):
    problem = training_of(stroke_set)
    whole = problem.search()
    *_, last = drive(problem, whole)
    assert (last.reason, last.generation, last.evaluations) == ("generations", 12, 240)
    assert [row[0] for row in whole.history] == [0, 4, 8, 12]
    assert last.figures == {"L_R": min(row[3] for row in whole.history)}
    stop, keep = Stop(), Keep(tmp_path / "x.npz")
    half = problem.search(lambda trainer: stop.ask() if trainer.generation >= 4 else None)
    *_, broken = drive(problem, half, keep=keep, stop=stop)
    assert (broken.reason, broken.generation) == ("interrupted", 4)
    saved = checkpoint.load(keep.path)
    again = saved.problem.search()
    *_, end = resume(saved, make=lambda _: again)
    assert again.training.model.digest == whole.training.model.digest
    assert (again.best.digest, again.loss, again.best_step) == (whole.best.digest, whole.loss, whole.best_step)
    np.testing.assert_array_equal(again.history, whole.history)
    np.testing.assert_array_equal(end.result.genome, last.result.genome)
    assert encode("model", end.result.artwork()) == encode("model", last.result.artwork())
    stroke_set.write_bytes(write_npz({"train": list(zigzags(60, 5).sketches)}))
    with pytest.raises(UsageError, match="is not the data this job was made for"):
        *_, _ = resume(checkpoint.load(keep.path))
    jax.clear_caches()


def test_a_training_ends_where_it_no_longer_improves(stroke_set):
    problem = training_of(stroke_set, generations=100, interval=2, stale=3)
    still = TrainingConfig(batch=20, learning_rate=0.0, min_learning_rate=0.0, seed=3)
    search = replace(problem, settings=still).search()
    events = list(drive(problem, search))
    assert (events[-1].reason, search.generation, search.best_step) == ("done", 6, 0)
    assert any("no longer improves" in event.text for event in events if isinstance(event, Noted))


def test_a_full_disk_is_reported_and_training_goes_on(stroke_set, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise EvoartError("no space left", "Free some")

    monkeypatch.setattr(checkpoint, "save", refuse)
    problem = training_of(stroke_set)
    events = list(drive(problem, problem.search(), keep=Keep(tmp_path / "x.npz", every=0)))
    assert sum(isinstance(event, Unsaved) for event in events) > 1
    assert events[-1].reason == "generations"
    assert encode("model", events[-1].result.artwork())


def test_a_training_that_diverges_keeps_its_best_model(stroke_set, monkeypatch):
    problem = training_of(stroke_set)
    search = problem.search()

    def diverge():
        raise EvoartError("no finite gradient", "Try a lower --learning-rate")

    search.step()
    monkeypatch.setattr(search.training, "advance", diverge)
    *_, last = drive(problem, search)
    assert last.reason == "done"
    assert "no finite gradient" in search.notes[-1]
    assert decode(encode("model", last.result.artwork()), "it").config.hidden == 24
