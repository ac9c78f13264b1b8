"""A job: one frozen, complete description of a run. It is what a recipe, a checkpoint and ``--config`` hold."""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evoart.errors import EvoartError, UsageError, unknown
from evoart.run import fields

FORMAT = 1
SEARCHES = ("evolve", "sets", "regional", "classical")
QUALITIES = ("draft", "normal", "best")
DEFAULT_SHAPES = 100
# Options of the default search, which are those of its plan: evaluations to find one shape, stages of growing, renewals
# planned and done, and gradient steps at the end. A test holds them to it.
GROWING = ("effort", "stages", "cycles", "rounds", "finish")

# What each preset sets; anything given beside it wins.
PRESETS: dict[str, dict[str, Any]] = {
    # Tian and Ha, "Modern Evolution Strategies for Creativity" (2021): their program's defaults.
    "es-clip": {
        "search": "classical",
        "strategy": "pgpe",
        "shapes": 50,
        "kind": "triangle",
        "pixels": 200,
        "population": 256,
        "generations": 10_000,
        "opacity": (0.0, 0.5),
        "finish": "none",
    },
}


@dataclass(frozen=True)
class Job:
    """Everything that decides how a run ends. None means: not set, the search decides.

    Attributes:
        command: what kind of run; ``fit``.
        picture: path of the photograph; ``""`` is the bundled one, ``"-"`` standard input.
        sha256: of the photograph's bytes, hexadecimal; ``""`` until it was read.
        shapes: how many, 1 to 20,000 (100, or as many as ``start`` has).
        kind: a shape, ``mixed``, or several joined by commas, e.g. ``triangle``, ``polygon:5``, ``ellipse,line``.
        opacity: lowest and highest opacity in [0, 1]; equal ones fix it.
        background: ``mean`` (the mean colour), ``transparent``, or ``#rrggbb``.
        keep_alpha: the output is transparent where the photograph is.
        palette: number of colours (2 to 256) chosen from the photograph, or the colours as ``#rrggbb``.
        pixels: long side of the canvas the search works on, 16 to 2,048 pixels.
        size: long side of the output, 1 to 32,768 pixels; None is the photograph's own size.
        search: ``evolve`` (grow, then refine jointly), ``sets``, ``regional`` or ``classical``.
        strategy: evosax strategy of ``regional`` and ``classical``; see ``evoart strategies``.
        preset: name of the preset the other fields came from.
        population: candidates per generation, 2 to 65,536.
        step: initial step size, 1e-5 to 2, relative to the natural step of each number.
        options: further settings of the strategy, or of the default search's plan (``GROWING``), by name.
        generations, evaluations: stop after so many.
        seconds: stop after so much wall time.
        until_psnr: stop at this PSNR in dB, 1 to 100.
        quality: ``draft``, ``normal`` or ``best``: how much work the search does without a budget.
        patience: stop after so many generations without an improvement of 0.1 %.
        loss: ``mse``, ``mae`` or ``oklab``.
        weights, weights_sha256: path of an importance map (white counts, black does not), and its hash as for
            ``sha256``.
        seed: 0 to 2^32 - 1; drawn where None.
        engine: ``auto``, ``scanline`` or ``dense``.
        device: ``auto``, ``cpu`` or ``gpu``.
        threads: CPU threads, 1 to 256; None is all.
        finish: ``gradient`` (polish with gradient steps) or ``none``.
        start, start_sha256: path of an evoart result to go on from, and its hash.
        max_pixels: photographs with more pixels are refused.
    """

    command: str = "fit"
    picture: str = ""
    sha256: str = ""
    shapes: int | None = None
    kind: str = "triangle"
    opacity: tuple[float, float] = (0.1, 1.0)
    background: str = "mean"
    keep_alpha: bool = False
    palette: int | tuple[str, ...] | None = None
    pixels: int = 256
    size: int | None = None
    search: str = "evolve"
    strategy: str | None = None
    preset: str | None = None
    population: int | None = None
    step: float | None = None
    options: dict[str, float | str] = field(default_factory=dict)
    generations: int | None = None
    evaluations: int | None = None
    seconds: float | None = None
    until_psnr: float | None = None
    quality: str = "normal"
    patience: int | None = None
    loss: str = "mse"
    weights: str | None = None
    weights_sha256: str = ""
    seed: int | None = None
    engine: str = "auto"
    device: str = "auto"
    threads: int | None = None
    finish: str = "gradient"
    start: str | None = None
    start_sha256: str = ""
    max_pixels: int | None = None

    def __post_init__(self) -> None:
        for entry in dataclasses.fields(self):
            value = getattr(self, entry.name)
            if value is not None:
                object.__setattr__(self, entry.name, _CHECKS[entry.name](entry.name, value))
            elif entry.default is not None:
                raise UsageError(f"{entry.name} is not set", "Leave it out to have its default")
        self._check_together()

    def _check_together(self) -> None:
        if self.strategy is not None and self.search in ("evolve", "sets"):
            raise UsageError(
                f"the search '{self.search}' has no strategy to choose",
                f"Use --search classical --strategy {self.strategy}, or --search regional",
            )
        if self.search == "evolve" and self.finish == "gradient":
            self._check_growing()
        if self.preset == "es-clip" and (self.search != "classical" or self.start is not None):
            what = "--start" if self.start is not None else f"--search {self.search}"
            raise UsageError(
                f"ES-CLIP's parametrisation does not go with {what}", "Leave out --preset es-clip, or the other"
            )
        if self.keep_alpha and self.background == "transparent":
            raise UsageError("--keep-alpha and --background transparent exclude each other", "Leave one of them out")

    def _check_growing(self) -> None:
        if self.device == "gpu" or self.engine == "dense":
            raise UsageError("the default search runs on the scanline engine, on the CPU", "Add --search sets")
        for name, value in (("population", self.population), ("step", self.step)):
            if value is not None:
                raise UsageError(f"the default search has no {name} to set", f"Use --search sets --{name} {value}")
        for name, value in self.options.items():
            if name not in GROWING:
                raise unknown("option of the default search", name, GROWING)
            if isinstance(value, str) or not (0 <= value <= 1e6 and value == int(value)):
                raise UsageError(f"{name}={value} is not a whole number from 0 to 1,000,000", f"Use --set {name}=100")

    @classmethod
    def make(cls, **given: Any) -> Job:
        """A job from options by name, as a caller or a command line gives them: a ``preset`` fills what is not given.

        ``time`` is another word for ``seconds`` and may be text such as ``"5m"``; None means not given.
        A ``strategy`` alone asks for the classical search.

        Raises:
            UsageError: unknown option (with a suggestion), a value of the wrong type or out of range.
        """
        given = {name: value for name, value in given.items() if value is not None}
        if "time" in given:
            given["seconds"] = given.pop("time")
        if "preset" in given:
            given["preset"] = fields.Choice(tuple(PRESETS))("preset", given["preset"])
            given = PRESETS[given["preset"]] | given
        if "strategy" in given:
            given.setdefault("search", "classical")
        for name in given:
            if name not in _CHECKS:
                raise unknown("option", name, [*_CHECKS, "time"])
        return cls(**given)

    def with_seed(self) -> Job:
        """This job with a seed: its own, or one drawn (six digits, so that it can be typed again)."""
        return self if self.seed is not None else dataclasses.replace(self, seed=secrets.randbelow(1_000_000))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON or TOML: every field that is set, defaults too, since those may change one day."""
        values = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        plain = {name: list(v) if isinstance(v, tuple) else v for name, v in values.items() if v not in (None, "", {})}
        return {"format": FORMAT} | plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "the job") -> Job:
        """The job that ``to_dict`` wrote, or a part of one (presets apply).

        Raises:
            EvoartError: written by a newer evoart.
            UsageError: unknown or unfit fields.
        """
        if not isinstance(values, Mapping):
            raise EvoartError(f"{where} is not a table of options", "Use a file that evoart wrote")
        form = values.get("format", FORMAT)
        if not isinstance(form, int) or isinstance(form, bool) or form < 1:
            raise EvoartError(f"{where} has the format {form!r}, which does not exist", "Use a file that evoart wrote")
        if form > FORMAT:
            raise EvoartError(f"{where} was made by a newer evoart (format {form})", "Update: pip install -U evoart")
        return cls.make(**{str(name): value for name, value in values.items() if name != "format"})

    def to_toml(self) -> str:
        """The job as a TOML file, as ``--config`` reads it."""
        lines = [f"{name} = {_toml(value)}" for name, value in self.to_dict().items()]
        return "\n".join(lines) + "\n"


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
        raise UsageError(f"'{path}' is not valid {path.suffix.lstrip('.') or 'toml'} ({error})", "Mend it") from None
    if isinstance(values, dict) and isinstance(values.get("job"), dict):  # a recipe
        values = values["job"]
    try:  # what is wrong with the file itself, before options are laid over it
        Job.from_dict(values, f"'{path}'")
    except UsageError as error:
        raise UsageError(f"in '{path}': {error.what}", error.remedy) from None
    return {name: value for name, value in values.items() if name != "format"}


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
SIZE = fields.Number(1, 32_768, "pixels")  # of an output's long side
_POSITIVE = 10**12
_CHECKS = {
    "command": fields.Choice(("fit",)),
    "picture": fields.text,
    "sha256": fields.text,
    "shapes": fields.Number(1, 20_000, "shapes"),
    "kind": fields.kinds,
    "opacity": fields.opacity,
    "background": fields.background,
    "keep_alpha": fields.flag,
    "palette": fields.palette,
    "pixels": fields.Number(16, 2048, "pixels"),
    "size": SIZE,
    "search": fields.Choice(SEARCHES),
    "strategy": fields.named,
    "preset": fields.Choice(tuple(PRESETS)),
    "population": fields.Number(2, 65_536, "candidates"),
    "step": fields.Number(1e-5, 2.0, kind=float),
    "options": fields.options,
    "generations": fields.Number(1, _POSITIVE, "generations"),
    "evaluations": fields.Number(1, _POSITIVE, "evaluations"),
    "seconds": fields.Number(0.1, 30 * 86_400, kind=fields.duration, flag="--time"),
    "until_psnr": fields.Number(1.0, 100.0, "dB", kind=float),
    "quality": fields.Choice(QUALITIES),
    "patience": fields.Number(1, _POSITIVE, "generations"),
    "loss": fields.Choice(("mse", "mae", "oklab")),
    "weights": fields.named,
    "weights_sha256": fields.text,
    "seed": fields.Number(0, 2**32 - 1),
    "engine": fields.Choice(("auto", "scanline", "dense")),
    "device": fields.Choice(("auto", "cpu", "gpu")),
    "threads": fields.Number(1, 256, "threads"),
    "finish": fields.Choice(("gradient", "none")),
    "start": fields.named,
    "start_sha256": fields.text,
    "max_pixels": fields.Number(4, 10**10, "pixels"),
}
