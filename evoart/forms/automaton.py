"""The form of a cellular automaton: a genome is the rule by which every cell changes, the picture what grows by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from evoart.automaton import page, rule, weights
from evoart.draw.svg import Numbers, colour, compact, document
from evoart.types import Drawing, Genome, Image

SIDES = (4, 256)  # cells along each side of a grid
UNITS = (4, 512)  # hidden units of a rule
OLDEST = 100_000  # steps
HEAVIEST = 1e4  # no weight is read as more
FAINT = 0.5 / 255  # a cell that is less opaque is not drawn
GROWN, KEPT = 96, 120  # steps of a film at which the picture is grown, and is wounded
STRIDE = 2  # steps from one frame of a film to the next


@dataclass(frozen=True)
class AutomatonForm:
    """Cells that grow from one.

    Attributes:
        rows, columns: of the grid.
        hidden: hidden units of the rule.
        age: steps that the picture has grown.
        seed: decides which cells change in a step, see ``rule.changing``.
    """

    name: ClassVar[str] = "automaton"
    rows: int = 32
    columns: int = 32
    hidden: int = 64
    age: int = 200
    seed: int = 0

    @property
    def width(self) -> float:
        """See ``Form.width``."""
        return self.columns / max(self.rows, self.columns)

    @property
    def height(self) -> float:
        """See ``Form.height``."""
        return self.rows / max(self.rows, self.columns)

    @property
    def dim(self) -> int:
        """See ``Form.dim``."""
        return self.hidden * rule.row_length()

    @property
    def label(self) -> str:
        """See ``Form.label``."""
        return f"a rule of {self.dim:,} weights"

    @property
    def description(self) -> str:
        """See ``Form.description``."""
        return f"{self.columns} x {self.rows} cells after {self.age:,} steps, {self.hidden} hidden units"

    def drawing(self, genome: Genome) -> AutomatonDrawing:
        """See ``Form.drawing``."""
        return AutomatonDrawing(self, _limit(genome))

    def random(self, rng: np.random.Generator, image: Image | None = None) -> Genome:
        """A rule that changes cells a little; ``image`` is not looked at."""
        return rule.random_genome(rng, self.hidden)

    def steps(self) -> np.ndarray:
        """See ``Form.steps``."""
        each = np.repeat(np.array([0.1, 0.1, 0.02], np.float32), [rule.SEEN, 1, rule.CHANNELS])
        return np.tile(each, self.hidden)

    def finalised(self, genome: Genome) -> tuple[Self, Genome]:
        """See ``Form.finalised``."""
        return self, _limit(genome)

    def check(self, genome: Genome) -> None:
        """See ``Form.check``."""
        if not (np.abs(genome) <= HEAVIEST).all():
            raise ValueError("a weight is out of range")

    def to_plain(self) -> dict[str, Any]:
        """See ``Form.to_plain``."""
        names = ("rows", "columns", "hidden", "age", "seed")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """See ``Form.from_plain``."""
        limits = {"rows": SIDES, "columns": SIDES, "hidden": UNITS, "age": (0, OLDEST), "seed": (0, 2**32 - 1)}
        for name, (low, high) in limits.items():
            value = plain[name]
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ValueError(f"{name} is {value!r}")
        return cls(**{name: plain[name] for name in limits})

    def with_structure(self, structure: Any) -> Self:
        """The form itself: a search chooses nothing of it."""
        return self

    def between(self, genome: Genome, other: Self, after: Genome, share: float) -> None:
        """None: between two rules there is none that grows."""
        return None

    def frames(self, genome: Genome) -> Growth:
        """A film of the automaton: it grows, is wounded, and heals."""
        return Growth(self, _limit(genome))


def _limit(genome: Genome) -> Genome:
    return np.nan_to_num(np.clip(np.asarray(genome, np.float32), -HEAVIEST, HEAVIEST))


class AutomatonDrawing:
    """Cells as squares on a transparent background.

    Args:
        form: what they are, and for how many steps they have grown.
        genome: of the rule, ``(dim,)``.
        cells: colour times opacity, and opacity, ``(rows, columns, 4)`` in [0, 1]; None: they are grown when they are
            first asked for.
    """

    background: tuple[float, float, float] | None = None

    def __init__(self, form: AutomatonForm, genome: Genome, cells: np.ndarray | None = None) -> None:
        self.form, self.genome, self._cells = form, genome, cells

    @cached_property
    def cells(self) -> np.ndarray:
        """See the class."""
        if self._cells is not None:
            return self._cells
        form = self.form
        state = rule.simulate(self.genome, rule.seed_cell(form.rows, form.columns), form.seed, 0, form.age)
        return rule.shown(state)[0]

    @property
    def width(self) -> float:
        """See ``Drawing.width``."""
        return self.form.width

    @property
    def height(self) -> float:
        """See ``Drawing.height``."""
        return self.form.height

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """See ``Drawing.paint``; a pixel is the mean of what it covers."""
        w, h = size
        first, last = rows or (0, h)
        seen = _mean(_mean(self.cells, h, first, last).swapaxes(0, 1), w, 0, w).swapaxes(0, 1)
        alpha = np.clip(seen[..., 3:], 0, 1)
        rgb = np.clip(seen[..., :3] / np.maximum(alpha, 1e-6), 0, 1)
        return np.concatenate([np.where(alpha > FAINT, rgb, 0), alpha], -1)

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """A square for every cell that is seen."""
        return document(self, size, self._squares, title=title, recipe=recipe, alpha=alpha)

    def _squares(self, number: Numbers) -> Iterator[str]:
        side = 1 / max(self.form.rows, self.form.columns)
        yield '<g shape-rendering="crispEdges">'
        for y, x in np.argwhere(self.cells[..., 3] > FAINT):
            rgb, alpha = self.cells[y, x, :3], float(self.cells[y, x, 3])
            place = f'x="{number.length(x * side)}" y="{number.length(y * side)}"'
            extent = f'width="{number.length(side)}" height="{number.length(side)}"'
            opacity = "" if alpha > 1 - FAINT else f' fill-opacity="{compact(alpha, 3)}"'
            yield f'<rect {place} {extent} fill="{colour(rgb / alpha)}"{opacity}/>'
        yield "</g>"

    def page(self, title: str = "", recipe: str = "") -> str:
        """A page on which it grows and can be wounded; see ``automaton.page``."""
        form = self.form
        return page.page(self.genome, form.rows, form.columns, form.seed, form.age, title, recipe)

    def safetensors(self, recipe: str = "") -> bytes:
        """The rule's weights as a file; see ``automaton.weights``."""
        return weights.pack(self.genome, recipe)


class Growth(Sequence[Drawing]):
    """Frames of a film: growth from one cell, a wound, and how it heals; simulated when the first is asked for."""

    def __init__(self, form: AutomatonForm, genome: Genome) -> None:
        self.form, self.genome = form, genome

    @cached_property
    def _cells(self) -> list[np.ndarray]:
        form = self.form
        state, found = rule.seed_cell(form.rows, form.columns), []
        for step in range(0, KEPT + rule.HEALING, STRIDE):
            if step == KEPT:
                state = rule.wound(state, *rule.place_wound(form.rows, form.columns))
                found += [rule.shown(state)[0]] * 4  # long enough to be seen
            found.append(rule.shown(state)[0])
            state = rule.simulate(self.genome, state, form.seed, step, step + STRIDE)
        return found

    def __len__(self) -> int:
        return (KEPT + rule.HEALING) // STRIDE + 4

    def __getitem__(self, index: Any) -> Any:
        """The drawing at ``index``, or a list of drawings for a slice."""
        cells = self._cells[index]
        if isinstance(index, slice):
            return [AutomatonDrawing(self.form, self.genome, each) for each in cells]
        return AutomatonDrawing(self.form, self.genome, cells)


def _mean(cells: np.ndarray, pixels: int, first: int, last: int) -> np.ndarray:
    """``cells`` along their first axis as pixels ``first`` to ``last`` of so many, each the mean of what it covers."""
    count = len(cells)
    low, high = (np.arange(first, last) + i for i in (0, 1))
    low, high = low * (count / pixels), high * (count / pixels)
    begin = np.floor(low).astype(int)
    seen = np.zeros((last - first, *cells.shape[1:]), np.float32)
    for i in range(int(np.ceil(count / pixels)) + 1):
        at = begin + i
        share = np.clip(np.minimum(high, at + 1) - np.maximum(low, at), 0, None) * (pixels / count)
        seen += share.astype(np.float32)[:, None, None] * cells[np.minimum(at, count - 1)]
    return seen
