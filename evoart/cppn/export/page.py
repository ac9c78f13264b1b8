"""A web page that shows one network and zooms into it forever: one file, no other, no network access."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from evoart.cppn.export.glsl import shader
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.types import Genome

RECIPE = '<script type="application/json" id="evoart">'


def page(net: Layers | Graph, genome: Genome, aspect: float, title: str = "", recipe: str = "") -> str:
    """The page as HTML; ``aspect`` is width over height of the picture, ``recipe`` JSON that is kept inside."""
    inside = recipe.replace("</", "<\\/")  # still the same JSON, and no end of the element
    kept = f"{RECIPE}{inside}</script>" if recipe else ""
    parts = {
        "@TITLE@": escape(title or "A network", quote=True),
        "@ASPECT@": f"{aspect:.9g}",
        "@LATENT@": str(net.latent),
        "@SHADER@": shader(net, genome, title).replace("</", "< /"),
        "@RECIPE@": kept,
    }
    text = files("evoart.cppn.export").joinpath("page.html").read_text("utf-8")
    for mark, part in parts.items():  # the recipe last: it may hold anything
        text = text.replace(mark, part, 1) if mark != "@TITLE@" else text.replace(mark, part)
    return text
