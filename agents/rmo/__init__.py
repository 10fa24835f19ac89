"""RMO: a target policy, an auxiliary policy, and the weights of the matching utility."""

from crowdgym.agents.catalogue import LearnerSpec

LEARNERS = (
    LearnerSpec(
        name="rmo",
        about="recommend and match: PPO with an auxiliary policy and meta-gradients (Li et al., AAAI 2025)",
        settings="crowdgym.configs.rmo:RmoSettings",
        trainer="crowdgym.agents.rmo.trainer:make_trainer",
        policy="crowdgym.agents.rmo.policy:RmoPolicy",
    ),
)
