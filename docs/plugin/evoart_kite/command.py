"""``evoart palette``: which colours a picture is made of."""

from __future__ import annotations

import click

import evoart


@click.command()
@click.argument("file")
@click.option("-n", "--colors", default=6, show_default=True, help="How many.")
def palette(file: str, colors: int) -> None:
    """Print the commonest colours of FILE, a picture that evoart made."""
    from PIL import Image

    pixels = Image.fromarray((evoart.load(file).image(256) * 255).astype("uint8"))
    common = pixels.quantize(colors).convert("RGB").getcolors() or []
    for count, colour in sorted(common, reverse=True):
        click.echo(f"#{colour[0]:02x}{colour[1]:02x}{colour[2]:02x} {count / (pixels.width * pixels.height):.0%}")
