"""How the answers of a step become rewards. A strategy of your own is any object with ``name`` and ``write``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.preference import RewardName
from crowdgym.envs.preference.kernel.state import Outcome, StepOutput


class RewardStrategy(Protocol):
    """Turns what became of a step's offers into a reward for every worker."""

    name: str

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """Write the rewards of the step into ``rewards``, shape [B, W]."""


class AcceptedReward:
    """1 for a worker that accepted a task. Sums to the number of assigned tasks, the paper's objective."""

    name = "accepted"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In tasks."""
        rewards[:] = output.outcome == Outcome.ACCEPTED


class TeamReward:
    """The number of tasks accepted in the step divided by the number of workers, the same for all workers."""

    name = "team"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. In tasks."""
        rewards[:] = (output.outcome == Outcome.ACCEPTED).mean(axis=1, keepdims=True)


class PreferenceReward:
    """The true preference of a worker for the category of the task that it accepted.

    This is hidden truth: an agent that is trained with it learns from what no centre can observe.
    """

    name = "preference"

    def write(self, output: StepOutput, rewards: NDArray[np.float64]) -> None:
        """See `RewardStrategy`. A probability."""
        rewards[:] = output.preference


REWARDS: dict[RewardName, RewardStrategy] = {
    "accepted": AcceptedReward(),
    "team": TeamReward(),
    "preference": PreferenceReward(),
}
