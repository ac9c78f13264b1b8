"""``evoart redo``: make a picture again from the recipe inside it."""

from __future__ import annotations

import contextlib
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
@o.output_options("as for the command that made it", "as before", "as for that command")
@o.film_options
@o.film_style_options
@o.side_by_side_option
@o.engine_options
@o.checkpoint_options
@o.dry_run_option
@o.preview_option
@o.json_option
@o.verbosity_options
def redo(file: str, picture: str | None, **given: Any) -> int:
    """Run the recipe in FILE again: an SVG, PNG, WebP, JPEG, GIF, MP4, PDF or JSON that evoart wrote.

    The same photograph, seed, machine and versions give the same picture.
    """
    from evoart.cli.runner import run_job
    from evoart.output.save import read_recipe
    from evoart.run.job import Job

    recipe = read_recipe(file)
    job = Job.from_dict(recipe.get("job", {}), f"the recipe in '{file}'")
    changes = {name: given.pop(name) for name in ("size", "engine", "device", "threads")}
    job = Job.from_dict(job.to_dict() | {name: value for name, value in changes.items() if value is not None})
    return run_job(_with_files(job, file, picture).with_seed(), o.RunOptions.take(given))


def _with_files(job: Job, file: str, picture: str | None) -> Job:
    """The job with a photograph, start and importance map that can be found."""
    from evoart.errors import UsageError

    folder = Path(file).parent
    if picture is not None:
        if "picture" not in job.files:
            raise UsageError(f"'{file}' was made without a photograph", "Leave out --picture")
        job = dataclasses.replace(job, picture=picture, sha256="")
    for name, what in job.files.items():
        value = getattr(job, name)
        if not value or (name == "picture" and picture is not None):
            continue
        option = "--picture" if name == "picture" else ""
        if isinstance(value, str):
            if value == "-":
                raise UsageError(f"'{file}' was made from standard input", f"Name its {what} with --{name}")
            sha256 = str(job.hash_of(name))
            found: Any = _find(what, value, sha256, folder, option) if job.names_file(value) else value
        else:
            hashes = job.hash_of(name) or [""] * len(value)
            found = tuple(
                _find(what, each, sha256, folder) if job.names_file(each) else each
                for each, sha256 in zip(value, hashes, strict=False)
            )
        job = dataclasses.replace(job, **{name: found})
    return job


def _find(what: str, name: str, sha256: str, folder: Path, option: str = "") -> str:
    """Where a file of a job is: as recorded or in the recipe's own folder, by its contents where both have one."""
    from evoart.errors import UsageError

    # "sheet.png:7" is a picture of a sheet, unless there is a file of that name.
    name, colon, pick = (name, "", "") if os.path.exists(name) else _split_pick(name)
    places = [name, str(folder / Path(name).name)]
    existing = [place for place in places if os.path.exists(place)]  # False for a name that no file can have
    if not existing:
        hint = f"Name it with {option}" if option else f"Put it there, or next to the recipe in '{folder}'"
        raise UsageError(f"the {what} '{name}' is not there", hint)
    return next((place for place in existing if _hash(place) == sha256), existing[0]) + colon + pick


def _split_pick(name: str) -> tuple[str, str, str]:
    place, colon, number = name.rpartition(":")
    return (place, colon, number) if number.isdigit() else (name, "", "")


def _hash(place: str) -> str:
    import hashlib

    with contextlib.suppress(OSError), open(place, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return ""
