"""The hyperparameters of IPPO. Their defaults, and where each comes from, are in ``agents/ippo.yaml``."""

from typing import Annotated, Literal

from pydantic import Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.loading import AgentSettings, load_agent_settings

Width = Annotated[int, Field(ge=1, le=4096)]
Whole = Annotated[int, Field(ge=1, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class IppoSettings(AgentSettings):
    """Everything that makes one learner, checked."""

    agent = "ippo"

    network: Literal["attention", "mlp"]
    action_set: str | None  # the set of the observation whose rows are what the actions but the first choose
    embedding: Width  # D, numbers of a row behind its embedding
    heads: Annotated[int, Field(ge=1, le=64)]
    hidden: Width  # of the MLP

    num_envs: Whole  # copies of the environment, one episode of each an iteration
    epochs: Whole  # passes over the decisions of an iteration
    minibatch_size: Whole  # decisions
    learning_rate: Positive
    learning_rate_schedule: Literal["constant", "linear"]
    adam_epsilon: Positive
    max_gradient_norm: Positive
    discount: Share  # gamma, of a step of the environment
    gae_lambda: Share  # of a decision
    clip: Positive  # of the probability ratio
    entropy_coefficient: NonNegative
    team_share: Share  # of the mean reward of all agents in what an agent learns from
    value_memory: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]  # of the normaliser, from one iteration on

    play: Literal["likeliest", "sampled"]  # what a trained policy does with its probabilities
    evaluation_every: Whole  # iterations
    evaluation_episodes: Whole

    @classmethod
    def load(cls, environment: str, **keywords: object) -> "IppoSettings":
        """Defaults, then an environment's, then ``keywords``. Raises `ConfigError`, see `load_agent_settings`."""
        settings = load_agent_settings(cls, environment, keywords)
        if settings.embedding % settings.heads:
            raise ConfigError(
                f"embedding must be a multiple of heads, got embedding = {settings.embedding} "
                f"with heads = {settings.heads}"
            )
        return settings
