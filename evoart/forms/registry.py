"""The registry of art forms. A new one is one file and one line here (or an entry point ``evoart.forms``)."""

from __future__ import annotations

from evoart.registry import Registry

FORMS = Registry(
    "form",
    "evoart.forms",
    {
        "automaton": "evoart.forms.automaton:AutomatonForm",
        "shapes": "evoart.forms.shapes:ShapesForm",
        "glyphs": "evoart.forms.glyphs:GlyphsForm",
        "film": "evoart.forms.film:FilmForm",
        "cppn": "evoart.forms.cppn:CppnForm",
        "cppn-graph": "evoart.forms.cppn:GraphForm",
        "cppn-latent": "evoart.forms.latent:LatentForm",
        "sheet": "evoart.forms.sheet:SheetForm",
        "sketch": "evoart.forms.sketch:SketchForm",
        "strokes": "evoart.forms.strokes:StrokesForm",
    },
)
