"""Every evolution strategy of evosax behind one interface, its faults fixed or named here.

A ``Strategy`` searches around the origin of its own space: the caller moves and scales it. ``init``, ``ask`` and
``tell`` are pure and may be used inside jit, vmap and scan. A state is a pytree of arrays. Lower fitness is better.

What this file fixes: families that start differently; NaN fitness (worst); ties; all candidates failing (nothing is
learned); states that become non-finite (the last good one stays); step sizes that collapse or explode; raw fitness
where ranks are meant; covariance learning rates of Sep-CMA-ES; initial step and rotation of xNES; the order of
candidates in MA-ES and LM-MA-ES and the latter's path rates; schedules and radii that ignore the step asked for.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.errors import UsageError, unknown
from evoart.search.options import read_count, read_number
from evoart.types import Array

STEP = 0.5  # default initial standard deviation, in the caller's natural steps
SMALLEST_STD, LARGEST_STD = 1e-5, 1e4  # below, float32 rounds samples back onto the mean; above lies nothing to find


@dataclass(frozen=True)
class Info:
    """What is known about a strategy.

    Attributes:
        name: what evoart calls it.
        evosax: its name in evosax.
        population: default number of candidates per generation.
        step: default initial standard deviation, in natural steps.
        mean: True where a search distribution's mean exists that is not itself an evaluated candidate.
        cost: how time and memory of a step grow with the dimension: ``d`` or ``d^2``, or a power where it is higher.
        note: when to use it.
        fault: what is known to be wrong with it and not fixed.
        fixed: what this adapter fixes in evosax's version.
    """

    name: str
    evosax: str
    population: int = 64
    step: float = STEP
    mean: bool = True
    cost: str = "d"
    note: str = ""
    fault: str = ""
    fixed: str = ""


@dataclass(frozen=True)
class _Adapter:
    """How one strategy of evosax is made, where it differs from the others.

    Attributes:
        smallest: least population.
        even: whether the population must be even.
        ranks: whether it needs centred ranks where evosax's default is raw fitness.
        optimizer: what drives the mean where a strategy leaves that open: ``clipup``, ``adam`` or ``sgd``.
        build_options: whole numbers of evosax's constructor that may be set.
        build: population to arguments of the constructor whose defaults do not suit, or do not exist.
        islands: whether it keeps several means, each with a population of its own.
        std_floor: what ``std_schedule`` gives, as a share of the step.
        parameters: evosax's default parameters, dimension and step to the parameters to change.
        start: evosax's first state, dimension and step to one that follows the step asked for.
        algorithm: evosax's class to one with its faults fixed.
    """

    smallest: int = 2
    even: bool = False
    ranks: bool = False
    optimizer: str = "sgd"
    build_options: tuple[str, ...] = ()
    build: Callable[[int], dict[str, Any]] = lambda population: {}
    islands: bool = False
    std_floor: float = 1.0
    parameters: Callable[[Any, int, float], dict[str, Any]] = lambda params, dim, step: {}
    start: Callable[[Any, int, float], Any] = lambda state, dim, step: state
    algorithm: Callable[[type], type] = lambda algorithm: algorithm


def _fix_iamalgam(state: Any, dim: int, step: float) -> Any:
    return state.replace(C=state.C * step**2)


def _divide_groups(population: int) -> dict[str, Any]:
    """As many groups as the population but the elite can be divided into, at most its square root."""
    others = population - 1
    return {"num_groups": max(g for g in range(1, int(others**0.5) + 1) if others % g == 0)}


_RANKS = "centred ranks instead of raw fitness"
_CONSTANT = "its step size never shrinks"
_OPTIMIZERS = ("clipup", "adam", "sgd")
_OPTIMIZER_OPTIONS = ("learning_rate", "max_speed", "momentum")
_PLAIN = _Adapter()
_FINITE_DIFFERENCES = _Adapter(even=True, ranks=True, optimizer="adam")
_SUBSPACE = replace(_FINITE_DIFFERENCES, build_options=("subspace_dims",))
# One evaluation is an episode of its own here.
_EPISODES = replace(_FINITE_DIFFERENCES, parameters=lambda params, dim, step: {"T": 1, "K": 1})
_IAMALGAM = _Adapter(std_floor=0.02, start=_fix_iamalgam)  # evosax adds it to a covariance that has its own step
_STEIN = _Adapter(
    build_options=("num_populations",),
    build=lambda population: {"num_populations": 2},
    islands=True,
    parameters=lambda params, dim, step: {"kernel_std": step, "alpha": 0.1 * step**2},
)

_TABLE: tuple[tuple[Info, _Adapter], ...] = (
    (Info("ars", "ARS", fault=_CONSTANT, fixed=_RANKS), _FINITE_DIFFERENCES),
    (Info("asebo", "ASEBO", cost="d^2", fault=_CONSTANT, fixed=_RANKS), _SUBSPACE),
    (
        Info("cma_anchored_les", "CMAAnchoredLES", note="a learned strategy; good with small steps as a finisher"),
        _Adapter(smallest=4),
    ),
    (
        Info(
            "cma_es", "CMA_ES", cost="d^3", note="up to a few hundred numbers", fault="bytes differ with BLAS threads"
        ),
        _PLAIN,
    ),
    (Info("cr_fm_nes", "CR_FM_NES", population=32, note="needs no tuning"), _Adapter(even=True)),
    (Info("des", "DES", note="200 shapes and more"), _PLAIN),
    (Info("esmc", "ESMC", fault=_CONSTANT, fixed=_RANKS), replace(_FINITE_DIFFERENCES, smallest=4)),
    (
        Info("evotf_es", "EvoTF_ES", population=16, fault="remembers whole populations: heavy beyond 500 numbers"),
        _Adapter(build_options=("max_context_len",), build=lambda population: {"max_context_len": 32}),
    ),
    (
        Info("gradientless_descent", "GradientlessDescent", mean=False, fixed="radii follow the step asked for"),
        _Adapter(parameters=lambda params, dim, step: {"radius_max": 2 * step, "radius_min": 0.002 * step}),
    ),
    (
        Info("guided_es", "GuidedES", fault=_CONSTANT + "; is given no gradient to be guided by", fixed=_RANKS),
        _SUBSPACE,
    ),
    (Info("hill_climbing", "HillClimbing", mean=False, fault=_CONSTANT), _PLAIN),
    (Info("iamalgam_full", "iAMaLGaM_Full", cost="d^3", fixed="covariance starts at the step asked for"), _IAMALGAM),
    (Info("iamalgam_univariate", "iAMaLGaM_Univariate", fixed="variances start at the step asked for"), _IAMALGAM),
    (Info("les", "LES", note="a learned strategy; stands large populations"), _PLAIN),
    (
        Info("lm_ma_es", "LM_MA_ES", fixed="order of candidates; path rates above 1"),
        _Adapter(
            algorithm=lambda algorithm: _fix_ma_es(algorithm, full=False),
            parameters=lambda params, dim, step: {"c_c": jnp.minimum(params.c_c, 1.0)},
        ),
    ),
    (
        Info("ma_es", "MA_ES", cost="d^2", fixed="order of candidates"),
        _Adapter(algorithm=lambda algorithm: _fix_ma_es(algorithm)),
    ),
    (
        Info("noise_reuse_es", "NoiseReuseES", fault=_CONSTANT, fixed="fresh noise every generation; " + _RANKS),
        _EPISODES,
    ),
    (Info("open_es", "Open_ES", fault=_CONSTANT), _Adapter(even=True, optimizer="adam")),
    (
        Info("persistent_es", "PersistentES", fault=_CONSTANT, fixed="noise is not accumulated; " + _RANKS),
        _EPISODES,
    ),
    (
        Info("pgpe", "PGPE", note="with ClipUp: long runs, and 2,000 numbers or more"),
        _Adapter(even=True, optimizer="clipup"),
    ),
    (Info("random_search", "RandomSearch", mean=False, note="a floor for comparisons", fault="learns nothing"), _PLAIN),
    (
        Info("rm_es", "Rm_ES", fault="its step size follows rank sums and may stall"),
        _Adapter(build_options=("m",)),
    ),
    (
        Info("sep_cma_es", "Sep_CMA_ES", population=32, fixed="the factor (d + 2) / 3 of its learning rates"),
        _Adapter(parameters=lambda params, dim, step: _separable_rates(params, dim, step)),
    ),
    (
        Info(
            "simulated_annealing",
            "SimulatedAnnealing",
            mean=False,
            fault=_CONSTANT,
            fixed="temperature fits losses < 1",
        ),
        _Adapter(parameters=lambda params, dim, step: {"boltzmann_constant": 1e-4}),
    ),
    (Info("simple_es", "SimpleES"), _PLAIN),
    (Info("snes", "SNES", note="the first choice where a candidate has one number"), _PLAIN),
    (
        Info(
            "sv_cma_es",
            "SV_CMA_ES",
            cost="d^3",
            note="several means that keep apart",
            fixed="kernel width, repulsion",
        ),
        _STEIN,
    ),
    (
        Info("sv_open_es", "SV_Open_ES", note="several means that keep apart", fault=_CONSTANT, fixed="kernel width"),
        replace(_STEIN, optimizer="adam"),
    ),
    (
        Info("xnes", "xNES", cost="d^3", fixed="initial step; learns rotations by the matrix exponential"),
        _Adapter(
            algorithm=lambda algorithm: _fix_xnes(algorithm),
            start=lambda state, dim, step: state.replace(B=jnp.eye(dim)),
        ),
    ),
    (Info("differential_evolution", "DifferentialEvolution", mean=False), _Adapter(smallest=4)),
    (
        Info(
            "diffusion_evolution",
            "DiffusionEvolution",
            mean=False,
            fault="stops moving after num_generations (128) generations",
            fixed="ranks instead of raw fitness",
        ),
        _Adapter(
            build_options=("num_generations",),
            build=lambda population: {"fitness_mapping": _rank_energy},
            parameters=lambda params, dim, step: {"scale_factor": step},
        ),
    ),
    (
        Info("gesmr_ga", "GESMR_GA", mean=False, fixed="several groups of mutation rates instead of one"),
        _Adapter(smallest=3, build_options=("num_groups",), build=_divide_groups),
    ),
    (Info("lga", "LGA", mean=False, note="a learned strategy"), _PLAIN),
    (Info("mr15_ga", "MR15_GA", mean=False), _PLAIN),
    (Info("pso", "PSO", mean=False), _PLAIN),
    (Info("samr_ga", "SAMR_GA", mean=False), _PLAIN),
    (Info("simple_ga", "SimpleGA", mean=False, fault=_CONSTANT), _PLAIN),
)
_INFO = {info.name: info for info, _ in _TABLE}
_ADAPTERS = {info.name: adapter for info, adapter in _TABLE}


def names() -> tuple[str, ...]:
    """All strategies, sorted: those of the table, then any newer one that the installed evosax has."""
    known = {info.evosax for info, _ in _TABLE}
    newer = {name.lower(): name for name in _algorithms() if name not in known}
    return tuple(sorted([*_INFO, *newer]))


def describe(name: str) -> Info:
    """What is known about a strategy.

    Raises:
        UsageError: unknown name (with a suggestion).
    """
    name = name.lower().replace("-", "_")
    if name in _INFO:
        return _INFO[name]
    for evosax in _algorithms():
        if evosax.lower() == name:
            return Info(name, evosax, fault="newer than evoart: untested")
    raise unknown("strategy", name, names())


@functools.cache
def _algorithms() -> dict[str, type]:
    # The package's `import *` is broken; its table is not.
    from evosax.algorithms import algorithms

    return dict(algorithms)


def make(name: str, dim: int, population: int | None = None, options: Mapping[str, Any] | None = None) -> Strategy:
    """The strategy ``name`` for vectors of ``dim`` numbers; equal arguments give the same object, compiled once.

    Args:
        name: see ``names()``.
        dim: numbers per candidate, at least 1.
        population: candidates per generation; None is the strategy's default. Rounded up where it must be even.
        options: ``step``; ``optimizer`` (clipup, adam, sgd) with ``learning_rate``, ``max_speed``, ``momentum`` where
            the strategy has one; and any parameter of evosax's by its own name.

    Raises:
        UsageError: unknown name or option, or a value that the strategy refuses.
    """
    info = describe(name)
    return _make(info.name, int(dim), population and int(population), tuple(sorted((options or {}).items())))


@functools.lru_cache(maxsize=64)
def _make(name: str, dim: int, population: int | None, options: tuple[tuple[str, Any], ...]) -> Strategy:
    return Strategy(describe(name), dim, population, dict(options))


class Strategy:
    """One strategy, ready to use; see ``make``.

    Attributes:
        info: what is known about it.
        dim: numbers per candidate.
        population: candidates per generation, as it is really used.
        step: initial standard deviation.
    """

    def __init__(self, info: Info, dim: int, population: int | None, options: dict[str, Any]) -> None:
        self.info, self.dim, self._adapter = info, dim, _ADAPTERS.get(info.name, _PLAIN)
        wanted = info.population if population is None else population
        if wanted < 1:
            raise UsageError(f"a population of {wanted} is too small", "Use a population of 2 or more")
        self.population = max(wanted + (wanted % 2 if self._adapter.even else 0), self._adapter.smallest)
        self.step = read_number("step", options.pop("step", info.step))
        if self.step <= 0:
            raise UsageError(f"a step of {self.step:g} is not positive", "Use a step between 0.001 and 2")
        self._islands = 1
        try:
            self._build(options)
        except UsageError:
            raise
        except (AssertionError, TypeError, ValueError, ZeroDivisionError) as error:
            reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
            raise UsageError(
                f"the strategy {info.name} does not work with a population of {wanted} and {dim} numbers ({reason})",
                "Choose another population, or another strategy from `evoart strategies`",
            ) from error

    def _build(self, options: dict[str, Any]) -> None:
        from evosax.core.fitness_shaping import centered_rank_fitness_shaping_fn

        adapter, original = self._adapter, _algorithms()[self.info.evosax]
        algorithm = adapter.algorithm(original)
        accepts = inspect.signature(algorithm).parameters
        build = adapter.build(self.population) | {
            "population_size": self.population,
            "solution": jnp.zeros(self.dim),
        }
        build |= {name: read_count(name, options.pop(name)) for name in adapter.build_options if name in options}
        if adapter.islands:
            self._islands = build["num_populations"]
            each = -(-self.population // self._islands)
            build["population_size"] = each + each % 2
        if adapter.ranks:
            build["fitness_shaping_fn"] = centered_rank_fitness_shaping_fn
        if "std_schedule" in accepts:
            build["std_schedule"] = lambda _: jnp.asarray(self.step * adapter.std_floor, jnp.float32)
        if "sampling_fn" in accepts:
            build["sampling_fn"] = lambda key: 3 * self.step * jax.random.normal(key, (self.dim,))
        if "optimizer" in accepts:
            optimizer = self._optimizer(options)
            if optimizer is not None:
                build["optimizer"] = optimizer
        self._algorithm = algorithm(**build)
        self.population = getattr(self._algorithm, "total_population_size", self.population)
        self._params = self._parameters(options)
        self._from_population = hasattr(original, "get_population")

    def _optimizer(self, options: dict[str, Any]) -> Any:
        """What the caller's options ask for, or what this strategy is known to need; None is evosax's own."""
        import optax

        chosen = str(options.pop("optimizer", self._adapter.optimizer)).lower()
        given = {name: read_number(name, options.pop(name)) for name in _OPTIMIZER_OPTIONS if name in options}
        if chosen not in _OPTIMIZERS:
            raise unknown("optimizer", chosen, _OPTIMIZERS)
        if chosen == "clipup":
            rate = given.get("learning_rate", self.step)
            return _clipup(rate, given.get("max_speed", 2 * rate), given.get("momentum", 0.9))
        if "max_speed" in given:
            raise UsageError(f"the optimizer {chosen} has no max_speed", "Leave it out, or use clipup")
        if chosen == "adam":
            return optax.adam(given.get("learning_rate", 0.1 * self.step), b1=given.get("momentum", 0.9))
        if not given:
            return None  # natural gradients of rate 1
        return optax.sgd(given.get("learning_rate", 1.0), momentum=given.get("momentum"))

    def _parameters(self, options: dict[str, Any]) -> Any:
        params = self._algorithm.default_params
        fields = {entry.name for entry in dataclasses.fields(params)}
        changes: dict[str, Any] = {}
        if "std_init" in fields:
            changes["std_init"] = jnp.asarray(self.step, jnp.float32)
        changes |= self._adapter.parameters(params, self.dim, self.step)
        scalars = [name for name in sorted(fields - {"params"}) if np.ndim(getattr(params, name)) == 0]
        for option, value in options.items():
            if option not in scalars:
                choices = ["step", *scalars, *self._adapter.build_options]
                if hasattr(self._algorithm, "optimizer"):
                    choices += ["optimizer", *_OPTIMIZER_OPTIONS]
                raise unknown(f"option of {self.info.name}", option, choices)
            default, number = getattr(params, option), read_number(option, value)
            changes[option] = type(default)(number) if isinstance(default, bool | int) else number
        return jax.tree.map(lambda x: jnp.asarray(x) if np.isscalar(x) else x, params.replace(**changes))

    # One generation. All of these may be traced.

    def init(self, key: Array) -> dict[str, Any]:
        """The state before the first generation."""
        inner_key, sample_key = jax.random.split(key)
        spread = self.step * jax.random.normal(sample_key, (self.population, self.dim))
        if self._from_population:
            spread = spread.at[0].set(0.0)  # the start itself is worth having
            nothing = jnp.full(self.population, jnp.inf)
            inner = self._algorithm.init(inner_key, spread, nothing, self._params)
            first: Array = spread
        elif self._islands > 1:
            inner = self._algorithm.init(inner_key, spread[: self._islands], self._params)
            first = jnp.zeros((0,))
        else:
            inner = self._algorithm.init(inner_key, jnp.zeros(self.dim), self._params)
            first = jnp.zeros((0,))
        inner = jax.tree.map(_strong, self._start(inner))
        return {"inner": inner, "first": first, "told": jnp.zeros((), jnp.int32)}

    def _start(self, inner: Any) -> Any:
        return self._adapter.start(inner, self.dim, self.step)

    def ask(self, key: Array, state: dict[str, Any]) -> tuple[Array, dict[str, Any]]:
        """Candidates ``(population, dim)`` and the state that goes with them."""
        samples, inner = self._algorithm.ask(key, state["inner"], self._params)
        inner = _like(inner, state["inner"])
        if self._from_population:
            unborn = state["told"] == 0
            samples = jnp.where(unborn, state["first"], samples)
            inner = _choose(unborn, state["inner"], inner)
        # A candidate that is not a number would be evaluated as one; the mean stands in for it.
        samples = jnp.where(jnp.isfinite(samples), samples, 0.0 if self._from_population else self.mean(state))
        return samples, state | {"inner": inner}

    def tell(self, key: Array, samples: Array, fitness: Array, state: dict[str, Any]) -> dict[str, Any]:
        """The state after candidates ``(population, dim)`` turned out to have ``fitness`` ``(population,)``."""
        old = state["inner"]
        finite = jnp.isfinite(fitness)
        highest = jnp.where(finite, fitness, -jnp.inf).max()
        lowest = jnp.where(finite, fitness, jnp.inf).min()
        fitness = jnp.where(finite, fitness, highest + (highest - lowest) + 1e-6)
        fitness = jnp.where(finite.any(), fitness, 0.0)
        new, _ = self._algorithm.tell(key, samples, fitness, old, self._params)
        new = _like(new, old)
        if self._from_population:
            born = self._algorithm.init(key, samples, fitness, self._params)
            born = _like(self._start(born), old)
            new = _choose(state["told"] == 0, born, new)
        if hasattr(new, "std"):
            new = new.replace(std=jnp.clip(new.std, SMALLEST_STD, LARGEST_STD))
        # Where all are equal there is nothing to learn, and strategies would only drift.
        telling = (highest > lowest) | (self._from_population & (state["told"] == 0))
        good = finite.any() & telling & _sound(old, new)
        return state | {"inner": _choose(good, new, old), "told": state["told"] + finite.any()}

    def mean(self, state: dict[str, Any]) -> Array:
        """The strategy's own best guess ``(dim,)``: the mean of its distribution, or its best member."""
        inner = state["inner"]
        if self._from_population:
            return inner.population[jnp.argmin(inner.fitness)]
        if self._islands > 1:
            return inner.mean[jnp.argmin(inner.best_fitness)]
        return inner.mean


def _strong(leaf: Any) -> Array:
    """A leaf as an array of fixed type, so that a state looks the same before and after a checkpoint."""
    leaf = jnp.asarray(leaf)
    return jax.lax.convert_element_type(leaf, leaf.dtype)


def _like(new: Any, old: Any) -> Any:
    """``new`` with the types of ``old``."""
    return jax.tree.map(lambda n, o: jnp.asarray(n, o.dtype), new, old)


def _choose(condition: Array, yes: Any, no: Any) -> Any:
    """The state ``yes`` where ``condition``, else ``no``."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


def _sound(old: Any, new: Any) -> Array:
    """False where a number that was finite no longer is. Records of the best so far may be infinite at any time."""
    flat_old = jax.tree_util.tree_leaves_with_path(old)
    flat_new = jax.tree.leaves(new)
    checks = [
        (jnp.isfinite(n) | ~jnp.isfinite(o)).all()
        for (path, o), n in zip(flat_old, flat_new, strict=True)
        if jnp.issubdtype(o.dtype, jnp.floating) and "best" not in jax.tree_util.keystr(path)
    ]
    return jnp.stack(checks).all()


def _rank_energy(fitness: Array) -> Array:
    """Weights of candidates by rank, where evosax has ``exp(-fitness)``, which is flat for losses near 0."""
    ranks = jax.scipy.stats.rankdata(jnp.where(jnp.isnan(fitness), jnp.inf, fitness)) - 1
    return jnp.exp(-8.0 * ranks / max(fitness.shape[-1] - 1, 1))


def _clipup(learning_rate: float, max_speed: float, momentum: float) -> Any:
    """ClipUp for optax: Toklu et al., "ClipUp: a simple and powerful optimizer for distribution-based policy
    evolution" (2020). evosax's calls parts of optax that newer versions warn about."""
    import optax

    def update(gradient: Array, velocity: Array, _: Any = None) -> tuple[Array, Array]:
        length = jnp.linalg.norm(gradient)
        velocity = momentum * velocity - learning_rate * gradient / jnp.where(length > 0, length, 1.0)
        speed = jnp.linalg.norm(velocity)
        velocity = velocity * jnp.minimum(1.0, max_speed / jnp.where(speed > 0, speed, 1.0))
        return velocity, velocity

    return optax.GradientTransformation(jnp.zeros_like, update)  # pyright: ignore[reportArgumentType]


def _separable_rates(params: Any, dim: int, step: float) -> dict[str, Array]:
    """Learning rates of a diagonal covariance: Ros and Hansen, "A simple modification in CMA-ES achieving linear time
    and space complexity" (2008)."""
    factor = (dim + 2) / 3
    c_1 = jnp.minimum(factor * params.c_1, 0.5)
    return {"c_1": c_1, "c_mu": jnp.minimum(factor * params.c_mu, 1 - c_1)}


@functools.cache
def _fix_xnes(algorithm: type) -> type:
    import optax

    class XNES(algorithm):  # type: ignore[misc, valid-type]
        """Exponential NES: Glasmachers et al., "Exponential natural evolution strategies" (2010), algorithm 1."""

        def _ask(self, key: Array, state: Any, params: Any) -> tuple[Array, Any]:
            z = jax.random.normal(key, (self.population_size, self.num_dims))
            return state.mean + state.std * z @ state.B.T, state.replace(z=z)

        def _tell(self, key: Array, population: Array, fitness: Array, state: Any, params: Any) -> Any:
            z = state.z
            downhill = -state.std * state.B @ (fitness @ z)
            updates, opt_state = self.optimizer.update(downhill, state.opt_state, state.mean)
            by_matrix = (z.T * fitness) @ z - fitness.sum() * jnp.eye(self.num_dims)
            by_std = jnp.trace(by_matrix) / self.num_dims
            by_shape = by_matrix - by_std * jnp.eye(self.num_dims)
            return state.replace(
                mean=optax.apply_updates(state.mean, updates),
                std=state.std * jnp.exp(0.5 * state.lr_std * by_std),
                B=state.B @ jax.scipy.linalg.expm(0.5 * params.lr_B * by_shape),
                opt_state=opt_state,
            )

    return XNES


@functools.cache
def _fix_ma_es(algorithm: type, full: bool = True) -> type:
    class MAES(algorithm):  # type: ignore[misc, valid-type]
        """MA-ES and LM-MA-ES whose matrices learn from the better candidates: rows are put in order of fitness."""

        def _tell(self, key: Array, population: Array, fitness: Array, state: Any, params: Any) -> Any:
            order = jnp.argsort(-fitness)  # weights: the best candidate has the largest
            state = state.replace(z=state.z[order])
            return super()._tell(key, population[order], fitness[order], state, params)

    class FullMAES(MAES):
        def update_M(self, M: Array, p_std: Array, z: Array, params: Any) -> Array:
            """Beyer and Sendhoff, "Simplify your covariance matrix adaptation evolution strategy" (2017), line M11,
            without the population of outer products."""
            eye = jnp.eye(self.num_dims)
            by_path, by_rank = jnp.outer(p_std, p_std) - eye, (z.T * params.weights) @ z - eye
            return M @ (eye + params.c_1 / 2 * by_path + params.c_mu / 2 * by_rank)

    return FullMAES if full else MAES
