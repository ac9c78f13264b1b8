"""Searches side by side in one program find what each finds alone."""

from __future__ import annotations

import numpy as np
import pytest

from evoart.engine.dense import DenseEngine
from evoart.forms.boxes import boxes
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target
from evoart.search.classical import Classical
from evoart.search.independent_sets_jax import IndependentSetsJax
from evoart.search.regional import Regional
from evoart.search.sequential import Sequential
from evoart.search.vmapped import batch_searches

PIXELS = 24


def problem(seed, kinds=("triangle",) * 5):
    rng = np.random.default_rng(seed)
    image = np.kron(rng.random((4, 4, 3)), np.ones((6, 6, 1))).astype(np.float32)
    form = ShapesForm(kinds, 1.0, 1.0, tuple(rng.random(3).tolist()))
    engine = DenseEngine(form, Target(image, np.ones((PIXELS, PIXELS), np.float32)))
    return engine, form.random(np.random.default_rng(seed), image)


def make(name, seed, **how):
    engine, start = problem(seed, **how)
    if name == "sets":
        return IndependentSetsJax(engine, 8, seed, start, {}, boxes)
    kind, more = (Regional, (boxes,)) if name == "regional" else (Classical, ())
    return kind(engine, "snes", 8, seed, start, {}, *more)


@pytest.mark.parametrize("name", ["classical", "sets"])
def test_each_finds_what_it_finds_alone(name):
    alone, members = [make(name, seed) for seed in range(3)], batch_searches([make(name, seed) for seed in range(3)])
    for search in (*alone, *(member.search for member in members)):
        search._block = 5
        search.stop_after(15, None)
    for search in alone:
        while search.generation < 15:
            search.step()
    for member, search in zip(members, alone, strict=True):  # one after the other, as the command line runs them
        first, seen = member.loss, []
        while member.generation < 15:
            member.step()
            seen.append(member.generation)
        assert seen == [5, 10, 15]
        assert member.loss < first
        assert member.loss == pytest.approx(search.loss, rel=1e-4)
        np.testing.assert_allclose(member.genome, search.genome, atol=1e-3)
        assert member.evaluations == search.evaluations
    assert len(members[0]._batch._programs) == 1


def test_the_newest_state_is_what_is_saved():
    members = batch_searches([make("classical", seed) for seed in range(2)])
    for member in members:
        member.search._block = 2
    members[0].step()
    members[0].step()
    assert members[1].generation == 0
    arrays = members[1].arrays()
    assert members[1].generation == int(arrays["generation"]) == 4


def test_programs_that_differ_are_not_shared():
    members = batch_searches([make("classical", 0), make("classical", 1, kinds=("circle",) * 5)])
    for member in members:
        member.search._block = 2
        member.step()
    assert [member.generation for member in members] == [2, 2]
    assert not members[0]._batch._programs


def test_one_that_has_ended_no_longer_advances():
    members = batch_searches([make("classical", seed) for seed in range(3)])
    for member in members:
        member.search._block = 2
    members[0].step()
    members[0].ended = True
    members[1].step()
    members[1].step()
    assert [member.search.generation for member in members] == [2, 4, 4]


class Count:
    """A first search of three steps."""

    structure, notes, loss, stage = ("triangle",) * 5, (), 1.0, "counting"

    def __init__(self, genome):
        self.genome, self.generation, self.evaluations = genome, 0, 0

    @property
    def done(self):
        return self.generation == 3

    def step(self):
        self.generation += 1
        self.evaluations += 1


def test_what_comes_before_is_done_one_by_one():
    def chain(seed):
        return Sequential(Count(problem(seed)[1]), lambda kinds, genome, spent: make("sets", seed))

    members = batch_searches([chain(seed) for seed in range(2)])
    for _ in range(4):
        members[0].step()
    assert members[0].generation > 3
    generations = []
    for _ in range(4):
        members[1].step()
        generations.append(members[1].generation)
    assert generations == [1, 2, 3, members[0].generation]
