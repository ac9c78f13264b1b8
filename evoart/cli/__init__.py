"""The command line. Nothing here imports NumPy, JAX, numba or Pillow before a command has work to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``evoart`` with ``arguments`` (default: the process's own) and exit."""
    import signal

    from evoart.cli.app import run

    code = run(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done and said; libraries may take a moment to close
    raise SystemExit(code)
