"""``evoart redo``: make a picture again from the recipe inside it."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES

if TYPE_CHECKING:
    from evoart.run.job import Job


@click.command(
    cls=o.Command,
    short_help="Make a picture again from the recipe inside it.",
    epilog=f"Exit codes: {EXIT_CODES}.",
)
@click.argument("file", type=o.path())
@o.option(
    "Input", "--picture", type=o.path(), metavar="FILE", help="The photograph, where it has moved or to use another."
)
@o.output_options
@o.film_options
@o.engine_options
@o.checkpoint_options
@o.option(o.RUN, "--dry-run", is_flag=True, help="Print what would be done, and stop.")
@o.preview_option
@o.json_option
@o.verbosity_options
def redo(file: str, picture: str | None, **given: Any) -> int:
    """Run the recipe in FILE again: an SVG, PNG, WebP, JPEG, GIF, MP4 or JSON that evoart wrote.

    The same photograph, seed, machine and versions give the same picture.
    """
    from evoart.cli.work import fit_job
    from evoart.output.save import read_recipe
    from evoart.run.job import Job

    recipe = read_recipe(file)
    job = Job.from_dict(recipe.get("job", {}), f"the recipe in '{file}'")
    changes = {name: given.pop(name) for name in ("size", "engine", "device", "threads")}
    job = Job.from_dict(job.to_dict() | {name: value for name, value in changes.items() if value is not None})
    return fit_job(_with_picture(job, file, picture).with_seed(), **given)


def _with_picture(job: Job, file: str, picture: str | None) -> Job:
    """The job with a photograph that can be found: as told, as recorded, or beside the recipe's file."""
    from evoart.errors import UsageError

    if picture is not None:
        return dataclasses.replace(job, picture=picture, sha256="")
    if job.picture == "-":
        raise UsageError(f"'{file}' was made from standard input", "Name its photograph with --picture")
    if not job.picture or os.path.exists(job.picture):  # unlike Path.exists, False for a name that no file can have
        return job
    beside = Path(file).parent / Path(job.picture).name
    if os.path.exists(beside):
        return dataclasses.replace(job, picture=str(beside))
    raise UsageError(f"the photograph '{job.picture}' is not there", "Name it with --picture")
