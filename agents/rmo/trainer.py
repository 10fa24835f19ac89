"""The trainer of RMO: episodes and learning as in IPPO, and the search for the weights of the matching utility."""

from collections.abc import Mapping
from typing import Final, cast

import numpy as np
import torch

from crowdgym.agents.learning.collect import LocalCollector
from crowdgym.agents.learning.mixing import make_collectors
from crowdgym.agents.learning.trainer import RolloutTrainer, TrainingTask
from crowdgym.agents.rmo.rewards import SparseAndShaped
from crowdgym.agents.rmo.rmo import RmoLearner, eta_options
from crowdgym.common.errors import ConfigError
from crowdgym.common.layout import ObservationLayout
from crowdgym.configs.rmo import RmoSettings

SEARCH_EVERY: Final = 5  # iterations
SEARCH_STEP: Final = 0.1  # of α and of β, in both directions


def make_trainer(task: TrainingTask) -> "RmoTrainer":
    """The trainer of RMO; ``task.settings`` are `RmoSettings`. Raises `ConfigError` for other environments."""
    settings: RmoSettings = task.settings
    if task.environment != "dasc_v0":
        raise ConfigError(f"rmo needs the two rewards of dasc_v0, got the environment {task.environment}")
    training, evaluation, env = make_collectors(task, LocalCollector)
    sets = ObservationLayout.from_metadata(env.metadata, env.single_observation_space.shape[0]).sets
    learner = RmoLearner(sets, int(env.single_action_space.n), settings, task.seed, task.device)
    return RmoTrainer(task, training, evaluation, SparseAndShaped(settings.team_share), learner)


class RmoTrainer(RolloutTrainer):
    """With ``eta: search``, every `SEARCH_EVERY` iterations η moves towards the better of two points beside it.

    Both points are played with the same instances and the same draws of actions. ``steps`` does not count their steps.
    """

    def iterate(self, number: int) -> Mapping[str, float]:
        """See `crowdgym.agents.learning.trainer.Trainer`."""
        figures = super().iterate(number)
        if self.task.settings.eta == "search" and (number + 1) % SEARCH_EVERY == 0:
            self._search(number)
        return figures

    def _search(self, number: int) -> None:
        learner = cast(RmoLearner, self.learner)
        seeds = self._seeds(number)
        direction = torch.from_numpy(seeds.source.choice([-1.0, 1.0], size=2))
        scores = [
            self._metric(self.training.collect(learner.actor, seeds.copies, options=eta_options(point)))
            for point in ((learner.eta + sign * SEARCH_STEP * direction).clamp(0.0, 1.0) for sign in (1.0, -1.0))
        ]
        better = float(np.sign(scores[0] - scores[1]))
        learner.set_eta(learner.eta + self.task.settings.eta_rate * better * direction)
