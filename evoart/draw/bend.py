"""One pen drawing becomes another: strokes bend into their partners, and those that have none grow out of the ink."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from evoart.draw.match import transport
from evoart.draw.morph import EASINGS
from evoart.draw.pen import PenDrawing
from evoart.types import Drawing

MOST = 64  # drawings on a way
_SAMPLES = 32  # points at which strokes are compared
_CLOSED = 0.1  # of its length: a stroke whose ends are nearer to one another than that is closed
_REST = 0.08  # share of a loop's time for which it stays at each end


class Bend:
    """The way from one pen drawing to another of the same extent.

    Attributes:
        first, last: the drawings; the way begins and ends with them exactly.
        length: how far the ink goes on average, in units.
    """

    def __init__(self, first: PenDrawing, last: PenDrawing) -> None:
        self.first, self.last = first, last
        a, b = first.strokes, last.strokes
        pairs = transport(_features(a), _features(b))
        self._ways = [(*_aligned(a[i], b[j]), first.colours[i], last.colours[j]) for i, j in pairs]
        for strokes, colours, others, side in ((a, first.colours, b, 0), (b, last.colours, a, 1)):
            for i in sorted(set(range(len(strokes))) - {pair[side] for pair in pairs}):
                source = np.broadcast_to(_nearest(strokes[i], others), strokes[i].shape)
                ends = (strokes[i], source) if side == 0 else (source, strokes[i])
                self._ways.append((*ends, colours[i], colours[i]))
        inks = np.array([max(_length(start), _length(end)) for start, end, *_ in self._ways])
        moved = np.array([np.hypot(*(end - start).T).mean() for start, end, *_ in self._ways])
        self.length = float(inks @ moved / max(inks.sum(), 1e-9))

    def at(self, share: float) -> PenDrawing:
        """The drawing at ``share`` of the way, 0 to 1."""
        if share <= 0 or share >= 1:
            return self.first if share <= 0 else self.last
        strokes = tuple((1 - share) * start + share * end for start, end, *_ in self._ways)
        colours = np.array([(1 - share) * before + share * after for *_, before, after in self._ways])
        page = self.first
        return PenDrawing(strokes, colours, page.line, page.width, page.height, page.background)


class BendFrames(Sequence[Drawing]):
    """A film through drawings of the same extent, there and back without a seam: the ink moves evenly.

    Args:
        drawings: two at least; of more than ``MOST`` some are left out, evenly.
        length: frames.
    """

    def __init__(self, drawings: Sequence[PenDrawing], length: int = 3600) -> None:
        kept = np.unique(np.linspace(0, len(drawings) - 1, min(len(drawings), MOST)).round().astype(int))
        self.drawings, self.length = [drawings[k] for k in kept], length

    @cached_property
    def _bends(self) -> list[Bend]:
        return [Bend(a, b) for a, b in zip(self.drawings, self.drawings[1:], strict=False)]

    @cached_property
    def _marks(self) -> np.ndarray:
        """Shares of the way at which the drawings stand."""
        way = np.cumsum([0.0, *(bend.length + 1e-9 for bend in self._bends)])
        return way / way[-1]

    def __getstate__(self) -> dict[str, Any]:
        return {"drawings": self.drawings, "length": self.length}

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        """The frame at ``index``, or a list of them for a slice; the last one is the first drawing."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.length))]
        if not -self.length <= index < self.length:
            raise IndexError(index)
        turn = 1 - abs(1 - 2 * (index % self.length + 1) / self.length)
        way = EASINGS["smooth"][0](min(max((turn - _REST) / (1 - 2 * _REST), 0.0), 1.0))
        k = min(int(np.searchsorted(self._marks, way, side="right")) - 1, len(self._bends) - 1)
        low, high = self._marks[k : k + 2]
        return self._bends[k].at(float((way - low) / (high - low)))


def _features(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """What strokes are paired by, ``(n, 5)``, whatever their direction: middle, length, and spread along x and y."""
    rows = []
    for stroke in strokes:
        points = _resampled(stroke, np.linspace(0, 1, _SAMPLES))
        (x, y), spread = points.mean(0), points.std(0)
        rows.append([x, y, _length(stroke) / 4, *spread])
    return np.array(rows).reshape(-1, 5)


def _aligned(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two strokes with as many points each, which lie at the same shares of their lengths, corners among them. The
    second one is turned around, and closed ones begin elsewhere, where they then have less far to go."""
    even = np.linspace(0, 1, _SAMPLES)
    rotate = 1 if _is_closed(b) else 0 if _is_closed(a) else None
    starts = even[:-1] if rotate is not None else [0.0]
    fixed, other = (a, b) if rotate != 0 else (b, a)
    target = _resampled(fixed, even)
    chosen, least = other, np.inf
    for start in starts:
        for stroke in (turned := _begun(other, start), turned[::-1]):
            far = float(((_resampled(stroke, even) - target) ** 2).sum())
            if far < least - 1e-12:
                chosen, least = stroke, far
    a, b = (fixed, chosen) if rotate != 0 else (chosen, fixed)
    at = np.unique(np.concatenate([_shares(a), _shares(b)]))
    return _resampled(a, at), _resampled(b, at)


def _nearest(stroke: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """The point ``(2,)`` on other strokes that is nearest to this one."""
    ink = np.concatenate([_resampled(other, np.linspace(0, 1, _SAMPLES)) for other in others] or [stroke])
    away = ((ink[:, None] - stroke[None]) ** 2).sum(-1).min(1)
    return ink[int(away.argmin())]


def _begun(stroke: np.ndarray, start: float) -> np.ndarray:
    """A closed stroke that begins, and ends, at a share of its length."""
    if start <= 0:
        return stroke
    at = _shares(stroke)
    point = _resampled(stroke, np.array([start]))
    return np.concatenate([point, stroke[at > start], stroke[at < start], point])


def _is_closed(stroke: np.ndarray) -> bool:
    return len(stroke) > 3 and np.hypot(*(stroke[-1] - stroke[0])) < _CLOSED * _length(stroke)


def _length(stroke: np.ndarray) -> float:
    return float(np.hypot(*np.diff(stroke, axis=0).T).sum())


def _shares(stroke: np.ndarray) -> np.ndarray:
    """Shares of a stroke's length, 0 to 1, at which its points lie; of a dot, evenly."""
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    if steps.sum() <= 1e-12:
        return np.linspace(0, 1, len(stroke))
    return np.concatenate([[0.0], np.cumsum(steps) / steps.sum()])


def _resampled(stroke: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Points of a stroke at shares of its length."""
    shares = _shares(stroke)
    return np.stack([np.interp(at, shares, stroke[:, axis]) for axis in (0, 1)], -1)
