"""Options that commands share, in groups, each meaning the same everywhere.

Short options, at most eight in all: -n -k -o -s -t -q -v -h.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self

import click
from click.shell_completion import CompletionItem

# Words for completion and help. The registries, which cost imports, decide; a test checks that they agree.
KINDS = (
    "triangle",
    "rectangle",
    "rotated-rectangle",
    "circle",
    "ellipse",
    "rotated-ellipse",
    "line",
    "quadratic",
    "cubic",
    "polygon:5",
    "regular:6",
    "blob:6",
    "mixed",
)
STRATEGIES = (
    "ars", "asebo", "cma_anchored_les", "cma_es", "cr_fm_nes", "des", "differential_evolution", "diffusion_evolution",
    "esmc", "evotf_es", "gesmr_ga", "gradientless_descent", "guided_es", "hill_climbing", "iamalgam_full",
    "iamalgam_univariate", "les", "lga", "lm_ma_es", "ma_es", "mr15_ga", "noise_reuse_es", "open_es", "persistent_es",
    "pgpe", "pso", "random_search", "rm_es", "samr_ga", "sep_cma_es", "simple_es", "simple_ga", "simulated_annealing",
    "snes", "sv_cma_es", "sv_open_es", "xnes",
)  # fmt: skip
FORMATS = (
    "svg", "png", "webp", "jpeg", "gif", "apng", "animated-webp", "animated-svg", "mp4", "webm", "pdf", "json",
    "shader", "page", "network", "weights", "model", "safetensors", "ttf",
)  # fmt: skip


class Words(click.ParamType):
    """Text with words to complete (``several``: joined by commas). The job checks it and suggests the nearest."""

    name = "word"

    def __init__(self, *words: str, metavar: str = "", several: bool = False) -> None:
        self.words, self.metavar, self.several = words, metavar, several

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What stands for the value in help: ``metavar``, or all words."""
        return self.metavar or "|".join(self.words)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The words that begin like the last one typed."""
        before, comma, last = incomplete.rpartition(",") if self.several else ("", "", incomplete)
        return [CompletionItem(before + comma + word) for word in self.words if word.startswith(last)]


class Option(click.Option):
    """An option that knows the heading it is listed under."""

    def __init__(self, *args: Any, group: str = "Options", **kwargs: Any) -> None:
        self.group = group
        super().__init__(*args, **kwargs)


# Options that had other names before; what is typed by habit is told the new one.
RENAMED = {
    "--avoid": "--negative-prompt",
    "--canvas": "--form",
    "--choice": "--candidates",
    "--drop": "--augment-drop",
    "--first": "--offset",
    "--judge": "--evaluator",
    "--keep": "--keep-prob",
    "--like": "--image-prompt",
    "--longest": "--max-points",
    "--not": "--negative-prompt",
    "--part": "--shard",
    "--rate": "--learning-rate",
    "--reach": "--span",
    "--starts": "--restarts",
    "--strength": "--mutation-scale",
    "--stretch": "--augment-scale",
}


class _Grouped(click.Command):
    """Help that lists options by group."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        kwargs["context_settings"] = settings | kwargs.get("context_settings", {})
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line.

        Raises:
            click.UsageError: for an option that was renamed, with its new name.
        """
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            new = RENAMED.get(error.option_name)
            if new in {name for parameter in self.params for name in parameter.opts}:
                message = f"No such option '{error.option_name}'. (Did you mean {new}?)"
                raise click.UsageError(message, error.ctx) from None
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options by group: messages last, ``--help`` at their end."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record:
                groups.setdefault(getattr(parameter, "group", MESSAGES), []).append(record)
        for group in sorted(groups, key=MESSAGES.__eq__):
            with formatter.section(group):
                formatter.write_dl(groups[group], col_max=24)


class Command(_Grouped):
    """A command whose help lists options by group."""


class Family(_Grouped, click.Group):
    """A command that does something by itself, and has others under it."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under this one, then its options."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


MESSAGES = "Messages"
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def option(group: str, *names: str, **settings: Any) -> Decorator:
    """``click.option`` under the heading ``group``. No default unless said so: None means not given."""
    return click.option(*names, cls=Option, group=group, **settings)


def together(*decorators: Decorator) -> Decorator:
    """One decorator that applies all of ``decorators``; the first is listed first."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def path(metavar: str = "FILE") -> click.ParamType:
    """A path that is checked by whoever opens it, with file completion in the shell."""
    kind = click.Path()
    kind.name = metavar.lower()
    return kind


FILM_STYLES = ("evolve", "grow", "glide", "explode")  # as output.formats.STYLES
CLIPS = ("path", "cut")  # as output.formats.CLIPS: help imports nothing of the output
OUTPUT = "Output"
SIZE_HELP = "Long side of the picture: pixels, 1 to 32,768, or a length: 420mm, 42cm, 16.5in. [default: {}]"


def _check_dpi(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    from evoart.run.fields import Number

    return float(Number(10, 4800, "pixels an inch", float, "--dpi")("dpi", value))


def _to_pixels(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A length becomes pixels, and ``dpi`` what makes them exactly as long."""
    if value is None:
        return None
    from evoart.errors import UsageError
    from evoart.units import DPI, INCH, millimetres, pixels

    found = pixels(value, ctx.params.get("dpi") or DPI, "--size")
    if found is None:
        number = value.strip().removesuffix("px")
        try:
            float(number.replace(",", ""))
        except ValueError:
            hint = "Use pixels, 1 to 32,768, or a length: 420mm (the long side of A3), 42cm, 16.5in"
            raise UsageError(f"--size is '{value[:40]}', which is neither pixels nor a length", hint) from None
        return number
    ctx.params["dpi"] = found / (millimetres(value, "--size") / INCH)
    return str(found)


def files_option(names: str, formats: str) -> Decorator:
    """Where files go: the names written where none are given, and the extensions there are."""
    return option(
        OUTPUT,
        "-o",
        "--output",
        "outputs",
        multiple=True,
        type=path(),
        metavar="FILE",
        help=f"Write here; repeat for more. The extension is the format: {formats}. A folder (name/) gets the default "
        f"name, - is standard output. [default: {names}]",
    )


def output_options(names: str, size: str, format: str = "svg") -> Decorator:
    """Where the pictures go. Every command says its own defaults.

    Args:
        names: the files that are written where none are named.
        size: the long side of the picture where none is given.
        format: the format of standard output and of folders where none is given.
    """
    return together(
        files_option(names, ".svg .pdf .png .webp .jpg .json, for films .gif .apng .mp4 .anim.webp"),
        option(
            OUTPUT,
            "--format",
            type=Words(*FORMATS, metavar="NAME"),
            help=f"Format for standard output and folders: {', '.join(FORMATS)}. [default: {format}]",
        ),
        option(OUTPUT, "--size", metavar="SIZE", callback=_to_pixels, help=SIZE_HELP.format(size)),
        option(
            OUTPUT,
            "--dpi",
            metavar="N",
            is_eager=True,  # read before --size, which may need it
            callback=_check_dpi,
            help="Pixels an inch, 10 to 4,800, kept in .png .jpg .svg and .pdf. [default: 300 where --size has a unit]",
        ),
        option(
            OUTPUT,
            "--clip",
            type=Words(*CLIPS, metavar="path|cut"),
            help="Of shapes in .svg: path hides what reaches out of the picture by a clip path, cut cuts it off. "
            "[default: it reaches out, and viewers do not show it]",
        ),
        option(OUTPUT, "--overwrite", is_flag=True, help="Replace outputs that exist."),
    )


def machine_output(names: str, formats: str) -> Decorator:
    """Where files for machines go: the names written where none are given, and the extensions there are."""
    return together(
        files_option(names, formats),
        option(OUTPUT, "--overwrite", is_flag=True, help="Replace outputs that exist."),
    )


FILM = "Film"
film_length_options = together(
    option(
        FILM, "--film-size", metavar="PIXELS", help="Long side of films, 16 to 1,920. [default: 480; of strips more]"
    ),
    option(
        FILM,
        "--film-time",
        metavar="TIME",
        help="Length of films, 0.1s to 120s; the last picture then stays for 2s. [default: 5s]",
    ),
    option(
        FILM,
        "--film-fps",
        metavar="N",
        help="Pictures a second of films, 1 to 60. [default: .gif 12, .apng 8, .webp 15, .mp4 30]",
    ),
)
loop_options = together(
    option(FILM, "--film-time", metavar="TIME", help="How long once around takes, 0.1s to 120s. [default: 5s]"),
    option(FILM, "--film-size", metavar="PIXELS", help="Long side, 16 to 1,920. [default: 480; of strips more]"),
)
film_options = together(
    option(
        OUTPUT,
        "--film",
        "films",
        multiple=True,
        type=path(),
        metavar="FILE",
        help="Also write the evolution as a film: .gif .apng .webp .mp4, of shapes .anim.svg; repeat for more.",
    ),
    film_length_options,
)
# Of films of shapes.
film_style_options = together(
    option(
        FILM,
        "--film-style",
        type=Words(*FILM_STYLES),
        help="evolve: how the search went; of shapes and strokes also grow: one after another; of shapes glide: they "
        "fly in, explode: out and back. [default: evolve; .anim.svg: grow]",
    ),
    option(FILM, "--film-loop", is_flag=True, help="There and back: no seam where the film begins again."),
)
side_by_side_option = option(FILM, "--side-by-side", is_flag=True, help="Show the photograph next to the picture.")

FILMS = "Films as input"
# Of a film that is drawn frame by frame.
footage_options = together(
    option(FILMS, "--fps", metavar="N", help="Draw N frames a second, 0.1 to 100. [default: as many as the film has]"),
    option(FILMS, "--from", "start_at", metavar="TIME", help="Begin there: 3s, 1m30s. [default: its beginning]"),
    option(FILMS, "--to", "end_at", metavar="TIME", help="End there. [default: its end]"),
    option(FILMS, "--every", metavar="N", help="Draw every Nth frame, and show it N times as long. [default: 1]"),
    option(
        FILMS,
        "--steady",
        metavar="NUMBER",
        help="Cost of change where the film is still, 0 to 1: 0 draws each frame as well as can be and flickers, 1 "
        "holds what is there. [default: 0.2]",
    ),
    option(FILMS, "--each", is_flag=True, help="A PNG for every frame, too: clip-film-001.png, ..."),
)

BUDGET = "When to stop (whichever comes first)"
budget_options = together(
    option(BUDGET, "-t", "--time", metavar="TIME", help="After this much time: 30s, 5m, 1h30m; 0.1s to 720h."),
    option(BUDGET, "--generations", metavar="N", help="After N generations."),
    option(BUDGET, "--evaluations", metavar="N", help="After N evaluations (pictures judged)."),
    option(BUDGET, "--patience", metavar="N", help="After N generations that together gain less than 0.1 %."),
)
psnr_option = option(
    BUDGET, "--until-psnr", metavar="DB", help="At this likeness to the photograph: PSNR in dB, 1 to 100; 25 is good."
)

SEARCH = "Search"
seed_option = option(
    SEARCH, "-s", "--seed", metavar="N", help="Same seed, same picture; 0 to 4,294,967,295. [default: random]"
)
quality_option = option(
    SEARCH,
    "--quality",
    type=Words("draft", "normal", "best"),
    help="How much work to do; a limit under When to stop replaces it. [default: normal]",
)
loss_option = option(SEARCH, "--loss", type=Words("mse", "mae", "oklab"), help="The error to minimise. [default: mse]")
# How a strategy works.
strategy_options = together(
    option(SEARCH, "--preset", type=Words("es-clip"), help="A published set of options; options given with it win."),
    option(SEARCH, "--population", metavar="N", help="Candidates per generation, 2 to 65,536. [default: by search]"),
    option(SEARCH, "--step", metavar="NUMBER", help="First step size, 0.00001 to 2. [default: by search]"),
    option(SEARCH, "--set", "settings", multiple=True, metavar="NAME=NUMBER", help="A setting of the search; repeat."),
)


def shapes_options(group: str) -> Decorator:
    """How many shapes, and which."""
    return together(
        option(group, "-n", "--shapes", metavar="N", help="How many shapes, 1 to 20,000. [default: 100]"),
        option(
            group,
            "-k",
            "--kind",
            type=Words(*KINDS, metavar="KIND", several=True),
            help="Which shapes: triangle, rectangle, circle, ellipse, line, polygon:5, mixed, or several joined by "
            "commas; evoart shapes lists them all. stamp:heart.svg takes any outline, letters:LOVE those of a font. "
            "[default: triangle]",
        ),
        option(
            group,
            "--font",
            type=path(),
            metavar="FILE",
            help="Font of letters: .ttf .otf .woff. [default: the system's]",
        ),
    )


def start_option(group: str) -> Decorator:
    """The result to continue from."""
    return option(group, "--start", type=path(), metavar="FILE", help="Start from an evoart result and add shapes.")


def aspect_option(group: str, default: str = "1:1") -> Decorator:
    """The proportions of pictures."""
    return option(group, "--aspect", metavar="W:H", help=f"Width to height of the pictures: 16:9. [default: {default}]")


RUN = "Machine and files"
checkpoint_options = together(
    option(
        RUN,
        "--checkpoint",
        type=path(),
        metavar="FILE",
        help="Save the run here every 10 s and keep it. [default: next to the first output, removed at the end]",
    ),
    option(RUN, "--no-checkpoint", is_flag=True, help="Save no checkpoints: Ctrl-C then keeps only the picture."),
)
device_options = together(
    option(
        RUN,
        "--device",
        type=Words("auto", "cpu", "gpu"),
        help="The device that JAX uses. [default: auto]",
    ),
    option(RUN, "--threads", metavar="N", help="CPU threads, 1 to 256. [default: all]"),
)
engine_options = together(
    option(
        RUN,
        "--engine",
        type=Words("auto", "scanline", "dense", "pallas"),
        help="The program that draws and judges. [default: auto]",
    ),
    device_options,
)

config_options = together(
    option(RUN, "--config", type=path(), metavar="FILE", help="Take options from a TOML file; those given here win."),
    option(RUN, "--print-config", is_flag=True, help="Print all options as a TOML file, and stop."),
)
dry_run_option = option(RUN, "--dry-run", is_flag=True, help="Print what would be done, and stop.")

verbosity_options = together(
    option(MESSAGES, "-v", "--verbose", count=True, help="Say more; -vv shows where errors come from."),
    option(MESSAGES, "-q", "--quiet", is_flag=True, help="No messages but errors; results are still printed."),
)
json_option = option(
    MESSAGES, "--json", "as_json", is_flag=True, help="Print one JSON object instead of text, failures too."
)
preview_option = option(MESSAGES, "--preview", is_flag=True, help="Show the picture in the terminal as it evolves.")

ACTIVATIONS = (
    "identity", "tanh", "sine", "cosine", "gaussian", "sigmoid", "absolute", "square", "relu", "sinc",
)  # fmt: skip
DRAWING, SHEET = "Drawing", "Sheet"
pick_option = option(SHEET, "--pick", metavar="K", help="Make picture K of the sheet alone.")
model_option = option(
    DRAWING,
    "-m",
    "--model",
    metavar="NAME|FILE",
    help="What draws; see: evoart sketch models. [default: kanji; a VAE where one is needed: things]",
)
# Of every command that draws sketches.
drawing_options = together(
    option(DRAWING, "-n", "--number", "count", metavar="N", help="How many, 1 to 10,000. [default: 16]"),
    option(
        DRAWING,
        "--temperature",
        metavar="T",
        help="0 to 2: 0.1 is careful, 1 as varied as the model's data. [default: 0.35]",
    ),
    option(
        DRAWING,
        "--rule",
        type=Words("js", "tf", "handwriting"),
        help="What the temperature does: js as in sketch-rnn-js (drawings end), tf as in TensorFlow (calmer, "
        "few end), handwriting leaves the pen alone. [default: js; of handwriting: handwriting]",
    ),
    option(DRAWING, "--points", metavar="N", help="Most points of a sketch. [default: the model's]"),
    option(
        DRAWING,
        "--class",
        "classes",
        metavar="NAME",
        help="What to draw, of a model that knows several; A,B takes turns.",
    ),
    option(
        DRAWING,
        "--then",
        metavar="MODEL|CLASS",
        help="Another takes over in mid-drawing; see --after, --color.",
    ),
    option(DRAWING, "--after", metavar="N", help="The first draws N strokes. [default: 1]"),
    option(DRAWING, "--offset", metavar="N", help="Number of the first sketch of this seed. [default: 0]"),
    option(
        DRAWING,
        "-s",
        "--seed",
        metavar="N",
        help="Same seed, same sketches; 0 to 4,294,967,295. [default: random]",
    ),
    option(SHEET, "--columns", metavar="N", help="Sketches in a row. [default: about as many as rows]"),
    option(SHEET, "--width", "line", metavar="PERCENT", help="Of lines, in percent of a cell. [default: 1.2]"),
    option(
        SHEET,
        "--color",
        "ink",
        metavar="COLOUR",
        help="Of the lines, #rrggbb or a name; A,B takes turns, or the second is for what the model adds. "
        "[default: black]",
    ),
    option(SHEET, "--paper", metavar="COLOUR", help="#rrggbb, a name or transparent. [default: white]"),
    option(SHEET, "--margin", metavar="PERCENT", help="Around each sketch, of its cell. [default: 10]"),
    option(SHEET, "--each", is_flag=True, help="A file for every sketch: birds-1.svg, birds-2.svg."),
    output_options("MODEL-sketch.svg and .png in the current folder", "256 for each row of sketches"),
    film_options,
    film_style_options,
    dry_run_option,
    preview_option,
    json_option,
    verbosity_options,
)


@dataclass(frozen=True)
class RunOptions:
    """What a command that makes pictures is told in addition to its job, as typed; see the options of these names."""

    outputs: tuple[str, ...] = ()
    format: str | None = None
    overwrite: bool = False
    films: tuple[str, ...] = ()
    film_size: str | None = None
    film_time: str | None = None
    film_fps: str | None = None
    film_style: str | None = None
    film_loop: bool = False
    side_by_side: bool = False
    dpi: float | None = None
    clip: str | None = None
    checkpoint: str | None = None
    no_checkpoint: bool = False
    dry_run: bool = False
    preview: bool = False
    as_json: bool = False
    verbose: int = 0
    quiet: bool = False
    distributed: bool = False

    @classmethod
    def take(cls, given: dict[str, Any]) -> Self:
        """Take these options out of what click hands over; those that the command does not have keep their defaults."""
        return cls(**{field.name: given.pop(field.name) for field in fields(cls) if field.name in given})

    @property
    def writing(self) -> dict[str, Any]:
        """What ``session.write_options`` is told."""
        names = ("film_size", "film_time", "film_fps", "film_style", "film_loop", "side_by_side", "dpi", "clip")
        return {name: getattr(self, name) for name in names}

    @property
    def verbosity(self) -> int:
        """See ``verbosity``."""
        return verbosity(self.verbose, self.quiet)


def job_fields(given: dict[str, Any], config: str | None, settings: tuple[str, ...]) -> dict[str, Any]:
    """Fields of a job: what was ``given`` on the command line, over those of the file ``config``.

    A field that says which file is meant takes the file's own hash and weight with it.

    Raises:
        UsageError: the file cannot be read or understood, or a setting is not NAME=NUMBER.
    """
    from evoart.run.config import read_config

    values = read_config(config) if config else {}
    line = {name: value for name, value in given.items() if value is not None and value != ()}
    if settings:
        line["options"] = {**values.get("options", {}), **settings_of(settings)}
    replaced = {"time": ("seconds",), "picture": ("sha256",)}
    for name in line:
        for other in replaced.get(name, (f"{name}_sha256", f"{name}_weight")):
            values.pop(other, None)
    return values | line


def settings_of(settings: tuple[str, ...]) -> dict[str, str]:
    """Name to value of ``--set name=value``, repeated.

    Raises:
        UsageError: something else.
    """
    from evoart.errors import UsageError

    pairs = [setting.partition("=") for setting in settings]
    for setting, (name, equals, _) in zip(settings, pairs, strict=True):
        if not name or not equals:
            raise UsageError(f"--set {setting} is not NAME=NUMBER", "Write for example --set lr=0.1")
    return {name.strip(): value for name, _, value in pairs}


def refuse_options(ctx: click.Context) -> None:
    """Options before the name of a subcommand would be ignored, silently.

    Raises:
        UsageError: there is one.
    """
    from evoart.errors import UsageError

    for parameter in ctx.command.params:
        if ctx.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{parameter.opts[0]} stands before '{ctx.invoked_subcommand}'",
                f"Write: evoart {ctx.info_name} {ctx.invoked_subcommand} ... {parameter.opts[0]} ...",
            )


def verbosity(verbose: int, quiet: bool) -> int:
    """-1, 0, 1 or 2 from ``-q`` and ``-v``."""
    return -1 if quiet else min(verbose, 2)
