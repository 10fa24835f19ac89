"""Playing the kernel: begin a world, take a moment out of it and put it back, read its rewards."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from invariants.world_strategies import JointAction
from numpy.typing import NDArray
from reference.csc_arrays import to_world
from reference.csc_instance import ReferenceInstance

from crowdgym.common.layout import ObservationSet
from crowdgym.configs.csc import RewardName
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.reward import REWARDS
from crowdgym.envs.csc.snapshot import CscSnapshot

# What a kernel writes and no later step reads.
_SCRATCH = ("scratch",)


def begin(reference: ReferenceInstance, batch: int = 1) -> CscSimulation:
    """The world at time 0, in every copy."""
    world = to_world(reference)
    simulation = CscSimulation(world.instance.network, world.settings, batch)
    for b in range(batch):
        simulation.reset_copy(b, world.instance)
    return simulation


def arrays_of(simulation: CscSimulation) -> dict[str, NDArray[Any]]:
    """Every array that a step changes, by name."""
    return {
        "epochs": simulation.epochs,
        "observations": simulation.observations,
        **dict(_leaves(simulation.state, "state")),
    }


def _leaves(part: Any, name: str) -> Iterator[tuple[str, NDArray[Any]]]:
    for field, value in part._asdict().items():
        if field in _SCRATCH:
            continue
        if isinstance(value, np.ndarray):
            yield f"{name}.{field}", value
        else:
            yield from _leaves(value, f"{name}.{field}")


@dataclass(frozen=True)
class Moment:
    """A simulation at one moment, copied out of it."""

    arrays: dict[str, NDArray[Any]]

    @classmethod
    def of(cls, simulation: CscSimulation) -> "Moment":
        return cls({name: array.copy() for name, array in arrays_of(simulation).items()})

    def restore(self, simulation: CscSimulation) -> None:
        for name, array in arrays_of(simulation).items():
            array[...] = self.arrays[name]

    def changes(self, later: "Moment") -> set[str]:
        """The arrays of which any bit differs."""
        return {name for name, array in self.arrays.items() if array.tobytes() != later.arrays[name].tobytes()}


def legal(simulation: CscSimulation, wishes: JointAction, b: int = 0) -> NDArray[np.int64]:
    """The nearest that each worker of copy ``b`` may do to what it wishes. Shape [1, W]."""
    found = simulation.state.output.mask[b].sum(axis=1) - 1  # [W] actions 0 to found are legal
    return np.minimum(np.array(wishes[: len(found)], np.int64), found)[np.newaxis]


def hold(simulation: CscSimulation) -> NDArray[np.int64]:
    """Everyone holds. Shape [B, W]."""
    return np.zeros(simulation.state.workers.status.shape, np.int64)


def is_over(simulation: CscSimulation) -> bool:
    return bool(simulation.epochs[0] >= simulation.clock.epochs)


def play_on(simulation: CscSimulation) -> None:
    """Everyone holds up to the end of the episode."""
    while not is_over(simulation):
        simulation.step(hold(simulation))


def rewards(simulation: CscSimulation, name: RewardName, b: int = 0) -> NDArray[np.float64]:
    """What the last step gave to each worker of copy ``b``. Shape [W]."""
    written = np.zeros(simulation.state.workers.status.shape)
    REWARDS[name].write(simulation.state.output, written)
    return written[b]


def same_bits(first: Any, second: Any) -> bool:
    """Whether two arrays are equal to the last bit, NaN and the sign of zero included."""
    return bool(first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes())


def assert_same_snapshot(first: CscSnapshot, second: CscSnapshot, but: tuple[str, ...] = ()) -> None:
    """Equal to the last bit in every field, but for those named."""
    for name, value in vars(first).items():
        other = vars(second)[name]
        if name not in but:
            same = same_bits(value, other) if isinstance(value, np.ndarray) else value == other
            assert same, f"{name}: {value} and {other}"


def rows_of(simulation: CscSimulation, part: ObservationSet) -> NDArray[np.float32]:
    """One set of the observations of copy 0. Shape [W, rows, features]."""
    seen = simulation.observations[0][:, part.start : part.stop]
    return seen.reshape(len(seen), *part.shape)
