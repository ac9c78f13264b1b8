"""The GPU's kernels, interpreted on a CPU and compared with the dense program; lowered for CUDA where JAX allows it."""

from __future__ import annotations

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from evoart.draw import traced
from evoart.draw.shapes import SHAPES
from evoart.engine.dense import DenseEngine
from evoart.engine.lowering import lower_for_cuda
from evoart.engine.pallas import PallasEngine
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import LOSSES, Target, loss_map

HEIGHT, WIDTH = 45, 70  # 2 by 5 blocks, the last ones cut
# Near-upright edges: their sub-pixel steepness is rounded differently. An eighth of one of 255 levels.
CLOSE = 5e-4


def target(loss="mse", seed=0, height=HEIGHT, width=WIDTH):
    rng = np.random.default_rng(seed)
    weight = rng.random((height, width)).astype(np.float32)
    return Target(rng.random((height, width, 3), np.float32), weight / weight.mean(), loss)


def form(kinds, background=(0.2, 0.4, 0.6)):
    return ShapesForm(tuple(kinds), 1.0, HEIGHT / WIDTH, background, (0.0, 1.0), columns=6)


def genomes(of, n=3, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([of.random(rng) for _ in range(n)])


EVERY = tuple(SHAPES) * 4  # 44 shapes: more than one word of 32
KINDS = {"every": EVERY, "triangle": ("triangle",) * 40, "line": ("line",) * 3, "circle": ("circle",) * 5, "none": ()}


@pytest.mark.parametrize("kinds", KINDS)
def test_draws_what_the_dense_program_draws(kinds):
    of = form(KINDS[kinds])
    fast, dense, x = PallasEngine(of, target()), DenseEngine(of, target()), genomes(of)
    images = fast.images(x)
    np.testing.assert_allclose(images, dense.images(x), atol=CLOSE)
    assert np.abs(images - images[0, 0, 0]).max() > 0.1 or kinds == "none"  # there is something on it
    np.testing.assert_allclose(fast.losses(x), dense.losses(x), rtol=1e-5)


@pytest.mark.parametrize(("loss", "tiles"), list(zip(LOSSES, (32, 7, 1), strict=True)))
def test_losses_by_tile(loss, tiles):
    """Against NumPy's sums over the pictures that the kernels draw themselves."""
    of, aim = form(("triangle", "line") * 3), target(loss)
    engine, x = PallasEngine(of, aim), genomes(form(("triangle", "line") * 3), 2)
    each = loss_map(np, engine.images(x).astype(np.float64), aim)
    np.testing.assert_allclose(engine.losses(x), each.sum((1, 2)), rtol=1e-5)
    expected = np.zeros((2, tiles, tiles))
    rows, columns = np.arange(HEIGHT) * tiles // HEIGHT, np.arange(WIDTH) * tiles // WIDTH
    np.add.at(expected, (slice(None), rows[:, None], columns[None]), each)
    np.testing.assert_allclose(engine.tile_losses(x, tiles), expected, atol=1e-6 * expected.sum())


def test_shapes_at_and_beyond_the_edges_of_blocks():
    """Culling must not lose a soft edge: shapes that end on a block's first or last pixels, or outside the picture."""
    of = form(("rectangle", "line"))
    rows = np.zeros((6, 2, of.dim_per_group), np.float32)
    rows[..., -4:] = (1, 0, 0, 1)
    for i, x in enumerate((16, 16.4, 15.6, 32, -3, 75)):
        rows[i, 0, :4] = np.array([x / 2, 16, x / 2, 16]) / WIDTH  # from 0 to x, from row 0 to 32
        rows[i, 1, :5] = np.array([x + 4, 4, x + 4, 31.9, 1.3]) / WIDTH
    x = rows.reshape(6, -1)
    np.testing.assert_allclose(PallasEngine(of, target()).images(x), DenseEngine(of, target()).images(x), atol=CLOSE)


def test_parts_of_the_population_change_nothing():
    of = form(("triangle",))
    engine, x = PallasEngine(of, target()), genomes(of, 7)
    whole, before = engine.losses(x), engine.batch
    while engine.batch > 3:
        assert engine.shrink()
        assert engine.batch == before // 2
        before = engine.batch
    engine._losses = jax.jit(lambda x, inputs: engine.losses_traced(x, inputs))
    np.testing.assert_array_equal(engine.losses(x), whole)
    while engine.batch > 1:
        engine.shrink()
    assert not engine.shrink()


def test_several_pictures_side_by_side():
    """``vmap`` over genomes and targets together: the kernel's grid grows along its candidates."""
    of = form(("triangle", "line"))
    targets = [target(seed=seed) for seed in range(3)]
    x = np.stack([genomes(of, 2, seed) for seed in range(3)])
    engine = PallasEngine(of, targets[0])
    backgrounds = np.random.default_rng(0).random((3, 3), np.float32)
    inputs = (*(jnp.stack([getattr(t, name) for t in targets]) for name in ("image", "weight")), backgrounds)
    together = jax.vmap(engine.losses_traced)(x, inputs)
    apart = np.stack(
        [
            engine._losses(each, (t.image, t.weight, background))
            for t, each, background in zip(targets, x, backgrounds, strict=True)
        ]
    )
    np.testing.assert_allclose(together, apart, rtol=1e-6)
    tiles = jax.vmap(lambda x, i: engine.tile_losses_traced(x, 4, i), (0, None))(
        x, (*engine.inputs[:2], backgrounds[0])
    )
    np.testing.assert_allclose(tiles.sum((2, 3))[0], apart[0], rtol=1e-5)


def test_images_have_the_dense_gradient():
    of = form(("triangle", "circle"))
    x = genomes(of, 2)
    how = (of.kinds, of.decode, of.background, x, (WIDTH, HEIGHT), (of.width, of.height))

    def weighed(x, kernels):
        return (traced.images(*how[:3], x, *how[4:], kernels) * np.linspace(0, 1, WIDTH)[:, None]).sum()

    fast, dense = (jax.value_and_grad(weighed)(x, kernels) for kernels in (True, False))
    assert fast[0] == pytest.approx(float(dense[0]), rel=1e-5)
    np.testing.assert_allclose(fast[1], dense[1], rtol=1e-4, atol=1e-3)
    assert np.abs(fast[1]).max() > 1


@pytest.mark.parametrize("kinds", ["every", "triangle", "line"])
@pytest.mark.parametrize("what", ["losses", "tiles", "images"])
def test_lowers_for_cuda(kinds, what):
    """Every shape, loss and entry in Triton's language, with no GPU: the kernels use nothing it does not have."""
    of = form(KINDS[kinds])
    engine = PallasEngine(of, target({"losses": "oklab", "tiles": "mae", "images": "mse"}[what]))
    engine._kernels.interpret = False
    program = {
        "losses": engine.losses_traced,
        "tiles": lambda x, inputs: engine.tile_losses_traced(x, 7, inputs),
        "images": lambda x, inputs: engine.images_traced(x),
    }[what]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The Pallas Triton backend is deprecated", DeprecationWarning)
        try:
            module = lower_for_cuda(program, genomes(of), engine.inputs)
        except (RuntimeError, ImportError) as error:
            pytest.skip(f"this JAX does not lower for CUDA without a GPU: {error}")
    assert "triton" in module
