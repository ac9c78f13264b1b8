"""Prompts as people write them: ``a cat``, ``a hat:0.5``, a file with one per line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evoart.errors import UsageError
from evoart.run.fields import Number, shortened, texts

LONGEST = 2000  # characters of a prompt; CLIP reads 77 tokens
_WEIGHTED = re.compile(r"(.*\S)\s*:\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.DOTALL)
# Two numbers on both sides of a colon, as in "16:9", "10:30", "2.35:1" or "12:30:45". A weight such as 0.5 is neither a
# ratio nor a time, and a space before the colon says that a weight is meant.
_RATIO = re.compile(r"(?:.*[^\w:.]|.*[^\d:]:)?(?:\d+(?:\.\d+)?|\d{1,2}:\d\d):(?!0\.)\d+(?:\.\d+)?", re.DOTALL)
_WEIGHT = Number(-100.0, 100.0, kind=float, flag="the weight of a prompt")


def split(written: str) -> tuple[str, float]:
    """Text and weight of ``text`` or ``text:weight``; without a weight it is 1. A colon elsewhere is text.

    So is one in a ratio or a time: ``a wide photo, 16:9`` and ``meeting at 10:30`` have no weight, while
    ``route 66:0.5`` and ``a photo, 16:9 :2`` have one.

    Raises:
        UsageError: no text, too much, or a weight out of range.
    """
    text = " ".join(_printable(written).split())
    match = None if _RATIO.fullmatch(text) else _WEIGHTED.fullmatch(text)
    words, weight = (match[1], float(_WEIGHT("weight", match[2]))) if match else (text, 1.0)
    if not words or text.startswith(":"):
        raise UsageError(f"the prompt '{shortened(written)}' is empty", 'Say what to draw, such as "a cat"')
    if len(words) > LONGEST:
        raise UsageError(f"a prompt has {len(words):,} characters", "CLIP reads about 60 words; use fewer")
    return words, weight


def prompts(name: str, value: Any) -> tuple[str, ...]:
    """A job's field: one prompt or several, each ``text`` or ``text:weight``, as they were written."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(each, str) for each in values):
        raise UsageError(f"the prompts are {shortened(value)}", 'Give text, such as "a cat"')
    for each in values:
        split(each)
    return tuple(" ".join(_printable(each).split()) for each in values)


def negative_prompts_of(name: str, value: Any) -> tuple[str, ...]:
    """A job's field: what to keep away from; a weight says how strongly, and is above 0."""
    values = prompts(name, value)
    for each in values:
        if split(each)[1] <= 0:
            raise UsageError(
                f'--negative-prompt "{each}" has a weight of 0 or less',
                "Weights of --negative-prompt count against it: use 0.5",
            )
    return values


def picture(written: str) -> tuple[str, float]:
    """Path and weight of ``photo.jpg`` or ``photo.jpg:0.3``; a file whose whole name is so is taken as it is."""
    match = _WEIGHTED.fullmatch(written)
    if match and not os.path.exists(written):
        return match[1], float(_WEIGHT("weight", match[2]))
    return written, 1.0


def paths(name: str, value: Any) -> tuple[str, ...]:
    """A job's field: files, or one."""
    return texts(name, [value] if isinstance(value, str) else value)


def weights(name: str, value: Any) -> tuple[float, ...]:
    """A job's field: the weights of files, or that of the one there is."""
    weight = Number(-100.0, 100.0, kind=float, flag="the weight of a picture")
    return tuple(weight(name, each) for each in (value if isinstance(value, list | tuple) else [value]))


def read(path: str | Path) -> list[str]:
    """The prompts in a text file, one per line; empty lines and lines that begin with ``#`` do not count.

    Raises:
        UsageError: no such file, not text, or no prompt in it.
    """
    try:
        lines = Path(path).read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UsageError(f"there is no file '{path}'", "Check the spelling") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the prompts '{path}' cannot be read ({error})", "Give a text file, UTF-8") from None
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not found:
        raise UsageError(f"there is no prompt in '{path}'", "Write one per line")
    for number, line in enumerate(lines, 1):
        if line.strip() in found:
            try:
                split(line)
            except UsageError as error:
                raise UsageError(f"'{path}', line {number}: {error.message}", error.hint) from None
    return found


def check_weights(wanted: Sequence[str], unwanted: Sequence[str], like: Sequence[float]) -> None:
    """Raise UsageError where nothing is wanted: all weights 0 or less, or no prompt at all."""
    weights = [split(each)[1] for each in wanted] + list(like)
    if not weights:
        hint = 'Add one: evoart clip "a cat"'
        raise UsageError(
            "there is nothing to draw: only --negative-prompt was given" if unwanted else "there is no prompt", hint
        )
    if max(weights) <= 0:
        raise UsageError("nothing has a weight above 0, so nothing is wanted", "Give at least one a weight above 0")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
