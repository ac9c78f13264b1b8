"""JAX's settings, in one place: compiled programs are kept between runs, and a GPU's memory is not taken whole."""

from __future__ import annotations

import functools
import os
import warnings

from evoart.cache import cache_dir


@functools.cache
def setup() -> None:
    """Prepare JAX; call before the first program is compiled. Later calls do nothing.

    A cache folder that cannot be written is not an error: programs are then compiled again on every run.
    """
    # Read by XLA when it first sees a GPU. A picture needs a small part of its memory; others may want the rest.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax

    # JAX would rather have its users' GPU kernels in another dialect one day. That is for us to follow, not for them.
    warnings.filterwarnings("ignore", "The Pallas Triton backend is deprecated", DeprecationWarning)
    # Nor is a cache that is damaged, or whose disk is full, of any concern to them.
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache entry")

    folder = cache_dir() / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK):
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    # Small programs are most of what a search compiles, so they are kept too.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
