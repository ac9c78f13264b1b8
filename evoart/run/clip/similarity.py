"""Similarities of any picture to texts, for ``evoart score``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evoart.picture import load
from evoart.run.clip import models
from evoart.run.clip.job import ClipJob
from evoart.run.clip.prompts import split
from evoart.score.clip import ClipScore, Prompt

SEEN = 4096  # pixels of a picture's long side at most: below it is resized once, as open_clip does it


def similarities(job: ClipJob, picture: str | Path) -> list[tuple[str, float, float]]:
    """Text, cosine similarity and softmax probability of every prompt of ``job``.

    Raises:
        UsageError, EvoartError: a picture or model that cannot be used.
    """
    image, alpha = load(picture, needed=SEEN).at(SEEN)
    if alpha is not None:
        image = image * alpha[..., None] + 1 - alpha[..., None]
    texts = [split(each)[0] for each in job.prompts]
    score = ClipScore(models.load_guidance(job, "float32"), [Prompt(text) for text in texts])
    found = score.similarities(np.asarray(image, np.float32))
    logits = found * score.scale
    shares = np.exp(logits - logits.max())
    return list(zip(texts, found.tolist(), (shares / shares.sum()).tolist(), strict=True))
