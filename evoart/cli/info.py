"""``evoart info``: what a picture, recipe, checkpoint or sketch model holds."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
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

    FILE is an SVG, PNG, WebP, JPEG, GIF, MP4, PDF, JSON or checkpoint (.npz) of evoart, the weights of a sketch model,
    or - for standard input.
    """
    from evoart.sources import read_source

    data, _, label = read_source(file)
    facts = _KINDS[_kind(data, file)](data, label)
    if as_json:
        click.echo(json.dumps(facts))
        return 0
    facts["size"] = " x ".join(map(str, facts["size"])) if "size" in facts else None
    for name, value in facts.items():
        if isinstance(value, dict):
            for key, part in value.items():
                tell(f"{name + '.' + key if name != 'job' else key:<14} {_plain(part)}")
        elif value is not None:
            tell(f"{name:<14} {_plain(value)}")
    return 0


def _kind(data: bytes, file: str) -> str:
    """What a file holds, by its contents: a finished training has a checkpoint's ending and a recipe inside."""
    from evoart.output.recipe import ZIP_MEMBER

    if data[:4] != b"PK\x03\x04":
        return "checkpoint" if file.endswith(".npz") else "weights" if data.lstrip()[:1] in (b"[", b"v") else "recipe"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError):
        return "checkpoint"  # which says that it is damaged
    return "recipe" if ZIP_MEMBER in names else "weights" if "config.npy" in names else "checkpoint"


def _recipe(data: bytes, label: str) -> dict[str, Any]:
    from evoart.output.recipe import extract
    from evoart.run.recipe import record

    found = record(extract(data, label), label)
    return {
        "made by": f"evoart {found.recipe['evoart']}",
        "drawing": found.form.description,
        "size": list(found.size),
        **found.figures,
        "job": {name: value for name, value in found.job.items() if name != "format"},
    }


def _checkpoint(data: bytes, label: str) -> dict[str, Any]:
    from evoart.run.checkpoint import read_summary

    saved = read_summary(data, label)
    job = saved.job.to_dict()
    return {
        "checkpoint": "finished" if saved.state["reason"] else "unfinished",
        "drawing": saved.form.description,
        "size": list(saved.size),
        "seconds": round(saved.state["seconds"], 1),
        "job": {name: value for name, value in job.items() if name != "format"},
    }


def _weights(data: bytes, label: str) -> dict[str, Any]:
    from evoart.sketch.weights import decode

    model = decode(data, label.strip("'"))
    config = model.config
    return {
        "sketch model": config.name,
        "weights": sum(value.size for value in model.params.values()),
        "cell": config.cell,
        "hidden": config.hidden,
        "mixtures": config.mixtures,
        "latent": config.latent or None,
        "classes": list(config.classes) or None,
        "points at most": config.max_points,
        "licence": config.licence or None,
    }


_KINDS: dict[str, Callable[[bytes, str], dict[str, Any]]] = {
    "checkpoint": _checkpoint,
    "recipe": _recipe,
    "weights": _weights,
}


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        parts = [_plain(item) for item in value]
        return ("; " if any(" " in part for part in parts) else " ").join(parts)
    return str(value)
