"""The training run: iterations, evaluation, checkpoints, logs."""

import math
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from crowdgym.agents.ippo.checkpoint import FORMAT, AgentDescription, describe_sets, start_from
from crowdgym.agents.ippo.decisions import Rollout
from crowdgym.agents.ippo.ppo import IterationSeeds, Learner, collect
from crowdgym.common.errors import ConfigError
from crowdgym.common.layout import ObservationLayout
from crowdgym.training.folder import TENSORBOARD, Row, RunFolder
from crowdgym.training.plan import Environments, TrainingPlan, evaluation_seeds, play_baseline

# Instances of an iteration that never comes are what features are scaled by.
_BEFORE_ALL = 2**62


@dataclass(frozen=True)
class IterationReport:
    """What there is to say behind an iteration.

    Attributes:
        iteration: how many are over.
        iterations: of the run.
        steps: played, of the environment.
        row: all figures, as in ``curve.csv``; ``evaluation`` only where there was one.
    """

    iteration: int
    iterations: int
    steps: int
    row: Mapping[str, float]


class TrainingRun:
    """One run, from its first iteration or from its last checkpoint.

    Args:
        plan: what to do.
        folder: where it is kept.
        device: ``cpu`` or ``cuda``.

    Raises:
        ConfigError: the folder holds another run, or one that cannot be gone on with.
    """

    def __init__(self, plan: TrainingPlan, folder: RunFolder, device: str) -> None:
        self.plan, self.folder, self.device = plan, folder, device
        self.environments = Environments(plan)
        env = self.environments.training
        self.sets = ObservationLayout.from_metadata(env.metadata, env.single_observation_space.shape[0])
        self.num_actions = int(env.single_action_space.n)
        self.learner = Learner(self.sets.sets, self.num_actions, plan.settings, plan.seed, device)
        self.steps_per_iteration = 0  # known behind the first episode
        if folder.holds_a_run():
            self.description = folder.description()
            self._refuse_other_run()
        else:
            self.description = self._described()
        if plan.init is not None:
            start_from(self.learner, plan.init)
        self.progress = folder.resume(self.learner)

    def __call__(self, watch: Callable[[IterationReport], None]) -> None:
        """Train to the end; ``watch`` hears of every iteration."""
        if not self.folder.holds_a_run():
            self.folder.begin(self.description)
        self._look_around()
        iterations = math.ceil(self.plan.steps / self.steps_per_iteration)
        if not self.folder.rows:
            self._finish_iteration({"iteration": 0, "steps": 0, "decisions": 0}, _Clock(), evaluates=True)
        with _Logs(self.folder, self.progress.iteration) as logs:
            watch(self._news(iterations))
            while self.progress.iteration < iterations:
                self._iterate(iterations)
                logs.write(self.folder.rows[-1])
                watch(self._news(iterations))

    def close(self) -> None:
        """End what the environments hold."""
        self.environments.close()

    def _iterate(self, iterations: int) -> None:
        clock = _Clock()
        settings, env = self.plan.settings, self.environments.training
        seeds = IterationSeeds.of(self.plan.seed, self.progress.iteration, settings.num_envs)
        rollout = collect(env, self.learner.actor, seeds.instances, seeds.actions, self.device)
        share_over = self.progress.iteration / iterations
        figures = self.learner.learn(rollout, env.batch_shape[1], seeds.order, share_over)
        self.progress.iteration += 1
        self.progress.environment_s += rollout.environment_s
        number = self.progress.iteration
        row = {
            "iteration": number,
            "steps": number * self.steps_per_iteration,
            "decisions": len(rollout.rows),
            "training": self._score_of(rollout),
            **figures,
        }
        self._finish_iteration(row, clock, evaluates=number % settings.evaluation_every == 0 or number == iterations)

    def _finish_iteration(self, row: Row, clock: "_Clock", *, evaluates: bool) -> None:
        if evaluates:
            row["evaluation"] = score = self._evaluated()
            sign, best = self.plan.score.sign, self.progress.best
            if best is None or sign * score > sign * best:
                self.progress.best = score
                self.folder.save_best(self.learner, self.progress)
        self.progress.wall_s += time.perf_counter() - clock.wall_s
        self.progress.processor_s += time.process_time() - clock.processor_s
        row |= {name: getattr(self.progress, name) for name in ("wall_s", "processor_s", "environment_s")}
        self.folder.rows.append(row)
        self.folder.save(self.learner, self.progress)

    def _look_around(self) -> None:
        """Play one episode of every copy, for the length of episodes and, before the first iteration, for scaling."""
        seeds = IterationSeeds.of(self.plan.seed, _BEFORE_ALL, self.plan.settings.num_envs)
        env = self.environments.training
        rollout = collect(env, self.learner.actor, seeds.instances, seeds.actions, self.device)
        self.steps_per_iteration = len(rollout.rewards) * self.plan.settings.num_envs
        if not self.folder.rows and self.plan.init is None:
            self.learner.fit_scaling(rollout.observations)

    def _evaluated(self) -> float:
        """The mean score on the instances of evaluation."""
        settings = self.plan.settings
        generator = np.random.default_rng(self.plan.seed) if settings.play == "sampled" else None
        seeds = evaluation_seeds(settings.evaluation_episodes)
        rollout = collect(self.environments.evaluation, self.learner.actor, seeds, generator, self.device)
        self.progress.environment_s += rollout.environment_s
        return self._score_of(rollout)

    def _score_of(self, rollout: Rollout) -> float:
        return float(np.mean(rollout.metrics[self.plan.score.metric]))

    def _news(self, iterations: int) -> IterationReport:
        steps = self.progress.iteration * self.steps_per_iteration
        return IterationReport(self.progress.iteration, iterations, steps, self.folder.rows[-1])

    def _described(self) -> AgentDescription:
        plan, baseline = self.plan, play_baseline(self.plan)
        return AgentDescription(
            format=FORMAT,
            agent=plan.settings.agent,
            environment=plan.environment,
            keywords=dict(plan.keywords),
            config=self.environments.config,
            seed=plan.seed,
            steps=plan.steps,
            hyperparameters=plan.settings.model_dump(mode="json"),
            sets=describe_sets(self.sets),
            num_actions=self.num_actions,
            score=plan.score.metric,
            baseline_agent=baseline.agent,
            baseline_score=baseline.score,
            command=plan.command,
            versions={"python": platform.python_version()}
            | {name: version(name) for name in ("crowdgym", "torch", "numpy")},
        )

    def _refuse_other_run(self) -> None:
        """See that this plan is the one that the folder's run has followed."""
        there = self.description
        asked: dict[str, tuple[Any, Any]] = {
            "environment": (there.environment, self.plan.environment),
            "seed": (there.seed, self.plan.seed),
            **_both(there.config, self.environments.config),
            **_both(there.hyperparameters, self.plan.settings.model_dump(mode="json")),
        }
        if self.plan.settings.learning_rate_schedule != "constant":
            asked["steps"] = (there.steps, self.plan.steps)  # the schedule ends with the run
        for name, (had, wanted) in asked.items():
            if had != wanted:
                raise ConfigError(
                    f"the run in {self.folder.path} has {name} = {had!r}, not {wanted!r}; "
                    "go on with it as it was begun, or give --out another folder"
                )


@dataclass(frozen=True)
class _Clock:
    """When an iteration began."""

    wall_s: float = field(default_factory=time.perf_counter)
    processor_s: float = field(default_factory=time.process_time)


def _both(had: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (had.get(name), wanted.get(name)) for name in {**had, **wanted}}


class _Logs:
    """TensorBoard's files. What an interrupted run wrote behind its last checkpoint is purged from them."""

    def __init__(self, folder: RunFolder, iteration: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder.path / TENSORBOARD), purge_step=iteration + 1)

    def __enter__(self) -> "_Logs":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, row: Row) -> None:
        for name, figure in row.items():
            self._writer.add_scalar(name, figure, row["iteration"])
