"""A learner of its own folder: the whole of what it takes to add one. Trained as ``toy_learner:LEARNER``."""

from crowdgym.agents.catalogue import LearnerSpec

LEARNER = LearnerSpec(
    name="toy",
    about="climbs to the share of agents that should take their first candidate",
    settings="toy_learner.settings:ToySettings",
    trainer="toy_learner.trainer:ToyTrainer",
    policy="toy_learner.policy:ToyPolicy",
)
