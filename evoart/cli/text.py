"""Numbers, times and other people's text as a terminal may show them."""

from __future__ import annotations

import re

# What a terminal obeys instead of showing it (controls of both sets, line ends, turns of direction), and what it cannot
# show at all (bytes of a file's name that are no text).
_OBEYED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """``text`` as one harmless line: names and recipes come from anywhere. An escape becomes the letters ``\\x1b``."""
    return _OBEYED.sub(lambda match: ascii(match[0])[1:-1], text)


def clock(seconds: float) -> str:
    """``0:07``, ``2:30``, ``1:02:03``."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def span(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``2 min 30 s``, ``1 h 2 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def short(number: float) -> str:
    """``950``, ``12.3k``, ``4.1M``: three figures, for a line that must not dance."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            scaled = number / limit
            return f"{scaled:.0f}{unit}" if scaled >= 100 else f"{scaled:.1f}{unit}"
    return f"{number:.0f}"


def count(number: int, one: str, many: str = "") -> str:
    """``1 shape``, ``1,200 shapes``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def figures(values: dict[str, float]) -> str:
    """What a picture comes to, for people: ``24.05 dB``, ``similarity 0.312``; the loss where it is all there is.

    Empty where nothing is judged: a loss of 0 that stands alone.
    """
    if values == {"loss": 0.0}:
        return ""
    known = {name: value for name, value in values.items() if name not in ("loss", "names")} or values
    if "rank" in known:  # by the judge of icons
        rank, names = int(known.pop("rank")), int(values["names"])
        return ", ".join([*(_figure(*each) for each in known.items()), f"judge: rank {rank:,} of {names:,}"])
    return ", ".join(_figure(name, value) for name, value in known.items())


def _figure(name: str, value: float) -> str:
    if name == "psnr":
        return f"{value:.2f} dB"
    if name in ("held", "healed"):  # by an automaton
        return f"{name} {value:.2f} dB"
    return f"{value:.0%} finished" if name == "finished" else f"{name} {value:.4g}"
