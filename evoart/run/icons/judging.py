"""How pictures do as the things that words mean, by a judge that has learned from other artists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evoart.errors import UsageError
from evoart.openclip import icons, judge
from evoart.openclip.judge import Verdict
from evoart.picture import load
from evoart.run.clip.prompts import split
from evoart.types import Drawing

SIDE = 256  # pixels of a picture that is judged


def judge_drawing(drawing: Drawing, words: str) -> Verdict | None:
    """What the judge says of a picture drawn for ``words``; None for a scene of several things and for plain shapes."""
    known = icons.load()
    scene = known.read(words)
    wanted = judge.things_meant(known, scene)
    if not wanted:
        return None
    rgba = drawing.paint((SIDE, SIDE))
    image = rgba[..., :3] if drawing.background is not None else rgba[..., :3] * rgba[..., 3:] + 1 - rgba[..., 3:]
    return judge.load().verdict(np.asarray(image, np.float32), wanted, scene.parts[0].count)


def judge_picture(picture: str | Path, texts: Sequence[str]) -> list[tuple[str, Verdict]]:
    """What the judge says of a picture in a file as each of ``texts``.

    Raises:
        UsageError, EvoartError: a picture that cannot be read, or a text that names no one thing that the judge knows.
    """
    image, alpha = load(picture, needed=SIDE).at(SIDE)
    if alpha is not None:
        image = image * alpha[..., None] + 1 - alpha[..., None]
    known, found = icons.load(), []
    for written in texts:
        text = split(written)[0]
        scene = known.read(text)
        wanted = judge.things_meant(known, scene)
        verdict = judge.load().verdict(np.asarray(image, np.float32), wanted, scene.parts[0].count)
        if verdict is None:
            raise UsageError(
                f"the judge of icons cannot tell '{text}'",
                "It names one thing at a time (evoart models words); a CLIP model judges any words: --model ViT-B-32",
            )
        found.append((text, verdict))
    return found
