"""Letters as a font that can be installed."""

from __future__ import annotations

from typing import Any

from evoart.output.formats import Artwork, Format, Options


def _encode(artwork: Artwork, options: Options) -> bytes:
    drawing: Any = artwork.drawing  # a ``forms.glyphs.GlyphsDrawing``: no other form has this format
    return drawing.font(artwork.title, artwork.recipe_text())


TTF = Format((".ttf",), _encode, forms=("glyphs",))
