"""Letters as a model draws them in a style, and the styles of what a user names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evoart.forms.glyphs import GlyphsForm, set_lines
from evoart.glyph.letters import LETTERS
from evoart.glyph.model import Model, decode, one_hot
from evoart.glyph.trace import SIDE, Outline, level_of, trace
from evoart.run import fields
from evoart.types import Genome

_AT_ONCE = 16  # letters that are decoded at a time


def outlines(model: Model, z: np.ndarray, text: Sequence[str]) -> dict[str, Outline]:
    """The outlines of letters in one style ``(latent,)``, by letter; spaces are left out."""
    wanted = [letter for letter in dict.fromkeys(text) if letter != " "]
    found = {}
    for first in range(0, len(wanted), _AT_ONCE):
        some = wanted[first : first + _AT_ONCE]
        kinds = one_hot([LETTERS.index(letter) for letter in some])
        distances, spaces = decode(model, np.repeat(np.asarray(z)[None], len(some), 0), kinds, SIDE)
        found |= {
            letter: trace(field, float(space[0]), float(space[1]), level_of(field))
            for letter, field, space in zip(some, distances, spaces, strict=True)
        }
    return found


def draw_letters(
    model: Model, z: np.ndarray, lines: Sequence[str], page: tuple[float, float] | None = None, **colours: Any
) -> tuple[GlyphsForm, Genome]:
    """Lines of letters in one style ``(latent,)``; ``page`` and ``colours`` as of ``forms.glyphs.set_lines``."""
    found = outlines(model, z, "".join(lines)) | {" ": Outline((), 0.0, 0.0)}
    placed = [[(letter, found[letter]) for letter in line] for line in lines]
    return set_lines(placed, style=list(np.asarray(z, np.float32)), model=model.digest, page=page, **colours)


def colours_of(job: Any) -> dict[str, Any]:
    """Ink and background of a job, as ``draw_letters`` takes them."""
    background = None if job.background == "transparent" else fields.rgb(job.background)
    return {"ink": fields.rgb(job.ink), "background": background}


def random_style(model: Model, sigma: float, *seed: int) -> np.ndarray:
    """A style ``(latent,)`` of the prior with a standard deviation of ``sigma``."""
    return sigma * np.random.default_rng(seed).standard_normal(model.config.latent)
