"""Strokes that a model proposes for a drawing that grows."""

from __future__ import annotations

import numpy as np
import pytest
from sketches import small

import evoart
from evoart.errors import EvoartError, UsageError
from evoart.run.sketch.proposals import load_proposer
from evoart.sketch.model import Config, create_model
from evoart.sketch.proposals import Proposer, walk
from evoart.sketch.sampling import draw, draw_noise
from evoart.sketch.simplify import simplify
from evoart.sketch.strokes import to_polylines, to_stroke3

ACROSS = np.array([[0.2, 0.4], [0.5, 0.39], [0.8, 0.4]])
DOWN = np.array([[0.5, 0.2], [0.5, 0.5], [0.48, 0.8]])


@pytest.fixture(scope="module")
def kanji() -> Proposer:
    return load_proposer("kanji")


def test_the_rest_is_what_sampling_draws(kanji):
    """The states that are kept against the sampler, which reads the whole drawing again."""
    drawing = [ACROSS, DOWN]
    first = kanji.propose([ACROSS], 3, seed=2)  # so that the second call continues from a kept state
    assert len(first) == 3
    proposals = kanji.propose(drawing, 3, whole=True, seed=2)
    scaled = simplify([line * kanji.factor for line in drawing], 2 / 255 * kanji.config.usual_extent)
    prefix = to_stroke3(scaled)
    left = kanji.config.max_points - len(prefix)
    noise = np.concatenate([np.zeros((3, len(prefix), 4), np.float32), draw_noise(3, left, 2)], 1)
    sampled = draw(kanji.model, noise, prefix=[prefix] * 3)
    for proposal, sample in zip(proposals, sampled, strict=True):
        lines = [line / kanji.factor + ACROSS[0] for line in to_polylines(sample.strokes)][2:]
        assert len(lines) == len(proposal.strokes)
        assert proposal.finished == sample.finished
        for ours, theirs in zip(proposal.strokes, lines, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_one_stroke_is_the_beginning_of_the_rest(kanji):
    one, rest = (kanji.propose([ACROSS], 9, whole=whole, seed=5, temperature=0.6) for whole in (False, True))
    for stroke, drawing in zip(one, rest, strict=True):
        assert len(stroke.strokes) <= 1
        np.testing.assert_allclose(np.concatenate(stroke.strokes), drawing.strokes[0], atol=1e-6)
    assert len({proposal.strokes[0].tobytes() for proposal in one}) > 3
    again = kanji.propose([ACROSS], 9, seed=5, temperature=0.6)
    np.testing.assert_array_equal(again[4].strokes[0], one[4].strokes[0])


def test_an_empty_page_is_begun(kanji):
    for whole in (False, True):
        (proposal,) = evoart.propose_strokes([], 1, whole=whole, seed=3)
        assert proposal.strokes
        points = np.concatenate(proposal.strokes)
        assert (np.abs(points - 0.5) < 0.7).all()
    assert kanji.propose([np.array([[0.5, 0.5]])], 2)[0] is not None  # a dot


@pytest.mark.parametrize("cell", ["lstm", "layer_norm", "hyper"])
def test_every_cell_continues(cell):
    model = small(cell)
    whole, parts = Proposer(model), Proposer(model)
    parts.propose([ACROSS], 2)
    a, b = (each.propose([ACROSS, DOWN], 6, seed=1, temperature=1.0, whole=True) for each in (whole, parts))
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(points(one), points(other), atol=1e-4)
    assert any(proposal.strokes for proposal in a)


def points(proposal) -> np.ndarray:
    return np.concatenate([np.zeros((0, 2)), *proposal.strokes])


def test_the_class_may_change_in_the_middle():
    proposer = Proposer(small(classes=("cat", "bus")))
    cat, bus = (proposer.propose([ACROSS], 6, class_index=k, seed=1) for k in (0, 1))
    assert any(
        points(a).shape != points(b).shape or not np.allclose(points(a), points(b))
        for a, b in zip(cat, bus, strict=True)
    )
    with pytest.raises(UsageError, match="class 2"):
        proposer.propose([ACROSS], class_index=2)


def test_a_walk_between_two_drawings():
    model = small(latent=4)
    drawings = walk(model, [ACROSS, DOWN], [DOWN], 5)
    assert len(drawings) == 5
    assert len(Proposer(model).propose([ACROSS], 6)) == 6
    with pytest.raises(UsageError, match="empty"):
        walk(model, [], [DOWN])
    with pytest.raises(UsageError, match="decoder only"):
        walk(small(), [ACROSS], [DOWN])


def test_what_cannot_be_continued_says_so(kanji):
    for wrong in ([[0.1, 0.2, 0.3]], [[np.nan, 0.0]], [[99.0, 0.0]], []):
        with pytest.raises(UsageError, match="points on the page"):
            kanji.propose([np.array(wrong)])
    with pytest.raises(UsageError, match="proposals"):
        kanji.propose([ACROSS], 65)
    with pytest.raises(UsageError, match="temperature"):
        kanji.propose([ACROSS], temperature=3.0)
    dots = [np.array([[0.01 * k, 0.5]]) for k in range(95)]
    with pytest.raises(UsageError, match="Draw fewer|points are drawn"):
        kanji.propose(dots)
    with pytest.raises(UsageError, match="only draws from nothing"):
        Proposer(create_model(Config(hidden=8, mixtures=3, inputs=3), np.random.default_rng(1)))
    with pytest.raises(UsageError, match="no class"):
        evoart.propose_strokes([ACROSS], class_name="cat")
    with pytest.raises(EvoartError, match="not here"):
        evoart.propose_strokes([ACROSS], model="bird")
