"""``evoart clip``: words go in, a picture comes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EPILOG
from evoart.run.config import to_toml

if TYPE_CHECKING:
    from evoart.cli.console import Console
    from evoart.run.clip.job import ClipJob
    from evoart.run.job import Job

WORDS, MODEL, PICTURE = "Words and pictures to agree with", "CLIP", "Picture"


@click.command(
    cls=o.Command,
    short_help="Draw what words say: offline, or by CLIP.",
    epilog=EPILOG,
)
@click.argument("prompt", required=False, nargs=-1)
@o.option(
    WORDS,
    "--prompts",
    "file",
    type=o.path(),
    metavar="FILE",
    help="A text file with one prompt, and picture, per line.",
)
@o.option(
    WORDS,
    "--negative-prompt",
    "negative_prompts",
    multiple=True,
    metavar="TEXT",
    help='What the picture should not show: "text, blurry:0.5"; repeat.',
)
@o.option(
    WORDS,
    "--image-prompt",
    "image_prompts",
    multiple=True,
    metavar="FILE[:WEIGHT]",
    help="A picture that CLIP should find similar, or unlike with a weight below 0: photo.jpg:0.3; repeat.",
)
@o.option(
    WORDS,
    "--softmax",
    is_flag=True,
    default=None,
    help="Let the wanted prompts compete with the negative ones.",
)
@o.option(
    WORDS,
    "--count",
    metavar="N",
    help="How many different pictures, 1 to 100, each with its own seed. [default: 1]",
)
@o.option(
    MODEL,
    "--model",
    metavar="NAME[/TAG]",
    type=o.Words("tiny", "ViT-B-32", "ViT-B-32-256", "ViT-B-16", "ViT-L-14", metavar="NAME[/TAG]"),
    help="icons (inside evoart, draws things), tiny (inside too, a CLIP of plain shapes), or a model of open_clip; "
    "several joined by +. See: evoart models. [default: a CLIP model that is here, else icons]",
)
@o.option(MODEL, "--pretrained", metavar="TAG", help="Which weights of the model.")
@o.option(MODEL, "--clip-weights", type=o.path(), metavar="FILE", help="Weights of the model, .safetensors.")
@o.option(
    MODEL,
    "--evaluator",
    metavar="NAME[/TAG]",
    help="A model that judges the result and does not guide the search. [default: the same one, on fresh crops]",
)
@o.option(
    MODEL,
    "--precision",
    type=o.Words("auto", "float32", "bfloat16"),
    help="bfloat16 is faster on a GPU. [default: auto]",
)
@o.option(
    MODEL,
    "--scorer",
    type=o.Words("auto", "jax", "torch"),
    help="What computes the model: torch only where evoart cannot. [default: auto]",
)
@o.option(
    PICTURE,
    "--form",
    type=o.Words("shapes", "cppn", "sketch", "strokes", metavar="FORM"),
    help="What the picture is made of: shapes, cppn (a coordinate network), strokes, sketch, sketch:MODEL (noise that "
    "sketch-rnn draws from) or another form. [default: shapes]",
)
@o.shapes_options(PICTURE)
@o.option(PICTURE, "--opacity", metavar="LOW-HIGH", help="Range, or one fixed number, 0.01 to 1. [default: 0-1]")
@o.option(
    PICTURE,
    "--prune",
    metavar="NUMBER",
    help="At the end, remove shapes as long as the similarity falls by no more than this. [default: 0; tiny: 0.02]",
)
@o.option(
    PICTURE,
    "--background",
    type=o.Words("white", "black", "transparent", metavar="COLOUR"),
    help="#rrggbb, a name, or transparent (judged on white). [default: white]",
)
@o.option(PICTURE, "--palette", metavar="COLOURS", help="Only these colours: black,#e63946,orange.")
@o.aspect_option(PICTURE)
@o.start_option(PICTURE)
@o.output_options("WORDS-shapes.svg and .png in the current folder", "512")
@o.film_options
@o.film_style_options
@o.quality_option
@o.seed_option
@o.option(
    o.SEARCH,
    "--search",
    type=o.Words("gradient", "surrogate", "classical"),
    help="gradient follows CLIP's gradient to every corner and colour; surrogate evolves each shape by what CLIP says "
    "of its place; classical gives a strategy one number per candidate. [default: gradient]",
)
@o.option(
    o.SEARCH,
    "--strategy",
    type=o.Words(*o.STRATEGIES, metavar="NAME"),
    help="evosax strategy of classical. [default: pgpe]",
)
@o.strategy_options
@o.option(
    o.SEARCH,
    "--restarts",
    metavar="N",
    help="Start N times and continue with the best after a quarter. [default: 1; tiny: 4]",
)
@o.option(
    o.SEARCH, "--crops", metavar="N", help="Random crops that CLIP sees of a picture, 1 to 64. [default: 4, drafts 2]"
)
@o.option(
    o.SEARCH,
    "--crop-area",
    metavar="LOW-HIGH",
    help="Share of the picture that a crop shows. [default: 0.7-0.9]",
)
@o.option(
    o.SEARCH, "--pixels", metavar="N", help="Long side of the canvas that CLIP sees, 16 to 1,024. [default: by model]"
)
@o.budget_options
@o.device_options
@o.checkpoint_options
@o.config_options
@o.dry_run_option
@o.preview_option
@o.json_option
@o.verbosity_options
def clip(prompt: tuple[str, ...], file: str | None, count: str | None, **given: Any) -> int:
    """Draw what PROMPT says: "a cat", or several together, with weights: "a cat" "a hat:0.5".

    Without --model, a CLIP model that is on this machine draws; else the model inside evoart, which knows icons of
    1,695 things (evoart models words) and needs no network. Nothing is downloaded unless --model names it.

    A prompt that begins with a dash comes after --, as in: evoart clip -- "-5 degrees".
    """
    from evoart.run.fields import Number

    options = o.RunOptions.take(given)
    config, settings, printing = (given.pop(name) for name in ("config", "settings", "print_config"))
    fields = {"command": "clip"} | o.job_fields(given | {"prompts": prompt}, config, settings)
    jobs = _jobs(fields, file, int(Number(1, 100, "pictures", flag="--count")("count", count or 1)))
    if printing:
        click.echo(to_toml(jobs[0]), nl=False)
        return 0
    return _draw(jobs, options)


def _draw(jobs: list[Job], options: o.RunOptions) -> int:
    """Make every picture, one after the other; returns the exit code. An interruption ends them all."""
    import dataclasses
    from functools import partial

    from evoart.cli.console import Console
    from evoart.cli.downloads import callbacks
    from evoart.cli.runner import attempt, collect_json, run_job
    from evoart.cli.session import new_folders
    from evoart.errors import UsageError
    from evoart.run.clip.job import ClipJob
    from evoart.run.clip.models import fetch
    from evoart.run.device import own_process
    from evoart.run.downloads import find_missing_files

    if len(jobs) > 1 and ("-" in options.outputs or options.checkpoint):
        raise UsageError(
            "several pictures do not go to one place", "Leave out --checkpoint and -o -, or make one picture"
        )
    own_process(jobs[0].device, jobs[0].threads)
    console = Console(options.verbosity)
    judged = [job for job in jobs if isinstance(job, ClipJob)]  # the others need no CLIP
    if judged and not (options.dry_run and find_missing_files(judged[0])):
        fetch(judged[0], **callbacks(console))
        for job in judged:
            _warn(job, console)
    if len(jobs) == 1:
        return run_job(jobs[0], options)
    code = 0
    with new_folders((*options.outputs, *options.films)), collect_json(options) as report:
        for i, job in enumerate(jobs):
            outputs, films = (tuple(_numbered(each, i) for each in names) for names in (options.outputs, options.films))
            one = dataclasses.replace(options, outputs=outputs, films=films)
            run = partial(run_job, job, one, report=report)
            code = max(code, attempt(run, job.stem, report))
            if code > 1:  # the user does not want the others either, or they would fail for the same reason
                break
    return code


def _jobs(options: dict[str, Any], file: str | None, number: int) -> list[Job]:
    """One job per line of the file (or for the prompts given), times ``number``; seeds count up from the first."""
    from evoart.errors import UsageError
    from evoart.run.job import Job

    lines: list[tuple[str, ...]] = [()]
    if file is not None:
        from evoart.run.clip.prompts import read

        if options.get("prompts"):
            raise UsageError("prompts come from --prompts and from the command line", "Leave one of them out")
        lines = [(line,) for line in read(file)]
    jobs = []
    seed = None
    for line in lines:
        for i in range(number):
            chosen = {"seed": seed + i} if seed is not None and number > 1 else {}
            job = Job.make(**options | ({"prompts": line} if line else {}) | chosen).with_seed()
            seed = job.seed if seed is None else seed
            jobs.append(job)
    return jobs


def _warn(job: ClipJob, console: Console) -> None:
    """Say what the model will not read of a prompt."""
    from evoart.run.clip.models import find_overflow
    from evoart.run.clip.prompts import split

    for written in (*job.prompts, *job.negative_prompts):
        text, _ = split(written)
        if rest := find_overflow(job, text):
            console.say(f'Note: the model reads no further than this prompt\'s first words; cut: "{rest}"')
        if any(ord(letter) > 0x24F and letter.isalpha() for letter in text):
            console.say(f'Note: most CLIP models learned from English; "{text}" may mean little to them')


def _numbered(place: str, i: int) -> str:
    """The name of the ``i``-th of several files: ``cat.svg``, ``cat-2.svg``; folders stay."""
    path = Path(place)
    return place if i == 0 or path.is_dir() else str(path.with_name(f"{path.stem}-{i + 1}{path.suffix}"))
