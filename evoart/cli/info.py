"""``evoart info``: what a picture, recipe or checkpoint holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from evoart.cli import options as o
from evoart.cli.console import tell


@click.command(cls=o.Command, short_help="Show what a picture, recipe or checkpoint holds.")
@click.argument("file", type=o.path())
@o.json_option
@o.verbosity_options
def info(file: str, as_json: bool, verbose: int, quiet: bool) -> int:
    """Show the recipe in FILE: how the picture was made, and how good it is.

    FILE is an SVG, PNG, WebP, JPEG, GIF, MP4, PDF, JSON or checkpoint (.npz) of evoart, or - for standard input.
    """
    facts = _checkpoint(Path(file)) if file.endswith(".npz") else _recipe(file)
    if as_json:
        click.echo(json.dumps(facts))
        return 0
    for name, value in facts.items():
        if isinstance(value, dict):
            for key, part in value.items():
                tell(f"{name + '.' + key if name != 'job' else key:<14} {_plain(part)}")
        elif value is not None:
            tell(f"{name:<14} {_plain(value)}")
    return 0


def _recipe(file: str) -> dict[str, Any]:
    from evoart.run.recipe import read_record

    record = read_record(Path(file))
    return {
        "made by": f"evoart {record.recipe['evoart']}",
        "drawing": record.form.description,
        "size": list(record.size),
        **record.figures,
        "job": {name: value for name, value in record.job.items() if name != "format"},
    }


def _checkpoint(path: Path) -> dict[str, Any]:
    from evoart.run.checkpoint import read_summary

    saved = read_summary(path)
    job = saved.job.to_dict()
    return {
        "checkpoint": "finished" if saved.state["reason"] else "unfinished",
        "drawing": saved.form.description,
        "size": list(saved.size),
        "seconds": round(saved.state["seconds"], 1),
        "job": {name: value for name, value in job.items() if name != "format"},
    }


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        parts = [_plain(item) for item in value]
        return ("; " if any(" " in part for part in parts) else " ").join(parts)
    return str(value)
