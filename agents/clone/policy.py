"""The policy that plays a clone."""

from typing import ClassVar

from crowdgym.agents.ippo.policy import IppoPolicy
from crowdgym.configs.clone import CloneSettings
from crowdgym.configs.ippo import IppoSettings


class ClonePolicy(IppoPolicy):
    """See `IppoPolicy`."""

    settings_class: ClassVar[type[IppoSettings]] = CloneSettings
