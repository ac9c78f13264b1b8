"""What ``evoart sketch train`` does: options checked, the data read, the training watched, files written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from evoart.cli import session
from evoart.cli.console import Console, tell, tell_json
from evoart.errors import EvoartError, UsageError
from evoart.output.files import check_writable, write
from evoart.output.formats import Artwork, Options, encode
from evoart.output.names import Output
from evoart.run import checkpoint as checkpoints
from evoart.run.events import Event
from evoart.run.loop import Keep, drive, resume
from evoart.run.problem import Problem
from evoart.run.sketch.job import SketchTrainJob
from evoart.run.sketch.trainer import Trainer, TrainProblem
from evoart.run.stop import Stop

EVERY = 30.0  # seconds between checkpoints
_LIMITS = ("generations", "seconds", "stale")  # what a resumed training may change
_FILES = ("out", "samples", "overwrite", "resume", "dry_run", "as_json", "verbose", "quiet")


def train(data: tuple[str, ...], given: dict[str, Any], console: Console) -> int:
    """Train a model and write it; returns the exit code.

    Raises:
        UsageError: options or data that cannot be used, or that are not those of the training to be resumed.
        EvoartError: files that cannot be read or written.
    """
    files = {name: given.pop(name) for name in _FILES}
    given = {name: value for name, value in given.items() if value not in (None, False)}
    saved, keep = None, None
    if files["resume"]:
        path = Path(files["resume"]).expanduser()
        saved = checkpoints.load(path)
        problem = _with_options(saved.problem, path, data, given)
        notes = saved.state["notes"]
        saved = replace(saved, problem=problem, state=saved.state | {"reason": None})
        earlier = [place for place, *_ in notes.get("outputs", ())]
        files |= {name: files[name] or place for name, place in zip(("out", "samples"), earlier, strict=False)}
        outputs, keep = _outputs(data, files), Keep(path, EVERY, notes)
    else:
        outputs = _outputs(data, files)
        name = given.pop("name", outputs[0].path.stem if outputs[0].path else None)
        problem = TrainProblem.prepare(SketchTrainJob.make(**given, name=name, data=data))
    console.say(f"{problem.job.summary}, seed {problem.job.seed}")
    for note in problem.dataset.notes if problem.dataset else ():
        console.say(note)
    if keep is None:
        notes = session.notes_of(outputs, Options(), False)
        keep, _ = session.checkpoint_for(None, False, outputs, problem.name, False, notes, not files["dry_run"])
        keep = keep and replace(keep, every=EVERY)
    if files["dry_run"]:
        return _tell_plan(problem, outputs, keep, files["as_json"])

    def events(stop: Stop) -> Iterator[Event]:
        search = problem.search(_writer(problem, outputs))
        if saved is not None:
            return resume(saved, keep=keep, stop=stop, make=lambda _: search)
        return drive(problem, search, keep=keep, stop=stop)

    report = tell_json if files["as_json"] else None
    return session.perform(events, session.Plan(outputs, Options(), keep, False, report), console, False)


def _outputs(data: tuple[str, ...], files: dict[str, Any]) -> list[Output]:
    """Where the model and its samples go."""
    out = Path(files["out"] or f"{Path(data[0]).stem.split('.')[0]}.npz").expanduser()
    samples = Path(files["samples"]).expanduser() if files["samples"] else out.with_name(f"{out.stem}-samples.svg")
    if out.suffix != ".npz":
        raise UsageError(f"'{out}' does not end in .npz", f"Call it {out.name}.npz; convert makes other formats of it")
    if samples.suffix not in (".svg", ".png"):
        raise UsageError(f"'{samples}' is no .svg or .png", "Change its name")
    for path in (out, samples):
        if any(path.exists() and Path(name).exists() and path.samefile(name) for name in data):
            raise UsageError(f"the output '{path}' is the input", "Choose another name with --out")
        check_writable(path.parent)
    if out.exists() and not (files["overwrite"] or files["resume"]):
        raise UsageError(f"'{out}' exists already", "Use another name, or --overwrite (overwrite=True in Python)")
    return [Output(out, "model", True), Output(samples, samples.suffix[1:], True)]


def _with_options(problem: Problem, path: Path, data: tuple[str, ...], given: dict[str, Any]) -> TrainProblem:
    """A training at rest with other limits, and its data where they are now.

    Raises:
        UsageError: another setting than before, which would mix two trainings.
        EvoartError: it is not a training.
    """
    if not isinstance(problem, TrainProblem):
        raise EvoartError(f"'{path}' is not a checkpoint of a sketch training", "Train again without --resume")
    names = ["seconds" if name == "time" else name for name in given]
    asked, job = SketchTrainJob.make(**given, data=data), problem.job
    for name in set(names) - set(_LIMITS):
        if (now := getattr(asked, name)) != (before := getattr(job, name)):
            flag = SketchTrainJob.flag(name)
            raise UsageError(
                f"{flag} is {now}, and '{path}' was trained with {before}",
                f"Leave out {flag}, or train again without --resume",
            )
    limits = {name: getattr(asked, name) for name in _LIMITS if name in names}
    return replace(problem, job=replace(job, data=data, **limits))


def _writer(problem: TrainProblem, outputs: list[Output]) -> Callable[[Trainer], None]:
    """Writes the model and its samples whenever they are better, for people to look at; the end writes them anyway."""

    def write_outputs(trainer: Trainer) -> None:
        if not trainer.best_step:
            return
        artwork = Artwork(trainer.structure.drawing(trainer.genome), problem.size, title="samples")
        for output in outputs:
            try:
                write(Path(output.path or "-"), encode(output.format, artwork), overwrite=True)
            except EvoartError as error:  # a full disk, for one, may have room again by the end
                trainer.notes.append(f"Warning: {error}")

    return write_outputs


def _tell_plan(problem: TrainProblem, outputs: list[Output], keep: Keep | None, as_json: bool) -> int:
    paths = [str(output.path) for output in outputs]
    if as_json:
        tell_json({"job": problem.job.to_dict(), "outputs": paths, "checkpoint": str(keep.path) if keep else None})
    else:
        tell(f"would write {' and '.join(paths)}, and when it is interrupted {keep.path if keep else None}")
    return 0
