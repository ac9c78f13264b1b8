"""Trained weights as a file, with the recipe: of the sketch-rnn whose samples are shown, of others."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from evoart.output.formats import Artwork, Format, Options
from evoart.output.recipe import ZIP_MEMBER


def _encode(artwork: Artwork, options: Options) -> bytes:
    drawing: Any = artwork.drawing  # a ``run.sketch.trainer.SampleDrawing``: no other form has this format
    file = io.BytesIO(drawing.weights())
    if artwork.recipe:
        with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
            entry = zipfile.ZipInfo(ZIP_MEMBER)  # of a fixed date: the same training gives the same bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, artwork.recipe_text())
    return file.getvalue()


def _safetensors(artwork: Artwork, options: Options) -> bytes:
    drawing: Any = artwork.drawing  # ``forms.automaton.AutomatonDrawing``, ``run.model_sheet.ModelSheet``
    return drawing.safetensors(artwork.recipe_text())


SAFETENSORS = Format((".safetensors",), _safetensors, forms=("automaton", "latents", "letters"))
MODEL = Format((".npz",), _encode, forms=("samples",))
