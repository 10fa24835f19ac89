"""Behavioural cloning: the network learns to take the actions of a teacher from what each agent sees itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from crowdgym.agents.ippo.ippo import IppoLearner, Means
from crowdgym.agents.learning.collect import LocalCollector
from crowdgym.agents.learning.rewards import EnvironmentReward
from crowdgym.agents.learning.trainer import RolloutTrainer, TrainingTask
from crowdgym.agents.policy import Episode, EpisodicPolicy, Policy
from crowdgym.common.layout import ObservationLayout
from crowdgym.configs.clone import CloneSettings


def make_trainer(task: TrainingTask) -> "CloneTrainer":
    """The trainer of a clone; ``task.settings`` are `CloneSettings`. Raises `PolicyError` for an unknown teacher."""
    settings: CloneSettings = task.settings
    teacher = task.load_policy(settings.teacher)
    training = task.make_vector_env(settings.num_envs)
    evaluation = task.make_vector_env(len(task.evaluation_seeds))
    sets = ObservationLayout.from_metadata(training.metadata, training.single_observation_space.shape[0]).sets
    learner = IppoLearner(sets, int(training.single_action_space.n), settings, task.seed, device=task.device)
    collectors = LocalCollector(training), LocalCollector(evaluation)
    return CloneTrainer(task, collectors, learner, teacher)


@dataclass(frozen=True)
class Examples:
    """Decisions of the teacher: observations, [D, F], masks, [D, A], actions, [D]; and the metric of its episodes."""

    observations: NDArray[np.float32]
    masks: NDArray[np.bool_]
    actions: NDArray[np.int64]
    score: float


class CloneTrainer(RolloutTrainer):
    """An iteration plays episodes with the teacher and climbs the logarithm of the probability of its actions.

    Episodes of every iteration are new, so no decision is learnt by heart. The critic is stored with its first weights.

    Args:
        task: what to train on; its settings are `CloneSettings`.
        collectors: for the scaling of features, and for evaluation.
        learner: has the actor.
        teacher: the policy to be imitated.
    """

    def __init__(
        self,
        task: TrainingTask,
        collectors: tuple[LocalCollector, LocalCollector],
        learner: IppoLearner,
        teacher: Policy,
    ) -> None:
        super().__init__(task, *collectors, EnvironmentReward(), learner)
        self._clone, self._teacher, self._env = learner, teacher, task.make_env()

    def iterate(self, number: int) -> Mapping[str, float]:
        """See `crowdgym.agents.learning.trainer.Trainer`."""
        seeds = self._seeds(number)
        examples = self._taught(seeds.copies.instances)
        rate = self._clone.set_learning_rate(number / self.iterations)
        losses = Means()
        for _ in range(self.task.settings.epochs):
            count = len(examples.actions)
            pieces = max(1, round(count / self.task.settings.minibatch_size))
            for chosen in np.array_split(seeds.order.permutation(count), pieces):
                losses.add(self._imitate(examples, chosen))
        figures = {"decisions": float(count), "training": examples.score, "charts/learning_rate": rate}
        return {**figures, **losses.figures()}

    def close(self) -> None:
        """See `crowdgym.agents.learning.trainer.Trainer`."""
        super().close()
        self._env.close()

    def _taught(self, instances: Sequence[int]) -> Examples:
        """The decisions of the teacher in the episodes of some seeds."""
        seen: list[NDArray[np.float32]] = []
        masks: list[NDArray[Any]] = []
        actions: list[int] = []
        scores = []
        for seed in instances:
            observations, infos = self._env.reset(seed=seed)
            if isinstance(self._teacher, EpisodicPolicy):
                self._teacher.reset(self._episode(seed))
            while self._env.agents:
                chosen = self._teacher.act(observations, infos)
                for agent, info in infos.items():
                    if info["action_mask"].sum() > 1:
                        seen.append(np.array(observations[agent]))
                        masks.append(info["action_mask"] > 0)
                        actions.append(chosen[agent])
                observations, _, _, _, infos = self._env.step(chosen)
            scores.append(next(iter(infos.values()))["metrics"][self.task.metric])
        return Examples(np.stack(seen), np.stack(masks), np.array(actions, np.int64), float(np.mean(scores)))

    def _episode(self, seed: int) -> Episode:
        env = self._env
        agents = tuple(env.possible_agents)
        spaces = env.observation_space(agents[0]), env.action_space(agents[0])
        return Episode(seed, agents, *spaces, env.metadata, env.state)

    def _imitate(self, examples: Examples, chosen: NDArray[np.int64]) -> Mapping[str, float]:
        device = self.task.device
        arrays = examples.observations[chosen], examples.masks[chosen], examples.actions[chosen]
        seen, legal, actions = (torch.from_numpy(array).to(device) for array in arrays)
        log_policy = self._clone.actor(seen, legal)  # [D, A]
        loss = -log_policy.gather(1, actions.unsqueeze(1)).mean()
        self._clone.descend("actor", loss)
        right = (log_policy.argmax(dim=1) == actions).float().mean()
        return {"losses/cross_entropy": loss.item(), "charts/accuracy": right.item()}
