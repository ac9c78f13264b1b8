"""What other packages add, found without paying for it where none does.

``importlib.metadata`` takes longer to import than the whole of ``evoart --help``, so the entry point files of the
installed packages are looked through as text first; it is asked only where one of them has a group of ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

_METADATA = (".dist-info", ".egg-info")


def entry_points(group: str) -> dict[str, Any]:
    """The entry points of a group, e.g. ``"evoart.shapes"``, by name; ``load()`` gives their objects."""
    header = f"[{group}]".encode()
    if not any(header in text for text in _entry_point_files()):
        return {}
    from importlib import metadata

    return {entry.name: entry for entry in metadata.entry_points(group=group)}


def _entry_point_files() -> Iterator[bytes]:
    """The contents of every installed package's ``entry_points.txt``; broken installations are passed over."""
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:  # a zip file, or not there
            continue
        for name in names:
            if name.endswith(_METADATA):
                try:
                    with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                        yield file.read()
                except OSError:
                    continue
