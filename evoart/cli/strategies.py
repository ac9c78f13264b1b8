"""``evoart strategies``: evosax's strategies, with advice and known faults, and a film of how they search."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES

FUNCTIONS = ("rastrigin", "schaffer", "picture")  # as run.strategies.film.FUNCTIONS: help imports nothing that works


@click.group(
    cls=o.Family, invoke_without_command=True, short_help="List the evolution strategies, with advice; film them."
)
@o.json_option
@click.pass_context
def strategies(ctx: click.Context, as_json: bool) -> int | None:
    """List the strategies of --search classical and --search regional, with advice and known faults."""
    from evoart.search.strategies import describe, names

    if ctx.invoked_subcommand is not None:
        o.refuse_options(ctx)
        return None
    table = [describe(name) for name in names()]
    if as_json:
        click.echo(json.dumps({info.name: dataclasses.asdict(info) for info in table}))
        return 0
    for info in table:
        advice = [info.note, info.fault and f"fault: {info.fault}", info.fixed and f"fixed here: {info.fixed}"]
        click.echo(f"{info.name:<24} {'; '.join(filter(None, advice)) or '-'}")
    click.echo(
        "\nWithout --strategy: snes. The default search, evolve, uses none of them and is far ahead for photographs."
    )
    return 0


@strategies.command(
    cls=o.Command,
    short_help="A film of strategies that search the same landscape, side by side.",
    epilog=f"For example: evoart strategies film --function schaffer -o es.webp. Exit codes: {EXIT_CODES}.",
)
@o.files_option("strategies-FUNCTION.anim.webp in the current folder", ".gif .apng .mp4 .webp; the end alone: .png")
@o.option(o.OUTPUT, "--overwrite", is_flag=True, help="Replace outputs that exist.")
@o.film_length_options
@o.option(
    o.SEARCH,
    "--function",
    type=o.Words(*FUNCTIONS),
    help="What they search: rastrigin and schaffer, functions of two numbers with many local optima, or picture, a "
    "photograph in triangles. [default: rastrigin]",
)
@o.option(
    o.SEARCH,
    "--strategies",
    type=o.Words(*o.STRATEGIES, metavar="NAMES", several=True),
    help="Which, 1 to 12, joined by commas. [default: nine that differ]",
)
@o.option(
    o.SEARCH, "--population", metavar="N", help="Candidates per generation, 4 to 1,024. [default: 32, of pictures 64]"
)
@o.option(
    o.SEARCH,
    "--evaluations",
    metavar="N",
    help="Budget of each strategy, 100 to 1,000,000. [default: 1,920, of pictures 20,000]",
)
@o.option(o.SEARCH, "-s", "--seed", metavar="N", help="The same for all strategies, 0 to 4,294,967,295. [default: 1]")
@o.option(o.SEARCH, "--picture", type=o.path(), metavar="FILE", help="The photograph. [default: the bundled one]")
@o.option(o.SEARCH, "-n", "--shapes", metavar="N", help="Triangles of a picture, 1 to 500. [default: 50]")
@o.json_option
@o.verbosity_options
def film(outputs: tuple[str, ...], overwrite: bool, as_json: bool, verbose: int, quiet: bool, **given: Any) -> int:
    """How evolution strategies search, side by side, from the same seed and with the same budget.

    Dots are the samples of a generation, the cross is the mean of the distribution they come from and the ellipse two
    of its standard deviations, where a strategy has one; the diamond is the best so far. The curves show the logarithm
    of its value, of pictures the PSNR.
    """
    from evoart.cli import session
    from evoart.cli.console import Console, tell_json, tell_path
    from evoart.run import fields
    from evoart.run.device import limit_threads, own_process
    from evoart.run.fields import Choice, Number
    from evoart.run.strategies import film as films

    console = Console(o.verbosity(verbose, quiet))
    checks = {
        "function": Choice(films.FUNCTIONS),
        "strategies": lambda name, value: films.check_strategies(value),
        "population": Number(4, 1024, "candidates"),
        "evaluations": Number(100, 1_000_000, "evaluations"),
        "seed": Number(0, 2**32 - 1),
        "picture": fields.named,
        "shapes": Number(1, 500, "triangles"),
    }
    told = {name: check(name, given[name]) for name, check in checks.items() if given[name] is not None}
    plan = films.Plan(**told)
    for flag in ("picture", "shapes"):
        if flag in told and plan.function != "picture":
            from evoart.errors import UsageError

            raise UsageError(f"--{flag} is for --function picture", "Leave it out, or add --function picture")
    options = session.write_options(given["film_size"], given["film_time"], film_fps=given["film_fps"])
    side = options.film_side or films.LONGEST
    with session.new_folders(outputs):
        places = session.outputs_for(
            outputs,
            (),
            stem="strategies",
            form=plan.function,
            format=None,
            overwrite=overwrite,
            inputs=[],
            formats=("animated-webp",),
        )
        places = [session.moving(place) if place.format == "webp" else place for place in places]
        session.check_stdout(places, as_json)
        own_process("cpu", None)
        limit_threads(None)
        with console.progress("searching") as progress:
            chart = plan.chart(progress)
        made = films.artwork(chart, side)
        with console.progress("drawing") as progress:
            options = dataclasses.replace(options, film_side=side, progress=progress)
            written, lost = session.write_all(made, places, options, console)
    if as_json:
        tell_json({"outputs": [str(path) for path in written], "function": plan.function, "seed": plan.seed})
    else:
        for path in written:
            tell_path(path)
    return 1 if lost else 0
