"""From a field of distances to outlines: contours of quadratic Bézier curves, with corners where a letter has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evoart.glyph.letters import PIXEL, positions

SIDE = 144  # pixels a side on which contours are followed
GRID = 1000  # points of a curve lie on a grid of so many to a cap height
_NEAR = 0.006  # cap heights that a curve may be off its contour, and a line
_CORNER = np.cos(np.radians(38))  # of the angle between the two sides of a corner
_ARM = 0.045  # cap heights on each side by which a corner is told
_CUT = 0.03  # on each side of a corner that is not believed, for fields are round there
_FAR = 0.06  # that a corner may move when it is made sharp
_SPECK = 0.001  # square cap heights: smaller contours are noise
_DEEPEST = 12  # halvings of a curve
_SURE = 2.5  # see ``level_of``; steeper than in training, where the edge of a thin stroke is blurred
_THICKER = 0.8  # pixels of a square of 48


@dataclass(frozen=True, eq=False)
class Outline:
    """A letter as curves.

    Attributes:
        contours: of each contour its quadratic curves ``(k, 2, 2)``: control point and end; it begins where it ends.
            Cap heights, y up, outer contours clockwise and holes the other way, as TrueType has them.
        left, right: space before and after its box; the box's middle is at x = 0.
    """

    contours: tuple[np.ndarray, ...]
    left: float
    right: float

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest point of the contours, about: of their points."""
        points = np.concatenate([np.zeros((0, 2)), *(each.reshape(-1, 2) for each in self.contours)])
        if not len(points):
            return np.zeros(2), np.zeros(2)
        return points.min(0), points.max(0)

    @property
    def advance(self) -> float:
        """From its origin to that of the next letter."""
        low, high = self.box
        return float(max(self.left + high[0] - low[0] + self.right, 0.05))


def level_of(field: np.ndarray) -> float:
    """The distance at which as much of a field ``(side, side)`` lies inside as its pixels' odds say, 0 at most.

    Where a model is not sure of the place of a thin stroke, its distances are a little below 0 all over it, and the
    stroke would be lost; of sure ones the level is 0. No stroke is made thicker than by ``_THICKER`` on each side.
    """
    inked = 1 / (1 + np.exp(-_SURE * field))
    level = np.sort(field, axis=None)[::-1][min(round(float(inked.sum())), field.size - 1)]
    return float(np.clip(level, -_THICKER, 0.0))


def trace(field: np.ndarray, left: float = 0.0, right: float = 0.0, level: float = 0.0) -> Outline:
    """The outline where a field of distances ``(side, side)`` is ``level``, its middle moved to x = 0."""
    import contourpy

    x, y = positions(len(field))
    padded = np.pad(field, 1, constant_values=-1.0)  # so that all contours are closed
    step = x[1] - x[0]
    generator: Any = contourpy.contour_generator(
        x=np.concatenate([[x[0] - step], x, [x[-1] + step]]),
        y=np.concatenate([[y[0] + step], y, [y[-1] - step]]),
        z=padded,
    )
    rings = [np.asarray(line)[:-1] for line in generator.lines(level)]
    rings = [ring for ring in rings if len(ring) > 3 and abs(area(ring)) > _SPECK]
    if not rings:
        return Outline((), left, right)
    if area(max(rings, key=lambda ring: abs(area(ring)))) > 0:  # the largest is an outer one
        rings = [ring[::-1] for ring in rings]
    points = np.concatenate(rings)
    middle = (points[:, 0].min() + points[:, 0].max()) / 2
    contours = [np.round(fit(ring - (middle, 0)) * GRID) / GRID for ring in rings]
    return Outline(tuple(each for each in map(clean, contours) if len(each) > 1), left, right)


def area(ring: np.ndarray) -> float:
    """Signed area of a polygon ``(k, 2)``, positive where it runs anticlockwise with y up."""
    x, y = ring.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def clean(curves: np.ndarray) -> np.ndarray:
    """The same contour without curves that go nowhere."""
    starts = np.roll(curves[:, 1], 1, 0)
    return curves[(curves[:, 1] != starts).any(1)]


def fit(ring: np.ndarray) -> np.ndarray:
    """Quadratic curves ``(k, 2, 2)`` along a closed polygon ``(n, 2)``, no farther from it than ``_NEAR``."""
    ring, corners = sharpen(resample(ring, PIXEL / 4))
    if not len(corners):
        corners = np.array([int(np.argmax(ring[:, 1]))])  # somewhere
        smooth = True
    else:
        smooth = False
    curves: list[tuple[np.ndarray, np.ndarray]] = []
    count = len(ring)
    for first, last in zip(corners, np.append(corners[1:], corners[0] + count), strict=True):
        part = ring[np.arange(first, last + 1) % count]
        if smooth:
            around = ring[(first + 2) % count] - ring[(first - 2) % count]
            ends = unit(around), unit(around)
        else:
            ends = None
        follow(part, ends, curves)
    return np.array(curves).reshape(-1, 2, 2)


def resample(ring: np.ndarray, step: float) -> np.ndarray:
    """A closed polygon with points at even distances of about ``step``, slightly smoothed."""
    closed = np.vstack([ring, ring[:1]])
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    count = max(12, round(lengths[-1] / step))
    at = np.arange(count) * (lengths[-1] / count)
    return np.stack([np.interp(at, lengths, closed[:, k]) for k in range(2)], 1)


def sharpen(ring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The polygon with its corners made sharp, and their indices, ascending.

    A field rounds its corners off. Each is put where the lines meet that its two sides lie on a little farther away.
    """
    count = len(ring)
    step = float(np.linalg.norm(np.roll(ring, -1, 0) - ring, axis=1).mean())
    arm, cut = max(2, round(_ARM / step)), max(1, round(_CUT / step))
    if count < 4 * (arm + cut):
        return ring, np.zeros(0, int)
    before, after = ring - np.roll(ring, arm, 0), np.roll(ring, -arm, 0) - ring
    cosine = (before * after).sum(1) / np.maximum(np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1), 1e-12)
    found: list[int] = []
    for index in np.argsort(cosine, kind="stable"):
        if cosine[index] > _CORNER:
            break
        if all(min((index - other) % count, (other - index) % count) > arm for other in found):
            found.append(int(index))
    keep = np.ones(count, bool)
    moved: dict[int, np.ndarray] = {}
    for index in found:
        sides = [ring[(index + sign * np.arange(cut, cut + arm)) % count] for sign in (-1, 1)]
        point = meet(sides[0][0], sides[0][0] - sides[0][-1], sides[1][0], sides[1][0] - sides[1][-1])
        if point is None or np.linalg.norm(point - ring[index]) > _FAR:
            point = ring[index]
            near = 1
        else:
            near = cut
        moved[index] = point
        keep[(index + np.arange(-near + 1, near)) % count] = False
    for index, point in moved.items():
        keep[index] = True
        ring = ring.copy()
        ring[index] = point
    corners = np.zeros(count, bool)
    corners[found] = True
    return ring[keep], np.flatnonzero(corners[keep])


def meet(a: np.ndarray, u: np.ndarray, b: np.ndarray, v: np.ndarray) -> np.ndarray | None:
    """Where rays from ``a`` along ``u`` and from ``b`` along ``v`` meet; None where they do not."""
    across = u[0] * v[1] - u[1] * v[0]
    if abs(across) < 0.05 * np.linalg.norm(u) * np.linalg.norm(v):
        return None
    d = b - a
    s, t = (d[0] * v[1] - d[1] * v[0]) / across, (d[0] * u[1] - d[1] * u[0]) / across
    return a + s * u if s > 0 and t > 0 else None


def unit(vector: np.ndarray) -> np.ndarray:
    """A vector ``(2,)`` of length 1; as it is where it has none."""
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def follow(points: np.ndarray, ends: tuple[np.ndarray, np.ndarray] | None, curves: list, depth: int = 0) -> None:
    """Append curves along ``points`` ``(n, 2)`` to ``curves``; ``ends``: directions at the first and the last point,
    None: those of the points next to them."""
    first, last = points[0], points[-1]
    chord = last - first
    length = float(np.linalg.norm(chord))
    off = np.abs((points - first) @ (np.array([-chord[1], chord[0]]) / max(length, 1e-12)))
    if len(points) < 3 or (length > 0 and off.max() < _NEAR):
        curves.append(((first + last) / 2, last))
        return
    span = min(3, len(points) - 1)
    u, v = ends if ends is not None else (unit(points[span] - first), unit(last - points[-1 - span]))
    control = meet(first, u, last, -v)
    if control is not None and u @ v > -0.2:
        t = np.linspace(0, 1, 17)[1:-1, None]
        curve = (1 - t) ** 2 * first + 2 * t * (1 - t) * control + t**2 * last
        far = np.linalg.norm(points[:, None] - np.vstack([first, curve, last])[None], axis=2).min(1)
        if far.max() < _NEAR + length / 40 and distance(points, np.vstack([first, curve, last])) < _NEAR:
            curves.append((control, last))
            return
    if depth >= _DEEPEST or len(points) < 5:
        curves.append(((first + last) / 2, last))
        return
    at = int(np.clip(np.argmax(off), len(points) // 5 + 1, len(points) - len(points) // 5 - 2))
    reach = max(1, min(3, at, len(points) - 1 - at))
    middle = unit(points[at + reach] - points[at - reach])
    follow(points[: at + 1], (u, middle), curves, depth + 1)
    follow(points[at:], (middle, v), curves, depth + 1)


def distance(points: np.ndarray, line: np.ndarray) -> float:
    """The largest distance of ``points`` ``(n, 2)`` from an open polygon ``(k, 2)``."""
    a, d = line[:-1], np.diff(line, axis=0)
    share = ((points[:, None] - a) * d).sum(2) / np.maximum((d**2).sum(1), 1e-18)
    near = a + np.clip(share, 0, 1)[..., None] * d
    return float(np.linalg.norm(points[:, None] - near, axis=2).min(1).max())


def flatten(curves: np.ndarray, pieces: int = 8) -> np.ndarray:
    """The polygon ``(k * pieces, 2)`` of a contour; curves that are lines give one point."""
    start = np.roll(curves[:, 1], 1, 0)
    t = (np.arange(pieces) + 1)[:, None] / pieces
    points = []
    for a, (b, c) in zip(start, curves, strict=True):
        if is_line(a, b, c):
            points.append(c[None])
        else:
            points.append((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c)
    return np.concatenate(points)


def is_line(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> bool:
    """Whether a curve from ``a`` by ``b`` to ``c`` is one, as far as it can be seen."""
    (x, y), (u, v) = b - a, c - a
    return abs(x * v - y * u) <= 1e-3 * (u * u + v * v) and -1e-9 <= x * u + y * v <= u * u + v * v
