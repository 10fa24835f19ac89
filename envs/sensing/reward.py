"""How the error and cost of a cycle become rewards. A strategy of your own is any object like those below."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.sensing import RewardName
from crowdgym.envs.sensing.kernel.state import Outcome


class RewardStrategy(Protocol):
    """Turns the error and cost of a cycle into a reward for every agent.

    Attributes:
        name: of the strategy.
        needs_gains: whether ``outcome.gain`` has to be worked out, which takes longer than all else.
    """

    name: str
    needs_gains: bool

    def write(self, outcome: Outcome, rewards: NDArray[np.float64]) -> None:
        """Write the rewards of the cycle into ``rewards``, shape [B, N]."""


class SharedReward:
    """Minus the normalised error of the cycle minus λ times its cost in km, in equal parts for all agents."""

    name = "shared"
    needs_gains = False

    def __init__(self, cost_weight: float) -> None:
        self._cost_weight = cost_weight

    def write(self, outcome: Outcome, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`."""
        total = -outcome.error - self._cost_weight * outcome.cost_km
        rewards[:] = (total / rewards.shape[1])[:, np.newaxis]


class MarginalReward:
    """By how much the error would be larger without what an agent sensed, minus λ times the cost it caused in km."""

    name = "marginal"
    needs_gains = True

    def __init__(self, cost_weight: float) -> None:
        self._cost_weight = cost_weight

    def write(self, outcome: Outcome, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`."""
        rewards[:] = outcome.gain - self._cost_weight * outcome.caused_km


REWARDS: dict[RewardName, Callable[[float], RewardStrategy]] = {"shared": SharedReward, "marginal": MarginalReward}
