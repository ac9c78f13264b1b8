"""Stamps: any outline as a shape, with several contours and holes. Its place, size and angle evolve.

A stamp is known by the digest of its outline, so that a name means one outline for good: recipes keep the outline next
to the name, and ``unpack`` makes it known again. All engines draw one closed polygon: contours are joined by bridges,
pairs of edges that run there and back and so enclose nothing.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from evoart.draw.shapes.base import Number, Parameter, Parametric, at_least, turn
from evoart.draw.shapes.ramp import base_of
from evoart.errors import UsageError
from evoart.types import Array

GRID = 10_000  # whole numbers from the middle to the farthest edge
POINTS = 200  # most points of an outline
COARSE = 48  # of one that is drawn small
MOST = 64  # contours
TILT = 0.25  # radians: about how far upright stamps are turned at first
_NAME = re.compile(r"stamp:[a-z0-9-]{1,32}-[0-9a-f]{10}")
_KNOWN: dict[str, Stamp] = {}


class Stamp:
    """A shape of a fixed outline: ``x y size angle``. ``size`` is half its longer extent.

    Args:
        label: what it shows, for its name: lower case letters, digits and hyphens.
        contours: whole numbers ``(k, 2)`` each, y down, from -GRID to GRID; holes run against what they lie in.
        upright: it begins nearly upright, as letters do, instead of at any angle.
    """

    filled = True
    parameters = (Parameter("x", "x"), Parameter("y", "y"), Parameter("size", "length"), Parameter("angle", "angle"))

    def __init__(self, label: str, contours: Sequence[np.ndarray], upright: bool = False) -> None:
        self.label, self.upright = label, upright
        self.contours = tuple(np.asarray(contour, np.int64).reshape(-1, 2) for contour in contours)
        text = json.dumps(self.to_plain(), separators=(",", ":"), sort_keys=True)
        self.digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        self.name = f"stamp:{label}-{self.digest}"

    def to_plain(self) -> dict[str, Any]:
        """The outline as JSON values, for a recipe."""
        return {"contours": [contour.ravel().tolist() for contour in self.contours], "upright": self.upright}

    @functools.cached_property
    def _fine(self) -> np.ndarray:
        return join([contour / GRID for contour in self.contours]).astype(np.float32)

    @functools.cached_property
    def _coarse(self) -> np.ndarray:
        return join(thin([contour / GRID for contour in self.contours], COARSE)).astype(np.float32)

    def _unit(self, detail: int) -> np.ndarray:
        return self._coarse if detail <= 32 else self._fine

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """One polygon with all contours; up to a detail of 32 a coarse one."""
        size = at_least(xp, p[..., 2])[..., None, None]
        return p[..., None, :2] + turn(xp, size * self._unit(detail), p[..., 3])

    def parametric(self, detail: int) -> Parametric:
        """The outline, scaled by one size and turned."""
        return Parametric(self._unit(detail), (2, 2, 3))

    def points(self, detail: int) -> int:
        """Those of all contours, and of the bridges."""
        return len(self._unit(detail))

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random stamps; upright ones are tilted a little."""
        n = len(centre)
        angle = rng.normal(0, TILT, n) if self.upright else rng.random(n) * 2 * np.pi
        return np.column_stack([centre, size * rng.uniform(0.3, 1.0, n), angle]).astype(np.float32)

    @property
    def symbol(self) -> tuple[str, str]:
        """Its id in an SVG, and the path data, 1 unit large. An SVG holds it once."""
        lines = ["M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in contour.tolist()) for contour in self.contours]
        return f"stamp-{self.digest}", "Z".join(lines) + "Z"

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """A ``use`` of its symbol."""
        place = f"translate({number.length(p[0])} {number.length(p[1])})"
        angle, size = number.degrees(p[3]), number.length(at_least(np, p[2]))
        turned = f"rotate({angle})" if angle != "0" else ""
        return "use", {"href": f"#{self.symbol[0]}", "transform": f"{place}{turned}scale({size})"}


def _short(value: int) -> str:
    text = f"{value / GRID:.4f}".rstrip("0").rstrip(".")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text or "0"


def is_stamp(name: str) -> bool:
    """Whether a shape's name is that of a stamp, known or not."""
    return _NAME.fullmatch(name) is not None


def stamp(name: str) -> Stamp:
    """The stamp called ``name``.

    Raises:
        UsageError: none that is known here.
    """
    if name not in _KNOWN:
        raise UsageError(f"the outline of '{name}' is not known here", "Name its file: -k stamp:heart.svg")
    return _KNOWN[name]


def add(kind: Stamp) -> str:
    """Make a stamp known; its name."""
    _KNOWN.setdefault(kind.name, kind)
    return kind.name


def pack(kinds: Iterable[str]) -> dict[str, Any]:
    """The outlines of the stamps among ``kinds``, by name, as JSON values."""
    names = dict.fromkeys(map(base_of, kinds))
    return {name: stamp(name).to_plain() for name in names if is_stamp(name)}


def unpack(plain: Any) -> None:
    """Make the stamps known that ``pack`` wrote.

    Raises:
        ValueError: anything else; an outline that is not the one its name means.
    """
    if not isinstance(plain, Mapping) or len(plain) > 1000:
        raise ValueError("stamps")
    for name, entry in plain.items():
        if not is_stamp(name) or not isinstance(entry, Mapping) or not isinstance(entry.get("contours"), list):
            raise ValueError("a stamp")
        contours = [_contour(numbers) for numbers in entry["contours"]]
        if not 1 <= len(contours) <= MOST or sum(map(len, contours)) > 2 * POINTS:
            raise ValueError("the contours of a stamp")
        label = name.removeprefix("stamp:").rpartition("-")[0]
        if add(Stamp(label, contours, bool(entry.get("upright")))) != name:
            raise ValueError("a stamp of another outline")


def _contour(numbers: Any) -> np.ndarray:
    whole = isinstance(numbers, list) and all(type(n) is int and abs(n) <= GRID for n in numbers)
    if not whole or len(numbers) < 6 or len(numbers) % 2:
        raise ValueError("a contour")
    return np.array(numbers, np.int64).reshape(-1, 2)


def join(contours: Sequence[np.ndarray]) -> np.ndarray:
    """One closed polygon ``(v, 2)`` of several contours ``(k, 2)``, each bridged to what is joined already where they
    are nearest."""
    loop, left = contours[0], list(contours[1:])
    while left:
        distances = [((loop[:, None] - each[None]) ** 2).sum(-1) for each in left]
        nearest = int(np.argmin([distance.min() for distance in distances]))
        i, j = np.unravel_index(int(distances[nearest].argmin()), distances[nearest].shape)
        each = left.pop(nearest)
        round_trip = np.concatenate([each[j:], each[: j + 1]])
        loop = np.concatenate([loop[: i + 1], round_trip, loop[i:]])
    return loop


def thin(contours: Sequence[np.ndarray], most: int) -> list[np.ndarray]:
    """The contours with at most about ``most`` points together: again and again the corner goes that changes the area
    least (M. Visvalingam and J. D. Whyatt, 1993); then each contour is scaled about its middle to the area it had."""
    kept = [np.asarray(contour, np.float64) for contour in contours]
    areas = [area(contour) for contour in kept]
    while sum(map(len, kept)) > most:
        best: tuple[float, int, int] | None = None
        for c, contour in enumerate(kept):
            if len(contour) <= 4:
                continue
            before, after = np.roll(contour, 1, 0), np.roll(contour, -1, 0)
            cost = np.abs(_cross(contour - before, after - before))
            at = int(cost.argmin())
            if best is None or cost[at] < best[0]:
                best = float(cost[at]), c, at
        if best is None:
            break
        kept[best[1]] = np.delete(kept[best[1]], best[2], 0)
    out = []
    for contour, wanted in zip(kept, areas, strict=True):
        now, middle = area(contour), contour.mean(0)
        factor = (wanted / now) ** 0.5 if now * wanted > 0 else 1.0
        out.append(middle + (contour - middle) * min(factor, 1.2))
    return out


def area(contour: np.ndarray) -> float:
    """Signed area of a closed contour ``(k, 2)``."""
    return float(_cross(contour, np.roll(contour, -1, 0)).sum() / 2)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
