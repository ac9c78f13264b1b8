"""Jobs of ``evoart clip``: pictures that agree with words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from evoart.errors import UsageError
from evoart.forms.registry import FORMS
from evoart.output.names import slug
from evoart.run import fields
from evoart.run.clip.default import find_default
from evoart.run.clip.prompts import check_weights, negative_prompts_of, paths, picture, prompts, split, weights
from evoart.run.job import JOBS, RENAMED, Job
from evoart.search.options import read_count

SEARCHES = ("gradient", "surrogate", "classical")
DEFAULT_SHAPES = 100
DRAFT_CROPS = 2  # of a draft by gradient; of all else 4
# What suits the model inside evoart, which many triangles fool: a few shapes, its own among them, that may fade away.
FEW: dict[str, Any] = {
    "shapes": 8,
    "kind": "circle,ellipse,triangle,rectangle",
    "opacity": (0.0, 1.0),
    "restarts": 4,
    "step": 0.3,
    "prune": 0.02,
}

# What each preset sets; anything given with it wins.
PRESETS: dict[str, dict[str, Any]] = {
    # Tian and Ha, "Modern Evolution Strategies for Creativity" (2021): their program's settings for CLIP.
    "es-clip": {
        "search": "classical",
        "strategy": "pgpe",
        "shapes": 50,
        "kind": "triangle",
        "pixels": 224,
        "population": 256,
        "generations": 2_000,
        "opacity": (0.0, 0.5),
        "crops": 4,
        "crop_area": (0.7, 0.9),
    },
}


def share(name: str, value: Any) -> tuple[float, float]:
    """The range of shares ``(low, high)``, 0.05 to 1, that ``0.7-0.9`` or one number says.

    Raises:
        UsageError: something else, a number out of range, or a range that runs down.
    """
    number = fields.Number(0.05, 1.0, kind=float, flag="--crop-area")
    parts = re.split(r"\s*(?:-|,|:)\s*", value.strip()) if isinstance(value, str) else value
    parts = parts if isinstance(parts, list | tuple) else [parts]
    if not 1 <= len(parts) <= 2:
        raise UsageError(f"--crop-area is {fields.shortened(value)}", "Write a range such as 0.7-0.9")
    low, high = number(name, parts[0]), number(name, parts[-1])
    if low > high:
        raise UsageError(f"--crop-area runs from {low:g} down to {high:g}", f"Write {high:g}-{low:g}")
    return low, high


@dataclass(frozen=True)
class ClipJob(Job):
    """A job of ``evoart clip``. What all jobs have is said there.

    Attributes:
        prompts: what the picture should agree with, each ``text`` or ``text:weight``.
        negative_prompts: what it should not agree with, likewise.
        image_prompts, image_prompts_sha256: paths of pictures it should look like to CLIP, and their hashes.
            ``make`` takes ``path:weight`` too.
        image_prompts_weight: of each of them; below 0 it should look unlike it.
        softmax: prompts compete: the picture should be the wanted ones rather than the others.
        model: ``NAME/TAG``, several joined by ``+``; see ``evoart models``.
        pretrained: the tag, where ``model`` does not name it.
        clip_weights, clip_weights_sha256: path of a weights file of ``model``, and its hash.
        evaluator: a model that did not guide and judges the result; ``crops``: the same one, by fresh crops.
        precision: ``auto`` (bfloat16 on a GPU), ``float32`` or ``bfloat16``.
        scorer: ``auto``, ``jax`` or ``torch``: what computes the models.
        form: the form of pictures, a name of ``FORMS``; for pens see ``forms.pens``.
        shapes, kind, opacity, background, palette: of the form ``shapes``; see ``FitJob``. ``background`` is white
            where nothing is said, ``palette`` is a list of colours.
        aspect: width to height.
        pixels: long side of the canvas that is judged, 16 to 1,024; None suits the model.
        crops: per picture, 1 to 64.
        crop_area: least and largest share of a crop.
        search: ``gradient``, ``surrogate`` or ``classical``.
        strategy: evosax strategy of ``classical``; alone it asks for that search.
        population, step: of the search; None suits it.
        restarts: how many starts; after a quarter of the planned generations only the best continues.
        prune: what the loss may rise by for shapes that are left out at the end.
        preset: name of the preset the other fields came from.
    """

    command: ClassVar[str] = "clip"
    files: ClassVar = Job.files | {"image_prompts": "picture to be like", "clip_weights": "weights file"}
    presets: ClassVar = PRESETS
    checks: ClassVar = Job.checks | {
        "prompts": prompts,
        "negative_prompts": negative_prompts_of,
        "image_prompts": paths,
        "image_prompts_sha256": paths,
        "image_prompts_weight": weights,
        "softmax": fields.flag,
        "model": fields.named,
        "pretrained": fields.named,
        "clip_weights": fields.named,
        "clip_weights_sha256": fields.text,
        "evaluator": fields.named,
        "precision": fields.Choice(("auto", "float32", "bfloat16")),
        "scorer": fields.Choice(("auto", "jax", "torch")),
        "form": fields.named,
        "shapes": fields.Number(1, 20_000, "shapes"),
        "kind": fields.kinds,
        "font": fields.named,
        "opacity": fields.opacity,
        "background": fields.background,
        "palette": fields.palette,
        "aspect": fields.Aspect(8),
        "pixels": fields.Number(16, 1024, "pixels"),
        "crops": fields.Number(1, 64, "crops"),
        "crop_area": share,
        "search": fields.Choice(SEARCHES),
        "strategy": fields.named,
        "population": fields.Number(2, 65_536, "candidates"),
        "step": fields.Number(1e-5, 2.0, kind=float),
        "restarts": fields.Number(1, 64, "restarts"),
        "prune": fields.Number(0.0, 1.0, kind=float),
        "preset": fields.Choice(tuple(PRESETS)),
    }

    prompts: tuple[str, ...] = ()
    negative_prompts: tuple[str, ...] = ()
    image_prompts: tuple[str, ...] = ()
    image_prompts_sha256: tuple[str, ...] = ()
    image_prompts_weight: tuple[float, ...] = ()
    softmax: bool = False
    model: str = "ViT-B-32/laion2b_s34b_b79k"
    pretrained: str | None = None
    clip_weights: str | None = None
    clip_weights_sha256: str = ""
    evaluator: str = "crops"
    precision: str = "auto"
    scorer: str = "auto"
    form: str = "shapes"
    shapes: int | None = None
    kind: str = "triangle"
    font: str | None = None
    opacity: tuple[float, float] = (0.0, 1.0)
    background: str = "#ffffff"
    palette: int | tuple[str, ...] | None = None
    aspect: str = "1:1"
    pixels: int | None = None
    crops: int = 4
    crop_area: tuple[float, float] = (0.7, 0.9)
    search: str = "gradient"
    strategy: str | None = None
    population: int | None = None
    step: float | None = None
    restarts: int = 1
    prune: float = 0.0
    preset: str | None = None

    def check_together(self) -> None:
        """See ``Job.check_together``.

        Raises:
            UsageError: fields that exclude one another, or a form that does not exist.
        """
        if not all(self.image_prompts):
            raise UsageError("the name of a picture to be like is empty", "Name a file: --image-prompt photo.jpg:0.3")
        if len(self.image_prompts_weight) != len(self.image_prompts):
            raise UsageError(
                f"there are {len(self.image_prompts_weight)} weights of {len(self.image_prompts)} pictures to be like",
                "Give each its own: --image-prompt photo.jpg:0.3",
            )
        check_weights(self.prompts, self.negative_prompts, self.image_prompts_weight)
        FORMS[self.form.partition(":")[0]]
        if self.softmax and len(self.prompts) + len(self.negative_prompts) + len(self.image_prompts) < 2:
            raise UsageError(
                "--softmax needs something to tell the prompt from", 'Add --negative-prompt "something else"'
            )
        self._check_options()
        if self.background == "mean":
            raise UsageError(
                "there is no photograph whose mean colour the background could be", "Use a colour, or transparent"
            )
        if isinstance(self.palette, int):
            raise UsageError(
                f"there is no photograph to choose {self.palette} colours from",
                "Name them: --palette black,#e63946,orange",
            )
        if self.engine == "scanline":
            raise UsageError("CLIP's pictures are drawn by JAX", "Leave out --engine")
        if self.prune and self.form != "shapes":
            raise UsageError(f"pictures of {self.form} have no shapes to leave out", "Leave out --prune")
        if self.strategy is not None and self.search != "classical":
            raise UsageError(f"the search '{self.search}' has no strategy to choose", "Use --search classical")
        if self.population is not None and self.search == "gradient":
            raise UsageError("the search 'gradient' has no population", "Use --search classical or surrogate")
        if self.clip_weights and "+" in self.model:
            raise UsageError("--clip-weights is one file, and --model names several", "Name one model")

    def _check_options(self) -> None:
        """Only strategies have options of their own; every search knows the generations it planned for."""
        for name, value in self.options.items():
            if name == "planned":
                read_count(name, value)
            elif self.search != "classical":
                raise UsageError(
                    f"the search '{self.search}' has no option '{name}'",
                    "Use --step, or --search classical for those of a strategy",
                )

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``: the form without a pen's model, ``sketch`` of ``sketch:bird``."""
        return self.form.partition(":")[0]

    @property
    def stem(self) -> str:
        """See ``Job.stem``: the wanted prompts as a file name, or the image prompts' names where there are none."""
        words = [text for text, weight in map(split, self.prompts) if weight > 0]
        return slug(" ".join(words)) if words else slug(" ".join(Path(path).stem for path in self._alike))

    def title(self, label: str) -> str:
        """See ``Job.title``: ``a red circle, drawn with 8 shapes``."""
        words = [text for text, weight in map(split, self.prompts) if weight > 0] or [
            f"like {path}" for path in self._alike
        ]
        return f"{', '.join(words)}, drawn with {label}"

    @property
    def _alike(self) -> list[str]:
        """The pictures that it should look like, rather than unlike."""
        return [path for path, weight in zip(self.image_prompts, self.image_prompts_weight, strict=True) if weight > 0]

    @property
    def summary(self) -> str:
        """See ``Job.summary``: all prompts, and the model."""
        told = [f'"{each}"' for each in self.prompts] + [f'not "{each}"' for each in self.negative_prompts]
        for path, weight in zip(self.image_prompts, self.image_prompts_weight, strict=True):
            told.append(f"like {path}" + ("" if weight == 1 else f":{weight:g}"))
        return f"{', '.join(told)} by {self.model}{f'/{self.pretrained}' if self.pretrained else ''}"

    @classmethod
    def choose_command(cls, given: Mapping[str, Any]) -> str:
        """``icons`` where the model inside evoart is asked for, or nothing is and no other model is here.

        Raises:
            UsageError: options that only a CLIP model has a use for, and none is here or named.
        """
        model = str(given.get("model") or "").strip().lower()
        if model not in ("", "icons") or (not model and find_default()):
            return cls.command
        own = JOBS["icons"].checks
        plain = ("form", "shapes"), ("aspect", "1:1")
        asked = [name for name, value in given.items() if value not in (None, ()) and (name, value) not in plain]
        if not model and RENAMED[cls.command].keys() & set(asked):
            return cls.command  # which tells the name of today
        foreign = [name for name in asked if name in cls.checks and name not in own]
        if not foreign:
            return "icons"
        flag = f"--{foreign[0].replace('_', '-')}".replace("-prompts", "-prompt")  # given one at a time
        if model:
            raise UsageError(
                f"the model inside evoart has no use for {flag}", "Leave it out, or name a CLIP model: --model ViT-B-32"
            )
        raise UsageError(
            f"{flag} needs a CLIP model, and none is on this machine",
            "Name one: --model ViT-B-32 (605 MB, downloaded once), or --model tiny (19 things)",
        )

    @classmethod
    def implied(cls, given: dict[str, Any]) -> dict[str, Any]:
        """See ``Job.implied``: weights of image prompts, a strategy's search, and what suits the model inside evoart.

        Raises:
            UsageError: an image prompt that is not ``FILE`` or ``FILE:WEIGHT``.
        """
        if given.get("image_prompts") and "image_prompts_weight" not in given:
            pairs = [picture(str(each)) for each in paths("image_prompts", given["image_prompts"])]
            given = given | {
                "image_prompts": [path for path, _ in pairs],
                "image_prompts_weight": [weight for _, weight in pairs],
            }
        elif not given.get("image_prompts"):  # older recipes have a weight in any case
            given = {name: value for name, value in given.items() if name != "image_prompts_weight"}
        plain = given.get("form", "shapes") == "shapes" and not given.keys() & {"start", "preset"}
        tiny = str(given.get("model", "")).strip().lower() == "tiny"
        if tiny and plain:
            given = FEW | given
        if not given.get("model") and (found := find_default()):
            given = given | {"model": found}
        if "strategy" in given:
            given = {"search": "classical"} | given
        if given.get("quality") == "draft" and given.get("search", "gradient") == "gradient" and not tiny:
            given = {"crops": DRAFT_CROPS} | given  # more steps with fewer crops come further
        return given


# Generations where nothing else was asked for, by search.
GENERATIONS = {
    "gradient": {"draft": 100, "normal": 400, "best": 1600},
    "surrogate": {"draft": 100, "normal": 400, "best": 1600},
    "classical": {"draft": 250, "normal": 2000, "best": 8000},
}
