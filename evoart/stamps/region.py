"""From contours as files have them to the outline of a stamp: what is filled, in its middle, of few points."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from evoart.draw.filled import fill_region
from evoart.draw.shapes.stamp import GRID, MOST, POINTS, Stamp, area, thin
from evoart.errors import EvoartError

Contours = Sequence[np.ndarray]
MOST_READ = 20_000  # points of a file's contours
_SPECK = 1e-3  # contours of less area, as a share of the whole, are not seen
_SYMMETRIC = 0.97  # a stamp that covers so much of its mirror image needs none


def stamps_of(region: BaseGeometry, label: str, where: str, *, mirror: bool, upright: bool = False) -> list[Stamp]:
    """The stamp of a region and, where ``mirror`` and it looks different, its mirror image.

    Raises:
        EvoartError: the region has no area.
    """
    parts = [part for part in shapely.get_parts(region) if part.geom_type == "Polygon"]
    whole = sum(part.area for part in parts)
    if not whole > 0:
        raise EvoartError(
            f"{where} has nothing that is filled", "Give closed paths with an area; turn text and lines into paths"
        )
    rings = []
    for part in parts:
        oriented = shapely.geometry.polygon.orient(part)
        rings += [np.asarray(ring.coords)[:-1] for ring in (oriented.exterior, *oriented.interiors)]
    rings = [ring for ring in rings if abs(area(ring)) > _SPECK * whole]
    if len(rings) > MOST:
        raise EvoartError(f"{where} has {len(rings)} separate contours", f"{MOST} is the most of a stamp; simplify it")
    everything = np.concatenate(rings)
    low, high = everything.min(0), everything.max(0)
    middle, half = (low + high) / 2, (high - low).max() / 2
    contours = thin([(ring - middle) / half for ring in rings], POINTS)
    label = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:32].strip("-") or "shape"
    found = [Stamp(label, [_on_grid(ring) for ring in contours], upright)]
    if mirror and not _is_symmetric(contours):
        found.append(Stamp(label, [_on_grid(ring[::-1] * (-1, 1)) for ring in contours], upright))
    return found


def _on_grid(ring: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(ring * GRID), -GRID, GRID).astype(np.int64)


def _is_symmetric(contours: Contours) -> bool:
    """Whether the mirror image, turned by half a turn or not, covers the same."""
    shown = fill_region(contours)
    for sides in ((-1, 1), (1, -1)):
        other = fill_region([ring * sides for ring in contours])
        if shown.intersection(other).area > _SYMMETRIC * shown.union(other).area:
            return True
    return False
