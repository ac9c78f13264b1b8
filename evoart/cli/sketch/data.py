"""``evoart sketch encode``, ``convert`` and ``models``: numbers and files instead of pictures."""

from __future__ import annotations

import json
from pathlib import Path

import click

from evoart.cli import options as o
from evoart.cli.options import DRAWING, model_option
from evoart.cli.sketch.draw import fetch_model


@click.command(cls=o.Command, short_help="Print the latent vector of a drawing.")
@click.argument("drawing", type=o.path("DRAWING"))
@model_option
@o.option(o.OUTPUT, "-o", "--output", type=o.path(), metavar="FILE", help="Where to, .json. [default: standard output]")
@o.option(o.OUTPUT, "--overwrite", is_flag=True, help="Replace outputs that exist.")
@o.verbosity_options
def encode(drawing: str, model: str | None, output: str | None, overwrite: bool, verbose: int, quiet: bool) -> int:
    """Print the latent vector of DRAWING, an SVG or Quick, Draw! file, as JSON: z (its mean) and sigma."""
    from evoart.errors import UsageError
    from evoart.output.files import write
    from evoart.run.sketch.convert import check_output, encode_file
    from evoart.sketch.catalogue import DEFAULT_VAE

    fetch_model(model or DEFAULT_VAE, verbose, quiet)
    place = None if output in (None, "-") else Path(str(output)).expanduser()
    if place is not None:
        if place.suffix != ".json":
            raise UsageError(f"'{output}' does not end in .json", f"Call it {output}.json")
        check_output(place, overwrite, [Path(name).expanduser() for name in (drawing, model) if name])
    text = json.dumps(encode_file(drawing, model))
    click.echo(text if place is None else write(place, f"{text}\n".encode(), overwrite=overwrite))
    return 0


@click.command(
    cls=o.Command,
    short_help="Convert drawings and weights between formats.",
    epilog="For example: evoart sketch convert drawings/ -o mine.ndjson",
)
@click.argument("source", nargs=-1, required=True, type=o.path("SOURCE"))
@o.option(
    o.OUTPUT,
    "-o",
    "--output",
    required=True,
    type=o.path(),
    metavar="FILE",
    help="Drawings: .npz (stroke-3), .ndjson (Quick, Draw!), .svg (a sheet) or a folder (an SVG each). "
    "Weights: .npz, .json or .js (sketch-rnn-js).",
)
@o.option(o.OUTPUT, "--overwrite", is_flag=True, help="Replace outputs that exist.")
@o.option(DRAWING, "--tolerance", metavar="T", help="Simplify lines so much, on a page of 255. [default: 0]")
@o.option(DRAWING, "--points", metavar="N", help="Simplify every drawing to so many points at most.")
@o.option(DRAWING, "-n", "--number", "count", metavar="N", help="The first N drawings only.")
@o.verbosity_options
def convert(
    source: tuple[str, ...],
    output: str,
    overwrite: bool,
    tolerance: str | None,
    points: str | None,
    count: str | None,
    verbose: int,
    quiet: bool,
) -> int:
    """Convert SOURCE: SVG, folders of SVG, Quick, Draw! .ndjson, stroke-3 .npz; or the weights of a model."""
    from evoart.cli.console import Console, tell
    from evoart.run.fields import Number
    from evoart.run.sketch.convert import convert_files

    console = Console(o.verbosity(verbose, quiet))
    note, written = convert_files(
        [Path(path).expanduser() for path in source],
        Path(output).expanduser(),
        overwrite=overwrite,
        tolerance=0.0 if tolerance is None else Number(0, 255, kind=float)("tolerance", tolerance),
        points=None if points is None else int(Number(2, 10**6, "points")("points", points)),
        count=None if count is None else int(Number(1, 10**9, "drawings", flag="--number")("count", count)),
    )
    console.say(note)
    tell(str(written))
    return 0


@click.command(cls=o.Command, short_help="List the models that have a name.")
@o.json_option
@o.verbosity_options
def models(as_json: bool, verbose: int, quiet: bool) -> int:
    """List the models that have a name: those that come with evoart, and the published ones."""
    from evoart.cli.console import tell
    from evoart.sketch.catalogue import ADDRESS, BUILTIN, OTHERS, PUBLISHED, place

    kept = [name for name in (*OTHERS, *PUBLISHED) if place(name).is_file()]
    if as_json:
        click.echo(json.dumps({"builtin": BUILTIN, "published": [*OTHERS, *PUBLISHED], "downloaded": kept}))
        return 0
    for name, what in BUILTIN.items():
        tell(f"{name:<12} {what}; no network needed")
    for name, (_, _, what) in OTHERS.items():
        tell(f"{name:<12} {what}; downloaded on first use, and kept")
    tell("")
    tell(f"Published for sketch-rnn-js, learned from Quick, Draw!; about 3 MB each, from {ADDRESS}")
    tell("on first use, and kept. NAME.vae also encodes and interpolates (9 MB). No licence is stated for them.")
    tell("")
    for name in click.wrap_text(" ".join(PUBLISHED), 100).splitlines():
        tell(name)
    if kept:
        tell("")
        tell(f"Here already: {' '.join(kept)}")
    return 0
