"""The formats that are text: the drawing as SVG, and the recipe alone as JSON."""

from __future__ import annotations

from evoart.errors import EvoartError
from evoart.output.formats import Artwork, Format, Options


def _svg(artwork: Artwork, options: Options) -> bytes:
    text = artwork.drawing.svg(artwork.size, artwork.title, artwork.recipe_text(), artwork.alpha)
    return text.encode()


def _json(artwork: Artwork, options: Options) -> bytes:
    if not artwork.recipe:
        raise EvoartError("there is no recipe to write", "Choose another format")
    return (artwork.recipe_text() + "\n").encode()


SVG = Format((".svg",), _svg)
JSON = Format((".json",), _json)
