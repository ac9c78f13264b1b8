"""What commands whose pictures come on a sheet have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evoart.cli import options as o

if TYPE_CHECKING:
    from evoart.run.cppn.job import SheetJob
    from evoart.run.job import Job


def sheet_options(count: int) -> o.Decorator:
    """What is on the sheet; ``count`` pictures where nothing is said."""
    return o.together(
        o.option(o.SHEET, "-n", "--pictures", "n", metavar="N", help=f"How many, 1 to 400. [default: {count}]"),
        o.pick_option,
        o.option(o.SHEET, "--sheet-only", is_flag=True, help="Write the sheet, and not each picture as well."),
        o.option(o.SHEET, "--sheet-size", metavar="PIXELS", help="Long side of the sheet. [default: 400 a picture]"),
    )


breeding_options = o.together(
    o.option(
        o.SEARCH,
        "--mutation-scale",
        metavar="NUMBER",
        help="How much children differ from their parents, 0.05 to 10. [default: 1]",
    ),
    o.option(
        o.SEARCH,
        "--vary",
        type=o.Words("all", "colour", "structure"),
        help="What changes: colour, structure (everything but colour), or all. [default: all]",
    ),
)
run_options = o.together(
    o.device_options,
    o.checkpoint_options,
    o.dry_run_option,
    o.preview_option,
    o.json_option,
    o.verbosity_options,
)


def make_sheet(kind: type[SheetJob], given: dict[str, Any], **fields: Any) -> int:
    """Run a job whose pictures come on a sheet: ``--size`` is that of a picture, ``--sheet-size`` of the sheet."""
    members = not given.pop("sheet_only", True)
    each, sheet = given.pop("size"), given.pop("sheet_size")
    size = each if given.get("pick") is not None else sheet
    return run(kind, given | {"image_size": each, "size": size}, members, **fields)


def run(kind: type[Job], given: dict[str, Any], members: bool = False, **fields: Any) -> int:
    """Make the job of what click hands over and of ``fields``, and run it; returns the exit code."""
    from evoart.cli.runner import run_job

    options = o.RunOptions.take(given)
    return run_job(kind.make(**given, **fields).with_seed(), options, members=members)
