"""The plan of a training run, and the baseline that its evaluations are compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import crowdgym
from crowdgym.agents.catalogue import LearnerSpec
from crowdgym.agents.learning.trainer import Trainer, TrainingTask
from crowdgym.agents.learning.workers import Workers
from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import ConfigError
from crowdgym.common.seeds import EVALUATION
from crowdgym.configs.learning import LearnerSettings
from crowdgym.envs.api.spec import Objective
from crowdgym.execution.fingerprint import dataset_of
from crowdgym.policies import load_policy
from crowdgym.registration import environment_spec
from crowdgym.runner import run_episodes
from crowdgym.training.centres import make_centres


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
        threads: processor threads of the networks, and of the copies that this process plays.
        device: ``cpu`` or ``cuda``, where networks learn; they are played on the CPU.
        command: the command that makes the same run again.
        mix: values of settings of the environment, by name; see `mixed_keywords`.
        workers: play the episodes; None: this process plays them. The result does not depend on them.
        jobs: processes in which the centres of a learner from records of centres run; 1: in this process.
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
    jobs: int = 1
    init: Path | None = None
    mix: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    workers: Workers | None = None

    @property
    def objective(self) -> Objective:
        """The objective of the environment: the metric that evaluation compares."""
        return environment_spec(self.environment).objective

    def make_env(self) -> Any:
        """A parallel environment. Raises `ConfigError` for a keyword that cannot be used."""
        return crowdgym.make(self.environment, **self.keywords)

    def datasets(self) -> tuple[str, ...]:
        """The names of the datasets that its environments read. Raises `ConfigError`, see `make_env`."""
        points = (dict(self.keywords), *self.mixed_keywords())
        return tuple(dict.fromkeys(name for keywords in points for name in dataset_of(self.environment, keywords)))

    def mixed_keywords(self) -> tuple[dict[str, Any], ...]:
        """The keywords of each setting that the run mixes: one value of ``mix``, all else as in ``keywords``.

        Raises:
            ConfigError: the learner takes no mix.
        """
        if self.mix and not self.settings.takes_mix:
            raise ConfigError(f"{self.agent} trains on one setting of the environment at a time, so it takes no --mix")
        load = environment_spec(self.environment).settings_class().load
        points: dict[str, dict[str, Any]] = {}  # by all their settings
        for name, values in self.mix.items():
            for value in values:
                keywords = {**self.keywords, name: value}
                points.setdefault(load(**keywords).model_dump_json(), keywords)
        return tuple(points.values())

    def make_trainer(self) -> Trainer:
        """The learner's trainer for this run. Raises `ConfigError` if other processes cannot play its episodes."""
        if self.workers is not None and not self.settings.takes_workers:
            raise ConfigError(f"{self.agent} plays its episodes in one process, so it takes no --workers")
        vector_env = partial(environment_spec(self.environment).interface("vector_env"), copy=False)
        if self.threads > 1 and self.workers is None:  # a worker has one processor
            vector_env = partial(vector_env, num_threads=self.threads)
        task = TrainingTask(
            environment=self.environment,
            settings=self.settings,
            make_vector_env=partial(vector_env, **self.keywords),
            make_env=self.make_env,
            make_centres=lambda: make_centres(self.learner, self.make_env(), self.settings, self.seed, self.jobs),
            load_policy=lambda name: load_policy(name, self.environment, self.keywords.get("scenario")),
            metric=self.objective.metric,
            evaluation_seeds=EVALUATION[: self.settings.evaluation_episodes],
            steps=self.steps,
            seed=self.seed,
            device=self.device,
            mix=tuple(partial(vector_env, **keywords) for keywords in self.mixed_keywords()),
            workers=self.workers,
        )
        trainer: Trainer = load_entry_point(self.learner.trainer)(task)
        return trainer


@dataclass(frozen=True)
class Baseline:
    """The mean score of a policy that does not learn, on the evaluation instances."""

    agent: str
    score: float


def play_baseline(plan: TrainingPlan) -> Baseline:
    """Play the environment's default policy on the evaluation instances; random if the agents are participants.

    With a mix, each of its settings is played on an equal share of the instances, as the trainer does.
    """
    usual = environment_spec(plan.environment).default_policy
    agent = "random" if plan.keywords.get("agents") == "participants" else usual
    points = plan.mixed_keywords() or (dict(plan.keywords),)
    shares = np.array_split(EVALUATION[: plan.settings.evaluation_episodes], len(points))
    scores = []
    for keywords, share in zip(points, shares, strict=True):
        env = crowdgym.make(plan.environment, **keywords)
        policy = load_policy(agent, plan.environment)
        try:
            result = run_episodes(env, policy, agent=agent, episodes=len(share), seed=int(share[0]))
        finally:
            env.close()
        scores += [episode.metrics[plan.objective.metric] for episode in result.episodes]
    return Baseline(agent, float(np.mean(scores)))
