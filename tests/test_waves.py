"""Waves: layers and gains of the device's programs are those of the CPU, and the search is one as the others are."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import evoart
from evoart.draw import layers
from evoart.engine.placement import PlacementCanvas
from evoart.engine.waves import WaveCanvas
from evoart.forms.shapes import ShapesForm
from evoart.picture import bundled
from evoart.run.fit.job import FitJob
from evoart.run.problem import prepare
from evoart.score.pixel import Target

HEIGHT, WIDTH = 30, 40
KINDS = ("triangle", "line")
SMALL = {"shapes": 6, "pixels": 24, "search": "waves", "seed": 1, "options": {"stages": 2, "cycles": 3, "finish": 12}}


@pytest.fixture(scope="module")
def both():
    """A canvas on the CPU and one in JAX; kinds, their numbers, and rows of shapes."""
    rng = np.random.default_rng(3)
    weight = rng.random((HEIGHT, WIDTH)).astype(np.float32)
    y, x = np.mgrid[:HEIGHT, :WIDTH] / WIDTH
    image = np.stack([x, np.sin(9 * y) / 2 + 0.5, np.hypot(x - 0.5, y - 0.3) < 0.2], -1).astype(np.float32)
    target = Target(image, weight / weight.mean())
    form = ShapesForm(KINDS * 3, 1.0, HEIGHT / WIDTH, (0.3, 0.5, 0.7), (0.1, 1.0))
    rows = form.random(rng).reshape(6, -1)
    rows[:, -1] = rng.uniform(0.2, 0.9, 6)
    return PlacementCanvas(form, target), WaveCanvas(form, target, KINDS, 8), rows, np.arange(6, dtype=np.int32) % 2


def test_judges_and_differentiates_as_the_cpu_does(both):
    host, device, rows, members = both
    loss, slope, removal = host.gradient(host.form.kinds, rows)

    @jax.jit
    def found(rows):
        loss, slope = jax.value_and_grad(device.loss)(rows, members, 6, device.inputs)
        return loss, slope, device.removal(rows, members, 6, device.inputs)

    mine = found(rows)
    assert float(mine[0]) == pytest.approx(loss, rel=1e-4)
    np.testing.assert_allclose(mine[1][:, :-4], slope[:, :-4], atol=0.05 * np.abs(slope[:, :-4]).max())
    np.testing.assert_allclose(mine[1][:, -4:], slope[:, -4:], atol=2e-3 * np.abs(slope[:, -4:]).max())
    np.testing.assert_allclose(mine[2], removal, atol=2e-3 * np.abs(removal).max())


def test_finds_the_same_gains(both):
    host, device, rows, members = both
    host.open(host.form.kinds[:4], rows[:4])
    fresh = host.sample(np.random.default_rng(1), "triangle", 70)
    gains, rgba = host.gains("triangle", fresh)
    padded = np.zeros((70, rows.shape[1]), np.float32)
    padded[:, : fresh.shape[1]] = fresh
    picture = host._canvas.transpose(1, 2, 0)
    found, paint = jax.jit(device.gains)(padded, np.zeros(70, np.int32), picture, device.inputs)
    seen = gains > 0.05 * gains.max()
    assert seen.sum() > 5
    np.testing.assert_allclose(np.asarray(found)[seen], gains[seen], rtol=5e-3, atol=1e-3 * gains.max())


def test_layers_of_both_ways_and_their_slopes():
    rng = np.random.default_rng(0)
    shares = rng.random((70, 3, 4)).astype(np.float32)  # more than one block of sums
    shares[5] = 1
    colours, background = rng.random((70, 3), np.float32), np.array([0.1, 0.5, 0.9], np.float32)

    def run(draw):
        return jax.value_and_grad(lambda s, c: (draw(s, c, background) ** 2).sum(), argnums=(0, 1))(shares, colours)

    (a, slopes), (b, others) = run(layers.composite), run(layers.composite_in_turn)
    assert float(a) == pytest.approx(float(b), rel=1e-5)
    for mine, other in zip(slopes, others, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-3 * np.abs(other).max())
    above = np.concatenate([shares[::-1].cumsum(0)[::-1][1:], np.zeros((1, 3, 4))])
    np.testing.assert_allclose(layers.sums_above(jnp.asarray(shares)), above, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def made():
    """A run of a few shapes from its beginning to its end, and its state after every program."""
    search = prepare(FitJob.make(**SMALL), bundled()).search()
    states, stages = [search.arrays()], [search.stage]
    while not search.done:
        search.step()
        states.append(search.arrays())
        stages.append(search.stage)
    return search, states, stages


def test_grows_renews_and_finishes(made):
    search, states, stages = made
    losses = [state["losses"][1] for state in states]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.6 * losses[0]
    assert list(dict.fromkeys(stage.split()[0] for stage in stages)) == ["growing", "regrowing", "finishing", "done"]
    assert len(search.structure) == 6


def test_continues_from_any_state(made):
    search, states, _ = made
    for state in states[:: len(states) // 2]:
        other: Any = prepare(FitJob.make(**SMALL), bundled()).search()
        other._programs = search._programs
        other.load(state)
        while not other.done:
            other.step()
        assert other.genome.tobytes() == search.genome.tobytes()
        assert other.evaluations == search.evaluations


def test_a_stage_that_is_cut_short_has_a_picture(made):
    other: Any = prepare(FitJob.make(**SMALL), bundled()).search()
    other._programs = made[0]._programs
    blank = other.loss
    other.step()
    other.settle()
    assert len(other.structure) > 0
    assert other.loss < blank


@pytest.mark.slow
def test_two_photographs_side_by_side_are_those_of_each_alone():
    with Image.open(bundled()) as photograph:
        other = np.asarray(photograph)[:, ::-1]
    both: Any = evoart.fit_many([bundled(), other], **SMALL)
    one, two = both
    alone = evoart.fit(bundled(), **SMALL)
    assert one.psnr == pytest.approx(alone.psnr, abs=0.3)
    assert abs(two.psnr - one.psnr) < 1.5


def test_what_waves_refuse():
    for more, said in (
        ({"engine": "scanline"}, "search 'waves' has no use for the scanline engine"),
        ({"population": 8}, "search 'waves' has no population"),
        ({"strategy": "snes"}, "has no strategy"),
        ({"paint": "linear"}, "only the default search"),
        ({"options": {"fresh": 0.1}}, "unknown option"),
    ):
        with pytest.raises(evoart.UsageError, match=said):
            FitJob.make(**SMALL | more)
