"""What one field of a job may hold: reading it from text, TOML or Python, and saying plainly what is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

from evoart.errors import UsageError, unknown
from evoart.registry import spelled

READ = ("stamp", "letters")  # kinds of shapes that are read from files: stamp:heart.svg, letters:LOVE
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)(s?))?")
_SPECIAL = re.compile(r"(?i)nan|inf(inity)?")
_HEX = re.compile(r"#?(?:[0-9a-f]{3}|[0-9a-f]{6})")
# The sixteen of HTML 4 and orange: enough to type by heart; anything else is #rrggbb.
COLOURS = {
    "aqua": "#00ffff",
    "black": "#000000",
    "blue": "#0000ff",
    "fuchsia": "#ff00ff",
    "gray": "#808080",
    "green": "#008000",
    "grey": "#808080",
    "lime": "#00ff00",
    "maroon": "#800000",
    "navy": "#000080",
    "olive": "#808000",
    "orange": "#ffa500",
    "purple": "#800080",
    "red": "#ff0000",
    "silver": "#c0c0c0",
    "teal": "#008080",
    "white": "#ffffff",
    "yellow": "#ffff00",
}


def duration(value: Any) -> float:
    """Seconds of ``30``, ``"30s"``, ``"5m"``, ``"1h30m"``, ``"1h30"`` or ``"1.5h"``.

    A number without a unit has the one below that of the number before it.

    Raises:
        UsageError: not a duration.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = str(value).strip().lower()
    match = _DURATION.fullmatch(text)
    if not text or not match:
        raise UsageError(f"'{value}' is not a duration", "Write 30s, 5m, 1h or 1h30m")
    *parts, unit = match.groups()
    last = 60.0 if parts[0] and not parts[1] and not unit else 1.0
    return sum(float(part) * size for part, size in zip(parts, (3600.0, 60.0, last), strict=True) if part)


def duration_text(seconds: float) -> str:
    """``seconds``, to the millisecond, as ``duration`` reads it: ``90`` is ``1m30s``."""
    whole = int(seconds)
    if whole != seconds:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return "".join(f"{n}{u}" for n, u in ((hours, "h"), (minutes, "m"), (rest, "s")) if n) or "0s"


def colour(value: Any, what: str = "colour", others: tuple[str, ...] = ()) -> str:
    """``#rrggbb`` of a name, ``#rgb`` or ``#rrggbb`` (the ``#`` may be missing, as shells like to eat it).

    ``others`` are words that the caller takes too, for suggestions.
    """
    text = str(value).strip().lower()
    if text in COLOURS:
        return COLOURS[text]
    if not _HEX.fullmatch(text):
        if re.fullmatch(r"[a-z]+", text):
            raise unknown(what, text, [*COLOURS, *others])
        raise UsageError(f"'{shortened(value)}' is not a {what}", "Write #rrggbb or a name such as white")
    digits = text.lstrip("#")
    return "#" + (digits if len(digits) == 6 else "".join(2 * d for d in digits))


def rgb(hexadecimal: str) -> tuple[float, float, float]:
    """sRGB in [0, 1] of ``#rrggbb``."""
    r, g, b = bytes.fromhex(hexadecimal.lstrip("#"))
    return r / 255, g / 255, b / 255


@dataclass(frozen=True)
class Number:
    """A number in ``[low, high]``; ``kind`` is ``int`` or ``float`` (or ``duration``)."""

    low: float
    high: float
    unit: str = ""
    kind: Callable[[Any], Any] = int
    flag: str = ""

    def __call__(self, name: str, value: Any) -> int | float:
        flag = self.flag or "--" + name.replace("_", "-")
        number = self._read(flag, value)
        if not math.isfinite(number):
            raise UsageError(f"{flag} is '{value}', which is not a number", f"Use {self.range()}")
        if not self.low <= number <= self.high:
            raise UsageError(f"{flag} is {shown(number)}, which is out of range", f"Use {self.range()}")
        return number

    def _read(self, flag: str, value: Any) -> int | float:
        if isinstance(value, bool):
            raise UsageError(f"{flag} is {value}, which is not a number", f"Use {self.range()}")
        try:
            if self.kind is int and isinstance(value, str):
                value = _whole(value)
            number = self.kind(value)
            float(number)  # an integer may have thousands of digits, which no message and no later step could take
        except UsageError as error:  # of a duration
            raise UsageError(f"{flag}: {error.message}", error.hint) from None
        except (TypeError, ValueError, OverflowError):
            what = shortened(value)
            raise UsageError(f"{flag} is '{what}', which is not a number", f"Use {self.range()}") from None
        if self.kind is int and isinstance(value, float) and number != value:
            raise UsageError(f"{flag} is {value}, which is not a whole number", f"Use {self.range()}")
        return number

    def range(self) -> str:
        """What is allowed, in words: ``1 to 256 threads``."""
        if self.kind is duration:
            return f"{duration_text(self.low)} to {duration_text(self.high)}"
        return f"{shown(self.low)} to {shown(self.high)}{' ' + self.unit if self.unit else ''}"


def _whole(text: str) -> int | float:
    """An integer as people type it: ``50``, ``10_000``, ``10,000``, ``1e6``."""
    digits = text.strip().replace(",", "").replace("_", "")
    return int(digits) if re.fullmatch(r"[+-]?\d{1,30}", digits) else float(digits)


@dataclass(frozen=True)
class Choice:
    """One word of a few."""

    words: tuple[str, ...]

    def __call__(self, name: str, value: Any) -> str:
        word = spelled(text(name, value).strip())
        if word not in self.words:
            raise unknown(name.replace("_", " "), str(value), self.words)
        return word


def text(name: str, value: Any) -> str:
    """Text, also empty. Raises UsageError where it is anything else."""
    if not isinstance(value, str):
        what = shortened(value) if isinstance(value, bool | Real | list | tuple | dict) else type(value).__name__
        raise UsageError(f"--{name.replace('_', '-')} is {what}, which is not text", 'Give text, such as "name"')
    return value


def named(name: str, value: Any) -> str:
    """Text that names something, so not the empty one."""
    if not text(name, value):
        raise UsageError(f"--{name.replace('_', '-')} is empty", "Leave it out, or name something")
    return value


def texts(name: str, value: Any) -> tuple[str, ...]:
    """Several texts."""
    if not isinstance(value, list | tuple):
        raise UsageError(
            f"--{name.replace('_', '-')} is {shortened(value)}, which is not a list", "Give a list of texts"
        )
    return tuple(text(name, part) for part in value)


def flag(name: str, value: Any) -> bool:
    """True or false. Raises UsageError where it is anything else."""
    if not isinstance(value, bool):
        raise UsageError(f"--{name.replace('_', '-')} is {value!r}", "Use true or false")
    return value


def opacity(name: str, value: Any) -> tuple[float, float]:
    """Lowest and highest opacity: ``0.5`` (fixed), ``"0.1-0.9"`` or ``[0.1, 0.9]``."""
    low, high = _range(Number(0.0, 1.0, kind=float, flag="--opacity"), value, "opacity")
    if high < 0.01:
        raise UsageError(f"--opacity is {high:g} at most, which nobody can see", "Use at least 0.01")
    return low, high


def _range(number: Number, value: Any, what: str) -> tuple[float, float]:
    parts = value
    if isinstance(value, str):
        parts = re.split(r"\s*(?:(?<=[\d.])-|\.\.|,|:)\s*", value.strip())  # a minus before a number is its sign
    elif isinstance(value, Real):
        parts = [value]
    if not isinstance(parts, list | tuple) or not 1 <= len(parts) <= 2:
        raise UsageError(
            f"{number.flag} is {value!r}", f"Use one number for a fixed {what}, or a range such as 0.1-0.9"
        )
    low, high = number(what, parts[0]), number(what, parts[-1])
    if low > high:
        raise UsageError(f"{number.flag} runs from {low:g} down to {high:g}", f"Write {high:g}-{low:g}")
    return low, high


def stroke(name: str, value: Any) -> str:
    """Width of strokes: percent of the long side (``2``, ``"0.5-3"``, ``"0.5-3%"``) or pixels (``"2-6px"``); spelled in
    one way. See ``stroke_range``."""
    text = str(value).strip().lower() if isinstance(value, str) else value
    unit = next((unit for unit in ("px", "%") if isinstance(text, str) and text.endswith(unit)), "%")
    if isinstance(text, str):
        text = re.sub(r"(px|%)", "", text).strip()
        if match := re.search(r"[a-z]+$", text):
            raise UsageError(f"--stroke is in '{match[0]}'", "Use percent (0.5-3), px, or with --size in mm, mm")
    high = 100.0 if unit == "%" else 32_768.0
    low, high = _range(Number(0.01, high, "percent" if unit == "%" else "pixels", float, "--stroke"), text, "width")
    return (f"{low:g}" if low == high else f"{low:g}-{high:g}") + ("px" if unit == "px" else "")


def stroke_range(text: str, longest: int) -> tuple[float, float]:
    """Lowest and highest width in shares of the long side, of what ``stroke`` gave.

    Args:
        longest: long side of the output in pixels.
    """
    pixels = text.endswith("px")
    low, _, high = text.removesuffix("px").partition("-")
    whole = float(longest) if pixels else 100.0
    return min(float(low) / whole, 1.0), min(float(high or low) / whole, 1.0)


def count_bytes(name: str, value: Any) -> int:
    """A number of bytes: ``12000``, ``"12kB"`` (1,000 each), ``"1 MB"``, ``"12KiB"`` (1,024 each)."""
    flag = "--" + name.replace("_", "-")
    factor = 1
    if isinstance(value, str) and (
        match := re.fullmatch(r"\s*([\d.,_]+)\s*(k|m)(i?)b?\s*|\s*([\d.,_]+)\s*b\s*", value, re.I)
    ):
        factor = (1024 if match[3] else 1000) ** (1 if match[2].lower() == "k" else 2) if match[2] else 1
        value = match[1] or match[4]
    if factor == 1:
        return int(Number(500, 10**9, "bytes, such as 10kB", flag=flag)(name, value))
    number = Number(0.0, 10.0**9, "bytes, such as 10kB", float, flag)(name, value)
    return int(Number(500, 10**9, "bytes, such as 10kB", flag=flag)(name, round(number * factor)))


def background(name: str, value: Any) -> str:
    """``mean``, ``transparent`` or ``#rrggbb``; see ``colour``."""
    word = str(value).strip().lower()
    others = ("mean", "transparent")
    return word if word in others else colour(value, "background", others)


def palette(name: str, value: Any) -> int | tuple[str, ...]:
    """A number of colours to choose from the picture, or the colours themselves."""
    count = Number(2, 256, "colours", flag="--palette")
    if isinstance(value, Real):
        return int(count(name, value))
    if isinstance(value, str):
        if re.fullmatch(r"[+-]?\d+(\.\d+)?", value.strip()) and not re.fullmatch(r"[0-9a-f]{6}", value.strip()):
            return int(count(name, float(value)))
        value = [part for part in re.split(r"[\s,]+", value.strip()) if part]
    if not isinstance(value, list | tuple) or not value:
        raise UsageError(
            f"--palette is {value!r}", "Use a number of colours such as 8, or a list such as black,#e63946"
        )
    colours = tuple(dict.fromkeys(colour(part, "colour of the palette") for part in value))
    if len(colours) < 2:
        raise UsageError("--palette has one colour only", "Give at least two different colours")
    return colours


def kinds(name: str, value: Any) -> str:
    """A shape's name, ``mixed``, or several joined by commas; spelled as the registry spells them."""
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise UsageError(f"--kind is {value!r}", "Use names such as triangle or ellipse,line")
    words = [_spelled_kind(word.strip()) for part in parts for word in part.split(",")]
    words = [word for word in dict.fromkeys(words) if word]
    if not words:
        raise UsageError("--kind is empty", "Use a shape such as triangle; see: evoart shapes")
    from evoart.draw.shapes import SHAPES, shape
    from evoart.draw.shapes.ramp import MARK

    for word in words:
        if word == "mixed":
            continue
        if word.partition(":")[0] in READ:  # read when the run begins
            if not word.partition(":")[2]:
                raise UsageError(f"'{word}' names nothing to draw with", "Write stamp:heart.svg or letters:LOVE")
            continue
        if MARK in word:
            shape_name, _, paint = word.partition(MARK)
            raise UsageError(f"'{word}' is no kind of shape", f"Write -k {shape_name} --paint {paint}")
        if ":" not in word and word not in SHAPES:
            raise unknown("shape", word, [*SHAPES, "mixed"])
        shape(word)
    return ",".join(words)


def _spelled_kind(word: str) -> str:
    family, colon, of = word.partition(":")
    return f"{spelled(family)}:{of}" if colon and spelled(family) in READ else spelled(word)


FOCUS = 4.0  # how much more a rectangle counts, where nothing is said


def focus(name: str, value: Any) -> tuple[tuple[float, float, float, float, float], ...]:
    """Rectangles that count more, as shares of the sides: tuples, or ``X%,Y%,W%,H%[:FACTOR]``."""
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, list | tuple):
        raise UsageError(f"--focus is {value!r}", _FOCUS)
    return tuple(_focus(each) for each in value)


_FOCUS = "Write X%,Y%,W%,H% or X%,Y%,W%,H%:5, in percent of the picture's width and height: 30%,20%,40%,50%"


def _focus(value: Any) -> tuple[float, float, float, float, float]:
    numbers: list[float] = []
    if isinstance(value, str):
        place, colon, factor = value.partition(":")
        parts = [part.strip() for part in place.split(",")]
        try:
            numbers = [float(part.removesuffix("%")) / 100 for part in parts if part.endswith("%")]
            numbers.append(float(factor) if colon else FOCUS)
        except ValueError:
            numbers = []
    elif isinstance(value, list | tuple) and all(isinstance(n, Real) and not isinstance(n, bool) for n in value):
        numbers = [float(n) for n in value]
    if len(numbers) != 5:
        raise UsageError(f"--focus is {value!r}", _FOCUS)
    x, y, width, height, factor = numbers
    if not (0 <= x < 1 and 0 <= y < 1 and 0 < width <= 1 and 0 < height <= 1 and 0 <= factor <= 1000):
        raise UsageError(f"--focus {value!r} is not in the picture, or its factor not 0 to 1,000", _FOCUS)
    return x, y, width, height, factor


def options(name: str, value: Any) -> dict[str, float | str]:
    """Further settings for a strategy, by name: numbers, or words such as ``optimizer=adam``."""
    if not isinstance(value, dict):
        raise UsageError(f"--set holds {value!r}", "Write --set name=number")
    checked: dict[str, float | str] = {}
    for key, entry in value.items():
        if isinstance(entry, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", entry) and not _SPECIAL.fullmatch(entry):
            checked[str(key)] = entry
        else:
            checked[str(key)] = Number(-1e12, 1e12, kind=float, flag=f"--set {key}")(key, entry)
    return checked


def shortened(value: Any) -> str:
    """A value as a message shows it, on one line and not forever."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def shown(number: float) -> str:
    """A number as a person writes it: ``20,000``, ``0.5``, ``1``."""
    return f"{int(number):,}" if float(number).is_integer() and abs(number) < 1e15 else f"{number:g}"


@dataclass(frozen=True)
class Aspect:
    """Width to height, ``16:9``, as text.

    Attributes:
        limit: how many times longer one side may be than the other.
    """

    limit: float = 20.0

    def __call__(self, name: str, value: Any) -> str:
        match = re.fullmatch(r"\s*(\d{1,10}(?:\.\d+)?)\s*[:x/]\s*(\d{1,10}(?:\.\d+)?)\s*", str(value))
        wide, tall = (float(match[1]), float(match[2])) if match else (0.0, 0.0)
        if not (wide > 0 and tall > 0):
            raise UsageError(f"--aspect is '{shortened(value)}'", "Write width:height, such as 16:9")
        if not 1 / self.limit <= wide / tall <= self.limit:
            raise UsageError(
                f"--aspect {shortened(value)} is too long a strip", f"Use 1:{self.limit:g} to {self.limit:g}:1"
            )
        return f"{wide:.12g}:{tall:.12g}"


def extent(aspect: str) -> tuple[float, float]:
    """Width and height in units of ``3:2``; the longer one is 1."""
    wide, tall = (float(side) for side in aspect.split(":"))
    return wide / max(wide, tall), tall / max(wide, tall)
