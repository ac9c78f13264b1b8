"""A scene: a decoded drawing in unit coordinates, and its flattening to polygons and polylines in pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from evoart.draw.filled import fill_region
from evoart.draw.layout import detail_for, layout, pixels_per_unit
from evoart.draw.shapes import shape
from evoart.draw.shapes.ramp import Ramp, base_of
from evoart.draw.shapes.stamp import Stamp
from evoart.draw.svg import Numbers, colour, compact, document, ramp_element


@dataclass(frozen=True)
class Scene:
    """One drawing, in paint order.

    Attributes:
        kinds: shape names, one per shape, ``(k,)``.
        geometry: ``(k, g)`` float32 parameters in units, padded with zeros past the shape's own.
        rgba: ``(k, 4)`` float32 sRGB colour and opacity in [0, 1], not premultiplied.
        background: sRGB colour in [0, 1], or None for a transparent background.
        width, height: extent in units; the longer one is 1.
    """

    kinds: tuple[str, ...]
    geometry: np.ndarray
    rgba: np.ndarray
    background: tuple[float, float, float] | None
    width: float
    height: float

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """See ``Drawing.paint``; anti-aliased by exact area."""
        return draw(self, size, rows)

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """See ``Drawing.svg``."""
        return svg(self, size, title=title, recipe=recipe, alpha=alpha)


BAND = 64  # rows drawn at a time by ``draw``


def draw(scene: Scene, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
    """The scene at ``size`` (width, height) pixels: ``(h, w, 4)`` float32, straight sRGB and opacity, in [0, 1].

    Only pixel rows ``rows`` (first, past-last; of the whole picture) are drawn where given. Memory beyond the result
    is one band of rows, whatever the size.
    """
    from evoart.draw.scanline import in_band, paint  # and with it Numba, which an SVG does without

    w, h = size
    top, bottom = rows or (0, h)
    plan = layout(scene.kinds, detail_for(max(w, h)))
    scale = pixels_per_unit(size, (scene.width, scene.height))
    points, widths = plan.outlines(np, scene.geometry.astype(np.float64), scale)
    ramps = plan.ramps(np, scene.geometry.astype(np.float64), scale)
    widths, rgba = widths.astype(np.float32), np.ascontiguousarray(scene.rgba, np.float32)
    out = np.empty((bottom - top, w, 4), np.float32)
    for y in range(top, bottom, BAND):
        band = np.zeros((4, min(BAND, bottom - y), w), np.float32)
        if scene.background is not None:
            band[:3] = np.asarray(scene.background, np.float32)[:, None, None]
            band[3] = 1
        paint(band, (points - (0, y)).astype(np.float32), plan.start, widths, rgba, in_band(ramps, y))
        out[y - top : y - top + BAND] = band.transpose(1, 2, 0)
    if scene.background is None:
        out[..., :3] /= np.maximum(out[..., 3:], 1e-6)
    return np.clip(out, 0, 1, out=out)


def svg(
    scene: Scene,
    size: tuple[int, int],
    *,
    title: str = "",
    recipe: str = "",
    alpha: np.ndarray | None = None,
    clip: str | None = None,
) -> str:
    """The drawing as one SVG document; arguments as ``document``.

    ``clip`` keeps shapes within the picture: ``path`` by a clip path, ``cut`` by cutting off what reaches out, which
    turns shapes that do into paths and leaves out those that are not seen.

    Raises:
        ValueError: geometry or colours that are not finite.
    """
    if not (np.isfinite(scene.geometry).all() and np.isfinite(scene.rgba).all()):
        raise ValueError("a scene with numbers that are not finite cannot be written as SVG")

    def elements(number: Numbers) -> Iterator[str]:
        yield from svg_symbols(scene.kinds)
        if clip == "cut":
            yield from _cut(scene, number)
        elif clip == "path":
            box = f'width="{number.length(scene.width)}" height="{number.length(scene.height)}"'
            name = f"page-{number.length(scene.width)}-{number.length(scene.height)}"  # the same id, the same path
            yield f'<clipPath id="{name}"><rect {box}/></clipPath><g clip-path="url(#{name})">'
            yield from svg_elements(scene, number)
            yield "</g>"
        else:
            yield from svg_elements(scene, number)

    return document(scene, size, elements, title=title, recipe=recipe, alpha=alpha)


CUT_DETAIL = 128  # points of a closed curve that is cut: within a thousandth of its radius


def _cut(scene: Scene, number: Numbers) -> Iterator[str]:
    """The shapes in paint order; of those that reach out of the picture, what lies within it, as paths."""
    import shapely

    plan = layout(scene.kinds, CUT_DETAIL)
    points, widths = plan.outlines(np, scene.geometry.astype(np.float64), np.ones(2))
    page = shapely.box(0, 0, scene.width, scene.height)
    for i, (first, last) in enumerate(pairwise(plan.start)):
        line, half = points[first:last], float(widths[i]) / 2
        low, high = line.min(0) - half, line.max(0) + half
        if (low >= 0).all() and (high <= (scene.width, scene.height)).all():
            part = Scene(scene.kinds[i : i + 1], scene.geometry[i : i + 1], scene.rgba[i : i + 1], None, 1, 1)
            yield from svg_elements(part, number)
            continue
        whole = fill_region([line]) if plan.filled[i] else shapely.LineString(line).buffer(half, quad_segs=16)
        rings = [
            ring
            for part in shapely.get_parts(whole.intersection(page))
            if part.geom_type == "Polygon"
            for ring in (part.exterior, *part.interiors)
        ]
        if rings:
            path = "".join(
                "M" + "L".join(f"{number.length(x)} {number.length(y)}" for x, y in ring.coords[:-1]) + "Z"
                for ring in rings
            )
            opacity, (ramp, fill) = _opacity(scene, i), _fill(scene, i, number)
            seen = "" if opacity == "1" else f' fill-opacity="{opacity}"'
            yield f'{ramp}<path d="{path}" fill="{fill}" fill-rule="evenodd"{seen}/>'


def svg_symbols(kinds: tuple[str, ...]) -> Iterator[str]:
    """The outlines of the stamps among ``kinds``, each once."""
    names = dict.fromkeys(map(base_of, kinds))
    symbols = dict(kind.symbol for name in names if isinstance(kind := shape(name), Stamp))
    if symbols:
        yield "<defs>" + "".join(f'<path id="{name}" d="{path}"/>' for name, path in symbols.items()) + "</defs>"


def svg_elements(scene: Scene, number: Numbers) -> Iterator[str]:
    """The shapes as SVG elements in paint order: runs of fills and of strokes, each in a ``<g>`` with what its members
    have in common. Stamps need ``svg_symbols`` before them."""
    opacities = [_opacity(scene, i) for i in range(len(scene.kinds))]
    for filled, run in groupby(range(len(scene.kinds)), key=lambda i: shape(scene.kinds[i]).filled):
        members = list(run)
        paint = "fill" if filled else "stroke"
        common = [] if filled else ['fill="none" stroke-linecap="round" stroke-linejoin="round"']
        shared = len({opacities[i] for i in members}) == 1 and len(members) > 1
        if shared and opacities[members[0]] != "1":
            common.append(f'{paint}-opacity="{opacities[members[0]]}"')
        if common:
            yield f"<g {' '.join(common)}>"
        for i in members:
            yield _element(scene, i, number, paint, "1" if shared else opacities[i])
        if common:
            yield "</g>"


def _opacity(scene: Scene, index: int) -> str:
    """The opacity of a whole shape: 1 where it fades from one to another, which its ramp then says."""
    first, last = _fades(scene, index)
    return first if first == last else "1"


def _fades(scene: Scene, index: int) -> tuple[str, str]:
    """The opacities of a shape's two colours."""
    kind, first = shape(scene.kinds[index]), float(scene.rgba[index, 3])
    last = float(scene.geometry[index, kind.first + 7]) if isinstance(kind, Ramp) else first
    return compact(min(max(first, 0), 1), 3), compact(min(max(last, 0), 1), 3)


def _fill(scene: Scene, index: int, number: Numbers, transform: str = "") -> tuple[str, str]:
    """The element of a shape's ramp (``""`` where it has one colour), and what its ``fill`` or ``stroke`` is.

    Args:
        transform: what its element is transformed by, as ``Shape.svg`` wrote it.
    """
    kind, first = shape(scene.kinds[index]), colour(scene.rgba[index])
    if not isinstance(kind, Ramp):
        return "", first
    numbers = scene.geometry[index, kind.first :]
    fades = _fades(scene, index)
    stops = tuple(zip((first, colour(numbers[4:7])), fades if fades[0] != fades[1] else ("1", "1"), strict=True))
    element, name = ramp_element(kind.paint, numbers[:2], numbers[2:4], stops, number, transform)
    return element, f"url(#{name})"


def _element(scene: Scene, index: int, number: Numbers, paint: str, opacity: str) -> str:
    kind = shape(scene.kinds[index])
    name, attributes = kind.svg(scene.geometry[index, : len(kind.parameters)], number)
    ramp, attributes[paint] = _fill(scene, index, number, attributes.get("transform", ""))
    if opacity != "1":
        attributes[f"{paint}-opacity"] = opacity
    return f"{ramp}<{name} " + " ".join(f'{key}="{value}"' for key, value in attributes.items()) + "/>"
