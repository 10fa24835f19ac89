"""What a training run is to do, and which figure says how well it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import crowdgym
from crowdgym.common.errors import ConfigError
from crowdgym.common.seeds import EVALUATION
from crowdgym.configs.ippo import IppoSettings
from crowdgym.policies import load_policy
from crowdgym.registration import environment_spec
from crowdgym.runner import run_episodes


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
        environment: its name.
        keywords: of the environment, as they were given.
        settings: of the learner.
        steps: of the environment, those of all copies together; rounded up to whole iterations.
        seed: of everything that is random.
        command: that makes the same run again.
        init: the folder of a run whose last networks this one begins with, or None for fresh ones.
    """

    environment: str
    keywords: Mapping[str, Any]
    settings: IppoSettings
    steps: int
    seed: int
    command: str
    init: Path | None = None

    @property
    def score(self) -> Score:
        """See `Score`."""
        return _SCORES[self.environment]


@dataclass(frozen=True)
class Baseline:
    """What a policy that does not learn makes of the instances of evaluation."""

    agent: str
    score: float


@dataclass
class Environments:
    """The vector environments of a run, and what the networks have to fit."""

    plan: TrainingPlan
    training: Any = field(init=False)
    evaluation: Any = field(init=False)

    def __post_init__(self) -> None:
        vector_env = import_module(f"crowdgym.envs.{self.plan.environment}").vector_env
        keywords, settings = self.plan.keywords, self.plan.settings
        self.training = vector_env(num_envs=settings.num_envs, copy=False, **keywords)
        self.evaluation = vector_env(num_envs=settings.evaluation_episodes, copy=False, **keywords)

    @property
    def config(self) -> dict[str, Any]:
        """Every setting of the environment."""
        config: dict[str, Any] = self.training.settings.model_dump(mode="json")
        return config

    def close(self) -> None:
        """End what they hold."""
        self.training.close()
        self.evaluation.close()


def evaluation_seeds(episodes: int) -> range:
    """Of the instances that the agent is measured on while it trains."""
    return EVALUATION[:episodes]


def play_baseline(plan: TrainingPlan) -> Baseline:
    """Play the environment's first policy on the instances of evaluation; random where cells are not the agents."""
    agent = (
        "random" if plan.keywords.get("agents") == "participants" else environment_spec(plan.environment).default_policy
    )
    env = crowdgym.make(plan.environment, **plan.keywords)
    policy = load_policy(agent, plan.environment)
    try:
        result = run_episodes(
            env, policy, agent=agent, episodes=plan.settings.evaluation_episodes, seed=EVALUATION.start
        )
    finally:
        env.close()
    return Baseline(agent, result.mean[plan.score.metric])


def split_keywords(environment: str, keywords: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Which of ``keywords`` are hyperparameters of the learner, and which are the environment's.

    Returns:
        The environment's (unknown ones among them: it says which it knows), the learner's.
    """
    if environment not in _SCORES:
        crowdgym.make(environment)  # says which there are
        raise ConfigError(f"nothing says yet what is good in {environment}, so there is no training on it")
    of_learner = {name: value for name, value in keywords.items() if name in IppoSettings.model_fields}
    return {name: value for name, value in keywords.items() if name not in of_learner}, of_learner
