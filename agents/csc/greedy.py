"""Greedy: every worker takes the nearest task that it can serve (CAFE paper, section 5.1, baseline "Greedy")."""

from typing import ClassVar

from crowdgym.agents.information import Information
from crowdgym.agents.policy import Actions, Infos, Observations


class GreedyPolicy:
    """Takes the nearest candidate, whatever the others do.

    Candidates are sorted by distance along roads, so the nearest is action 1; it is legal for a worker that is idle and
    has a candidate at all. All others hold.
    """

    information: ClassVar[Information] = Information.DECENTRALISED

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        return {agent: int(info["action_mask"][1]) for agent, info in infos.items()}
