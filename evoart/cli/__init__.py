"""The command line. Nothing here imports NumPy, JAX, numba or Pillow before a command has work to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``evoart`` with ``arguments`` (default: the process's own) and exit."""
    import gc
    import signal

    # A start makes half a million objects that stay. To look for garbage among them every 700 costs a tenth of it.
    gc.set_threshold(50_000)

    from evoart.cli.app import run

    code = run(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done and said; libraries may take a moment to close
    raise SystemExit(code)
