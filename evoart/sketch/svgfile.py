"""Any SVG as strokes: paths, lines, polylines, shapes, groups, transforms, ``use``; nothing else of it.

svgelements reads path data and transforms; walking the document is done here, within bounds: a picture from a stranger
may hold entities that expand forever, references in circles, or millions of paths.
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

LARGEST = 24 << 20  # bytes
ELEMENTS, DEPTH, POINTS = 200_000, 200, 1_000_000
USES = 8  # references that lead to references
FARTHEST = 1e9  # user units: what is farther away is no part of a drawing, and its square may overflow
_SILENT = {"defs", "symbol", "clipPath", "mask", "marker", "pattern", "metadata", "title", "desc", "style", "text"}
_SHAPES = {"path", "line", "polyline", "polygon", "rect", "circle", "ellipse"}
_CONTAINERS = ("symbol", "svg")  # whose children are shown where a ``use`` refers to them
# What a byte of path data is, and how many points each number after a letter stands for at least: a curve has four.
_DIGIT, _EXPONENT, _SIGN = (np.isin(np.arange(256), list(some)) for some in (b"0123456789.", b"eE", b"+-"))
_POINTS_EACH = np.zeros(256)
for _letters, _each in ((b"MmLl", 1 / 2), (b"HhVvSsQq", 1), (b"Cc", 4 / 6), (b"Tt", 2), (b"Aa", 4 / 7)):
    _POINTS_EACH[list(_letters)] = _each
_SHOWING = {"style", "display", "visibility"}  # attributes that can hide an element
_LETTER = _POINTS_EACH > 0
_SHORT, _LONG = 2000, 5_000_000  # characters: up to which numbers are counted one by one, and a prefix of what is long
_NUMBER = re.compile(r"[\d.]+(?:[eE][-+]?\d+)?")
RGBA = tuple[float, float, float, float]
_PAINT = ("fill", "stroke", "stroke-width", "fill-rule", "fill-opacity", "stroke-opacity", "color")  # are inherited
_RULE = re.compile(r"([^{}]{1,2000})\{([^{}]{0,2000})\}")
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
    root = _open(data, where)
    walk = _Walk(root, where)
    walk.check_size()
    strokes = list(walk.strokes())
    if not strokes:
        raise EvoartError(f"'{where}' has no paths", "Text and bitmaps must be turned into paths first")
    return Page(strokes, walk.box or _around(strokes))


@dataclass(frozen=True)
class Painted:
    """One element of an SVG as it is painted.

    Attributes:
        lines: its subpaths ``(k, 2)`` in user units of the outermost element.
        fill, stroke: straight sRGB and opacity in [0, 1]; None where there is none.
        width: of the stroke, in the same units.
        even_odd: the rule by which its inside is told; else nonzero.
    """

    lines: Polylines
    fill: RGBA | None
    stroke: RGBA | None
    width: float
    even_odd: bool


@dataclass(frozen=True)
class Painting:
    """An SVG as it is painted: elements in paint order, the page ``(x, y, width, height)`` in user units, the sRGB
    colour of the paper where there is a rectangle under everything, and how many open paths are filled."""

    elements: list[Painted]
    box: tuple[float, float, float, float]
    background: tuple[float, float, float] | None
    open_fills: int


def read_painting(data: bytes, where: str) -> Painting:
    """What an SVG document shows, within the same bounds as ``read_svg``: fills and strokes in plain colours.

    A gradient or pattern counts as the mean of its colours. Masks, clip paths, filters, text and bitmaps are left out.

    Raises:
        EvoartError: as ``read_svg``, or nothing that is painted.
    """
    root = _open(data, where)
    walk = _PaintedWalk(root, where)
    walk.check_size()
    elements: list[Painted] = [*walk.strokes()]  # pyright: ignore[reportAssignmentType]
    if not elements:
        raise EvoartError(f"'{where}' has no paths", "Text and bitmaps must be turned into paths first")
    box = walk.box or _around([line for element in elements for line in element.lines])
    return Painting(elements, box, walk.background, walk.open_fills)


def _open(data: bytes, where: str) -> ElementTree.Element:
    """The outermost element of an SVG that is no danger to read.

    Raises:
        EvoartError: no SVG, with entities, or too large.
    """
    if len(data) > LARGEST:
        raise EvoartError(f"'{where}' has {len(data) >> 20} MiB", f"{LARGEST >> 20} MiB is the most for a drawing")
    _check(data, where)
    root = ElementTree.fromstring(data)
    if _tag(root) != "svg":
        raise EvoartError(f"'{where}' is XML, but no SVG", "Give an SVG with paths")
    return root


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
    except expat.ExpatError as error:
        at = f"at line {error.lineno}, column {error.offset}"
        raise EvoartError(f"'{where}' is not an SVG: its XML breaks off or is wrong {at}", "Is it whole?") from None
    except (ValueError, LookupError):
        raise EvoartError(f"'{where}' is not an SVG: it is in an unknown encoding", "Save it as UTF-8") from None


class _Walk:
    """One pass through a document, counting points."""

    def __init__(self, root: ElementTree.Element, where: str) -> None:
        from svgelements import Matrix

        self.root, self.where, self.points = root, where, 0
        self.ids = {element.get("id"): element for element in root.iter() if element.get("id")}
        self.identity = Matrix()
        self.box = _view_box(root)

    def check_size(self) -> None:
        """Refuse what would have too many points before any is computed, each element counted once for all its uses.

        Raises:
            EvoartError: more than ``POINTS``, or references that lie too deep.
        """
        if self._points(self.root, 0, 0, {}) > POINTS:
            raise self._too_large()

    def _points(self, element: ElementTree.Element, uses: int, depth: int, known: dict[tuple[int, int], int]) -> int:
        """At least so many points come of an element, and of whatever it refers to, at ``uses`` references."""
        key = id(element), uses
        if key in known:
            return known[key]
        self._check_depth(depth)
        tag, count = _tag(element), 0
        if tag in _SILENT or _hidden(element):
            pass
        elif tag in _SHAPES:
            count = _least_points(tag, element)
        elif tag == "use":
            if (target := self._target(element, uses)) is not None:
                members = list(target) if _tag(target) in _CONTAINERS else [target]
                count = 1 + sum(self._points(member, uses + 1, depth + 1, known) for member in members)
        else:
            count = sum(self._points(child, uses, depth + 1, known) for child in element)
        known[key] = min(count, POINTS + 1)
        return known[key]

    def strokes(self) -> Iterator[Any]:
        """The strokes ``(k, 2)`` in the order of the document."""
        yield from self._element(self.root, self.identity, 0, 0)

    def _element(self, element: ElementTree.Element, matrix: Any, uses: int, depth: int) -> Iterator[Any]:
        from svgelements import Matrix

        self._check_depth(depth)
        tag = _tag(element)
        if tag in _SILENT or _hidden(element):
            return
        if element.get("transform"):
            try:
                matrix = Matrix(element.get("transform")) * matrix
            except Exception:  # svgelements says a transform is wrong in many ways
                said = element.get("transform", "")[:60]
                raise EvoartError(f"'{self.where}' has a broken transform: {said}", "Fix or remove it") from None
        if tag in _SHAPES:
            yield from self._shape(tag, element, matrix)
        elif tag == "use":
            yield from self._use(element, matrix, uses, depth)
        else:
            for child in element:
                yield from self._element(child, matrix, uses, depth + 1)

    def _target(self, element: ElementTree.Element, uses: int) -> ElementTree.Element | None:
        """What a ``use`` refers to within the document; None where it names nothing, or where the chain is too long."""
        name = next((value for key in _HREF if (value := element.get(key))), "")
        if not name.startswith("#") or uses >= USES:
            return None
        return self.ids.get(name[1:])

    def _use(self, element: ElementTree.Element, matrix: Any, uses: int, depth: int) -> Iterator[Any]:
        from svgelements import Matrix

        target = self._target(element, uses)
        if target is None:
            return
        moved = Matrix.translate(_number(element, "x"), _number(element, "y")) * matrix
        for member in list(target) if _tag(target) in _CONTAINERS else [target]:
            yield from self._element(member, moved, uses + 1, depth + 1)

    def _check_depth(self, depth: int) -> None:
        if depth > DEPTH:
            raise EvoartError(f"'{self.where}' has elements more than {DEPTH} deep", "Simplify it, or take it apart")

    def _shape(self, tag: str, element: ElementTree.Element, matrix: Any) -> Iterator[Any]:
        if tag == "rect" and self._is_background(element):
            return
        try:
            lines = _lines(abs(_path(tag, element) * matrix))
            for line in lines:
                self._count(len(line))
                if (np.abs(line) <= FARTHEST).all():
                    yield line
        except EvoartError:
            raise
        except Exception:  # as above, of path data
            said = (element.get("d") or element.get("points") or element.get("id") or "")[:60]
            raise EvoartError(f"'{self.where}' has a broken {tag}: {said}", "Fix or remove it") from None

    def _is_background(self, element: ElementTree.Element) -> bool:
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
            raise self._too_large()

    def _too_large(self) -> EvoartError:
        return EvoartError(f"'{self.where}' has more than {POINTS:,} points", "Simplify it, or take it apart")


class _PaintedWalk(_Walk):
    """A pass that knows how everything is painted."""

    def __init__(self, root: ElementTree.Element, where: str) -> None:
        super().__init__(root, where)
        self.background: tuple[float, float, float] | None = None
        self.open_fills = 0
        self.styles: list[dict[str, str]] = [{"fill": "black", "stroke": "none", "stroke-width": "1"}]
        self.drawn = False
        self.rules: dict[str, dict[str, str]] = {}  # of style sheets, for one class, id or kind of element
        for sheet in (element for element in root.iter() if _tag(element) == "style"):
            for names, body in _RULE.findall(sheet.text or ""):
                for name in names.split(","):
                    self.rules.setdefault(name.strip(), {}).update(_pairs(body))

    def _element(self, element: ElementTree.Element, matrix: Any, uses: int, depth: int) -> Iterator[Any]:
        own = {name: value for name in _PAINT if (value := element.get(name))}
        own["opacity"] = element.get("opacity", "1")
        classes = [f".{name}" for name in element.get("class", "").split()]
        for name in (_tag(element), *classes, f"#{element.get('id')}"):
            own |= self.rules.get(name, {})
        own |= _style(element)
        before = self.styles[-1]
        own = before | {name: value for name, value in own.items() if value != "inherit"}
        own["opacity"] = str(_share(own["opacity"]) * _share(before.get("opacity")))
        self.styles.append(own)
        try:
            yield from super()._element(element, matrix, uses, depth)
        finally:
            self.styles.pop()

    def _shape(self, tag: str, element: ElementTree.Element, matrix: Any) -> Iterator[Any]:
        style = self.styles[-1]
        fill, stroke = (self._colour(style, name) for name in ("fill", "stroke"))
        if tag == "rect" and self._is_background(element):
            if fill is not None and not self.drawn and fill[3] > 0:
                self.background = (fill[0], fill[1], fill[2])
            return
        lines = list(super()._shape(tag, element, matrix))
        if not lines or (fill is None and stroke is None):
            return
        self.drawn = True
        self.open_fills += fill is not None and any(len(line) > 2 and (line[0] != line[-1]).any() for line in lines)
        scale = math.sqrt(abs(matrix.a * matrix.d - matrix.b * matrix.c))
        width = _float(style["stroke-width"]) * scale
        yield Painted(lines, fill, stroke if width > 0 else None, width, style.get("fill-rule") == "evenodd")

    def _colour(self, style: dict[str, str], what: str) -> RGBA | None:
        """Colour and opacity of a fill or stroke; None where nothing is painted."""
        text = style[what].strip()
        alpha = _share(style.get(f"{what}-opacity")) * _share(style.get("opacity"))
        if text == "none" or alpha <= 0:
            return None
        if text == "currentColor":
            text = style.get("color", "black")
        if text.startswith("url("):
            target = self.ids.get(text[4:].partition(")")[0].strip("'\" #"))
            stops = [] if target is None else [stop for stop in target.iter() if _tag(stop) == "stop"]
            found = [_rgba(_style(stop).get("stop-color") or stop.get("stop-color", "black")) for stop in stops]
            colour = tuple(float(part) for part in np.mean(found, 0)) if found else (0.5, 0.5, 0.5, 1.0)
        else:
            colour = _rgba(text)
        return (colour[0], colour[1], colour[2], colour[3] * alpha) if colour[3] > 0 else None


def _rgba(text: str) -> RGBA:
    """A colour of CSS; black where it is none."""
    import svgelements

    try:
        colour = svgelements.Color(text)
        r, g, b = (int(c or 0) / 255 for c in (colour.red, colour.green, colour.blue))
        return r, g, b, 1.0 if colour.opacity is None else float(colour.opacity)
    except Exception:  # svgelements says in many ways that a colour is none
        return 0.0, 0.0, 0.0, 1.0


def _share(text: str | None) -> float:
    """An opacity, ``0.5`` or ``50%``, in [0, 1]; 1 where there is none."""
    if text is None:
        return 1.0
    number = _float(text) / (100 if text.strip().endswith("%") else 1)
    return min(max(number, 0.0), 1.0)


def _least_points(tag: str, element: ElementTree.Element) -> int:
    """At least so many points ``_lines`` gives for a shape: told from the letters and numbers of its data alone."""
    if tag not in ("path", "polyline", "polygon"):
        return 1
    text = element.get("d" if tag == "path" else "points", "")
    if len(text) < _SHORT:
        return max(1, len(_NUMBER.findall(text)) // 2)
    if len(text) > 2 * _LONG and (count := _least_in(text[:_LONG])) > POINTS:
        return count  # where the beginning is too much already
    return _least_in(text)


def _least_in(text: str) -> int:
    """At least so many points path data stands for."""
    code = np.frombuffer(("M" + text).encode("latin-1", "replace"), np.uint8)
    exponent = _EXPONENT[code]
    within = _DIGIT[code] | exponent
    within[1:] |= exponent[:-1] & _SIGN[code[1:]]
    begins = within.copy()
    begins[1:] &= ~within[:-1]
    letters = np.flatnonzero(_LETTER[code])
    numbers = np.add.reduceat(begins.astype(np.int32), letters)
    return int((_POINTS_EACH[code[letters]] * numbers).sum())


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
        end: Any = segment.end
        if end is None:
            continue
        if isinstance(segment, svgelements.Move):
            if points:
                yield np.array(points)
            points = [(end.x, end.y)]
        elif isinstance(segment, svgelements.Line | svgelements.Close):
            points.append((end.x, end.y))
        else:
            reach = segment.bbox()
            share = max(reach[2] - reach[0], reach[3] - reach[1]) / extent
            count = int(np.clip(np.ceil(32 * math.sqrt(share)), 4, 64))
            curve: Any = segment
            points += [(p.x, p.y) for p in (curve.point(t) for t in np.linspace(0, 1, count + 1)[1:])]
    if points:
        yield np.array(points)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _style(element: ElementTree.Element) -> dict[str, str]:
    return _pairs(element.get("style", ""))


def _pairs(text: str) -> dict[str, str]:
    """The declarations of a style."""
    pairs = (part.split(":", 1) for part in text.split(";") if ":" in part)
    return {name.strip(): value.strip() for name, value in pairs}


def _hidden(element: ElementTree.Element) -> bool:
    if _SHOWING.isdisjoint(element.keys()):
        return False
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
    x, y, wide, high = numbers
    return (x, y, wide, high) if wide > 0 and high > 0 and np.isfinite(numbers).all() else None


def _around(strokes: Polylines) -> tuple[float, float, float, float]:
    low, high = bounds(strokes)
    wide, tall = np.maximum(high - low, 1e-6)
    return float(low[0]), float(low[1]), float(wide), float(tall)
