"""Many machines: jobs as tasks of a Ray cluster (P. Moritz et al., "Ray: A Distributed Framework for Emerging AI
Applications", 2018), which places them, sees workers die, and starts their jobs again elsewhere."""

from __future__ import annotations

import os
import secrets
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evoart.errors import EvoartError, MissingExtra
from evoart.gallery import pool, worker
from evoart.gallery.journal import Line, make_folder
from evoart.gallery.plan import Entry
from evoart.run.stop import Stop

RETRIES = 3  # of a task whose worker or machine is lost
TOKEN = "token"  # a file by which a worker sees that the gallery's folder is shared with it
_PATIENCE = 0.5  # seconds between two checks of the stop flag
_AHEAD = 4  # tasks given to the cluster for every one that it can run at once


def on_cluster(
    entries: Sequence[Entry],
    folder: Path,
    settings: worker.Settings,
    stop: Stop,
    address: str,
    cpus: float = 1,
    gpus: float = 0,
) -> Iterator[pool.Report]:
    """Do the jobs on a Ray cluster whose machines have evoart installed.

    Where a worker sees the gallery's folder it saves checkpoints and writes there; else it sends the files back. The
    journal is written by whoever reads these reports, so that nothing is in it twice.

    Args:
        address: ``auto`` (the cluster this machine belongs to, or one of this machine alone), or ``HOST:PORT``.
        cpus, gpus: what one job needs.

    Raises:
        MissingExtra: Ray is not installed. EvoartError: no cluster at that address.
        worker.DiskFull: nothing more can be written.
    """
    ray = _connect(address)
    task = ray.remote(_task).options(num_cpus=cpus, num_gpus=gpus, max_retries=RETRIES)
    token = secrets.token_hex(8)
    make_folder(folder / worker.WORK)
    (folder / worker.WORK / TOKEN).write_text(token)
    waiting, running = deque(entries), {}
    try:
        while (waiting or running) and stop.why is None:
            while waiting and len(running) < _room(ray, cpus, gpus):
                entry = waiting.popleft()
                running[task.remote(entry, str(folder.absolute()), token, settings, int(max(cpus, 1)))] = entry
            ready, _ = ray.wait(list(running), timeout=_PATIENCE)
            for reference in ready:
                entry = running.pop(reference)
                yield entry, _collect(ray, reference, entry, folder)
    finally:
        for reference in running:
            ray.cancel(reference, force=True)
        ray.shutdown()


def _connect(address: str) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise MissingExtra("cluster", "--ray") from None
    how = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": True}
    try:
        if address != "auto":
            _knock(address)
            ray.init(address, **how)
            return ray
        try:
            ray.init("auto", **how)
        except ConnectionError:  # there is none: one of this machine alone
            ray.init(include_dashboard=False, **how)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        what = " ".join(str(error).split())[:120]
        raise EvoartError(
            f"there is no Ray cluster at '{address}' ({what})", "Start one with: ray start --head, or check the address"
        ) from error
    return ray


def _knock(address: str) -> None:
    """Raise OSError or ValueError soon where nobody listens: Ray itself tries for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not host:
        raise ValueError("it is not HOST:PORT")
    socket.create_connection((host, int(port)), timeout=3).close()


def _room(ray: Any, cpus: float, gpus: float) -> int:
    """How many tasks to give out: enough that no machine waits for the next, few enough to cancel them quickly."""
    resources = ray.cluster_resources()
    rooms = [resources.get(name, 0) / need for name, need in (("CPU", cpus), ("GPU", gpus)) if need > 0]
    return max(1, int(_AHEAD * min(rooms, default=1)))


def _task(
    entry: Entry, folder: str, token: str, settings: worker.Settings, threads: int
) -> tuple[Line, worker.DiskFull | dict[str, bytes] | None]:
    """On a worker: the line and, where the folder is not shared, the files; or why nothing more can be written."""
    from evoart.run.device import limit_cores

    place, stopped = Path(folder), worker.failed(entry, "it was stopped on its worker")
    with limit_cores(threads):
        if _shares(place, token):
            line, full = worker.complete(entry, place, settings, Stop(), lambda event: None)
            return line or stopped, full
        return worker.perform(entry, place, settings, Stop(), lambda event: None, checkpoint=False) or (stopped, {})


def _shares(folder: Path, token: str) -> bool:
    try:
        return (folder / worker.WORK / TOKEN).read_text() == token
    except OSError:
        return False


def _collect(ray: Any, reference: Any, entry: Entry, folder: Path) -> Line:
    try:
        line, rest = ray.get(reference)
    except ray.exceptions.RayError as error:
        what = " ".join(str(error).split())[:200]
        return worker.failed(entry, f"its worker was lost {RETRIES + 1} times ({type(error).__name__}: {what})")
    if isinstance(rest, worker.DiskFull):
        raise rest
    if not rest:
        return line
    try:
        worker.store(folder, entry, rest)
    except worker.DiskFull:
        raise
    except EvoartError as error:
        return worker.failed(entry, error)
    return line
