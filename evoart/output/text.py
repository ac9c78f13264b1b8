"""The formats that are text: the drawing as SVG, and the recipe alone as JSON."""

from __future__ import annotations

from evoart.draw import scene
from evoart.draw.svg import compact
from evoart.errors import EvoartError
from evoart.output.formats import Artwork, Format, Options
from evoart.units import INCH


def _svg(artwork: Artwork, options: Options) -> bytes:
    drawing, about = artwork.drawing, (artwork.title, artwork.recipe_text(), artwork.alpha)
    if options.clip is not None and isinstance(drawing, scene.Scene):
        title, recipe, alpha = about
        text = scene.svg(drawing, artwork.size, title=title, recipe=recipe, alpha=alpha, clip=options.clip)
    else:
        text = drawing.svg(artwork.size, *about)
    if options.dpi is not None:  # the same user units, on a page of true size
        w, h = artwork.size
        sides = (compact(side / options.dpi * INCH, 3) for side in artwork.size)
        text = text.replace(f'width="{w}" height="{h}"', 'width="{}mm" height="{}mm"'.format(*sides), 1)
    return text.encode()


def _json(artwork: Artwork, options: Options) -> bytes:
    if not artwork.recipe:
        raise EvoartError("there is no recipe to write", "Choose another format")
    return (artwork.recipe_text() + "\n").encode()


SVG = Format((".svg",), _svg)
JSON = Format((".json",), _json)
