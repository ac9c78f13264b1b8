"""Crops, similarities and losses of prompts."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from clips import open_clip
from conftest import scenery
from PIL import Image

from evoart.engine import clip as clip_engine
from evoart.engine import memory
from evoart.engine.clip import ClipEngine
from evoart.engine.rendering import ScanlinePictures, TracedPictures
from evoart.errors import EvoartError
from evoart.forms.boxes import boxes
from evoart.forms.shapes import ShapesForm
from evoart.openclip.load import load
from evoart.score import clip as clip_score
from evoart.score.clip import ClipScore, Prompt, embed_image
from evoart.score.crops import Crops, resample, resize_picture
from evoart.search.stochastic_es import StochasticES
from evoart.search.stochastic_gradient import StochasticGradient
from evoart.search.surrogate import Surrogate

# One program instead of one for each operation, which would take most of the time.
sampled = jax.jit(resample, static_argnums=(2, 3))


@pytest.fixture(scope="module")
def tiny():
    return load("tiny")


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [20, 48, 97])
def test_resampling_is_pillows(photo, interpolation, size):
    kind = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}[interpolation]
    box = (3.5, 2.25, 29.0, 41.5)  # top, left, height, width
    planes = [
        Image.fromarray(np.ascontiguousarray(photo[..., c])).resize(
            (size, size), kind, (box[1], box[0], box[1] + box[3], box[0] + box[2])
        )
        for c in range(3)
    ]
    reference = np.clip(np.stack([np.asarray(plane) for plane in planes], -1), 0, 1)
    mine = np.asarray(sampled(photo[None], np.float32(box), size, interpolation))[0]
    # Pillow cuts kernels at a box's edge; inside they are the same.
    inner = slice(size // 8, -size // 8)
    assert np.abs(mine - reference)[inner, inner].max() < 2e-3


@pytest.mark.parametrize("shape", [(36, 48), (24, 24), (200, 37), (91, 240), (25, 24)])
@pytest.mark.parametrize("resize_mode", ["shortest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_a_picture_is_shown_as_open_clip_shows_it(shape, resize_mode, interpolation):
    library = open_clip()
    how = {"interpolation": interpolation, "resize_mode": resize_mode}
    shown = library.image_transform(24, is_train=False, mean=(0, 0, 0), std=(1, 1, 1), **how)
    photo = scenery(*shape)
    reference = shown(Image.fromarray((photo * 255).round().astype(np.uint8))).numpy().transpose(1, 2, 0)
    assert np.abs(resize_picture(photo, 24, **how) - reference).max() < 1e-6


@pytest.mark.parametrize(("height", "width"), [(80, 80), (80, 120), (60, 180), (300, 40)])
@pytest.mark.parametrize(("area", "aspect"), [((0.7, 0.9), 4 / 3), ((0.3, 0.6), 1.5), ((1.0, 1.0), 4 / 3)])
def test_crops_have_their_share_and_distort_nothing(height, width, area, aspect):
    top, left, h, w = np.asarray(Crops(500, area, aspect).boxes(jax.random.key(0), height, width)).T
    assert np.abs(np.log(w / h)).max() <= np.log(aspect) + 1e-4
    seen_h = np.minimum(top + h, height) - np.maximum(top, 0)
    seen_w = np.minimum(left + w, width) - np.maximum(left, 0)
    share = seen_h * seen_w / (height * width)
    assert share.max() <= area[1] + 1e-4
    cut = (height == width) & (np.maximum(w, h) > width - 1e-3)  # as torchvision does it
    assert share[~cut].min(initial=1) >= area[0] - 1e-4
    if height != width:
        assert share.mean() == pytest.approx(np.mean(area), abs=0.02)
        assert ((top >= -1e-3) | (h > height)).all()  # beyond the edges only where it must
        assert ((left >= -1e-3) | (w > width)).all()
    # Every part of the picture is seen.
    assert top.min() < 0.05 * height
    assert left.min() < 0.05 * width
    assert (top + h).max() > 0.95 * height
    assert (left + w).max() > 0.95 * width


def test_beyond_a_picture_there_is_white_paper():
    images = np.zeros((1, 10, 30, 3), np.float32)
    seen = np.asarray(sampled(images, np.float32([-10, 0, 30, 30]), 15, "bicubic"))[0]
    assert (seen[:5] == 1).all()
    assert (seen[10:] == 1).all()
    assert (seen[5:10] == 0).all()


def test_the_same_crops_for_all(tiny, photo):
    score = ClipScore([tiny], [Prompt("a red circle")])
    images = jnp.stack([photo[:36, :36]] * 3)
    judge = jax.jit(score.losses_traced)
    losses = np.asarray(judge(images, score.inputs, jax.random.key(1)))
    assert losses == pytest.approx(losses[0], abs=1e-5)
    assert losses[0] != pytest.approx(float(judge(images, score.inputs, jax.random.key(2))[0]), abs=1e-6)


def test_losses_by_hand(tiny):
    image = np.full((tiny.size, tiny.size, 3), (1.0, 0.2, 0.2), np.float32)
    prompts = [Prompt("a red circle", 2.0), Prompt("a blue square", -1.0), Prompt("red", 0.5, image)]
    score = ClipScore([tiny], prompts)
    seen = tiny.embed_images(image[None])[0]
    aims = [*tiny.embed_texts(["a red circle", "a blue square"]), seen]
    cosines = np.array([aim @ seen for aim in aims])
    found = score.similarities(image)
    assert found == pytest.approx(cosines, abs=1e-4)
    weights = np.array([2.0, -1.0, 0.5])
    assert float(score.loss_of(found, weights)) == pytest.approx(1 - found @ weights / 3.5, abs=1e-5)
    soft = ClipScore([tiny], prompts, softmax=True)
    terms = np.abs(weights) * np.exp(soft.scale * found.astype(np.float64))
    lost = -np.log((terms[0] + terms[2]) / terms.sum()) / soft.scale
    shared = 1 - (2 * found[0] + 0.5 * found[2]) / 2.5
    assert float(soft.loss_of(found, weights.astype(np.float32))) == pytest.approx(shared + lost, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "k"), [(1, 6), (3, 4), (2, 5)])
def test_crops_side_by_side_are_those_one_after_the_other(tiny, monkeypatch, n, k):
    score = ClipScore([tiny], [Prompt("a red circle"), Prompt("a blue square")])
    images = jnp.asarray(np.random.default_rng(0).random((n, 40, 50, 3), np.float32))
    boxes = Crops(k).boxes(jax.random.key(1), 40, 50)
    found = []
    for together in (1, 16):
        monkeypatch.setattr(clip_score, "MAX_SIDE_BY_SIDE", together)
        found.append(np.asarray(jax.jit(lambda *given: score.similarities_traced(*given))(images, score.inputs, boxes)))
    assert found[0] == pytest.approx(found[1], abs=1e-5)
    one = jax.jit(lambda *given: score.similarities_traced(*given))
    alone = [one(images, score.inputs, boxes[i : i + 1]) for i in range(k)]
    assert found[1] == pytest.approx(np.mean(alone, 0), abs=1e-5)


def test_several_models_are_averaged(tiny):
    image = np.random.default_rng(0).random((40, 40, 3), np.float32)
    judge = load("judge")
    prompts = [Prompt("a green tree")]
    alone = [ClipScore([model], prompts).similarities(image)[0] for model in (tiny, judge)]
    assert ClipScore([tiny, judge], prompts).similarities(image)[0] == pytest.approx(np.mean(alone), abs=1e-5)


def form(n=6):
    return ShapesForm(("triangle", "rotated-ellipse", "line") * (n // 3), 1.0, 1.0, (1.0, 1.0, 1.0))


@pytest.mark.slow
def test_kernels_draw_and_pull_as_the_dense_program():
    shapes = form()
    genome = shapes.random(np.random.default_rng(0))
    kernels, dense = ScanlinePictures(shapes, 40, 40), TracedPictures(shapes, 40, 40)
    aim = np.random.default_rng(9).random((40, 40, 3), np.float32)
    both = jax.jit(lambda x, aim: (dense.images(x[None]), dense.vjp(x, aim)))
    image, b = (np.asarray(each) for each in both(genome, aim))
    assert np.abs(kernels.images(genome[None]) - image).mean() < 2e-3
    assert np.abs(kernels.vjp(genome, aim) - b).max() < 0.02 * np.abs(b).max()


def test_losses_do_not_depend_on_the_batch(tiny):
    shapes = form()
    genomes = np.stack([shapes.random(np.random.default_rng(seed)) for seed in range(7)])
    engine = ClipEngine(shapes, ClipScore([tiny], [Prompt("a red circle")], Crops(2)), 64, 64)
    key = jax.random.key(3)
    whole_batch = np.asarray(engine.losses_traced(jnp.asarray(genomes), engine.inputs, key))
    engine.batch = 3
    assert np.asarray(engine.losses_traced(jnp.asarray(genomes), engine.inputs, key)) == pytest.approx(
        whole_batch, abs=1e-5
    )


@pytest.mark.slow
def test_a_device_that_draws_finds_what_a_host_finds(tiny, monkeypatch):
    """On a GPU all is one program: the same searches with JAX drawing."""
    shapes, score = (
        ShapesForm(("triangle",) * 3, 1.0, 1.0, (1.0, 1.0, 1.0)),
        ClipScore([tiny], [Prompt("red")], Crops(2)),
    )
    start, found = shapes.random(np.random.default_rng(0)), []
    for how in (clip_engine.pictures, TracedPictures):
        monkeypatch.setattr(clip_engine, "pictures", how)
        engine = ClipEngine(shapes, score, 64, 64)
        searches = (
            StochasticGradient(engine, 1, start, None, 50),
            StochasticES(engine, "pgpe", 6, 1, start),
            Surrogate(engine, boxes, 1, start, population=8),
        )
        for search in searches:
            search.stop_after(2, None)
            search.step()
        found.append([search.loss for search in searches])
        assert engine.traceable == (how is TracedPictures)
    assert found[0] == pytest.approx(found[1], abs=2e-3)


class Narrow(ClipEngine):
    """A machine whose memory holds ``room`` pictures side by side, or none at all."""

    room, tried = 4, 0

    def __init__(self, *given):
        super().__init__(*given)
        judge, slope = self._evaluate, self._slope
        self._evaluate = lambda images, *how: judge(images, *how) if self._fits(len(images)) else None
        self._slope = lambda image, *how: slope(image, *how) if self._fits(1) else None

    def _fits(self, pictures):
        self.tried += 1
        if pictures > self.room:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9663676416 bytes.")
        return True


def test_too_little_memory_halves_what_is_looked_at_and_says_so(tiny):
    shapes, score = form(), ClipScore([tiny], [Prompt("a red circle")], Crops(2))
    start = shapes.random(np.random.default_rng(0))
    whole, halved = (StochasticES(kind(shapes, score, 64, 64), "pgpe", 16, 1, start) for kind in (ClipEngine, Narrow))
    for search in (whole, halved):
        search.stop_after(2, None)
        search.step()
    assert len(halved.notes) == 2  # of 16, to 8, to 4
    assert "4 candidates are evaluated at a time" in halved.notes[-1]
    assert np.allclose(whole.arrays()["genome"], halved.arrays()["genome"], atol=1e-4)


def test_no_memory_at_all_is_one_line(tiny):
    shapes, score = form(), ClipScore([tiny], [Prompt("a red circle")])
    engine = Narrow(shapes, score, 64, 64)
    engine.room = 0
    search = StochasticGradient(engine, 1, shapes.random(np.random.default_rng(0)))
    with pytest.raises(
        EvoartError, match="enough memory for tiny to look at one picture, 4 crops of it. Use fewer --crops"
    ):
        search.step()
    assert engine.tried == 1  # one picture cannot be halved


def test_models_share_the_memory_that_there_is(tiny, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 2**20)
    few = ClipEngine(form(), ClipScore([tiny], [Prompt("a red circle")]), 64, 64).batch
    monkeypatch.setattr(memory, "free_bytes", lambda: 2**40)
    many = ClipEngine(form(), ClipScore([tiny], [Prompt("a red circle")]), 64, 64).batch
    assert 1 <= few < many == 64


@pytest.mark.slow
def test_no_program_calls_the_host_or_jax_would_not_keep_it(tiny):
    engine = ClipEngine(form(), ClipScore([tiny], [Prompt("a red circle")], Crops(2)), 64, 64)
    image = jnp.zeros((64, 64, 3))
    for program in (engine._slope, engine._evaluate):
        shown = image if program is engine._slope else image[None]
        text = program.lower(shown, engine.inputs, jax.random.key(0)).as_text()
        assert "dot_general" in text
        assert "callback" not in text


def test_first_order_changes_are_first_order(tiny):
    shapes = form()
    genome = shapes.random(np.random.default_rng(0))
    engine = ClipEngine(shapes, ClipScore([tiny], [Prompt("a red circle")], Crops(2)), 64, 64)
    key = jax.random.key(3)
    loss, image, slope = engine.where_traced(jnp.asarray(genome), engine.inputs, key)
    near = genome + 1e-4 * np.random.default_rng(1).normal(size=(5, genome.size)).astype(np.float32)
    told = np.asarray(engine.changes_traced(jnp.asarray(near), image, slope, 8)).sum((1, 2))
    true = np.asarray(engine.losses_traced(jnp.asarray(near), engine.inputs, key)) - float(loss)
    assert np.abs(told - true).max() < 0.15 * np.abs(true).max() + 2e-6


def test_an_embedding_is_of_the_middle_or_of_all(tiny):
    n = tiny.size
    wide = np.ones((n, 2 * n, 3), np.float32)
    wide[:, n // 2 : n // 2 + n] = (1, 0, 0)
    square = np.broadcast_to(np.float32((1, 0, 0)), (1, n, n, 3))
    assert embed_image(tiny, wide) @ tiny.embed_images(square)[0] > 0.99
    squashed = resize_picture(wide, n, tiny.interpolation, "squash")
    assert squashed[:, : n // 8].min() > 0.9  # the white to the left is there
    assert resize_picture(wide, n, tiny.interpolation)[:, : n // 8, 1:].max() < 0.1
