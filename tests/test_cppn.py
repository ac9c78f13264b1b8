"""Coordinate networks: what is drawn against plain evaluators, what evolution does to graphs, what is refused."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import PLAIN, centres, plain_graph, plain_layers

from evoart.cppn import activations, genes, kernel, measures, paint, slots
from evoart.cppn.graph import Graph, Link
from evoart.cppn.layers import Layers
from evoart.errors import EvoartError, UsageError

EXACT = 2e-4  # single precision, through a dozen layers that fold the plane
ALL = genes.Rates(functions=activations.NAMES)


def net(latent=2, colour="rgb", symmetry="none", shared=False) -> Graph:
    outputs = 1 if colour == "gray" else 3
    return Graph(tuple((3 + latent + i, "identity") for i in range(outputs)), (), latent, colour, symmetry, shared)


def grown(seed: int, rounds: int, base: Graph | None = None) -> genes.Genes:
    """A network that mutation has made, with weights mild enough for single precision to follow."""
    rng = np.random.default_rng(seed)
    found = genes.random_genes(base or net(), rng, ALL, rounds)
    found.links = {key: (weight * 0.4, on) for key, (weight, on) in found.links.items()}
    return found


def drawn(graph, genome, size=(5, 4)) -> np.ndarray:
    w, h = size
    return kernel.rows(graph, genome, size, 0, h).reshape(w * h, 3)


@pytest.mark.parametrize("name", activations.NAMES)
def test_an_activation_is_what_it_is_called(name):
    x = np.linspace(-120, 120, 4801).astype(np.float32)
    ours = np.asarray(activations.apply(name, jnp.asarray(x)))
    theirs = [PLAIN[name](min(max(float(v), -100.0), 100.0)) for v in x]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert np.abs(ours).max() <= activations.LIMIT


@pytest.mark.parametrize("name", activations.NAMES)
def test_an_activation_has_a_finite_slope_everywhere(name):
    x = jnp.asarray([-1000.0, -100.0, -1.0, -1e-4, 0.0, 1e-4, 1.0, 100.0, 1000.0])
    slope = jax.vmap(jax.grad(lambda v: activations.apply(name, v)))(x)
    assert np.isfinite(np.asarray(slope)).all()


@given(st.integers(0, 10_000), st.integers(0, 20), st.sampled_from(["rgb", "hsv", "gray"]), st.booleans())
@settings(max_examples=20)
def test_graphs_are_drawn_as_a_plain_evaluator_does(seed, rounds, colour, shared):
    graph, genome = grown(seed, rounds, net(2, colour, "none", shared)).express()
    if shared:
        genome[-1] = 0.3
    image = drawn(graph, genome)
    for (x, y), pixel in zip(centres(5, 4), image, strict=True):
        np.testing.assert_allclose(pixel, plain_graph(graph, genome, x, y), atol=EXACT * (10 if colour == "hsv" else 1))


@pytest.mark.parametrize("symmetry", ["none", "x", "y", "xy", "kaleidoscope", "kaleidoscope:5"])
@pytest.mark.parametrize("colour", ["rgb", "hsv", "gray"])
def test_layers_are_drawn_as_a_plain_evaluator_does(colour, symmetry):
    net = Layers((7, 5), ("tanh", "sine", "gaussian"), 2, colour, symmetry)
    genome = 0.5 * net.random(np.random.default_rng(1))
    for (x, y), pixel in zip(centres(5, 4), drawn(net, genome), strict=True):
        np.testing.assert_allclose(pixel, plain_layers(net, genome, x, y), atol=1e-3)


def test_a_population_of_different_graphs_is_one_program():
    made = [grown(seed, 2 + 3 * seed).express() for seed in range(7)]
    batch = slots.stack(*zip(*made, strict=True))
    images = np.asarray(jax.jit(lambda c: paint.pictures(net(), c, (13, 9)))(batch))
    assert images.shape == (7, 9, 13, 3)
    for image, (graph, genome) in zip(images, made, strict=True):
        np.testing.assert_allclose(image.reshape(-1, 3), drawn(graph, genome, (13, 9)), atol=1e-6)


def test_a_batch_on_an_accelerator_is_the_same(monkeypatch):
    made = [grown(seed, 8).express() for seed in range(5)]
    batch = slots.stack(*zip(*made, strict=True))
    one_by_one = np.asarray(paint.pictures(net(), batch, (16, 16)))
    monkeypatch.setitem(paint._AT_ONCE, "cpu", 4)
    np.testing.assert_allclose(np.asarray(paint.pictures(net(), batch, (16, 16))), one_by_one, atol=2e-5)


@pytest.mark.slow
def test_the_gradient_of_a_graph_is_that_of_its_picture():
    made = [grown(seed, 3 * (seed % 5)).express() for seed in range(8)]
    batch = slots.stack(*zip(*made, strict=True))
    targets = np.random.default_rng(0).random((8, 6, 6, 3)).astype(np.float32)

    def loss(genome, one, target):
        return ((paint.picture(net(), (one, genome), (6, 6)) - target) ** 2).mean()

    slopes = jax.jit(lambda *a: jax.lax.map(lambda c: jax.grad(loss)(*c), a))(batch[1], batch[0], targets)
    for slope, (graph, genome), target in zip(np.asarray(slopes), made, targets, strict=True):
        assert not slope[graph.dim :].any()
        reference = np.array([_difference(graph, genome, target, i) for i in range(graph.dim)])
        np.testing.assert_allclose(slope[: graph.dim], reference, atol=1e-4)


def _difference(graph, genome, target, index, step=1e-5):
    """The slope by differences, in double precision through the plain evaluator."""
    losses = []
    for sign in (1, -1):
        moved = np.asarray(genome, np.float64).copy()
        moved[index] += sign * step
        image = np.array([plain_graph(graph, moved, x, y) for x, y in centres(6, 6)])
        losses.append(((image - target.reshape(-1, 3)) ** 2).mean())
    return (losses[0] - losses[1]) / (2 * step)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (37, 53), (64, 64), (1025, 2)])
def test_strips_leave_no_seams(size):
    net = Layers((6, 6), ("tanh", "sine"), 1)
    genome = net.random(np.random.default_rng(3))
    w, h = size
    whole = kernel.rows(net, genome, size, 0, h)
    parts = [kernel.rows(net, genome, size, y, min(y + 7, h)) for y in range(0, h, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_allclose(np.asarray(paint.picture(net, genome, size)), whole, atol=1e-6)


def test_a_picture_is_the_same_at_every_size():
    net = Layers((8, 8), ("tanh",), 1)
    genome = net.random(np.random.default_rng(4))
    small, large = kernel.rows(net, genome, (30, 20), 0, 20), kernel.rows(net, genome, (90, 60), 0, 60)
    np.testing.assert_allclose(large[1::3, 1::3], small, atol=1e-5)  # every third pixel's middle is a pixel's middle


def test_symmetric_pictures_are():
    for symmetry, turned in (("x", lambda a: a[:, ::-1]), ("y", lambda a: a[::-1]), ("xy", lambda a: a[::-1, ::-1])):
        net = Layers((8, 8), ("tanh",), 1, symmetry=symmetry)
        image = kernel.rows(net, net.random(np.random.default_rng(5)), (24, 24), 0, 24)
        np.testing.assert_allclose(turned(image), image, atol=1e-6)


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_whatever_evolution_does_leaves_a_network(seed):
    rng = np.random.default_rng(seed)
    pool = [genes.random_genes(net(), rng, ALL, int(rng.integers(0, 6))) for _ in range(3)]
    for _ in range(25):
        one, two = rng.integers(len(pool), size=2)
        pool.append(genes.mutate(pool[one], rng, ALL) if rng.random() < 0.6 else genes.cross(pool[one], pool[two], rng))
    for found in pool:
        graph, genome = found.express()  # a cycle or a loose end would be refused here
        assert genome.shape == (graph.dim,)
        assert np.isfinite(genome).all()
        again, same = genes.Genes.of(graph, genome).express()
        assert again == graph
        np.testing.assert_array_equal(same, genome)


def test_the_same_mutation_has_the_same_number_in_different_networks():
    one = genes.random_genes(net(), np.random.default_rng(0), ALL, 0)
    two = genes.random_genes(net(), np.random.default_rng(1), ALL, 0)
    for found in (one, two):
        found.links = {(0, 5): (1.0, True)}
        genes.add_node(found, np.random.default_rng(2), ALL)
    assert one.links.keys() == two.links.keys()
    assert len(one.links) == 3
    child = genes.cross(one, two, np.random.default_rng(3))
    assert child.links.keys() == one.links.keys()


def test_a_child_has_the_better_parents_topology_and_genes_of_both():
    better, other = grown(1, 6), grown(1, 6)
    other.links = {key: (weight + 100, on) for key, (weight, on) in other.links.items()}
    extra = max(other.nodes)
    for _ in range(4):
        genes.add_node(other, np.random.default_rng(5), ALL)
    child = genes.cross(better, other, np.random.default_rng(6))
    assert child.links.keys() == better.links.keys()
    assert extra in child.nodes
    heavy = sum(weight > 50 for weight, _ in child.links.values())
    assert 0.2 < heavy / len(child.links) < 0.8


def test_distance_counts_what_differs():
    one = grown(1, 5)
    assert one.distance(one) == 0
    far = grown(2, 9)
    assert one.distance(far) == pytest.approx(far.distance(one))
    assert one.distance(far) > 0.5
    near = one.copy()
    genes.nudge(near, np.random.default_rng(0), ALL)
    assert 0 < one.distance(near) < one.distance(far)


def test_a_split_takes_the_links_place():
    found = genes.random_genes(net(0), np.random.default_rng(0), ALL, 0)
    found.links = {(0, 3): (1.7, True)}
    number = genes.add_node(found, np.random.default_rng(1), ALL)
    assert found.links[0, 3] == (1.7, False)
    assert found.links[number, 3] == (1.7, True)


def test_nodes_without_influence_cost_nothing():
    graph = Graph(((3, "identity"), (4, "identity"), (5, "identity"), (9, "sine")), (Link(0, 9), Link(1, 3)), 0)
    assert slots.lower(graph, 16, 16).used == 0


@pytest.mark.parametrize(
    ("nodes", "links", "says"),
    [
        (((3, "sine"), (4, "sine")), (), "lacks an output"),
        (((3, "sine"), (4, "sine"), (5, "sine"), (3, "tanh")), (), "node twice"),
        (((1, "sine"), (3, "sine"), (4, "sine"), (5, "sine")), (), "number of an input"),
        (((3, "sine"), (4, "sine"), (5, "sine")), (Link(0, 7),), "0 -> 7"),
        (((3, "sine"), (4, "sine"), (5, "sine")), (Link(8, 3),), "8 -> 3"),
        (((3, "sine"), (4, "sine"), (5, "sine")), (Link(3, 4),), "3 -> 4"),
        (((3, "sine"), (4, "sine"), (5, "sine")), (Link(0, 3), Link(0, 3, False)), "link twice"),
        (((3, "sine"), (4, "sine"), (5, "sine"), (8, "sine"), (9, "sine")), (Link(8, 9), Link(9, 8)), "a cycle"),
        (((3, "sine"), (4, "sine"), (5, "sine"), (8, "sine")), (Link(8, 8),), "a cycle"),
    ],
)
def test_a_graph_that_is_no_network_is_refused(nodes, links, says):
    with pytest.raises(EvoartError, match=says):
        Graph(nodes, links, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"layers": ()}, {"layers": (0,)}, {"layers": (24,) * 40}, {"layers": (9999,)}, {"activations": ()},
        {"activations": ("tahn",)}, {"latent": -1}, {"latent": 1000}, {"colour": "cmyk"}, {"symmetry": "z"},
        {"symmetry": "kaleidoscope:1"},
    ],
)  # fmt: skip
def test_layers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError):
        Layers(**wrong)


def test_wild_weights_still_draw_a_picture():
    graph, genome = grown(7, 12).express()
    for wild in (1e30, -1e30):
        assert np.isfinite(drawn(graph, np.full_like(genome, wild))).all()
        net = Layers((5, 5), activations.NAMES[:5], 1)
        assert np.isfinite(drawn(net, np.full(net.dim, wild, np.float32))).all()


def test_measures_tell_what_they_are_about():
    flat = np.full((1, 32, 32, 3), 0.5, np.float32)
    half = flat.copy()
    half[:, :, 16:] = 1
    half[:, :, :16] = 0
    noise = np.random.default_rng(0).random((1, 32, 32, 3)).astype(np.float32)
    red = flat * np.array([1.8, 0.1, 0.1], np.float32)
    red[:, ::2] = (0, 0, 1)
    assert measures.contrast(flat) == 0
    assert measures.contrast(half)[0] == pytest.approx(0.5, abs=1e-3)
    assert measures.entropy(flat) == pytest.approx(0, abs=1e-9)
    assert measures.entropy(half)[0] == pytest.approx(0.2)
    assert measures.edges(flat) < measures.edges(half) < measures.edges(noise)
    assert measures.colourfulness(half)[0] == pytest.approx(0, abs=1e-6)
    assert measures.colourfulness(red)[0] > 0.5
    assert measures.symmetry(flat) == 1
    assert measures.symmetry(half)[0] == 1  # upside down it is the same
    assert measures.symmetry(noise)[0] < 0.8
    assert measures.liveliness(flat) == 0
    assert set(measures.RANGES) == set(measures.MEASURES)


def test_random_networks_are_mostly_worth_a_look():
    rng = np.random.default_rng(0)
    layers = Layers((16,) * 8)
    images = np.stack([kernel.rows(layers, layers.random(rng), (32, 32), 0, 32) for _ in range(24)])
    assert np.median(measures.liveliness(images)) > 0.3
    graphs = [genes.random_genes(net(4), rng, genes.Rates()).express() for _ in range(40)]
    images = np.stack([kernel.rows(*pair, (32, 32), 0, 32) for pair in graphs])
    assert (measures.liveliness(images) > 0.3).sum() >= 8  # enough to choose from


def test_a_look_says_what_may_change():
    assert dataclasses.replace(net(), colour="rgb") == net()
    with pytest.raises(EvoartError):
        dataclasses.replace(net(), latent=5)


def judged(form, target, individuals):
    from evoart.engine.networks import NetworkEngine
    from evoart.score.pixel import PixelScore, Target

    h, w = target.shape[:2]
    engine = NetworkEngine(form, PixelScore(Target(target, np.ones((h, w), np.float32))), (w, h))
    return engine, engine.judge(individuals)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["layers", "graphs"])
def test_a_population_is_judged_and_trained_whatever_the_threads(kind):
    from evoart import threads
    from evoart.forms.cppn import CppnForm, GraphForm

    rng = np.random.default_rng(0)
    target = rng.random((10, 12, 3)).astype(np.float32) * 0.5
    if kind == "layers":
        form = CppnForm(net=Layers((5, 5), ("tanh", "sine"), 1))
        some = [(form.net, form.random(rng)) for _ in range(5)]
    else:
        form, some = GraphForm(net=net()), [grown(seed, 3 * seed).express() for seed in range(5)]
    before = threads.threads()
    try:
        threads.set_threads(1)
        engine, losses = judged(form, target, some)
        trained, less = engine.train(some, 20, 0.05)
        threads.set_threads(2)
        engine, again = judged(form, target, some)
    finally:
        threads.set_threads(before)
    np.testing.assert_allclose(again, losses, rtol=1e-6)
    drawn_losses = [((kernel.rows(*pair, (12, 10), 0, 10) - target) ** 2).mean() for pair in some]
    np.testing.assert_allclose(losses, drawn_losses, rtol=1e-5)
    assert (less < losses).all()
    np.testing.assert_allclose(engine.judge(trained), less, rtol=1e-4)
    assert [graph for graph, _ in trained] == [graph for graph, _ in some]
