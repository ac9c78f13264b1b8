"""``evoart grow``: a picture that grows from one cell, and heals when it is wounded."""

from __future__ import annotations

import os
from typing import Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES
from evoart.errors import UsageError

TARGET, RULE = "What grows", "Rule"


@click.command(
    cls=o.Command,
    short_help="Grow a picture from one cell; it heals.",
    epilog=f"Exit codes: {EXIT_CODES}. Ctrl-C once saves the best rule and a checkpoint, from which resume continues.",
)
@click.argument("target", required=False, type=o.path("PICTURE|WORDS"))
@o.output_options("NAME-automaton.html and .png in the current folder", "about 512: whole pixels a cell", "page")
@o.film_options
@o.option(TARGET, "--pixels", metavar="N", help="Long side of what grows, in cells, 4 to 128. [default: 24]")
@o.option(TARGET, "--padding", metavar="N", help="Empty cells around it, 0 to 32. [default: 4]")
@o.option(
    TARGET,
    "--background",
    type=o.Words("auto", "keep", "cut"),
    help="Of a picture without transparency: keep it, cut it away, or auto: cut it where the border has one colour. "
    "[default: auto]",
)
@o.option(TARGET, "--steps", "age", metavar="N", help="Steps that the picture has grown, 0 to 100,000. [default: 200]")
@o.option(RULE, "--hidden", metavar="N", help="Hidden units, 4 to 512. [default: 64]")
@o.option(RULE, "--batch", metavar="N", help="States of an update, 1 to 64. [default: 2]")
@o.option(RULE, "--pool", metavar="N", help="States that are kept to learn from, 1 to 1,024. [default: 128]")
@o.option(
    RULE, "--damaged", metavar="N", help="How many of a batch are wounded; 0: it does not learn to heal. [default: 1]"
)
@o.option(RULE, "--learning-rate", metavar="R", help="Of Adam, at first. [default: 0.006]")
@o.quality_option
@o.seed_option
@o.option(
    o.SEARCH,
    "--strategy",
    type=o.Words(*o.STRATEGIES, metavar="NAME"),
    help="Train by an evolution strategy and not by gradient: open_es, snes; see: evoart strategies.",
)
@o.option(o.SEARCH, "--population", metavar="N", help="Candidates per generation, 2 to 65,536. [default: by strategy]")
@o.option(o.SEARCH, "--set", "settings", multiple=True, metavar="NAME=NUMBER", help="A setting of the search; repeat.")
@o.budget_options
@o.device_options
@o.checkpoint_options
@o.config_options
@o.dry_run_option
@o.preview_option
@o.json_option
@o.verbosity_options
def grow(target: str | None, **given: Any) -> int:
    """A neural cellular automaton that grows PICTURE, or what WORDS say, from one cell: a page on which it lives and
    heals when it is touched (.html), a film of that, its weights (.safetensors), and a picture.

    PICTURE is a PNG, SVG, JPEG, WebP or the like, best one with transparency, or - for standard input. WORDS are an
    emoji or a thing that the model inside evoart knows (evoart models words): "a cat". Without either it grows a
    lizard, as in the paper (Mordvintsev et al., 2020). It takes about seven minutes on two cores.
    """
    from evoart.run.automaton.job import AutomatonJob

    options = o.RunOptions.take(given)
    config, settings, printing = (given.pop(name) for name in ("config", "settings", "print_config"))
    if target is not None:
        if not target.strip():
            raise UsageError("what is to grow is empty", 'Name a picture, or say a thing: evoart grow "a cat"')
        is_file = target == "-" or os.path.exists(target) or "." in os.path.basename(target) or os.sep in target
        given["picture" if is_file else "words"] = target
    job = AutomatonJob.make(**o.job_fields(given, config, settings))
    if printing:
        from evoart.run.config import to_toml

        click.echo(to_toml(job), nl=False)
        return 0
    from evoart.cli.runner import run_job

    return run_job(job, options)
