"""``evoart breed``: children of the pictures that somebody chose, of any form."""

from __future__ import annotations

from typing import Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES
from evoart.cli.sheets import breeding_options, make_sheet, run_options, sheet_options


@click.command(
    cls=o.Command, short_help="Children of the pictures you choose, of any form.", epilog=f"Exit codes: {EXIT_CODES}."
)
@click.argument("parents", nargs=-1, type=o.path("PARENT"))
@o.output_options("bred-sheet.png and bred-sheet-01.png, ... in the current folder", "1024 for each", "png")
@sheet_options(16)
@breeding_options
@o.seed_option
@run_options
def breed(parents: tuple[str, ...], **given: Any) -> int:
    """A sheet of mutants and crossings of PARENTS; choose, and pass the chosen back.

    A parent is a picture of any form: shapes, strokes, a network; or one of a sheet: sheet.png:7. Only pictures of one
    kind are crossed. Children come mild first and wilder towards the end. evoart cppn breed is the same for networks
    alone.
    """
    from evoart.run.cppn.breed_job import BreedJob

    return make_sheet(BreedJob, given, parents=parents)
