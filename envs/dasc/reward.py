"""How an interval becomes rewards. A strategy of your own is any object with ``name`` and ``write``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.dasc import DascRewardName
from crowdgym.envs.dasc.kernel.state import StepOutput


class RewardStrategy(Protocol):
    """Turns what an interval made into a reward for every slot."""

    name: str

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """Write the rewards of the interval into ``rewards``, shape [B, S]."""


class SparseReward:
    """The payment of a finished task, in equal parts to its subtasks. Sums to the revenue."""

    name = "sparse"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In currency."""
        rewards[:] = output.sparse


class ShapedReward:
    """At the match: the subtask's share of the payment as far as its finish tells, less the cost of the trip.

    A request that found no worker, or that the rules do not let through, costs a little.
    """

    name = "shaped"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In currency."""
        rewards[:] = output.shaped


class TeamReward:
    """The revenue of the interval divided by the number of slots live as it began, the same for each of them.

    A slot that keeps its task open is paid more often: for learning, `SharedReward` is better.
    """

    name = "team"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In currency."""
        live = np.maximum(output.was_live.sum(axis=1), 1)
        rewards[:] = output.was_live * (output.revenue / live)[:, np.newaxis]


class SharedReward:
    """The revenue of the interval divided by the number of slots: the same for every slot, live or not.

    So no action changes a slot's part of the revenue, and what is best for one is best for all.
    """

    name = "shared"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In currency."""
        rewards[:] = (output.revenue / rewards.shape[1])[:, np.newaxis]


REWARDS: dict[DascRewardName, RewardStrategy] = {
    "sparse": SparseReward(),
    "shaped": ShapedReward(),
    "team": TeamReward(),
    "shared": SharedReward(),
}
