"""Any SVG as strokes: paths, lines, polylines, shapes, groups, transforms, ``use``; nothing else of it.

svgelements reads path data and transforms; walking the document is done here, within bounds: a picture from a stranger
may hold entities that expand for ever, references in circles, or millions of paths.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

import numpy as np

from evoart.errors import EvoartError
from evoart.sketch.strokes import Polylines, bounds

LARGEST = 64 << 20  # bytes
ELEMENTS, DEPTH, POINTS = 200_000, 200, 1_000_000
USES = 8  # references that lead on to references
_SILENT = {"defs", "symbol", "clipPath", "mask", "marker", "pattern", "metadata", "title", "desc", "style", "text"}
_SHAPES = {"path", "line", "polyline", "polygon", "rect", "circle", "ellipse"}
_HREF = ("href", "{http://www.w3.org/1999/xlink}href")


@dataclass(frozen=True)
class Page:
    """What a pen would draw of an SVG: strokes in the order of the document, and the page ``(x, y, width, height)``,
    both in the user units of its outermost element."""

    strokes: Polylines
    box: tuple[float, float, float, float]


def read_svg(data: bytes, where: str) -> Page:
    """The strokes of an SVG document.

    Raises:
        EvoartError: no SVG, with entities, without a path, or more than a pen could ever draw.
    """
    if len(data) > LARGEST:
        raise EvoartError(f"'{where}' has {len(data) >> 20} MiB", f"{LARGEST >> 20} MiB is the most for a drawing")
    _check(data, where)
    root = ElementTree.fromstring(data)
    if _tag(root) != "svg":
        raise EvoartError(f"'{where}' is XML, but no SVG", "Give an SVG with paths")
    walk = _Walk(root, where)
    strokes = list(walk.strokes())
    if not strokes:
        raise EvoartError(f"'{where}' has no paths", "Text and bitmaps must be turned into paths first")
    return Page(strokes, walk.box or _around(strokes))


def _check(data: bytes, where: str) -> None:
    """A first look at the document, which costs nothing whatever is in it."""
    parser = expat.ParserCreate()
    counts = {"elements": 0, "depth": 0}

    def start(name: str, attributes: Any) -> None:
        counts["elements"] += 1
        counts["depth"] += 1
        if counts["elements"] > ELEMENTS or counts["depth"] > DEPTH:
            raise EvoartError(
                f"'{where}' has more than {ELEMENTS:,} elements, or they lie more than {DEPTH} deep",
                "Simplify it, or take it apart",
            )

    def end(name: str) -> None:
        counts["depth"] -= 1

    def entity(*declared: Any) -> None:
        raise EvoartError(f"'{where}' declares XML entities", "Save it as plain SVG")

    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = start, end, entity
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise EvoartError(f"'{where}' is no SVG ({error})", "Is it whole?") from None


class _Walk:
    """One pass through a document, counting points."""

    def __init__(self, root: ElementTree.Element, where: str) -> None:
        from svgelements import Matrix

        self.root, self.where, self.points = root, where, 0
        self.ids = {element.get("id"): element for element in root.iter() if element.get("id")}
        self.identity = Matrix()
        self.box = _view_box(root)

    def strokes(self) -> Iterator[np.ndarray]:
        yield from self._element(self.root, self.identity, 0)

    def _element(self, element: ElementTree.Element, matrix: Any, uses: int) -> Iterator[np.ndarray]:
        from svgelements import Matrix

        tag = _tag(element)
        if tag in _SILENT or _hidden(element):
            return
        if element.get("transform"):
            try:
                matrix = Matrix(element.get("transform")) * matrix
            except Exception as error:  # svgelements says a transform is wrong in many ways
                raise EvoartError(f"'{self.where}' has a broken transform ({error})", "Mend or remove it") from None
        if tag in _SHAPES:
            yield from self._shape(tag, element, matrix)
        elif tag == "use":
            yield from self._use(element, matrix, uses)
        else:
            for child in element:
                yield from self._element(child, matrix, uses)

    def _use(self, element: ElementTree.Element, matrix: Any, uses: int) -> Iterator[np.ndarray]:
        from svgelements import Matrix

        name = next((element.get(key) for key in _HREF if element.get(key)), "")
        target = self.ids.get(name.removeprefix("#"))
        if target is None or uses >= USES:
            return
        self._count(1)  # so that a few references to references are not millions
        moved = Matrix.translate(_number(element, "x"), _number(element, "y")) * matrix
        if _tag(target) in ("symbol", "svg"):
            for child in target:
                yield from self._element(child, moved, uses + 1)
        else:
            yield from self._element(target, moved, uses + 1)

    def _shape(self, tag: str, element: ElementTree.Element, matrix: Any) -> Iterator[np.ndarray]:
        if tag == "rect" and self._is_ground(element):
            return
        try:
            lines = _lines(abs(_path(tag, element) * matrix))
            for line in lines:
                self._count(len(line))
                if np.isfinite(line).all():
                    yield line
        except EvoartError:
            raise
        except Exception as error:  # as above, of path data
            said = str(error)[:100] or type(error).__name__
            raise EvoartError(f"'{self.where}' has a broken {tag} ({said})", "Mend or remove it") from None

    def _is_ground(self, element: ElementTree.Element) -> bool:
        """A rectangle over the whole page, without an outline, is paper and not drawn."""
        stroke = element.get("stroke") or _style(element).get("stroke") or "none"
        if stroke != "none" or self.box is None:
            return False
        size = [element.get("width", ""), element.get("height", "")]
        return all(
            text.strip() == "100%" or abs(_float(text) - extent) <= 0.01 * extent
            for text, extent in zip(size, self.box[2:], strict=True)
        )

    def _count(self, points: int) -> None:
        self.points += points
        if self.points > POINTS:
            raise EvoartError(f"'{self.where}' has more than {POINTS:,} points", "Simplify it, or take it apart")


def _path(tag: str, element: ElementTree.Element) -> Any:
    """The element as a path of svgelements."""
    import svgelements

    if tag == "path":
        return svgelements.Path(element.get("d", ""))
    n = {key: _number(element, key) for key in ("x1", "y1", "x2", "y2", "x", "y", "cx", "cy", "r", "rx", "ry")}
    if tag == "line":
        return svgelements.Path(f"M{n['x1']},{n['y1']}L{n['x2']},{n['y2']}")
    if tag in ("polyline", "polygon"):
        kind = svgelements.Polyline if tag == "polyline" else svgelements.Polygon
        return svgelements.Path(kind(element.get("points", "")))
    if tag == "rect":
        size = _number(element, "width"), _number(element, "height")
        return svgelements.Path(svgelements.Rect(n["x"], n["y"], *size, n["rx"] or n["ry"], n["ry"] or n["rx"]))
    rx, ry = (n["r"], n["r"]) if tag == "circle" else (n["rx"], n["ry"])
    return svgelements.Path(svgelements.Ellipse(n["cx"], n["cy"], rx, ry)) if rx and ry else svgelements.Path()


def _lines(path: Any) -> Iterator[np.ndarray]:
    """Polylines ``(k, 2)`` of a path, one per subpath; curves get points by the square root of their length."""
    import svgelements

    box = path.bbox()
    extent = max(box[2] - box[0], box[3] - box[1], 1e-9) if box else 1.0
    points: list[tuple[float, float]] = []
    for segment in path:
        if isinstance(segment, svgelements.Move):
            if points:
                yield np.array(points)
            points = [(segment.end.x, segment.end.y)]
        elif segment.end is None:
            continue
        elif isinstance(segment, svgelements.Line | svgelements.Close):
            points.append((segment.end.x, segment.end.y))
        else:
            reach = segment.bbox()
            share = max(reach[2] - reach[0], reach[3] - reach[1]) / extent
            count = int(np.clip(np.ceil(32 * math.sqrt(share)), 4, 64))
            points += [(p.x, p.y) for p in (segment.point(t) for t in np.linspace(0, 1, count + 1)[1:])]
    if points:
        yield np.array(points)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _style(element: ElementTree.Element) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    return {name.strip(): value.strip() for name, value in pairs}


def _hidden(element: ElementTree.Element) -> bool:
    style = _style(element)
    display = style.get("display", element.get("display"))
    return display == "none" or style.get("visibility", element.get("visibility")) in ("hidden", "collapse")


def _float(text: str | None) -> float:
    match = re.match(r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)", text or "")
    try:
        return float(match[1]) if match else 0.0
    except ValueError:
        return 0.0


def _number(element: ElementTree.Element, name: str) -> float:
    return _float(element.get(name))


def _view_box(root: ElementTree.Element) -> tuple[float, float, float, float] | None:
    parts = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    numbers = (
        [_float(part) for part in parts] if len(parts) == 4 else [0, 0, _number(root, "width"), _number(root, "height")]
    )
    return tuple(numbers) if numbers[2] > 0 and numbers[3] > 0 and np.isfinite(numbers).all() else None


def _around(strokes: Polylines) -> tuple[float, float, float, float]:
    low, high = bounds(strokes)
    return (float(low[0]), float(low[1]), *(float(v) for v in np.maximum(high - low, 1e-6)))
