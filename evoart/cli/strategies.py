"""``evoart strategies``: evosax's strategies, with advice and known faults."""

from __future__ import annotations

import dataclasses
import json

import click

from evoart.cli import options as o


@click.command(cls=o.Command, short_help="List the evolution strategies, with advice.")
@o.json_option
def strategies(as_json: bool) -> int:
    """List the strategies of --search classical and --search regional, with advice and known faults."""
    from evoart.search.strategies import describe, names

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
