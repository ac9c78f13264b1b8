"""Searches under a score that differs every time: progress, blocks, resuming. No picture is needed for that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from evoart.errors import EvoartError, UsageError
from evoart.search.multistart import MultiStart
from evoart.search.prune import find_needed
from evoart.search.stochastic import GRADIENT, Stochastic
from evoart.search.stochastic_es import StochasticES
from evoart.search.stochastic_gradient import StochasticGradient
from evoart.search.surrogate import Surrogate

GROUPS, EACH = 3, 4


class Form:
    groups = GROUPS

    def steps(self):
        return np.full(GROUPS * EACH, 0.5, np.float32)


class Valley:
    """Squared distance from a point, the point moved a little at random: the same for all candidates at a time.

    As a picture: a row of pixels, one per number, which is what a tile or a group's box is then made of.
    """

    form, inputs, height, width = Form(), (np.linspace(-1, 1, GROUPS * EACH, dtype=np.float32),), 16, GROUPS * EACH

    def _loss(self, x, aim):
        return ((x - aim) ** 2).mean(-1)

    def losses_traced(self, genomes, inputs, key):
        return self._loss(genomes, inputs[0] + 0.05 * jax.random.normal(key, inputs[0].shape))

    def finalised_traced(self, genomes, inputs):
        return self._loss(genomes, inputs[0])

    def losses(self, genomes):
        return np.asarray(self.finalised_traced(jnp.asarray(genomes), self.inputs))

    def gradient_traced(self, genome, inputs, key):
        return jax.value_and_grad(lambda x: self.losses_traced(x[None], inputs, key)[0])(genome)

    def where_traced(self, genome, inputs, key):
        loss, slope = self.gradient_traced(genome, inputs, key)
        return loss, genome, slope

    def changes_traced(self, genomes, parent, slope, tiles):
        change = (genomes - parent) * slope
        at = np.arange(genomes.shape[1]) * tiles // genomes.shape[1]
        rows = jnp.zeros((len(genomes), tiles)).at[:, at].add(change)
        return jnp.broadcast_to(rows[:, None] / tiles, (len(genomes), tiles, tiles))


class Hosted(Valley):
    """The same for an engine that can be part of no program: nothing that it is given may be traced."""

    traceable = False

    def _host(self, name, genomes, *more):
        found = getattr(Valley, f"{name}_traced")(self, jnp.asarray(np.asarray(genomes)), *more)
        return jax.tree.map(np.asarray, found)

    def losses_traced(self, *given):
        return self._host("losses", *given)

    def finalised_traced(self, *given):
        return self._host("finalised", *given)

    def gradient_traced(self, genome, inputs, key):
        loss = jax.value_and_grad(lambda x: Valley.losses_traced(self, x[None], inputs, key)[0])
        return jax.tree.map(np.asarray, loss(jnp.asarray(np.asarray(genome))))

    def changes_traced(self, *given):
        return self._host("changes", *given)


class Costly(Hosted):
    """One generation a block, and a settled score every ten gradients; it counts."""

    work, evaluations_apart = 1e12, 10 * GRADIENT

    def __init__(self):
        self.scores, self.slopes = 0, 0

    def losses(self, genomes):
        self.scores += 1
        return super().losses(genomes)

    def where_traced(self, genome, inputs, key):
        self.slopes += 1
        return super().where_traced(genome, inputs, key)

    def pull_traced(self, genome, slope):
        return slope  # every number is a pixel


def boxes(form, genomes, xp):
    left = xp.arange(GROUPS) / GROUPS
    box = xp.stack([left, 0 * left, left + 0.9 / GROUPS, 0 * left + 1], -1)
    return xp.broadcast_to(box, (len(genomes), GROUPS, 4))


START = np.full(GROUPS * EACH, 0.3, np.float32)
MAKE = {
    "pgpe": lambda seed, engine=Valley: StochasticES(engine(), "pgpe", 16, seed, START, {"step": 0.3}),
    "simple_ga": lambda seed, engine=Valley: StochasticES(engine(), "simple_ga", 16, seed, START),
    "gradient": lambda seed, engine=Valley: StochasticGradient(engine(), seed, START, None, 200),
    "surrogate": lambda seed, engine=Valley: Surrogate(engine(), boxes, seed, START, population=8),
}


def starts(seed=1, number=3, trial=20):
    """Searches that begin at different distances from the point; the second is the nearest."""
    far = (3.0, 0.1, 4.0, 5.0)
    aim = Valley.inputs[0]
    return MultiStart(lambda i: StochasticGradient(Valley(), seed + i, aim + far[i], None, 200), number, trial)


@pytest.mark.parametrize("name", MAKE)
def test_the_best_so_far_only_gets_better(name):
    search = MAKE[name](1)
    first, seen = search.loss, []
    while search.generation < 200:
        search.step()
        seen.append(search.loss)
    assert seen == sorted(seen, reverse=True)
    assert search.loss < 0.2 * first
    assert search.loss == pytest.approx(float(Valley().losses(search.genome[None])[0]), rel=1e-5)
    assert search.evaluations >= 200 * search.per_generation


@pytest.mark.parametrize("name", ["pgpe", "gradient", "surrogate"])
def test_a_resumed_search_ends_where_the_unbroken_one_does(name):
    search = MAKE[name](3)
    search.step()
    saved = {key: np.array(value) for key, value in search.arrays().items()}
    for _ in range(2):
        search.step()
    again = MAKE[name](3)
    again.load(saved)
    for _ in range(2):
        again.step()
    for key, value in search.arrays().items():
        assert np.array_equal(value, again.arrays()[key]), key


@pytest.mark.parametrize("name", MAKE)
def test_the_host_goes_the_way_of_the_program(name):
    fused, hosted = MAKE[name](2), MAKE[name](2, Hosted)
    for search in (fused, hosted):
        search.stop_after(5, None)
        search.step()
    assert hosted.generation == fused.generation == 5
    a, b = fused.arrays(), hosted.arrays()
    for key in a:
        assert np.allclose(a[key], b[key], rtol=1e-3, atol=1e-4), key


@pytest.mark.slow
@pytest.mark.parametrize(("devices", "names"), [("2", ["pgpe"]), ("3", ["gradient", "surrogate"])])
def test_devices_that_share_the_candidates_find_the_same(devices, names):
    """In a process of its own, since the number of devices is settled when JAX starts; 2 divide the candidates
    evenly, 3 do not."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    done = subprocess.run(
        [sys.executable, "-c", SHARED_OUT, *names],
        cwd=Path(__file__).parent, capture_output=True, text=True, timeout=300,
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [devices, *["same"] * len(names)]


SHARED_OUT = """
import sys
import jax
import numpy as np
import test_clip_search as t
from evoart.engine.sharded import ShardedClip
print(jax.device_count())
for name in sys.argv[1:]:
    alone, shared = t.MAKE[name](2), t.MAKE[name](2, lambda: ShardedClip(t.Valley()))
    for search in (alone, shared):
        search.stop_after(9, None)
        search.step()
    a, b = alone.arrays(), shared.arrays()
    print("same" if all(np.array_equal(a[key], b[key]) for key in a) else max(np.abs(a[k] - b[k]).max() for k in a))
"""


def test_what_is_costly_is_scored_now_and_then_and_at_the_end():
    engine = Costly()
    search = StochasticGradient(engine, 1, START, None, 200)
    search.stop_after(25, None)
    seen = []
    while search.generation < 25:
        search.step()
        seen.append(engine.scores)
    assert [i + 1 for i in range(1, 25) if seen[i] > seen[i - 1]] == [10, 20, 25]
    assert search.evaluations == 1 + 25 * GRADIENT + 3
    search.settle()
    assert engine.scores == 4


def test_a_run_that_a_clock_ends_is_scored_where_it_ends():
    search, told = StochasticGradient(Costly(), 1, START, None, 200), StochasticGradient(Costly(), 1, START, None, 200)
    told.stop_after(7, None)
    for _ in range(7):
        search.step()
        told.step()
    assert search.loss > told.loss
    search.settle()
    assert (search.loss, search.evaluations) == (told.loss, told.evaluations)
    assert np.array_equal(search.genome, told.genome)


def test_a_budget_of_evaluations_ends_with_a_score():
    engine = Costly()
    search = StochasticGradient(engine, 1, START, None, 200)
    search.stop_after(None, 50)
    while search.evaluations < 50:
        search.step()
    before = engine.scores
    search.settle()
    assert engine.scores == before


def test_a_derivative_is_followed_for_several_steps():
    ends = {}
    for follow in (1, 3):
        engine = Costly()
        search = StochasticGradient(engine, 1, START, 0.05, 20, follow)
        search.stop_after(20, None)
        while search.generation < 20:
            search.step()
        ends[follow] = search.loss
    assert engine.slopes == 20
    assert ends[3] < 0.5 * ends[1]


def test_seeds_differ_and_repeat():
    ends = []
    for seed in (1, 1, 2):
        search = MAKE["gradient"](seed)
        search.step()
        ends.append(search.genome)
    assert np.array_equal(ends[0], ends[1])
    assert not np.array_equal(ends[0], ends[2])


def test_no_block_runs_past_a_budget():
    search = MAKE["pgpe"](1)
    search.stop_after(7, None)
    search.step()
    assert search.generation == 7
    search = MAKE["pgpe"](1)
    search.stop_after(None, 16 * 5)
    search.step()
    assert search.generation == 5


def test_states_of_other_searches_are_refused():
    with pytest.raises(EvoartError, match="does not fit"):
        MAKE["pgpe"](1).load(MAKE["gradient"](1).arrays())
    with pytest.raises(UsageError, match="finite"):
        StochasticGradient(Valley(), 1, np.full(12, np.nan, np.float32))
    with pytest.raises(NotImplementedError):
        Stochastic(Valley(), 1, START)


def test_a_gradient_that_is_not_finite_does_no_harm():
    class Cliff(Valley):
        def gradient_traced(self, genome, inputs, key):
            loss, slope = super().gradient_traced(genome, inputs, key)
            return loss, slope.at[0].set(jnp.nan)

    search = StochasticGradient(Cliff(), 1, START, None, 50)
    search.step()
    assert np.isfinite(search.arrays()["genome"]).all()
    assert search.loss < 0.3


def test_of_several_starts_the_best_goes_on():
    search = starts()
    assert search.loss == pytest.approx(0.01, rel=1e-4)
    seen = []
    while search.generation < 20:
        assert "3 restarts" in search.stage
        search.step()
        seen.append(search.loss)
    trials = search.evaluations
    assert trials >= 3 * 20 * GRADIENT
    assert search.stage == "gradient"
    while search.generation < 60:
        search.step()
        seen.append(search.loss)
    assert seen == sorted(seen, reverse=True)
    # Nothing but the nearest continued, and it went the way that it would have gone alone.
    alone = StochasticGradient(Valley(), 2, Valley.inputs[0] + 0.1, None, 200)
    alone.stop_after(20, None)
    alone.step()
    alone.stop_after(None, None)
    while alone.generation < 60:
        alone.step()
    assert np.array_equal(search.genome, alone.genome)
    assert search.evaluations - trials < 60 * GRADIENT


@pytest.mark.parametrize("blocks", [2, 5])
def test_several_starts_go_on_from_a_checkpoint(blocks):
    unbroken, first = starts(), starts()
    for _ in range(blocks):
        first.step()
    again = starts()
    again.load({name: np.array(value) for name, value in first.arrays().items()})
    for search in (unbroken, again):
        while search.generation < 90:
            search.step()
    assert np.array_equal(unbroken.genome, again.genome)
    assert (unbroken.evaluations, unbroken.loss) == (again.evaluations, again.loss)
    with pytest.raises(EvoartError, match="does not fit"):
        starts(number=2).load({**starts(number=4).arrays()})


def test_several_starts_keep_to_budgets():
    search = starts(trial=50)
    search.stop_after(7, None)
    while search.generation < 7:
        search.step()
    assert search.generation == 7
    search = starts(trial=50)
    search.stop_after(None, 150)
    while search.evaluations < 150:
        search.step()
    assert search.evaluations < 160


def leaving_out(worth):
    """Losses of genomes that say which groups are there, each worth so much; and a way to leave groups out."""
    worth = np.asarray(worth, np.float32)

    def without(gone):
        there = np.ones(len(worth), np.float32)
        there[gone] = 0
        return there

    return lambda genomes: 1 - genomes @ worth, without, len(worth)


@pytest.mark.parametrize(
    ("worth", "tolerance", "kept"),
    [
        ([0.5, 0.001, 0.3, 0.0], 0.01, [0, 2]),
        ([0.5, 0.006, 0.3, 0.007], 0.01, [0, 2, 3]),  # both together would be too much
        ([0.5, -0.2, 0.3, 0.01], 1e-6, [0, 2, 3]),  # it did harm
        ([0.0] * 40, 0.01, [39]),
        ([0.4] * 3, 0.01, [0, 1, 2]),
    ],
)
def test_what_is_not_needed_is_left_out(worth, tolerance, kept):
    assert find_needed(*leaving_out(worth), tolerance) == kept
