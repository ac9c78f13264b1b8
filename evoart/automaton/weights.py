"""The weights of a rule as a file in the safetensors format: a header of JSON, then the numbers."""

from __future__ import annotations

import json

import numpy as np

from evoart.automaton import rule
from evoart.types import Genome

RECIPE = "evoart"  # the name of the recipe among a file's notes


def layers(genome: Genome) -> dict[str, np.ndarray]:
    """The two layers by name: ``inward`` ``(hidden, 48)``, ``bias`` ``(hidden,)`` and ``outward`` ``(hidden, 16)``.

    A cell that sees ``v`` changes by ``relu(inward @ v + bias) @ outward``; see ``rule``.
    """
    table = np.asarray(genome, np.float32).reshape(-1, rule.row_length())
    parts = {"inward": table[:, : rule.SEEN], "bias": table[:, rule.SEEN], "outward": table[:, rule.SEEN + 1 :]}
    return {name: np.ascontiguousarray(part) for name, part in parts.items()}


def pack(genome: Genome, recipe: str = "") -> bytes:
    """The bytes of the file; ``recipe`` is JSON that is kept among its notes."""
    header: dict[str, object] = {"__metadata__": {RECIPE: recipe}} if recipe else {}
    data, at = b"", 0
    for name, part in layers(genome).items():
        header[name] = {"dtype": "F32", "shape": list(part.shape), "data_offsets": [at, at + part.nbytes]}
        data, at = data + part.astype("<f4").tobytes(), at + part.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data
