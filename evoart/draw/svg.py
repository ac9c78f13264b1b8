"""Scenes to SVG: compact, exact to a hundredth of a pixel at 1024 px, readable by every viewer."""

from __future__ import annotations

import base64
import cmath
import hashlib
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape

import numpy as np

from evoart.types import Drawing

PRECISION = 0.01 / 1024  # largest error of a written length, in units
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What ``compact`` leaves out of numbers with decimals, one a line; the last one of those without, too.
_NEEDLESS = [
    (re.compile(what, re.MULTILINE), kept) for what, kept in ((r"\.?0+$", ""), (r"^(-?)0\.", r"\1."), (r"^-0$", "0"))
]
MOST_EMBEDDED = 2048  # pixels a side of a picture inside an SVG


class Numbers:
    """Writes lengths and angles in user units with just enough digits.

    Args:
        scale: user units per unit of the scene (the picture's long side in user units).
    """

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.digits = max(0, math.ceil(math.log10(0.5 / (PRECISION * scale))))

    def length(self, value: float) -> str:
        """A position or length given in units."""
        return compact(float(value) * self.scale, self.digits)

    def lengths(self, values: np.ndarray) -> list[str]:
        """What ``length`` says of each of many values, of any shape, in order."""
        scaled = (np.asarray(values, np.float64) * self.scale).ravel().tolist()
        text = "\n".join([f"%.{self.digits}f"] * len(scaled)) % tuple(scaled)
        for what, kept in _NEEDLESS if self.digits else _NEEDLESS[-1:]:
            text = what.sub(kept, text)
        return text.split("\n") if scaled else []

    def degrees(self, value: float) -> str:
        """An angle given in radians, clockwise on screen."""
        return compact(math.degrees(float(value)) % 360, 3)


def compact(value: float, digits: int) -> str:
    """``value`` with at most ``digits`` decimals and no needless character: ``0.50`` is ``.5``, ``-0`` is ``0``."""
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in ("-0", "0", ""):
        return "0"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def document(
    drawing: Drawing,
    size: tuple[int, int],
    elements: Callable[[Numbers], Iterable[str]],
    *,
    title: str = "",
    recipe: str = "",
    alpha: np.ndarray | None = None,
) -> str:
    """An SVG document around the elements of a drawing.

    Args:
        drawing: its extent and background count.
        size: natural size ``(width, height)`` in pixels, which are also the user units.
        elements: the lines of the drawing, given what writes its numbers.
        title: shown by viewers and read by screen readers.
        recipe: text kept in ``<metadata>``.
        alpha: ``(h, w)`` float in [0, 1] or uint8, a transparency laid over the whole drawing; resampled by the viewer.
    """
    w, h = size
    scale = max(w / drawing.width, h / drawing.height)
    # User units are pixels. A size that was rounded off the drawing's proportions stretches, as the rasterisers do.
    box = [compact(extent * scale, 3) for extent in (drawing.width, drawing.height)]
    stretched = box != [str(w), str(h)]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {box[0]} {box[1]}"'
        + (' preserveAspectRatio="none"' if stretched else "")
        + ' role="img">'
    ]
    if title:
        lines.append(f"<title>{text_of(title)}</title>")
    if recipe:
        lines.append(f"<metadata>{text_of(recipe)}</metadata>")
    if alpha is not None:
        mask, name = _mask(alpha, box)
        lines += [mask, f'<g mask="url(#{name})">']
    if drawing.background is not None:
        lines.append(f'<rect width="{box[0]}" height="{box[1]}" fill="{colour(drawing.background)}"/>')
    lines += elements(Numbers(scale))
    if alpha is not None:
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def embed_picture(
    drawing: Drawing, size: tuple[int, int], *, title: str = "", recipe: str = "", alpha: np.ndarray | None = None
) -> str:
    """An SVG document for a drawing that has no elements: its picture, at most 2,048 pixels long, as a PNG inside."""
    from PIL import Image

    w, h = size
    shrink = min(1.0, MOST_EMBEDDED / max(w, h))
    rgba = drawing.paint((max(1, round(w * shrink)), max(1, round(h * shrink))))
    levels = np.rint(rgba * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(levels if levels[..., 3].min() < 255 else levels[..., :3]).save(file, "PNG", optimize=True)
    data = base64.b64encode(file.getvalue()).decode()

    def elements(number: Numbers) -> Iterator[str]:
        extent = f'width="{compact(w, 3)}" height="{compact(h, 3)}"'
        yield f'<image {extent} preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'

    return document(drawing, size, elements, title=title, recipe=recipe, alpha=alpha)


def colour(rgb: tuple[float, ...] | np.ndarray) -> str:
    """sRGB in [0, 1] as ``#rrggbb``, or ``#rgb`` where that is the same."""
    levels = np.round(np.clip(np.asarray(rgb, np.float64)[:3], 0, 1) * 255).astype(int)
    text = "".join(f"{level:02x}" for level in levels)
    return f"#{text[::2]}" if text[::2] == text[1::2] else f"#{text}"


def ramp_element(
    paint: str,
    first: np.ndarray,
    second: np.ndarray,
    stops: Sequence[tuple[str, str]],
    number: Numbers,
    transform: str = "",
) -> tuple[str, str]:
    """A gradient between two points ``(2,)`` in units, and its id, which is a digest as that of a mask.

    Args:
        paint: ``linear``, or ``radial``: around the first point, the second on the circle.
        stops: colour and opacity at both ends.
        number: writes lengths; those of a gradient get a digit less than those of an outline.
        transform: of the element that it fills, made of ``translate``, ``rotate`` and ``scale``: a gradient lies in the
            element's own user space.
    """
    turned, moved = _similarity(transform)
    ends = [(complex(*(float(v) * number.scale for v in point)) - moved) / turned for point in (first, second)]
    digits = max(0, number.digits - 1 + math.ceil(math.log10(max(abs(turned), 1e-9))))
    near, far = ends
    if paint == "radial":
        places = {"cx": near.real, "cy": near.imag, "r": max(abs(far - near), 0.1**digits)}
    else:
        places = {"x1": near.real, "y1": near.imag, "x2": far.real, "y2": far.imag}
    body = "".join(f' {name}="{compact(value, digits)}"' for name, value in places.items())
    for offset, (shade, opacity) in zip(("", ' offset="1"'), stops, strict=True):
        faded = "" if opacity == "1" else f' stop-opacity="{opacity}"'
        body += f'{"" if offset else ">"}<stop{offset} stop-color="{shade}"{faded}/>'
    name = "g" + base64.b32encode(hashlib.sha256((paint + body).encode()).digest())[:8].decode().lower()
    return f'<{paint}Gradient id="{name}" gradientUnits="userSpaceOnUse"{body}</{paint}Gradient>', name


def _similarity(transform: str) -> tuple[complex, complex]:
    """Turn and scale, and move, of an SVG transform, as complex numbers: ``turned * z + moved``."""
    turned, moved = 1 + 0j, 0j
    for name, numbers in re.findall(r"(\w+)\(([^)]*)\)", transform):
        first, *rest = (float(value) for value in numbers.split())
        if name == "translate":
            moved += turned * complex(first, rest[0])
        elif name == "scale":
            turned *= first
        else:
            turn, about = cmath.rect(1, math.radians(first)), complex(*rest) if rest else 0j
            turned, moved = turned * turn, moved + turned * (about - turn * about)
    return turned, moved


def _mask(alpha: np.ndarray, box: list[str]) -> tuple[str, str]:
    """A ``<mask>`` that holds the transparency ``(h, w)`` as a PNG, and its id.

    The PNG is white with alpha: so its luminance and its alpha say the same, and viewers that know one of the two mask
    types only get it right. The id is a digest, for several pictures may stand in one page, where ids are shared.
    """
    from PIL import Image

    levels = alpha if alpha.dtype == np.uint8 else np.round(np.clip(alpha, 0, 1) * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.stack([np.full_like(levels, 255), levels], -1)).save(file, "PNG", optimize=True)
    extent = f'width="{box[0]}" height="{box[1]}"'
    name = f"alpha-{hashlib.sha256(extent.encode() + file.getvalue()).hexdigest()[:12]}"
    data = base64.b64encode(file.getvalue()).decode()
    return (
        f'<mask id="{name}" maskUnits="userSpaceOnUse" x="0" y="0" {extent}><image {extent} preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/></mask>'
    ), name


def text_of(value: str) -> str:
    """Escaped character data, without what XML cannot hold (control characters, lone surrogates)."""
    return escape(_NO_XML.sub("", value), quote=False)
