"""TA-FPL, task assignment with federated preference learning (CIKM 2022).

The learner is the whole; the policies are its matching alone, by the shares of histories.
"""

from crowdgym.agents.catalogue import LearnerSpec, PolicySpec

_ONLY = ("preference_v0",)

POLICIES = (
    PolicySpec(
        "top-k",
        "the best matching of pairs that are among each other's 3 best, and free workers for what is left (TA-FPL)",
        "crowdgym.agents.ta_fpl.policy:TopKPolicy",
        _ONLY,
    ),
    PolicySpec(
        "top-k-literal",
        "the same with labels and a search of limited depth, as TA-FPL's algorithms 2 to 4 are stated",
        "crowdgym.agents.ta_fpl.policy:LiteralTopKPolicy",
        _ONLY,
    ),
)

LEARNERS = (
    LearnerSpec(
        name="ta-fpl",
        about="preferences of workers, learnt by centres that keep their histories (TA-FPL, CIKM 2022)",
        settings="crowdgym.configs.ta_fpl:TaFplSettings",
        trainer="crowdgym.agents.ta_fpl.federation:FederatedTrainer",
        policy="crowdgym.agents.ta_fpl.trained:TaFplPolicy",
        client="crowdgym.agents.ta_fpl.client:TaFplClient",
    ),
)
