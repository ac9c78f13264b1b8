"""The registry of shapes. A new shape is one file and one line here (or an entry point ``evoart.shapes``)."""

from __future__ import annotations

import functools
import re

from evoart.draw.shapes.base import Shape
from evoart.draw.shapes.blob import Blob
from evoart.draw.shapes.ellipse import Circle, Ellipse, RotatedEllipse
from evoart.draw.shapes.polygon import FreePolygon, RegularPolygon
from evoart.draw.shapes.ramp import MARK, PAINTS, Ramp
from evoart.draw.shapes.rectangle import Rectangle, RotatedRectangle
from evoart.draw.shapes.stamp import is_stamp, stamp
from evoart.draw.shapes.stroke import Stroke
from evoart.draw.shapes.triangle import Triangle
from evoart.errors import UsageError
from evoart.registry import Registry, spelled

SHAPES = Registry(
    "shape",
    "evoart.shapes",
    {
        "triangle": Triangle(),
        "rectangle": Rectangle(),
        "rotated-rectangle": RotatedRectangle(),
        "circle": Circle(),
        "ellipse": Ellipse(),
        "rotated-ellipse": RotatedEllipse(),
        "line": Stroke("line", 1),
        "quadratic": Stroke("quadratic", 2),
        "cubic": Stroke("cubic", 3),
        "polygon": FreePolygon(4),  # and polygon:N
        "regular": RegularPolygon(6),  # and regular:N
        "blob": Blob(6),  # and blob:N
    },
)
FAMILIES = {"polygon": FreePolygon, "regular": RegularPolygon, "blob": Blob}  # name:N
MIXED = ("triangle", "rotated-rectangle", "rotated-ellipse")  # what ``mixed`` chooses from
CORNERS = (3, 24)


@functools.cache
def shape(name: str) -> Shape:
    """The shape called ``name``: a registered one, a stamp, or ``polygon:N``, ``regular:N``, ``blob:N`` (N 3 to 24);
    a filled one may end in ``~linear`` or ``~radial``, see ``draw.shapes.ramp``.

    Raises:
        UsageError: unknown name (with a suggestion) or a number of corners out of range.
    """
    name = spelled(name)
    base, mark, paint = name.partition(MARK)
    if mark and paint in PAINTS and shape(base).filled:
        return Ramp(shape(base), paint)
    if is_stamp(name):
        return stamp(name)
    family, colon, corners = name.partition(":")
    if colon and family in FAMILIES:
        low, high = CORNERS
        if not re.fullmatch(r"\d{1,4}", corners) or not low <= int(corners) <= high:
            raise UsageError(f"'{name}' has no such number of corners", f"Use {family}:{low} to {family}:{high}")
        return FAMILIES[family](int(corners))
    return SHAPES[name]
