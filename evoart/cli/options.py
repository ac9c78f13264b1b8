"""Options that commands share, in groups, each meaning the same everywhere.

Short options, at most eight in all: -n -k -o -s -t -q -v -h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

# Words for completion and help. The registries, which cost imports, decide; a test holds these to them.
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
    "svg", "png", "webp", "jpeg", "gif", "apng", "animated-webp", "animated-svg", "mp4", "pdf", "json", "shader",
    "page", "network", "weights", "model",
)  # fmt: skip


class Words(click.ParamType):
    """Text with words to complete (``several``: joined by commas); the job checks it, and suggests the nearest."""

    name = "word"

    def __init__(self, *words: str, metavar: str = "", several: bool = False) -> None:
        self.words, self.metavar, self.several = words, metavar, several

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return self.metavar or "|".join(self.words)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, begun = incomplete.rpartition(",") if self.several else ("", "", incomplete)
        return [CompletionItem(before + comma + word) for word in self.words if word.startswith(begun)]


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
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            new = RENAMED.get(error.option_name)
            if new in {name for parameter in self.params for name in parameter.opts}:
                error.possibilities = [str(new)]
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record:
                groups.setdefault(getattr(parameter, "group", MESSAGES), []).append(record)
        for group in sorted(groups, key=MESSAGES.__eq__):  # what is said comes last, --help at its end
            with formatter.section(group):
                formatter.write_dl(groups[group], col_max=24)


class Command(_Grouped):
    """A command whose help lists options by group."""


class Family(_Grouped, click.Group):
    """A command that does something by itself, and has others under it."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


MESSAGES = "Messages"
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def option(group: str, *names: str, **settings: Any) -> Decorator:
    """``click.option`` under the heading ``group``. No default unless said so: None means not given."""
    return click.option(*names, cls=Option, group=group, **settings)


def together(*decorators: Decorator) -> Decorator:
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


OUTPUT = "Output"
output_options = together(
    option(
        OUTPUT,
        "-o",
        "--output",
        "outputs",
        multiple=True,
        type=path(),
        metavar="FILE",
        help="Write here; repeat for more. The extension is the format: .svg .pdf .png .webp .jpg .json, and for films "
        "(see --film) .gif .apng .mp4 .anim.webp. A folder gets the default name, - is standard output. "
        "[default: NAME-shapes.svg and .png in the current folder]",
    ),
    option(OUTPUT, "--format", type=Words(*FORMATS), help="Format for standard output and folders. [default: svg]"),
    option(
        OUTPUT,
        "--size",
        metavar="PIXELS",
        help="Long side of the picture, 1 to 32,768. [default: the photograph's own; else 512]",
    ),
    option(OUTPUT, "--overwrite", is_flag=True, help="Replace outputs that exist."),
)
film_options = together(
    option(
        OUTPUT,
        "--film",
        "films",
        multiple=True,
        type=path(),
        metavar="FILE",
        help="Also write the evolution as a film: .gif .apng .webp .mp4; repeat for more.",
    ),
    option(OUTPUT, "--film-size", metavar="PIXELS", help="Long side of films, 16 to 1,920. [default: 480]"),
    option(
        OUTPUT,
        "--film-time",
        metavar="TIME",
        help="Length of films, 0.1s to 120s, and then the last picture stays for 2s. [default: 5s]",
    ),
)

BUDGET = "When to stop (whichever comes first)"
budget_options = together(
    option(BUDGET, "-t", "--time", metavar="TIME", help="After so much time: 30s, 5m, 1h30m; 0.1s to 720h."),
    option(BUDGET, "--generations", metavar="N", help="After so many generations."),
    option(BUDGET, "--evaluations", metavar="N", help="After so many evaluations (pictures judged)."),
    option(BUDGET, "--patience", metavar="N", help="After N generations that gain less than 0.1 % together."),
)
psnr_option = option(BUDGET, "--until-psnr", metavar="DB", help="At this likeness: PSNR in dB, 1 to 100; 25 is good.")

SEARCH = "Search"
seed_option = option(
    SEARCH, "-s", "--seed", metavar="N", help="Same seed, same picture; 0 to 4,294,967,295. [default: drawn]"
)
quality_option = option(
    SEARCH,
    "--quality",
    type=Words("draft", "normal", "best"),
    help="How much work, where nothing below says when to stop. [default: normal]",
)
loss_option = option(SEARCH, "--loss", type=Words("mse", "mae", "oklab"), help="What is made small. [default: mse]")
# How a strategy works.
strategy_options = together(
    option(SEARCH, "--preset", type=Words("es-clip"), help="A known setting as a whole; options beside it win."),
    option(SEARCH, "--population", metavar="N", help="Candidates per generation, 2 to 65,536. [default: by search]"),
    option(SEARCH, "--step", metavar="NUMBER", help="First step size, 0.00001 to 2. [default: by search]"),
    option(
        SEARCH, "--set", "settings", multiple=True, metavar="NAME=NUMBER", help="A number of the strategy's; repeat."
    ),
)


def shapes_options(group: str) -> Decorator:
    """How many shapes, and which."""
    return together(
        option(group, "-n", "--shapes", metavar="N", help="How many, 1 to 20,000. [default: 100]"),
        option(
            group,
            "-k",
            "--kind",
            type=Words(*KINDS, metavar="KIND", several=True),
            help="Which: triangle, rectangle, circle, ellipse, line, polygon:5, mixed, several joined by commas; "
            "all of them: evoart shapes. [default: triangle]",
        ),
    )


def start_option(group: str) -> Decorator:
    return option(group, "--start", type=path(), metavar="FILE", help="Go on from an evoart result, with more shapes.")


def aspect_option(group: str) -> Decorator:
    return option(group, "--aspect", metavar="W:H", help="Width to height of the pictures: 16:9. [default: 1:1]")


RUN = "Machine and files"
checkpoint_options = together(
    option(
        RUN,
        "--checkpoint",
        type=path(),
        metavar="FILE",
        help="Save the run here every 10 s and keep it. [default: beside the first output, and gone when all is done]",
    ),
    option(RUN, "--no-checkpoint", is_flag=True, help="Save no checkpoints: Ctrl-C then keeps the picture only."),
)
device_options = together(
    option(
        RUN,
        "--device",
        type=Words("auto", "cpu", "gpu"),
        help="What JAX runs on, where it draws. [default: auto]",
    ),
    option(RUN, "--threads", metavar="N", help="CPU threads, 1 to 256. [default: all]"),
)
engine_options = together(
    option(
        RUN,
        "--engine",
        type=Words("auto", "scanline", "dense", "pallas"),
        help="What draws and judges. [default: auto]",
    ),
    device_options,
)

config_options = together(
    option(RUN, "--config", type=path(), metavar="FILE", help="Take options from a TOML file; those given here win."),
    option(RUN, "--print-config", is_flag=True, help="Print all options as such a file, and stop."),
)
dry_run_option = option(RUN, "--dry-run", is_flag=True, help="Print what would be done, and stop.")

verbosity_options = together(
    option(MESSAGES, "-v", "--verbose", count=True, help="Say more; -vv shows where errors come from."),
    option(MESSAGES, "-q", "--quiet", is_flag=True, help="No messages but errors; results are still printed."),
)
json_option = option(MESSAGES, "--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
preview_option = option(MESSAGES, "--preview", is_flag=True, help="Show the picture in the terminal as it evolves.")

# What a command that makes pictures is told beside its job, for ``work.run_job``.
HOW = (
    "outputs",
    "format",
    "overwrite",
    "films",
    "film_size",
    "film_time",
    "checkpoint",
    "no_checkpoint",
    "config",
    "settings",
    "print_config",
    "dry_run",
    "preview",
    "as_json",
    "verbose",
    "quiet",
)


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


def verbosity(verbose: int, quiet: bool) -> int:
    """-1, 0, 1 or 2 from ``-q`` and ``-v``."""
    return -1 if quiet else min(verbose, 2)
