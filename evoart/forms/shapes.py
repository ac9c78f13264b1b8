"""The shapes form: a genome is ``groups`` rows of geometry, red, green, blue, opacity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evoart.draw.scene import Scene
from evoart.draw.shapes import shape
from evoart.types import Array, Genome

FARTHEST = 1000.0  # units or radians: no number of geometry is read as more, so that every rasteriser can hold it


@dataclass(frozen=True)
class ShapesForm:
    """What a genome of shapes stands for.

    Attributes:
        kinds: shape names ``(groups,)`` in paint order.
        width, height: extent of the picture in units; the longer one is 1.
        background: sRGB in [0, 1], or None for a transparent ground.
        opacity: lowest and highest opacity; decoding clips to it.
        palette: colours ``(p, 3)`` that decoding snaps to, or None.
        columns: geometry columns at least, so that rows keep their width while a search changes the kinds.
    """

    kinds: tuple[str, ...]
    width: float
    height: float
    background: tuple[float, float, float] | None
    opacity: tuple[float, float] = (0.1, 1.0)
    palette: tuple[tuple[float, float, float], ...] | None = None
    columns: int = 0

    @property
    def groups(self) -> int:
        return len(self.kinds)

    @property
    def geometry(self) -> int:
        """Numbers of geometry per group: the longest parameter list of the kinds in use, ``columns`` at least."""
        return max([self.columns, *(len(shape(name).parameters) for name in set(self.kinds))])

    @property
    def dim_per_group(self) -> int:
        return self.geometry + 4

    @property
    def dim(self) -> int:
        return self.groups * self.dim_per_group

    def with_kinds(self, kinds: tuple[str, ...]) -> ShapesForm:
        """The same form for other shapes; rows keep their width."""
        return replace(self, kinds=kinds, columns=self.geometry)

    def decode(self, xp: Any, genomes: Array) -> tuple[Array, Array]:
        """Geometry ``(..., groups, geometry)`` and rgba ``(..., groups, 4)`` of genomes ``(..., dim)``.

        ``xp`` is ``numpy`` or ``jax.numpy``. Colours are clipped to [0, 1] (or snapped to the palette), opacity to
        its range, geometry to +-1000.
        """
        rows = genomes.reshape(*genomes.shape[:-1], self.groups, self.dim_per_group)
        g = self.geometry
        rgb = xp.clip(rows[..., g : g + 3], 0.0, 1.0)
        if self.palette is not None:
            colours = xp.asarray(np.asarray(self.palette, np.float32))
            # The squared distance less what all colours share; a difference per channel would take thrice the memory.
            products = sum(rgb[..., c, None] * colours[:, c] for c in range(3))
            nearest = ((colours**2).sum(-1) - 2 * products).argmin(-1)
            rgb = colours[nearest]
        low, high = self.opacity
        geometry = xp.clip(rows[..., :g], -FARTHEST, FARTHEST)
        return geometry, xp.concatenate([rgb, xp.clip(rows[..., g + 3 :], low, high)], -1)

    def encode(self, geometry: np.ndarray, rgba: np.ndarray) -> Genome:
        """The genome ``(dim,)`` of geometry ``(groups, <= geometry)`` and rgba ``(groups, 4)``."""
        rows = np.zeros((self.groups, self.dim_per_group), np.float32)
        rows[:, : geometry.shape[1]] = geometry
        rows[:, self.geometry :] = rgba
        return rows.ravel()

    def scene(self, genome: Genome) -> Scene:
        """The drawing a genome ``(dim,)`` stands for."""
        geometry, rgba = self.decode(np, np.asarray(genome, np.float32))
        return Scene(self.kinds, geometry, rgba, self.background, self.width, self.height)

    def random(self, rng: np.random.Generator, image: np.ndarray | None = None) -> Genome:
        """A first guess: shapes anywhere, about ``1.5 / sqrt(groups)`` units large, coloured from ``image``."""
        n = self.groups
        centre = rng.random((n, 2)) * (self.width, self.height)
        size = np.full(n, min(1.5 / np.sqrt(max(n, 1)), 0.5) / 2)
        rows = np.zeros((n, self.dim_per_group), np.float32)
        for name in sorted(set(self.kinds)):
            where = np.array([i for i, kind in enumerate(self.kinds) if kind == name])
            fresh = shape(name).sample(rng, centre[where], size[where])
            rows[where, : fresh.shape[1]] = fresh
        if image is None:
            rows[:, -4:-1] = rng.random((n, 3))
        else:
            h, w = image.shape[:2]
            x, y = centre[:, 0] / self.width * w, centre[:, 1] / self.height * h
            rows[:, -4:-1] = image[np.clip(y.astype(int), 0, h - 1), np.clip(x.astype(int), 0, w - 1)]
        low, high = self.opacity
        rows[:, -1] = low + 0.5 * (high - low)
        return rows.ravel()

    def steps(self) -> np.ndarray:
        """Relative step size of every number ``(dim,)``: a step of 1 moves a position by 0.1 units, a colour by 0.2,
        an angle by 0.5 radians. Padding gets 0."""
        roles = {"x": 0.1, "y": 0.1, "length": 0.05, "angle": 0.5}
        rows = np.zeros((self.groups, self.dim_per_group), np.float32)
        for i, name in enumerate(self.kinds):
            parameters = shape(name).parameters
            rows[i, : len(parameters)] = [roles[p.role] for p in parameters]
        rows[:, self.geometry :] = 0.2
        return rows.ravel()
