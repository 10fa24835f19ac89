"""Trainer and policy of ICES: IPPO with the reward source of `IcesSource`."""

from collections.abc import Sequence
from typing import ClassVar

from crowdgym.agents.csc.projection import csc_projector
from crowdgym.agents.ices.source import IcesSource
from crowdgym.agents.ippo.ippo import make_trainer as make_ippo_trainer
from crowdgym.agents.ippo.policy import IppoPolicy
from crowdgym.agents.learning.collect import VectorEnvironment
from crowdgym.agents.learning.rewards import RewardSource
from crowdgym.agents.learning.trainer import RolloutTrainer, TrainingTask
from crowdgym.common.layout import ObservationSet
from crowdgym.configs.ices import IcesSettings
from crowdgym.configs.ippo import IppoSettings


def make_trainer(task: TrainingTask) -> RolloutTrainer:
    """The trainer; ``task.settings`` are `IcesSettings`. Raises `ConfigError` for another environment than csc_v0."""
    return make_ippo_trainer(task, make_source)


def make_source(task: TrainingTask, env: VectorEnvironment, sets: Sequence[ObservationSet]) -> RewardSource:
    """The reward source for an environment. Raises `ConfigError` if it is not ``csc_v0``."""
    return IcesSource(task.settings, sets, csc_projector(task, env, sets), task.seed, task.device)


class IcesPolicy(IppoPolicy):
    """Plays an agent trained with ICES."""

    settings_class: ClassVar[type[IppoSettings]] = IcesSettings
