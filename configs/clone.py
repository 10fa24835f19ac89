"""The hyperparameters of behavioural cloning. Their defaults are in ``agents/clone.yaml``."""

from pydantic import Field

from crowdgym.configs.ippo import IppoSettings


class CloneSettings(IppoSettings):
    """Those of IPPO, whose networks a clone has, and the teacher. Those of returns and advantages have no effect."""

    agent = "clone"

    teacher: str = Field(description="the policy to be imitated, as --agent of crowdgym run takes it")

    @property
    def takes_workers(self) -> bool:
        """No: the teacher plays in the process that learns."""
        return False
