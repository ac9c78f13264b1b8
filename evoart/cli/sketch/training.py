"""What ``evoart sketch train`` does: settings checked, the data read, the course watched, files written."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import click

from evoart.cli.console import Console, tell
from evoart.cli.text import clock, count
from evoart.errors import EvoartError, UsageError
from evoart.output.files import check_writable, write
from evoart.run.fields import Number, duration
from evoart.run.sketch.dataset import Dataset, read_dataset
from evoart.run.sketch.trainer import Course, Plan, Report, resume
from evoart.run.stop import EXIT, Stop, listening
from evoart.sketch.model import Config, Model
from evoart.sketch.training import Recipe

# What each option may hold, and what it is where it is not given.
_NUMBERS: dict[str, tuple[Number, Any]] = {
    "longest": (Number(2, 5000, "points"), 250),
    "points": (Number(2, 5000, "points"), None),
    "tolerance": (Number(0, 255, kind=float), None),
    "hidden": (Number(4, 4096, "units"), 256),
    "latent": (Number(0, 1024), 0),
    "encoder": (Number(4, 4096, "units"), 256),
    "mixtures": (Number(1, 100), 20),
    "steps": (Number(1, 10**9, "steps"), 5000),
    "time": (Number(0.1, 30 * 86_400, kind=duration), None),
    "check": (Number(1, 10**6, "steps"), 200),
    "patience": (Number(1, 10**6, "checks"), 15),
    "batch": (Number(1, 4096, "drawings"), 100),
    "rate": (Number(1e-6, 1.0, kind=float), 3e-3),
    "keep": (Number(0.1, 1.0, kind=float), 0.9),
    "stretch": (Number(0, 0.9, kind=float), 0.15),
    "drop": (Number(0, 0.5, kind=float), 0.1),
    "kl_weight": (Number(0, 100, kind=float), 0.5),
    "kl_floor": (Number(0, 100, kind=float), 0.2),
    "seed": (Number(0, 2**32 - 1), None),
}
_WHY = {
    "steps": "all steps are done",
    "time": "the time is over",
    "patience": "it no longer improves",
    "interrupted": "interrupted",
    "terminated": "terminated",
}


def teach(data: tuple[str, ...], given: dict[str, Any], console: Console) -> int:
    """Train a model and write it; returns the exit code."""
    numbers = {name: default for name, (_, default) in _NUMBERS.items()}
    numbers |= {name: check(name, given[name]) for name, (check, _) in _NUMBERS.items() if given[name] is not None}
    out = Path(given["out"] or f"{Path(data[0]).stem.split('.')[0]}.npz").expanduser()
    samples = Path(given["samples"]).expanduser() if given["samples"] else out.with_name(f"{out.stem}-samples.svg")
    checkpoint = Path(given["resume"]).expanduser() if given["resume"] else out.with_suffix(".checkpoint.npz")
    _check_files(data, out, samples, given)
    if numbers["seed"] is None:
        numbers["seed"] = 0 if given["resume"] else secrets.randbelow(1_000_000)
    dataset = read_dataset(
        [Path(path).expanduser() for path in data],
        tolerance=numbers["tolerance"],
        points=numbers["points"],
        longest=numbers["longest"],
        by_class=given["classes"],
        seed=_seed_of_data(given, numbers, checkpoint),
    )
    for note in dataset.notes:
        console.say(note)
    course = _course(given, numbers, dataset, out, checkpoint)
    config = course.config
    what = f"VAE, z {config.latent}" if config.latent else "decoder only"
    console.say(
        f"{config.name}: {config.cell} {config.hidden}, {what}, {course.best.size:,} weights, seed {course.recipe.seed}"
    )
    if given["dry_run"]:
        tell(f"would write {out}, {samples} and, when interrupted, {checkpoint}")
        return 0
    return _watch(course, out, samples, checkpoint, given["as_json"], console)


def _check_files(data: tuple[str, ...], out: Path, samples: Path, given: dict[str, Any]) -> None:
    if out.suffix != ".npz":
        raise UsageError(f"'{out}' does not end in .npz", f"Call it {out.name}.npz; convert makes other formats of it")
    if samples.suffix not in (".svg", ".png"):
        raise UsageError(f"'{samples}' is no .svg or .png", "Change its name")
    for path in (out, samples):
        if any(path.exists() and Path(name).exists() and path.samefile(name) for name in data):
            raise UsageError(f"the output '{path}' is the input", "Choose another name with --out")
        check_writable(path.parent)
    if out.exists() and not (given["overwrite"] or given["resume"]):
        raise UsageError(f"'{out}' exists already", "Use --overwrite or another name")
    if given["start"] and given["resume"]:
        raise UsageError("--start and --resume exclude each other", "Leave one out")


def _seed_of_data(given: dict[str, Any], numbers: dict[str, Any], checkpoint: Path) -> int:
    """The seed that chose what is kept for validation: a resumed training has that of its first start."""
    if not given["resume"]:
        return numbers["seed"]
    from evoart.run.sketch.trainer import seed_of

    return seed_of(checkpoint)


def _course(given: dict[str, Any], n: dict[str, Any], dataset: Dataset, out: Path, checkpoint: Path) -> Course:
    plan = Plan(n["steps"], n["time"], n["check"], n["patience"])
    if given["resume"]:
        return resume(checkpoint, plan, dataset)
    start: Model | None = None
    if given["start"]:
        from evoart.sketch.weights import read

        start = read(Path(given["start"]).expanduser())
    config = Config(
        name=given["name"] or out.stem,
        cell=given["cell"] or "lstm",
        hidden=n["hidden"],
        mixtures=n["mixtures"],
        latent=n["latent"],
        encoder=n["encoder"],
        classes=dataset.classes,
        scale=dataset.scale,
        longest=dataset.longest,
        extent=dataset.extent,
        licence=given["licence"] or "",
    )
    if start is not None:
        config = _continued(config, start, dataset)
        start = Model(config, start.params)
    recipe = TrainingConfig(
        batch=min(n["batch"], len(dataset.train)),
        rate=n["rate"],
        decay=0.01 ** (1 / n["steps"]),
        least=0.0,
        keep=n["keep"],
        stretch=n["stretch"],
        drop=n["drop"],
        kl_weight=n["kl_weight"],
        kl_decay=0.01 ** (2 / n["steps"]),  # nearly all of it by the middle
        kl_floor=n["kl_floor"],
        seed=n["seed"],
    )
    return Course(config, recipe, plan, dataset, start)


def _continued(config: Config, start: Model, dataset: Dataset) -> Config:
    """The shape of the model that is gone on from, for the new data."""
    from dataclasses import replace

    old = start.config
    if old.inputs != 5 or old.classes != dataset.classes:
        raise UsageError(f"'{old.name}' does not go with this data", "Train from the beginning, without --start")
    return replace(
        old, name=config.name, longest=max(old.longest, dataset.longest), extent=dataset.extent, scale=dataset.scale
    )


def _watch(course: Course, out: Path, samples: Path, checkpoint: Path, as_json: bool, console: Console) -> int:
    stop, last = Stop(), None

    def told(why: str) -> None:
        console.say("Stopping after this step, then saving. Once more stops at once, without saving.")

    def leave(why: str) -> None:
        console.end()

    with listening(stop, told, leave):
        try:
            for last in course.run(checkpoint, stop):
                _tell(last, course, console)
                if last.best:
                    write(out, course.model_file(), overwrite=True)
                if last.model is not None and not stop.why:
                    _draw_samples(last.model, samples, course.recipe.seed)
        except EvoartError:
            write(checkpoint, course.save(), overwrite=True)
            raise
    assert last is not None
    return _conclude(course, last, out, samples, checkpoint, as_json, console)


def _conclude(
    course: Course, last: Report, out: Path, samples: Path, checkpoint: Path, as_json: bool, console: Console
) -> int:
    console.end()
    if not course.best_step:  # stopped before the first check: the model is what it is
        course.best = course.training.model
    write(out, course.model_file(), overwrite=True)
    broken = last.ended in EXIT
    if not broken:
        checkpoint.unlink(missing_ok=True)
    best = next((row for row in course.history if row[0] == course.best_step), None)
    kl = f", L_KL {best[4]:.3f}" if best and course.config.latent else ""
    figures = f"validation L_R {best[3]:.3f}{kl}" if best else ""
    console.say(
        f"{_WHY[last.ended or 'steps'].capitalize()} after {count(last.step, 'step')}, {clock(last.seconds)}: "
        f"best at step {course.best_step:,}, {figures or 'not checked yet'}"
    )
    if broken:
        console.say(f"Go on with the same options and --resume {checkpoint}")
    if course.training.skipped:
        console.say(f"{count(course.training.skipped, 'step')} had no finite gradient and changed nothing")
    if as_json:
        facts = {"model": str(out), "steps": last.step, "reason": last.ended, "seconds": round(last.seconds, 3)}
        facts |= {"best_step": course.best_step, "seed": course.recipe.seed, "history": course.history}
        click.echo(json.dumps(facts))
    else:
        for path in (out, samples):
            if path.exists():
                tell(str(path))
    return EXIT[last.ended] if broken else 0


def _tell(report: Report, course: Course, console: Console) -> None:
    latent = course.config.latent
    losses = f"L_R {report.learned.reconstruction:.3f}" + (f", L_KL {report.learned.kl:.3f}" if latent else "")
    if report.valid is not None:
        valid = f"L_R {report.valid.reconstruction:.3f}" + (f", L_KL {report.valid.kl:.3f}" if latent else "")
        best = ", the best so far" if report.best else ""
        console.say(f"{clock(report.seconds)}: step {report.step:,}, {losses}; validation {valid}{best}")
    console.status(f"step {report.step:,} of {course.plan.steps:,}, {losses}, {clock(report.left)} left at most")


def _draw_samples(model: Model, path: Path, seed: int) -> None:
    """Sixteen sketches of the model as it is; the same tapes every time, so that they can be compared."""
    from evoart.output.formats import Artwork, encode
    from evoart.run.problem import prepare
    from evoart.run.sketch.job import SketchJob

    problem = prepare(SketchJob(model=model.config.name, classes=model.config.classes, seed=seed), model)
    search = problem.search()
    while not search.done:
        search.step()
    drawing = search.structure.drawing(search.genome)
    write(path, encode(path.suffix[1:], Artwork(drawing, problem.size, title="samples")), overwrite=True)
