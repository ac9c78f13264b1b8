"""How much a device holds: a population is evaluated in parts that fit into its memory."""

from __future__ import annotations

import sys

import jax

SHARE = 0.25  # of a device's free memory that one part of the population may take
DEFAULT = {"cpu": 2**28, "other": 2**30}  # bytes, where a device does not say what it has
MOST = 4096  # candidates of one part: more fill no device better


def free_bytes() -> int | None:
    """Bytes that the first device has left for us, or None where it does not say."""
    stats = jax.local_devices()[0].memory_stats() or {}
    limit = stats.get("bytes_limit")
    return None if limit is None else max(0, int(limit) - int(stats.get("bytes_in_use", 0)))


def peak_bytes() -> int | None:
    """The most bytes so far that the first device has in use, or this process where it is a CPU; None if unknown."""
    if jax.default_backend() != "cpu":
        peak = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
        return None if peak is None else int(peak)
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def candidates_within(each: int) -> int:
    """How many candidates of ``each`` bytes one part of the population may have: 1 at least."""
    free = free_bytes()
    platform = jax.default_backend()
    budget = DEFAULT.get(platform, DEFAULT["other"]) if free is None else SHARE * free
    return int(min(max(budget // max(each, 1), 1), MOST))


def numbers_within(arrays: int) -> int:
    """How many float32 numbers each of so many arrays may hold; 2^26 at most, since more fill no device better."""
    free = free_bytes()
    platform = jax.default_backend()
    budget = 4 * DEFAULT.get(platform, DEFAULT["other"]) if free is None else SHARE * free
    return int(min(max(budget // (4 * arrays), 2**18), 2**26))
