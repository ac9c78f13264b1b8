"""What a job of ``evoart sketch`` means: a model, what each sketch begins with, and a search that draws them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from evoart.errors import UsageError
from evoart.forms.strokes import StrokesForm
from evoart.run.device import Choice
from evoart.run.inputs import check_hash
from evoart.run.job import output_size
from evoart.run.problem import Film, Problem
from evoart.run.sketch import layout
from evoart.run.sketch.film import frames_of
from evoart.run.sketch.job import LATENT_TASKS, SketchJob
from evoart.run.sketch.sampling import Sampling, Start
from evoart.sketch.drawings import read_drawings
from evoart.sketch.model import Config, Model
from evoart.sketch.order import order
from evoart.sketch.simplify import simplify, simplify_to
from evoart.sketch.strokes import Polylines, bounds, to_stroke3
from evoart.types import Genome, Search

MAX_POINTS = 2_000_000  # of a completed drawing, on all of a sheet


@dataclass(frozen=True, eq=False, kw_only=True)
class SketchProblem(Problem):
    """Sketches to be drawn.

    Attributes:
        model: what draws; ``second``: the model that takes over (``then``), which may be the same one.
        starts: what each sketch begins with.
    """

    job: SketchJob
    form: StrokesForm
    model: Model
    second: tuple[Model, int] | None
    starts: tuple[Start, ...]

    @property
    def engine(self) -> Choice:
        """See ``Problem.engine``."""
        return Choice("sketch-rnn", "cpu", "the only one")

    def search(self) -> Search:
        """See ``Problem.search``."""
        return Sampling(self.job, self.model, self.second, self.starts)

    def evaluate(self, form: StrokesForm, genome: Genome) -> dict[str, float]:
        """Nothing: the search knows the fraction of sketches that ended by themselves."""
        return {}

    def figures(self, search: Search) -> dict[str, float]:
        """``finished``: the fraction of sketches that ended by themselves."""
        return dict(search.figures)

    @property
    def film(self) -> Film:
        """See ``frames_of``."""
        return Film(partial(frames_of, self.job), loop=self.job.bends)

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        config = self.model.config
        return {
            "task": self.job.task,
            "model": f"{config.name}, {config.cell} {config.hidden}, {self.model.size:,} weights",
        }

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Nothing: sketches begin with what the job names, which is read again."""
        return {}, {}

    @classmethod
    def prepare(cls, job: SketchJob, source: Any = None) -> Self:
        """The problem of a job; ``source``: a ``Model`` instead of the one that the job names.

        Raises:
            UsageError, EvoartError: files that cannot be read, a model that cannot do what is asked.
        """
        job = job.with_seed()
        model = source if isinstance(source, Model) else find_model(job.model)
        check_hash("model", job.model, model.digest, job.model_sha256)
        job = replace(job, model_sha256=model.digest)
        second = _second(job, model)
        if second is not None and second[0] is not model:
            check_hash("second model", job.then or "", second[0].digest, job.then_sha256)
            job = replace(job, then_sha256=second[0].digest)
        if job.points is not None:
            model = Model(replace(model.config, max_points=min(job.points, model.config.max_points)), model.params)
        job, drawings = _read_drawings(job, model)
        starts = tuple(_starts(job, model, drawings))
        if job.aspect is None:
            job = replace(job, aspect=8.0 if model.config.inputs == 3 else 1.0)
        if job.rule is None:
            job = replace(job, rule="handwriting" if model.config.inputs == 3 else "js")
        width, height = layout.extent(job)
        size = output_size(width, height, job.size or round(job.grid[0] * job.cell / height))
        form = layout.blank_form(job)
        return cls(job=job, form=form, size=size, name=job.stem, model=model, second=second, starts=starts)


def find_model(name: str) -> Model:
    """The model of a name; downloaded where it is not here."""
    from evoart.sketch.catalogue import find

    return find(name)


def _read_drawings(job: SketchJob, model: Model) -> tuple[SketchJob, dict[str, list[Polylines | str]]]:
    """The job with the hashes of the files that it names, and the first drawing in each of them, by field; a word of
    the model as it is."""
    drawings: dict[str, list[Polylines | str]] = {}
    for name in job.files:
        value = getattr(job, name)
        paths = [value] if isinstance(value, str) else list(value or ())
        hashes = getattr(job, f"{name}_sha256")
        expected = [hashes] if isinstance(hashes, str) else list(hashes) or [""] * len(paths)
        found = []
        for path, digest in zip(paths, expected, strict=False):
            if model.config.words and not job.names_file(path) and job.task in LATENT_TASKS:
                model.word_index(path)
                drawings.setdefault(name, []).append(path)
                found.append("")
                continue
            place = Path(path).expanduser()
            drawings.setdefault(name, []).append(read_drawings([place]).strokes[0])
            found.append(hashlib.sha256(place.read_bytes()).hexdigest())
            check_hash("drawing", path, found[-1], digest)
        if found:
            job = replace(job, **{f"{name}_sha256": found[0] if isinstance(value, str) else tuple(found)})
    return job, drawings


def _starts(job: SketchJob, model: Model, drawings: dict[str, list[Polylines | str]]) -> list[Start]:
    numbers: Sequence[int] = range(job.offset, job.offset + job.count)
    if job.task in ("interpolate", "grid"):  # neighbours differ by z alone
        numbers = [job.offset] * job.count
    config = model.config
    told = not config.words or job.task != "sample"
    indices = [model.class_index(name) for name in job.classes] if told else []
    indices = indices or [0]
    if config.inputs != 5 and job.task != "sample":
        raise UsageError(f"'{config.name}' only draws from nothing", "Use another model")
    zs: list[np.ndarray | None] = [None] * job.count
    prefix, strokes = np.zeros((0, 3)), ()
    if job.task == "sample":
        if config.words:
            words = [model.word_index(name) for name in job.classes] or range(len(config.words))
            zs = [_near_word(model, words[number % len(words)], job.seed or 0, number) for number in numbers]
        elif config.latent:
            zs = [_prior(job.seed or 0, number, config.latent) for number in numbers]
    elif job.task == "complete":
        given = drawings["drawing"][0]
        if isinstance(given, str):  # only tasks that need z take words
            raise TypeError(given)
        strokes = tuple((line - given[0][0]) * _factor(config, given, job.scale) for line in given)
        if (points := job.count * sum(len(line) for line in strokes)) > MAX_POINTS:
            raise UsageError(
                f"{job.count:,} times the {points // job.count:,} points of '{job.drawing}' are too many for a sheet",
                "Draw fewer (-n), or simplify it: evoart sketch convert DRAWING -o OUT.svg --tolerance 1",
            )
        prefix = in_units(model, given, job.scale)
        if config.latent:
            zs = [encode_drawing(model, given)] * job.count
    else:
        zs = list(_vectors(job, model, drawings))
    rows = enumerate(zip(numbers, zs, strict=True))
    return [Start(number, z, prefix, strokes, indices[k % len(indices)]) for k, (number, z) in rows]


def _vectors(job: SketchJob, model: Model, drawings: dict[str, list[Polylines | str]]) -> np.ndarray:
    """Latent vectors ``(count, latent)`` of the tasks that need an encoder."""
    from evoart.sketch import latent

    model.need_latent({"decode": "decode z"}.get(job.task, f"{job.task} drawings"))
    size = model.config.latent
    if job.task == "interpolate":
        a, b = (_place(model, drawings[name][0]) for name in ("drawing", "other"))
        return latent.slerp(a, b, job.count)
    if job.task == "combine":
        plus, minus = ([_place(model, d) for d in drawings.get(name, ())] for name in ("plus", "minus"))
        z = latent.combined(np.array(plus), np.array(minus).reshape(-1, size))
    elif job.z:
        if len(job.z) != size:
            raise UsageError(
                f"z has {len(job.z)} numbers, and '{model.config.name}' takes {size}", "Encode with this model"
            )
        z = np.array(job.z)
    elif "drawing" in drawings:
        z = _place(model, drawings["drawing"][0])
    elif model.config.words:  # decode has a z or a drawing, so this is a grid
        chosen = np.random.default_rng([job.seed or 0, 7]).permutation(len(model.config.words))[:4]
        corners = model.params["words/z"][np.resize(chosen, 4), 0]
        return latent.between_corners(corners, *job.grid)[: job.count]
    else:
        z = np.zeros(size)
    if job.task == "grid":
        rows, columns = job.grid
        u, v = np.random.default_rng([job.seed or 0, 7]).normal(size=(2, size))
        return latent.plane(z, u, v, rows, columns, job.span)[: job.count]
    return np.tile(z, (job.count, 1))


def _place(model: Model, drawing: Polylines | str) -> np.ndarray:
    """z ``(latent,)`` of a drawing, or of a word."""
    if isinstance(drawing, str):
        return np.asarray(model.params["words/z"][model.word_index(drawing), 0], np.float64)
    return encode_drawing(model, drawing)


def _near_word(model: Model, word: int, seed: int, number: int) -> np.ndarray:
    """A latent vector near one of a word's places, of the seed's choice."""
    place = np.random.default_rng([seed, number, 2]).integers(model.config.places)
    z, sigma = (np.asarray(model.params[f"words/{name}"][word, place], np.float64) for name in ("z", "sigma"))
    return z + sigma * _prior(seed, number, model.config.latent)


def _prior(seed: int, number: int, latent: int) -> np.ndarray:
    return np.random.default_rng([seed, number, 1]).normal(size=latent)


def encode_drawing(model: Model, strokes: Polylines) -> np.ndarray:
    """z ``(latent,)`` of a whole drawing of any size."""
    from evoart.engine.jax_setup import setup
    from evoart.sketch.latent import encode

    setup()
    model.need_latent("encode a drawing")
    return encode(model, [in_units(model, strokes, 1.0)])[0][0].astype(np.float64)


def in_units(model: Model, strokes: Polylines, part: float) -> np.ndarray:
    """stroke-3 of a drawing in a model's training units, simplified as its training data was.

    ``part``: the fraction of a full drawing's size that these strokes span.
    """
    config = model.config
    factor = _factor(config, strokes, part)
    scaled = simplify([line * factor for line in strokes], config.usual_tolerance)
    if config.ordered and part == 1.0:
        scaled = order(scaled)
    return to_stroke3(simplify_to(scaled, config.max_points))


def _factor(config: Config, strokes: Polylines, part: float) -> float:
    """From a drawing's units to a model's training units; see ``in_units``."""
    low, high = bounds(strokes)
    return part * config.usual_extent / max(float(np.max(high - low)), 1e-9)


def _second(job: SketchJob, model: Model) -> tuple[Model, int] | None:
    """The model, and its class, that takes over in mid-drawing."""
    if job.then is None:
        return None
    if job.then in model.config.classes:
        return model, model.class_index(job.then)
    second = find_model(job.then)
    if second.config.latent or second.config.inputs != 5 or model.config.inputs != 5:
        raise UsageError(f"'{job.then}' cannot take over a drawing", "Use a decoder without z, such as bird")
    return second, 0
