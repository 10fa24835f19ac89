"""Hold: no agent ever acts. A baseline for comparisons."""

from typing import ClassVar

from crowdgym.agents.information import Information
from crowdgym.agents.policy import Actions, Infos, Observations


class HoldPolicy:
    """Holds, which is action 0 and always legal."""

    information: ClassVar[Information] = Information.DECENTRALISED

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        return dict.fromkeys(infos, 0)
