"""What a machine wants to be told: speeds, and the codes that lift a pen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from evoart.errors import UsageError, unknown
from evoart.machine.pens import read_toml


@dataclass(frozen=True)
class Profile:
    """One machine. Codes are lines of G-code; HPGL has its own and takes the speed alone.

    Attributes:
        speed, travel_speed: mm a second with the pen down and up.
        lift: seconds for lifting and lowering the pen once.
        pen_up, pen_down: codes that do it.
        header, footer: codes at the beginning and the end.
        pen_change: codes before another pen, which comes after them in a comment.
    """

    speed: float = 40.0
    travel_speed: float = 80.0
    lift: float = 0.25
    pen_up: str = "G0 Z5"
    pen_down: str = "G1 Z0 F600"
    header: str = "G21\nG90"
    footer: str = "M2"
    pen_change: str = "M0"


PROFILES: dict[str, Profile] = {
    "z-axis": Profile(),
    "servo": Profile(pen_up="M3 S30\nG4 P0.15", pen_down="M3 S90\nG4 P0.15"),
    "marlin": Profile(
        pen_up="M280 P0 S40\nG4 P150", pen_down="M280 P0 S90\nG4 P150", pen_change="M400\nM0", footer="M84"
    ),
    "hp7475a": Profile(speed=250.0, travel_speed=380.0, lift=0.1),
}
_SPEEDS = ("speed", "travel_speed")


def read_profile(text: str) -> Profile:
    """The profile of a name, or of a TOML file with some of ``Profile``'s fields and ``base = "servo"``.

    Raises:
        UsageError: an unknown name or key, a value of the wrong kind or out of range.
    """
    if text.lower() in PROFILES:
        return PROFILES[text.lower()]
    if not text.lower().endswith(".toml"):
        raise unknown("machine profile", text, PROFILES)
    return _from_table(read_toml(Path(text), "a machine profile"), text)


def _from_table(table: Mapping[str, Any], where: str) -> Profile:
    base = table.get("base", "z-axis")
    if base not in PROFILES:
        raise unknown("machine profile", str(base), PROFILES)
    kinds = {field.name: field.type for field in fields(Profile)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key == "base":
            continue
        if key not in kinds:
            raise unknown(f"key of the profile '{where}':", key, [*kinds, "base"])
        if kinds[key] == "float":
            low, high = (0.1, 5000.0) if key in _SPEEDS else (0.0, 10.0)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise UsageError(f"{key} in '{where}' is {value!r}", f"Use {low:g} to {high:g}")
            values[key] = float(value)
        else:
            lines = value if isinstance(value, list) else [value]
            if not all(isinstance(line, str) and line.isascii() and len(line) < 2000 for line in lines):
                raise UsageError(f"{key} in '{where}' is {value!r}"[:200], "Give G-code as text, or a list of lines")
            values[key] = "\n".join(lines)
    return replace(PROFILES[base], **values)
