"""An evolution strategy: searches the parameters of a policy by playing it."""

from crowdgym.agents.catalogue import LearnerSpec

LEARNERS = (
    LearnerSpec(
        name="es",
        about="CMA-ES on the parameters of a policy (Hansen 2016); those of `lookahead`, `task-schedule`, priced `km`",
        settings="crowdgym.configs.es:EsSettings",
        trainer="crowdgym.agents.es.trainer:EsTrainer",
        policy="crowdgym.agents.es.policy:EsPolicy",
        weights="crowdgym.agents.es.weights",
        packages=("torch", "safetensors", "tensorboard", "cma"),
    ),
)
