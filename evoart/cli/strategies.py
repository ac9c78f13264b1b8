"""``evoart strategies``: evosax's strategies, with advice and known faults."""

from __future__ import annotations

import json

import click

from evoart.cli import options as o


@click.command(cls=o.Command, short_help="List the evolution strategies, with advice.")
@o.json_option
def strategies(as_json: bool) -> int:
    """List the strategies of --search classical and --search regional, with advice and known faults."""
    from evoart.search.strategies import notes

    table = notes()
    if as_json:
        click.echo(json.dumps(table))
        return 0
    width = max(len(name) for name in table)
    for name, text in table.items():
        click.echo(f"{name:<{width}}  {text}")
    return 0
