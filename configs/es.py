"""The hyperparameters of the evolution strategy. Their defaults are in ``agents/es.yaml``."""

from typing import Annotated, Literal

from pydantic import Field

from crowdgym.configs.learning import LearnerSettings, Positive, Whole


class EsSettings(LearnerSettings):
    """All hyperparameters of the evolution strategy, checked."""

    agent = "es"

    policy: str = Field(
        description="the policy whose parameters are searched, as module:Class; a crowdgym.agents.row_policy.RowPolicy"
    )
    population: Annotated[int, Field(ge=4, le=1000)] = Field(description="candidates of an iteration")
    episodes: Whole = Field(description="fresh episodes on which all candidates of an iteration play")
    score: Literal["metric", "rewards"] = Field(
        description="what is maximised: the metric of the environment, or the sum of all rewards of an episode"
    )
    step_size: Positive = Field(description="deviation of the first candidates, in scales of the parameters")

    @property
    def takes_mix(self) -> bool:
        """See `LearnerSettings`."""
        return True

    @property
    def takes_workers(self) -> bool:
        """See `LearnerSettings`."""
        return True
