"""What every interface of `preference_v0` is made of: checked settings, a generator, a reward, spaces and metadata."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.preference import PreferenceSettings
from crowdgym.data.ground import ground_of
from crowdgym.data.histories import HistoryBook
from crowdgym.data.histories.synthetic import centres_of
from crowdgym.data.registry import load_dataset
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.api.definition import ACTION_MASK, EnvironmentDefinition, Viewer, require_method
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.preference.generator import InstanceGenerator, PopulationGenerator
from crowdgym.envs.preference.global_state import global_state, state_layout
from crowdgym.envs.preference.instance import PreferenceInstance
from crowdgym.envs.preference.kernel.observation import observation_layout
from crowdgym.envs.preference.kernel.simulation import PreferenceSimulation
from crowdgym.envs.preference.reward import REWARDS, RewardStrategy
from crowdgym.envs.preference.snapshot import PreferenceSnapshot

# The settings that every platform knows of itself: ``metadata["rules"]``, for policies that reckon with them.
RULES = (
    *("step_s", "horizon_s", "speed_mps", "range_m", "service_s", "decline_cooldown_s", "max_offers"),
    *("acceptance", "acceptance_min", "acceptance_max", "acceptance_exponent"),
)


@dataclass(frozen=True)
class PreferenceDefinition(EnvironmentDefinition[PreferenceSimulation, PreferenceInstance]):
    """The definition of one ``preference_v0``, whatever its interface."""

    name: ClassVar[str] = PreferenceSettings.environment
    other_data: ClassVar[str] = "another road network"

    settings: PreferenceSettings
    network: RoadNetwork
    generator: InstanceGenerator
    reward_strategy: RewardStrategy

    @classmethod
    def of(
        cls,
        keywords: Mapping[str, object],
        generator: InstanceGenerator | None,
        reward_strategy: RewardStrategy | None,
    ) -> "PreferenceDefinition":
        """Check the keywords and find everything.

        Raises:
            ConfigError: a keyword that does not exist or has a value that cannot be used.
            DataError: the scenario does not exist, or its files cannot be read.
        """
        require_method("generator", generator, "generate")
        require_method("reward_strategy", reward_strategy, "write")
        settings = PreferenceSettings.load(**keywords)
        dataset = load_dataset(settings.dataset)
        return cls(
            settings=settings,
            network=dataset.network,
            generator=generator or PopulationGenerator(dataset, settings),
            reward_strategy=reward_strategy or REWARDS[settings.reward],
        )

    @property
    def histories(self) -> HistoryBook:
        """What the centres have on file about their workers, centre by centre."""
        return self.generator.histories

    @property
    def agents(self) -> tuple[str, ...]:
        """The workers, by number."""
        return tuple(f"worker_{w}" for w in range(self.settings.num_workers))

    @property
    def is_reproducible(self) -> bool:
        """Whether settings and seed fix the episodes: neither generator nor reward strategy is the caller's own."""
        ours = REWARDS[self.settings.reward]
        return self.reward_strategy is ours and type(self.generator) is PopulationGenerator

    def data_checksum(self, instance: PreferenceInstance) -> str:
        """Of the road network."""
        return instance.network.road_checksum

    def simulation(self, batch: int) -> PreferenceSimulation:
        """Room for ``batch`` copies."""
        return PreferenceSimulation(self.network, self.settings, batch)

    def observation_space(self) -> gymnasium.spaces.Box:
        """What the agent of one worker sees."""
        width = observation_layout(self.settings.max_candidates).width
        return gymnasium.spaces.Box(-1.0, 1.0, (width,), np.float32)

    def action_space(self) -> gymnasium.spaces.Discrete:
        """What one worker may be offered."""
        return gymnasium.spaces.Discrete(self.settings.max_candidates + 1)

    def state_space(self) -> gymnasium.spaces.Box:
        """Every worker and every created task in one row."""
        width = state_layout(self.settings.num_workers, self.settings.num_tasks).width
        return gymnasium.spaces.Box(-1.0, 1.0, (width,), np.float32)

    def metadata(self, simulation: PreferenceSimulation) -> dict[str, Any]:
        """What policies may know.

        Both layouts set by set; ``rules``; ``centre_of``, the centre of each worker; and ``population``, a fingerprint
        by which a trained agent knows whether the workers are those whose preferences it has learnt.
        """
        units, settings = simulation.scales.units(), self.settings
        state = state_layout(settings.num_workers, settings.num_tasks)
        return {
            "observation_layout": observation_layout(settings.max_candidates).in_units(units).describe(),
            "state_layout": state.in_units(units).describe(),
            "rules": {name: getattr(settings, name) for name in RULES},
            "centre_of": centres_of(settings.num_workers, settings.num_centres),
            "population": self.histories.digest,
        }

    def generate(self, seeds: InstanceSeeds) -> PreferenceInstance:
        """A new instance of the generator's."""
        return self.generator.generate(seeds)

    def agent_arrays(self, simulation: PreferenceSimulation) -> dict[str, NDArray[Any]]:
        """Masks, candidates, what came of the latest action, and centres."""
        output = simulation.state.output
        return {
            ACTION_MASK: output.mask,
            "candidates": output.candidates,
            "outcome": output.outcome,
            "centre": simulation.state.workers.centre,
        }

    def write_rewards(self, simulation: PreferenceSimulation, rewards: NDArray[np.float64]) -> None:
        """The rewards of the strategy."""
        self.reward_strategy.write(simulation.state.output, rewards)

    def global_state(self, simulation: PreferenceSimulation, b: int) -> NDArray[np.float32]:
        """Places and statuses of all workers and created tasks of copy ``b`` in one row."""
        return global_state(simulation, b)

    def snapshot(self, simulation: PreferenceSimulation, b: int) -> PreferenceSnapshot:
        """The present moment of copy ``b``."""
        return PreferenceSnapshot.of(simulation, b)

    def viewer(self, simulation: PreferenceSimulation) -> Viewer:
        """What draws snapshots."""
        from crowdgym.envs.preference.viewer import PreferenceViewer

        return PreferenceViewer(
            self.network, f"{self.name} · {self.settings.scenario}", ground=ground_of(self.settings.dataset)
        )
