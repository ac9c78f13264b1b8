"""Names to objects: built-ins in a plain dict, extended by entry points of other packages.

A value in the dict may be ``"package.module:attribute"``; it is imported on first use, so listing names costs nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evoart.errors import EvoartError, unknown
from evoart.plugins import entry_points


class Registry:
    """A lazy name -> object table. Names are lower case with hyphens, and found however they are spelled.

    Args:
        what: singular noun for error messages, e.g. ``"shape"``.
        group: entry point group that extends it, e.g. ``"evoart.shapes"``.
        builtin: the built-in entries; values are objects or ``"module:attribute"``.
    """

    def __init__(self, what: str, group: str, builtin: Mapping[str, Any]) -> None:
        self.message, self.group, self._builtin = what, group, dict(builtin)
        self._extended: dict[str, Any] | None = None

    def _table(self) -> dict[str, Any]:
        if self._extended is None:
            plugins = {spelled(name): _Unloaded(entry) for name, entry in entry_points(self.group).items()}
            own = {name: _Unloaded(value) if isinstance(value, str) else value for name, value in self._builtin.items()}
            # A plugin may add a name, never silently replace a built-in one.
            self._extended = plugins | own
        return self._extended

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._table()))

    def __contains__(self, name: str) -> bool:
        return spelled(name) in self._table()

    def __getitem__(self, name: str) -> Any:
        """The object called ``name``.

        Raises:
            UsageError: unknown name (with a suggestion). EvoartError: it comes from a plugin that does not load.
        """
        table, name = self._table(), spelled(name)
        if name not in table:
            raise unknown(self.message, name, table)
        value = table[name]
        # Threads may come here together: each loads the same object, and nobody sees anything else.
        if isinstance(value, _Unloaded):
            value = table[name] = self._load(name, value.place)
        return value

    def _load(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            module, _, attribute = value.partition(":")
            return getattr(importlib.import_module(module), attribute)
        try:
            return value.load()
        except (Exception, SystemExit) as error:  # a broken plugin must not take the tool down with it
            raise EvoartError(
                f"the {self.message} '{name}' comes from a plugin that does not load ({error})",
                f"Update or remove the package that provides '{value.value}'",
            ) from error


@dataclass(frozen=True)
class _Unloaded:
    """Where an object is: ``"module:attribute"``, or the entry point of a plugin."""

    place: Any


def spelled(name: str) -> str:
    """A name as registries keep it: ``Five_Star`` is ``five-star``."""
    return name.lower().replace("_", "-")
