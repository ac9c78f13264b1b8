"""What every form of the registry must keep to, and the engine that judges any of them."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from fakes import FORM_EXAMPLES

from evoart.errors import EvoartError
from evoart.forms.registry import FORMS
from evoart.forms.shapes import ShapesForm


def example(name: str):
    """A form of this name and one of its genomes."""
    form = FORM_EXAMPLES[name]()
    return form, form.random(np.random.default_rng(3))


def test_every_form_has_an_example():
    assert set(FORM_EXAMPLES) == set(FORMS)


@pytest.mark.parametrize("name", FORM_EXAMPLES)
def test_a_form_comes_back_from_plain_values(name):
    form, _ = example(name)
    assert type(form) is FORMS[name]
    assert form.name == name
    again = type(form).from_plain(json.loads(json.dumps(form.to_plain())))
    assert again.to_plain() == form.to_plain()
    assert (again.dim, again.label, again.description) == (form.dim, form.label, form.description)


@pytest.mark.parametrize("name", FORM_EXAMPLES)
def test_damaged_plain_values_are_refused(name):
    plain = FORM_EXAMPLES[name]().to_plain()
    for key in plain:
        for wrong in ("x", -1, float("nan"), [], {}, 10**9):
            if wrong == plain[key]:
                continue
            try:
                form = FORMS[name].from_plain({**plain, key: wrong})
            except (KeyError, TypeError, ValueError, EvoartError):
                continue
            assert form.to_plain()[key] == wrong or key not in form.to_plain(), (key, wrong)


@pytest.mark.parametrize("name", FORM_EXAMPLES)
def test_a_settled_genome_stays_as_it_is(name):
    form, genome = example(name)
    rough = genome + 3 * form.steps() * np.random.default_rng(1).normal(size=form.dim).astype(np.float32)
    final, settled = form.finalised(rough.astype(np.float32))
    final.check(settled)
    np.testing.assert_allclose(final.drawing(settled).paint((20, 16)), form.drawing(rough).paint((20, 16)), atol=1e-5)
    once_more = final.finalised(settled)[1]
    np.testing.assert_array_equal(once_more, settled)


@pytest.mark.parametrize("name", FORM_EXAMPLES)
def test_a_drawing_is_painted_whole_or_in_strips(name):
    form, genome = example(name)
    drawing = form.drawing(genome)
    whole = drawing.paint((40, 32))
    assert whole.shape == (32, 40, 4)
    assert whole.dtype == np.float32
    assert whole.min() >= 0
    assert whole.max() <= 1
    assert whole[..., :3].std() > 0.01
    strips = [drawing.paint((40, 32), (y, min(y + 7, 32))) for y in range(0, 32, 7)]
    np.testing.assert_allclose(np.concatenate(strips), whole, atol=2e-5)


@pytest.mark.parametrize("name", FORM_EXAMPLES)
def test_a_drawing_is_written_as_svg(name):
    form, genome = example(name)
    text = form.drawing(genome).svg((64, 48), "a <title>", '{"evoart": 1}')
    root = ElementTree.fromstring(text)
    assert root.get("width") == "64"
    assert root[0].text == "a <title>"
    assert len(root) > 2


@pytest.mark.parametrize("name", FORM_EXAMPLES)
def test_steps_belong_to_the_genome(name):
    form, genome = example(name)
    steps = form.steps()
    assert steps.shape == genome.shape == (form.dim,)
    assert (steps >= 0).all()
    assert steps.any()
    assert form.label.startswith(("a ", "one ", *"0123456789"))


@pytest.mark.parametrize("name", FORM_EXAMPLES)
def test_what_lies_between_two_pictures(name):
    form, genome = example(name)
    other = form.random(np.random.default_rng(4))
    between = form.between(genome, form, other, 0.5)
    if between is not None:
        between[0].drawing(between[1]).paint((8, 8))
        np.testing.assert_allclose(form.between(genome, form, genome, 0.5)[1], genome, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in FORM_EXAMPLES if hasattr(FORMS[n], "images_traced")])
def test_jax_draws_what_is_written(name):
    """Loosely: what a search sees may be coarser at edges."""
    import jax

    form, genome = example(name)
    other = form.random(np.random.default_rng(4))
    seen = jax.jit(form.images_traced, static_argnums=(1, 2))(np.stack([genome, other]), 32, 40)
    for image, each in zip(np.asarray(seen), (genome, other), strict=True):
        painted = form.drawing(each).paint((40, 32))
        on_white = painted[..., :3] * painted[..., 3:] + 1 - painted[..., 3:]
        assert np.sqrt(((image - on_white) ** 2).mean()) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in FORM_EXAMPLES if hasattr(FORMS[n], "images_traced")])
def test_the_images_engine_judges_any_form(name, monkeypatch):
    from evoart.engine.images import ImagesEngine
    from evoart.score.pixel import PixelScore, Target

    form, genome = example(name)
    rng = np.random.default_rng(5)
    target = Target(rng.random((16, 20, 3)).astype(np.float32), np.ones((16, 20), np.float32))
    genomes = np.stack([genome, *(form.random(rng) for _ in range(6))])
    engine = ImagesEngine(form, PixelScore(target), (20, 16))
    losses = engine.losses(genomes)
    painted = np.stack([form.drawing(each).paint((20, 16)) for each in genomes])
    on_white = painted[..., :3] * painted[..., 3:] + 1 - painted[..., 3:]
    np.testing.assert_allclose(losses, ((on_white - target.image) ** 2).mean((1, 2, 3)), rtol=0.03)
    few = ImagesEngine(form, PixelScore(target), (20, 16))
    few.batch = 3
    np.testing.assert_allclose(few.losses(genomes), losses, rtol=1e-5)


def test_shapes_are_widened_where_they_are_decoded():
    kinds = ("line", "ellipse", "triangle")
    form = ShapesForm(kinds, 1.0, 1.0, None, min_width=0.02)
    genome = np.full(form.dim, 0.001, np.float32)
    genome[form.dim_per_group + 2] = -0.001  # a negative length means the same as a positive one
    geometry, _ = form.decode(np, genome)
    assert geometry[0, 4] == np.float32(0.02)
    np.testing.assert_allclose(geometry[1, 2:4], [-0.01, 0.01])
    np.testing.assert_array_equal(geometry[2], form.with_kinds(("triangle",) * 3).decode(np, genome)[0][2])
    final, settled = form.finalised(genome)
    assert final.min_width == 0
    np.testing.assert_array_equal(final.decode(np, settled)[0][:, :5], geometry[:, :5])
    assert ShapesForm.from_plain(form.to_plain()) == form
    with pytest.raises(ValueError, match="not in"):
        ShapesForm.from_plain(form.to_plain() | {"min_width": -1})


def test_strokes_are_as_wide_as_they_may_be():
    form = ShapesForm(("line", "line", "line", "ellipse"), 1.0, 1.0, None, stroke=(0.01, 0.03))
    genome = np.zeros((4, form.dim_per_group), np.float32)
    genome[:, 4], genome[3, 2:4] = (0.001, -0.02, -0.5, 0), 0.2
    geometry, _ = form.decode(np, genome.ravel())
    np.testing.assert_allclose(geometry[:3, 4], [0.01, -0.02, -0.03])
    np.testing.assert_allclose(geometry[3, 2:4], 0.2)  # which is no stroke
    final, settled = form.finalised(genome.ravel())
    assert final.stroke is None
    np.testing.assert_array_equal(final.decode(np, settled)[0][:, :5], geometry[:, :5])
    assert ShapesForm.from_plain(form.to_plain()) == form
    with pytest.raises(ValueError, match="a range"):
        ShapesForm.from_plain(form.to_plain() | {"stroke": [0.3, 0.1]})
