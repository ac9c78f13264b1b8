"""Quick, Draw! records: a JSON object a line, ``{"word": ..., "drawing": [[xs, ys], ...]}``; raw ones have times."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from evoart.errors import EvoartError
from evoart.sketch.simplify import simplify
from evoart.sketch.strokes import Polylines, fitted

BOX = 255.0  # the side that simplified drawings are scaled to
TOLERANCE = 2.0  # and simplified by, in those units (the dataset's README, 2017)
_BLANK = re.compile(r"\s*")


def read_records(data: bytes, where: str) -> Iterator[tuple[Polylines, str]]:
    """Drawings and their words; raw ones scaled and simplified as the published simplified ones are.

    Raises:
        EvoartError: something that is no such record, with its line.
    """
    text = data.decode("utf-8", "replace")
    decoder, place = json.JSONDecoder(), 0
    while (place := _BLANK.match(text, place).end()) < len(text):
        try:  # one JSON value after another: a record may stand on many lines
            record, end = decoder.raw_decode(text, place)
            strokes = [_stroke(stroke) for stroke in record["drawing"]]
            raw = any(len(stroke) > 2 for stroke in record["drawing"])
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            said = f"no {error}" if isinstance(error, KeyError) else str(error)[:100]
            line = text.count("\n", 0, place) + 1
            raise EvoartError(f"line {line} of '{where}' is no Quick, Draw! record ({said})", "Is it whole?") from None
        place = end
        strokes = [stroke for stroke in strokes if len(stroke)]
        if raw and strokes:
            strokes = simplify(fitted(strokes, (0, 0, BOX, BOX)), TOLERANCE)
        yield strokes, str(record.get("word", ""))


def write_records(drawings: Sequence[Polylines], words: Sequence[str]) -> bytes:
    """Simplified records: the longer side 255, whole numbers."""
    lines = []
    for strokes, word in zip(drawings, words, strict=True):
        placed = fitted(strokes, (0, 0, BOX, BOX))
        low = np.min([stroke.min(0) for stroke in placed], 0)
        drawing = [np.round(stroke - low).astype(int).T.tolist() for stroke in placed]
        lines.append(json.dumps({"word": word, "drawing": drawing}))
    return ("\n".join(lines) + "\n").encode()


def _stroke(stroke: Any) -> np.ndarray:
    points = np.array([stroke[0], stroke[1]], np.float64).T
    if points.ndim != 2 or not np.isfinite(points).all():
        raise ValueError("a stroke is no pair of lists of numbers")
    return points
