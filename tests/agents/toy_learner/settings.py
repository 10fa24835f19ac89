"""Its hyperparameters, with defaults, since it has no file in ``configs/agents``."""

from pydantic import Field

from crowdgym.configs.learning import LearnerSettings, Positive, Whole


class ToySettings(LearnerSettings):
    agent = "toy"

    evaluation_every: Whole = 1
    evaluation_episodes: Whole = 2
    stride: Positive = Field(0.25, description="of a step of the climb")
