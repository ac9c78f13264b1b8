"""Names to objects: built-ins in a plain dict, extended by entry points of other packages.

A value in the dict may be ``"package.module:attribute"``; it is imported on first use, so listing names costs nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from evoart.errors import EvoartError, unknown
from evoart.plugins import entry_points


class Registry:
    """A lazy name -> object table.

    Args:
        what: singular noun for error messages, e.g. ``"shape"``.
        group: entry point group that extends it, e.g. ``"evoart.shapes"``.
        builtin: the built-in entries; values are objects or ``"module:attribute"``.
    """

    def __init__(self, what: str, group: str, builtin: Mapping[str, Any]) -> None:
        self.what, self.group, self._builtin = what, group, dict(builtin)
        self._extended: dict[str, Any] | None = None

    def _table(self) -> dict[str, Any]:
        if self._extended is None:
            # A plugin may add a name, never silently replace a built-in one.
            self._extended = entry_points(self.group) | self._builtin
        return self._extended

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._table()))

    def __contains__(self, name: str) -> bool:
        return name in self._table()

    def __getitem__(self, name: str) -> Any:
        """The object called ``name``; raises UsageError with a suggestion for an unknown name."""
        table = self._table()
        if name not in table:
            raise unknown(self.what, name, table)
        value = table[name]
        if isinstance(value, str):
            module, _, attribute = value.partition(":")
            value = getattr(importlib.import_module(module), attribute)
        elif hasattr(value, "load"):
            try:
                value = value.load()
            except Exception as error:  # a broken plugin must not take the tool down with it
                raise EvoartError(
                    f"the {self.what} '{name}' comes from a plugin that does not load ({error})",
                    f"Update or remove the package that provides '{table[name].value}'",
                ) from error
        table[name] = value
        return value
