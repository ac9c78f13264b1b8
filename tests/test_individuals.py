"""Searches over opaque individuals: NEAT, MAP-Elites, best of n. Here an individual is a vector and one more number."""

from __future__ import annotations

import numpy as np
import pytest

from evoart.errors import EvoartError
from evoart.search.archive import Grid, MapElites
from evoart.search.best_of_n import BestOfN
from evoart.search.individuals import Kind, rng_arrays, rng_from
from evoart.search.neat import Judged, Neat, Settings, _apportioned

PEAK = np.array([0.3, -0.7, 0.5])


class Vectors:
    """Makes vectors; the first number, 0 or 1, plays the structure."""

    def fresh(self, rng):
        return int(rng.integers(2)), rng.normal(0, 1, 3).astype(np.float32)

    def mutated(self, one, rng):
        flip = rng.random() < 0.05
        return one[0] ^ int(flip), (one[1] + rng.normal(0, 0.2, 3)).astype(np.float32)

    def crossed(self, better, other, rng):
        return better[0], np.where(rng.random(3) < 0.5, better[1], other[1])

    def distance(self, one, other):
        return 3.0 * (one[0] != other[0]) + float(np.abs(one[1] - other[1]).mean())


def pack(some):
    return {
        "kinds": np.array([k for k, _ in some], np.int64),
        "numbers": np.array([x for _, x in some], np.float32).reshape(-1, 3),
    }


def unpack(arrays):
    return [(int(k), x.copy()) for k, x in zip(arrays["kinds"], arrays["numbers"], strict=True)]


KIND = Kind(lambda one: one, pack, unpack)


def judge(some):
    losses = np.array([((x - PEAK) ** 2).sum() + (0.5 if k else 0.0) for k, x in some])
    return Judged(list(some), losses, losses, len(some))


def neat(seed=1, population=24, **settings):
    return Neat(Vectors(), judge, KIND, population, seed, settings=Settings(**settings))


def assemble(elites):
    there = [one for one in elites if one is not None]
    return tuple(one is not None for one in elites), np.concatenate([np.zeros(0), *(x for _, x in there)])


def elites(seed=1, batch=16):
    def measured(some):
        losses = np.array([min(float((x**2).mean()), 1.0) for _, x in some])
        return losses, np.array([x[:2] for _, x in some])

    def vary(one, other, rng):
        return Vectors().mutated(one, rng)

    grid = Grid((5, 4), [(-1, 1), (-2, 2)])
    return MapElites(Vectors().fresh, vary, measured, KIND, assemble, grid, batch, 32, seed)


def sift(places=range(1, 6)):
    def make(place):
        return [Vectors().fresh(np.random.default_rng([place, i])) for i in range(4)]

    return BestOfN(make, lambda some: np.array([abs(x[0]) / 10 for _, x in some]), KIND, assemble, list(places))


def test_neat_finds_the_peak():
    search = neat()
    for _ in range(60):
        search.step()
    assert search.loss < 0.02
    assert search.structure == 0
    assert search.evaluations < 60 * 24 + 1


def test_neat_keeps_its_size_and_its_best():
    search, losses = neat(population=17), []
    for _ in range(20):
        search.step()
        losses.append(search.loss)
        assert len(search.population) + len(search._waiting) == 17
        assert sum(len(s.members) for s in search.species) == len(search.population)
    assert losses == sorted(losses, reverse=True)


def test_a_species_that_stagnates_dies_out_unless_it_leads():
    search = neat(patience=3)
    for _ in range(30):
        search.step()
    leader = min(search.fitness)
    for species in search.species:
        assert search.generation - species.since <= 3 or species.best == leader


def test_a_loss_that_is_no_number_never_wins():
    def broken(some):
        judged = judge(some)
        losses = np.where(np.arange(len(some)) % 2, np.nan, judged.losses)
        return Judged(judged.individuals, losses, losses, len(some))

    search = Neat(Vectors(), broken, KIND, 12, 1)
    for _ in range(5):
        search.step()
    assert np.isfinite(search.loss)


@pytest.mark.parametrize("make", [neat, elites, sift])
def test_an_interruption_does_not_show(make):
    whole, first, second = make(), make(), make()
    for _ in range(5):
        whole.step()
    for _ in range(2):
        first.step()
    second.load({name: np.array(value) for name, value in first.arrays().items()})
    for _ in range(3):
        second.step()
    assert (whole.loss, whole.evaluations, whole.generation) == (second.loss, second.evaluations, second.generation)
    assert whole.structure == second.structure
    np.testing.assert_array_equal(whole.genome, second.genome)
    for name, value in whole.arrays().items():
        np.testing.assert_array_equal(value, second.arrays()[name], err_msg=name)


@pytest.mark.parametrize("make", [neat, elites, sift])
def test_arrays_of_another_search_are_refused(make):
    search = make()
    search.step()
    arrays = search.arrays()
    arrays["losses"] = arrays["losses"][:-1]
    with pytest.raises((EvoartError, ValueError)):
        make().load(arrays)


def test_the_grid_keeps_the_best_of_every_cell():
    rng = np.random.default_rng(0)
    measures, losses = rng.uniform(-1.5, 1.5, (500, 2)), rng.random(500)
    grid = Grid((6, 3), [(-1, 1), (0, 1)])
    grid.add(list(range(500)), losses, measures)
    place = np.clip(((measures - [-1, 0]) / [2, 1] * [6, 3]).astype(int) * (measures > [-1, 0]), 0, [5, 2])
    for cell, (one, loss) in grid.cells.items():
        mine = np.flatnonzero(place[:, 0] * 3 + place[:, 1] == cell)
        assert one == mine[losses[mine].argmin()]
        assert loss == losses[one]
    assert len(grid.cells) == len(set(place[:, 0] * 3 + place[:, 1]))


def test_the_grid_is_that_of_pyribs():
    ribs = pytest.importorskip("ribs.archives", reason="pyribs is not installed")
    rng = np.random.default_rng(1)
    measures, losses = rng.normal(0, 0.8, (400, 2)), rng.random(400)
    theirs = ribs.GridArchive(solution_dim=1, dims=(7, 5), ranges=[(-1, 1), (-2, 2)])
    theirs.add(np.arange(400.0)[:, None], 1 - losses, measures)
    ours = Grid((7, 5), [(-1, 1), (-2, 2)])
    ours.add(list(range(400)), losses, measures)
    table = theirs.data(["index", "solution", "objective"])
    found = {int(i): (int(s[0]), float(o)) for i, s, o in zip(*(table[k] for k in table), strict=True)}
    assert {cell: one for cell, (one, _) in ours.cells.items()} == {cell: one for cell, (one, _) in found.items()}
    for cell, (_, loss) in ours.cells.items():
        assert 1 - loss == pytest.approx(found[cell][1])


def test_map_elites_fills_the_map():
    search = elites()
    for _ in range(60):
        search.step()
    assert search.coverage > 0.9
    assert search.loss < 0.5
    assert sum(search.structure) == len(search.grid.cells)
    assert len(search.genome) == 3 * len(search.grid.cells)


def test_what_is_not_finite_is_never_kept():
    grid = Grid((2, 2), [(0, 1), (0, 1)])
    kept = grid.add(["a", "b", "c"], np.array([np.nan, 0.5, 0.1]), np.array([[0, 0], [np.inf, 0], [1, 1]]))
    assert kept == 1
    assert [one for one, _ in grid.cells.values()] == ["c"]


def test_sifting_keeps_the_best_for_every_place_and_places_stand_alone():
    search = sift()
    losses = [search.loss]
    while not search.done:
        search.step()
        losses.append(search.loss)
    assert losses == sorted(losses, reverse=True)
    alone = sift([4])
    alone.step()
    assert alone.done
    np.testing.assert_array_equal(alone.chosen[0][1], search.chosen[3][1])
    assert alone.losses[0] == search.losses[3]


def test_a_generator_comes_back_as_it_was():
    rng = np.random.default_rng(5)
    rng.integers(10, size=3, dtype=np.int32)
    again = rng_from(rng_arrays(rng))
    np.testing.assert_array_equal(
        again.integers(1000, size=9, dtype=np.int32), rng.integers(1000, size=9, dtype=np.int32)
    )


@pytest.mark.parametrize("whole", [0, 1, 7, 100])
def test_shares_add_up(whole):
    shares = np.array([0.5, 0.3, 0.2])
    counts = _apportioned(shares, whole)
    assert sum(counts) == whole
    assert np.abs(np.array(counts) - shares * whole).max() < 1
