"""The hyperparameters of behavioural cloning. Their defaults are in ``agents/clone.yaml``."""

from typing import Literal

from pydantic import Field

from crowdgym.configs.ippo import IppoSettings


class CloneSettings(IppoSettings):
    """Those of IPPO, whose networks a clone has, and the teacher. Those of returns and advantages have no effect."""

    agent = "clone"

    networks: Literal["shared"]
    teacher: str = Field(description="the policy to be imitated, as --agent of crowdgym run takes it")

    @property
    def takes_mix(self) -> bool:
        """No: the teacher plays one setting."""
        return False

    @property
    def takes_workers(self) -> bool:
        """No: the teacher plays in the process that learns."""
        return False
