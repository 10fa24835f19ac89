"""Trainer and policy of ReLara: IPPO with the reward source of `RelaraSource`."""

from collections.abc import Sequence
from typing import ClassVar

from crowdgym.agents.csc.projection import csc_projector
from crowdgym.agents.ippo.ippo import make_trainer as make_ippo_trainer
from crowdgym.agents.ippo.policy import IppoPolicy
from crowdgym.agents.learning.collect import VectorEnvironment
from crowdgym.agents.learning.rewards import RewardSource
from crowdgym.agents.learning.trainer import RolloutTrainer, TrainingTask
from crowdgym.agents.relara.source import RelaraSource
from crowdgym.common.layout import ObservationSet
from crowdgym.configs.ippo import IppoSettings
from crowdgym.configs.relara import RelaraSettings


def make_trainer(task: TrainingTask) -> RolloutTrainer:
    """The trainer; ``task.settings`` are `RelaraSettings`. Raises `ConfigError` for another environment than csc_v0."""
    return make_ippo_trainer(task, make_source)


def make_source(task: TrainingTask, env: VectorEnvironment, sets: Sequence[ObservationSet]) -> RewardSource:
    """The reward source for an environment. Raises `ConfigError` if it is not ``csc_v0``."""
    return RelaraSource(task.settings, sets, csc_projector(task, env, sets), task.seed, task.device)


class RelaraPolicy(IppoPolicy):
    """Plays an agent trained with ReLara."""

    settings_class: ClassVar[type[IppoSettings]] = RelaraSettings
