"""One policy for several settings of an environment, such as different numbers of workers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from crowdgym.agents.learning.collect import Collector, CopySeeds, LocalCollector, VectorEnvironment
from crowdgym.agents.learning.rollout import Rollout, join
from crowdgym.agents.learning.trainer import TrainingTask
from crowdgym.agents.learning.workers import MakeCollector, MakeCopies, SharedCollector
from crowdgym.common.errors import ConfigError


class MixedCollector:
    """Plays copies of several environments that differ in their settings.

    Args:
        parts: a collector for each setting.
        played: how many of them play at a time. Which ones is drawn by `CopySeeds.mix`; without it, all of them play.
    """

    def __init__(self, parts: Sequence[Collector], played: int) -> None:
        self.parts = tuple(parts)
        self.played = played

    def collect(
        self,
        actor: nn.Module,
        seeds: CopySeeds,
        *,
        signals: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Rollout:
        """See `Collector`; `Rollout.groups` says which setting each copy plays.

        Raises:
            ConfigError: episodes have different lengths.
        """
        chosen = np.arange(len(self.parts))
        if seeds.mix is not None:
            chosen = np.sort(np.random.default_rng(seeds.mix).choice(chosen, self.played, replace=False))
        shares = np.array_split(np.arange(len(seeds.instances)), len(chosen))
        rollouts = []
        for group, share in zip(chosen.tolist(), shares, strict=True):
            part = seeds.part(slice(share[0], share[-1] + 1))
            rollout = self.parts[group].collect(actor, part, signals=signals, options=options)
            rollouts.append(replace(rollout, groups=np.full(len(share), group)))
        lengths = {rollout.num_steps for rollout in rollouts}
        if len(lengths) > 1:
            raise ConfigError(f"mixed settings need episodes of one length, got {sorted(lengths)} steps")
        return join(rollouts)

    def close(self) -> None:
        """See `Collector`."""
        for part in self.parts:
            part.close()


def make_collectors(task: TrainingTask, collector_of: MakeCollector) -> tuple[Collector, Collector, VectorEnvironment]:
    """The collectors of training and evaluation, and an environment that has their observations and actions.

    With a mix, an iteration plays ``settings.mixed_at_once`` of its settings, and evaluation all of them.

    Args:
        task: what to train on; its settings are `crowdgym.configs.learning.RolloutSettings`.
        collector_of: makes the collector of a vector environment; other processes may call it.

    Raises:
        ConfigError: copies or instances cannot be divided among the mixed settings, or observations or actions differ.
    """

    def made(make: MakeCopies, copies: int) -> LocalCollector | SharedCollector:
        if task.workers is None:
            return collector_of(make(copies))
        return SharedCollector(make, collector_of, task.workers)

    copies, instances = task.settings.num_envs, len(task.evaluation_seeds)
    if not task.mix:
        training = made(task.make_vector_env, copies)
        return training, made(task.make_vector_env, instances), training.env
    played = min(task.settings.mixed_at_once, len(task.mix))
    if copies % played or instances % len(task.mix):
        raise ConfigError(
            f"num_envs must be a multiple of mixed_at_once = {played}, and evaluation_episodes of the "
            f"{len(task.mix)} mixed settings, got num_envs = {copies} and evaluation_episodes = {instances}"
        )
    training_parts = [made(make, copies // played) for make in task.mix]
    evaluation_parts = [made(make, instances // len(task.mix)) for make in task.mix]
    env = training_parts[0].env
    for part in training_parts:
        if _shapes(part.env) != _shapes(env):
            raise ConfigError(
                "mixed settings must have equal observations and actions; mix numbers of workers or tasks"
            )
    return MixedCollector(training_parts, played), MixedCollector(evaluation_parts, len(task.mix)), env


def _shapes(env: VectorEnvironment) -> tuple[tuple[int, ...], int]:
    return env.single_observation_space.shape, int(env.single_action_space.n)
