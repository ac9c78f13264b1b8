"""Independent sets as one device program: the same decisions as on the host, and the random numbers both count with."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from evoart.engine.dense import DenseEngine
from evoart.engine.scanline import ScanlineEngine
from evoart.forms.boxes import boxes
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target
from evoart.search import independent_sets_jax
from evoart.search.counter_rng import CounterRNG
from evoart.search.independent_sets import IndependentSets
from evoart.search.independent_sets_jax import IndependentSetsJax
from evoart.search.tiles import independent, inside

PIXELS = 32
KINDS = ("triangle", "line", "rotated-ellipse") * 4


@functools.cache
def problem(engine=DenseEngine):
    y, x = (np.mgrid[:PIXELS, :PIXELS] + 0.5) / PIXELS
    image = np.stack([np.hypot(x - 0.3, y - 0.4) < 0.25, y > 0.6, np.abs(x - 0.7) < 0.2], -1).astype(np.float32)
    form = ShapesForm(KINDS, 1.0, 1.0, (0.5, 0.5, 0.5))
    target = Target(image, np.ones((PIXELS, PIXELS), np.float32))
    return engine(form, target), form.random(np.random.default_rng(0), image)


def search(kind=IndependentSetsJax, engine=DenseEngine, seed=0):
    judge, start = problem(engine)
    return kind(judge, 16, seed, start, {}, boxes)


def test_the_device_decides_as_the_host_does():
    device, host = search(), search(IndependentSets, ScanlineEngine)
    device._block = 3
    device.step()
    for _ in range(3):
        host.step()
    assert (device.generation, device.evaluations) == (host.generation, host.evaluations)
    np.testing.assert_allclose(device.genome, host.genome, atol=2e-5)
    assert device.loss == pytest.approx(host.loss, rel=1e-4)
    np.testing.assert_allclose(device.arrays()["steps"], host.arrays()["steps"], rtol=1e-5)


def test_improves_repeats_and_resumes():
    one = search()
    one._block = 20
    first, losses = one.loss, []
    while one.generation < 40:
        one.step()
        losses.append(one.loss)
        if one.generation == 20:
            saved = one.arrays()
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.4 * first
    assert one.loss == pytest.approx(float(one.engine.losses(one.genome[None])[0]), rel=1e-5)
    other = search()
    other._block = 10  # the cut into blocks has no say
    other.load(saved)
    while other.generation < 40:
        other.step()
    assert other.genome.tobytes() == one.genome.tobytes()
    assert other.evaluations == one.evaluations


def test_a_block_ends_where_a_budget_does():
    one = search()
    one._block = 20
    one.stop_after(7, None)
    one.step()
    assert one.generation == 7
    one.stop_after(None, one.evaluations + 17 * 3)
    one.step()
    assert 9 <= one.generation <= 11


@pytest.mark.parametrize("groups", [1, 7, 60])
def test_greedy_sets_in_rounds_are_those_found_one_by_one(groups):
    rng = np.random.default_rng(groups)
    n, tiles = 20, 16
    low = rng.integers(0, tiles, (n, groups, 2))
    high = np.minimum(low + rng.integers(0, 6, low.shape), tiles - 1)
    reach = np.stack([low[..., 0], high[..., 0], low[..., 1], high[..., 1]], -1).astype(np.int32)
    order = rng.permuted(np.broadcast_to(np.arange(groups), (n, groups)), axis=1)
    place = order.argsort(1)
    asked = rng.random((n, groups)) < 0.8
    expected = independent(np.where(np.take_along_axis(asked, order, 1), order, -1), reach, tiles)
    np.testing.assert_array_equal(
        independent_sets_jax._independent(jnp.asarray(place), jnp.asarray(reach), asked), expected
    )
    grids = rng.normal(size=(n, tiles, tiles)).astype(np.float32)
    np.testing.assert_allclose(independent_sets_jax._inside(grids, reach), inside(grids, reach), atol=1e-5)


def test_counted_random_numbers():
    draws = CounterRNG.of(np, 5, 9)
    uniform, normal = draws.uniform(2, (4000, 10)), draws.normal(3, (4000, 10))
    assert stats.kstest(uniform.ravel(), "uniform").pvalue > 1e-3
    assert stats.kstest(normal.ravel(), "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(normal.T) - np.eye(10)).max() < 0.06
    assert np.isfinite(normal).all()
    for other in (CounterRNG.of(np, 6, 9), CounterRNG.of(np, 5, 10)):
        assert abs(np.corrcoef(uniform.ravel(), other.uniform(2, (4000, 10)).ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(uniform.ravel(), draws.uniform(1, (4000, 10)).ravel())[0, 1]) < 0.02
    traced = jax.jit(lambda seed: CounterRNG.of(jnp, seed, 9).uniform(2, (4000, 10)))(np.uint32(5))
    np.testing.assert_array_equal(traced, uniform)
