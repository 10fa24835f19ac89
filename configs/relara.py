"""The hyperparameters of ReLara. Their defaults, and where each comes from, are in ``agents/relara.yaml``."""

from typing import Annotated

from pydantic import Field

from crowdgym.configs.ippo import IppoSettings
from crowdgym.configs.learning import NonNegative, Positive, Share, Whole


class RelaraSettings(IppoSettings):
    """All hyperparameters of ReLara, checked."""

    agent = "relara"

    team_share: Annotated[float, Field(ge=0, le=0)] = Field(description="must be 0: the learner makes its own reward")
    reward_weight: NonNegative = Field(description="weight of the reward agent's reward in the policy's")
    reward_actor_learning_rate: Positive = Field(description="learning rate of Adam for the reward agent's actor")
    reward_critic_learning_rate: Positive = Field(description="learning rate of Adam for its critics and temperature")
    reward_updates: Whole = Field(description="steps of soft actor-critic in each iteration")
    reward_batch_size: Whole = Field(description="decisions in such a step")
    reward_target_entropy: Annotated[float, Field(ge=-10, le=10)] = Field(description="entropy that its policy keeps")
    reward_target_rate: Share = Field(description="tau: share of the critics that enters their slow copies at a step")
