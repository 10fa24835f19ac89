"""ICES: a reward for exploration by individual contributions (Li et al. 2024), adapted to IPPO."""

from crowdgym.agents.catalogue import LearnerSpec

LEARNERS = (
    LearnerSpec(
        name="ices",
        about="IPPO with a bonus for actions that change the tasks nearby (after Li et al. 2024, adapted)",
        settings="crowdgym.configs.ices:IcesSettings",
        trainer="crowdgym.agents.ices.ices:make_trainer",
        policy="crowdgym.agents.ices.ices:IcesPolicy",
    ),
)
