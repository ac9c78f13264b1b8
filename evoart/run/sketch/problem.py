"""What a job of ``evoart sketch`` means: a model, what each sketch begins with, and a search that draws them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from evoart.errors import UsageError
from evoart.forms.strokes import StrokesForm
from evoart.run.device import Choice
from evoart.run.inputs import check_hash
from evoart.run.job import output_size
from evoart.run.problem import Problem
from evoart.run.sketch import layout
from evoart.run.sketch.job import SketchJob
from evoart.run.sketch.sampling import Start
from evoart.sketch.drawings import read_drawings
from evoart.sketch.model import Model
from evoart.sketch.simplify import simplify, simplify_to
from evoart.sketch.strokes import Polylines, bounds, to_stroke3
from evoart.types import Drawing, Form, Genome, Search

_TOLERANCE = 2 / 255  # of a drawing's extent: what Quick, Draw! drawings were simplified by


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
    def resolution(self) -> tuple[int, int]:
        return self.size

    @property
    def engine(self) -> Choice:
        import jax

        return Choice("sketch-rnn", jax.default_backend(), "the only one")

    def search(self) -> Search:
        from evoart.run.sketch.sampling import Sampling

        return Sampling(self.job, self.model, self.second, self.starts)

    def evaluate(self, form: StrokesForm, genome: Genome) -> dict[str, float]:
        """Nothing: the search knows the share of sketches that ended by themselves."""
        return {}

    def figures(self, search: Search) -> dict[str, float]:
        return dict(search.figures)

    def frames(self, form: Form, genome: Genome) -> Sequence[Drawing]:
        """The pen on its way, for films."""
        return PenFrames(form, genome)

    @property
    def recorded(self) -> bool:
        """No: a film shows the pen, whatever the order in which sketches were made."""
        return False

    def details(self) -> dict[str, Any]:
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
        from evoart.engine.jax_setup import setup

        job = job.with_seed()
        model = source if isinstance(source, Model) else find_model(job.model)
        setup()
        check_hash("model", job.model, model.digest, job.model_sha256)
        job = replace(job, model_sha256=model.digest)
        if job.points is not None:
            model = Model(replace(model.config, longest=min(job.points, model.config.longest)), model.params)
        drawings: dict[str, Polylines] = {}
        for name in ("drawing", "other"):
            if path := getattr(job, name):
                drawings[name], digest = _read(path)
                check_hash("drawing", path, digest, getattr(job, f"{name}_sha256"))
                job = replace(job, **{f"{name}_sha256": digest})
        starts = tuple(_starts(job, model, drawings))
        second = _second(job, model)
        if job.aspect is None:
            job = replace(job, aspect=8.0 if model.config.inputs == 3 else 1.0)
        if job.rule is None:
            job = replace(job, rule="handwriting" if model.config.inputs == 3 else "js")
        width, height = layout.extent(job)
        size = output_size(width, height, job.size or round(job.grid[0] * job.cell / height))
        form, _ = layout.sheet(job, [[np.zeros((1, 2))]] * job.count)  # which says how many, until there are some
        return cls(job=job, form=form, size=size, name=job.stem, model=model, second=second, starts=starts)

    @classmethod
    def restore(cls, job: SketchJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        """The problem again: everything is read from what the job names."""
        return cls.prepare(job)


def _draw_strokes(form: StrokesForm, genome: Genome) -> Sequence[Drawing]:
    drawing = form.drawing(genome)
    return [drawing.begun(share) for share in np.linspace(0, 1, 121)[1:]]


def find_model(name: str) -> Model:
    """The model of a name; downloaded where it is not here."""
    from evoart.sketch.catalogue import find

    return find(name)


def _read(path: str) -> tuple[Polylines, str]:
    """The strokes of the first drawing in a file, and its hash."""
    found = read_drawings([Path(path).expanduser()])
    return found.strokes[0], hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()


def _starts(job: SketchJob, model: Model, drawings: dict[str, Polylines]) -> list[Start]:
    tapes = range(job.offset, job.offset + job.count)
    indices = [model.class_index(name) for name in job.classes] or [0]
    config = model.config
    if config.inputs != 5 and job.task != "sample":
        raise UsageError(f"'{config.name}' only draws from nothing", "Use another model")
    zs: list[np.ndarray | None] = [None] * job.count
    begun = np.zeros((0, 3))
    if job.task == "sample":
        if config.latent:
            zs = [_prior(job.seed or 0, tape, config.latent) for tape in tapes]
    elif job.task == "complete":
        begun = in_units(model, drawings["drawing"], job.scale)
        if config.latent:
            zs = [encoded(model, drawings["drawing"])] * job.count
    else:
        zs = list(_vectors(job, model, drawings))
    return [Start(tape, z, begun, indices[k % len(indices)]) for k, (tape, z) in enumerate(zip(tapes, zs, strict=True))]


def _vectors(job: SketchJob, model: Model, drawings: dict[str, Polylines]) -> np.ndarray:
    """Latent vectors ``(count, latent)`` of the tasks that need an encoder."""
    from evoart.sketch import latent

    model.need_latent({"decode": "decode z"}.get(job.task, f"{job.task} drawings"))
    size = model.config.latent
    if job.task == "interpolate":
        return latent.slerp(encoded(model, drawings["drawing"]), encoded(model, drawings["other"]), job.count)
    if job.task == "combine":
        plus, minus = ([encoded(model, _read(path)[0]) for path in paths] for paths in (job.plus, job.minus))
        z = latent.combined(np.array(plus), np.array(minus).reshape(-1, size))
    elif job.z:
        if len(job.z) != size:
            raise UsageError(
                f"z has {len(job.z)} numbers, and '{model.config.name}' takes {size}", "Encode with this model"
            )
        z = np.array(job.z)
    elif "drawing" in drawings:
        z = encoded(model, drawings["drawing"])
    else:
        z = np.zeros(size)
    if job.task == "grid":
        rows, columns = job.grid
        u, v = np.random.default_rng([job.seed or 0, 7]).normal(size=(2, size))
        return latent.plane(z, u, v, rows, columns, job.span)[: job.count]
    return np.tile(z, (job.count, 1))


def _prior(seed: int, tape: int, latent: int) -> np.ndarray:
    return np.random.default_rng([seed, tape, 1]).normal(size=latent)


def encoded(model: Model, strokes: Polylines) -> np.ndarray:
    """z ``(latent,)`` of a whole drawing of any size."""
    from evoart.sketch.latent import encode

    model.need_latent("encode a drawing")
    return encode(model, [in_units(model, strokes, 1.0)])[0][0].astype(np.float64)


def in_units(model: Model, strokes: Polylines, part: float) -> np.ndarray:
    """stroke-3 of a drawing in a model's training units, simplified as its training data was.

    ``part``: the share of a whole drawing's size that these strokes span.
    """
    config = model.config
    side = config.extent or 12 * config.scale
    low, high = bounds(strokes)
    factor = part * side / max(float(np.max(high - low)), 1e-9)
    scaled = simplify([line * factor for line in strokes], _TOLERANCE * side)
    return to_stroke3(simplify_to(scaled, config.longest))


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
