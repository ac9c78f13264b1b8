"""Training an automaton as a search that the run loop can drive: an update a generation, the best rule the result."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.automaton import rule
from evoart.automaton.training import Settings, Training, judge, run_traced
from evoart.errors import EvoartError
from evoart.forms.automaton import AutomatonForm
from evoart.run.automaton.job import AutomatonJob
from evoart.search.stochastic import GRADIENT
from evoart.types import Array, Genome, Search

INTERVAL = 200  # updates from one judgement to the next
GROWN, HEALED = 48, 32  # steps that a strategy's candidates grow, and have to heal


class GradientTraining(Search):
    """See ``types.Search``; the loss is that of the best rule so far, see ``automaton.training.judge``."""

    def __init__(self, job: AutomatonJob, form: AutomatonForm, target: np.ndarray) -> None:
        self.job, self.target = job, target
        settings = Settings(
            batch=job.batch,
            damaged=job.damaged,
            pool=job.pool,
            learning_rate=job.learning_rate,
            updates=job.updates,
            seed=job.seeded,
        )
        self.training = Training(target, form.random(np.random.default_rng([job.seeded, 0])), settings)
        self.genome: Genome = self.training.genome
        self.loss, self.done = float("inf"), False
        self.notes: list[str] = []
        self._recent: list[float] = []  # losses of the updates since the last judgement
        self._judged, self._skipped = -1, 0

    @property
    def generation(self) -> int:
        """Updates taken."""
        return self.training.step

    @property
    def evaluations(self) -> int:
        """Runs of the automaton, a gradient counted as for other searches."""
        return self.generation * self.job.batch * GRADIENT

    @property
    def planned(self) -> int:
        """See ``Search.planned``."""
        return self.job.updates * self.job.batch * GRADIENT

    @property
    def progress(self) -> float:
        """See ``Search.progress``."""
        return min(self.generation / self.job.updates, 1.0)

    @property
    def stage(self) -> str:
        """``training, loss 0.0123``: the mean loss since the last judgement."""
        return f"training, loss {np.mean(self._recent):.4f}" if self._recent else "training"

    def step(self) -> None:
        """Take one update; the first rule, every 200th and the last one are judged."""
        if self._judged < 0:
            self.settle()
        try:
            self._recent.append(self.training.advance())
        except EvoartError as error:
            self.notes.append(f"{error}; the best rule so far is kept")
            self.done = True
            return
        self.done = self.generation >= self.job.updates
        if self.generation % INTERVAL == 0 or self.done:
            self.settle()

    def settle(self) -> None:
        """Judge the present rule and the mean of the last ones, unless that was done."""
        if self._judged == self.generation:
            return
        rules = np.stack([self.training.genome, self.training.mean])
        losses = np.nan_to_num(np.asarray(judge(rules, self.target)), nan=np.inf)
        self._judged, self._recent, best = self.generation, [], int(losses.argmin())
        if losses[best] < self.loss:
            self.genome, self.loss = rules[best], float(losses[best])
        if self.training.skipped > self._skipped:
            count = self.training.skipped - self._skipped
            self.notes.append(f"{count:,} updates had no finite gradient and changed nothing")
            self._skipped = self.training.skipped

    def arrays(self) -> dict[str, np.ndarray]:
        """See ``types.Search``."""
        return {
            **{f"training/{name}": value for name, value in self.training.arrays().items()},
            "genome": np.array(self.genome),
            "loss": np.array(self.loss),
            "recent": np.array(self._recent, np.float64),
            "counts": np.array([self._judged, self._skipped, int(self.done)]),
        }

    def load(self, arrays: dict[str, Any]) -> None:
        """See ``types.Search``."""
        prefix = "training/"
        parts = {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
        self.training.load(parts)
        self.genome, self.loss = np.array(arrays["genome"]), float(arrays["loss"])
        self._recent = [float(value) for value in arrays["recent"]]
        self._judged, self._skipped, done = (int(n) for n in arrays["counts"])
        self.done, self.notes = bool(done), []


class GrowthEngine:
    """Evaluates rules for a strategy: how well each grows from one cell, and heals. See ``search.stochastic``."""

    traceable = True

    def __init__(self, form: AutomatonForm, target: np.ndarray) -> None:
        self.form, self.target = form, target
        self.inputs = (target,)
        self._losses = jax.jit(lambda genomes: self.losses_traced(genomes, (target,), jax.random.key(0)))

    @property
    def work(self) -> float:
        """What one candidate costs, in operations."""
        return 2.0 * self.form.dim * self.form.rows * self.form.columns * (GROWN + HEALED)

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n,)`` of genomes ``(n, dim)``, always under the same changes and wound."""
        return np.asarray(self._losses(np.asarray(genomes, np.float32)))

    def losses_traced(self, genomes: Array, inputs: tuple[Any, ...], key: Array) -> Array:
        """Losses ``(n,)`` of genomes ``(n, dim)`` inside a JAX program; all of them have the same changes and wound."""
        (target,) = inputs
        rows, columns = self.form.rows, self.form.columns
        changes, place, depth = jax.random.split(key, 3)
        seeds = jax.random.bits(changes, (1,), jnp.uint32)
        x, y = jax.random.uniform(place, (2,), minval=0.25, maxval=0.75)
        radius = jax.random.uniform(depth, (), minval=0.05, maxval=0.25) * max(rows, columns)
        down, across = jnp.ogrid[:rows, :columns]
        kept = (across + 0.5 - x * columns) ** 2 + (down + 0.5 - y * rows) ** 2 > radius**2

        def one(genome: Array) -> Array:
            grown = run_traced(GROWN, genome, jnp.asarray(rule.seed_cell(rows, columns)), seeds)
            healed = run_traced(HEALED, genome, grown * kept[None, :, :, None], seeds, GROWN)
            return sum(((each[..., :4] - target) ** 2).mean() for each in (grown, healed)) / 2

        return jax.vmap(one)(genomes)
