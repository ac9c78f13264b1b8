"""A small picture in the terminal: two pixels a character, the upper half block in one colour on another."""

from __future__ import annotations

import os

import numpy as np

from evoart.draw.scene import Scene

MOST = (64, 20)  # characters wide and high


def depth() -> int:
    """Bits of colour the terminal says it has: 24, 8, or 0."""
    term = os.environ.get("TERM", "")
    if os.environ.get("NO_COLOR") or term == "dumb":
        return 0
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "direct" in term or "kitty" in term:
        return 24
    return 8 if "256" in term else 0


def lines(scene: Scene, columns: int, rows: int, bits: int) -> list[str]:
    """The drawing as lines of half blocks that fit ``columns x rows`` characters."""
    from evoart.draw.scanline import draw

    columns, rows = min(columns, MOST[0]), min(rows, MOST[1])
    pixels = min(columns / scene.width, 2 * rows / scene.height)
    w, h = max(1, round(scene.width * pixels)), max(1, round(scene.height * pixels / 2)) * 2
    rgba = draw(scene, (w, h))
    image = np.rint((rgba[..., :3] * rgba[..., 3:]) * 255).astype(int)
    return ["".join(_cell(image[y, x], image[y + 1, x], bits) for x in range(w)) for y in range(0, h, 2)]


def _cell(top: np.ndarray, bottom: np.ndarray, bits: int) -> str:
    if bits == 24:
        (r, g, b), (s, h, c) = top.tolist(), bottom.tolist()
        return f"\x1b[38;2;{r};{g};{b};48;2;{s};{h};{c}m▀"
    return f"\x1b[38;5;{_cube(top)};48;5;{_cube(bottom)}m▀"


def _cube(colour: np.ndarray) -> int:
    r, g, b = np.rint(colour / 51).astype(int).tolist()
    return 16 + 36 * r + 6 * g + b
