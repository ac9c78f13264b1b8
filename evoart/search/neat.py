"""NEAT (K. O. Stanley and R. Miikkulainen, 2002): a population in species, so that a new structure first competes with
similar ones, and with all only later. Others define what individuals are and how they are changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from evoart.search.checkpoint import check_fit
from evoart.search.individuals import Individual, Kind, rng_arrays, rng_from
from evoart.types import Genome, Search


class Breeder(Protocol):
    """Makes individuals."""

    def fresh(self, rng: np.random.Generator) -> Individual:
        """A random one."""
        ...

    def mutated(self, one: Individual, rng: np.random.Generator) -> Individual:
        """A changed copy."""
        ...

    def crossed(self, better: Individual, other: Individual, rng: np.random.Generator) -> Individual:
        """A child of two; its structure is that of the ``better`` one."""
        ...

    def distance(self, one: Individual, other: Individual) -> float:
        """How unlike two are, 0 or more."""
        ...


@dataclass(frozen=True)
class Judged:
    """The result of an evaluation.

    Attributes:
        individuals: ``n``, perhaps trained.
        losses: of each, ``(n,)``.
        fitness: what each is selected by, ``(n,)``; lower is better, too.
        evaluations: how many it took.
    """

    individuals: list[Individual]
    losses: np.ndarray
    fitness: np.ndarray
    evaluations: int


@dataclass
class Species:
    """Similar individuals.

    Attributes:
        model: the one that new members are compared with.
        members: places in the population.
        best, since: lowest fitness it has reached, and when.
    """

    model: Individual
    members: list[int] = field(default_factory=list)
    best: float = np.inf
    since: int = 0


@dataclass(frozen=True)
class Settings:
    """Parameters of NEAT.

    Attributes:
        species: how many there should be; the distance threshold is adapted until there are.
        survivors: share of a species that has children.
        crossing: share of children with two parents.
        patience: generations without an improvement after which a species dies out.
    """

    species: int = 6
    survivors: float = 0.3
    crossing: float = 0.5
    patience: int = 20


class Neat(Search):
    """A search by NEAT. One step is one generation.

    Args:
        breeder: makes individuals.
        judge: evaluates individuals; may train them, which is Backprop NEAT.
        kind: how individuals are taken apart.
        population: how many, 4 at least.
        seed: decides everything random.
        first: individuals to start from; the others are random.
    """

    def __init__(
        self,
        breeder: Breeder,
        judge: Callable[[Sequence[Individual]], Judged],
        kind: Kind,
        population: int,
        seed: int,
        first: Sequence[Individual] = (),
        settings: Settings | None = None,
    ) -> None:
        self.breeder, self._evaluate, self.kind = breeder, judge, kind
        self.size, self.settings = population, settings or Settings()
        self.rng = np.random.default_rng([seed, 7])
        given = list(first)[:population]
        self._waiting = given + [breeder.fresh(self.rng) for _ in range(population - len(given))]
        self.population: list[Individual] = []
        self.losses, self.fitness = np.zeros(0), np.zeros(0)
        self.species: list[Species] = []
        self.threshold = 1.0
        self.best, self.loss = self._waiting[0], float("inf")
        self.generation, self.evaluations, self.done = 0, 0, False

    @property
    def stage(self) -> str:
        """How many species there are."""
        return f"{len(self.species)} species"

    @property
    def structure(self) -> Any:
        """Of the best so far."""
        return self.kind.split(self.best)[0]

    @property
    def genome(self) -> Genome:
        """Of the best so far, ``(dim,)`` float32."""
        return self.kind.split(self.best)[1]

    def step(self) -> None:
        """Evaluate the new individuals, sort all into species, and breed the next generation."""
        judged = self._evaluate(self._waiting)
        self.population = self.population + judged.individuals
        self.losses = np.concatenate([self.losses, judged.losses])
        self.fitness = np.concatenate([self.fitness, np.where(np.isfinite(judged.fitness), judged.fitness, np.inf)])
        self.evaluations += judged.evaluations
        self.generation += 1
        lowest = int(np.argmin(np.where(np.isfinite(self.losses), self.losses, np.inf)))
        if self.losses[lowest] < self.loss:
            self.best, self.loss = self.population[lowest], float(self.losses[lowest])
        self._sort()
        self._breed()

    def _sort(self) -> None:
        """Every individual joins the first species it is similar to, or founds one (section 3.3 of the paper)."""
        for species in self.species:
            species.members = []
        for place, one in enumerate(self.population):
            near = (s for s in self.species if self.breeder.distance(one, s.model) < self.threshold)
            home = next(near, None)
            if home is None:
                home = Species(one, since=self.generation)
                self.species.append(home)
            home.members.append(place)
        self.species = [species for species in self.species if species.members]
        wanted = self.settings.species
        self.threshold *= 1.1 if len(self.species) > wanted else 0.93 if len(self.species) < wanted else 1.0
        self.threshold = float(np.clip(self.threshold, 0.02, 20))
        for species in self.species:
            species.members.sort(key=lambda place: (self.fitness[place], place))
            lowest = float(self.fitness[species.members[0]])
            if lowest < species.best:
                species.best, species.since = lowest, self.generation
            species.model = self.population[species.members[self.rng.integers(len(species.members))]]

    def _breed(self) -> None:
        """Children of each species in proportion to its share; its best stays unchanged."""
        leader = min(self.species, key=lambda s: self.fitness[s.members[0]])
        alive = [s for s in self.species if s is leader or self.generation - s.since < self.settings.patience]
        # A species' share is its members' mean rank, so that large species do not crowd out good ones.
        order = np.argsort(np.argsort(self.fitness, kind="stable"), kind="stable")
        merit = (len(order) - order) / len(order)
        shares = np.array([merit[s.members].mean() for s in alive])
        counts = _apportioned(shares / shares.sum(), self.size)
        elite, children = [], []
        for species, count in zip(alive, counts, strict=True):
            if not count:
                continue
            elite.append(species.members[0])
            parents = species.members[: max(1, round(self.settings.survivors * len(species.members)))]
            children += [self._child(parents) for _ in range(count - 1)]
        self.population = [self.population[place] for place in elite]
        self.losses, self.fitness = self.losses[elite], self.fitness[elite]
        self.species = [s for s, count in zip(alive, counts, strict=True) if count]
        for place, species in enumerate(self.species):
            species.members = [place]
        self._waiting = children

    def _child(self, parents: list[int]) -> Individual:
        first = self.population[parents[self.rng.integers(len(parents))]]
        if len(parents) > 1 and self.rng.random() < self.settings.crossing:
            one, two = sorted(int(p) for p in self.rng.choice(parents, 2, replace=False))
            if self.fitness[two] < self.fitness[one]:
                one, two = two, one
            first = self.breeder.crossed(self.population[one], self.population[two], self.rng)
        return self.breeder.mutated(first, self.rng)

    # Checkpoints.

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state as named arrays."""
        groups = {
            "population": self.population, "waiting": self._waiting, "best": [self.best],
            "models": [species.model for species in self.species],
        }  # fmt: skip
        packed = {
            f"{group}/{name}": value for group, some in groups.items() for name, value in self.kind.pack(some).items()
        }
        places = [(i, place) for i, species in enumerate(self.species) for place in species.members]
        return (
            packed
            | rng_arrays(self.rng)
            | {
                "losses": self.losses,
                "fitness": self.fitness,
                "species": np.array([[s.best, s.since] for s in self.species], np.float64).reshape(-1, 2),
                "places": np.array(places, np.int64).reshape(-1, 2),
                "numbers": np.array([self.threshold, self.loss, self.generation, self.evaluations], np.float64),
            }
        )

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()`` of a search made with the same arguments.

        Raises:
            EvoartError: the arrays belong to another search.
        """

        def group(name: str) -> list[Individual]:
            prefix = f"{name}/"
            return self.kind.unpack({k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})

        self.population, self._waiting, (self.best,) = group("population"), group("waiting"), group("best")
        models = group("models")
        self.losses, self.fitness = np.array(arrays["losses"]), np.array(arrays["fitness"])
        check_fit(len(self.population) == len(self.losses) == len(self.fitness))
        check_fit(len(arrays["species"]) == len(models))
        self.species = [
            Species(model, [], float(best), int(since))
            for model, (best, since) in zip(models, arrays["species"], strict=True)
        ]
        for i, place in arrays["places"].tolist():
            self.species[i].members.append(place)
        self.threshold, self.loss = (float(value) for value in arrays["numbers"][:2])
        self.generation, self.evaluations = (int(value) for value in arrays["numbers"][2:])
        self.rng = rng_from(arrays)


def _apportioned(shares: np.ndarray, whole: int) -> list[int]:
    """``shares`` of ``whole`` as whole numbers that sum to it (largest remainders)."""
    exact = shares * whole
    counts = np.floor(exact).astype(int)
    for place in np.argsort(counts - exact, kind="stable")[: whole - counts.sum()]:
        counts[place] += 1
    return counts.tolist()
