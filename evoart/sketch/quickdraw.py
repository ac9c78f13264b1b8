"""Quick, Draw! records: a JSON object a line, ``{"word": ..., "drawing": [[xs, ys], ...]}``; raw ones have times."""

from __future__ import annotations

import contextlib
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
FARTHEST = 1e9  # of a coordinate: the squares of much larger ones are no numbers any more
_FILLED = re.compile(r"\S")


def read_records(data: bytes, where: str) -> Iterator[tuple[Polylines, str]]:
    """Drawings and their words; raw ones scaled and simplified as the published simplified ones are.

    Raises:
        EvoartError: something that is no such record, with its line.
    """
    text = data.decode("utf-8", "replace")
    decoder, place = json.JSONDecoder(), 0
    while match := _FILLED.search(text, place):
        place = match.start()
        record, end, fault = {}, place, "it is not JSON"
        with contextlib.suppress(ValueError, RecursionError):
            # One JSON value after another: a record may stand on many lines.
            record, end = decoder.raw_decode(text, place)
            fault = _fault(record)
        if fault:
            line = text.count("\n", 0, place) + 1
            raise EvoartError(f"line {line} of '{where}' is not a Quick, Draw! record: {fault}", "Is it whole?")
        strokes = [np.array(stroke[:2], np.float64).T for stroke in record["drawing"]]
        raw = any(len(stroke) > 2 for stroke in record["drawing"])
        place = end
        strokes = [stroke for stroke in strokes if len(stroke)]
        if raw and strokes:
            strokes = simplify(fitted(strokes, (0, 0, BOX, BOX)), TOLERANCE)
        word = record.get("word")
        yield strokes, word if isinstance(word, str) else ""


def write_records(drawings: Sequence[Polylines], words: Sequence[str]) -> bytes:
    """Simplified records: the longer side 255, whole numbers."""
    lines = []
    for strokes, word in zip(drawings, words, strict=True):
        placed = fitted(strokes, (0, 0, BOX, BOX))
        low = np.min([stroke.min(0) for stroke in placed], 0)
        drawing = [np.round(stroke - low).astype(int).T.tolist() for stroke in placed]
        lines.append(json.dumps({"word": word, "drawing": drawing}))
    return ("\n".join(lines) + "\n").encode()


def _fault(record: Any) -> str:
    """What is wrong with a record, in a few words; nothing where it is as it should be."""
    drawing = record.get("drawing") if isinstance(record, dict) else None
    if not isinstance(drawing, list):
        return 'it has no list called "drawing"'
    for number, stroke in enumerate(drawing, 1):
        pair = stroke[:2] if isinstance(stroke, list) else []
        if len(pair) < 2 or not all(isinstance(values, list) for values in pair) or len(pair[0]) != len(pair[1]):
            return f"stroke {number} is not a pair of lists of one length"
        if not all(type(value) in (int, float) and abs(value) <= FARTHEST for values in pair for value in values):
            return f"stroke {number} has something that is not a number, or none up to {FARTHEST:,.0f}"
    return ""
