"""What every interface of DASC is made of: checked settings, a generator, a reward, spaces and metadata."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.configs.dasc import DascSettings
from crowdgym.data.ground import ground_of
from crowdgym.data.registry import load_dataset
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.api.definition import ACTION_MASK, EnvironmentDefinition, Viewer, require_method
from crowdgym.envs.core.scenario_data import data_of
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.dasc.file_generator import FileGenerator
from crowdgym.envs.dasc.generator import DascInstanceGenerator, OrderStreamGenerator
from crowdgym.envs.dasc.global_state import global_state, state_layout
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.envs.dasc.kernel.observation import observation_layout
from crowdgym.envs.dasc.kernel.simulation import DascSimulation
from crowdgym.envs.dasc.reward import REWARDS, RewardStrategy
from crowdgym.envs.dasc.snapshot import DascSnapshot

# The settings that every platform knows of itself: ``metadata["rules"]``, for policies that reckon with them.
RULES = (
    *("step_s", "horizon_s", "speed_mps", "range_m", "dependency", "action_mode"),
    *("penalty_per_s", "travel_cost_per_m"),
)


def _utility(value: object) -> tuple[float, float]:
    """The option "utility" of ``reset``."""
    try:
        alpha, beta = (float(part) for part in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        alpha = beta = np.nan
    if not (0 <= alpha <= 1 and 0 <= beta <= 1):
        raise ConfigError(f"the option 'utility' must be two numbers from 0 to 1, alpha and beta, got {value!r}")
    return alpha, beta


@dataclass(frozen=True)
class DascDefinition(EnvironmentDefinition[DascSimulation, DascInstance]):
    """The definition of one ``dasc_v0``, whatever its interface."""

    name: ClassVar[str] = DascSettings.environment
    other_data: ClassVar[str] = "another road network"
    reset_options: ClassVar[Mapping[str, Callable[[object], Any]]] = {"utility": _utility}

    settings: DascSettings
    network: RoadNetwork
    generator: DascInstanceGenerator
    reward_strategy: RewardStrategy

    @classmethod
    def of(
        cls,
        keywords: Mapping[str, object],
        generator: DascInstanceGenerator | None,
        reward_strategy: RewardStrategy | None,
    ) -> "DascDefinition":
        """Check the keywords and find everything.

        Raises:
            ConfigError: a keyword that does not exist or has a value that cannot be used.
            DataError: the scenario does not exist, or its files or the file of tasks cannot be read.
        """
        require_method("generator", generator, "generate")
        require_method("reward_strategy", reward_strategy, "write")
        settings = DascSettings.load(**keywords)
        dataset = data_of(settings, load_dataset)
        if generator is None and settings.tasks_file is not None:
            from_file = FileGenerator(settings.tasks_file, dataset, settings, keywords.keys())
            generator, settings = from_file, from_file.settings
        return cls(
            settings=settings,
            network=dataset.network,
            generator=generator or OrderStreamGenerator(dataset, settings),
            reward_strategy=reward_strategy or REWARDS[settings.reward],
        )

    @property
    def agents(self) -> tuple[str, ...]:
        """The slots, by number."""
        return tuple(f"subtask_{s}" for s in range(self.settings.num_slots))

    @property
    def is_reproducible(self) -> bool:
        """Whether settings and seed fix the episodes: neither generator nor reward strategy is the caller's own."""
        of_settings = self._of_tasks_file or type(self.generator) is OrderStreamGenerator
        return of_settings and self.reward_strategy is REWARDS[self.settings.reward]

    @property
    def _of_tasks_file(self) -> bool:
        """Whether instances are those of the file that the settings name."""
        return isinstance(self.generator, FileGenerator) and self.generator.settings is self.settings

    @property
    def file_checksums(self) -> dict[str, str]:
        """Of the file of tasks, if there is one."""
        return {"tasks_file": self.generator.checksum} if isinstance(self.generator, FileGenerator) else {}

    def data_checksum(self, instance: DascInstance) -> str:
        """Of the road network."""
        return instance.network.road_checksum

    def chosen(self, simulation: DascSimulation, b: int, actions: NDArray[np.int64]) -> NDArray[np.int32]:
        """The workers that are asked for; in recommend mode, without a worker to ask for, the subtasks' own numbers."""
        if self.settings.action_mode == "select":
            return super().chosen(simulation, b, actions)
        subtasks = np.arange(len(actions), dtype=np.int32)
        taken = (actions > 0) & (simulation.state.output.mask[b, subtasks, actions] > 0)
        return np.where(taken, subtasks, -1).astype(np.int32)

    def simulation(self, batch: int) -> DascSimulation:
        """Room for ``batch`` copies."""
        return DascSimulation(self.network, self.settings, batch)

    def observation_space(self) -> gymnasium.spaces.Box:
        """What one slot sees."""
        width = observation_layout(self.settings.max_candidates).width
        return gymnasium.spaces.Box(-1.0, 1.0, (width,), np.float32)

    def action_space(self) -> gymnasium.spaces.Discrete:
        """What one slot may do."""
        selects = self.settings.action_mode == "select"
        return gymnasium.spaces.Discrete(self.settings.max_candidates + 1 if selects else 2)

    def state_space(self) -> gymnasium.spaces.Box:
        """Every worker and every slot in one row."""
        width = state_layout(self.settings.num_workers, self.settings.num_slots).width
        return gymnasium.spaces.Box(-1.0, 1.0, (width,), np.float32)

    def metadata(self, simulation: DascSimulation) -> dict[str, Any]:
        """What policies may know: ``observation_layout`` and ``state_layout`` set by set, and ``rules``."""
        units, settings = simulation.scales.units(), self.settings
        state = state_layout(settings.num_workers, settings.num_slots)
        return {
            "observation_layout": observation_layout(settings.max_candidates).in_units(units).describe(),
            "state_layout": state.in_units(units).describe(),
            "rules": {name: getattr(settings, name) for name in RULES},
        }

    def generate(self, seeds: InstanceSeeds) -> DascInstance:
        """A new instance of the generator's."""
        return self.generator.generate(seeds)

    def begin(self, simulation: DascSimulation, b: int, instance: DascInstance, options: Mapping[str, Any]) -> None:
        """Begin ``instance`` in copy ``b``, with the option "utility" or that of the settings."""
        simulation.reset_copy(b, instance, options.get("utility"))

    def agent_arrays(self, simulation: DascSimulation) -> dict[str, NDArray[Any]]:
        """Masks, candidates, who is live, both rewards, and the terms of matches."""
        output = simulation.state.output
        return {
            ACTION_MASK: output.mask,
            "candidates": output.candidates,
            "live": output.live,
            "reward_sparse": output.sparse,
            "reward_shaped": output.shaped,
            "match_utility": output.match_utility,
        }

    def write_rewards(self, simulation: DascSimulation, rewards: NDArray[np.float64]) -> None:
        """The rewards of the strategy."""
        self.reward_strategy.write(simulation.state.output, rewards)

    def global_state(self, simulation: DascSimulation, b: int) -> NDArray[np.float32]:
        """Every worker and every slot of copy ``b`` in one row."""
        return global_state(simulation, b)

    def snapshot(self, simulation: DascSimulation, b: int) -> DascSnapshot:
        """The present moment of copy ``b``."""
        return DascSnapshot.of(simulation, b)

    def viewer(self, simulation: DascSimulation) -> Viewer:
        """What draws snapshots."""
        from crowdgym.envs.dasc.viewer import DascViewer

        return DascViewer(
            self.network, f"{self.name} · {self.settings.scenario}", ground=ground_of(self.settings.dataset)
        )
