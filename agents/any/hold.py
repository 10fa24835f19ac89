"""Hold: no agent ever acts. A baseline for comparisons."""

from crowdgym.agents.policy import Actions, Infos, Observations


class HoldPolicy:
    """Holds, which is action 0 and always legal."""

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        return dict.fromkeys(infos, 0)
