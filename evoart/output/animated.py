"""SVG that moves by itself, without a script: pen drawings stroke by stroke, shapes one by one, morphs."""

from __future__ import annotations

from evoart.draw.motion import animated_svg
from evoart.draw.scene import Scene
from evoart.errors import EvoartError
from evoart.output.formats import Artwork, Format, Options


def _encode(artwork: Artwork, options: Options) -> bytes:
    times = options.film_seconds, options.film_hold
    draw = getattr(artwork.frames, "animated_svg", None) or getattr(artwork.drawing, "animated_svg", None)
    if draw is not None:
        return draw(artwork.size, *times, artwork.title, artwork.recipe_text()).encode()
    if not isinstance(artwork.drawing, Scene):
        what = "only shapes and what a pen drew can be an SVG that moves"
        raise EvoartError(what, "Write a film: .gif .apng .webp .mp4")
    style = "grow" if options.film_style in (None, "evolve") else options.film_style
    how = {"title": artwork.title, "recipe": artwork.recipe_text(), "loop": options.film_loop, "alpha": artwork.alpha}
    return animated_svg(artwork.drawing, style, artwork.size, *times, **how).encode()


SVG = Format((".anim.svg",), _encode, film=True, forms=("sketch", "strokes", "shapes", "morph", "film"))
