"""The command line. Nothing here imports NumPy, JAX, numba or Pillow before a command has work to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``evoart`` with ``arguments`` (default: the process's own) and exit."""
    from evoart.cli.app import run

    raise SystemExit(run(arguments))
