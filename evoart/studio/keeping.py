"""What is kept in the studio's folder, and how errors are told. It costs no import until there is something to keep."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from evoart.errors import EvoartError, out_of_memory
from evoart.output.files import write

if TYPE_CHECKING:
    from evoart.run.job import Job
    from evoart.run.result import Result

PICTURES, THUMBS, FILMS = "pictures", "thumbs", "films"
THUMB = 360  # pixels of the long side


def keep_picture(result: Result, name: str, folder: Path = Path()) -> str:
    """Write a result into the studio's ``folder`` as ``name`` and its extension, with a thumbnail; returns that.

    SVG where the form has elements, else PNG; the recipe is inside.
    """
    from evoart.forms.cppn import NetworkForm
    from evoart.forms.sheet import SheetForm
    from evoart.output.formats import encode

    kind = "png" if isinstance(result.form, NetworkForm | SheetForm) else "svg"
    artwork = result.artwork()
    thumb = dataclasses.replace(result, kept={}).artwork(min(THUMB, max(result.size)))
    file = f"{name}.{kind}"
    write(folder / PICTURES / file, encode(kind, artwork), overwrite=True)
    write(folder / THUMBS / f"{name}.webp", encode("webp", thumb), overwrite=True, flush=False)
    return file


def explain(error: Exception) -> EvoartError:
    """Any error in our words."""
    if isinstance(error, EvoartError):
        return error
    if out_of_memory(error):
        return EvoartError("there is not enough memory", "Use fewer shapes or a smaller photograph")
    if isinstance(error, OSError):
        return EvoartError(f"the system refuses a file ({error.strerror or error})", "Free some space, or try again")
    return EvoartError(f"this is a bug in evoart ({type(error).__name__}: {error})", "Please report it")


def check_models(job: Job) -> None:
    """Refuse a job whose model would have to be downloaded: that is asked for on the command line.

    Raises:
        UsageError: an unknown model. EvoartError: one that is not here.
    """
    from evoart.run.downloads import find_missing_files

    if missing := find_missing_files(job):
        names = ", ".join(str(getattr(each, "name", each)) for each in missing)
        raise EvoartError(f"this needs a download ({names})", "Fetch it first: evoart clip PROMPT --model NAME")
