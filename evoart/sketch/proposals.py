"""A model continues a drawing that grows: several proposals for the next stroke, or for all the rest.

What the model knows of a drawing is its decoder's state after the last stroke. It is kept for every beginning of the
drawing, so that a new stroke costs its own points only.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.sketch.cells import CELLS
from evoart.sketch.encoder import first_state
from evoart.sketch.latent import encode, slerp
from evoart.sketch.model import Config, Model, Parameters, part
from evoart.sketch.order import order
from evoart.sketch.sampling import check_temperature, draw, draw_noise, trace
from evoart.sketch.simplify import simplify, simplify_to
from evoart.sketch.strokes import START, Polylines, bounds, fitted, to_polylines, to_stroke3, to_stroke5
from evoart.types import Array

MOST = 64  # proposals at once
_CHUNK = 16  # steps of one compiled program
_SIZE = 16  # proposals of the usual program
_FILL = 0.8  # of the page's side, that a whole drawing of the model spans
_KEPT = 400  # states


@dataclass(frozen=True)
class Proposal:
    """A continuation: strokes ``(k, 2)`` in the units of the page, and whether the model then calls it finished."""

    strokes: Polylines
    finished: bool


class Proposer:
    """Proposals of one model for one page, whose longer side is 1: x right, y down.

    Args:
        model: a sketch-rnn that reads stroke-5.

    Raises:
        UsageError: a model that cannot continue a drawing.
    """

    def __init__(self, model: Model) -> None:
        if model.config.inputs != 5:
            raise UsageError(f"'{model.config.name}' only draws from nothing", "Use another model")
        self.model, self.config = model, model.config
        self._params = {name: jnp.asarray(value) for name, value in model.params.items()}
        self.factor = model.config.usual_extent / _FILL  # from the page to the units of the training data
        self._states: dict[Any, tuple[np.ndarray, np.ndarray]] = {}

    def warm(self) -> None:
        """Compile what a proposal needs."""
        line = np.array([[0.4, 0.4], [0.5, 0.5], [0.6, 0.5]])
        self.propose([line], 9)
        self.propose([], 1)

    def propose(
        self,
        strokes: Sequence[np.ndarray],
        count: int = 9,
        *,
        temperature: float = 0.35,
        rule: str = "js",
        class_index: int = 0,
        word: str | None = None,
        whole: bool = False,
        seed: int = 0,
    ) -> list[Proposal]:
        """How the model would continue.

        Args:
            strokes: of the drawing so far, points ``(k, 2)`` in units of the page, in the order drawn; may be none.
            count: how many proposals, 1 to 64.
            temperature, rule: as of ``sampling.draw``.
            class_index: what a model of several classes is told to draw; it may change from one call to the next.
            word: what a model that knows words is to draw; None: what the drawing so far looks like to it, or, on an
                empty page, one of the seed's choice.
            whole: the rest of the drawing, instead of one stroke.
            seed: the same seed gives the same proposals.

        Returns:
            ``count`` proposals; one without strokes where the model calls the drawing finished.

        Raises:
            UsageError: a value out of range, points that are none, or more of them than the model can hold.
        """
        check_temperature(temperature, rule)
        if not 1 <= count <= MOST:
            raise UsageError(f"{count} proposals", f"Ask for 1 to {MOST}")
        rows, end = self._rows(strokes)
        used = sum(map(len, rows))
        left = self.config.max_points - used
        if left < 2:
            raise UsageError(f"{used} points are drawn, and '{self.config.name}' holds no more", "Draw fewer strokes")
        known = self.config.words
        number = seed % len(known) if known and not rows else None
        condition, state, last = self._advance(
            rows, class_index, number if word is None else self.model.word_index(word)
        )
        size = _SIZE if count <= _SIZE else MOST  # two sizes, so two programs
        carry = tuple(jnp.asarray(np.tile(each, (size, 1))) for each in (state, last))
        told = jnp.asarray(np.tile(condition, (size, 1)))
        noise = draw_noise(size, -(-left // _CHUNK) * _CHUNK, seed).swapaxes(0, 1)
        parts = []
        for first in range(0, left, _CHUNK):
            chunk = noise[first : first + _CHUNK]
            carry, drawn = _draw(self.config, rule, self._params, carry, told, chunk, jnp.float32(temperature))
            parts.append(np.asarray(drawn)[: left - first])
            done = np.concatenate(parts)[:, :count]
            over = done[..., 4] > 0.5 if whole else (done[..., 3:] > 0.5).any(-1)
            if over.any(0).all():
                break
        found = np.concatenate(parts)[:, :count]
        # The first row of a drawing that has begun travels to where the next stroke starts.
        return [self._proposal(found[:, k], end, whole) for k in range(count)]

    def _proposal(self, rows: np.ndarray, end: np.ndarray | None, whole: bool) -> Proposal:
        ended = np.flatnonzero(rows[:, 4] > 0.5)
        rows = rows[: ended[0]] if len(ended) else rows
        finished = bool(len(ended))
        if not whole:
            lifts = np.flatnonzero(rows[:, 3] > 0.5)
            if len(lifts):
                finished = finished and bool(lifts[0] == len(rows) - 1)
                rows = rows[: lifts[0] + 1]
        steps = np.column_stack([rows[:, :2] * self.config.scale / self.factor, rows[:, 3]]).astype(np.float64)
        if end is None:  # the pen is on the paper, in the middle of the page
            lines = to_polylines(steps)
            low, high = bounds(lines)
            shift = np.array([0.5, 0.5 if whole else 0.35]) - (low + high) / 2
            return Proposal([line + shift for line in lines], bool(finished))
        # A lift before the first point: what stands at the origin then is the end of the stroke before.
        lines = to_polylines(np.concatenate([[[0.0, 0.0, 1.0]], steps]))[1:] if len(steps) else []
        return Proposal([line + end for line in lines], bool(finished))

    def _rows(self, strokes: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray | None]:
        """stroke-5 rows of every stroke in the model's units, and where the pen was lifted last, on the page."""
        lines = []
        for stroke in strokes:
            points = np.asarray(stroke, np.float64)
            if points.ndim != 2 or points.shape[1:] != (2,) or not len(points) or not (np.abs(points) <= 10).all():
                raise UsageError("a stroke is not a list of points on the page", "Give x and y, from 0 to 1")
            scaled = points * self.factor
            lines.append(simplify([scaled], self.config.usual_tolerance)[0])
        if (most := sum(map(len, lines))) > self.config.max_points - 8:
            lines = simplify_to(lines, max(self.config.max_points - 8, 2 * len(lines)))
            most = sum(map(len, lines))
        if most > self.config.max_points - 2:
            raise UsageError(f"{most} points are drawn, and '{self.config.name}' holds fewer", "Draw fewer strokes")
        if not lines:
            return [], None
        whole = to_stroke5(to_stroke3(lines), end=False)
        whole[:, :2] /= self.config.scale
        ends = np.cumsum([len(line) for line in lines]) - (len(lines[0]) > 1)
        return np.split(whole, ends[:-1]), lines[-1][-1] / self.factor

    def _advance(
        self, rows: list[np.ndarray], class_index: int, word: int | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Condition, state and last row after these strokes; each ``(1, ...)``."""
        config = self.config
        condition = np.zeros((1, config.conditioning), np.float32)
        if config.classes:
            if not 0 <= class_index < len(config.classes):
                raise UsageError(f"there is no class {class_index}", f"Use 0 to {len(config.classes) - 1}")
            condition[0, config.latent + class_index] = 1
        state = np.zeros((1, CELLS[config.cell].state_size(config.hidden)), np.float32)
        if config.latent:  # a VAE is told what the drawing is, so far
            z = np.zeros((1, config.latent), np.float32)
            if word is not None:
                z = self.model.params["words/z"][word, :1].astype(np.float32)
            elif rows:
                flat = np.concatenate(rows)
                z = encode(self.model, [np.column_stack([flat[:, :2] * config.scale, flat[:, 3]])])[0]
            condition[:, : config.latent] = z
            state = np.asarray(first_state(config, self._params, jnp.asarray(z)))
        last, key = START[None], (condition.tobytes(),)
        for stroke in rows:
            key = (key[0], *key[1:], stroke.tobytes())
            if key not in self._states:
                if len(self._states) >= _KEPT:
                    self._states.clear()
                self._states[key] = self._read(stroke, condition, state, last)
            state, last = self._states[key]
        return condition, state, last

    def _read(self, rows: np.ndarray, condition: np.ndarray, state: np.ndarray, last: np.ndarray) -> Any:
        """State and last row after the rows of one more stroke."""
        for first in range(0, len(rows), _CHUNK):
            some = rows[first : first + _CHUNK]
            padded = np.concatenate([last, some, np.zeros((_CHUNK - len(some), 5), np.float32)])
            # The step that reads a row is the one that draws the next: the last row waits for that.
            told = jnp.asarray(condition)
            state = np.asarray(_follow(self.config, self._params, state, padded[:-1], told, len(some)))
            last = some[-1:]
        return state, last


@functools.partial(jax.jit, static_argnums=(0, 1))
def _draw(
    config: Config, rule: str, params: Parameters, carry: Any, condition: Array, noise: Array, tau: Array
) -> tuple[Any, Array]:
    state, x = carry
    return trace(config, rule, params, state, x, condition, noise, tau)


@functools.partial(jax.jit, static_argnums=0)
def _follow(config: Config, params: Parameters, state: Array, rows: Array, condition: Array, count: Array) -> Array:
    """The state ``(1, ...)`` after the first ``count`` of rows ``(steps, 5)`` were read."""
    cell, own = CELLS[config.cell], part(params, "cell")
    base = cell.base(own, condition)

    def step(state: Array, inputs: Any) -> tuple[Array, None]:
        row, t = inputs
        return jnp.where(t < count, cell.step(own, base, state, row[None]), state), None

    return jax.lax.scan(step, state, (rows, jnp.arange(rows.shape[0])))[0]


def walk(model: Model, one: Polylines, other: Polylines, steps: int = 9, seed: int = 0) -> list[Polylines]:
    """Drawings on the way between two through a VAE's latent space, both ends included, each centred on the page.

    Raises:
        UsageError: the model is no VAE, or a drawing is empty.
    """

    model.need_latent("walk between drawings")
    if not one or not other:
        raise UsageError("a drawing is empty", "Draw both of them first")
    config = model.config
    ends = []
    for drawing in (one, other):
        lines = fitted(drawing, (0.0, 0.0, config.usual_extent, config.usual_extent))
        lines = simplify(lines, config.usual_tolerance)
        simple = simplify_to(order(lines) if config.ordered else lines, config.max_points)
        ends.append(encode(model, [to_stroke3(simple)])[0][0].astype(np.float64))
    z = slerp(ends[0], ends[1], steps).astype(np.float32)
    noise = np.repeat(draw_noise(1, config.max_points, seed), steps, 0)
    classes = np.zeros(steps, int) if config.classes else None
    drawn = draw(model, noise, temperature=0.1, z=z, classes=classes)
    empty = EvoartError("the model drew nothing on the way", "Choose other drawings")
    found = [fitted(to_polylines(each.strokes), (0.1, 0.1, 0.8, 0.8)) for each in drawn]
    if not any(found):
        raise empty
    return found
