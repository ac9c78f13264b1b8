"""What a job means for some prompts: models loaded, words embedded, a form to draw in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np

from evoart.engine.clip import flat
from evoart.engine.jax_setup import setup
from evoart.engine.memory import peak_bytes
from evoart.errors import UsageError
from evoart.output.recipe import extract
from evoart.picture import load as load_picture
from evoart.run import device
from evoart.run.clip import models
from evoart.run.clip.form import form_of
from evoart.run.clip.job import GENERATIONS, ClipJob
from evoart.run.clip.prompts import split
from evoart.run.clip.search import SearchBuilder
from evoart.run.device import Choice
from evoart.run.inputs import check_hash, read_hashed
from evoart.run.job import output_size
from evoart.run.problem import Problem
from evoart.run.recipe import record
from evoart.run.shapes import expand, resolve
from evoart.score.clip import ClipScore, Prompt
from evoart.score.crops import Crops
from evoart.types import Form, Genome, Search

SIZE = 512  # pixels of the output's long side
CROPS = 16  # fresh crops of the judge
SHORT = 20.0  # seconds of a run that nobody needs to be told of
SEEN = 512  # pixels of the long side of a picture to be like, so that its short side has what CLIP sees


P = TypeVar("P", bound="ClipProblem")


@dataclass(frozen=True, eq=False, kw_only=True)
class ClipProblem(Problem):
    """Prompts to be drawn.

    Attributes:
        pixels: the canvas ``(w, h)`` that is judged.
        score: prompts, embedded, and the models that guide.
        evaluator: the same prompts by the judge's model, or by the guides where there is none.
        start: genome of ``form`` to continue from, or None.
        image_prompts: the pictures to be like, each ``(h, w, 3)``.
    """

    job: ClipJob
    pixels: tuple[int, int]
    score: ClipScore
    evaluator: ClipScore
    start: Genome | None = None
    image_prompts: tuple[np.ndarray, ...] = ()

    @property
    def resolution(self) -> tuple[int, int]:
        """See ``Problem.resolution``: ``pixels``."""
        return self.pixels

    @property
    def engine(self) -> Choice:
        """See ``Problem.engine``: JAX draws and CLIP judges, on a GPU where there is one."""
        gpu = device.accelerator()
        return Choice("clip", gpu or "cpu", "the only one for words")

    def search(self) -> Search:
        """The search that the job asks for, at its beginning; see ``SearchBuilder.build``.

        Raises:
            UsageError: an unknown strategy or option, or a search that does not suit the form.
            EvoartError: there is not enough memory for the model.
        """
        with models.enough_memory(self.job.model):
            return self._builder().build()

    def _builder(self) -> SearchBuilder:
        return SearchBuilder(self.job, self.form, self.score, self.pixels, self.start)

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        """Figures of a finished picture, on crops that did not guide the search.

        Returns:
            ``loss`` (lower is better); the cosine similarity of picture and prompt, -1 to 1, as ``similarity`` where
            there is one, else by prompt; ``judge``, the evaluator's weighted mean over the prompts that are wanted.
        """
        image = flat(form, genome, self.pixels)
        found = self.score.similarities(image, _key(self.job.seed, 1), CROPS)
        figures = {"loss": float(self.score.loss_of(found, self.score.inputs[2]))} | self._named(found)
        return figures | {"judge": self._wanted(self.evaluator.similarities(image, _key(self.job.seed, 2), CROPS))}

    def finalise(self, form: Form, genome: Genome) -> tuple[Form, Genome]:
        """See ``Problem.finalise``: without the shapes that the job's ``prune`` lets go."""
        if not self.job.prune:
            return form, genome
        return self._builder().prune(form, genome)

    def figures(self, search: Search) -> dict[str, float]:
        """See ``Problem.figures``: the similarities of the best picture so far, -1 to 1."""
        if not self.score.softmax and len(self.score.prompts) == 1:
            return {"similarity": 1 - float(search.loss)}
        form = self.form if search.structure is None else self.form.with_structure(search.structure)
        image = flat(form, search.genome, self.pixels)
        return self._named(self.score.similarities(image, _key(self.job.seed, 1), CROPS))

    def estimate(self, seconds: float, evaluations: float) -> str | None:
        """See ``Problem.estimate``: time and memory, where the run takes longer than ``SHORT`` seconds."""
        if seconds < SHORT:
            return None
        job, gpu, peak = self.job, device.accelerator(), peak_bytes()
        names = " and ".join(model.name.split("/")[0] for model in self.score.models)
        crops = "one crop" if job.crops == 1 else f"{job.crops} crops"
        cores = job.threads or device.cores()
        machine = gpu or f"this machine ({cores} core{'s' if cores > 1 else ''})"
        text = f"About {_rounded(evaluations)} looks at {crops} by {names}: some {_minutes(seconds)} on {machine}"
        text += f", {peak / 1e9:.1f} GB" if peak else ""
        usual = GENERATIONS[job.search]
        if job.quality != "draft" and job.generations == usual[job.quality] and job.seconds is None:
            text += f"; --quality draft would take {_minutes(seconds * usual['draft'] / usual[job.quality])}"
        return text

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``: prompts, models, their licences, the search and its generations."""
        return {
            "prompts": list(self.job.prompts),
            "model": " + ".join(model.name for model in self.score.models),
            "licence": ", ".join(sorted({model.licence or "unknown" for model in self.score.models})),
            "search": self.job.search,
            "generations": self.job.generations,
        }

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """See ``Problem.pack``: the canvas, the image prompts ``(h, w, 3)`` and the start ``(dim,)``."""
        arrays = {f"like-{i}": image for i, image in enumerate(self.image_prompts)}
        if self.start is not None:
            arrays["start"] = self.start
        return {"pixels": list(self.pixels)}, arrays

    def _wanted(self, similarities: np.ndarray) -> float:
        """The weighted mean over what is wanted."""
        weights = np.maximum(self.score.inputs[2], 0)
        return float(similarities @ weights / weights.sum())

    def _named(self, similarities: np.ndarray) -> dict[str, float]:
        prompts = self.score.prompts
        if len(prompts) == 1:
            return {"similarity": float(similarities[0])}
        names = [each.text if len(each.text) <= 24 else f"{each.text[:21]}..." for each in prompts]
        return {f'"{name}"': float(value) for name, value in zip(names, similarities, strict=True)}

    @classmethod
    def prepare(cls, job: ClipJob, source: Any = None) -> Self:
        """Load the models, embed the prompts and settle the job.

        Raises:
            UsageError, EvoartError: a model, picture or start file that cannot be used.
        """
        setup()
        if source is not None:
            raise UsageError("evoart clip works from words and has no photograph", "Name a picture with image_prompts=")
        device.limit_threads(job.threads)
        if job.device == "gpu" and device.accelerator() is None:
            raise device.no_gpu()
        start, hashes = None, {}
        like, hashes["image_prompts_sha256"] = _alike(job)
        if job.clip_weights:
            hashes["clip_weights_sha256"] = models.hash_of(job.clip_weights)
            check_hash("weights file", job.clip_weights, hashes["clip_weights_sha256"], job.clip_weights_sha256)
        previous = None
        if job.start:
            data, label, hashes["start_sha256"] = read_hashed("start", job.start, job.start_sha256)
            previous = record(extract(data, label), label)
            if previous.form.name != job.form:
                raise UsageError(
                    f"{label} is a picture of {previous.form.name}, not of {job.form}",
                    f"Add --form {previous.form.name}",
                )
        job = dataclasses.replace(job, **hashes).with_seed()
        choices = expand(job.kind, job.font)
        job = dataclasses.replace(job, kind=resolve(job.kind, choices), font=None)
        form, start = form_of(job, previous)
        if not hasattr(form, "images_traced"):
            raise UsageError(f"pictures of {form.name} cannot be drawn in JAX", "Choose another --form")
        size = output_size(form.width, form.height, job.size or SIZE)
        return _problem(cls, _settled(job, form), form, like, start, size=size, name=job.stem)

    @classmethod
    def restore(cls, job: ClipJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        """The problem that ``pack`` took apart; the models are loaded again.

        Raises:
            ValueError, KeyError, TypeError: parts that do not belong together.
        """
        setup()
        form, start = common.pop("form"), arrays.get("start")
        names = [f"like-{i}" for i in range(len(job.image_prompts))]
        like = tuple(arrays[name] for name in names)
        sound = (
            len(like) == len(job.image_prompts)
            and all(image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.float32 for image in like)
            and (start is None or (start.shape == (form.dim,) and np.isfinite(start).all()))
            and len(plain["pixels"]) == 2 and hasattr(form, "images_traced")
        )  # fmt: skip
        if not sound:
            raise ValueError("parts that do not belong together")
        return _problem(cls, job, form, like, start, **common)


def _rounded(number: float) -> str:
    """Two figures of it: ``1,200``."""
    return f"{float(f'{number:.2g}'):,.0f}"


def _minutes(seconds: float) -> str:
    """``40 seconds``, ``25 minutes``, ``3.5 hours``: what one says of a time that one cannot know exactly."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * length:
            number = float(f"{seconds / length:.2g}")
            return f"{number:g} {unit}s"
    return f"{float(f'{seconds:.2g}'):g} seconds"


def _alike(job: ClipJob) -> tuple[tuple[np.ndarray, ...], tuple[str, ...]]:
    """The pictures to be like, on white where they are transparent, and the hashes of their files."""
    expected = job.image_prompts_sha256 or ("",) * len(job.image_prompts)
    if len(expected) != len(job.image_prompts):
        raise UsageError("the job has another number of pictures to be like than of their hashes", "Leave them out")
    images, hashes = [], []
    for path, sha256 in zip(job.image_prompts, expected, strict=True):
        data, label, digest = read_hashed("image prompt", path, sha256)
        hashes.append(digest)
        image, alpha = load_picture(data, needed=SEEN, label=label).at(SEEN)
        images.append((image if alpha is None else image * alpha[..., None] + 1 - alpha[..., None]).astype(np.float32))
    return tuple(images), tuple(hashes)


def _problem(
    cls: type[P], job: ClipJob, form: Form, like: tuple[np.ndarray, ...], start: Genome | None, **common: Any
) -> P:
    precision = job.precision
    if precision == "auto":
        precision = "float32" if device.accelerator() is None else "bfloat16"
    guidance = models.load_guidance(job, precision)
    wanted = [Prompt(text, weight) for text, weight in map(split, job.prompts)]
    unwanted = [Prompt(text, -weight) for text, weight in map(split, job.negative_prompts)]
    pictures = [Prompt(*each) for each in zip(job.image_prompts, job.image_prompts_weight, like, strict=True)]
    every = tuple(each for each in (*wanted, *pictures, *unwanted) if each.weight != 0)
    other = models.load_evaluator(job, precision)
    with models.enough_memory(job.model):
        score = ClipScore(guidance, every, Crops(job.crops, job.crop_area), job.softmax)
        evaluator = score if other is None else ClipScore((other,), every, Crops(job.crops, job.crop_area), job.softmax)
    pixels = job.pixels or max(64, *(model.size for model in guidance))
    return cls(
        job=dataclasses.replace(job, pixels=pixels), form=form, score=score, evaluator=evaluator, start=start,
        image_prompts=like, pixels=output_size(form.width, form.height, pixels), **common,
    )  # fmt: skip


def _settled(job: ClipJob, form: Form) -> ClipJob:
    """The job with a budget where it has none."""
    if job.generations or job.evaluations or job.seconds or job.patience:
        return job
    return dataclasses.replace(job, generations=GENERATIONS[job.search][job.quality])


def _key(seed: int | None, use: int) -> Any:
    import jax

    return jax.random.fold_in(jax.random.key(seed or 0), use)
