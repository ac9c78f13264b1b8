"""What the growing search asks of a picture at one resolution: what a shape would gain, where to move them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evoart.draw import scanline
from evoart.draw.gains import STATISTICS, best_paint, running_sums, statistics
from evoart.draw.layout import Layout, detail_for, layout, pixels_per_unit
from evoart.draw.parametric import tables
from evoart.draw.shapes import shape
from evoart.draw.shapes.ramp import MARK
from evoart.engine.candidates import Judge, Outline
from evoart.engine.polish import Polisher
from evoart.engine.ramps import fit_ramp
from evoart.engine.scanline import ScanlineEngine
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target, psnr

SMALL, LARGE = 0.015, 0.5  # sizes of fresh shapes, in units
WORTH = 1.02  # how much more a shape must gain by a second colour, where it may do without
UNLIKE = 0.3  # squared distance of a shape's colour from that of the matte, at least
NOTHING = np.float32(-1e30)  # the gain of a shape that must not be
FAINTEST = 0.01  # opacity of a new shape at least: with less, no colour of it could be told


class PlacementCanvas:
    """A form's picture being built against a target, shape by shape.

    ``form.kinds`` does not matter here: every call says which kinds it is about.
    """

    def __init__(self, form: ShapesForm, target: Target) -> None:
        self.form, self.target = form, target
        self.height, self.width = target.weight.shape
        self.scale = pixels_per_unit((self.width, self.height), (form.width, form.height))
        self._image = np.ascontiguousarray(target.image.transpose(2, 0, 1))
        self._weight = np.ascontiguousarray(target.weight)
        self._table = np.empty((self.height, self.width + 1, STATISTICS), np.float32)
        self._palette = np.asarray(form.palette if form.palette else np.empty((0, 3)), np.float32)
        self._detail = min(detail_for(max(self.height, self.width)), 32)
        self._engine: ScanlineEngine | None = None
        self._outlines: dict[str, tuple[Layout, Judge | None]] = {}
        self._polisher: tuple[tuple[str, ...], Polisher] | None = None
        self.area: tuple[float, float, float, float] | None = None  # new shapes begin in it; shares of the sides
        self._canvas = np.zeros((3, self.height, self.width), np.float32)
        self._drawn: tuple[tuple[str, ...], np.ndarray] | None = None  # kinds and rows of what the canvas shows
        self._pixels = np.zeros((self.height, self.width), np.float32)  # the error of each
        self._error = np.empty(self.height * self.width)

    def engine(self, kinds: tuple[str, ...]) -> ScanlineEngine:
        """The engine for these kinds; the last one is kept."""
        if self._engine is None or self._engine.form.kinds != kinds:
            self._engine = ScanlineEngine(self.form.with_kinds(kinds), self.target)
        return self._engine

    def gradient(self, kinds: tuple[str, ...], rows: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Loss, gradient ``(k, dim_per_group)`` and removal costs ``(k,)`` of shapes ``(k, dim_per_group)``."""
        engine = self.engine(kinds)
        loss, gradient = engine.gradient(rows.ravel())
        return loss, gradient.reshape(rows.shape), engine.removal

    def polisher(self, kinds: tuple[str, ...]) -> Polisher:
        """What polishes shapes of these kinds; the last one is kept."""
        if self._polisher is None or self._polisher[0] != kinds:
            engine = self.engine(kinds)
            self._polisher = kinds, Polisher(engine.form, self.target, self.scale, engine.layout.detail)
        return self._polisher[1]

    def polish(self, kinds: tuple[str, ...], adam: Any, steps: int) -> bool:
        """``steps`` gradient steps of the state ``adam`` (``search.adam.Adam``), in place and all in one call.

        Returns False, nothing done, where these kinds or this loss want one gradient at a time.
        """
        polisher = self.polisher(kinds)
        if polisher.possible:
            polisher.polish(adam, steps)
        return polisher.possible

    def removal(self, kinds: tuple[str, ...], rows: np.ndarray) -> np.ndarray:
        """By how much the loss would rise without each shape ``(k,)``."""
        polisher = self.polisher(kinds)
        return polisher.removal(rows) if polisher.possible else self.gradient(kinds, rows)[2]

    def evaluate(self, kinds: tuple[str, ...], rows: np.ndarray) -> tuple[float, float]:
        """Loss and PSNR (dB) of shapes ``(k, dim_per_group)``."""
        engine = self.engine(kinds)
        # Plane by plane, as both lie in memory.
        mse = float(((engine.canvas(rows.ravel()) - self._image) ** 2 * self.target.share).sum(dtype=np.float64))
        return (mse if self.target.loss == "mse" else float(engine.losses(rows.ravel()[None])[0])), psnr(mse)

    def open(self, kinds: tuple[str, ...], rows: np.ndarray) -> None:
        """Draw these shapes: what follows is placed on top of them. Where the canvas shows them already, it stays."""
        if self._drawn is None or self._drawn[0] != kinds or not np.array_equal(self._drawn[1], rows):
            self._canvas = self.engine(kinds).canvas(rows.ravel())
            self._drawn = kinds, rows.copy()
        self.refresh()

    def paint(self, kind: str, row: np.ndarray) -> None:
        """Draw one more shape ``(dim_per_group,)`` on top."""
        plan, _ = self._outline(kind)
        geometry, rgba = self.form.with_kinds((kind,)).decode(np, row)
        points, widths = plan.outlines(np, geometry, self.scale)
        ramps = plan.ramps(np, geometry, self.scale)
        scanline.paint(self._canvas, points.astype(np.float32), plan.start, widths.astype(np.float32), rgba, ramps)
        if self._drawn is not None:
            self._drawn = (*self._drawn[0], kind), np.vstack([self._drawn[1], row])
        far = widths.max() / 2 + 2
        self.refresh(points[:, 1].min() - far, points[:, 1].max() + far)

    def fit_ramp(self, kind: str, row: np.ndarray, paints: Sequence[str]) -> tuple[str, np.ndarray]:
        """Kind and row ``(dim_per_group,)`` of a shape about to be placed, with the second colour that gains most.

        It stays in one colour where it is a stroke or too small, or where there are several paints to choose from and
        none gains ``WORTH`` times as much.
        """
        of = shape(kind)
        if not of.filled:
            return kind, row
        geometry, rgba = self.form.with_kinds((kind,)).decode(np, row)
        plan = self._outline(kind)[0]
        points, widths = (a.astype(np.float32) for a in plan.outlines(np, geometry, self.scale))
        covered = np.zeros((3, self.height, self.width), np.float32)
        scanline.paint(covered, points, plan.start, widths, np.ones((1, 4), np.float32))
        work = covered[0], self._image, self.planes(), self._weight, points
        found = [(paint, fit_ramp(paint, float(rgba[0, 3]), *work)) for paint in paints]
        fitted = [(paint, ramp) for paint, ramp in found if ramp is not None]
        if not fitted:
            return kind, row
        paint, best = max(fitted, key=lambda each: each[1].gain)
        if len(paints) > 1 and best.gain < WORTH * self.gains(kind, geometry)[0][0]:
            return kind, row
        row, first = row.copy(), len(of.parameters)
        row[first : first + 8] = *(best.first / self.scale), *(best.second / self.scale), *best.far, rgba[0, 3]
        row[-4:-1] = best.near
        return kind + MARK + paint, row

    def planes(self) -> np.ndarray:
        """The picture so far, ``(3, h, w)``."""
        return self._canvas

    def sample(self, rng: np.random.Generator, kind: str, n: int) -> np.ndarray:
        """New random shapes ``(n, geometry)`` where the picture is wrong: a place is as likely as its squared error."""
        at = np.searchsorted(self._error, rng.random(n) * self._error[-1]).clip(0, len(self._error) - 1)
        y, x = np.divmod(at, self.width)
        centre = (np.stack([x, y], -1) + rng.random((n, 2))) / self.scale
        size = np.exp(rng.uniform(np.log(SMALL), np.log(LARGE), n))
        return shape(kind).sample(rng, centre, size)

    def gains(self, kind: str, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each of ``(n, geometry)`` shapes on top would gain (fall of the squared error), and its best rgba.

        None of the matte's colour gains anything: it would hide what reaches into transparency, and be seen there.
        """
        gains, rgba = self._gains(kind, geometry)
        if self.target.beyond:
            matte = np.clip(self.target.matte, 0, 1).astype(np.float32)
            gains[((rgba[:, :3] - matte) ** 2).sum(-1) < UNLIKE] = NOTHING
        return gains, rgba

    def _gains(self, kind: str, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        plan, judge = self._outline(kind)
        if judge is not None:
            return judge.gains(geometry)
        shown = self.form.widen(np, (kind,), geometry[:, None, : len(shape(kind).parameters)])
        points, widths = plan.outlines(np, shown, self.scale)
        points, widths = np.ascontiguousarray(points, np.float32), np.ascontiguousarray(widths[:, 0], np.float32)
        n = len(geometry)
        sums, rgba, gains = np.empty((n, STATISTICS), np.float32), np.empty((n, 4), np.float32), np.empty(n, np.float32)
        low, high = self._opacities()
        statistics(points, widths, n, self._table, sums, scanline.strokes_or_none(widths))
        best_paint(sums, n, np.float32(low), np.float32(high), self._palette, rgba, gains)
        return gains, rgba

    def evolve(self, kind: str, *evolution: Any) -> tuple[np.ndarray, np.ndarray, float, int] | None:
        """All generations of ``search.place`` in one call; see ``Judge.evolve``.

        Returns None, nothing done, where candidates of this kind have to be judged by ``gains``.
        """
        judge = self._outline(kind)[1]
        return None if judge is None or self.target.beyond else judge.evolve(*evolution)

    def _opacities(self) -> tuple[float, float]:
        return max(self.form.opacity[0], FAINTEST), self.form.opacity[1]

    def _outline(self, kind: str) -> tuple[Layout, Judge | None]:
        """Where one shape's vertices lie, and who judges it where it has a closed form."""
        if kind not in self._outlines:
            plan = layout((kind,), self._detail)
            found = tables(plan) if not self.form.widens else None
            width = -1 if plan.filled[0] else len(shape(kind).parameters) - 1
            judge = None
            if found:
                closed = Outline(found[0], found[2][0], width, self.scale.astype(np.float32))
                judge = Judge(closed, self._table, *self._opacities(), self._palette)
            self._outlines[kind] = plan, judge
        return self._outlines[kind]

    def refresh(self, top: float = -np.inf, bottom: float = np.inf) -> None:
        """Take note that the picture was painted on, from ``top`` to ``bottom`` in pixels."""
        first, last = (int(np.clip(np.floor(y), 0, self.height)) for y in (top, bottom + 1))
        running_sums(self._image, self._canvas, self._weight, self._table, self._pixels, first, last)
        self._error = np.cumsum(self.within(self._pixels).ravel(), dtype=np.float64)

    def within(self, error: np.ndarray) -> np.ndarray:
        """An error ``(h, w)``, without what lies outside the area."""
        if self.area is None:
            return error
        left, top, right, bottom = self.area
        y, x = (np.arange(self.height) + 0.5) / self.height, (np.arange(self.width) + 0.5) / self.width
        return error * np.outer((top <= y) & (y <= bottom), (left <= x) & (x <= right))
