"""What contours fill, by the rules of SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


def fill_region(contours: Sequence[np.ndarray], even_odd: bool = False) -> BaseGeometry:
    """The region that closed contours ``(k, 2)`` fill, by the nonzero or the even-odd rule.

    The plane is cut along all edges, and each face is kept whose winding number the rule fills.
    """
    import shapely

    rings = [np.vstack([ring, ring[:1]]) for ring in contours if len(ring) >= 3 and np.ptp(ring, 0).min() > 0]
    if not rings:
        return shapely.Polygon()
    faces = shapely.get_parts(shapely.polygonize([shapely.unary_union([shapely.LineString(ring) for ring in rings])]))
    faces = faces[shapely.area(faces) > 0]
    inside = shapely.get_coordinates(shapely.point_on_surface(faces))
    winding = np.sum([_winding(ring, inside) for ring in rings], 0)
    kept = winding % 2 != 0 if even_odd else winding != 0
    return shapely.unary_union(faces[kept])


def _winding(ring: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How often a closed ring ``(k + 1, 2)`` runs around each of ``points`` ``(n, 2)``: ``(n,)``."""
    (x0, y0), (x1, y1) = ring[:-1].T[..., None], ring[1:].T[..., None]
    x, y = points.T
    side = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
    up, down = (y0 <= y) & (y1 > y) & (side > 0), (y0 > y) & (y1 <= y) & (side < 0)
    return up.sum(0) - down.sum(0)
