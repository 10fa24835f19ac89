"""What every face of CSC is put together from: checked settings, a generator, a reward, spaces and metadata."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from crowdgym.configs.csc import CscSettings
from crowdgym.configs.errors import ConfigError
from crowdgym.data.registry import load_dataset
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.csc.generator import InstanceGenerator, OrderStreamGenerator
from crowdgym.envs.csc.observation import observation_slices
from crowdgym.envs.csc.reward import REWARDS, RewardStrategy
from crowdgym.envs.csc.simulation import CscSimulation


@dataclass(frozen=True)
class CscParts:
    """The parts of one environment, whatever its interface."""

    settings: CscSettings
    network: RoadNetwork
    generator: InstanceGenerator
    reward_strategy: RewardStrategy

    @classmethod
    def of(
        cls,
        keywords: Mapping[str, object],
        generator: InstanceGenerator | None,
        reward_strategy: RewardStrategy | None,
    ) -> "CscParts":
        """Check the keywords and find everything.

        Raises:
            ConfigError: a keyword that does not exist or has a value that cannot be used.
            DataError: the scenario does not exist, or its files cannot be read.
        """
        for name, part, method in (
            ("generator", generator, "generate"),
            ("reward_strategy", reward_strategy, "write"),
        ):
            if part is not None and not callable(getattr(part, method, None)):
                raise ConfigError(f"{name} must be an object with a method {method!r}, got {part!r}")
        settings = CscSettings.load(**keywords)
        dataset = load_dataset(settings.dataset)
        return cls(
            settings=settings,
            network=dataset.network,
            generator=generator or OrderStreamGenerator(dataset, settings),
            reward_strategy=reward_strategy or REWARDS[settings.reward],
        )

    @property
    def is_reproducible(self) -> bool:
        """Whether the settings and a seed are all it takes: no generator or reward strategy of somebody's own."""
        ours = REWARDS[self.settings.reward]
        return self.reward_strategy is ours and type(self.generator) is OrderStreamGenerator

    def simulation(self, batch: int) -> CscSimulation:
        """Room for ``batch`` copies."""
        return CscSimulation(self.network, self.settings, batch)

    def observation_space(self) -> gymnasium.spaces.Box:
        """What one worker sees."""
        width = observation_slices(self.settings.max_candidates)[-1].stop
        return gymnasium.spaces.Box(-1.0, 1.0, (width,), np.float32)

    def action_space(self) -> gymnasium.spaces.Discrete:
        """What one worker may do."""
        return gymnasium.spaces.Discrete(self.settings.max_candidates + 1)

    def observation_layout(self, simulation: CscSimulation) -> dict[str, Any]:
        """Every set of the observation, for ``metadata["observation_layout"]``."""
        units = simulation.scales.units()
        return {part.name: part.describe(units) for part in observation_slices(self.settings.max_candidates)}
