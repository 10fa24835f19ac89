"""The hyperparameters of learners that estimate the influence of an action. Defaults are in ``agents/influence.yaml``.

"CAFE" is its paper (IJCAI 2025).
"""

from typing import Annotated

from pydantic import Field

from crowdgym.configs.ippo import IppoSettings
from crowdgym.configs.learning import NonNegative, Positive, Whole, Width


class InfluenceSettings(IppoSettings):
    """Hyperparameters of a learner with the variational autoencoder of `crowdgym.agents.cafe.influence`."""

    team_share: Annotated[float, Field(ge=0, le=0)] = Field(description="must be 0: the learner makes its own reward")
    latents: Width = Field(description="numbers in the latent variable z of the autoencoder")
    kl_weight: NonNegative = Field(description="weight beta of the KL divergence in the loss of the autoencoder")
    largest_influence: Positive = Field(description="an influence is cut off here")
    encoder_learning_rate: Positive = Field(description="learning rate of Adam for the autoencoder")
    encoder_minibatch_size: Whole = Field(description="approximate number of decisions in a step of that optimiser")
    encoder_passes: Whole = Field(description="passes of the autoencoder over the decisions of an iteration")
    encoder_first_passes: Whole = Field(description="passes in its first iteration, before it is used")
    target_memory: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = Field(
        description="share of the scale of targets and of terms that is kept from one iteration to the next"
    )
