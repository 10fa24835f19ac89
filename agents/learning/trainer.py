"""The seam between ``crowdgym train`` and what it trains.

`Trainer` is all that the command knows: an iteration, an evaluation, and tensors to keep. `RolloutTrainer` is one for
learners that play episodes: a `Collector` plays, a `RewardSource` makes the rewards, a `Learner` learns from both.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from crowdgym.agents.learning.checkpoint import StoredTensors
from crowdgym.agents.learning.collect import Collector, CopySeeds, IterationSeeds, VectorEnvironment
from crowdgym.agents.learning.learner import Learner
from crowdgym.agents.learning.rewards import RewardSource
from crowdgym.agents.learning.rollout import Rollout

# The number of an iteration that no run reaches; features are scaled by what its instances show.
_BEFORE_ALL = 2**62


@dataclass(frozen=True)
class TrainingTask:
    """What a trainer is made from.

    Attributes:
        environment: its name.
        settings: of the learner, of the class that its `LearnerSpec` names.
        make_vector_env: makes a vector environment of so many copies, with the keywords of the run.
        make_env: makes a parallel environment with the same keywords.
        metric: of an episode, which evaluation looks at.
        evaluation_seeds: of the instances that evaluation plays.
        steps: of the environment, those of all copies together, that the run is to play at least.
        seed: of everything that is random.
        device: ``cpu`` or ``cuda``.
    """

    environment: str
    settings: Any
    make_vector_env: Callable[[int], VectorEnvironment]
    make_env: Callable[[], Any]
    metric: str
    evaluation_seeds: Sequence[int]
    steps: int
    seed: int
    device: str


class Trainer(Protocol):
    """Trains a policy, iteration by iteration: an episode of some copies, or a round of a federation.

    An iteration depends on the tensors that the one before has left and on its number, and on nothing else, so that a
    run that goes on from its last checkpoint ends with the same bits as one that was never stopped.

    Attributes:
        iterations: of the whole run; known after `begin`.
        steps_per_iteration: of the environment; known after `begin`.
    """

    iterations: int
    steps_per_iteration: int

    def begin(self, fresh: bool) -> None:
        """Get ready, after `restore` or `start_from` if there is something to go on from.

        Args:
            fresh: whether the run begins here, with random networks.
        """

    def iterate(self, number: int) -> Mapping[str, float]:
        """Do iteration ``number``, from 0 on, and return its figures.

        ``training`` is the metric of what was played, ``decisions`` how many were learnt from, ``environment_s`` the
        seconds spent in the environment. Others are named as TensorBoard has them, such as "losses/value_loss".
        """

    def evaluate(self) -> Mapping[str, float]:
        """Play the instances of evaluation, and return figures: ``evaluation``, the mean metric, and as `iterate`."""

    def tensors(self) -> dict[str, Tensor]:
        """Everything that the next iteration needs, by name."""

    def policy_tensors(self) -> dict[str, Tensor]:
        """What playing needs, by name."""

    def restore(self, stored: StoredTensors) -> None:
        """Go back to what `tensors` has given. Raises `CheckpointError` if they are of another trainer."""

    def start_from(self, stored: StoredTensors) -> None:
        """Begin with what another run ended with. Raises `CheckpointError` if it does not fit."""

    def close(self) -> None:
        """Release what the environments hold."""


class RolloutTrainer:
    """Each iteration plays one episode of every copy and learns from it.

    Args:
        task: what to train on; its settings are `crowdgym.configs.learning.RolloutSettings`.
        training: plays ``settings.num_envs`` copies.
        evaluation: plays a copy for each of ``task.evaluation_seeds``.
        source: of the rewards.
        learner: has the policy.
    """

    iterations = 0
    steps_per_iteration = 0

    def __init__(
        self, task: TrainingTask, training: Collector, evaluation: Collector, source: RewardSource, learner: Learner
    ) -> None:
        self.task = task
        self.training, self.evaluation = training, evaluation
        self.source, self.learner = source, learner

    def begin(self, fresh: bool) -> None:
        """Play one episode of every copy, for the length of episodes and, if ``fresh``, for scaling."""
        rollout = self._play(self._seeds(_BEFORE_ALL))
        self.steps_per_iteration = rollout.num_steps * rollout.num_copies
        self.iterations = math.ceil(self.task.steps / self.steps_per_iteration)
        if fresh:
            self.learner.fit_scaling(rollout.observations)

    def iterate(self, number: int) -> Mapping[str, float]:
        """See `Trainer`."""
        seeds = self._seeds(number)
        rollout = self._play(seeds)
        self.source.fit(rollout, seeds.source)
        figures = self.learner.learn(rollout, self.source, seeds.order, number / self.iterations)
        return {
            "decisions": len(rollout.rows),
            "training": self._metric(rollout),
            "environment_s": rollout.environment_s,
            **figures,
            **self.source.figures(),
        }

    def evaluate(self) -> Mapping[str, float]:
        """See `Trainer`."""
        instances = tuple(self.task.evaluation_seeds)
        sampled = self.task.settings.play == "sampled"
        draws = tuple(np.random.SeedSequence(self.task.seed).spawn(len(instances))) if sampled else None
        seeds = CopySeeds(instances, draws)
        rollout = self.evaluation.collect(self.learner.actor, seeds, options=self.learner.reset_options)
        return {"evaluation": self._metric(rollout), "environment_s": rollout.environment_s}

    def tensors(self) -> dict[str, Tensor]:
        """See `Trainer`; those of the source begin with ``source.``."""
        of_source = {f"source.{name}": tensor for name, tensor in self.source.tensors().items()}
        return self.learner.tensors() | of_source

    def policy_tensors(self) -> dict[str, Tensor]:
        """See `Trainer`."""
        return self.learner.policy_tensors()

    def restore(self, stored: StoredTensors) -> None:
        """See `Trainer`."""
        self.learner.restore(stored)
        self.source.restore(StoredTensors(stored.file, stored.under("source"), stored.facts))

    def start_from(self, stored: StoredTensors) -> None:
        """See `Trainer`; the source begins anew."""
        self.learner.start_from(stored)

    def close(self) -> None:
        """See `Trainer`."""
        self.training.close()
        self.evaluation.close()

    def _seeds(self, number: int) -> IterationSeeds:
        return IterationSeeds.of(self.task.seed, number, self.task.settings.num_envs)

    def _play(self, seeds: IterationSeeds) -> Rollout:
        return self.training.collect(
            self.learner.actor, seeds.copies, signals=self.source.signals, options=self.learner.reset_options
        )

    def _metric(self, rollout: Rollout) -> float:
        return float(np.mean(rollout.metrics[self.task.metric]))
