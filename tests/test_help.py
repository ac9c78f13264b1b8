"""Help: every command and option explains itself, cheaply, and the README's commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from evoart.cli import options
from evoart.cli.app import COMMANDS, cli
from evoart.cli.failure import EXIT_CODES
from evoart.run.fit.job import FitJob
from evoart.run.job import Job

ROOT = Path(__file__).parents[1]
HEAVY = ("numpy", "jax", "numba", "PIL", "scipy", "shapely", "evosax", "optax")


def command(name):
    return cli.get_command(click.Context(cli), name)


def loaded_by(program):
    """Heavy modules that a Python program imports."""
    program += f"\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"], ["fit", "--help"], ["doctor", "--help"]])
def test_help_imports_nothing_heavy(words):
    assert loaded_by(f"from evoart.cli.app import run\nassert run({words!r}) == 0") == []


def test_importing_evoart_imports_nothing_heavy():
    assert loaded_by("import evoart; evoart.__version__; dir(evoart)") == []


def test_the_default_job_runs_without_jax():
    program = "from evoart.run import loop\nfrom evoart.run.fit.engine import choose\n"
    program += (
        "from evoart.run.fit.job import FitJob\nchoose(FitJob())\nimport evoart.search.grow, evoart.run.fit.search"
    )
    assert "jax" not in loaded_by(program)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name):
    what = command(name)
    assert what.help
    assert what.short_help == COMMANDS[name][1]
    for parameter in what.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help.endswith((".", "]")), parameter.help
    text = what.get_help(click.Context(what, info_name=f"evoart {name}"))
    for parameter in what.params:
        assert all(word in text for word in parameter.opts if word.startswith("-"))


# What these may hold depends on what a command draws (-n: how many of what) and by what it is judged.
DEPENDS = (
    "--picture",
    "-n",
    "--form",
    "--model",  # icons draws, and does not judge
    "--background",
    "--palette",
    "--opacity",
    "--search",
    "--strategy",
    "--pixels",
    "-o",  # pictures, or files for machines
    "--output",
    "--paper",  # of a sketch its colour, of a plotter its size
    "--margin",
    "--layers",  # of a network, or sheets
)


def test_a_flag_means_the_same_in_every_command():
    meanings = {}
    for name in COMMANDS:
        for parameter in command(name).params:
            for word in parameter.opts:
                if name == "gallery":  # its flags speak of many jobs: the same words, the same numbers
                    meanings.setdefault(word, parameter.help)
                elif word.startswith("-") and word not in DEPENDS:
                    meaning = parameter.help.partition(" [default")[0]  # defaults are the command's own
                    assert meanings.setdefault(word, meaning) == meaning, word
    short = {"-n"} | {word for word in meanings if re.fullmatch(r"-\w", word)} | {"-h"}
    assert len(short) <= 8, short


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["fit"], {"picture": "NAME.jpg"}),
        (["clip"], {"prompts": "words", "model": "tiny"}),
        (["cppn"], {}),
        (["cppn", "fit"], {"picture": "NAME.jpg"}),
        (["cppn", "breed"], {"parents": ["a.png"]}),
        (["breed"], {"parents": ["a.png"]}),
        (["cppn", "explore"], {}),
        (["cppn", "film"], {"networks": ["NAME.png"]}),
        (["cppn", "train"], {"data": ["NAME"], "name": "NAME"}),
        (["glyph", "train"], {"data": ["NAME"], "name": "NAME"}),
        (["glyph", "interpolate"], {"stops": ["NAME.svg"]}),
        (["glyph", "style"], {"like": "NAME.svg"}),
        (["glyph", "font"], {"like": "NAME.svg"}),
        (["morph"], {"pictures": ["FIRST.svg", "LAST.svg"]}),
        (["sketch", "sample"], {"model": "model"}),
        (["grow"], {"picture": "NAME.png"}),
    ],
)
def test_default_outputs_in_the_help_are_the_jobs(words, given):
    """Help of one command must not tell the defaults of another."""
    from evoart.output.names import default_paths
    from evoart.run.job import JOBS

    what, context = command(words[0]), click.Context(cli)
    for word in words[1:]:
        what, context = what.get_command(context, word), click.Context(what)
    helps = {parameter.name: parameter.help for parameter in what.params if isinstance(parameter, click.Option)}
    job = JOBS["-".join(word for word in words if word != "sample")].make(**given)
    named = " ".join(str(path) for path in default_paths(job.stem, job.form_name, job.formats))
    told = (
        helps["outputs"].partition("[default: ")[2].lower().replace(" and .", f" {job.stem}-{job.form_name}.".lower())
    )
    assert all(name.lower() in told for name in named.split()), (named, told)
    assert helps["format"].endswith(f"[default: {job.formats[0]}]")
    if "picture" in given and words != ["grow"]:  # which is as large as whole pixels a cell make it
        assert helps["size"].endswith("[default: that of the photograph]")
    if "n" in helps:
        assert helps["n"].endswith(f"[default: {job.n}]")


def test_help_names_the_exit_codes():
    for code in ("0", "1", "2", "130", "143"):
        assert re.search(rf"\b{code} \w", EXIT_CODES)
    assert all(EXIT_CODES in command(name).epilog for name in ("fit", "redo", "resume"))
    assert EXIT_CODES in cli.get_help(click.Context(cli, info_name="evoart"))


def test_no_command_leads_with_examples():
    done = subprocess.run([sys.executable, "-m", "evoart"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0
    assert len(re.findall(r"^  evoart (fit|clip|cppn|sketch)\b", done.stdout, re.MULTILINE)) == 4
    assert len(done.stdout.splitlines()) <= 39


def test_words_to_complete_are_the_registries():
    from evoart.draw.shapes import SHAPES
    from evoart.output.formats import OUTPUTS
    from evoart.search.strategies import _INFO

    assert {word.partition(":")[0] for word in options.KINDS} == {*SHAPES, "mixed"}
    assert set(options.FORMATS) == set(OUTPUTS)
    assert set(options.STRATEGIES) == set(_INFO)
    for word in options.KINDS:
        Job.make(kind=word)
    kind = options.Words(*options.KINDS, several=True)
    assert [item.value for item in kind.shell_complete(None, None, "ellipse,li")] == ["ellipse,line"]


def test_choices_to_complete_are_what_a_job_accepts():
    for parameter in command("fit").params:
        if isinstance(parameter.type, options.Words) and parameter.name in Job.__dataclass_fields__:
            for word in parameter.type.words:
                # The default search has one engine.
                others = {"search": "sets"} if parameter.name in ("engine", "device") else {}
                others = {} if parameter.name == "strategy" else others
                Job.make(**others, **{parameter.name: word})


def test_defaults_in_the_help_are_the_jobs():
    text = " ".join(command("fit").get_help(click.Context(command("fit"), terminal_width=400)).split())
    job = FitJob()
    for flag in ("kind", "background", "quality", "loss", "search", "finish", "pixels", "engine", "device"):
        shown = re.search(rf"--{flag} \S+ .*?\[default: ([^\]]+)\]", text)[1]
        assert shown == str(getattr(job, flag)), flag


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="no README here")
@pytest.mark.parametrize(("words", "kind"), [((), "cppn"), (("fit",), "cppn-fit"), (("explore",), "cppn-explore")])
def test_networks_have_the_defaults_of_their_own_command(words, kind):
    found = command("cppn")
    for word in words:
        found = found.commands[word]
    job = Job.make(command=kind)
    help_of = {parameter.name: parameter.help for parameter in found.params if isinstance(parameter, click.Option)}
    for name in ("topology", "layers", "symmetry", "latent", "color"):
        expected = str(getattr(job, name)).replace("mixed", "a mixture")
        assert re.search(rf"\[default: {expected}[,\]]", help_of[name]), (name, help_of[name])
        assert "sheet" not in help_of[name]


def test_commands_in_the_readme_exist():
    text = (ROOT / "README.md").read_text("utf-8")
    lines = [
        line
        for block in re.findall(r"```(?:sh|bash|console)?\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    for line in lines:
        for found in re.finditer(r"(?:^|[ /])evoart ((?:[a-z]+)) ?([^#&|;]*)", line):
            what = command(found[1])
            assert what is not None, line
            context = click.Context(what)
            under = (
                [what.get_command(context, n) for n in what.list_commands(context)] if hasattr(what, "commands") else []
            )
            known = {word for each in (what, *under) for p in each.params for word in p.opts} | {"-h", "--help"}
            for word in re.findall(r"(?<= )--?[a-z][a-z-]*", " " + found[2]):
                assert word in known, f"{word} in: {line}"
