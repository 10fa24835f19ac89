"""The two rewards of RMO: sparse, for the target policy, and shaped, for the auxiliary policy."""

from collections.abc import Mapping

from crowdgym.agents.learning.rewards import FixedReward, shared_reward
from crowdgym.agents.learning.rollout import Floats, Rollout


class SparseAndShaped(FixedReward):
    """Two terms, read from the infos whatever the reward of the environment is.

    Args:
        team_share: τ, the share of a slot's sparse reward that is the mean of all slots of the copy.
    """

    name = "sparse_and_shaped"
    signals: tuple[str, ...] = ("reward_sparse", "reward_shaped", "match_utility")

    def __init__(self, team_share: float) -> None:
        self.team_share = team_share

    @property
    def term_names(self) -> tuple[str, ...]:
        """In this order."""
        return ("sparse", "shaped")

    def terms(self, rollout: Rollout) -> Mapping[str, Floats]:
        """See `crowdgym.agents.learning.rewards.RewardSource`."""
        sparse = shared_reward(rollout, rollout.after_step("reward_sparse"), self.team_share)
        return {"sparse": sparse, "shaped": rollout.after_step("reward_shaped")}
