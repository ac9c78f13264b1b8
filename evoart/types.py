"""The vocabulary. Every other module speaks in these words.

==============  =================================================================================================
genome          the float32 vector that evolves, ``(dim,)``; a population is ``(n, dim)``
form            an art form: what a genome stands for and how it is drawn
group           one separable piece of a genome, e.g. one triangle: ``dim = groups * dim_per_group``
drawing         a decoded genome, ready to be painted at any size
scene           the drawing of shapes, in unit coordinates: geometry, rgba, background, paint order
unit            the long side of the picture is 1: x in [0, width], y in [0, height], max(width, height) = 1, y down
image           ``(h, w, 3)`` float32 sRGB in [0, 1]; images ``(n, h, w, 3)``
score           what evaluates images; lower is better (a loss)
tile losses     a loss kept apart by region, ``(n, rows, cols)``; their sum over tiles is the loss
strategy        an evolution strategy, which sees vectors and losses only
evaluation      one proposed picture evaluated (in full, or exactly through its change)
generation      one round of proposing, evaluating and learning
job             one frozen, complete description of a run
problem         a job, complete, with its data: what a search works on
search          what makes a genome better, step by step, until a budget or its plan ends
engine          what draws and scores genomes, on a CPU or a GPU
run             one search from its beginning or a checkpoint to its end, told as events
result          a finished picture: form, genome and figures
checkpoint      a saved run, in one file from which it continues
command         what a user asks for, such as ``cppn-fit``: it has one class of jobs and one of problems
output format   a kind of file that a picture is written as, such as ``svg``
shape           a kind of primitive, such as ``triangle``, with its geometry
figures         what a picture comes to, by name: loss, psnr, similarity
recipe          a job written into the picture it made
studio          a folder of pictures, worked on in a browser: its history, its runs, its rooms
room            one kind of work in the studio, such as ``picture``, with its commands and its part of the page
step            one thing done in a room; undo goes to the one before
==============  =================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self, TypeAlias

import numpy as np

Array: TypeAlias = Any  # numpy.ndarray or jax.Array: code that takes either says so
Genome: TypeAlias = np.ndarray  # (dim,) float32
Image: TypeAlias = np.ndarray  # (h, w, 3) float32, sRGB, [0, 1]
# boxes(form, genomes, xp): (n, groups, 4) x0, y0, x1, y1 of each group, as shares of the picture's sides
Boxes: TypeAlias = Callable[[Any, Array, Any], Array]


class Drawing(Protocol):
    """A decoded picture: every output format takes any of them."""

    @property
    def width(self) -> float:
        """Extent in units; the longer side is 1."""
        ...

    @property
    def height(self) -> float:
        """See ``width``."""
        ...

    @property
    def background(self) -> tuple[float, float, float] | None:
        """sRGB in [0, 1]; None where it is transparent."""
        ...

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """Rows ``first`` to ``last`` (exclusive; None: all) of the picture at ``size`` ``(w, h)`` pixels: straight sRGB
        and opacity ``(last - first, w, 4)`` float32 in [0, 1]."""
        ...

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """The picture as one SVG document; see ``draw.svg.svg``."""
        ...


class Form(Protocol):
    """What genomes stand for. A frozen value: what it says, it says for good."""

    name: ClassVar[str]  # in the registry of forms, in recipes and in default file names

    @property
    def width(self) -> float:
        """Extent of the picture in units; the longer side is 1."""
        ...

    @property
    def height(self) -> float:
        """See ``width``."""
        ...

    @property
    def dim(self) -> int:
        """Numbers in a genome."""
        ...

    @property
    def label(self) -> str:
        """What a picture consists of, for people: ``100 triangles``."""
        ...

    @property
    def description(self) -> str:
        """The same with all there is to know: ``12 triangle, 3 line``."""
        ...

    def drawing(self, genome: Genome) -> Drawing:
        """The picture of a genome ``(dim,)``."""
        ...

    def random(self, rng: np.random.Generator, image: Image | None = None) -> Genome:
        """A first guess ``(dim,)``, with the colours of ``image`` where the form can use it."""
        ...

    def steps(self) -> np.ndarray:
        """Natural step of every number ``(dim,)``: the scale on which a search moves it. 0 where it means nothing."""
        ...

    def finalised(self, genome: Genome) -> tuple[Form, Genome]:
        """Form and genome as a recipe keeps them: decoding changes nothing any more."""
        ...

    def to_plain(self) -> dict[str, Any]:
        """The form as JSON values; ``from_plain`` makes it again."""
        ...

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The form that ``to_plain`` wrote. Raises KeyError, TypeError or ValueError where anything is out of range,
        or an EvoartError that says what."""
        ...

    def check(self, genome: Genome) -> None:
        """Raise ValueError where a genome read from a file holds what ``finalised`` never writes."""
        ...

    def with_structure(self, structure: Any) -> Self:
        """The same form with what a search chooses of it: kinds of shapes, a network's graph."""
        ...

    def between(self, genome: Genome, other: Self, after: Genome, share: float) -> tuple[Self, Genome] | None:
        """The picture at ``share`` (0 to 1) of the way from ``genome`` to ``after`` of ``other``, for films; None where
        there is nothing between them."""
        ...


class TracedForm(Form, Protocol):
    """A form that JAX can draw."""

    def images_traced(self, genomes: Array, height: int, width: int) -> Array:
        """Pictures ``(n, height, width, 3)``, sRGB in [0, 1], of genomes ``(n, dim)``; on white where transparent."""
        ...

    # Where it is not that of one shape:
    # work(pixels) -> what drawing one picture of so many pixels costs, in pixels times shapes


class Score(Protocol):
    """Evaluates pictures inside a JAX program; lower is better."""

    @property
    def inputs(self) -> tuple[Any, ...]:
        """Arrays that differ from job to job, so that the compiled program serves the next one too."""
        ...

    def losses_traced(self, images: Array, inputs: tuple[Any, ...]) -> Array:
        """Losses ``(n,)`` of images ``(n, h, w, 3)``, sRGB in [0, 1]."""
        ...


class Engine(Protocol):
    """Evaluates genomes ``(n, dim)``. A plain score of one number per candidate needs ``losses`` only."""

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n,)`` float32."""
        ...

    # What an engine has beyond that, where it can:
    # tile_losses(genomes, tiles) -> (n, tiles, tiles) float32, whose sum over tiles is the loss
    # form, target: what genomes stand for and what pictures are compared with
    # traceable = True, inputs (a tuple of arrays), losses_traced(genomes, inputs), tile_losses_traced(genomes, tiles,
    #   inputs): the same inside a JAX program. Whatever differs from picture to picture comes in through ``inputs``, so
    #   that the compiled program serves the next picture too.


class GradientEngine(Engine, Protocol):
    """An engine that follows the gradient of the loss inside a JAX program."""

    @property
    def inputs(self) -> tuple[Any, ...]:
        """Arrays that differ from job to job, so that the compiled program serves the next one too."""
        ...

    @property
    def work(self) -> float:
        """What one picture costs, in pixels times shapes."""
        ...

    def loss_and_gradient_traced(self, genome: Array, inputs: tuple[Any, ...]) -> tuple[Array, Array]:
        """Loss of one genome ``(dim,)`` and its gradient ``(dim,)``."""
        ...


class Search(Protocol):
    """A search that the run loop can drive, stop, save and continue. It knows vectors and losses, not pictures.

    ``step`` advances by one small, deterministic unit of work: the same state always leads to the same next state,
    however the run was cut into blocks. ``arrays``/``load`` carry the whole state, random generator included, so that
    a resumed run ends bit for bit where the unbroken one would have. Classes that name ``Search`` as their base get the
    defaults of what they do not say.
    """

    genome: Genome  # the best so far, (dim,) float32
    loss: float  # its loss
    generation: int
    evaluations: int
    stage: str  # a word or two for the progress line
    done: bool  # True when the search itself has nothing left to do
    structure: Any = None  # of ``genome`` where the search chooses it (see ``Form.with_structure``); None: the form's
    psnr: float | None = None  # of ``genome`` in dB, where the search knows it
    progress: float | None = None  # share of the planned work that is done, 0 to 1, where there is a plan
    planned: int | None = None  # evaluations of the whole plan, about, where there is one
    figures: Mapping[str, float] = {}  # what the search itself measured of ``genome``, by name
    label: str | None = None  # what ``genome`` consists of, for people, where the search says so sooner than the form
    notes: Sequence[str] = ()  # what a user should know of the search's work, in the order it came up
    resolved: dict[str, float] = {}  # options by which a run whose plan came from a budget can be planned again

    def step(self) -> None:
        """One small unit of work; nothing where ``done``."""
        ...

    def settle(self) -> None:
        """Evaluate what the last steps led to, where ``step`` does so only now and then: the run ends here. ``step``
        does it by itself at the limits that the search knows."""

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state as named arrays of plain types; they do not change when the search continues."""
        ...

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()`` of a search made with the same arguments.

        Raises:
            EvoartError, KeyError, ValueError: the arrays belong to another search.
        """
        ...
