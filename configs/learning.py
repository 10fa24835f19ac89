"""The hyperparameters that learners share. Each learner's own class is in the file of its name."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.loading import AgentSettings, load_agent_settings

Width = Annotated[int, Field(ge=1, le=4096)]
Whole = Annotated[int, Field(ge=1, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class LearnerSettings(AgentSettings):
    """The hyperparameters of every learner. A subclass names the learner in ``agent``."""

    evaluation_every: Whole = Field(description="iterations between two evaluations")
    evaluation_episodes: Whole = Field(description="held-out instances that an evaluation plays")

    @classmethod
    def load(cls, environment: str, **keywords: object) -> Self:
        """Defaults, then an environment's, then ``keywords``. Raises `ConfigError`, see `load_agent_settings`."""
        return load_agent_settings(cls, environment, keywords)

    @property
    def length_matters(self) -> bool:
        """Whether an iteration depends on the length of the run, so that a finished run cannot be made longer."""
        return False

    @property
    def usual_steps(self) -> int | None:
        """The length of a run for which none is given; None if it must be given."""
        return None

    @property
    def pools_records(self) -> bool:
        """Whether the records of all centres are put together, for a learner from records of centres."""
        return False

    @property
    def takes_mix(self) -> bool:
        """Whether the learner trains one policy for several settings of an environment."""
        return False

    @property
    def takes_workers(self) -> bool:
        """Whether other processes can play the learner's episodes."""
        return False

    @classmethod
    def meanings(cls) -> Mapping[str, str]:
        """The meaning of each hyperparameter, by name; "" if neither its class nor a parent class describes it."""
        meanings = dict.fromkeys(cls.model_fields, "")
        for parent in reversed(cls.__mro__):  # a subclass with another default need not repeat the description
            if issubclass(parent, LearnerSettings):
                meanings |= {name: each.description for name, each in parent.model_fields.items() if each.description}
        return meanings


class RolloutSettings(LearnerSettings):
    """Hyperparameters of learners that play episodes with a network."""

    num_envs: Whole = Field(description="copies of the environment, one episode of each an iteration")
    mixed_at_once: Whole = Field(description="of the settings that --mix gives, how many an iteration plays")
    play: Literal["likeliest", "sampled"] = Field(
        description="likeliest or sampled: how a trained policy takes an action from its probabilities"
    )
    turns: Literal["none", "gain", "idle"] = Field(
        description="csc_v0: the order in which the agents of an epoch choose, each with what those before it chose: "
        "gain (largest gain first), idle (longest idle first) or none (all at once)"
    )
    mask_idle_gain: bool = Field(
        description="csc_v0: a join is legal only if it adds payment, alone or with the nearest agent still to choose"
    )
    gain_features: bool = Field(description="csc_v0: the network also sees what a join of each candidate adds")
    network: Literal["attention", "mlp"] = Field(description="attention or mlp; see docs/ippo.md")
    action_set: str | None = Field(
        description="set of the observation whose rows are the choices of all actions, or of all actions except 0"
    )
    embedding: Width = Field(description="width of the embedding of a row of a set")
    heads: Annotated[int, Field(ge=1, le=64)] = Field(description="heads of each attention layer")
    hidden: Width = Field(description="width of the hidden layers")

    @property
    def takes_mix(self) -> bool:
        """See `LearnerSettings`."""
        return True

    @property
    def takes_workers(self) -> bool:
        """See `LearnerSettings`."""
        return True

    @classmethod
    def load(cls, environment: str, **keywords: object) -> Self:
        """See `LearnerSettings.load`."""
        settings = super().load(environment, **keywords)
        if settings.embedding % settings.heads:
            raise ConfigError(
                f"embedding must be a multiple of heads, got embedding = {settings.embedding} "
                f"with heads = {settings.heads}"
            )
        return settings
