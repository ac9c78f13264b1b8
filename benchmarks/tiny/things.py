"""Things the tiny models learn to know: outlines within the unit circle, y down, each part with a colour.

A part is ``(points (v, 2), paint)``; ``paint`` is None for the thing's own colour or a colour word. Holes are walked
backwards, which the nonzero rule of the rasteriser takes out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Part = tuple[np.ndarray, str | None]
Rng = np.random.Generator


def _regular(corners: int, turn: float = 0.0) -> np.ndarray:
    angle = 2 * np.pi * np.arange(corners) / corners - np.pi / 2 + turn
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def _disc(x: float = 0.0, y: float = 0.0, rx: float = 1.0, ry: float | None = None, points: int = 40) -> np.ndarray:
    return _regular(points) * (rx, rx if ry is None else ry) + (x, y)


def _box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def _poly(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, float)


def _one(points: np.ndarray) -> list[Part]:
    return [(points, None)]


def _star(rng: Rng) -> list[Part]:
    points = _regular(10)
    points[1::2] *= rng.uniform(0.38, 0.52)
    return _one(points)


def _cross(rng: Rng) -> list[Part]:
    t = rng.uniform(0.22, 0.36)
    right = _poly((t, -t), (1, -t), (1, t), (t, t))
    turns = [np.array([[0, 1], [-1, 0]]), np.array([[-1, 0], [0, -1]]), np.array([[0, -1], [1, 0]])]
    return _one(np.concatenate([right] + [right @ turn for turn in turns]) * 0.95)


def _ring(rng: Rng) -> list[Part]:
    outer, inner = _disc(), _disc(rx=rng.uniform(0.5, 0.75))
    return _one(np.concatenate([outer, outer[:1], inner[:1], inner[::-1]]))


def _moon(rng: Rng) -> list[Part]:
    angle = np.linspace(-2.2, 2.2, 30)
    outer = np.stack([np.cos(angle), np.sin(angle)], -1)
    bend = np.linspace(1, -1, 20)[1:-1]
    tip = outer[-1]
    depth = rng.uniform(0.15, 0.45)
    inner = np.stack([tip[0] + (1 - bend**2) * (depth - tip[0]), bend * tip[1]], -1)
    return _one(np.concatenate([outer, inner]) - (0.2, 0))


def _heart(rng: Rng) -> list[Part]:
    t = np.linspace(0, 2 * np.pi, 41)[:-1]
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return _one(np.stack([x, y + 2], -1) / 17)


def _blob(rng: Rng) -> list[Part]:
    """Anything roundish that is no disc: what a picture must not pass as a circle with."""
    angle = np.linspace(0, 2 * np.pi, 41)[:-1]
    r = np.ones(40)
    for k in (2, 3, 4, 5):
        r += rng.uniform(0.06, 0.22) * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    return _one(np.stack([np.cos(angle), np.sin(angle)], -1) * r[:, None] / max(1.0, r.max()))


def _sun(rng: Rng) -> list[Part]:
    n = int(rng.integers(8, 13))
    points = _regular(2 * n)
    points[1::2] *= 0.62
    return [(points, None), (_disc(rx=0.6), None)]


def _house(rng: Rng) -> list[Part]:
    roof = str(rng.choice(["brown", "red", "grey", "black", "orange"]))
    parts: list[Part] = [(_box(-0.65, -0.1, 0.65, 0.85), None), (_poly((-0.9, -0.1), (0, -0.9), (0.9, -0.1)), roof)]
    door = str(rng.choice(["brown", "black", "white"]))
    x = rng.uniform(-0.4, 0.1)
    parts.append((_box(x, 0.35, x + 0.3, 0.85), door))
    if rng.random() < 0.7:
        parts.append(
            (
                _box(0.25, 0.1, 0.5, 0.35) if x < 0 else _box(-0.5, 0.1, -0.25, 0.35),
                str(rng.choice(["yellow", "white", "blue"])),
            )
        )
    return parts


def _tree(rng: Rng) -> list[Part]:
    trunk: Part = (_box(-0.13, 0.1, 0.13, 0.98), "brown")
    if rng.random() < 0.5:
        return [trunk, (_disc(0, -0.3, 0.65), None)]
    return [
        trunk,
        (_poly((-0.65, 0.45), (0, -0.5), (0.65, 0.45)), None),
        (_poly((-0.5, -0.1), (0, -0.98), (0.5, -0.1)), None),
    ]


def _flower(rng: Rng) -> list[Part]:
    n = int(rng.integers(5, 8))
    middle = np.array([0, -0.3])
    parts: list[Part] = [(_box(-0.06, -0.2, 0.06, 0.98), "green")]
    parts += [(_disc(*(middle + 0.36 * spot), 0.27), None) for spot in _regular(n)]
    return [*parts, (_disc(*middle, 0.22), str(rng.choice(["yellow", "white", "brown", "orange"])))]


def _face(rng: Rng) -> list[Part]:
    angle = np.linspace(0.35, np.pi - 0.35, 12)
    mouth = np.stack([np.cos(angle), np.sin(angle)], -1)
    mouth = np.concatenate([mouth * 0.62, mouth[::-1] * 0.48])
    ink = str(rng.choice(["black", "black", "white", "blue"]))
    return [(_disc(), None), (_disc(-0.35, -0.25, 0.14), ink), (_disc(0.35, -0.25, 0.14), ink), (mouth, ink)]


def _boat(rng: Rng) -> list[Part]:
    sail = str(rng.choice(["white", "white", "red", "yellow"]))
    return [
        (_box(-0.05, -0.95, 0.05, 0.4), "brown"),
        (_poly((0.08, -0.9), (0.8, 0.25), (0.08, 0.25)), sail),
        (_poly((-0.08, -0.6), (-0.08, 0.25), (-0.6, 0.25)), sail),
        (_poly((-0.95, 0.35), (0.95, 0.35), (0.6, 0.8), (-0.6, 0.8)), None),
    ]


def _fish(rng: Rng) -> list[Part]:
    eye = "white" if rng.random() < 0.5 else "black"
    parts = [(_disc(0.15, 0, 0.8, 0.45), None), (_poly((-0.5, 0), (-1, -0.5), (-0.9, 0), (-1, 0.5)), None)]
    parts.append((_disc(0.55, -0.1, 0.09), eye))
    flip = -1 if rng.random() < 0.5 else 1
    return [(points * (flip, 1), paint) for points, paint in parts]


def _cat(rng: Rng) -> list[Part]:
    eyes = str(rng.choice(["green", "yellow", "white", "black"]))
    ear = _poly((-0.82, -0.05), (-0.78, -0.95), (-0.15, -0.5))
    return [
        (ear, None),
        (ear * (-1, 1), None),
        (_disc(0, 0.15, 0.85, 0.72), None),
        (_disc(-0.34, 0.0, 0.16), eyes),
        (_disc(0.34, 0.0, 0.16), eyes),
        (_disc(-0.34, 0.0, 0.06, 0.13), "black"),
        (_disc(0.34, 0.0, 0.06, 0.13), "black"),
        (_poly((-0.12, 0.3), (0.12, 0.3), (0, 0.45)), "pink"),
    ]


# How each is made, how far it may be turned (radians), and its usual colours (none: any).
THINGS: dict[str, tuple[Callable[[Rng], list[Part]], float, tuple[str, ...]]] = {
    "circle": (lambda rng: _one(_disc()), 0, ()),
    "ellipse": (lambda rng: _one(_disc(rx=1.0, ry=rng.uniform(0.4, 0.68))), 3.2, ()),
    "square": (lambda rng: _one(_regular(4, np.pi / 4)), 0.2, ()),
    "triangle": (lambda rng: _one(_regular(3) * (rng.uniform(0.75, 1), 1)), 0.4, ()),
    "hexagon": (lambda rng: _one(_regular(6)), 3.2, ()),
    "star": (_star, 0.4, ()),
    "cross": (_cross, 0.2, ()),
    "ring": (_ring, 0, ()),
    "moon": (_moon, 3.2, ("yellow", "white")),
    "heart": (_heart, 0.25, ("red", "pink")),
    "blob": (_blob, 3.2, ()),
    "sun": (_sun, 3.2, ("yellow", "orange", "red")),
    "house": (_house, 0.08, ()),
    "tree": (_tree, 0.1, ("green",)),
    "flower": (_flower, 0.2, ()),
    "face": (_face, 0.25, ("yellow", "pink")),
    "boat": (_boat, 0.12, ()),
    "fish": (_fish, 0.25, ()),
    "cat": (_cat, 0.15, ("orange", "black", "grey", "brown", "white")),
}

# Hue (degrees), saturation and value that pass for a colour word; gaps between them are nobody's.
COLOURS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "red": ((-8, 8), (0.8, 1), (0.7, 1)),
    "orange": ((22, 35), (0.85, 1), (0.9, 1)),
    "yellow": ((50, 60), (0.75, 1), (0.88, 1)),
    "green": ((95, 140), (0.6, 1), (0.4, 0.85)),
    "turquoise": ((168, 186), (0.55, 1), (0.65, 0.95)),
    "blue": ((210, 240), (0.65, 1), (0.55, 1)),
    "purple": ((268, 288), (0.55, 1), (0.4, 0.8)),
    "pink": ((318, 345), (0.3, 0.6), (0.92, 1)),
    "brown": ((16, 30), (0.55, 0.85), (0.3, 0.52)),
    "black": ((0, 360), (0, 0.3), (0, 0.12)),
    "grey": ((0, 360), (0, 0.06), (0.4, 0.68)),
    "white": ((0, 360), (0, 0.03), (0.95, 1)),
}


def colour(rng: Rng, word: str) -> np.ndarray:
    """An sRGB colour ``(3,)`` in [0, 1] that passes for ``word``."""
    h, s, v = (rng.uniform(*limits) for limits in COLOURS[word])
    k = (np.array([5.0, 3.0, 1.0]) + h / 60) % 6
    return v - v * s * np.clip(np.minimum(k, 4 - k), 0, 1)
