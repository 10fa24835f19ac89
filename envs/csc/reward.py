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


class MarginalReward:
    """What a join adds to the projected payment of its task, at once. Sums to the revenue.

    P(C) is the payment of a task if no worker joins its coalition C any more. Who joins earns P(C ∪ w) − P(C); those
    who join at the same moment count in the order of workers. The first of a pair that is worth nothing alone earns
    nothing.
    """

    name = "marginal"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In currency."""
        rewards[:] = output.marginal


class DifferenceReward:
    """The payment of a finished task less what it would have been without the worker, all other arrivals kept.

    Paid when the task finishes, to each worker present: at the join it can't be known who joins later. It charges a
    worker that was not needed, and pays both of a pair in full, so it does not sum to the revenue.
    """

    name = "difference"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In currency."""
        rewards[:] = output.difference


REWARDS: dict[RewardName, RewardStrategy] = {
    "contribution": ContributionReward(),
    "team": TeamReward(),
    "individual": IndividualReward(),
    "marginal": MarginalReward(),
    "difference": DifferenceReward(),
}
