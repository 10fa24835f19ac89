"""CAFE: a reward made of the influence of actions, with weights that are learnt (Chen et al., IJCAI 2025)."""

from crowdgym.agents.catalogue import LearnerSpec

LEARNERS = (
    LearnerSpec(
        name="cafe",
        about="IPPO rewarded for influence on payments, weights learnt and refined (Chen et al. 2025)",
        settings="crowdgym.configs.cafe:CafeSettings",
        trainer="crowdgym.agents.cafe.cafe:make_trainer",
        policy="crowdgym.agents.cafe.cafe:CafePolicy",
        weights="crowdgym.agents.cafe.weights",
    ),
    LearnerSpec(
        name="ca-nofe",
        about="CAFE without its refinement of the weights (Chen et al. 2025)",
        settings="crowdgym.configs.cafe:CaNofeSettings",
        trainer="crowdgym.agents.cafe.cafe:make_trainer",
        policy="crowdgym.agents.cafe.cafe:CaNofePolicy",
    ),
    LearnerSpec(
        name="cafe-revenue",
        about="CAFE whose weights are learnt from what they do to the revenue (CrowdGym's own)",
        settings="crowdgym.configs.cafe:CafeRevenueSettings",
        trainer="crowdgym.agents.cafe.cafe:make_trainer",
        policy="crowdgym.agents.cafe.cafe:CafeRevenuePolicy",
    ),
)
