"""What stamps cost beside other shapes: ``python benchmarks/stamps.py`` (half a minute).

CPU microseconds a candidate: its outline, what it would gain, its best colour; and milliseconds a gradient step of 100
shapes. At the resolution of the search (128 px) a stamp has a coarse outline of 48 points, at 512 px its own.
Candidates are as large as those of a search; medians of five runs on one thread.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import common
import numpy as np

from evoart.draw.shapes.stamp import GRID, Stamp, add
from evoart.engine.placement import PlacementCanvas
from evoart.forms.shapes import ShapesForm
from evoart.run.device import limit_threads
from evoart.run.fit.precompile import precompile
from evoart.score.pixel import Target
from evoart.search.adam import Adam

RUNS, CANDIDATES, SHAPES, STEPS = 5, 4800, 100, 20


def flower(points: int) -> str:
    """A stamp with so many corners, whose outline goes in and out five times."""
    angle = np.arange(points) * (2 * np.pi / points)
    radius = GRID * (0.75 + 0.25 * np.cos(5 * angle))
    outline = np.rint(np.stack([np.cos(angle) * radius, np.sin(angle) * radius], -1)).astype(np.int64)
    return add(Stamp(f"flower-{points}", [outline]))


def seconds(work: Callable[[], object]) -> float:
    """Median CPU seconds of a piece of work."""
    work()
    taken = []
    for _ in range(RUNS):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return statistics.median(taken)


def measure(kind: str, pixels: int) -> dict[str, float]:
    """Costs of shapes of one kind on a canvas so large."""
    rng = np.random.default_rng(0)
    form = ShapesForm((kind,) * SHAPES, 1.0, 1.0, (0.5, 0.5, 0.5))
    noise = rng.random((pixels, pixels, 3), np.float32)
    canvas = PlacementCanvas(form, Target(noise, np.ones((pixels, pixels), np.float32)))
    rows = form.random(rng).reshape(SHAPES, -1)
    canvas.open((), rows[:0])
    candidates = canvas.sample(rng, kind, CANDIDATES)
    judged = seconds(lambda: canvas.gains(kind, candidates))
    rates = np.full(rows.shape, 1e-4, np.float32)
    polished = seconds(lambda: canvas.polish(form.kinds, Adam(rows, rates, STEPS), STEPS))
    return {"us a candidate": judged / CANDIDATES * 1e6, "ms a step": polished / STEPS * 1e3}


def main() -> None:
    """Measure, print, write."""
    limit_threads(1)
    kinds = {"triangle": "triangle", "ellipse": "ellipse", "stamp of 50": flower(50), "stamp of 200": flower(200)}
    precompile(tuple(kinds.values()))
    rows = []
    for pixels in (128, 512):
        base: dict[str, float] = {}
        for name, kind in kinds.items():
            found = measure(kind, pixels)
            base = base or found
            ratios = {f"{key} by a triangle's": found[key] / base[key] for key in found}
            rows.append({"pixels": pixels, "shape": name} | {k: f"{v:.2f}" for k, v in (found | ratios).items()})
    common.table(rows, "stamps")


if __name__ == "__main__":
    main()
