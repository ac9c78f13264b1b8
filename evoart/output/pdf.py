"""PDF: the drawing as vector paths on one page, for print; a drawing without shapes as a picture."""

from __future__ import annotations

import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from evoart.draw.layout import layout
from evoart.draw.svg import compact
from evoart.errors import UsageError
from evoart.output import recipe as recipes
from evoart.output.formats import Artwork, Format, Options
from evoart.output.raster import pixels

if TYPE_CHECKING:
    from evoart.draw.scene import Scene

_DETAIL = 128  # points of a closed curve: within a thousandth of its radius
_POINTS_PER_PIXEL = 0.75  # 96 pixels to the inch, as in SVG and CSS
_LONGEST = 14_400  # points a side: what readers accept


def _pdf(artwork: Artwork, options: Options) -> bytes:
    from evoart.draw.scene import Scene  # only where one is written: it brings the compiled kernels

    points = 72 / options.dpi if options.dpi else _POINTS_PER_PIXEL
    w, h = (side * points for side in artwork.size)
    if max(w, h) > _LONGEST:
        raise UsageError(f"a page of {max(w, h) / 72:.0f} inches is too long for PDF", f"{_LONGEST // 72} are the most")
    shapes = isinstance(artwork.drawing, Scene)
    image = f"{w:g} 0 0 {h:g} 0 0 cm /p Do".encode()
    content, opacities, ramps = image, set(), []
    if isinstance(artwork.drawing, Scene):
        content, opacities, ramps = _content(artwork.drawing, w, h)
    states = " ".join(f"/a{a} <</ca {a / 1000:g}/CA {a / 1000:g}>>" for a in sorted(opacities))
    mask, pictures = "", ""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"",
        _stream(content),
        f"<</Title{_string(artwork.title)}/Producer(evoart)>>".encode(),
        _stream(artwork.recipe_text().encode(), f"/Type/{recipes.PDF_TYPE}"),
    ]
    if not shapes:
        pictures = "/XObject<</p 7 0 R>>"
        objects += _picture(pixels(artwork))
    elif artwork.alpha is not None:
        mask = "/mask <</SMask <</Type/Mask/S/Luminosity/G 7 0 R>>>>"
        objects += _soft_mask(artwork.alpha, w, h)
    patterns = "".join(ramp.pattern(h) for ramp in ramps)
    for ramp in ramps:
        if ramp.fades:
            states += f"/m{ramp.number} <</SMask <</Type/Mask/S/Luminosity/G {len(objects) + 1} 0 R>>>>"
            objects.append(ramp.soft_mask(w, h))
    group = "/Group<</S/Transparency/CS/DeviceRGB>>"
    resources = f"<</ExtGState<<{states}>>/Pattern<<{patterns}>>{pictures}>>"
    if mask:  # over all shapes together: some have masks of their own
        head = f"/Type/XObject/Subtype/Form/BBox[0 0 {w:g} {h:g}]{group}/Resources{resources}"
        resources = f"<</ExtGState<<{mask}>>/XObject<</c {len(objects) + 1} 0 R>>>>"
        objects.append(_stream(content, head))
        objects[3] = _stream(b"/mask gs /c Do")
    objects[2] = (
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {w:g} {h:g}]/Contents 4 0 R{group}/Resources{resources}>>"
    ).encode()
    return _document(objects)


class _Ramp(NamedTuple):
    """The second colour of a shape, in points with y down, as ``Layout.ramps`` gives it."""

    number: int
    first: np.ndarray  # (4,): rgba at the start
    numbers: np.ndarray  # (COLUMNS,)

    @property
    def fades(self) -> bool:
        """Whether its opacity changes too, so that it needs a mask."""
        return abs(float(self.first[3] - self.numbers[8])) >= 0.0005

    def _shading(self, space: str, near: str, far: str) -> str:
        x1, y1, x2, y2 = (float(v) for v in self.numbers[1:5])
        radial = self.numbers[0] > 1
        places = (x1, y1, 0.0, x1, y1, float(np.hypot(x2 - x1, y2 - y1))) if radial else (x1, y1, x2, y2)
        written = " ".join(compact(v, 3) for v in places)
        function = f"<</FunctionType 2/Domain[0 1]/C0[{near}]/C1[{far}]/N 1>>"
        kind = f"/ShadingType {3 if radial else 2}/ColorSpace/{space}"
        return f"<<{kind}/Coords[{written}]/Extend[true true]/Function{function}>>"

    def pattern(self, h: float) -> str:
        """Its entry among the patterns of a page ``h`` points high."""
        shading = self._shading("DeviceRGB", _colour(self.first), _colour(self.numbers[5:8]))
        return f"/r{self.number} <</PatternType 2/Matrix[1 0 0 -1 0 {h:g}]/Shading{shading}>>"

    def soft_mask(self, w: float, h: float) -> bytes:
        """A form that paints its opacities as gray."""
        shading = self._shading("DeviceGray", compact(float(self.first[3]), 4), compact(float(self.numbers[8]), 4))
        head = f"/Type/XObject/Subtype/Form/BBox[0 0 {w:g} {h:g}]/Group<</S/Transparency/CS/DeviceGray>>"
        return _stream(b"/s sh", f"{head}/Resources<</Shading<</s {shading}>>>>")


def _content(scene: Scene, w: float, h: float) -> tuple[bytes, set[int], list[_Ramp]]:
    """The page's drawing operators, the opacities they use in thousandths, and the ramps."""
    plan = layout(scene.kinds, _DETAIL)
    scale = np.array([w / scene.width, h / scene.height])
    points, widths = plan.outlines(np, scene.geometry.astype(np.float64), scale)
    found, ramps = plan.ramps(np, scene.geometry.astype(np.float64), scale), []
    lines, opacities = [f"1 0 0 -1 0 {h:g} cm 1 J 1 j"], set()
    if scene.background is not None:
        lines.append(f"{_colour(scene.background)} rg 0 0 {w:g} {h:g} re f")
    for i, (first, last) in enumerate(pairwise(plan.start)):
        opacity = round(float(scene.rgba[i, 3]) * 1000)
        opacities.add(opacity)
        path = " ".join(
            f"{compact(x, 3)} {compact(y, 3)} {'l' if k else 'm'}" for k, (x, y) in enumerate(points[first:last])
        )
        if found is not None and found[i, 0] > 0:
            ramps.append(ramp := _Ramp(i, scene.rgba[i], found[i]))
            state = f"/a1000 gs /m{i} gs" if ramp.fades else f"/a{opacity} gs"
            opacities.add(1000)
            lines.append(f"q {state} /Pattern cs /r{i} scn {path} f Q")
            continue
        colour = _colour(scene.rgba[i])
        paint = f"{colour} rg {path} f" if plan.filled[i] else f"{colour} RG {compact(widths[i], 3)} w {path} S"
        lines.append(f"/a{opacity} gs {paint}")
    return "\n".join(lines).encode(), opacities, ramps


def _soft_mask(alpha: np.ndarray, w: float, h: float) -> list[bytes]:
    """Objects 7 and 8: a form that paints the transparency as gray, and its image."""
    levels = alpha if alpha.dtype == np.uint8 else np.rint(np.clip(alpha, 0, 1) * 255).astype(np.uint8)
    head = f"/Subtype/Form/BBox[0 0 {w:g} {h:g}]/Group<</S/Transparency/CS/DeviceGray>>"
    rows, columns = levels.shape
    image = f"/Subtype/Image/Width {columns}/Height {rows}/ColorSpace/DeviceGray/BitsPerComponent 8"
    form = f"{w:g} 0 0 {h:g} 0 0 cm /i Do".encode()
    return [_stream(form, f"/Type/XObject{head}/Resources<</XObject<</i 8 0 R>>>>"), _stream(levels.tobytes(), image)]


def _picture(levels: np.ndarray) -> list[bytes]:
    """Objects 7 and 8: a drawing without shapes as an image of its pixels, and the transparency of that image."""
    rows, columns, channels = levels.shape
    head = f"/Type/XObject/Subtype/Image/Width {columns}/Height {rows}/BitsPerComponent 8"
    soft = "/SMask 8 0 R" if channels == 4 else ""
    image = _stream(np.ascontiguousarray(levels[..., :3]).tobytes(), f"{head}/ColorSpace/DeviceRGB{soft}")
    return [image, *([_stream(levels[..., 3].tobytes(), f"{head}/ColorSpace/DeviceGray")] if soft else [])]


def _colour(rgb: np.ndarray | tuple[float, ...]) -> str:
    return " ".join(compact(float(c), 4) for c in np.clip(np.asarray(rgb, float)[:3], 0, 1))


def _string(text: str) -> str:
    mark = b"\xfe\xff"
    return f"<{(mark + text.encode('utf-16-be', 'ignore')).hex()}>"


def _stream(data: bytes, entries: str = "") -> bytes:
    packed = zlib.compress(data, 9)
    return f"<<{entries}/Filter/FlateDecode/Length {len(packed)}>>stream\n".encode() + packed + b"\nendstream"


def _document(objects: list[bytes]) -> bytes:
    """A PDF 1.4 file of numbered objects with its cross-reference table."""
    out, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size %d/Root 1 0 R/Info 5 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


PDF = Format((".pdf",), _pdf, longest=int(_LONGEST / _POINTS_PER_PIXEL))
