"""What problems about a photograph share: pictures are compared with it, pixel by pixel."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.errors import EvoartError
from evoart.picture import bundled, load
from evoart.run.problem import Problem
from evoart.score.pixel import Target, evaluate_drawing, psnr
from evoart.types import Form, Genome, Image, Search

if TYPE_CHECKING:
    from evoart.score.pixel import Loss


SHOWN = 960  # pixels of the photograph's long side in a film


@dataclass(frozen=True, eq=False, kw_only=True)
class PhotographProblem(Problem):
    """A photograph to be drawn.

    Attributes:
        target: what pictures are compared with.
    """

    target: Target

    @property
    def resolution(self) -> tuple[int, int]:
        """``(w, h)`` in pixels of the target."""
        h, w = self.target.weight.shape
        return w, h

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        """``loss`` and ``psnr`` in dB of a finished picture."""
        loss, decibels = evaluate_drawing(form.drawing(genome), self.target)
        return {"loss": loss, "psnr": decibels}

    def figures(self, search: Search) -> dict[str, float]:
        """``psnr`` of the best so far in dB; drawn only where neither the loss nor the search tells it."""
        if self.target.loss == "mse":
            return {"psnr": psnr(float(search.loss)) if np.isfinite(search.loss) else 0.0}
        if search.psnr is not None:
            return {"psnr": float(search.psnr)}
        form = self.form if search.structure is None else self.form.with_structure(search.structure)
        return {"psnr": self.evaluate(form, search.genome)["psnr"]}

    @property
    def photograph(self) -> Callable[[], Image]:
        """See ``Problem.photograph``."""
        return self._photograph

    def _photograph(self) -> Image:
        """From its file where that is still there, else as it was judged: at the search's own size."""
        job = self.job
        name = getattr(job, "picture", "")
        if name != "-" and (digest := getattr(job, "sha256", "")):
            with contextlib.suppress(EvoartError):
                picture = load(name or bundled(), needed=SHOWN)
                if picture.sha256 == digest:
                    image, alpha = picture.at(SHOWN)
                    return image if alpha is None else image * alpha[..., None] + 1 - alpha[..., None]
        return np.clip(self.target.image, 0, 1)

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """See ``Problem.pack``; ``unpack_target`` reads the arrays."""
        return {"matte": self.target.matte}, {"image": self.target.image, "weight": self.target.weight}


def unpack_target(arrays: Mapping[str, np.ndarray], loss: Loss, matte: Any = (1.0, 1.0, 1.0)) -> Target:
    """The target that ``PhotographProblem.pack`` took apart.

    Raises:
        KeyError, ValueError: arrays that are no image ``(h, w, 3)`` with weights ``(h, w)``, finite, float32.
    """
    image, weight = arrays["image"], arrays["weight"]
    sound = (
        image.ndim == 3 and image.shape == (*weight.shape, 3) and image.dtype == weight.dtype == np.float32
        and min(weight.shape) > 0 and np.isfinite(image).all() and np.isfinite(weight).all() and weight.min() >= 0
    )  # fmt: skip
    if not sound:
        raise ValueError("image and weights do not belong together")
    red, green, blue = (float(value) for value in matte)
    return Target(image, weight, loss, (red, green, blue))
