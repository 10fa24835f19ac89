"""The plan of a training run, and the baseline that its evaluations are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import crowdgym
from crowdgym.agents.catalogue import LearnerSpec
from crowdgym.agents.learning.trainer import Trainer, TrainingTask
from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.seeds import EVALUATION
from crowdgym.configs.learning import LearnerSettings
from crowdgym.envs.api.spec import Objective
from crowdgym.policies import load_policy
from crowdgym.registration import environment_spec
from crowdgym.runner import run_episodes


@dataclass(frozen=True)
class TrainingPlan:
    """The plan of a training run.

    Attributes:
        agent: name of the learner, as `crowdgym.learners.find_learner` takes it.
        learner: specification of the learner.
        environment: name of the environment.
        keywords: keywords of the environment, as they were given.
        settings: hyperparameters of the learner.
        steps: steps of the environment, summed over all copies; rounded up to whole iterations.
        seed: seed of all random draws.
        threads: processor threads of the networks.
        device: ``cpu`` or ``cuda``.
        command: the command that makes the same run again.
        init: folder of a run whose last networks this run begins with; None for random networks.
    """

    agent: str
    learner: LearnerSpec
    environment: str
    keywords: Mapping[str, Any]
    settings: LearnerSettings
    steps: int
    seed: int
    threads: int
    device: str
    command: str
    init: Path | None = None

    @property
    def objective(self) -> Objective:
        """The objective of the environment: the metric that evaluation compares."""
        return environment_spec(self.environment).objective

    def make_env(self) -> Any:
        """A parallel environment. Raises `ConfigError` for a keyword that cannot be used."""
        return crowdgym.make(self.environment, **self.keywords)

    def make_trainer(self) -> Trainer:
        """The learner's trainer for this run."""
        vector_env = environment_spec(self.environment).interface("vector_env")
        task = TrainingTask(
            environment=self.environment,
            settings=self.settings,
            make_vector_env=lambda copies: vector_env(num_envs=copies, copy=False, **self.keywords),
            make_env=self.make_env,
            load_policy=lambda name: load_policy(name, self.environment, self.keywords.get("scenario")),
            metric=self.objective.metric,
            evaluation_seeds=EVALUATION[: self.settings.evaluation_episodes],
            steps=self.steps,
            seed=self.seed,
            device=self.device,
        )
        trainer: Trainer = load_entry_point(self.learner.trainer)(task)
        return trainer


@dataclass(frozen=True)
class Baseline:
    """The mean score of a policy that does not learn, on the evaluation instances."""

    agent: str
    score: float


def play_baseline(plan: TrainingPlan) -> Baseline:
    """Play the environment's default policy on the evaluation instances; random if the agents are participants."""
    usual = environment_spec(plan.environment).default_policy
    agent = "random" if plan.keywords.get("agents") == "participants" else usual
    env = plan.make_env()
    policy = load_policy(agent, plan.environment)
    try:
        result = run_episodes(
            env, policy, agent=agent, episodes=plan.settings.evaluation_episodes, seed=EVALUATION.start
        )
    finally:
        env.close()
    return Baseline(agent, result.mean[plan.objective.metric])
