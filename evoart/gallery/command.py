"""The command line that a job stands for."""

from __future__ import annotations

import shlex
from typing import Any

from evoart.errors import EvoartError
from evoart.run.job import JOBS

_FIRST = {"fit": ("picture",), "clip": ("prompts",), "icons": ("prompts",)}  # spelled out; fields that need no flag
_CALLED = {"icons": "clip"}  # commands of jobs that have another name on the command line
_FLAGS = {"seconds": "time", "negative_prompts": "negative-prompt", "edits": "edit"}


def command_of(job: dict[str, Any], kept: str = "") -> str:
    """The shortest ``evoart ...`` that makes the picture of a job again, given as plain values.

    For commands with more to say than fits a line, ``evoart redo`` of the file ``kept``.
    """
    command = str(job.get("command", "fit"))
    if command not in _FIRST:
        return f"evoart redo {quoted(kept)}"
    words, flags = ["evoart", _CALLED.get(command, command)], []
    defaults = _defaults(command)
    first = _FIRST[command]
    for name, value in job.items():
        if (
            name in ("command", "format", "preset", "image_prompts_weight")
            or "sha256" in name
            or (name in defaults and defaults[name] == value)
        ):
            continue
        values = value if isinstance(value, list) else [value]
        if name in first:
            words += [str(each) for each in values]
        elif name == "options":
            flags += [part for key, each in dict(value).items() for part in ("--set", f"{key}={_short(each)}")]
        elif name == "image_prompts":
            weights = job.get("image_prompts_weight") or [1.0] * len(values)
            flags += [
                part for each in zip(values, weights, strict=False) for part in ("--image-prompt", _weighted(*each))
            ]
        elif isinstance(value, bool):
            flags += [_flag(name)] if value else []
        elif name == "opacity":
            flags += [_flag(name), "-".join(f"{each:g}" for each in values)]
        elif name == "area":
            flags += [_flag(name), ",".join(f"{each:g}" for each in values)]
        elif name == "palette" and isinstance(value, list):
            flags += [_flag(name), ",".join(values)]
        else:
            flags += [part for each in values for part in (_flag(name), str(each))]
    return " ".join(quoted(word) for word in [*words, *flags])


def quoted(word: str) -> str:
    """``word`` as a shell reads it back."""
    return shlex.quote(word)


def _weighted(path: str, weight: float) -> str:
    return path if weight == 1 else f"{path}:{weight:g}"


def _short(value: Any) -> str:
    """A number as a person types it."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def _flag(name: str) -> str:
    return "--" + _FLAGS.get(name, name).replace("_", "-")


def _defaults(command: str) -> dict[str, Any]:
    try:
        return JOBS[command]().to_dict()
    except (EvoartError, TypeError):  # a command whose jobs always say something
        return {}
