"""Independent PPO with shared parameters."""

from crowdgym.agents.catalogue import LearnerSpec

LEARNERS = (
    LearnerSpec(
        name="ippo",
        about="independent PPO, one network for all agents (De Witt et al. 2020)",
        settings="crowdgym.configs.ippo:IppoSettings",
        trainer="crowdgym.agents.ippo.ippo:make_trainer",
        policy="crowdgym.agents.ippo.policy:IppoPolicy",
        weights="crowdgym.agents.ippo.weights",
    ),
    LearnerSpec(
        name="turn-ippo",
        about="IPPO whose agents choose one after the other, with a mask and features of gain (CrowdGym's own)",
        settings="crowdgym.configs.ippo:TurnIppoSettings",
        trainer="crowdgym.agents.ippo.ippo:make_trainer",
        policy="crowdgym.agents.ippo.policy:TurnIppoPolicy",
        weights="crowdgym.agents.ippo.turn_weights",
    ),
)
