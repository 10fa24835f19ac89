"""Recommend-all: every subtask that may be assigned asks, and stage 2 decides everything."""

from crowdgym.agents.policy import Actions, Infos, Observations


class RecommendAll:
    """Recommends whatever is legal; with ``select``, every subtask asks for its first candidate and contests are lost.

    What is left of the problem is the environment's matching, so this is what stage 2 is worth by itself.
    """

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        return {agent: int(info["action_mask"][1]) for agent, info in infos.items()}
