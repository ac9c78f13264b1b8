"""The judge of pictures by the model inside: names what a picture shows, and has learned from other artists.

A classifier in NumPy (``benchmarks/words/train.py``): a picture's edges, figure and colours, projected so that what
tells things apart counts (linear discriminants), and compared with examples. None of these is among the pictures that
the model inside was made from (``icons``), so what it recognises is the thing and not the artist.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from evoart.openclip import compose, icons, safetensors

FILE = Path(__file__).parent / "models" / "icons-judge.safetensors"
SIDE = 48  # pixels of the pictures that it sees
ANGLES = 8  # of edges, in half a turn
CELLS = ((6, 1.0), (12, 2.0))  # their sides in pixels, and what they weigh
ROOM = (1.06, 1.3)  # sides of what the judge is shown, in units of the figure's longer side
NOTHING = "nothing that it knows"
STANDS_OUT = 0.06  # difference to the background, in [0, 1], of what belongs to the figure


@dataclass(frozen=True)
class Verdict:
    """What the judge says of a picture of a thing.

    Attributes:
        rank: of the thing among ``names``, 1 where it is the first that comes to the judge's mind.
        names: how many names it chose from.
        probability: of the thing, 0 to 1.
        first: the name that it finds most likely, or ``NOTHING``.
    """

    rank: int
    names: int
    probability: float
    first: str


@dataclass(frozen=True, eq=False)
class Judge:
    """The classifier.

    Attributes:
        projection: ``(FEATURES, d)`` float32, from descriptions to a space in which artists matter little and things
            much.
        offset: ``(d,)`` what is taken away after the projection.
        examples: ``(n, d)`` unit rows: what the pictures that it has learned look like there, a few of each thing.
        of: ``(n,)`` the name that each example has; ``len(names)`` for pictures of nothing.
        names: what it can name, as ``Icons.things`` has them.
        sharpness: what likenesses are multiplied by.
    """

    projection: np.ndarray
    offset: np.ndarray
    examples: np.ndarray
    of: np.ndarray
    names: tuple[str, ...]
    sharpness: float

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Logits ``(n, names + 1)`` of pictures ``(n, SIDE, SIDE, 3)``, sRGB in [0, 1]; the last means none of them."""
        likeness = project(describe(images), self.projection, self.offset) @ self.examples.T
        found = np.full((len(self.names) + 1, len(likeness)), -1, np.float32)
        np.maximum.at(found, self.of, likeness.T)
        return self.sharpness * found.T

    def probabilities(self, image: np.ndarray, count: int = 1) -> np.ndarray:
        """Probability ``(names + 1,)`` of each name for a picture ``(h, w, 3)`` of ``count`` equal things, 1 to 9, the
        geometric mean over several looks; the last is that of none."""
        if np.ptp(image, (0, 1)).max() < STANDS_OUT:  # empty
            return np.eye(len(self.names) + 1, dtype=np.float32)[-1]
        logits = self.logits(_looks(image, count))
        logits -= logits.max(1, keepdims=True)
        mean = (logits - np.log(np.exp(logits).sum(1, keepdims=True))).mean(0)
        shares = np.exp(mean - mean.max())
        return shares / shares.sum()

    def verdict(
        self, image: np.ndarray, wanted: Sequence[str], count: int = 1, among: Sequence[str] | None = None
    ) -> Verdict | None:
        """How a picture ``(h, w, 3)`` does as one of the things ``wanted`` (a word may mean several), among all names
        or these; None where the judge knows none of the things."""
        if not set(wanted) & set(self.names):
            return None
        return self.rank(self.probabilities(image, count), wanted, among)

    def rank(self, shares: np.ndarray, wanted: Sequence[str], among: Sequence[str] | None = None) -> Verdict:
        """The verdict by a picture's ``probabilities``; see ``verdict``. The judge has to know one of ``wanted``."""
        known = [i for i, name in enumerate(self.names) if name in wanted]
        chosen = np.isin(self.names, [*(self.names if among is None else among), *wanted])
        best = shares[known].max()
        # Another name of the same thing is no rival.
        rivals = chosen & ~np.isin(np.arange(len(self.names)), known)
        rank = 1 + int((shares[:-1][rivals] >= best).sum())
        best_name = int(np.where(chosen, shares[:-1], -1).argmax())
        first = self.names[best_name] if shares[best_name] > shares[-1] else NOTHING
        return Verdict(rank, int(rivals.sum()) + 1, float(shares[known].sum()), first)


def describe(images: np.ndarray) -> np.ndarray:
    """What pictures ``(n, SIDE, SIDE, 3)`` look like ``(n, FEATURES)``: the directions of edges in cells of two sizes
    (N. Dalal and B. Triggs, "Histograms of oriented gradients", 2005), where the figure is, and its colours."""
    n = len(images)
    wide = np.pad(np.asarray(images, np.float32), ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    across, down = wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2], wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]
    strength = across**2 + down**2
    first = strength.argmax(-1)[..., None]
    across, down, strength = (np.take_along_axis(each, first, -1)[..., 0] for each in (across, down, strength))
    strength = np.sqrt(strength)
    angle = np.arctan2(down, across) / np.pi * ANGLES % ANGLES
    edges = np.empty((n, SIDE, SIDE, ANGLES), np.float32)
    for k in range(ANGLES):
        far = np.abs((angle - k + ANGLES / 2) % ANGLES - ANGLES / 2)
        edges[..., k] = strength * np.maximum(1 - far, 0)
    parts = []
    for cell, weight in CELLS:
        pooled = _pooled(edges, cell)
        energy = pooled.sum(-1, keepdims=True)
        share = pooled / (energy + 0.3 * energy.mean((1, 2), keepdims=True) + 1e-4)
        parts.append(weight * np.sqrt(share))
    rim = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], 1)
    background = np.median(rim, 1)[:, None, None]
    figure = np.minimum(6 * np.abs(images - background).max(-1, keepdims=True), 1)
    parts.append(0.7 * _pooled(figure, 4))
    solid = _pooled(np.concatenate([images * figure, figure], -1), 12)
    parts.append(0.5 * solid[..., :3] / (solid[..., 3:] + 0.05))
    far = np.stack([((images - np.array(rgb, np.float32)) ** 2).sum(-1) for rgb in compose.COLOURS.values()], -1)
    share = np.exp((far.min(-1, keepdims=True) - far) / 0.03)
    share = (share / share.sum(-1, keepdims=True) * figure).mean((1, 2))
    parts.append(1.5 * np.sqrt(share / (share.sum(-1, keepdims=True) + 1e-4)))
    return np.concatenate([part.reshape(n, -1) for part in parts], 1).astype(np.float32)


def project(described: np.ndarray, projection: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Unit rows ``(n, d)`` of descriptions ``(n, FEATURES)``."""
    rows = described @ projection - offset
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _pooled(planes: np.ndarray, cell: int) -> np.ndarray:
    """Means over cells: ``(n, h, w, c)`` to ``(n, h / cell, w / cell, c)``."""
    n, h, w, c = planes.shape
    return planes.reshape(n, h // cell, cell, w // cell, cell, c).mean((2, 4))


def things_meant(known: icons.Icons, scene: icons.Scene) -> list[str]:
    """The names that the one thing of a scene may have; none for several things, or a plain shape."""
    part = scene.parts[0]
    if len(scene.parts) != 1 or isinstance(part.thing, str):
        return []
    return [known.things[i]["name"] for i in (part.thing, *part.others)]


@functools.cache
def load(path: Path = FILE) -> Judge:
    """The judge, ready."""
    arrays, notes = safetensors.read(path)
    projection, offset = (np.array(arrays[name], np.float32) for name in ("projection", "offset"))
    examples = np.array(arrays["examples"], np.float32)
    examples /= np.linalg.norm(examples, axis=1, keepdims=True)
    names = tuple(json.loads(notes["names"]))
    return Judge(projection, offset, examples, np.array(arrays["of"], np.int64), names, float(notes["sharpness"]))


def _looks(image: np.ndarray, count: int) -> np.ndarray:
    """Looks ``(n, SIDE, SIDE, 3)`` at each thing of a picture: near and from further away, mirrored too."""
    h, w = image.shape[:2]
    looks = []
    for left, top, wide, high in compose.spots(count) if count > 1 else [(0.0, 0.0, 1.0, 1.0)]:
        part = image[round(top * h) : round((top + high) * h), round(left * w) : round((left + wide) * w)]
        for room in ROOM:
            look = _framed(part, room, SIDE)
            looks += [look, look[:, ::-1]]
    return np.array(looks, np.float32)


def _framed(image: np.ndarray, room: float, side: int) -> np.ndarray:
    """The figure of a picture ``(h, w, 3)`` in the middle ``(side, side, 3)``, on the picture's own background."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    background = np.median(edge, 0)
    figure = np.abs(image - background).max(-1) > STANDS_OUT
    rows, columns = np.flatnonzero(figure.any(1)), np.flatnonzero(figure.any(0))
    h, w = image.shape[:2]
    top, bottom, left, right = (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1) if len(rows) else (0, h, 0, w)
    half = max(bottom - top, right - left) * room / 2
    # Whole pixels, so that what lies beyond the picture can be filled.
    size = max(int(np.ceil(2 * half)), 1)
    y, x = round((top + bottom) / 2 - size / 2), round((left + right) / 2 - size / 2)
    page = np.empty((size, size, 3), np.float32)
    page[:] = background
    y0, y1, x0, x1 = max(y, 0), min(y + size, h), max(x, 0), min(x + size, w)
    page[y0 - y : y1 - y, x0 - x : x1 - x] = image[y0:y1, x0:x1]
    planes = [
        np.asarray(Image.fromarray(page[..., c], "F").resize((side, side), Image.Resampling.BILINEAR)) for c in range(3)
    ]
    return np.clip(np.stack(planes, -1), 0, 1)
