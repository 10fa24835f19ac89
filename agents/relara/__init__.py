"""ReLara: a second agent that makes rewards (Ma et al. 2024), adapted to IPPO."""

from crowdgym.agents.catalogue import LearnerSpec

LEARNERS = (
    LearnerSpec(
        name="relara",
        about="IPPO with the rewards of a second agent, a soft actor-critic (after Ma et al. 2024, adapted)",
        settings="crowdgym.configs.relara:RelaraSettings",
        trainer="crowdgym.agents.relara.relara:make_trainer",
        policy="crowdgym.agents.relara.relara:RelaraPolicy",
    ),
)
