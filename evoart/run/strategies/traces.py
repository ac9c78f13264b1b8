"""What strategies do, generation by generation: on a landscape of two numbers, and with the shapes of a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evoart.run.strategies.landscapes import Landscape
from evoart.types import Drawing

# Nine that differ: a plain one, genetic ones, natural gradients, adapted covariances, finite differences.
CHOSEN = (
    "simple_es", "simple_ga", "differential_evolution",
    "snes", "xnes", "cma_es",
    "open_es", "pgpe", "cr_fm_nes",
)  # fmt: skip
CHOSEN_FOR_PICTURES = (
    "simple_ga", "differential_evolution", "simple_es",
    "open_es", "pgpe", "snes", "cr_fm_nes", "cma_es",
)  # fmt: skip
NAMES = {
    "ars": "ARS", "asebo": "ASEBO", "cma_es": "CMA-ES", "cr_fm_nes": "CR-FM-NES", "des": "DES", "les": "LES",
    "differential_evolution": "Differential evolution", "hill_climbing": "Hill climbing", "lga": "LGA",
    "lm_ma_es": "LM-MA-ES", "ma_es": "MA-ES", "open_es": "OpenAI-ES", "pgpe": "PGPE", "pso": "Particle swarm",
    "random_search": "Random search", "rm_es": "Rm-ES", "sep_cma_es": "Sep-CMA-ES", "simple_es": "Simple ES",
    "simple_ga": "Simple GA", "simulated_annealing": "Simulated annealing", "snes": "SNES", "xnes": "xNES",
}  # fmt: skip
# ClipUp's learning rate where evoart's own, which is the step, is for hundreds of numbers: in steps.
_RATES = {"pgpe": 0.3}
_BATCHES = 32  # populations that are drawn to see the shape of a distribution


def title_of(name: str) -> str:
    """A strategy's name for people: ``CMA-ES``."""
    return NAMES.get(name, name.replace("_", " "))


@dataclass(frozen=True, eq=False)
class Trace:
    """One strategy on one landscape, from several seeds; places are in the landscape's own numbers.

    Attributes:
        name: the strategy.
        population: samples a generation.
        samples: ``(seeds, generations, population, 2)``.
        values: of the samples, ``(seeds, generations, population)``.
        means, covariances: ``(seeds, generations, 2)`` and ``(seeds, generations, 2, 2)`` of the distribution that the
            samples were drawn from; None where the strategy has none.
    """

    name: str
    population: int
    samples: np.ndarray
    values: np.ndarray
    means: np.ndarray | None
    covariances: np.ndarray | None

    @property
    def best(self) -> np.ndarray:
        """The least value so far, ``(seeds, generations)``."""
        return np.minimum.accumulate(self.values.min(-1), 1)

    def best_place(self, seed: int, generation: int) -> np.ndarray:
        """Where the least value up to a generation was found, ``(2,)``."""
        values = self.values[seed, : generation + 1].ravel()
        return self.samples[seed, : generation + 1].reshape(-1, 2)[int(values.argmin())]


def trace(
    landscape: Landscape, name: str, population: int, generations: int, seeds: Sequence[int], **options: float
) -> Trace:
    """Let a strategy search a landscape, once for every seed.

    Args:
        name: a strategy of ``search.strategies``; its population may become even.
        options: of the strategy; its first step is the landscape's unless ``step`` is among them.

    Raises:
        UsageError: an unknown strategy, or a population that it does not work with.
    """
    import jax
    import jax.numpy as jnp

    from evoart.search.strategies import make

    step = options.pop("step", landscape.step / landscape.reach)
    rate = {"learning_rate": _RATES[name] * step} if name in _RATES else {}
    strategy = make(name, 2, population, {"step": step} | rate | options)
    spread = strategy.info.mean

    def generation(state: Any, key: Any) -> tuple[Any, tuple[Any, ...]]:
        sample, learn, look = jax.random.split(key, 3)
        shape: tuple[Any, ...] = ()
        if spread:  # every strategy with a distribution can draw from it, whatever it calls its parts
            many = jax.vmap(lambda k: strategy.ask(k, state)[0])(jax.random.split(look, _BATCHES)).reshape(-1, 2)
            away = many - many.mean(0)
            shape = (strategy.mean(state), away.T @ away / (len(many) - 1))
        places, state = strategy.ask(sample, state)
        values = landscape.values(jnp, places * landscape.reach)
        state = strategy.tell(learn, places, values, state)
        return state, (places, values, *shape)

    def search(seed: Any) -> tuple[Any, ...]:
        start, run = jax.random.split(jax.random.key(seed))
        return jax.lax.scan(generation, strategy.init(start), jax.random.split(run, generations))[1]

    places, values, *shape = (np.asarray(a, np.float64) for a in jax.jit(jax.vmap(search))(jnp.asarray(seeds)))
    reach = landscape.reach
    means, covariances = (shape[0] * reach, shape[1] * reach**2) if shape else (None, None)
    return Trace(name, strategy.population, places * reach, values, means, covariances)


@dataclass(frozen=True, eq=False)
class PictureTrace:
    """One strategy with the shapes of a picture.

    Attributes:
        name: the strategy.
        drawings: the best so far at even steps of the budget, ``moments`` of them.
        psnr: in dB of each.
    """

    name: str
    drawings: list[Drawing]
    psnr: np.ndarray


def trace_picture(
    name: str,
    *,
    picture: str = "",
    shapes: int = 50,
    population: int = 64,
    evaluations: int = 20_000,
    moments: int = 60,
    seed: int = 1,
    pixels: int = 64,
    told: Callable[[float], None] = lambda share: None,
) -> PictureTrace:
    """Let a strategy move the triangles of a picture: all strategies begin with the same ones.

    Args:
        picture: path of the photograph; ``""`` is the bundled one.
        pixels: long side of what is compared.
        told: called with the share that is done, now and then.

    Raises:
        UsageError, EvoartError: a strategy or a photograph that cannot be used.
    """
    from evoart.run.fit.job import FitJob
    from evoart.run.problem import prepare
    from evoart.score.pixel import psnr

    job = FitJob.make(
        picture=picture,
        shapes=shapes,
        search="classical",
        strategy=name,
        population=population,
        evaluations=evaluations,
        seed=seed,
        pixels=pixels,
        finish="none",
    )
    problem = prepare(job)
    search = problem.search()
    drawings: list[Drawing] = []
    reached: list[float] = []
    for moment in range(moments):
        while not search.done and search.evaluations < evaluations * moment / max(moments - 1, 1):
            search.step()
        search.settle()
        drawings.append(problem.form.drawing(search.genome))
        reached.append(psnr(float(search.loss)))
        told((moment + 1) / moments)
    return PictureTrace(name, drawings, np.array(reached))
