"""NVIDIA's card, driver and packages on this machine, found without CUDA: by files and package lists alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PLUGINS = {"jax-cuda12-plugin": (12, 525), "jax-cuda13-plugin": (13, 580)}  # CUDA and the oldest driver that runs it
EXTRA = 'pip install "evoart[cuda]"'
ROOT = Path("/")  # of the file system; tests have their own


@dataclass(frozen=True)
class Card:
    """An NVIDIA GPU: its name, and its driver's version or ``""``."""

    name: str
    driver: str

    @property
    def major(self) -> int | None:
        """The driver's first number."""
        digits = re.match(r"\d+", self.driver)
        return int(digits[0]) if digits else None


def card() -> Card | None:
    """The first NVIDIA GPU that the system knows of, or None."""
    driver = _read(ROOT / "proc/driver/nvidia/version")
    version = re.search(r"\b(\d{3,}\.\d+(?:\.\d+)?)\b", driver)
    names = [
        match[1].strip()
        for file in sorted((ROOT / "proc/driver/nvidia/gpus").glob("*/information"))
        if (match := re.search(r"^Model:\s*(.+)$", _read(file), re.MULTILINE))
    ]
    there = bool(names or driver) or any((ROOT / name).exists() for name in ("dev/nvidia0", "dev/dxg"))
    if not there or not names or not version:
        answer = _ask_tool()  # containers and WSL hide the files and keep the tool
        if answer is None and not there:
            return None
        name, number = answer or ("", "")
        return Card(names[0] if names else name or "NVIDIA GPU", version[1] if version else number)
    return Card(names[0], version[1])


def why_unused(platforms: str = "") -> tuple[str, str]:
    """Why JAX sees no GPU, and what to do: the two sentences of an error.

    Args:
        platforms: what the environment's JAX_PLATFORMS says.
    """
    found, plugin = card(), _plugin()
    if found is None:
        return "there is no GPU that JAX could use here", "Leave out --device gpu, or use --device cpu"
    cuda, oldest = PLUGINS[plugin] if plugin else PLUGINS["jax-cuda12-plugin"]
    if found.major is not None and found.major < oldest:
        return (
            f"the NVIDIA driver {found.driver} is too old for CUDA {cuda}, which needs {oldest} or newer",
            "Update the driver, or use --device cpu",
        )
    if plugin is None:
        return f"JAX is installed without CUDA next to an {found.name}", f"Install it with: {EXTRA}"
    if platforms and not {"cuda", "gpu"} & set(platforms.split(",")):
        return f"JAX_PLATFORMS={platforms} hides the {found.name} from JAX", "Unset it, or use --device cpu"
    ours, theirs = _version("jaxlib"), _version(plugin)
    if ours.split(".")[:2] != theirs.split(".")[:2]:
        return f"{plugin} {theirs} does not fit jaxlib {ours}", f"Update both: {EXTRA.replace('install', 'install -U')}"
    return (
        f"JAX does not see the {found.name}, though CUDA is installed",
        "See why with: python -c \"import jax; jax.devices('cuda')\", or use --device cpu",
    )


def wheel() -> str:
    """What of JAX is installed or missing for the card, in a few words; ``""`` without a card."""
    found, plugin = card(), _plugin()
    if plugin:
        return f"{plugin} {_version(plugin)}"
    return f"missing; install it with: {EXTRA}" if found else ""


def _plugin() -> str | None:
    return next((name for name in PLUGINS if _version(name)), None)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _ask_tool() -> tuple[str, str] | None:
    """Name and driver as ``nvidia-smi`` tells them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    question = [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(question, capture_output=True, text=True, timeout=5, env=os.environ | {"LC_ALL": "C"})
    except (OSError, subprocess.SubprocessError):
        return None
    name, comma, driver = done.stdout.partition("\n")[0].partition(",")
    return (name.strip(), driver.strip()) if done.returncode == 0 and comma else None
