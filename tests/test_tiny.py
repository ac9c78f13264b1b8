"""What the model inside evoart means: pictures made for it show what was asked for, to a judge and to a ruler."""

from __future__ import annotations

import numpy as np
import pytest

from evoart.engine.clip import flat
from evoart.openclip.load import load
from evoart.run.clip.job import ClipJob
from evoart.run.loop import run
from evoart.score.clip import ClipScore, Prompt

PROMPTS = (
    "a red circle", "a blue square", "a green triangle", "a yellow star", "a black cross", "an orange ring",
    "a pink heart", "a brown house", "a green tree", "a yellow sun on blue",
)  # fmt: skip


def drawn(prompt, seed=1, pixels=128):
    """The picture ``(pixels, pixels, 3)`` of a short run, and its figures."""
    job = ClipJob.make(prompts=prompt, model="tiny", seed=seed, quality="draft")
    result = list(run(job))[-1].result
    return flat(result.form, result.genome, (pixels, pixels)), result.figures


def test_a_red_circle_is_red_and_round():
    image, figures = drawn("a red circle")
    ink = np.abs(image - 1).max(2) > 0.3  # what is not the white background
    area = ink.sum()
    assert 0.05 < area / ink.size < 0.8
    # Red: by the middle of what is there, and almost all of it.
    red = (image[..., 0] > 0.6) & (image[..., 1:].max(2) < 0.45)
    assert (red & ink).sum() > 0.85 * area
    # Round: the disc of the same area and middle covers it, and nothing else.
    y, x = np.nonzero(ink)
    rows, columns = np.indices(ink.shape)
    disc = (rows - y.mean()) ** 2 + (columns - x.mean()) ** 2 <= area / np.pi
    assert (disc & ink).sum() / (disc | ink).sum() > 0.85
    # As wide as high: the second moments along both axes of the ellipse that it is most like.
    low, high = np.linalg.eigvalsh(np.cov(np.stack([y, x])))
    assert (low / high) ** 0.5 > 0.85
    assert figures["similarity"] > 0.5


@pytest.fixture(scope="module")
def shown():
    return {prompt: drawn(prompt, pixels=64)[0] for prompt in PROMPTS}


def test_another_model_knows_what_was_asked_for(shown):
    score = ClipScore([load("judge")], [Prompt(prompt) for prompt in PROMPTS])
    first = [PROMPTS[score.similarities(image).argmax()] for image in shown.values()]
    assert sum(a == b for a, b in zip(first, shown, strict=True)) >= 8, first


def test_it_is_the_outline_that_is_known(shown):
    things = ("circle", "square", "triangle", "star", "cross", "ring", "heart", "house", "tree", "sun", "moon", "cat")
    first = 0
    for prompt, image in shown.items():
        thing = next(word for word in prompt.split() if word in things)
        texts = [prompt.replace(thing, other) for other in things]
        found = ClipScore([load("judge")], [Prompt(text) for text in texts]).similarities(image)
        first += texts[found.argmax()] == prompt
    assert first >= 7
