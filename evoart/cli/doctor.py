"""``evoart doctor``: versions, devices, engines, extras, caches, and what to install for what is missing."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from evoart.cli import options as o
from evoart.cli.console import tell
from evoart.version import __version__

PACKAGES = ("numpy", "numba", "pillow", "click", "jax", "jaxlib", "evosax", "shapely", "starlette", "uvicorn")
EXTRAS = {"video": "imageio-ffmpeg", "cluster": "ray"}


@click.command(cls=o.Command, short_help="Show versions, devices, engines and what is missing.")
@o.json_option
@o.verbosity_options
def doctor(as_json: bool, verbose: int, quiet: bool) -> int:
    """Show what evoart finds here: versions, devices, which engine runs, extras, caches, and what to install."""
    from evoart.run.device import cores

    facts = {
        "evoart": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.system()} {platform.machine()}, {cores()} CPU cores",
        **{name: _version(name) for name in PACKAGES},
        "gpu": _gpu(),
        "engines": _engines(),
        "extras": _extras(),
        "caches": _caches(),
        "terminal": _terminal(),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return 0
    for name, value in facts.items():
        if isinstance(value, dict):
            click.echo(f"\n{name}")
            wide = max(12, *map(len, value))
            for key, text in value.items():
                tell(f"  {key:<{wide}} {text}")
        else:
            tell(f"{name:<14} {value}")
    return 0


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"missing; install it with: pip install {name}"


def _gpu() -> dict[str, str]:
    """The card, what JAX makes of it, and what is missing for it."""
    from evoart.run import device, nvidia

    card = nvidia.card()
    table = {"card": f"{card.name}, driver {card.driver or 'unknown'}" if card else "none found"}
    if nvidia.wheel():
        table["JAX's CUDA"] = nvidia.wheel()
    try:
        used = device.accelerator()
        table["used by JAX"] = used or device.unused() or "none"
        if used:
            table["kernels"] = "Pallas" if device.has_kernels() else "none in this JAX: the dense program draws"
    except ImportError as error:
        table["used by JAX"] = f"JAX does not load ({error}); install it with: pip install jax"
    return table


def _engines() -> dict[str, str]:
    """What each command will draw with."""
    from evoart.errors import EvoartError
    from evoart.run import device
    from evoart.run.fit.engine import choose
    from evoart.run.fit.job import SEARCHES, FitJob
    from evoart.run.job import JOBS

    table = {}
    for search in SEARCHES:
        command = "fit" if search == "evolve" else f"fit --search {search}"
        try:
            choice = choose(FitJob.make(search=search))
            table[command] = f"{choice.engine} on {choice.device} ({choice.why})"
        except (EvoartError, ImportError) as error:
            table[command] = str(error)
    try:
        where = device.accelerator() or "cpu"
    except ImportError as error:
        where = str(error)
    scanline = dict.fromkeys(("icons", "morph"), "scanline on cpu (fastest on a CPU)")
    letters = {command: "NumPy on cpu" for command in JOBS if command.startswith("glyph-") and command != "glyph-train"}
    others = scanline | letters
    jax = {command: f"JAX on {where}" for command in JOBS if command != "fit" and command not in others}
    return table | jax | others


def _extras() -> dict[str, str]:
    table = {}
    for extra, package in EXTRAS.items():
        found = _version(package)
        if found.startswith("missing"):
            program = shutil.which("ffmpeg") if extra == "video" else None
            found = f"uses {program}" if program else f'missing; install it with: pip install "evoart[{extra}]"'
        table[extra] = found
    return table


def _caches() -> dict[str, str]:
    from evoart.cache import cache_dir

    try:
        from evoart.draw.gains import running_sums

        path = running_sums.stats.cache_path  # Numba's own word: it goes elsewhere if it must
        drawing = _folder(Path(path)) if path else "none"
    except (ImportError, RuntimeError) as error:
        drawing = f"none ({error})"
    return {"drawing": drawing, "JAX": _folder(cache_dir() / "jax")}


def _folder(path: Path) -> str:
    if not path.exists():
        return f"{path} (does not exist yet)"
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    writable = "" if os.access(path, os.W_OK) else ", not writable: programs are compiled again on every run"
    return f"{path} ({size / 1e6:.1f} MB{writable})"


def _terminal() -> dict[str, Any]:
    from evoart.cli import preview
    from evoart.cli.console import colours, terminal

    bits = preview.depth()
    return {
        "live line": "yes" if terminal(sys.stderr) else "no (not a terminal)",
        "colour": "yes" if colours(sys.stderr) else "no",
        "preview": f"{bits} bit" if bits else "no (needs 256 colours or more)",
    }
