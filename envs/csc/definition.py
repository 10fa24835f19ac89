"""What every interface of CSC is made of: checked settings, a generator, a reward, spaces and metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import gymnasium
import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.configs.csc import CscSettings, InfoName
from crowdgym.data.ground import ground_of
from crowdgym.data.registry import load_dataset
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.api.definition import ACTION_MASK, EnvironmentDefinition, Viewer, require_method
from crowdgym.envs.core.scenario_data import data_of
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.csc.generator import InstanceGenerator, OrderStreamGenerator
from crowdgym.envs.csc.global_state import global_state, state_layout
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.kernel.observation import observation_layout
from crowdgym.envs.csc.kernel.simulation import CREDITS, CscSimulation
from crowdgym.envs.csc.reward import REWARDS, RewardStrategy
from crowdgym.envs.csc.snapshot import CscSnapshot
from crowdgym.envs.csc.turns import CscTurns

# The settings that every platform knows of itself: ``metadata["rules"]``, for policies that reckon with them.
RULES = ("step_s", "horizon_s", "speed_mps", "range_m", "penalty_per_s")


@dataclass(frozen=True)
class CscDefinition(EnvironmentDefinition[CscSimulation, CscInstance]):
    """The definition of one ``csc_v0``, whatever its interface."""

    name: ClassVar[str] = CscSettings.environment
    other_data: ClassVar[str] = "another road network"

    settings: CscSettings
    network: RoadNetwork
    generator: InstanceGenerator
    reward_strategy: RewardStrategy
    infos: tuple[InfoName, ...]  # that were asked for

    @classmethod
    def of(
        cls,
        keywords: Mapping[str, object],
        generator: InstanceGenerator | None,
        reward_strategy: RewardStrategy | None,
        infos: Sequence[InfoName],
    ) -> "CscDefinition":
        """Check the keywords and find everything.

        Raises:
            ConfigError: a keyword or info that does not exist, or a keyword with a value that cannot be used.
            DataError: the scenario does not exist, or its files cannot be read.
        """
        require_method("generator", generator, "generate")
        require_method("reward_strategy", reward_strategy, "write")
        settings = CscSettings.load(**keywords)
        dataset = data_of(settings, load_dataset)
        return cls(
            settings=settings,
            network=dataset.network,
            generator=generator or OrderStreamGenerator(dataset, settings),
            reward_strategy=reward_strategy or REWARDS[settings.reward],
            infos=_checked_infos(infos),
        )

    @property
    def agents(self) -> tuple[str, ...]:
        """The workers, by number."""
        return tuple(f"worker_{w}" for w in range(self.settings.num_workers))

    @property
    def is_reproducible(self) -> bool:
        """Whether settings and seed fix the episodes: neither generator nor reward strategy is the caller's own."""
        ours = REWARDS[self.settings.reward]
        return self.reward_strategy is ours and type(self.generator) is OrderStreamGenerator

    def data_checksum(self, instance: CscInstance) -> str:
        """Of the road network."""
        return instance.network.road_checksum

    def simulation(self, batch: int) -> CscSimulation:
        """Room for ``batch`` copies."""
        ours = self.reward_strategy is REWARDS[self.settings.reward]
        credited = (self.settings.reward,) if ours else CREDITS  # a strategy of the caller's own may read any
        return CscSimulation(self.network, self.settings, batch, self.infos, credited)

    def observation_space(self) -> gymnasium.spaces.Box:
        """What one worker sees."""
        width = observation_layout(self.settings.max_candidates).width
        return gymnasium.spaces.Box(-1.0, 1.0, (width,), np.float32)

    def action_space(self) -> gymnasium.spaces.Discrete:
        """What one worker may do."""
        return gymnasium.spaces.Discrete(self.settings.max_candidates + 1)

    def state_space(self) -> gymnasium.spaces.Box:
        """Every worker and every created task in one row."""
        width = state_layout(self.settings.num_workers, self.settings.num_tasks).width
        return gymnasium.spaces.Box(-1.0, 1.0, (width,), np.float32)

    def metadata(self, simulation: CscSimulation) -> dict[str, Any]:
        """What policies may know: ``observation_layout`` and ``state_layout`` set by set, and ``rules``."""
        units, settings = simulation.scales.units(), self.settings
        state = state_layout(settings.num_workers, settings.num_tasks)
        return {
            "observation_layout": observation_layout(settings.max_candidates).in_units(units).describe(),
            "state_layout": state.in_units(units).describe(),
            "rules": {name: getattr(settings, name) for name in RULES},
        }

    def generate(self, seeds: InstanceSeeds) -> CscInstance:
        """A new instance of the generator's."""
        return self.generator.generate(seeds)

    def agent_arrays(self, simulation: CscSimulation) -> dict[str, NDArray[Any]]:
        """Masks, candidates, and what was asked for."""
        output = simulation.state.output
        return {ACTION_MASK: output.mask, "candidates": output.candidates, **simulation.asked}

    def turns(self, simulation: CscSimulation) -> CscTurns:
        """Workers that choose one after the other."""
        return CscTurns(simulation)

    def write_rewards(self, simulation: CscSimulation, rewards: NDArray[np.float64]) -> None:
        """The rewards of the strategy."""
        self.reward_strategy.write(simulation.state.output, rewards)

    def global_state(self, simulation: CscSimulation, b: int) -> NDArray[np.float32]:
        """Every worker and every created task of copy ``b`` in one row."""
        return global_state(simulation, b)

    def snapshot(self, simulation: CscSimulation, b: int) -> CscSnapshot:
        """The present moment of copy ``b``."""
        return CscSnapshot.of(simulation, b)

    def viewer(self, simulation: CscSimulation) -> Viewer:
        """What draws snapshots."""
        from crowdgym.envs.csc.viewer import CscViewer

        return CscViewer(
            self.network, f"{self.name} · {self.settings.scenario}", ground=ground_of(self.settings.dataset)
        )


def _checked_infos(infos: Sequence[InfoName]) -> tuple[InfoName, ...]:
    known = get_args(InfoName)
    if isinstance(infos, str) or not all(name in known for name in infos):
        raise ConfigError(f"infos must be a list of names out of {', '.join(known)}, got {infos!r}")
    return tuple(dict.fromkeys(infos))
