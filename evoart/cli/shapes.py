"""``evoart shapes``: the list of shapes."""

from __future__ import annotations

import json

import click

from evoart.cli import options as o
from evoart.cli.console import tell
from evoart.errors import EvoartError
from evoart.registry import Registry


@click.command(cls=o.Command, short_help="List the shapes.")
@o.json_option
def shapes(as_json: bool) -> int:
    """List the shapes that --kind knows, each with the numbers that make one up."""
    from evoart.draw.shapes import CORNERS, FAMILIES, MIXED, SHAPES

    table, broken = _parameters(SHAPES)
    if as_json:
        kinds = {n: {"parameters": p, "filled": bool(SHAPES[n].filled)} for n, p in table.items()}
        facts = {"shapes": kinds, "mixed": list(MIXED), "families": sorted(FAMILIES), "corners": CORNERS}
        click.echo(json.dumps(facts | ({"broken": broken} if broken else {})))
        return 0
    for name, parameters in table.items():
        tell(f"{name:<18} {' '.join(parameters)}")
    low, high = CORNERS
    for family in sorted(FAMILIES):
        click.echo(f"{family + ':N':<18} with N corners, {low} to {high}")
    click.echo(f"{'stamp:FILE':<18} the outline of an SVG, of a picture, or those of a folder")
    click.echo(f"{'letters:TEXT':<18} the letters of a font (--font)")
    click.echo(f"{'mixed':<18} whichever fits best of {', '.join(MIXED)}")
    for name, reason in broken.items():
        tell(f"{name:<18} broken: {reason}")
    click.echo("\nSeveral, joined by commas, are chosen from as the picture needs: --kind ellipse,line")
    return 0


def _parameters(known: Registry) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The names of every shape's numbers, and what is wrong with those whose plugin is broken."""
    table, broken = {}, {}
    for name in known:
        try:
            table[name] = [parameter.name for parameter in known[name].parameters]
        except EvoartError as error:
            broken[name] = error.message
        except (AttributeError, TypeError) as error:
            broken[name] = f"the shape '{name}' comes from a plugin and is not a shape ({error})"
    return table, broken
