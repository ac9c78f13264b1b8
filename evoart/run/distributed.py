"""One run on several processes, on one host or many: each draws its share of every population, all decide alike.

Every process runs the whole job from the same seed. What differs between them, the clock and the signals, the first
process decides for all. Only the first writes anything.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.errors import EvoartError, UsageError

if TYPE_CHECKING:
    from evoart.run.job import Job

VARIABLES = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
PATIENCE = 120  # seconds to wait for the others
_MESSAGE = 64  # bytes
_joined = False


def join() -> None:
    """Find the other processes: by JAX's variables, or as SLURM, Open MPI or Kubernetes tell them.

    Raises:
        UsageError: nothing says where they are. EvoartError: they do not answer.
    """
    global _joined
    if _joined:
        return
    given = [os.environ.get(name, "") for name in VARIABLES]
    managed = any(name in os.environ for name in ("SLURM_JOB_ID", "OMPI_MCA_orte_hnp_uri", "KUBERNETES_SERVICE_HOST"))
    if (any(given) and not all(given)) or not (any(given) or managed):
        missing = ", ".join(name for name, value in zip(VARIABLES, given, strict=True) if not value)
        raise UsageError(
            f"--distributed does not find the other processes ({missing} not set)",
            "Set them (host:port, how many, and which one from 0), or start evoart with srun or mpirun",
        )
    from evoart.engine.jax_setup import setup

    setup()
    import jax

    how: dict[str, Any] = {"initialization_timeout": PATIENCE}
    try:
        if all(given):
            how |= {"coordinator_address": given[0], "num_processes": int(given[1]), "process_id": int(given[2])}
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        with _redirect():
            jax.distributed.initialize(**how)
            _joined = True
            agree("here")
    except ValueError as error:
        raise UsageError(f"--distributed: {_first_line(error)}", f"Look at {', '.join(VARIABLES)}") from error
    except RuntimeError as error:
        raise EvoartError(
            f"the other processes do not answer ({_first_line(error)})", "Start all of them, within two minutes"
        ) from error


@contextlib.contextmanager
def _redirect() -> Iterator[None]:
    """Send what libraries print meanwhile to standard error: standard output is for results."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def active() -> bool:
    """Whether this run has several processes."""
    return _joined


def first() -> bool:
    """Whether this process is the one that writes and speaks."""
    if not _joined:
        return True
    import jax

    return jax.process_index() == 0


def agree(*words: Any) -> tuple[Any, ...]:
    """What the first process says: the same words (or None) on all of them. One process alone agrees with itself."""
    if not _joined:
        return words
    from jax.experimental import multihost_utils

    message = json.dumps(words).encode().ljust(_MESSAGE)
    answer = multihost_utils.broadcast_one_to_all(np.frombuffer(message, np.uint8))
    return tuple(json.loads(np.asarray(answer).tobytes()))


def draw_seed(job: Job) -> Any:
    """The job with a seed, on all processes the same."""
    job = job.with_seed()
    return dataclasses.replace(job, seed=int(agree(str(job.seed))[0]))


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200]
