"""A trained sketch-rnn as a file: the weights of the model whose samples a drawing shows."""

from __future__ import annotations

from typing import Any

from evoart.output.formats import Artwork, Format, Options


def _encode(artwork: Artwork, options: Options) -> bytes:
    drawing: Any = artwork.drawing  # a ``run.sketch.trainer.SampleDrawing``: no other form has this format
    return drawing.weights()


MODEL = Format((".npz",), _encode, forms=("samples",))
