"""The command line. Nothing here imports NumPy, JAX, numba or Pillow before a command has work to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``evoart`` with ``arguments`` (default: the process's own) and exit."""
    import os
    import signal

    # Our threads each have work of their own. A BLAS library's would wait for one another in a busy loop, and round
    # sums differently from one number of threads to the next.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from evoart.cli.app import run

    code = run(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done and said; libraries may take a moment to close
    raise SystemExit(code)
