"""The smallest environment there can be: a simulation in plain NumPy, its definition, and three docstrings.

Three sellers have 3 units each. Action i sells i units (0 to 2) at the seller's price times a discount, which is an
option of `reset`; who has fewer left sells nothing, and that counts as illegal. An episode has three steps.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.common.layout import ObservationLayout
from crowdgym.envs.api.definition import EnvironmentDefinition
from crowdgym.envs.api.dispatcher_env import BaseDispatcherEnv
from crowdgym.envs.api.parallel_env import BaseParallelEnv, RenderMode
from crowdgym.envs.api.vector_env import BaseVectorEnv
from crowdgym.envs.core.seeding import InstanceSeeds

SELLERS, UNITS, STEPS = 3, 3, 3
Prices = NDArray[np.float64]  # [SELLERS]


@dataclass(frozen=True)
class MarketMetrics:
    revenue: float
    illegal: int
    units_sold: NDArray[np.int64]  # [SELLERS]


class MarketSimulation:
    def __init__(self, batch: int) -> None:
        shape = batch, SELLERS
        self.observations = np.zeros((*shape, 3), np.float32)  # units left of 3, time of 3, price of 100
        self.mask = np.zeros((*shape, 3), np.int8)
        self.left = np.zeros(shape, np.int64)
        self.just_sold = np.zeros(shape, np.int64)
        self.offer = np.zeros((*shape, 2))  # price, discount
        self.revenue, self.illegal = np.zeros(batch), np.zeros(batch, np.int64)
        self.time = np.zeros(batch, np.int64)

    def use_fresh_observations(self) -> None:
        self.observations = np.empty_like(self.observations)

    def reset_copy(self, b: int, instance: Prices, /, discount: float = 1.0) -> None:
        self.left[b], self.just_sold[b], self.time[b] = UNITS, 0, 0
        self.revenue[b], self.illegal[b] = 0.0, 0
        self.offer[b, :, 0], self.offer[b, :, 1] = instance, discount
        self._look(np.array([b]))

    def step(self, actions: NDArray[np.int64], copies: NDArray[np.int64] | None = None, /) -> None:
        chosen = np.arange(len(self.time)) if copies is None else copies
        wanted = actions[chosen]
        sold = np.where(wanted <= self.left[chosen], wanted, 0)
        self.left[chosen] -= sold
        self.just_sold[chosen] = sold
        self.revenue[chosen] += (sold * self.offer[chosen].prod(axis=2)).sum(axis=1)
        self.illegal[chosen] += (sold != wanted).sum(axis=1)
        self.time[chosen] += 1
        self._look(chosen)

    def is_over(self) -> NDArray[np.bool_]:
        return self.time >= STEPS

    def metrics(self, b: int, /) -> MarketMetrics:
        return MarketMetrics(float(self.revenue[b]), int(self.illegal[b]), UNITS - self.left[b])

    def _look(self, copies: NDArray[np.int64]) -> None:
        self.mask[copies] = np.arange(3) <= self.left[copies][:, :, np.newaxis]
        self.observations[copies, :, 0] = self.left[copies] / UNITS
        self.observations[copies, :, 1] = (self.time[copies] / STEPS)[:, np.newaxis]
        self.observations[copies, :, 2] = self.offer[copies, :, 0] / 100


def checked_discount(value: object) -> float:
    if not isinstance(value, float) or not 0 < value <= 1:
        raise ConfigError(f"the option 'discount' must be a number above 0, at most 1, got {value!r}")
    return value


@dataclass(frozen=True)
class MarketSettings:
    strict: bool = False


class MarketViewer:
    closed = 0

    def draw(self, snapshot: Any, /) -> NDArray[np.uint8]:
        return np.full((2, 2, 3), snapshot["left"].sum(), np.uint8)

    def show(self, frame: NDArray[np.uint8], /) -> None: ...

    def close(self) -> None:
        MarketViewer.closed += 1


@dataclass(frozen=True)
class MarketDefinition(EnvironmentDefinition[MarketSimulation, Prices]):
    name: ClassVar[str] = "market_v0"
    reset_options: ClassVar[Any] = {"discount": checked_discount}

    settings: MarketSettings
    prices: tuple[float, ...] | None  # or drawn

    agents = tuple(f"seller_{i}" for i in range(SELLERS))  # type: ignore[assignment]
    is_reproducible = True  # type: ignore[assignment]

    def simulation(self, batch: int) -> MarketSimulation:
        return MarketSimulation(batch)

    def observation_space(self) -> gymnasium.spaces.Box:
        return gymnasium.spaces.Box(0.0, 1.0, (3,), np.float32)

    def action_space(self) -> gymnasium.spaces.Discrete:
        return gymnasium.spaces.Discrete(3)

    def state_space(self) -> gymnasium.spaces.Box:
        return gymnasium.spaces.Box(0.0, 1.0, (SELLERS,), np.float32)

    def metadata(self, simulation: MarketSimulation) -> dict[str, Any]:
        layout = ObservationLayout.of([("self", 1, ("left", "elapsed", "price"))])
        return {"observation_layout": layout.describe(), "currency": "shells"}

    def generate(self, seeds: InstanceSeeds) -> Prices:
        return np.array(self.prices or seeds.tasks.integers(1, 100, SELLERS), np.float64)

    def begin(self, simulation: MarketSimulation, b: int, instance: Prices, options: Any) -> None:
        simulation.reset_copy(b, instance, **options)

    def agent_arrays(self, simulation: MarketSimulation) -> dict[str, NDArray[Any]]:
        return {"action_mask": simulation.mask, "sold": simulation.just_sold, "offer": simulation.offer}

    def write_rewards(self, simulation: MarketSimulation, rewards: NDArray[np.float64]) -> None:
        rewards[:] = simulation.just_sold * simulation.offer.prod(axis=2)

    def global_state(self, simulation: MarketSimulation, b: int) -> NDArray[np.float32]:
        return (simulation.left[b] / UNITS).astype(np.float32)

    def snapshot(self, simulation: MarketSimulation, b: int) -> dict[str, NDArray[Any]]:
        return {"left": simulation.left[b].copy()}

    def viewer(self, simulation: MarketSimulation) -> MarketViewer:
        return MarketViewer()


class MarketEnv(BaseParallelEnv[Prices, dict[str, NDArray[Any]], MarketMetrics]):
    """Three sellers."""

    def __init__(
        self, *, strict: bool = False, prices: tuple[float, ...] | None = None, render_mode: RenderMode | None = None
    ) -> None:
        super().__init__(MarketDefinition(MarketSettings(strict), prices), render_mode)


class MarketVectorEnv(BaseVectorEnv):
    """Three sellers, many times."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        num_threads: int = 1,
        copy: bool = True,
        autoreset_mode: Any = "NextStep",
        strict: bool = False,
        prices: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__(MarketDefinition(MarketSettings(strict), prices), num_envs, num_threads, copy, autoreset_mode)


class MarketDispatcherEnv(BaseDispatcherEnv):
    """Three sellers, one head."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(MarketEnv(**keywords))
