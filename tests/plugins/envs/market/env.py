"""``market_v0``: the market of `worlds.toy_market`, with settings, a state for traces, a bound and a checker."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from worlds.toy_market import SELLERS, UNITS, MarketDefinition, MarketMetrics, MarketSimulation, MarketViewer, Prices

from crowdgym.configs.loading import Settings, load_settings
from crowdgym.envs.api.aec import aec_forms
from crowdgym.envs.api.dispatcher_env import BaseDispatcherEnv
from crowdgym.envs.api.parallel_env import BaseParallelEnv
from crowdgym.envs.api.vector_env import BaseVectorEnv
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.traces import Trace


class MarketSettings(Settings):
    environment = "market_v0"

    scenario: str = Field("corner", description="the market")
    strict: bool = Field(False, description="raise at a masked action")
    highest_price: int = Field(100, ge=2, description="above every price, currency")

    @classmethod
    def load(cls, **keywords: object) -> "MarketSettings":
        return load_settings(cls, keywords)


@dataclass(frozen=True)
class MarketSnapshot:
    left: NDArray[np.int64]  # [SELLERS]
    metrics: MarketMetrics


class SettledViewer(MarketViewer):
    def draw(self, snapshot: Any, /) -> NDArray[np.uint8]:
        return np.full((2, 2, 3), snapshot.left.sum(), np.uint8)


@dataclass(frozen=True)
class SettledDefinition(MarketDefinition):
    settings: MarketSettings  # type: ignore[assignment]
    prices: None = None
    name: ClassVar[str] = MarketSettings.environment

    def generate(self, seeds: InstanceSeeds) -> Prices:
        return seeds.tasks.integers(1, self.settings.highest_price, SELLERS).astype(np.float64)

    def data_checksum(self, instance: Prices) -> str:
        return "none"

    def agent_arrays(self, simulation: MarketSimulation) -> dict[str, NDArray[Any]]:
        arrays = super().agent_arrays(simulation)
        return arrays | {"candidates": np.tile(np.arange(1, 3, dtype=np.int32), (*simulation.left.shape, 1))}

    def snapshot(self, simulation: MarketSimulation, b: int) -> Any:
        return MarketSnapshot(simulation.left[b].copy(), simulation.metrics(b))

    def viewer(self, simulation: MarketSimulation) -> MarketViewer:
        return SettledViewer()


class MarketEnv(BaseParallelEnv[Prices, Any, MarketMetrics]):
    """A market."""

    def __init__(self, *, render_mode: Any = None, **keywords: Any) -> None:
        super().__init__(SettledDefinition(MarketSettings.load(**keywords)), render_mode)


class MarketVectorEnv(BaseVectorEnv):
    """Markets."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        num_threads: int = 1,
        copy: bool = True,
        autoreset_mode: Any = "NextStep",
        **keywords: Any,
    ) -> None:
        definition = SettledDefinition(MarketSettings.load(**keywords))
        super().__init__(definition, num_envs, num_threads, copy, autoreset_mode)


class MarketDispatcherEnv(BaseDispatcherEnv):
    """A market with one head."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(MarketEnv(**keywords))


parallel_env, vector_env, dispatcher_env = MarketEnv, MarketVectorEnv, MarketDispatcherEnv
env, raw_env = aec_forms(parallel_env, __name__)


def revenue_bound(instance: Prices, settings: MarketSettings) -> float:
    """All units sold."""
    return float(UNITS * instance.sum())


@dataclass(frozen=True)
class Oversold:
    message: str


def broken_rules(trace: Trace, env: MarketEnv) -> list[Oversold]:
    """No seller sells more than it has."""
    return [Oversold("a seller has less than nothing")] if (trace.values["left"] < 0).any() else []
