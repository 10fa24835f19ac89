"""What every interface of sensing is made of: checked settings, a series, a generator, an inference, a reward."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from crowdgym.common.layout import ObservationLayout
from crowdgym.configs.sensing import SensingSettings
from crowdgym.data.registry import load_series
from crowdgym.data.sensing import SensingSeries
from crowdgym.envs.api.definition import EnvironmentDefinition, Viewer, require_method
from crowdgym.envs.core.scenario_data import data_of
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.sensing.agent_modes import AGENT_MODES, AgentMode
from crowdgym.envs.sensing.generator import (
    InstanceGenerator,
    SeriesGenerator,
    chosen_attributes,
    chosen_cycles,
    scale_of,
)
from crowdgym.envs.sensing.inference import InferenceStrategy, NearestInference
from crowdgym.envs.sensing.instance import SensingInstance
from crowdgym.envs.sensing.kernel.observation import (
    Sight,
    as_places,
    global_state,
    state_layout,
    units_of,
)
from crowdgym.envs.sensing.kernel.simulation import SensingSimulation
from crowdgym.envs.sensing.kernel.state import World
from crowdgym.envs.sensing.reward import REWARDS, RewardStrategy
from crowdgym.envs.sensing.snapshot import SensingSnapshot


@dataclass(frozen=True)
class SensingDefinition(EnvironmentDefinition[SensingSimulation, SensingInstance]):
    """The definition of one ``sensing_v0``, whatever its interface."""

    name: ClassVar[str] = SensingSettings.environment

    settings: SensingSettings
    series: SensingSeries
    world: World
    mode: AgentMode
    cycles: int
    generator: InstanceGenerator
    inference: InferenceStrategy
    reward_strategy: RewardStrategy
    all_ours: bool

    @classmethod
    def of(
        cls,
        keywords: Mapping[str, object],
        generator: InstanceGenerator | None,
        inference_strategy: InferenceStrategy | None,
        reward_strategy: RewardStrategy | None,
    ) -> "SensingDefinition":
        """Check the keywords and find everything.

        Raises:
            ConfigError: a keyword that does not exist or has a value that cannot be used.
            DataError: the scenario does not exist, or its files cannot be read.
        """
        require_method("generator", generator, "generate")
        require_method("inference_strategy", inference_strategy, "infer")
        require_method("reward_strategy", reward_strategy, "write")
        settings = SensingSettings.load(**keywords)
        series = data_of(settings, load_series)
        ours = SeriesGenerator(series, settings)  # also checks what settings and series have to do with each other
        attributes = chosen_attributes(series, settings)
        return cls(
            settings=settings,
            series=series,
            world=World.of(series.x_km, series.y_km, scale_of(series, settings)),
            mode=AGENT_MODES[settings.agents](
                series.num_cells, settings.num_participants, attributes, scores=settings.scores
            ),
            cycles=len(chosen_cycles(series, settings)),
            generator=generator or ours,
            inference=inference_strategy or inference_of(settings),
            reward_strategy=reward_strategy or REWARDS[settings.reward](settings.cost_weight),
            all_ours=generator is None and inference_strategy is None and reward_strategy is None,
        )

    @property
    def agents(self) -> tuple[str, ...]:
        """Cells or participants, by number."""
        return self.mode.agents

    @property
    def is_reproducible(self) -> bool:
        """Whether the settings and a seed fix the episodes: neither generator nor strategy is the caller's own."""
        return self.all_ours

    def simulation(self, batch: int) -> SensingSimulation:
        """Room for ``batch`` copies."""
        return SensingSimulation(
            self.world,
            self.mode,
            self.inference,
            cycles=self.cycles,
            batch=batch,
            needs_gains=self.reward_strategy.needs_gains,
        )

    def observation_space(self) -> gymnasium.spaces.Box:
        """What one agent sees."""
        width = self.mode.layout(Sight.of(self.world)).width
        return gymnasium.spaces.Box(-1.0, 1.0, (width,), np.float32)

    def action_space(self) -> gymnasium.spaces.Discrete:
        """What one agent may do."""
        return gymnasium.spaces.Discrete(self.mode.num_actions)

    def state_space(self) -> gymnasium.spaces.Box:
        """Every cell and every participant in one row."""
        width = self._state_layout().width
        return gymnasium.spaces.Box(-1.0, 1.0, (width,), np.float32)

    def _state_layout(self) -> ObservationLayout:
        return state_layout(self.mode.cells, self.mode.participants, self.mode.cell_features)

    def metadata(self, simulation: SensingSimulation) -> dict[str, Any]:
        """``observation_layout`` and ``state_layout`` set by set; where the cells are; what is measured."""
        sight, mode = simulation.sight, self.mode
        units = units_of(mode.attributes, sight, mode.participants, self.cycles)
        return {
            "observation_layout": mode.layout(sight).in_units(units).describe(),
            "state_layout": self._state_layout().in_units(units).describe(),
            "coordinates": as_places(self.world),
            "attributes": self.mode.attributes,
            "cell_names": self.series.cells,
        }

    def generate(self, seeds: InstanceSeeds) -> SensingInstance:
        """A new instance of the generator's."""
        return self.generator.generate(seeds)

    def agent_arrays(self, simulation: SensingSimulation) -> dict[str, NDArray[Any]]:
        """Masks, candidates, and what is known of the agent's cell."""
        return simulation.agent_arrays()

    def write_rewards(self, simulation: SensingSimulation, rewards: NDArray[np.float64]) -> None:
        """The rewards of the strategy."""
        self.reward_strategy.write(simulation.state.outcome, rewards)

    def global_state(self, simulation: SensingSimulation, b: int) -> NDArray[np.float32]:
        """Every cell and every participant of copy ``b`` in one row."""
        return global_state(simulation.sight, simulation.state, b)

    def snapshot(self, simulation: SensingSimulation, b: int) -> SensingSnapshot:
        """The present moment of copy ``b``."""
        return SensingSnapshot.of(simulation, b)

    def viewer(self, simulation: SensingSimulation) -> Viewer:
        """What draws snapshots."""
        from crowdgym.envs.sensing.viewer import SensingViewer

        measured = ", ".join(self.mode.attributes)
        subtitle = f"{self.series.num_cells} cells, {self.settings.num_participants} participants; {measured}"
        return SensingViewer(self.series, f"{self.name} · {self.settings.scenario}", subtitle)


def inference_of(settings: SensingSettings) -> InferenceStrategy:
    """The strategy that the settings name."""
    if settings.inference == "knn":
        return NearestInference("knn", settings.knn_neighbours, 0.0)
    if settings.inference == "idw":
        return NearestInference("idw", settings.idw_neighbours, settings.idw_power)
    from crowdgym.envs.sensing.svr import SvrInference

    return SvrInference(settings.svr_c, settings.svr_epsilon)
