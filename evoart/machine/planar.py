"""Drawings taken apart for machines: faces of one colour that nowhere overlap, and lines; both in millimetres.

A plotter and a cutter know no transparency and nothing that lies under something else. So all outlines are cut where
they cross, and every face between them gets the one colour that is seen there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from evoart.draw.layout import layout
from evoart.draw.pen import PenDrawing
from evoart.draw.scene import Scene
from evoart.draw.shapes import shape
from evoart.draw.shapes.ramp import Ramp
from evoart.score.pixel import oklab
from evoart.sketch.svgfile import Painting

GRID = 1e-3  # mm: points are moved to a grid of a thousandth, on which crossings are exact
DETAIL = 128  # points of a closed curve
WHITE = (1.0, 1.0, 1.0)
HIDES = 0.95  # opacity from which on an area hides the lines under it
LINE, AREA = "line", "area"
_AVERAGED = 4  # times that the border of traced pixels is


@dataclass(frozen=True, eq=False)
class Item:
    """One thing that was painted, in paint order.

    Attributes:
        shape: a shapely polygon for an area, a line string for a line.
        rgba: straight sRGB and opacity in [0, 1].
        kind: ``area`` or ``line``.
    """

    shape: Any
    rgba: tuple[float, float, float, float]
    kind: str = AREA


@dataclass(frozen=True, eq=False)
class Planar:
    """Faces and lines of a drawing.

    Attributes:
        faces: polygons ``(n,)``, disjoint; edges that two share have the same points.
        colours: sRGB on white paper in [0, 1], ``(n, 3)``.
        opacity: in [0, 1], ``(n,)``: 0 where the drawing shows nothing at all.
        lines: line strings in the order drawn, without what is hidden, ``(m,)``.
        inks: their colours ``(m, 3)``.
    """

    faces: np.ndarray
    colours: np.ndarray
    opacity: np.ndarray
    lines: np.ndarray
    inks: np.ndarray


def scene_items(scene: Scene, scale: float, offset: tuple[float, float] = (0.0, 0.0), thin: float = 0.0) -> list[Item]:
    """The shapes of a scene at ``scale`` mm a unit; strokes not wider than ``thin`` mm are lines, others areas. One of
    two colours has their mean."""
    plan = layout(scene.kinds, DETAIL)
    points, widths = plan.outlines(np, scene.geometry.astype(np.float64), np.array([scale, scale]))
    points = points + np.asarray(offset)
    items = []
    for i, (first, last) in enumerate(pairwise(plan.start)):
        rgba, kind = scene.rgba[i], shape(scene.kinds[i])
        if isinstance(kind, Ramp):
            rgba = (rgba + scene.geometry[i, kind.first + 4 :][:4]) / 2
        r, g, b, a = (float(value) for value in rgba)
        if plan.filled[i]:
            items.append(Item(fill([points[first:last]]), (r, g, b, a)))
        elif widths[i] <= thin:
            items.append(Item(shapely.LineString(points[first:last]), (r, g, b, a), LINE))
        else:
            line = shapely.LineString(points[first:last])
            items.append(Item(line.buffer(widths[i] / 2, quad_segs=12), (r, g, b, a)))
    return items


def pen_items(drawing: PenDrawing, scale: float, offset: tuple[float, float] = (0.0, 0.0)) -> list[Item]:
    """The strokes of a pen drawing as lines at ``scale`` mm a unit, however wide they were; a dot is a short line."""
    items = []
    for stroke, rgb in zip(drawing.strokes, drawing.colours, strict=True):
        points = np.asarray(stroke, float) * scale + np.asarray(offset)
        if len(points) == 1:
            points = np.vstack([points, points + (0.05, 0.0)])
        r, g, b = (float(value) for value in rgb)
        items.append(Item(shapely.LineString(points), (r, g, b, 1.0), LINE))
    return items


def painting_items(painting: Painting, scale: float, offset: tuple[float, float] = (0.0, 0.0)) -> list[Item]:
    """What an SVG shows at ``scale`` mm a user unit: fills as areas, strokes as lines, however wide they are."""
    items = []
    for element in painting.elements:
        lines = [(line - painting.box[:2]) * scale + np.asarray(offset) for line in element.lines]
        if element.fill is not None:
            area = fill(lines, element.even_odd)
            if not area.is_empty:
                items.append(Item(area, element.fill))
        if element.stroke is not None:
            items += [Item(shapely.LineString(line), element.stroke, LINE) for line in lines if len(line) > 1]
    return items


def fill(rings: Sequence[np.ndarray], even_odd: bool = False) -> Any:
    """The area within closed rings ``(k, 2)``, by the nonzero rule or even-odd; rings may cross one another and
    themselves, and need not repeat their first point."""
    rings = [ring for ring in rings if len(ring) >= 3]
    if not rings:
        return shapely.Polygon()
    if len(rings) == 1 and (simple := shapely.Polygon(rings[0])).is_valid:
        return simple
    closed = [np.vstack([ring, ring[:1]]) for ring in rings]
    lines = shapely.unary_union([shapely.LineString(ring) for ring in closed], grid_size=GRID)
    faces = _polygons(lines)
    if not len(faces):
        return shapely.Polygon()
    turns = _winding(shapely.get_coordinates(shapely.point_on_surface(faces)), closed)
    return shapely.unary_union(faces[turns % 2 != 0 if even_odd else turns != 0])


def _winding(points: np.ndarray, rings: Sequence[np.ndarray]) -> np.ndarray:
    """How often the closed rings go around each of ``points (n, 2)``, ``(n,)`` integers."""
    a = np.concatenate([ring[:-1] for ring in rings])
    b = np.concatenate([ring[1:] for ring in rings])
    out = np.zeros(len(points), np.int64)
    for i, (x, y) in enumerate(points):
        side = (b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (x - a[:, 0]) * (b[:, 1] - a[:, 1])
        out[i] = ((a[:, 1] <= y) & (b[:, 1] > y) & (side > 0)).sum() - (
            (a[:, 1] > y) & (b[:, 1] <= y) & (side < 0)
        ).sum()
    return out


def _polygons(lines: Any) -> np.ndarray:
    """The faces between noded lines ``(n,)``."""
    return shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))


def overlay(
    items: Sequence[Item], frame: tuple[float, float, float, float], background: tuple[float, float, float] | None
) -> Planar:
    """What is seen of ``items`` within ``frame`` (x0, y0, x1, y1), composed over ``background`` (None: white paper)."""
    box = shapely.box(*frame)
    areas = [(i, item) for i, item in enumerate(items) if item.kind == AREA and item.rgba[3] > 0]
    shapes = np.array([item.shape for _, item in areas], object)
    edges = shapely.intersection(shapely.boundary(shapes), box) if len(shapes) else np.zeros(0, object)
    lines = shapely.unary_union([*edges, box.boundary], grid_size=GRID)
    faces = _polygons(lines)
    colours = np.tile(np.asarray(background or WHITE, float), (len(faces), 1))
    opacity = np.full(len(faces), 0.0 if background is None else 1.0)
    if len(shapes):
        inner = shapely.point_on_surface(faces)
        under, which = shapely.STRtree(inner).query(shapes, predicate="contains")
        for k in range(len(shapes)):
            seen = which[under == k]
            *rgb, alpha = areas[k][1].rgba
            colours[seen] += alpha * (np.asarray(rgb) - colours[seen])
            opacity[seen] += alpha * (1 - opacity[seen])
    return Planar(faces, colours, opacity, *_visible_lines(items, box))


def _visible_lines(items: Sequence[Item], box: Any) -> tuple[np.ndarray, np.ndarray]:
    """Lines within ``box`` without what later areas hide, and their colours on white."""
    hiding = [(i, item.shape) for i, item in enumerate(items) if item.kind == AREA and item.rgba[3] >= HIDES]
    tree = shapely.STRtree([shape for _, shape in hiding]) if hiding else None
    lines, inks = [], []
    for i, item in enumerate(items):
        if item.kind != LINE or item.rgba[3] <= 0:
            continue
        left = shapely.intersection(item.shape, box)
        if tree is not None:
            over = [hiding[k][1] for k in tree.query(item.shape, predicate="intersects") if hiding[k][0] > i]
            left = shapely.difference(left, shapely.unary_union(over)) if over else left
        *rgb, alpha = item.rgba
        ink = 1 + alpha * (np.asarray(rgb) - 1)
        for part in shapely.get_parts(left):
            if part.geom_type == "LineString" and part.length > 0:
                lines.append(part)
                inks.append(ink)
    out = np.empty(len(lines), object)
    out[:] = lines
    return out, np.array(inks, float).reshape(-1, 3)


def nearest_colours(colours: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Index of the one of ``known`` ``(m, 3)`` that is nearest in Oklab to each of ``colours`` ``(n, 3)``, all sRGB."""
    lab, wanted = oklab(np, np.asarray(known, float)), oklab(np, np.clip(colours, 0, 1))
    out = np.empty(len(wanted), np.int64)
    for first in range(0, len(wanted), 4096):
        out[first : first + 4096] = ((wanted[first : first + 4096, None] - lab) ** 2).sum(-1).argmin(1)
    return out


def trace(labels: np.ndarray, colours: np.ndarray, frame: tuple[float, float, float, float]) -> Planar:
    """Faces of a picture of few colours, with smooth borders.

    Args:
        labels: ``(h, w)`` index of every pixel's colour; -1 where it is transparent.
        colours: sRGB in [0, 1], ``(n, 3)``.
        frame: where the picture lies, x0, y0, x1, y1 in mm.
    """
    h, w = labels.shape
    padded = np.pad(labels, 1, constant_values=-2)
    ys, xs = np.nonzero(padded[1:-1, :-1] != padded[1:-1, 1:])  # between left and right
    upright = np.stack([np.stack([xs, ys], -1), np.stack([xs, ys + 1], -1)], 1)
    ys, xs = np.nonzero(padded[:-1, 1:-1] != padded[1:, 1:-1])
    level = np.stack([np.stack([xs, ys], -1), np.stack([xs + 1, ys], -1)], 1)
    borders: Any = shapely.linestrings(np.concatenate([upright, level]).astype(float))
    merged = shapely.line_merge(shapely.multilinestrings(borders))
    arcs = [_smooth(shapely.get_coordinates(arc), w, h) for arc in shapely.get_parts(merged)]
    scale = np.array([(frame[2] - frame[0]) / w, (frame[3] - frame[1]) / h])
    arcs = [shapely.LineString(arc * scale + frame[:2]) for arc in arcs if len(arc) > 1]
    faces = _polygons(shapely.unary_union(arcs, grid_size=GRID))
    centres = (shapely.get_coordinates(shapely.point_on_surface(faces)) - frame[:2]) / scale
    x, y = np.clip(centres.astype(int), 0, (w - 1, h - 1)).T
    found = labels[y, x]
    kept = found >= 0
    none = np.zeros(0, object)
    return Planar(faces[kept], colours[found[kept]], np.ones(int(kept.sum())), none, np.zeros((0, 3)))


def _smooth(points: np.ndarray, w: int, h: int) -> np.ndarray:
    """A border along pixels ``(k, 2)`` without its stairs: the middles of its steps, averaged with their neighbours.

    Ends stay where they are, for other borders meet there, and so do borders of the picture.
    """
    edge = (points == 0) | (points == (w, h))
    closed = bool((points[0] == points[-1]).all())
    if edge.any(1).all() or len(points) < 3 or (closed and edge.any()):
        return shapely.get_coordinates(shapely.simplify(shapely.LineString(points), 0.01))
    line = (points[:-1] + points[1:]) / 2
    for _ in range(_AVERAGED):
        if closed:
            line = (np.roll(line, 1, 0) + 2 * line + np.roll(line, -1, 0)) / 4
        else:
            around = np.vstack([points[:1], line, points[-1:]])
            line = (around[:-2] + 2 * line + around[2:]) / 4
    line = np.vstack([line, line[:1]]) if closed else np.vstack([points[:1], line, points[-1:]])
    return shapely.get_coordinates(shapely.simplify(shapely.LineString(line), 0.1))
