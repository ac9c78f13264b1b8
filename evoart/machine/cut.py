"""Sheets to be cut: one colour each, without overlaps, gaps, crumbs and threads that no blade can follow."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from evoart.machine.planar import GRID, Planar, nearest_colours
from evoart.score.pixel import oklab

ROUNDS = 2  # of taking crumbs away: those that come of the first go in the second
NECK = 0.4  # what is narrower than this share of the smallest piece is taken away too
TOLERANCE = 0.15  # of the smallest piece: an outline loses points that bound triangles less than the square of this
SHOWN = 0.5  # opacity from which on a face is something
APART, STACK = "apart", "stack"
LAYERS = (APART, STACK)


@dataclass(frozen=True)
class Material:
    """What is cut.

    Attributes:
        smallest: side of the smallest square that can be handled, in mm.
        trap: how far a lighter sheet reaches under a darker one, in mm.
        outlined: outlines alone are drawn, as hairlines; else areas are filled.
    """

    smallest: float
    trap: float
    outlined: bool = False


MATERIALS = {
    "vinyl": Material(3.0, 0.2),
    "paper": Material(4.0, 0.0),
    "laser": Material(3.0, 0.0, outlined=True),
    "screen": Material(1.0, 0.3),
}


@dataclass(frozen=True, eq=False)
class Sheet:
    """One colour: ``rgb`` sRGB in [0, 1], and what is cut of it, a polygon or several, in mm."""

    rgb: tuple[float, float, float]
    area: Any

    @property
    def pieces(self) -> int:
        """How many it falls into."""
        return len(shapely.get_parts(self.area))


def sheets(planar: Planar, palette: Sequence[tuple[float, float, float]], smallest: float) -> list[Sheet]:
    """The areas of each colour of ``palette``, darkest first, which together cover what the drawing covers, once.

    Every face takes the nearest colour in Oklab. Pieces smaller than a square of ``smallest`` mm, and what is narrower
    than two fifths of that, go to the neighbour with which they share most of their border; colours of which nothing is
    left are left out.
    """
    labels = nearest_colours(planar.colours, np.array(palette))
    labels[planar.opacity < SHOWN] = len(palette)  # the last is nothing at all
    areas = [_union(planar.faces[labels == k]) for k in range(len(palette) + 1)]
    for _ in range(ROUNDS):
        areas = _without_crumbs(areas, smallest)
    filled = [k for k, area in enumerate(areas) if not area.is_empty]
    simple = shapely.coverage_simplify(
        np.array([areas[k] for k in filled], object), TOLERANCE * smallest, simplify_boundary=False
    )
    found = [Sheet(palette[k], area) for k, area in zip(filled, simple, strict=True) if k < len(palette)]
    return sorted(found, key=lambda sheet: float(oklab(np, np.array(sheet.rgb))[0]))


def _union(areas: Any) -> Any:
    return shapely.unary_union(areas, grid_size=GRID) if len(areas) else shapely.Polygon()


def _without_crumbs(areas: list[Any], smallest: float) -> list[Any]:
    """Areas whose crumbs and narrow ends have gone to their neighbours; they cover what they covered, once."""
    reach = NECK * smallest / 2
    solid = [shapely.get_parts(area.buffer(-reach).buffer(reach, quad_segs=6)) for area in areas]
    solid = [parts[shapely.area(parts) >= smallest**2] for parts in solid]
    lines = [shapely.boundary(area) for some in (areas, *solid) for area in some]
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.unary_union(lines, grid_size=GRID))))
    inner = shapely.point_on_surface(faces)
    inside = np.zeros(len(faces), bool)
    inside[shapely.STRtree(inner).query(areas, predicate="contains")[1]] = True
    faces, inner = faces[inside], inner[inside]
    owner = np.full(len(faces), -1)
    tree = shapely.STRtree(inner)
    for k, parts in enumerate(solid):
        owner[tree.query(parts, predicate="contains")[1]] = k
    _give_away(faces, owner)
    if (owner < 0).any():  # nothing is large enough to be kept: then everything is
        for k in range(len(areas)):
            mine = tree.query(areas[k], predicate="contains")
            owner[mine[owner[mine] < 0]] = k
    return [
        shapely.coverage_union_all(faces[owner == k]) if (owner == k).any() else shapely.Polygon()
        for k in range(len(areas))
    ]


def _give_away(faces: np.ndarray, owner: np.ndarray) -> None:
    """Give every face whose ``owner`` is -1 to the one that has most of its border, in place; first those that are
    most surely somebody's."""
    first, second, length = _borders(faces)
    near: dict[int, list[tuple[int, float]]] = {}
    for i, j, shared in zip(first.tolist(), second.tolist(), length.tolist(), strict=True):
        near.setdefault(i, []).append((j, shared))
        near.setdefault(j, []).append((i, shared))

    def claim(i: int) -> tuple[float, int]:
        shares: dict[int, float] = {}
        for j, shared in near.get(i, []):
            if owner[j] >= 0:
                shares[int(owner[j])] = shares.get(int(owner[j]), 0.0) + shared
        return max(((shared, -k) for k, shared in shares.items()), default=(0.0, 1))

    heap = [(-claim(i)[0], i) for i in np.flatnonzero(owner < 0).tolist()]
    heapq.heapify(heap)
    while heap:
        said, i = heapq.heappop(heap)
        shared, k = claim(i)
        if owner[i] >= 0 or shared <= 0:
            continue
        if -said < shared:  # a neighbour has found its owner since
            heapq.heappush(heap, (-shared, i))
            continue
        owner[i] = -k
        for j, _ in near.get(i, []):
            if owner[j] < 0:
                heapq.heappush(heap, (-claim(j)[0], j))


def _borders(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of faces that share edges, and the length of each of these edges."""
    rings, of = shapely.get_rings(faces, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    a, b, face = points[:-1][same], points[1:][same], of[ring[1:][same]]
    swap = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    a[swap], b[swap] = b[swap].copy(), a[swap].copy()
    edges = np.hstack([a, b])
    order = np.lexsort(edges.T)
    edges, face = edges[order], face[order]
    twice = np.flatnonzero((edges[1:] == edges[:-1]).all(1))
    return face[twice], face[twice + 1], np.hypot(*(edges[twice, 2:] - edges[twice, :2]).T)


def trapped(found: Sequence[Sheet], trap: float) -> list[Sheet]:
    """Sheets, lightest first, each reaching ``trap`` mm under the darker ones next to it, which lie on top."""
    ordered = list(reversed(found))
    out = []
    for i, sheet in enumerate(ordered):
        area = sheet.area
        if trap > 0 and i + 1 < len(ordered):
            darker = _union([other.area for other in ordered[i + 1 :]])
            area = _union([area, shapely.intersection(area.buffer(trap, quad_segs=3), darker)])
        out.append(Sheet(sheet.rgb, area))
    return out


def stacked(found: Sequence[Sheet]) -> list[Sheet]:
    """Sheets for a relief, the lowest first: the darkest is whole, and on each lies what is lighter."""
    return [Sheet(sheet.rgb, _union([other.area for other in found[i:]])) for i, sheet in enumerate(found)]
