"""Shapes of two scenes matched by optimal transport, and their parameters brought into agreement."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from evoart.draw.layout import layout
from evoart.draw.scene import Scene
from evoart.draw.shapes import shape
from evoart.draw.shapes.blob import Blob
from evoart.draw.shapes.polygon import FreePolygon, RegularPolygon
from evoart.draw.shapes.stamp import Stamp
from evoart.draw.shapes.stroke import Stroke, stroke_width

MOST = 2_000  # shapes that are matched at once: the time grows with their cube
CORNERS = 24  # of the polygons that shapes of two kinds become on their way
CURVE, POLYGON = "cubic", f"polygon:{CORNERS}"
# What one unit of cost is: a place this far off, a size e to this power larger, a colour this different, this much of
# the list of layers.
_PLACE, _SIZE, _COLOUR, _OPACITY, _LAYER = 0.2, 0.7, 0.3, 0.6, 0.5


def describe(scene: Scene) -> np.ndarray:
    """What shapes are matched by, ``(k, 8)``: x, y, log size, red, green, blue, opacity and layer, each in units of its
    cost. The size is the root mean square distance of the outline to its middle."""
    count = len(scene.kinds)
    plan = layout(scene.kinds, CORNERS)
    points, widths = plan.outlines(np, scene.geometry.astype(np.float64), np.ones(2))
    owner = np.repeat(np.arange(count), np.diff(plan.start))
    each = np.maximum(np.diff(plan.start), 1)[:, None]
    middle = np.zeros((count, 2))
    np.add.at(middle, owner, points)
    middle /= each
    square = np.zeros(count)
    np.add.at(square, owner, ((points - middle[owner]) ** 2).sum(1))
    size = np.sqrt(square / each[:, 0] + (widths / 2) ** 2)
    layer = (np.arange(count) + 0.5) / max(count, 1)
    rgba = scene.rgba.astype(np.float64) / ([_COLOUR] * 3 + [_OPACITY])
    return np.column_stack([middle / _PLACE, np.log(np.maximum(size, 1e-4)) / _SIZE, rgba, layer / _LAYER])


def transport(a: np.ndarray, b: np.ndarray) -> list[tuple[int, int]]:
    """min(n, m) pairs of rows of ``a`` ``(n, d)`` and ``b`` ``(m, d)``, each row once at most: those with the least sum
    of squared distances (the optimal transport of equal weights).

    Beyond ``MOST`` rows, those of like size (column 2) are matched among themselves.
    """
    from scipy.optimize import linear_sum_assignment

    if not (len(a) and len(b)):
        return []
    parts = -(-max(len(a), len(b)) // MOST)
    blocks = [np.array_split(np.argsort(-rows[:, 2], kind="stable"), parts) for rows in (a, b)]
    pairs: list[tuple[int, int]] = []
    for rows, columns in zip(*blocks, strict=True):
        cost = ((a[rows][:, None] - b[columns][None]) ** 2).sum(-1)
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            pairs.append((int(rows[i]), int(columns[j])))
    return sorted(pairs)


def pair_shapes(first: Scene, last: Scene) -> list[tuple[int, int]]:
    """Pairs of shapes of two scenes, each shape once at most: matched within their kind first, then what is filled with
    what is filled and strokes with strokes, then whatever is left. Stamps have no partner but of their own outline."""
    a, b = describe(first), describe(last)
    free = [set(range(len(first.kinds))), set(range(len(last.kinds)))]
    pairs: list[tuple[int, int]] = []

    def match(here: Iterable[int], there: Iterable[int]) -> None:
        rows, columns = sorted(here), sorted(there)
        found = [(rows[i], columns[j]) for i, j in transport(a[rows], b[columns])]
        pairs.extend(found)
        free[0].difference_update(i for i, _ in found)
        free[1].difference_update(j for _, j in found)

    def class_of(of: str) -> str:
        kind = shape(of)
        return of if isinstance(kind, Stamp) else "filled" if kind.filled else "stroke"

    def any_of(of: str) -> str:
        return of if isinstance(shape(of), Stamp) else "any"

    for name in (str, class_of, any_of):
        groups = [
            {key: [i for i in left if name(scene.kinds[i]) == key] for key in {name(scene.kinds[i]) for i in left}}
            for scene, left in zip((first, last), free, strict=True)
        ]
        for key in sorted(groups[0].keys() & groups[1].keys()):
            match(groups[0][key], groups[1][key])
    return sorted(pairs)


def agree(kind: str, p: np.ndarray, other: str, q: np.ndarray) -> tuple[str, np.ndarray, np.ndarray]:
    """A kind that shows both shapes, and the parameters of both, so that each number has the same meaning in both.

    One shape has several sets of parameters: a polygon may begin at any corner, an ellipse may be turned by half a
    circle. The second's are those that lie nearest to the first's.
    """
    if kind != other:
        kind, p, q = _common(kind, p, other, q)
    what = shape(kind)
    p, q = p.astype(np.float64).copy(), q.astype(np.float64).copy()
    if isinstance(what, FreePolygon | Blob):
        return kind, p, _nearest(p, _turned(q.reshape(-1, 2)))
    if isinstance(what, Stroke):
        back = q[:-1].reshape(-1, 2)[::-1].ravel()
        return kind, p, _nearest(p, [q, np.append(back, q[-1])])
    roles = [parameter.role for parameter in what.parameters]
    for i, role in enumerate(roles):
        if role == "length":
            p[i], q[i] = abs(p[i]), abs(q[i])
    if "angle" not in roles:
        return kind, p, q
    at, sizes = roles.index("angle"), [i for i, role in enumerate(roles) if role == "length"]
    candidates = [(q, 2 * np.pi)]
    if isinstance(what, RegularPolygon):
        candidates = [(q, 2 * np.pi / what.corners)]
    elif len(sizes) == 2:  # an ellipse or a rectangle: half a turn is none, and a quarter swaps its sides
        swapped = q.copy()
        swapped[sizes] = q[sizes[::-1]]
        swapped[at] += np.pi / 2
        candidates = [(q, np.pi), (swapped, np.pi)]
    near = []
    for candidate, period in candidates:
        candidate = candidate.copy()
        candidate[at] -= period * np.round((candidate[at] - p[at]) / period)
        near.append(candidate)
    scale = np.ones(len(p))
    scale[at] = max(float(p[sizes].mean()), 1e-6)  # of what is turned, the ends go this far
    return kind, p, _nearest(p * scale, [candidate * scale for candidate in near]) / scale


def _nearest(p: np.ndarray, candidates: list[np.ndarray]) -> np.ndarray:
    return candidates[int(np.argmin([((candidate - p) ** 2).sum() for candidate in candidates]))]


def _turned(points: np.ndarray) -> list[np.ndarray]:
    """A closed outline from each of its corners on, both ways around."""
    return [np.roll(way, -i, 0).ravel() for way in (points, points[::-1]) for i in range(len(points))]


def _common(kind: str, p: np.ndarray, other: str, q: np.ndarray) -> tuple[str, np.ndarray, np.ndarray]:
    if not shape(kind).filled and not shape(other).filled:
        return CURVE, _cubic(p), _cubic(q)
    return POLYGON, _polygon(kind, p), _polygon(other, q)


def _cubic(p: np.ndarray) -> np.ndarray:
    """The stroke ``p`` as a cubic: the same curve of a higher degree, exactly."""
    controls = p[:-1].reshape(-1, 2).astype(np.float64)
    while len(controls) < 4:
        n = len(controls)
        share = (np.arange(1, n) / n)[:, None]
        controls = np.concatenate([controls[:1], share * controls[:-1] + (1 - share) * controls[1:], controls[-1:]])
    return np.append(controls.ravel(), p[-1])


def _polygon(kind: str, p: np.ndarray) -> np.ndarray:
    """The outline of ``p`` as a polygon of ``CORNERS`` corners, its own among them where it has no more."""
    outline = np.asarray(shape(kind).outline(np, p.astype(np.float64), CORNERS), np.float64)
    if not shape(kind).filled:  # around the stroke, with its round ends
        import shapely

        around = shapely.LineString(outline).buffer(float(stroke_width(np, p)) / 2, quad_segs=6)
        outline = np.asarray(around.exterior.coords, np.float64)[:-1]
    sides = np.hypot(*(np.roll(outline, -1, 0) - outline).T)
    if len(outline) > CORNERS:
        way = np.concatenate([[0.0], np.cumsum(sides)])
        closed = np.concatenate([outline, outline[:1]])
        at = np.arange(CORNERS) / CORNERS * way[-1]
        return np.column_stack([np.interp(at, way, closed[:, axis]) for axis in range(2)]).ravel()
    pieces = np.ones(len(outline), int)
    for _ in range(CORNERS - len(outline)):
        pieces[int(np.argmax(sides / pieces))] += 1
    corners = [
        start + (end - start) * step / count
        for start, end, count in zip(outline, np.roll(outline, -1, 0), pieces, strict=True)
        for step in range(count)
    ]
    return np.concatenate(corners)
