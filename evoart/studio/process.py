"""Where the process that draws begins: what it needs is imported there, and not by the server that starts it."""

from __future__ import annotations

from multiprocessing.connection import Connection


def work(pipe: Connection, folder: str) -> None:
    """Do what comes out of the pipe; see ``evoart.studio.worker``."""
    from evoart.studio.worker import main

    main(pipe, folder)
