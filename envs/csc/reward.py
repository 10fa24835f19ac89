"""How the revenue of an interval becomes rewards. A strategy of your own is any object with ``name`` and ``write``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.csc import RewardName
from crowdgym.envs.csc.kernel.state import StepOutput


class RewardStrategy(Protocol):
    """Turns what an interval made into a reward for every worker."""

    name: str

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """Write the rewards of the interval into ``rewards``, shape [B, W]."""


class ContributionReward:
    """The payment of a finished task, split among its workers by worker-seconds. Sums to the revenue."""

    name = "contribution"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In currency."""
        rewards[:] = output.share


class TeamReward:
    """The revenue of the interval divided by the number of workers, the same for all of them."""

    name = "team"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In currency."""
        rewards[:] = (output.revenue / rewards.shape[1])[:, np.newaxis]


class IndividualReward:
    """The remaining working time of the task just taken, to who took it (the paper's baseline IR, section 5.1).

    The paper says no more than "the remaining task working time". Read here as the task's work left at the epoch
    divided by the workers present or on their way, this epoch's joiners included.
    """

    name = "individual"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In seconds."""
        rewards[:] = output.remaining_s


REWARDS: dict[RewardName, RewardStrategy] = {
    "contribution": ContributionReward(),
    "team": TeamReward(),
    "individual": IndividualReward(),
}
