"""Policies of ``csc_v0`` that learn nothing."""

from crowdgym.agents.catalogue import PolicySpec

_ONLY = ("csc_v0",)

POLICIES = (
    PolicySpec("greedy", "every worker takes its nearest task", "crowdgym.agents.csc.greedy:GreedyPolicy", _ONLY),
    PolicySpec(
        "pau",
        "workers form coalitions in a potential game (Zhao et al. 2024; baseline of the CAFE paper)",
        "crowdgym.agents.csc.pau:PauPolicy",
        _ONLY,
    ),
    PolicySpec(
        "pau-nohelp",
        "PAU without its rule that a player without gain helps a coalition to finish earlier",
        "crowdgym.agents.csc.pau:UnhelpfulPauPolicy",
        _ONLY,
    ),
    PolicySpec(
        "pau-fair",
        "PAU with the priorities and the fairness of its paper",
        "crowdgym.agents.csc.pau:FairPauPolicy",
        _ONLY,
    ),
    PolicySpec(
        "turn-random",
        "workers choose in turn, any join that adds payment",
        "crowdgym.agents.csc.turn_policies:RandomTurnPolicy",
        _ONLY,
    ),
    PolicySpec(
        "turn-nearest",
        "workers choose in turn, the nearest join that adds payment",
        "crowdgym.agents.csc.turn_policies:NearestTurnPolicy",
        _ONLY,
    ),
    PolicySpec(
        "turn-gain",
        "workers choose in turn, the join that adds most payment",
        "crowdgym.agents.csc.turn_policies:LargestGainTurnPolicy",
        _ONLY,
    ),
    PolicySpec(
        "lookahead",
        "coalitions of idle and soon-idle workers, formed together, a worker's time at a price (CrowdGym's own)",
        "crowdgym.agents.csc.lookahead:LookaheadPolicy",
        _ONLY,
    ),
)
