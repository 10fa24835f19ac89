"""B copies of sensing mode by mode: the arrays, the kernel's calls, and nothing of PettingZoo."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.common.references import reference_to
from crowdgym.envs.sensing.agent_modes import AgentMode
from crowdgym.envs.sensing.inference import InferenceStrategy
from crowdgym.envs.sensing.instance import SensingInstance
from crowdgym.envs.sensing.kernel.dynamics import place
from crowdgym.envs.sensing.kernel.observation import Sight
from crowdgym.envs.sensing.kernel.state import SensingState, Sizes, World, empty_state


@dataclass(frozen=True)
class Metrics:
    """The figures of an episode so far: Eqs. (15) and (16) over the cycles up to now."""

    error: float
    cost_km: float
    error_per_attribute: tuple[float, ...]


class SensingSimulation:
    """B copies of sensing in one world, each in a cycle of its own.

    Attributes:
        world: the cells.
        sight: where they are to each other, for observations.
        state: the structure of arrays that the kernel works on.
        passed: the same as kernels are handed it.
        observations: what every agent sees, written in place by `reset_copy` and `step`. Shape [B, N, F].
    """

    def __init__(
        self,
        world: World,
        mode: AgentMode,
        inference: InferenceStrategy,
        *,
        cycles: int,
        batch: int,
        needs_gains: bool = False,
    ) -> None:
        self.world = world
        self.sight = Sight.of(world)
        self.cycles = cycles
        self._mode = mode
        self._inference = inference
        self._needs_gains = needs_gains
        sizes = Sizes(
            batch=batch,
            cycles=cycles,
            cells=mode.cells,
            attributes=len(mode.attributes),
            participants=mode.participants,
            agents=len(mode.agents),
            cell_features=len(mode.cell_features),
        )
        self.state: SensingState = empty_state(sizes)
        self.passed = reference_to(self.state)
        self._passed_world, self._passed_sight = reference_to(world), reference_to(self.sight)
        width = mode.layout(self.sight).width
        self._written = np.zeros((batch, len(mode.agents), width), np.float32)
        self.observations = self._written
        mask = np.ones((batch, len(mode.agents), mode.num_actions), np.int8)
        self._constant = {"action_mask": mask, **mode.constant_arrays(batch)}
        for array in self._constant.values():
            array.setflags(write=False)

    def reset_copy(self, b: int, instance: SensingInstance) -> None:
        """Begin ``instance`` in copy ``b``, and play its cycle 0.

        Raises:
            ConfigError: it has other sizes than the simulation.
        """
        expected = self.state.truth.shape[1:]
        if instance.values.shape != expected:
            raise ConfigError(
                f"an instance must have values of shape {expected} (cycles, cells, attributes), "
                f"got {instance.values.shape}"
            )
        participants = self.state.participants.cell.shape[1]
        if len(instance.cell) != participants:
            raise ConfigError(f"an instance must have {participants} participants, got one with {len(instance.cell)}")
        self.state.truth[b] = instance.values
        self.state.participants.cell[b] = instance.cell
        place(self.passed, b)
        self._finish(np.array([b]))

    def use_fresh_observations(self) -> None:
        """Put observations into a new array from now on; the caller may keep and change views of the old one.

        The kernel writes over what it wrote at the cycle before, so the caller never gets the array that the kernel
        writes into.
        """
        self.observations = np.empty_like(self._written)

    def step(self, actions: NDArray[np.int64], copies: NDArray[np.int64] | None = None) -> None:
        """Apply the joint actions, shape [B, N], and play the next cycle of every copy, or of those listed.

        Calls for different copies may run at the same time.
        """
        which = np.arange(len(self.state.cycle)) if copies is None else copies
        self._mode.play(self._passed_world, self.passed, actions, which)
        self._finish(which)

    def is_over(self) -> NDArray[np.bool_]:
        """Which copies have played their last cycle. Shape [B]."""
        return self.state.cycle >= self.cycles - 1

    def agent_arrays(self) -> dict[str, NDArray[Any]]:
        """What infos hold for every agent, the mask first: arrays of shape [B, N, ...]."""
        return self._constant | self._mode.changing_arrays(self.state)

    def metrics(self, b: int) -> Metrics:
        """The figures of copy ``b`` so far."""
        played = int(self.state.cycle[b]) + 1
        errors = (self.state.totals.attribute_error[b] / played / self.world.scale).tolist()
        return Metrics(sum(errors), float(self.state.totals.cost_km[b] / played), tuple(errors))

    def _finish(self, copies: NDArray[np.int64]) -> None:
        """Infer values, take their error, and write the observations."""
        world, state = self._passed_world, self.passed
        self._inference.infer(world, state, copies)
        self._mode.finish(world, self._passed_sight, state, copies, self._written)
        if self.observations is not self._written:
            np.copyto(self.observations, self._written)
        if self._needs_gains:
            self._inference.leave_out(world, state, copies)
            self._mode.share_gains(state, copies)
