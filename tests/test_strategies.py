"""Every strategy of evosax keeps the adapter's contract; cmaes is the oracle for Sep-CMA-ES."""

from __future__ import annotations

import functools

import cmaes
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from evoart.errors import UsageError
from evoart.search import strategies

DIM, POPULATION, GENERATIONS = 6, 16, 30  # a run is twice as long: the programs are compiled for one half
SPHERE, TIES, FAILING, ALL_FAILING = range(4)
QUICK = ("snes", "pgpe", "sep_cma_es", "differential_evolution")  # one of each family; the others are marked slow


def every(*, quick=QUICK):
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in strategies.names()]


# Compiling is nearly all of the time, and half of it is optimisation, for runs of milliseconds.
QUICKLY = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


def program(name):
    """One compiled program for all of the contract: a run on one of four landscapes."""
    strategy = strategies.make(name, DIM, POPULATION)

    def judge(samples, landscape):
        sphere = ((samples - 1) ** 2).sum(-1)
        third = jnp.arange(strategy.population) % 3 == 0
        shown = jnp.where(landscape == TIES, 1.0, sphere)
        shown = jnp.where((landscape == ALL_FAILING) | ((landscape == FAILING) & third), jnp.nan, shown)
        return sphere, shown

    @QUICKLY
    def run(state, keys, landscape):
        def one(carry, key):
            state, best = carry
            ask, tell = jax.random.split(key)
            samples, state = strategy.ask(ask, state)
            sphere, shown = judge(samples, landscape)
            state = strategy.tell(tell, samples, shown, state)
            finite = jnp.isfinite(samples).all() & jnp.isfinite(strategy.mean(state)).all()
            return (state, jnp.minimum(best, sphere.min())), finite

        (state, best), finite = jax.lax.scan(one, (state, jnp.inf), keys)
        return state, best, finite.all()

    return strategy, QUICKLY(strategy.init), run


@pytest.mark.parametrize("name", every())
def test_contract(name):
    strategy, init, run = program(name)
    start = init(jax.random.key(0))
    first, second = jax.random.split(jax.random.key(1), (2, GENERATIONS))
    ends = {}
    for landscape in (SPHERE, TIES, FAILING, ALL_FAILING):
        middle, early, finite = run(start, first, landscape)
        ends[landscape], late, still = run(middle, second, landscape)
        assert finite, landscape
        assert still, landscape
        if landscape == SPHERE:  # starts at 6
            assert min(early, late) < (2.0 if name in ("random_search", "diffusion_evolution") else 1.0)
        if landscape == FAILING:
            assert min(early, late) < 3

    # Through plain arrays and back, half way: the same bytes.
    middle, _, _ = run(start, first, SPHERE)
    saved = [np.array(leaf) for leaf in jax.tree.leaves(middle)]
    loaded = jax.tree.unflatten(jax.tree.structure(start), [jnp.asarray(leaf) for leaf in saved])
    end, _, _ = run(loaded, second, SPHERE)
    for a, b in zip(jax.tree.leaves(end), jax.tree.leaves(ends[SPHERE]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_algorithm_of_evosax_has_a_name():
    from evosax.algorithms import algorithms

    assert {strategies.describe(name).evosax for name in strategies.names()} == set(algorithms)


def test_sep_cma_es_learns_as_fast_as_its_paper_says():
    dim, population = 50, 15
    ours = strategies.make("sep_cma_es", dim, population)._params
    theirs = cmaes.SepCMA(mean=np.zeros(dim), sigma=1.0, population_size=population)
    assert float(ours.c_mu) == pytest.approx(theirs._cmu, rel=0.2)


@pytest.mark.slow
def test_sep_cma_es_reaches_what_cmaes_reaches():
    dim, population, generations = 20, 12, 300
    weights = 10 ** np.linspace(0, 3, dim)

    def ellipsoid(x):
        return (weights * (x - 1) ** 2).sum(-1)

    theirs = cmaes.SepCMA(mean=np.zeros(dim), sigma=0.5, population_size=population, seed=0)
    for _ in range(generations):
        asked = [theirs.ask() for _ in range(population)]
        theirs.tell([(x, float(ellipsoid(x))) for x in asked])
    ours = strategies.make("sep_cma_es", dim, population)
    ask, tell = jax.jit(ours.ask), jax.jit(ours.tell)
    state = ours.init(jax.random.key(0))
    for i in range(generations):
        samples, state = ask(jax.random.key(2 * i), state)
        state = tell(
            jax.random.key(2 * i + 1), samples, jnp.asarray(ellipsoid(np.asarray(samples)), jnp.float32), state
        )
    assert np.log10(ellipsoid(np.asarray(ours.mean(state)))) < np.log10(ellipsoid(theirs.mean)) + 2


def rotated_valley(x):
    """Long in one direction that is no axis: only a strategy that learns rotations gets far."""
    along = x.mean(-1, keepdims=True)
    return ((x - along) ** 2).sum(-1) * 100 + ((along - 3) ** 2).sum(-1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["xnes", "ma_es", "cma_es"])
def test_matrices_learn_a_rotation(name):
    strategy = strategies.make(name, 8, 24)

    @jax.jit
    def run(key):
        def one(state, key):
            samples, state = strategy.ask(key, state)
            state = strategy.tell(key, samples, rotated_valley(samples), state)
            return state, None

        first, rest = jax.random.split(key)
        return strategy.mean(jax.lax.scan(one, strategy.init(first), jax.random.split(rest, 400))[0])

    assert rotated_valley(run(jax.random.key(0))) < 1e-3


def test_the_first_spread_is_the_step_asked_for():
    for name in ("snes", "xnes", "iamalgam_full"):
        strategy = strategies.make(name, 8, 64, {"step": 0.25})
        samples = jax.jit(lambda key, s=strategy: s.ask(key, s.init(key))[0])(jax.random.key(0))
        assert float(samples.std()) == pytest.approx(0.25, rel=0.15), name


def test_lm_ma_es_stands_populations_that_are_large_for_the_dimension():
    assert (strategies.make("lm_ma_es", 10, 64)._params.c_c <= 1).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("snesx", 4), "Did you mean snes"),
        (("pgpe", 4, 8, {"learning_rat": 1.0}), "Did you mean learning_rate"),
        (("snes", 4, 8, {"stp": 1.0}), "Did you mean step"),
        (("snes", 4, 8, {"step": -1.0}), "positive"),
        (("snes", 4, 0), "too small"),
        (("guided_es", 4, 8, {"subspace_dims": 99}), "does not work"),
        (("pgpe", 4, 8, {"optimizer": "clipdown"}), "Did you mean clipup"),
        (("open_es", 4, 8, {"max_speed": 0.1}), "no max_speed"),
    ],
)
def test_what_a_wrong_request_gets(call, says):
    with pytest.raises(UsageError, match=says):
        strategies.make(*call)


def test_odd_populations_become_even_where_they_must():
    assert strategies.make("pgpe", 4, 15).population == 16
    assert strategies.make("snes", 4, 15).population == 15


def test_equal_requests_share_one_compiled_object():
    assert strategies.make("snes", 4, 8, {"step": 0.1}) is strategies.make("SNES", 4, 8, {"step": 0.1})
