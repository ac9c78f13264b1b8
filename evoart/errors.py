"""The errors a user can cause: one sentence that says what is wrong, one that says what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EvoartError(Exception):
    """Something went wrong that is not a bug: ``message`` says what, ``hint`` what to do. Exit code 1."""

    exit_code = 1

    def __init__(self, what: str, hint: str = "") -> None:
        self.message, self.hint = what.rstrip("."), hint.rstrip(".")
        end = "" if self.hint.endswith("?") else "."
        super().__init__(f"{self.message}. {self.hint}{end}" if hint else f"{self.message}.")

    def __reduce__(self) -> tuple[object, ...]:
        """Errors travel between processes: rebuilt without the constructor, then given their attributes."""
        return _rebuild_error, (type(self), self.args, self.__dict__)


def _rebuild_error(kind: type[EvoartError], args: tuple[object, ...], state: dict[str, object]) -> EvoartError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class UsageError(EvoartError):
    """The request itself is wrong (unknown name, value out of range, existing output). Exit code 2."""

    exit_code = 2


class MissingExtra(EvoartError):
    """An optional dependency is needed and absent; ``extra`` is its name in pyproject.toml."""

    def __init__(self, extra: str, needed_for: str) -> None:
        self.extra = extra
        super().__init__(f"{needed_for} needs the extra '{extra}'", f'Install it with: pip install "evoart[{extra}]"')


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is in no registry, with the nearest known names as a suggestion."""
    known = sorted(set(known))
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Choose one of: {', '.join(known)}"
    return UsageError(f"unknown {what} '{name}'", hint)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is not enough memory: Python's own, JAX's or torch's, called from JAX too."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    said = ("RESOURCE_EXHAUSTED", "OutOfMemoryError", "can't allocate memory", "bad_alloc")
    return isinstance(error, RuntimeError) and any(each in str(error) for each in said)
