"""``evoart shapes``: the list of shapes."""

from __future__ import annotations

import json

import click

from evoart.cli import options as o
from evoart.cli.console import tell


@click.command(cls=o.Command, short_help="List the shapes.")
@o.json_option
def shapes(as_json: bool) -> int:
    """List the shapes that --kind knows, each with the numbers that make one up."""
    from evoart.draw.shapes import CORNERS, FAMILIES, MIXED, SHAPES

    table = {name: [parameter.name for parameter in SHAPES[name].parameters] for name in SHAPES}
    if as_json:
        kinds = {n: {"parameters": p, "filled": bool(SHAPES[n].filled)} for n, p in table.items()}
        click.echo(
            json.dumps({"shapes": kinds, "mixed": list(MIXED), "families": sorted(FAMILIES), "corners": CORNERS})
        )
        return 0
    for name, parameters in table.items():
        tell(f"{name:<18} {' '.join(parameters)}")
    low, high = CORNERS
    for family in sorted(FAMILIES):
        click.echo(f"{family + ':N':<18} with N corners, {low} to {high}")
    click.echo(f"{'mixed':<18} whichever fits best of {', '.join(MIXED)}")
    click.echo("\nSeveral, joined by commas, are chosen from as the picture needs: --kind ellipse,line")
    return 0
