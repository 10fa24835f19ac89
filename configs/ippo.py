"""The hyperparameters of IPPO. Their defaults, and where each comes from, are in ``agents/ippo.yaml``."""

from typing import Annotated, Literal

from pydantic import Field

from crowdgym.configs.learning import NonNegative, Positive, RolloutSettings, Share, Whole


class IppoSettings(RolloutSettings):
    """All hyperparameters of IPPO, checked."""

    agent = "ippo"

    networks: Literal["shared", "centre"] = Field(
        description="shared or centre: one network for all agents, or one for those of each centre (preference_v0)"
    )
    epochs: Whole = Field(description="passes over the decisions of an iteration")
    minibatch_size: Whole = Field(description="approximate number of decisions in a step of the optimiser")
    learning_rate: Positive = Field(description="learning rate of Adam, for actor and critic")
    learning_rate_schedule: Literal["constant", "linear"] = Field(
        description="constant, or linear: falls to 0 over the run"
    )
    adam_epsilon: Positive = Field(description="epsilon of Adam")
    max_gradient_norm: Positive = Field(description="largest norm of a gradient; longer gradients are scaled down")
    discount: Share = Field(description="discount gamma for each step of the environment")
    gae_lambda: Share = Field(description="lambda of generalised advantage estimation, for each decision")
    clip: Positive = Field(description="largest distance of the ratio of probabilities from 1")
    entropy_coefficient: NonNegative = Field(description="weight of the policy's entropy in the loss")
    team_share: Share = Field(description="share of an agent's reward that is the mean of all agents' rewards")
    value_memory: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = Field(
        description="share of the value normaliser that is kept from one iteration to the next"
    )

    @property
    def length_matters(self) -> bool:
        """The length of the run matters if the learning rate falls over it."""
        return self.learning_rate_schedule != "constant"


class TurnIppoSettings(IppoSettings):
    """IPPO whose agents choose one after the other within an epoch."""

    agent = "turn-ippo"
