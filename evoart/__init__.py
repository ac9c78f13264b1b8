"""Evolve pictures: from photographs, words, coordinates and pen strokes.

    import evoart

    result = evoart.fit("photo.jpg", shapes=50, kind="triangle", seed=1)
    result.save("photo.svg", "photo.png")
    evoart.clip("a cat").save("cat.svg")
    evoart.make("cppn", seed=3).save("lines.png")

``evoart.events(job)`` gives the same run as an iterator of events, for those who want to watch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from evoart.version import __version__

if TYPE_CHECKING:
    from evoart.errors import EvoartError, MissingExtra, UsageError
    from evoart.run.api import clip, events, fit, fit_many, load, make
    from evoart.run.cppn.generation import Breeder
    from evoart.run.fit.brush import paint_weights
    from evoart.run.fit.editing import edit, error_map
    from evoart.run.job import Job
    from evoart.run.result import Result
    from evoart.run.sketch.proposals import propose_strokes

__all__ = [
    "Breeder",
    "EvoartError",
    "Job",
    "MissingExtra",
    "Result",
    "UsageError",
    "__version__",
    "clip",
    "edit",
    "error_map",
    "events",
    "fit",
    "fit_many",
    "load",
    "make",
    "paint_weights",
    "propose_strokes",
]

# Imported on first use: ``import evoart`` itself must cost nothing.
_HOME = {
    "EvoartError": "evoart.errors",
    "MissingExtra": "evoart.errors",
    "UsageError": "evoart.errors",
    "Breeder": "evoart.run.cppn.generation",
    "Job": "evoart.run.job",
    "Result": "evoart.run.result",
    "clip": "evoart.run.api",
    "edit": "evoart.run.fit.editing",
    "error_map": "evoart.run.fit.editing",
    "paint_weights": "evoart.run.fit.brush",
    "events": "evoart.run.api",
    "fit": "evoart.run.api",
    "fit_many": "evoart.run.api",
    "load": "evoart.run.api",
    "make": "evoart.run.api",
    "propose_strokes": "evoart.run.sketch.proposals",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evoart' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
