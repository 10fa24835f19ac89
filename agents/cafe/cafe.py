"""Trainers and policy of CAFE, CA-noFE and cafe-revenue: IPPO with the reward source of `CafeSource`.

Playing needs no reward: the folder of a trained agent holds the actor alone in ``best.safetensors``.
"""

from collections.abc import Sequence
from typing import ClassVar

from crowdgym.agents.cafe.source import CafeSource
from crowdgym.agents.csc.projection import csc_projector
from crowdgym.agents.ippo.ippo import make_trainer as make_ippo_trainer
from crowdgym.agents.ippo.policy import IppoPolicy
from crowdgym.agents.learning.collect import VectorEnvironment
from crowdgym.agents.learning.rewards import RewardSource
from crowdgym.agents.learning.trainer import RolloutTrainer, TrainingTask
from crowdgym.common.layout import ObservationSet
from crowdgym.configs.cafe import CafeRevenueSettings, CafeSettings, CaNofeSettings
from crowdgym.configs.ippo import IppoSettings


def make_trainer(task: TrainingTask) -> RolloutTrainer:
    """The trainer; ``task.settings`` are `CafeSettings`. Raises `ConfigError` for another environment than csc_v0."""
    return make_ippo_trainer(task, make_source)


def make_source(task: TrainingTask, env: VectorEnvironment, sets: Sequence[ObservationSet]) -> RewardSource:
    """The reward source for an environment. Raises `ConfigError` if it is not ``csc_v0``."""
    return CafeSource(task.settings, sets, csc_projector(task, env, sets), task.seed, task.device)


class CafePolicy(IppoPolicy):
    """Plays an agent trained with CAFE."""

    settings_class: ClassVar[type[IppoSettings]] = CafeSettings


class CaNofePolicy(IppoPolicy):
    """Plays an agent trained with CA-noFE."""

    settings_class: ClassVar[type[IppoSettings]] = CaNofeSettings


class CafeRevenuePolicy(IppoPolicy):
    """Plays an agent trained with cafe-revenue."""

    settings_class: ClassVar[type[IppoSettings]] = CafeRevenueSettings
