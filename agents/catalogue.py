"""The specifications of policies and learners, as plain data that imports nothing heavy.

Each folder of agents lists its policies in the ``POLICIES`` of its ``__init__`` and its learners in ``LEARNERS``.
Entry points are ``"module:attribute"`` and are imported when they are used.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PolicySpec:
    """A policy that is played without training.

    Attributes:
        name: as in ``crowdgym run ENV --agent NAME``.
        about: one line, with the source of the rule.
        entry_point: the class, made without arguments.
        environments: names of the environments it can play, such as ("csc_v0",); None for every environment.
    """

    name: str
    about: str
    entry_point: str
    environments: tuple[str, ...] | None = None


@dataclass(frozen=True)
class LearnerSpec:
    """An agent that is trained before it is played.

    Attributes:
        name: as in ``crowdgym train NAME ENV``.
        about: one line, with the source of the algorithm.
        settings: its hyperparameters, a child of `crowdgym.configs.loading.AgentSettings`.
        trainer: makes a `crowdgym.agents.learning.trainer.Trainer`.
        policy: plays the folder of a trained agent.
        weights: the package whose folders ENVIRONMENT/SCENARIO hold packaged weights, or None.
        client: makes a `crowdgym.agents.learning.centres.Client`, if it learns from records of centres.
        packages: packages that it needs besides CrowdGym's own dependencies.
    """

    name: str
    about: str
    settings: str
    trainer: str
    policy: str
    weights: str | None = None
    client: str | None = None
    packages: tuple[str, ...] = ("torch", "safetensors", "tensorboard")
