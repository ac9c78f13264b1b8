"""What ``evoart studio`` was given: opened in the room that it is for."""

from __future__ import annotations

import os
from pathlib import Path

from evoart.errors import EvoartError, UsageError
from evoart.picture import read_source
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
        open_result(studio, data, name, Path(what).parent)
    else:
        try:
            open_photograph(studio, data, name)
        except UsageError as error:
            raise UsageError(error.message.replace("the file", f"'{what}'"), error.hint) from None
        except EvoartError as error:
            raise EvoartError(error.message.replace("the file", f"'{what}'"), error.hint) from None


def has_recipe(data: bytes) -> bool:
    """Whether a file is one that evoart made."""
    from evoart.output.recipe import extract

    try:
        return bool(extract(data, "the file"))
    except EvoartError:
        return False
