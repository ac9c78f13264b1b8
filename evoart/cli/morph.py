"""``evoart morph``: a film in which the shapes of one picture become those of another."""

from __future__ import annotations

from typing import Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES


@click.command(
    cls=o.Command,
    short_help="A film in which one picture's shapes become another's.",
    epilog=f"For example: evoart morph cat-shapes.svg dog-shapes.svg -o m.mp4 --loop. Exit codes: {EXIT_CODES}.",
)
@click.argument("first", type=o.path())
@click.argument("last", type=o.path())
@o.output_options("FIRST-to-LAST-morph.anim.webp in the current folder", "that of the first picture", "animated-webp")
@o.film_length_options
@o.option(
    o.FILM,
    "--easing",
    type=o.Words("smooth", "linear", "in", "out"),
    help="The pace of the change: smooth, linear, in (slow at first) or out (slow at last). [default: smooth]",
)
@o.option(o.FILM, "--loop", is_flag=True, default=None, help="There and back, without a seam.")
@o.aspect_option(o.FILM, "that of FIRST")
@o.option(o.RUN, "--threads", metavar="N", help="CPU threads, 1 to 256. [default: all]")
@o.dry_run_option
@o.json_option
@o.verbosity_options
def morph(first: str, last: str, **given: Any) -> int:
    """Let the shapes of the picture FIRST become those of LAST.

    Both are pictures of shapes that evoart made (evoart fit, evoart clip), or one of a sheet: sheet.png:7. Shapes that
    are alike in place, size, colour and layer become one another; where one picture has more, shapes fade in or out. As
    .anim.svg it moves in any browser, without a script.
    """
    from evoart.cli.runner import run_job
    from evoart.run.morph.job import MorphJob

    options = o.RunOptions.take(given)
    job = MorphJob.make(pictures=(first, last), **given)
    return run_job(job.with_seed(), options)
