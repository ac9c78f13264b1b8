"""``evoart score``: how near a picture is to some words."""

from __future__ import annotations

from typing import Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES


@click.command(
    cls=o.Command,
    short_help="Say how well a picture agrees with words.",
    epilog=f"Exit codes: {EXIT_CODES}.",
)
@click.argument("picture", type=o.path("PICTURE"))
@click.argument("text", nargs=-1, required=True)
@o.option(
    "CLIP",
    "--model",
    metavar="NAME[/TAG]",
    help="icons (inside evoart, names things), tiny (inside too, a CLIP of plain shapes), or a model of open_clip; "
    "several joined by +. See: evoart models. [default: a CLIP model that is here, else icons]",
)
@o.option("CLIP", "--pretrained", metavar="TAG", help="Which weights of the model.")
@o.option("CLIP", "--clip-weights", type=o.path(), metavar="FILE", help="Weights of the model, .safetensors.")
@o.option(
    "CLIP",
    "--scorer",
    type=o.Words("auto", "jax", "torch"),
    help="What computes the model: torch only where evoart cannot. [default: auto]",
)
@o.json_option
@o.verbosity_options
def score(picture: str, text: tuple[str, ...], as_json: bool, verbose: int, quiet: bool, **given: Any) -> int:
    """Show the cosine similarity of PICTURE and each TEXT, and how they share a probability of 1.

    PICTURE is shown to CLIP as open_clip's own transform shows it: its largest square in the middle. Transparency is
    white. The judge of icons says where each TEXT stands among all things that it can name, and how likely it is.
    """
    import json

    from evoart.cli.console import Console, tell
    from evoart.cli.downloads import callbacks
    from evoart.errors import UsageError
    from evoart.run.clip.default import find_default
    from evoart.run.clip.job import ClipJob
    from evoart.run.clip.models import fetch
    from evoart.run.clip.similarity import similarities
    from evoart.run.icons.job import MODEL

    console = Console(o.verbosity(verbose, quiet))
    options = {name: value for name, value in given.items() if value is not None}
    if options.get("model", find_default() or MODEL) == MODEL:
        if unused := [name for name in options if name != "model"]:
            raise UsageError(
                f"--{unused[0].replace('_', '-')} needs a CLIP model", "Leave it out, or use --model ViT-B-32"
            )
        if "model" not in options:
            console.say(
                "No CLIP model is here: the judge of icons answers. CLIP itself is --model ViT-B-32 (605 MB, once)"
            )
        return _judge(picture, text, as_json)
    job = ClipJob.make(prompts=text, **options)
    fetch(job, **callbacks(console))
    found = similarities(job, picture)
    if as_json:
        rows = [{"text": each, "similarity": round(s, 6), "probability": round(p, 6)} for each, s, p in found]
        click.echo(json.dumps({"picture": picture, "model": job.model, "scores": rows}))
        return 0
    for each, similarity, probability in sorted(found, key=lambda row: -row[1]):
        tell(f"{similarity:7.4f}  {probability:6.1%}  {each}")
    return 0


def _judge(picture: str, text: tuple[str, ...], as_json: bool) -> int:
    """Show where each text stands for the judge of icons; returns the exit code."""
    import json

    from evoart.cli.console import tell
    from evoart.run.icons.job import MODEL
    from evoart.run.icons.judging import judge_picture

    found = judge_picture(picture, text)
    if as_json:
        rows = [
            {"text": each, "rank": v.rank, "names": v.names, "probability": round(v.probability, 6)}
            for each, v in found
        ]
        click.echo(json.dumps({"picture": picture, "model": MODEL, "first": found[0][1].first, "scores": rows}))
        return 0
    for each, v in sorted(found, key=lambda row: row[1].rank):
        tell(f"rank {v.rank:5,} of {v.names:,}  {v.probability:6.1%}  {each}")
    if all(v.rank > 1 for _, v in found):
        tell(f"The judge takes it for: {found[0][1].first}")
    return 0
