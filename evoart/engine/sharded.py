"""Several devices: each draws and evaluates its share of the population, and all know all the losses.

A program runs on every device alike, from the same numbers. Only evaluating is divided, so results are those of one
device, bit for bit, wherever a candidate's loss does not depend on how many are evaluated with it. That holds for the
kernels of the Pallas engine, and for the dense program as long as every device evaluates a whole batch (8 pictures on a
CPU, 64 on a GPU, fewer of large ones): for another size XLA may compile it otherwise, and then rounds differently. So
it may with the models of a ``ClipEngine``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from evoart.types import Array

DEVICE = "device"  # the mesh's only axis


def over_devices(engine: Any) -> Any:
    """``engine`` over all devices of all processes; itself where there is one, or where the host draws."""
    if jax.device_count() == 1 or not engine.traceable:
        return engine
    return ShardedClip(engine) if engine.name == "clip" else ShardedEngine(engine)


class ShardedEngine:
    """``engine``, whose candidates are divided among all devices; in everything else it is ``engine``."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._mesh = Mesh(np.array(jax.devices()), (DEVICE,))
        self._compile()

    def _compile(self) -> None:
        self._losses = jax.jit(self.on_all_devices(lambda genomes, inputs: self.losses_traced(genomes, inputs)))

    def on_all_devices(self, program: Callable) -> Callable:
        """``program`` as one that runs on every device; the methods named ``*_traced`` need to be inside of one."""
        return jax.shard_map(
            program, mesh=self._mesh, in_specs=PartitionSpec(), out_specs=PartitionSpec(), check_vma=False
        )

    @property
    def block_work(self) -> float:
        """Pixels times shapes that one program may draw."""
        return self._engine.block_work * self._mesh.size

    def shrink(self) -> bool:
        """Let every device judge half as many at a time."""
        shrunk = self._engine.shrink()
        self._compile()
        return shrunk

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n,)`` float32 of genomes ``(n, dim)``."""
        return np.asarray(self._losses(np.asarray(genomes, np.float32), self._engine.inputs))

    def losses_traced(self, genomes: Array, *given: Any) -> Array:
        """``losses`` inside a ``on_all_devices`` program; ``given`` is what else the engine's needs."""
        return self._divided(lambda part: self._engine.losses_traced(part, *given), genomes)

    @property
    def tile_losses(self) -> Callable[[np.ndarray, int], np.ndarray]:
        """``tile_losses`` of the engine, where it has them."""
        program = self._engine.tile_losses_traced

        def tile_losses(genomes: np.ndarray, tiles: int) -> np.ndarray:
            judge = self.on_all_devices(lambda x, inputs: self._divided(lambda part: program(part, tiles, inputs), x))
            return np.asarray(jax.jit(judge)(np.asarray(genomes, np.float32), self._engine.inputs))

        return tile_losses

    def tile_losses_traced(self, genomes: Array, tiles: int, inputs: tuple[Any, ...]) -> Array:
        """``tile_losses`` inside a ``on_all_devices`` program."""
        return self._divided(lambda part: self._engine.tile_losses_traced(part, tiles, inputs), genomes)

    def _divided(self, judge: Callable[[Array], Array], genomes: Array) -> Array:
        n, devices = len(genomes), self._mesh.size
        each = -(-n // devices)
        padded = jnp.concatenate([genomes, jnp.broadcast_to(genomes[:1], (each * devices - n, genomes.shape[1]))])
        mine = jax.lax.dynamic_slice_in_dim(padded, jax.lax.axis_index(DEVICE) * each, each)
        return jax.lax.all_gather(judge(mine), DEVICE, tiled=True)[:n]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._engine, name)


class ShardedClip(ShardedEngine):
    """A ``ClipEngine``, whose candidates are divided; every device has the models. A single picture, and with it the
    search ``gradient``, is evaluated by all devices."""

    def _compile(self) -> None:
        # On all devices once, and not with every block.
        self.inputs = jax.device_put(self._engine.inputs, NamedSharding(self._mesh, PartitionSpec()))

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """See ``ClipEngine``."""
        return self._engine.losses(genomes)

    def changes_traced(self, genomes: Array, *given: Any) -> Array:
        """See ``ClipEngine``."""
        return self._divided(lambda part: self._engine.changes_traced(part, *given), genomes)
