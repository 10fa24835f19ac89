"""The interface between ``crowdgym train`` and learners.

The command uses only `Trainer`: an iteration, an evaluation, and tensors to store. `RolloutTrainer` is the trainer of
learners that play episodes: a `Collector` plays, a `RewardSource` makes the rewards, a `Learner` learns from both.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from crowdgym.agents.learning.centres import Centres
from crowdgym.agents.learning.checkpoint import StoredTensors
from crowdgym.agents.learning.collect import Collector, CopySeeds, IterationSeeds, VectorEnvironment
from crowdgym.agents.learning.learner import Learner
from crowdgym.agents.learning.rewards import RewardSource
from crowdgym.agents.learning.rollout import Rollout
from crowdgym.agents.learning.workers import Workers
from crowdgym.agents.policy import Policy

# The number of an iteration that no run reaches; the scaling of features is computed on its instances.
_BEFORE_ALL = 2**62


@dataclass(frozen=True)
class TrainingTask:
    """The arguments of a trainer.

    Attributes:
        environment: name of the environment.
        settings: hyperparameters of the learner, of the class that its `LearnerSpec` names.
        make_vector_env: makes a vector environment with a number of copies and the keywords of the run.
        make_env: makes a parallel environment with the same keywords.
        make_centres: makes the centres of the environment, each with a client of the learner, for learners that learn
            from records of centres.
        load_policy: makes a policy of the environment by its name, such as a teacher; raises `PolicyError`.
        metric: the metric of an episode that evaluation reports.
        evaluation_seeds: seeds of the instances that evaluation plays.
        steps: minimum number of environment steps of the run, summed over all copies.
        seed: seed of all random draws.
        device: ``cpu`` or ``cuda``, where networks learn; they are played on the CPU.
        mix: as ``make_vector_env``, for each setting of the environment that the run mixes; empty without a mix.
        workers: play the episodes; None: this process plays them.
    """

    environment: str
    settings: Any
    make_vector_env: Callable[[int], VectorEnvironment]
    make_env: Callable[[], Any]
    make_centres: Callable[[], Centres]
    load_policy: Callable[[str], Policy]
    metric: str
    evaluation_seeds: Sequence[int]
    steps: int
    seed: int
    device: str
    mix: Sequence[Callable[[int], VectorEnvironment]] = ()
    workers: Workers | None = None


class Trainer(Protocol):
    """Trains a policy, iteration by iteration: an episode of some copies, or a round of a federation.

    An iteration depends only on the tensors of the iteration before and on its number, so a run that is resumed from
    its last checkpoint ends with the same bits as a run that was never stopped.

    Attributes:
        iterations: number of iterations of the whole run; known after `begin`.
        steps_per_iteration: environment steps of an iteration; 1 where an iteration is a round that plays none; known
            after `begin`.
    """

    iterations: int
    steps_per_iteration: int

    def begin(self, fresh: bool) -> None:
        """Prepare the run. It is called after `restore` or `start_from`, if the run continues another.

        Args:
            fresh: whether the run begins here, with random networks.
        """

    def iterate(self, number: int) -> Mapping[str, float]:
        """Run iteration ``number``, from 0 on, and return its figures.

        ``training`` is the metric of the episodes played, ``decisions`` the number of decisions, ``environment_s`` the
        seconds spent in the environment. Other figures have TensorBoard's names, such as "losses/value_loss".
        """

    def evaluate(self) -> Mapping[str, float]:
        """Play the evaluation instances, and return ``evaluation``, the mean metric, and figures as `iterate`.

        ``selection``, if it is there, chooses the best policy in place of ``evaluation``; more is better.
        """

    def tensors(self) -> dict[str, Tensor]:
        """All tensors that the next iteration needs, by name."""

    def policy_tensors(self) -> dict[str, Tensor]:
        """The tensors of the policy, by name."""

    def restore(self, stored: StoredTensors) -> None:
        """Restore the result of `tensors`. Raises `CheckpointError` if they are of another trainer."""

    def start_from(self, stored: StoredTensors) -> None:
        """Begin with the last tensors of another run. Raises `CheckpointError` if they do not fit."""

    def close(self) -> None:
        """Close the environments."""


class RolloutTrainer:
    """Each iteration plays one episode of every copy and learns from it.

    Args:
        task: what to train on; its settings are `crowdgym.configs.learning.RolloutSettings`.
        training: collector that plays ``settings.num_envs`` copies.
        evaluation: collector that plays a copy for each of ``task.evaluation_seeds``.
        source: the reward source.
        learner: the learner, which has the policy.
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
        """Play one episode of every copy, to find the length of episodes and, if ``fresh``, to fit the scaling."""
        rollout = self._play(self._seeds(_BEFORE_ALL))
        self.steps_per_iteration = rollout.num_steps * rollout.num_copies
        self.iterations = math.ceil(self.task.steps / self.steps_per_iteration)
        if fresh:
            self.learner.fit_scaling(rollout.observations)

    def iterate(self, number: int) -> Mapping[str, float]:
        """See `Trainer`."""
        seeds = self._seeds(number)
        rollout = self._play(seeds)
        progress = number / self.iterations
        self.source.fit(rollout, seeds.source, progress)
        figures = self.learner.learn(rollout, self.source, seeds.order, progress)
        return {
            "decisions": len(rollout.rows),
            "training": self._metric(rollout),
            "environment_s": rollout.environment_s,
            **figures,
            "charts/hold_share": float(np.mean(rollout.actions == 0)),
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
        """See `Trainer`; names of the source's tensors begin with ``source.``."""
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
        """See `Trainer`; the source starts fresh."""
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
