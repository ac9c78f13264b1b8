"""Keeps a bounded number of moments of a run, spaced by how much they improved, for a film of fixed length."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from evoart.errors import EvoartError
from evoart.forms.registry import FORMS
from evoart.types import Drawing, Form


@dataclass(frozen=True, eq=False)
class Moment:
    """The best so far at one time: form, genome ``(dim,)`` and the way the loss had come, in log units."""

    form: Form
    genome: np.ndarray
    position: float


class FilmRecorder:
    """Moments evenly spaced along the logarithm of the loss, however long the run.

    Equal steps of log loss are equal steps of PSNR, which is about how the eye sees a picture improve; equal steps of
    time would show everything in the first second. When there are more than ``capacity`` moments the spacing doubles.

    Args:
        capacity: most moments kept.
    """

    def __init__(self, capacity: int = 240) -> None:
        self.capacity = capacity
        self._moments: list[Moment] = []
        self._latest: Moment | None = None
        self._spacing, self._loss = 0.0, math.nan

    def __len__(self) -> int:
        return len(self._moments)

    def add(self, form: Form, genome: np.ndarray, loss: float) -> None:
        """Offer the best genome ``(dim,)`` so far and its ``loss``; it is copied where it is kept."""
        if not math.isfinite(loss):
            return
        loss = max(float(loss), 1e-12)
        way = 0.0 if self._latest is None else abs(math.log(loss / self._loss))
        position = way + (self._latest.position if self._latest else 0.0)
        self._loss = loss
        self._latest = Moment(form, np.array(genome, np.float32), position)
        if not self._moments or position - self._moments[-1].position > self._spacing:
            self._moments.append(self._latest)
        while len(self._moments) > self.capacity:
            self._thin()

    def select(self, count: int) -> list[tuple[Form, np.ndarray]]:
        """At most ``count`` pictures as (form, genome), evenly along the way from the first moment to the latest, with
        what the form knows to lie between two of them."""
        return [(moment.form, moment.genome) for moment in _select(self._moments, self._latest, count)]

    def frames(self, count: int) -> Frames:
        """The pictures of ``select`` as drawings, chosen and drawn when they are asked for."""
        return Frames(tuple(self._moments), self._latest, count)

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state for a checkpoint."""
        moments = self._moments + ([self._latest] if self._latest else [])
        # Few forms and many moments: each form is written once.
        plain = [json.dumps([m.form.name, m.form.to_plain()]) for m in moments]
        forms = list(dict.fromkeys(plain))
        return {
            "film_forms": np.frombuffer(f"[{','.join(forms)}]".encode(), np.uint8),
            "film_form": np.array([forms.index(text) for text in plain], np.int64),
            "film_lengths": np.array([len(m.genome) for m in moments], np.int64),
            "film_genomes": np.concatenate([np.zeros(0, np.float32), *[m.genome for m in moments]]),
            "film_positions": np.array([m.position for m in moments], np.float64),
            "film_state": np.array([self._spacing, self._loss], np.float64),
        }

    def load(self, arrays: dict[str, Any]) -> None:
        """Continue from what ``arrays`` gave.

        Raises:
            EvoartError: the arrays do not belong together.
        """
        try:
            known = json.loads(bytes(np.asarray(arrays["film_forms"], np.uint8)))
            forms = [FORMS[name].from_plain(plain) for name, plain in known]
            which = [forms[int(i)] for i in arrays["film_form"]]
            lengths = [int(n) for n in arrays["film_lengths"]]
            genomes = np.split(np.asarray(arrays["film_genomes"], np.float32), np.cumsum(lengths)[:-1])
            positions = [float(p) for p in arrays["film_positions"]]
            if not lengths:
                genomes = []
            moments = [Moment(f, g.copy(), p) for f, g, p in zip(which, genomes, positions, strict=True)]
            if [len(m.genome) for m in moments] != lengths:
                raise ValueError("lengths")
            self._spacing, self._loss = (float(v) for v in arrays["film_state"])
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise EvoartError("the checkpoint's film is damaged", "Start again without resuming") from error
        self._moments, self._latest = moments[:-1], moments[-1] if moments else None

    def _thin(self) -> None:
        way = self._moments[-1].position - self._moments[0].position
        self._spacing = max(2 * self._spacing, 2 * way / self.capacity)
        kept = [self._moments[0]]
        for moment in self._moments[1:]:
            if moment.position - kept[-1].position > self._spacing:
                kept.append(moment)
        self._moments = kept


class Frames(Sequence[Drawing]):
    """At most ``count`` drawings of a run's moments; nothing is chosen or drawn before it is asked for.

    Args:
        moments, latest: what a recorder has kept.
        count: most drawings.
    """

    def __init__(self, moments: tuple[Moment, ...], latest: Moment | None, count: int) -> None:
        self.moments, self.latest, self.most = moments, latest, count

    @cached_property
    def _selected(self) -> list[Moment]:
        return _select(self.moments, self.latest, self.most)

    def __len__(self) -> int:
        return len(self._selected)

    def __getitem__(self, index: Any) -> Any:
        """The drawing at ``index``, or a list of drawings for a slice."""
        if isinstance(index, slice):
            return [moment.form.drawing(moment.genome) for moment in self._selected[index]]
        moment = self._selected[index]
        return moment.form.drawing(moment.genome)

    def __getstate__(self) -> dict[str, Any]:
        return {"moments": self.moments, "latest": self.latest, "most": self.most}


def _select(moments: Sequence[Moment], latest: Moment | None, count: int) -> list[Moment]:
    """See ``FilmRecorder.select``."""
    chosen = list(moments)
    if latest is not None and latest is not chosen[-1]:
        if latest.position == chosen[-1].position:
            chosen.pop()  # as good, so it would look like a frame that stands still
        chosen.append(latest)
    return _evenly(chosen, count)


def _evenly(moments: list[Moment], count: int) -> list[Moment]:
    """``count`` even steps along the way, fewer where several steps show the same moment."""
    at = np.array([m.position for m in moments])
    if len(moments) < 2 or at[-1] <= at[0] or count < 2:
        return moments[-1:]
    shown = [moments[0]]
    for step in np.linspace(at[0], at[-1], count)[1:-1]:
        after = min(max(int(np.searchsorted(at, step)), 1), len(at) - 1)
        share = (step - at[after - 1]) / max(at[after] - at[after - 1], 1e-12)
        moment = _between(moments[after - 1], moments[after], float(share))
        if moment is not shown[-1]:
            shown.append(moment)
    return [*shown[: -1 if shown[-1] is moments[-1] and len(shown) > 1 else None], moments[-1]]


def _between(before: Moment, after: Moment, share: float) -> Moment:
    """The picture at ``share`` (0 to 1) of the way between two moments, or the nearer one where none is in between."""
    made = before.form.between(before.genome, after.form, after.genome, share)
    if made is None:
        return before if share < 0.5 else after
    return Moment(*made, before.position + share * (after.position - before.position))
