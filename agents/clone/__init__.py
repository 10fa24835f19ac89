"""Imitation: a network that acts as a policy without learning does."""

from crowdgym.agents.catalogue import LearnerSpec

LEARNERS = (
    LearnerSpec(
        name="clone",
        about="behavioural cloning of a policy that learns nothing (Pomerleau 1991); where other learners may begin",
        settings="crowdgym.configs.clone:CloneSettings",
        trainer="crowdgym.agents.clone.clone:make_trainer",
        policy="crowdgym.agents.clone.policy:ClonePolicy",
    ),
)
