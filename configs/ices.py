"""The hyperparameters of ICES. Their defaults, and where each comes from, are in ``agents/ices.yaml``."""

from pydantic import Field

from crowdgym.configs.influence import InfluenceSettings
from crowdgym.configs.learning import NonNegative


class IcesSettings(InfluenceSettings):
    """All hyperparameters of ICES, checked."""

    agent = "ices"

    exploration_weight: NonNegative = Field(
        description="weight of the reward for exploration at the beginning; it falls to 0 over the run"
    )

    @property
    def length_matters(self) -> bool:
        """The length of the run matters: the weight of exploration falls over it."""
        return True
