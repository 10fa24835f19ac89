"""What a training run is to do, and which metric says how well it goes."""

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
    """A run.

    Attributes:
        agent: the learner, as `crowdgym.learners.find_learner` takes it.
        learner: what that is.
        environment: its name.
        keywords: of the environment, as they were given.
        settings: of the learner.
        steps: of the environment, those of all copies together; rounded up to whole iterations.
        seed: of everything that is random.
        threads: of the networks.
        device: ``cpu`` or ``cuda``.
        command: that makes the same run again.
        init: the folder of a run whose last networks this one begins with, or None for fresh ones.
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
        """Of the environment: the metric that evaluation looks at."""
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
    """The mean score of a policy that does not learn, on the instances of evaluation."""

    agent: str
    score: float


def play_baseline(plan: TrainingPlan) -> Baseline:
    """Play the environment's first policy on the instances of evaluation; random where cells are not the agents."""
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
