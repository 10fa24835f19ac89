"""The hyperparameters of RMO. Their defaults, and where each comes from, are in ``agents/rmo.yaml``."""

from typing import Literal

from pydantic import Field

from crowdgym.configs.ippo import IppoSettings
from crowdgym.configs.learning import NonNegative, Positive, Share


class RmoSettings(IppoSettings):
    """All hyperparameters of RMO, checked. Symbols are those of docs/rmo.md."""

    agent = "rmo"

    networks: Literal["shared"]
    target_reward: Literal["sparse", "shaped"] = Field(description="reward whose surrogate the target policy climbs")
    transfer: Literal["meta", "mix", "lookahead"] = Field(
        description="what is added to the gradient of the target policy; see docs/rmo.md"
    )
    transfer_weight: NonNegative = Field(description="weight xi of what is added; 0 adds nothing")
    transfer_decay: Share = Field(description="factor on the weight after each iteration")
    meta_sign: Literal["poster", "exact"] = Field(description="sign of the meta-gradient: as printed, or as calculated")
    meta_scale: Literal["matched", "raw"] = Field(
        description="matched: what is added is xi times as long as the policy gradient; raw: it is multiplied by xi"
    )
    inner_rate: Positive = Field(description="length mu_f of the virtual step")
    eta: Literal["meta", "fixed", "search"] = Field(
        description="how the weights alpha and beta of the matching utility change: by meta-gradient, not, or by search"
    )
    alpha: Share = Field(description="alpha at the beginning")
    beta: Share = Field(description="beta at the beginning")
    eta_rate: NonNegative = Field(description="step mu_eta of alpha and beta in an iteration")
    utility_weight: NonNegative = Field(description="weight kappa of a match's utility in its shaped advantage")

    @property
    def takes_mix(self) -> bool:
        """No: its rollouts are of one setting."""
        return False
