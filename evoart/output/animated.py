"""SVG that draws itself: pen drawings, stroke by stroke, by CSS alone."""

from __future__ import annotations

from evoart.errors import EvoartError
from evoart.output.formats import Artwork, Format, Options


def _encode(artwork: Artwork, options: Options) -> bytes:
    draw = getattr(artwork.drawing, "animated_svg", None)
    if draw is None:
        raise EvoartError("only what a pen drew can be an SVG that draws itself", "Write a film: .gif .apng .webp .mp4")
    text = draw(artwork.size, options.film_seconds, options.film_hold, artwork.title, artwork.recipe_text())
    return text.encode()


SVG = Format((".anim.svg",), _encode, film=True, forms=("sketch", "strokes", "film"))
