"""Classical, regional and independent-set searches: they improve, they resume, they repeat."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from evoart.engine.dense import DenseEngine
from evoart.engine.scanline import ScanlineEngine
from evoart.errors import EvoartError, UsageError
from evoart.forms.boxes import boxes
from evoart.forms.esclip import OPTIONS, EsClipForm
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target
from evoart.search.classical import Classical
from evoart.search.counter_rng import CounterRNG
from evoart.search.independent_sets import IndependentSets
from evoart.search.regional import Regional
from evoart.search.reparametrised import Reparametrised
from evoart.search.tiles import independent, inside, tile_boxes, union

PIXELS = 32


@functools.cache
def problem(kinds=("triangle",) * 12, engine=ScanlineEngine):
    """A picture of a few blobs, shapes to make it of, and a first guess."""
    y, x = (np.mgrid[:PIXELS, :PIXELS] + 0.5) / PIXELS
    image = np.stack([np.hypot(x - 0.3, y - 0.4) < 0.25, y > 0.6, np.abs(x - 0.7) < 0.2], -1).astype(np.float32)
    form = ShapesForm(kinds, 1.0, 1.0, (0.5, 0.5, 0.5))
    target = Target(image, np.ones((PIXELS, PIXELS), np.float32))
    return engine(form, target), form.random(np.random.default_rng(0), image)


def search(name, seed=0, engine=ScanlineEngine, kinds=("triangle",) * 12):
    judge, start = problem(kinds, engine)
    if name == "classical":
        return Classical(judge, "snes", 16, seed, start)
    if name == "regional":
        return Regional(judge, "snes", 16, seed, start, {}, boxes)
    return IndependentSets(judge, 16, seed, start, {}, boxes)


SEARCHES = ("classical", "regional", "sets")
BETTER = {"classical": 0.85, "regional": 0.5, "sets": 0.35}  # of the first loss, after 40 generations


@pytest.mark.parametrize("name", SEARCHES)
def test_improves_resumes_and_repeats(name):
    one = search(name)
    first, losses = one.loss, []
    while one.generation < 40:
        one.step()
        losses.append(one.loss)
        if one.generation == 20:
            saved = {key: np.array(value) for key, value in one.arrays().items()}
    assert losses[-1] < BETTER[name] * first
    assert losses == sorted(losses, reverse=True)
    assert one.loss == pytest.approx(float(one.engine.losses(one.genome[None])[0]), rel=1e-5)

    other = search(name, seed=0)
    other.load(saved)
    assert other.generation == 20
    while other.generation < 40:
        other.step()
    assert other.genome.tobytes() == one.genome.tobytes()
    for key, value in one.arrays().items():
        np.testing.assert_array_equal(value, other.arrays()[key])


def test_another_seed_is_another_run():
    ends = []
    for seed in (0, 1):
        one = search("sets", seed)
        one.step()
        ends.append(one.genome)
    assert not np.array_equal(*ends)


@pytest.mark.parametrize("name", ["classical", "regional"])
def test_a_block_of_generations_is_one_program_on_the_dense_engine(name):
    one = search(name, engine=DenseEngine)
    first = one.loss
    one.step()
    assert one.generation > 1
    assert one.evaluations == 1 + one.generation * 17
    assert one.loss < first
    assert one.loss == pytest.approx(float(one.engine.losses(one.genome[None])[0]), rel=1e-4)

    other = search(name, engine=DenseEngine)
    other.load(search(name, engine=DenseEngine).arrays())
    other.step()
    assert other.genome.tobytes() == one.genome.tobytes()


def test_sets_work_with_every_role_and_never_move_padding():
    kinds = ("triangle", "circle", "rotated-rectangle", "cubic", "regular:5", "line") * 2
    one = search("sets", kinds=kinds)
    first = one.loss
    still = one.engine.form.steps() == 0
    before = one.genome[still]
    for _ in range(15):
        one.step()
    assert one.loss < 0.7 * first
    np.testing.assert_array_equal(one.genome[still], before)


def test_sets_gains_are_exact():
    one = search("sets")
    home = one._reach(one._rows[None])
    pool, _ = one._pool(0)
    draws, nowhere = CounterRNG.of(np, 0, 0), np.zeros(pool.shape[:2])
    new, _ = one._proposals.make(np, draws, 16, one._rows, one._steps, pool, nowhere)
    reach = union(home, one._reach(new))
    moved = independent(np.tile(np.arange(12), (len(new), 1)), reach, one._tiles)
    assert moved.sum() > len(new)  # several at a time, or the test says little
    gains = inside(one._grid - one._evaluate(np.where(moved[..., None], new, one._rows)), reach)
    for candidate, shape in np.argwhere(moved)[:40]:
        alone = one._rows.copy()
        alone[shape] = new[candidate, shape]
        assert one.loss - one._evaluate(alone[None]).sum() == pytest.approx(gains[candidate, shape], abs=1e-7)


class Scalar:
    """A score of one number and nothing else: a sphere."""

    def __init__(self):
        self.asked = 0

    def losses(self, genomes):
        self.asked += len(genomes)
        return ((genomes - 0.3) ** 2).sum(-1).astype(np.float32)


def test_a_scalar_score_needs_no_form_and_no_tiles():
    score = Scalar()
    one = Classical(score, "snes", 16, 0, np.zeros(6, np.float32))
    for _ in range(40):
        one.step()
    assert one.loss < 0.01
    assert one.evaluations == score.asked


class ScalarShapes(Scalar):
    def __init__(self, form):
        super().__init__()
        self.form = form


@pytest.mark.parametrize("kind", [Regional, IndependentSets])
def test_searches_per_shape_take_a_scalar_score_too(kind):
    form = ShapesForm(("circle", "circle"), 1.0, 1.0, None)
    start = form.random(np.random.default_rng(0))
    strategy = ("snes",) if kind is Regional else ()
    one = kind(ScalarShapes(form), *strategy, 16, 0, start, {}, boxes)
    first = one.loss
    for _ in range(30):
        one.step()
    assert one.loss < 0.3 * first


def test_candidates_that_fail_are_never_the_best():
    class Failing(Scalar):
        def losses(self, genomes):
            losses = super().losses(genomes)
            losses[1::3] = np.nan
            return losses

    one = Classical(Failing(), "snes", 16, 0, np.zeros(6, np.float32))
    for _ in range(20):
        one.step()
    assert np.isfinite(one.loss)
    assert np.isfinite(one.genome).all()


def test_es_clip_reads_genomes_of_any_scale_and_reports_plain_ones():
    engine, _ = problem()
    bare = ShapesForm(engine.form.kinds, 1.0, 1.0, (1.0, 1.0, 1.0), (0.01, 0.5))
    form = EsClipForm.of(bare)
    judge = ScanlineEngine(form, engine.target)
    rng = np.random.default_rng(0)
    genome = rng.normal(size=form.dim).astype(np.float32)
    moved = (genome.reshape(-1, 10) * np.arange(2, 12) + 7).ravel().astype(np.float32)
    np.testing.assert_allclose(judge.images(genome[None]), judge.images(moved[None]), atol=1e-3)
    plain = ScanlineEngine(bare, engine.target)
    np.testing.assert_array_equal(judge.losses(genome[None]), plain.losses(form.in_units(genome)[None]))
    drawn = form.drawing(genome), bare.drawing(form.in_units(genome))
    np.testing.assert_array_equal(*(drawing.paint((16, 16)) for drawing in drawn))

    run = Reparametrised(Classical(judge, "pgpe", 16, 0, form.random(rng), OPTIONS), form.in_units)
    first = run.loss
    for _ in range(20):
        run.step()
    assert run.loss < first
    assert run.loss == pytest.approx(float(plain.losses(run.genome[None])[0]), rel=1e-5)


def test_independent_boxes_share_no_tile_and_sums_are_those_of_slices():
    rng = np.random.default_rng(0)
    corner = rng.random((3, 20, 2)) * 1.4 - 0.2
    reach = tile_boxes(np.concatenate([corner, corner + rng.random((3, 20, 2)) * 0.3], -1), 40, 60, 10)
    assert reach.min() >= 0
    assert reach.max() <= 9
    order = np.stack([rng.permutation(20) for _ in range(3)])
    chosen = independent(order, reach, 10)
    grids = rng.random((3, 10, 10))
    sums = inside(grids, reach)
    for i in range(3):
        taken = np.zeros((10, 10), int)
        for shape in range(20):
            top, bottom, left, right = reach[i, shape]
            assert sums[i, shape] == pytest.approx(grids[i, top : bottom + 1, left : right + 1].sum())
            taken[top : bottom + 1, left : right + 1] += chosen[i, shape]
        assert taken.max() == 1
        assert chosen[i, order[i, 0]]


@pytest.mark.parametrize("name", ["regional", "sets"])
def test_a_checkpoint_of_another_search_is_refused(name):
    with pytest.raises(EvoartError, match="does not fit"):
        search(name).load(search("sets", kinds=("circle",) * 3).arrays())


def test_wrong_requests_are_usage_errors():
    engine, start = problem()
    with pytest.raises(UsageError, match="Did you mean step"):
        IndependentSets(engine, 8, 0, start, {"stepp": 1.0})
    with pytest.raises(UsageError, match="Did you mean snes"):
        Classical(engine, "sness", 8, 0, start)
    with pytest.raises(UsageError, match="finite"):
        IndependentSets(engine, 8, 0, np.full_like(start, np.nan))


def test_a_picture_that_no_shape_betters_ends_at_once():
    form = ShapesForm((), 1.0, 1.0, (0.5, 0.5, 0.5), columns=6)
    engine = ScanlineEngine(form, Target(np.full((8, 8, 3), 0.5, np.float32), np.ones((8, 8), np.float32)))
    assert IndependentSets(engine, 4, 0, np.zeros(0, np.float32), {}, boxes).done
