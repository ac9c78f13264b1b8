"""Fixtures that several files share: pictures made in code, photographs where they are at hand, golden pictures."""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Before anything imports Numba or JAX: the tests use a CPU, and leave the user's cache alone.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("EVOART_CACHE", str(Path(tempfile.gettempdir()) / "evoart-tests"))
# Hundreds of processes are started here. Each would compile evoart's sources again where Python may not keep bytecode,
# and each worker would rewrite the asserts of all files: a quarter of a start, and half of a collection.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import numpy as np
import pytest
from browser import page, pages_of  # noqa: F401 (fixtures, of one browser for all files)
from hypothesis import HealthCheck, settings

sys.dont_write_bytecode = False

# On a busy machine drawing examples may be slow; that is no fault of what is tested.
settings.register_profile("evoart", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("evoart")

SHARED = Path(__file__).parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="Write the golden pictures again instead of comparing.")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Processes of ``-n auto``: one a core, but each may hold a gigabyte, and many tests use several threads."""
    return min(4, os.cpu_count() or 1)


@pytest.fixture(scope="module", autouse=True)
def forget_programs() -> Iterator[None]:
    """What JAX compiled for one file's tests goes with them: thousands of programs are gigabytes.

    The C library keeps what the compiler has freed, in an arena for each of its threads, until it is told otherwise.
    """
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
        if trim is not None:
            trim(0)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of photographs and models that is too large, or not ours, to be kept with the code."""
    if not SHARED.is_dir():
        pytest.skip(f"there is no folder {SHARED} with the test photographs")
    return SHARED


@pytest.fixture
def regenerate(request: pytest.FixtureRequest) -> bool:
    """Whether golden pictures are to be written again."""
    return request.config.getoption("--regenerate")


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A picture ``(36, 48, 3)`` float32 of ramps, edges and a bright disc: quick to fit, hard to fit exactly."""
    return scenery(36, 48)


def scenery(h: int, w: int) -> np.ndarray:
    """Sky, a hill and a sun, ``(h, w, 3)`` float32 sRGB in [0, 1]."""
    y, x = np.mgrid[:h, :w].astype(np.float32)
    y, x = (y + 0.5) / h, (x + 0.5) / w
    image = np.stack([0.3 + 0.4 * y, 0.5 + 0.3 * y, 0.9 - 0.2 * x], -1)
    image[y > 0.65 + 0.15 * np.sin(5 * x)] = (0.2, 0.4, 0.15)
    image[np.hypot((x - 0.7) * w / h, y - 0.3) < 0.14] = (1.0, 0.85, 0.3)
    return image.astype(np.float32)
