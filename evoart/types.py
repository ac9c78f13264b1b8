"""The vocabulary. Every other module speaks in these words.

==============  =================================================================================================
genome          the float32 vector that evolves, ``(dim,)``; a population is ``(n, dim)``
form            an art form: what a genome stands for and how it is drawn
group           one separable piece of a genome, e.g. one triangle: ``dim = groups * dim_per_group``
scene           a decoded drawing in unit coordinates: geometry, rgba, background, paint order
unit            the long side of the picture is 1: x in [0, width], y in [0, height], max(width, height) = 1, y down
image           ``(h, w, 3)`` float32 sRGB in [0, 1]; images ``(n, h, w, 3)``
score           what judges images; lower is better (a loss)
tile losses     a loss kept apart by region, ``(n, rows, cols)``; their sum over tiles is the loss
strategy        an evolution strategy, which sees vectors and losses only
evaluation      one proposed picture judged (in full, or exactly through its change)
generation      one round of proposing, judging and learning
job             one frozen, complete description of a run
recipe          a job written into the picture it made
==============  =================================================================================================
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np

Array: TypeAlias = Any  # numpy.ndarray or jax.Array: code that takes either says so
Genome: TypeAlias = np.ndarray  # (dim,) float32
Image: TypeAlias = np.ndarray  # (h, w, 3) float32, sRGB, [0, 1]


class Engine(Protocol):
    """Judges genomes ``(n, dim)``. A plain score of one number per candidate needs ``losses`` only."""

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n,)`` float32."""

    # What an engine has beyond that, where it can:
    # tile_losses(genomes, tiles) -> (n, tiles, tiles) float32, whose sum over tiles is the loss
    # form, target: what genomes stand for and what pictures are compared with
    # traceable = True, inputs (a tuple of arrays), losses_traced(genomes, inputs), tile_losses_traced(genomes, tiles,
    #   inputs): the same inside a JAX program. Whatever differs from picture to picture comes in through ``inputs``, so
    #   that the compiled program serves the next picture too.


class Search(Protocol):
    """A search that the run loop can drive, stop, save and go on with. It knows vectors and losses, not pictures.

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
    kinds: tuple[str, ...] | None = None  # shapes of ``genome`` where the search chooses them; None: those of the form
    psnr: float | None = None  # of ``genome`` in dB, where the search knows it
    progress: float | None = None  # share of the planned work that is done, 0 to 1, where there is a plan
    planned: int | None = None  # evaluations of the whole plan, about, where there is one
    settled: dict[str, float] = {}  # options by which a run whose plan came from a budget can be planned again

    def step(self) -> None: ...

    def arrays(self) -> dict[str, np.ndarray]: ...

    def load(self, arrays: dict[str, np.ndarray]) -> None: ...
