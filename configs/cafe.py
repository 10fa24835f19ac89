"""The hyperparameters of CAFE and its relatives. Defaults, and where each comes from, are in ``agents/cafe.yaml``."""

from typing import Annotated, Literal, Self

from pydantic import Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.influence import InfluenceSettings
from crowdgym.configs.learning import NonNegative, Positive, Share, Whole

Damping = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class CafeSettings(InfluenceSettings):
    """All hyperparameters of CAFE, checked. Symbols and equations are those of its paper."""

    agent = "cafe"

    target: Literal["increment", "realised"] = Field(
        description="increment or realised: what the autoencoder predicts; see docs/cafe.md"
    )
    counterfactual: Literal["policy", "hold"] = Field(
        description="policy or hold: what an action is compared with; see docs/cafe.md"
    )
    terms: Literal["narrow", "wide"] = Field(
        description="narrow (influence, constant; equation 5) or wide (and expected effect, contribution)"
    )
    outer: Literal["shaped", "revenue"] = Field(
        description="shaped (the letter) or revenue: the J of the outer level, equation 13"
    )
    outer_layers: Literal["last", "scoring"] = Field(
        description="last (exact solution) or scoring (conjugate gradients): layers of theta^l, equation 14"
    )
    outer_decisions: Whole = Field(description="largest number of decisions for the implicit gradient")
    proximal_weight: Positive = Field(description="kappa: weight of the squared distance from the old theta^l")
    damping: Damping = Field(description="share of the mean diagonal that is added to the negative Hessian")
    phi_learning_rate: Positive = Field(description="learning rate of Adam for phi, equation 14")
    least_influence_weight: NonNegative = Field(description="phi_1 is kept at or above this")
    refine_from: Share = Field(description="share of the run after which phi is refined by equation 19; 1: never")
    refine_damping: Damping = Field(description="share of the mean diagonal added to the Hessian of equation 19")

    @classmethod
    def load(cls, environment: str, **keywords: object) -> Self:
        """See `LearnerSettings.load`. An outer objective of revenue needs the contribution among the terms."""
        settings = super().load(environment, **keywords)
        if settings.outer == "revenue" and settings.terms != "wide":
            raise ConfigError("outer = 'revenue' needs terms = 'wide', which contain the contribution, got 'narrow'")
        return settings

    @property
    def length_matters(self) -> bool:
        """The length of the run also matters if it decides when phi is refined."""
        return super().length_matters or self.refine_from < 1.0


class CaNofeSettings(CafeSettings):
    """CAFE without fine-tuning."""

    agent = "ca-nofe"


class CafeRevenueSettings(CafeSettings):
    """CAFE whose outer level maximises the revenue."""

    agent = "cafe-revenue"
