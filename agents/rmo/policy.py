"""The policy that plays an agent trained by RMO."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from crowdgym.agents.ippo.policy import IppoPolicy
from crowdgym.agents.rmo.rmo import eta_options
from crowdgym.configs.ippo import IppoSettings
from crowdgym.configs.rmo import RmoSettings


class RmoPolicy(IppoPolicy):
    """The target policy. Its episodes are matched with the weights of the utility that were learnt with it.

    Args:
        folder: see `IppoPolicy`.
        environment: see `IppoPolicy`.

    Attributes:
        reset_options: the weights of the utility, for ``reset``.
    """

    settings_class: ClassVar[type[IppoSettings]] = RmoSettings
    reset_options: Mapping[str, Any]

    def __init__(self, folder: Path, environment: str) -> None:
        super().__init__(folder, environment)
        self.reset_options = eta_options(self._stored.get("eta"))
