"""A chart as the frames of a film, for every format that can move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from evoart.errors import UsageError
from evoart.output.formats import Artwork
from evoart.run import fields
from evoart.run.inputs import read_picture
from evoart.run.strategies.chart import Chart, landscape_chart, picture_chart
from evoart.run.strategies.landscapes import LANDSCAPES
from evoart.run.strategies.traces import CHOSEN, CHOSEN_FOR_PICTURES, trace, trace_picture

FUNCTIONS = (*LANDSCAPES, "picture")
LONGEST = 960  # pixels of a film's long side, where nobody says: text has to be read
MOST = 12  # panels
GENERATIONS, EVALUATIONS = 60, 20_000  # of a landscape and of a picture, where nobody says


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a film compares.

    Attributes:
        function: one of ``FUNCTIONS``.
        strategies: names of ``search.strategies``, 1 to ``MOST``; () is a choice that suits the function.
        population: samples a generation, 4 to 1,024; None: 32, of pictures 64.
        evaluations: budget of each strategy; None: 60 generations, of pictures 20,000.
        seed: the same for all strategies.
        picture: path of the photograph; ``""`` is the bundled one.
        shapes: triangles, 1 to 500.
    """

    function: str = "rastrigin"
    strategies: tuple[str, ...] = ()
    population: int | None = None
    evaluations: int | None = None
    seed: int = 1
    picture: str = ""
    shapes: int = 50

    def chart(self, told: Callable[[float], None] = lambda share: None) -> Chart:
        """Run all strategies; ``told`` hears the share that is done.

        Raises:
            UsageError, EvoartError: a strategy or a photograph that cannot be used.
        """
        from evoart.engine.jax_setup import setup

        setup()
        names = self.strategies or (CHOSEN_FOR_PICTURES if self.function == "picture" else CHOSEN)
        if self.function == "picture":
            return self._picture_chart(names, told)
        population = self.population or 32
        generations = max(2, (self.evaluations or GENERATIONS * population) // population)
        traces = []
        for done, name in enumerate(names):
            traces.append(trace(LANDSCAPES[self.function], name, population, generations, [self.seed]))
            told((done + 1) / len(names))
        return landscape_chart(LANDSCAPES[self.function], traces)

    def _picture_chart(self, names: Sequence[str], told: Callable[[float], None]) -> Chart:
        from evoart.picture import bundled

        image, alpha = read_picture(self.picture or bundled(), 512).at(512)
        photograph = image if alpha is None else image * alpha[..., None] + 1 - alpha[..., None]
        evaluations = self.evaluations or EVALUATIONS
        traces = [
            trace_picture(
                name,
                picture=self.picture,
                shapes=self.shapes,
                population=self.population or 64,
                evaluations=evaluations,
                moments=GENERATIONS,
                seed=self.seed,
                told=lambda share, done=done: told((done + share) / len(names)),
            )
            for done, name in enumerate(names)
        ]
        return picture_chart(photograph, traces, evaluations, f"{self.shapes} triangles")


def check_strategies(value: Any) -> tuple[str, ...]:
    """Names of strategies, joined by commas.

    Raises:
        UsageError: an unknown one (with a suggestion), none, or too many.
    """
    from evoart.search.strategies import describe

    words = [word.strip() for word in fields.text("strategies", value).split(",") if word.strip()]
    if not 1 <= len(words) <= MOST:
        raise UsageError(f"--strategies names {len(words)} strategies", f"Name 1 to {MOST}: snes,cma_es,pgpe")
    return tuple(describe(word).name for word in words)


@dataclass(frozen=True, eq=False)
class ChartFrame:
    """One moment of a chart as a drawing."""

    chart: Chart
    moment: int

    @property
    def width(self) -> float:
        """See ``types.Drawing``."""
        wide, tall = self.chart.extent
        return wide / max(wide, tall)

    @property
    def height(self) -> float:
        """See ``types.Drawing``."""
        wide, tall = self.chart.extent
        return tall / max(wide, tall)

    @property
    def background(self) -> tuple[float, float, float]:
        """See ``types.Drawing``."""
        return 1.0, 1.0, 1.0

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """See ``types.Drawing``."""
        if self._painted.get("size") != size:
            image = self.chart.image(self.moment, size[0])
            fitted = np.ones((size[1], size[0], 4), np.float32)
            height = min(size[1], image.shape[0])
            fitted[:height, :, :3] = image[:height]
            fitted[height:, :, :3] = image[-1:]
            self._painted.update(size=size, image=fitted)
        first, last = rows or (0, size[1])
        return self._painted["image"][first:last].copy()

    @cached_property
    def _painted(self) -> dict[str, Any]:
        return {}

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """See ``types.Drawing``: the picture inside."""
        from evoart.draw.svg import embed_picture

        return embed_picture(self, size, title=title, recipe=recipe, alpha=alpha)


class ChartFrames(Sequence[Any]):
    """All moments of a chart, drawn when they are asked for."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart

    def __len__(self) -> int:
        return self.chart.moments

    def __getitem__(self, index: Any) -> Any:
        """The drawing at ``index``, or a list of drawings for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return ChartFrame(self.chart, index % len(self))


def artwork(chart: Chart, side: int = LONGEST) -> Artwork:
    """The film of a chart, with a long side of ``side`` pixels; the picture by itself is its end."""
    frames = ChartFrames(chart)
    wide, tall = chart.extent
    size = round(side * min(1, wide / tall)), round(side * min(1, tall / wide))
    return Artwork(frames[-1], size, title=chart.title, frames=frames, flat=chart.flat)
