"""A network as a drawing: painted at any size, strip by strip, by all threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evoart.cppn import kernel
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.draw.svg import embed_picture
from evoart.threads import pool, threads
from evoart.types import Genome

SOFT = 2048 * 2048  # pixels up to which a picture has four samples a pixel where nobody says how many
_CHUNK = 1 << 18  # samples of one unit of work


@dataclass(frozen=True, eq=False)
class NetworkDrawing:
    """The picture of one network.

    Attributes:
        net: the network.
        genome: its numbers, ``(dim,)``.
        width, height: extent in units; the longer side is 1.
        samples: a pixel is the mean of ``samples x samples`` points; None: 2, or 1 for very large pictures, where what
            one sample misses is too small to be seen.
    """

    net: Layers | Graph
    genome: Genome
    width: float
    height: float
    samples: int | None = None
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)  # never seen: a network covers everything

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """See ``Drawing.paint``."""
        w, h = size
        first, last = rows or (0, h)
        out = np.ones((last - first, w, 4), np.float32)
        for y, part in self.strips(size, first, last):
            out[y - first : y - first + len(part), :, :3] = part
        return out

    def strips(self, size: tuple[int, int], first: int, last: int) -> Iterator[tuple[int, np.ndarray]]:
        """``(row, pixels (rows, w, 3))`` of a picture from the top down, drawn ahead by all threads."""
        w, h = size
        n = self.samples or (2 if w * h <= SOFT else 1)
        height = max(1, _CHUNK // (w * n * n))
        starts = range(first, last, height)
        rows = kernel.lower(self.net, self.genome)

        def draw(y: int) -> np.ndarray:
            return kernel.draw(rows, size, y, min(y + height, last), n)

        waiting = []
        for y in starts:
            waiting.append((y, pool().submit(draw, y)))
            if len(waiting) > 2 * threads():
                done, part = waiting.pop(0)
                yield done, part.result()
        for done, part in waiting:
            yield done, part.result()

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """A network has no outlines: its picture, embedded."""
        return embed_picture(self, size, title=title, recipe=recipe, alpha=alpha)
