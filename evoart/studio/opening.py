"""What ``evoart studio`` was given: opened in the room that it is for."""

from __future__ import annotations

import os
from pathlib import Path

from evoart.errors import EvoartError, UsageError
from evoart.sources import read_source
from evoart.studio.rooms.picture import open_photograph, open_result
from evoart.studio.studio import Studio


def open_first(studio: Studio, what: str) -> None:
    """Open a photograph, a result or a prompt.

    Raises:
        UsageError: no such file, or something is being made already.
        EvoartError: a file that cannot be used.
    """
    if not os.path.exists(what) and (" " in what or not Path(what).suffix):
        studio.command("words", "draw", {"prompts": [what]})
        return
    data, name, _ = read_source(Path(what))
    if has_recipe(data):
        _open_made(studio, data, name, Path(what).parent)
    else:
        try:
            open_photograph(studio, data, name)
        except UsageError as error:
            raise UsageError(error.message.replace("the file", f"'{what}'"), error.hint) from None
        except EvoartError as error:
            raise EvoartError(error.message.replace("the file", f"'{what}'"), error.hint) from None


def _open_made(studio: Studio, data: bytes, name: str, folder: Path) -> None:
    """Open a picture that evoart made: of a photograph to be edited, of strokes to be continued, one that
    grows, others to be bred."""
    from evoart.forms.automaton import AutomatonForm
    from evoart.forms.strokes import StrokesForm
    from evoart.run.api import load
    from evoart.run.fit.job import FitJob
    from evoart.studio.rooms import breed, draw, grow

    result = load(data)
    if isinstance(result.job, FitJob):
        open_result(studio, data, name, folder)
    elif isinstance(result.form, StrokesForm) and len(result.form.sketches) == 1:
        draw.open_result(studio, data, name)
    elif isinstance(result.form, AutomatonForm):
        grow.open_result(studio, data, name)
    else:
        breed.open_result(studio, data, name)


def has_recipe(data: bytes) -> bool:
    """Whether a file is one that evoart made."""
    from evoart.output.recipe import extract

    try:
        return bool(extract(data, "the file"))
    except EvoartError:
        return False
