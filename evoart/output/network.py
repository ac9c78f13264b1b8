"""What only a network can be written as: a shader, a page that zooms or grows, its diagram, its weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from evoart.errors import EvoartError
from evoart.output.formats import Artwork, Format, Options

FORMS = ("cppn", "cppn-graph", "cppn-latent")


def _network(artwork: Artwork) -> Any:
    """The artwork's drawing, which has ``net`` and ``genome``."""
    if not hasattr(artwork.drawing, "net"):
        raise EvoartError("this picture is not a network", "Choose .png, or use a picture that evoart cppn has made")
    return artwork.drawing


def _shader(artwork: Artwork, options: Options) -> bytes:
    from evoart.cppn.export.glsl import shader

    drawing = _network(artwork)
    return shader(drawing.net, drawing.genome, artwork.title, artwork.recipe_text()).encode()


def _page(artwork: Artwork, options: Options) -> bytes:
    from evoart.cppn.export.page import page

    if isinstance(own := getattr(artwork.drawing, "page", None), Callable):
        return own(artwork.title, artwork.recipe_text()).encode()
    drawing = _network(artwork)
    aspect = drawing.width / drawing.height
    return page(drawing.net, drawing.genome, aspect, artwork.title, artwork.recipe_text()).encode()


def _diagram(artwork: Artwork, options: Options) -> bytes:
    from evoart.cppn.export.diagram import diagram

    drawing = _network(artwork)
    return diagram(drawing.net, drawing.genome, artwork.title, artwork.recipe_text()).encode()


def _weights(artwork: Artwork, options: Options) -> bytes:
    """The recipe, with the genome in numbers that say what they are."""
    from evoart.cppn.weights import readable

    drawing, recipe = _network(artwork), artwork.recipe
    if not recipe:
        raise EvoartError("there is no recipe to write", "Choose another format")
    result = recipe.get("result", {"genome": ""})
    values = readable(drawing.net, drawing.genome)
    if result.get("form") == "cppn-latent":  # of which the genome is z alone
        values = {"latent": values["latent"]}
    numbers = ("weights", values)
    plain = recipe | {"result": dict(numbers if item[0] == "genome" else item for item in result.items())}
    return (json.dumps(plain, indent=1, allow_nan=False) + "\n").encode()


SHADER = Format((".frag", ".glsl"), _shader, forms=FORMS)
PAGE = Format((".html",), _page, forms=(*FORMS, "automaton"))
DIAGRAM = Format((".network.svg",), _diagram, forms=FORMS)
WEIGHTS = Format((".weights.json",), _weights, forms=FORMS)
