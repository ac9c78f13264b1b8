"""A small picture in the terminal: two pixels a character, upper half blocks in one colour on another."""

from __future__ import annotations

import os

import numpy as np

from evoart.types import Drawing

MOST = (64, 20)  # characters wide and high


def depth() -> int:
    """Bits of colour the terminal says it has: 24, 8, or 0."""
    term = os.environ.get("TERM", "")
    if os.environ.get("NO_COLOR") or term == "dumb":
        return 0
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "direct" in term or "kitty" in term:
        return 24
    return 8 if "256" in term else 0


def lines(drawing: Drawing, columns: int, rows: int, bits: int) -> list[str]:
    """The drawing as lines of half blocks that fit ``columns x rows`` characters."""
    columns, rows = min(columns, MOST[0]), min(rows, MOST[1])
    pixels = min(columns / drawing.width, 2 * rows / drawing.height)
    w, h = max(1, round(drawing.width * pixels)), max(1, round(drawing.height * pixels / 2)) * 2
    rgba = drawing.paint((w, h))
    image = np.rint((rgba[..., :3] * rgba[..., 3:]) * 255).astype(int)
    codes = _true(image) if bits == 24 else _nearest(image)
    return ["".join(f"\x1b[38;{codes[y][x]};48;{codes[y + 1][x]}m▀" for x in range(w)) for y in range(0, h, 2)]


def _true(image: np.ndarray) -> list[list[str]]:
    """Colour codes of pixels ``(h, w, 3)`` for terminals of 24 bits."""
    return [[f"2;{r};{g};{b}" for r, g, b in row] for row in image.tolist()]


def _nearest(image: np.ndarray) -> list[list[str]]:
    """Colour codes of pixels ``(h, w, 3)`` for terminals of 256 colours: the nearest of xterm's cube and grays."""
    levels = np.array([0, 95, 135, 175, 215, 255])
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    grays = np.repeat(np.arange(8, 239, 10)[:, None], 3, 1)
    colours = np.concatenate([cube, grays])
    nearest = ((image[:, :, None] - colours) ** 2).sum(-1).argmin(-1)
    return [[f"5;{16 + code}" for code in row] for row in nearest.tolist()]
