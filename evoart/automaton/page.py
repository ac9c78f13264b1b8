"""A web page on which an automaton grows and can be wounded: one file, no other, no network access."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

import numpy as np

from evoart.automaton import rule
from evoart.types import Genome

RECIPE = '<script type="application/json" id="evoart">'
CELLS = Path(__file__).with_name("cells.js")  # what lives on the page, on the graphics card or without one


def page(genome: Genome, rows: int, columns: int, seed: int, age: int, title: str = "", recipe: str = "") -> str:
    """The page as HTML.

    Args:
        genome: of the rule, ``(dim,)``.
        rows, columns: of the grid.
        seed: decides which cells change in a step.
        age: steps after which the picture is shown to whoever wants no motion.
        recipe: JSON that is kept inside.
    """
    inside = recipe.replace("</", "<\\/")  # still the same JSON, and no end of the element
    parts = {
        "@TITLE@": escape(title or "An automaton", quote=True),
        "@ROWS@": str(rows),
        "@COLUMNS@": str(columns),
        "@SEED@": str(seed),
        "@AGE@": str(age),
        "@HIDDEN@": str(len(genome) // rule.row_length()),
        "@WEIGHTS@": encode_weights(genome),
        "@CELLS@": CELLS.read_text("utf-8").replace("\nexport ", "\n").rstrip(),
        "@RECIPE@": f"{RECIPE}{inside}</script>" if recipe else "",
    }
    text = CELLS.with_name("page.html").read_text("utf-8")
    for mark, part in parts.items():  # the recipe last: it may hold anything
        text = text.replace(mark, part, 1) if mark == "@RECIPE@" else text.replace(mark, part)
    return text


def encode_weights(genome: Genome) -> str:
    """The weights as ``readWeights`` of ``cells.js`` takes them: for each hidden unit 68 float32, base64."""
    table = np.asarray(genome, np.float32).reshape(-1, rule.row_length())
    bias = np.pad(table[:, rule.SEEN : rule.SEEN + 1], ((0, 0), (0, 3)))
    packed = np.concatenate([table[:, : rule.SEEN], bias, table[:, rule.SEEN + 1 :]], 1)  # texels of four numbers
    return base64.b64encode(packed.astype("<f4").tobytes()).decode()
