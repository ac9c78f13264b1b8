"""Jobs as TOML files, as ``--config`` reads and ``--print-config`` writes them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from evoart.errors import UsageError
from evoart.run.job import Job


def read_config(path: str | Path) -> dict[str, Any]:
    """The options in a TOML (or JSON) file, by field name, unchecked.

    Raises:
        UsageError: no such file, or not TOML.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(f"there is no file '{path}'", "Check the spelling") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"'{path}' cannot be read as a config ({error})", "Give a TOML file") from None
    try:
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"'{path}' is not valid {path.suffix.lstrip('.') or 'toml'} ({error})", "Fix it") from None
    if isinstance(values, dict) and isinstance(values.get("job"), dict):  # a recipe
        values = values["job"]
    try:  # what is wrong with the file itself, before options are laid over it
        Job.from_dict(values, f"'{path}'")
    except UsageError as error:
        raise UsageError(f"in '{path}': {error.message}", error.hint) from None
    return {name: value for name, value in values.items() if name != "format"}


def to_toml(job: Job) -> str:
    """The job as a TOML file, as ``read_config`` reads it."""
    lines = [f"{name} = {_toml(value)}" for name, value in job.to_dict().items()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(str(k))} = {_toml(v)}" for k, v in value.items()) + " }"
    return repr(value)


# JSON lets these stand; TOML does not, or a terminal obeys them.
_CONTROLS = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
