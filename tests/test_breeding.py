"""Children of pictures of every form."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FORM_EXAMPLES

from evoart.cppn.breeder import VARIATIONS
from evoart.cppn.layers import Layers
from evoart.draw.shapes import shape
from evoart.errors import UsageError
from evoart.forms import breeding
from evoart.forms.cppn import CppnForm
from evoart.forms.registry import FORMS
from evoart.forms.shapes import ShapesForm
from evoart.forms.strokes import StrokesForm

BRED = sorted(set(FORMS) - {"sheet"})


def parents(name: str, count: int = 2):
    form = FORM_EXAMPLES[name]()
    rng = np.random.default_rng(3)
    return [(form, form.random(rng)) for _ in range(count)]


def seen(picture, size=(40, 32)) -> np.ndarray:
    form, genome = picture
    final, settled = form.finalised(genome)
    final.check(settled)
    again = type(final).from_plain(final.to_plain())
    painted = again.drawing(settled).paint(size)
    return painted[..., :3] * painted[..., 3:] + 1 - painted[..., 3:]


@pytest.mark.parametrize("vary", VARIATIONS)
@pytest.mark.parametrize("name", BRED)
def test_every_form_has_children(name, vary):
    one, other = parents(name)
    before = one[1].copy()
    for number in range(4):
        children = []
        for _ in range(2):  # the same seed, the same child
            rng = np.random.default_rng(number)
            child = breeding.mutate(breeding.cross(one, other, rng, vary), rng, 1.0, vary)
            assert child[1].shape == (child[0].dim,)
            assert child[1].dtype == np.float32
            children.append(child)
        np.testing.assert_array_equal(children[0][1], children[1][1])
        assert children[0][0] == children[1][0]
        assert np.isfinite(seen(children[0])).all()
        assert np.abs(seen(children[0]) - seen(one)).max() > 0
    np.testing.assert_array_equal(one[1], before)


@pytest.mark.parametrize("name", BRED)
def test_a_larger_mutation_goes_farther(name):
    (one,) = parents(name, 1)
    before = seen(one)

    def distance(scale: float) -> float:
        children = (breeding.mutate(one, np.random.default_rng(k), scale) for k in range(12))
        return float(np.mean([np.abs(seen(child) - before).mean() for child in children]))

    assert 0 < distance(0.1) < distance(1.0) < distance(8.0)


def edges(image: np.ndarray) -> np.ndarray:
    """Where neighbouring pixels differ at all."""
    return np.abs(np.diff(image, axis=1)).max(-1) > 1e-6


def test_colour_leaves_shapes_and_strokes_where_they_are():
    for name in ("shapes", "strokes"):
        one, other = parents(name)
        child = breeding.mutate(
            breeding.cross(one, other, np.random.default_rng(1), "colour"), np.random.default_rng(2), 1.0, "colour"
        )
        if isinstance(one[0], ShapesForm):
            np.testing.assert_array_equal(child[0].decode(np, child[1])[0], one[0].decode(np, one[1])[0])
        else:
            np.testing.assert_array_equal(child[1], one[1])
        assert np.abs(seen(child) - seen(one)).max() > 0.02


def test_structure_leaves_the_colours():
    one, _ = parents("shapes")
    child = breeding.mutate(one, np.random.default_rng(4), 1.0, "structure")
    colours = [sorted(map(tuple, form.decode(np, genome)[1])) for form, genome in (one, child)]
    assert colours[0] == colours[1]
    assert child[0].background == one[0].background
    drawn = breeding.mutate(parents("strokes")[0], np.random.default_rng(4), 1.0, "structure")
    assert drawn[0].palette == parents("strokes")[0][0].palette


@pytest.mark.parametrize("name", ["cppn", "cppn-graph"])
def test_colour_of_a_network_is_a_mixture_of_its_outputs(name):
    """Logits of the child are an affine image of the parent's: nothing is redrawn. By least squares."""
    (one,) = parents(name, 1)
    child = breeding.mutate(one, np.random.default_rng(5), 1.0, "colour")
    logits = []
    for form, genome in (one, child):
        colours = np.clip(form.drawing(genome).paint((48, 40))[..., :3].reshape(-1, 3).astype(float), 1e-4, 1 - 1e-4)
        logits.append(np.log(colours / (1 - colours)))
    inside = (np.abs(logits[0]) < 6).all(1) & (np.abs(logits[1]) < 6).all(1)
    design = np.column_stack([logits[0][inside], np.ones(inside.sum())])
    rest = logits[1][inside] - design @ np.linalg.lstsq(design, logits[1][inside], rcond=None)[0]
    assert inside.sum() > 200
    assert rest.std() < 0.02 * logits[1][inside].std()
    assert np.abs(logits[1] - logits[0]).mean() > 0.1


def test_structure_of_layers_keeps_the_output_layer():
    net = Layers((6, 5), ("tanh",), 2)
    form = CppnForm(1.0, 1.0, net)
    one = form, form.random(np.random.default_rng(0))
    _, child = breeding.mutate(one, np.random.default_rng(1), 2.0, "structure")
    last = 6 * 3  # five units and a bias for each of three outputs
    np.testing.assert_array_equal(child[-last:], one[1][-last:])
    assert (child[:-last] != one[1][:-last]).any()


def test_shapes_of_other_kinds_and_numbers_are_crossed():
    forms = [ShapesForm(kinds, 1.0, 1.0, (1.0, 1.0, 1.0)) for kinds in (("triangle",) * 7, ("circle", "line") * 6)]
    one, other = ((form, form.random(np.random.default_rng(k))) for k, form in enumerate(forms))
    kinds = set()
    for seed in range(8):
        form, genome = breeding.cross(one, other, np.random.default_rng(seed))
        geometry, _ = form.decode(np, genome)
        own = {kind: f.decode(np, g)[0] for f, g in (one, other) for kind in f.kinds}
        for kind, row in zip(form.kinds, geometry, strict=True):  # every shape is one of a parent's
            count = len(shape(kind).parameters)
            assert (np.abs(own[kind][:, :count] - row[:count]).max(1) == 0).any()
        kinds |= set(form.kinds)
    assert kinds == {"triangle", "circle", "line"}


def test_strokes_may_come_and_go():
    (one,) = parents("strokes", 1)
    counts = set()
    for seed in range(40):
        form, _ = breeding.mutate(one, np.random.default_rng(seed), 4.0)
        assert isinstance(form, StrokesForm)
        assert sum(form.sketches) == len(form.lengths)
        counts.add(len(form.lengths))
    assert counts >= {3, 4, 5}


def test_what_cannot_be_bred_says_so():
    sheet, network, shapes = (parents(name, 1)[0] for name in ("sheet", "cppn", "shapes"))
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="sheet"):
        breeding.mutate(sheet, rng)
    with pytest.raises(UsageError, match="cannot be crossed"):
        breeding.cross(network, shapes, rng)
    with pytest.raises(UsageError, match="variation"):
        breeding.mutate(shapes, rng, 1.0, "color")
    for scale in (0.0, 11.0, float("nan")):
        with pytest.raises(UsageError, match="mutation scale"):
            breeding.mutate(shapes, rng, scale)
