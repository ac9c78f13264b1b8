"""The Python interface: ``evoart.fit``, ``evoart.clip``, ``evoart.make``, ``evoart.events``, ``evoart.load``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evoart.errors import EvoartError, UsageError, out_of_memory
from evoart.output.recipe import extract
from evoart.picture import Sources
from evoart.run.events import Event, Finished
from evoart.run.fit import batch
from evoart.run.fit.job import FitJob
from evoart.run.job import Job
from evoart.run.loop import run
from evoart.run.recipe import record
from evoart.run.result import Result, from_record
from evoart.sources import read_source


def events(job: Job, picture: Any = None, **how: Any) -> Iterator[Event]:
    """Run a job as an iterator of events, for those who want to watch; see ``evoart.run.loop.run``.

    The last event is ``Finished`` or ``Interrupted``, and its ``result`` is the picture.
    """
    return run(job, picture, **how)


def fit(picture: Any = None, **options: Any) -> Result:
    """Draw a photograph with a few shapes.

    Args:
        picture: a path, the file's bytes, an open file, an array ``(h, w, 3 or 4)`` or ``(h, w)`` (uint8, uint16, bool,
            or floats in [0, 1]; of NumPy, JAX or torch) or a Pillow image; None is the bundled photograph.
        options: fields of ``evoart.Job``: ``shapes=50, kind="triangle", seed=1, time="30s"``, ...; ``weights``, the
            importance map, may be whatever ``picture`` may be.

    Returns:
        The picture, with ``image(size)``, ``svg()``, ``save("a.svg", "a.png")``, ``loss``, ``psnr`` and ``seed``.

    Raises:
        UsageError: an unknown option or a value out of range.
        EvoartError: a picture that cannot be used.
    """
    if isinstance(picture, str | Path):
        if not str(picture):
            raise UsageError("the picture's name is empty", "Name a file, or leave it out for the bundled photograph")
        options["picture"], picture = str(picture), None
    options, weights = _split_weights(options)
    return _result(FitJob.make(**options), picture if weights is None else Sources(picture, weights))


def clip(*prompts: str, **options: Any) -> Result:
    """Draw what words say, judged by CLIP.

    Args:
        prompts: ``"a cat"``, or several that should hold together, with weights: ``"a cat", "a hat:0.5"``.
        options: the other fields of ``evoart.run.clip.job.ClipJob``: ``model="tiny", seed=1, negative_prompts="text"``,
            ...

    Returns:
        The picture, as ``fit`` does; its ``figures`` hold ``similarity`` and ``judge``, the evaluator's.

    Raises:
        UsageError: no prompt, an unknown option or model, a value out of range.
        MissingExtra: a model that needs torch and open_clip.
        EvoartError: weights that are not here and cannot be fetched.
    """
    given = options.pop("prompts", ())
    every = [*prompts, *([given] if isinstance(given, str) else given)]
    return make("clip", **options, **({"prompts": every} if every else {}))


def make(what: str | Job, **options: Any) -> Result:
    """The picture of a job, or of any command that makes one: ``make("cppn", seed=3)``, ``make("sketch", seed=1)``.

    Args:
        what: a job, or a command: ``clip``, ``cppn``, ``cppn-fit``, ``fit``, ``sketch``, ...
        options: fields of the command's job; none with a job.

    Raises:
        UsageError: an unknown command or option, a value out of range.
        EvoartError: what the command cannot do.
    """
    if isinstance(what, Job):
        if options:
            raise UsageError("a job has all its options already", "Change them with dataclasses.replace")
        return _result(what)
    return _result(Job.make(command=what, **options))


def _split_weights(options: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """Options without an importance map that is not a name of a file, and that map (None: there is none)."""
    weights = options.get("weights")
    if isinstance(weights, Path):
        return options | {"weights": str(weights)}, None
    if weights is None or isinstance(weights, str):
        return options, None
    return {name: value for name, value in options.items() if name != "weights"}, weights


def _result(job: Job, picture: Any = None) -> Result:
    """The picture of a run from beginning to end."""
    return _last(run(job, picture))


def _last(events: Iterator[Event]) -> Result:
    last = None
    for event in events:
        last = event
    if not isinstance(last, Finished):
        raise EvoartError("the run ended without a result", "Report this with the options you used")
    return last.result


def fit_many(pictures: Sequence[Any], **options: Any) -> list[Result | EvoartError]:
    """Draw many photographs, each with a few shapes, from one seed.

    Where they are searched by device programs (``search="sets"`` and a GPU, say) and agree in size, they advance side
    by side, as one program. A picture that cannot be used stops none of the others.

    Args:
        pictures: a list of what ``fit`` takes.
        options: as for ``fit``, the same for all.

    Returns:
        In their order, each a result, or the error that says why there is none.

    Raises:
        UsageError: no pictures, an unknown option or a value out of range.
        EvoartError: a device that is not there.
    """
    sources = batch.check_sources(pictures)
    options, weights = _split_weights(options)
    options["seed"] = FitJob.make(**options).with_seed().seed
    named = [str(source) if isinstance(source, str | Path) else None for source in sources]
    jobs = [FitJob.make(**options | ({"picture": name} if name else {})) for name in named]
    bare = [None if name else source for name, source in zip(named, sources, strict=True)]
    read = batch.prepare_all(jobs, bare if weights is None else [Sources(source, weights) for source in bare])
    results: list[Result | EvoartError] = []
    for picture in read:
        try:
            results.append(_last(batch.events(picture)))
        except EvoartError as error:
            results.append(error)
        except Exception as error:
            if not out_of_memory(error):
                raise
            results.append(EvoartError("there is not enough memory for this picture", "Use a smaller picture"))
    return results


def load(path: str | Path | bytes, pick: int | None = None) -> Result:
    """The result in a picture or recipe that evoart wrote (a path, or its bytes), to draw again at any size.

    Of a sheet, ``pick`` is the picture of that number, from 1.

    Raises:
        UsageError: no such file. EvoartError: no recipe in it, damaged, or of a newer evoart.
    """
    data, _, label = read_source(path)  # once: it may be standard input
    result = from_record(record(extract(data, label), label))
    if pick is not None:
        return _pick(result, pick, label)
    place = Path(path) if isinstance(path, str | Path) else Path("picture")
    return dataclasses.replace(result, mask=result.job.mask(data, place))


def _pick(result: Result, pick: int, label: str) -> Result:
    from evoart.forms.sheet import SheetForm
    from evoart.run.cppn.job import SheetJob
    from evoart.run.cppn.sheet import members

    if not isinstance(result.form, SheetForm) or not isinstance(result.job, SheetJob):
        raise UsageError(f"{label} is not a sheet of pictures", "Leave out --pick")
    found = dict(members(result.job, result.form, result.genome))
    if pick not in found:
        raise UsageError(f"there is no picture {pick} on {label}", f"It has {len(found)}, numbered row by row from 1")
    return found[pick]
