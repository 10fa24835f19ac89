"""Recommend-all: every subtask that may be assigned asks for a worker, and stage 2 decides everything."""

from typing import ClassVar

from crowdgym.agents.information import Information
from crowdgym.agents.policy import Actions, Infos, Observations


class RecommendAll:
    """Recommends every legal subtask; with ``select``, every subtask asks for its first candidate, contested or not.

    Only the environment's matching makes decisions, so the result measures the value of stage 2 alone.
    """

    information: ClassVar[Information] = Information.DECENTRALISED

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        return {agent: int(info["action_mask"][1]) for agent, info in infos.items()}
