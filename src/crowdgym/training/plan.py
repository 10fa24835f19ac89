"""What a training run is to do, and which metric says how well it goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import crowdgym
from crowdgym.agents.catalogue import LearnerSpec
from crowdgym.agents.learning.trainer import Trainer, TrainingTask
from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import ConfigError
from crowdgym.configs.learning import LearnerSettings
from crowdgym.policies import default_policy, load_policy
from crowdgym.runner import run_episodes

# The instances of evaluation are those of these seeds. Training draws its seeds from 2**32 on, and "crowdgym run"
# counts from 0, so neither meets them by chance.
FIRST_EVALUATION_SEED = 1_000_000


@dataclass(frozen=True)
class Score:
    """The metric that evaluation looks at. ``sign`` is 1 where more is better, -1 where less is."""

    metric: str
    sign: int


_SCORES = {"csc_v0": Score("revenue", 1), "dasc_v0": Score("profit", 1), "sensing_v0": Score("error", -1)}


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
    def score(self) -> Score:
        """See `Score`."""
        return score_of(self.environment)

    def make_env(self) -> Any:
        """A parallel environment. Raises `ConfigError` for a keyword that cannot be used."""
        return crowdgym.make(self.environment, **self.keywords)

    def make_trainer(self) -> Trainer:
        """The learner's trainer for this run."""
        vector_env = import_module(f"crowdgym.envs.{self.environment}").vector_env
        task = TrainingTask(
            environment=self.environment,
            settings=self.settings,
            make_vector_env=lambda copies: vector_env(num_envs=copies, copy=False, **self.keywords),
            make_env=self.make_env,
            metric=self.score.metric,
            evaluation_seeds=range(FIRST_EVALUATION_SEED, FIRST_EVALUATION_SEED + self.settings.evaluation_episodes),
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
    agent = "random" if plan.keywords.get("agents") == "participants" else default_policy(plan.environment)
    env = plan.make_env()
    policy = load_policy(agent, plan.environment)
    try:
        result = run_episodes(
            env, policy, agent=agent, episodes=plan.settings.evaluation_episodes, seed=FIRST_EVALUATION_SEED
        )
    finally:
        env.close()
    return Baseline(agent, result.mean[plan.score.metric])


def score_of(environment: str) -> Score:
    """See `Score`. Raises `ConfigError` if there is no such environment, or none of its metrics is to be improved."""
    if environment not in _SCORES:
        crowdgym.make(environment)  # says which there are
        raise ConfigError(f"nothing says yet what is good in {environment}, so there is no training on it")
    return _SCORES[environment]
