"""The training run: iterations, evaluation, checkpoints, logs. It uses a `Trainer` and knows no learner."""

import platform
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from crowdgym.agents.learning.checkpoint import read_tensors
from crowdgym.agents.learning.description import FORMAT, AgentDescription, SetDescription
from crowdgym.common.errors import ConfigError, UnwritableError
from crowdgym.common.files import writing
from crowdgym.common.layout import ObservationLayout
from crowdgym.configs.loading import load_settings
from crowdgym.training.folder import TENSORBOARD, Row, RunFolder, newest_weights
from crowdgym.training.plan import TrainingPlan, play_baseline


@dataclass(frozen=True)
class IterationReport:
    """The progress of a run after an iteration.

    Attributes:
        iteration: number of finished iterations.
        iterations: number of iterations of the whole run; not fewer than are finished.
        steps: environment steps played so far.
        row: all figures, as in ``curve.csv``; ``evaluation`` only if the iteration was evaluated.
    """

    iteration: int
    iterations: int
    steps: int
    row: Mapping[str, float]


class TrainingRun:
    """A training run, from its first iteration or from its last checkpoint.

    Args:
        plan: the plan of the run.
        folder: the folder of the run.

    Raises:
        ConfigError: the folder holds another run, or a run that cannot be resumed.
    """

    def __init__(self, plan: TrainingPlan, folder: RunFolder) -> None:
        self.plan, self.folder = plan, folder
        self.trainer = plan.make_trainer()
        if folder.holds_a_run():
            self.description = folder.description()
            self._refuse_other_run()
        else:
            self.description = self._described()
        if plan.init is not None:
            self.trainer.start_from(read_tensors(newest_weights(plan.init)))
        self.progress = folder.resume(self.trainer)

    def __call__(self, watch: Callable[[IterationReport], None]) -> None:
        """Train to the end; ``watch`` is called after every iteration."""
        if not self.folder.holds_a_run():
            self.folder.begin(self.description)
        self.trainer.begin(fresh=not self.folder.rows and self.plan.init is None)
        if not self.folder.rows:
            self._finish_iteration({"iteration": 0, "steps": 0}, _Clock(), evaluates=True)
        with _Logs(self.folder) as logs:
            watch(self._report())
            while self.progress.iteration < self.trainer.iterations:
                self._iterate()
                logs.write(self.folder.rows[-1])
                watch(self._report())

    def close(self) -> None:
        """Close the environments."""
        self.trainer.close()

    def _iterate(self) -> None:
        clock = _Clock()
        figures = self._taken_in(self.trainer.iterate(self.progress.iteration))
        self.progress.iteration += 1
        number = self.progress.iteration
        row = {"iteration": number, "steps": number * self.trainer.steps_per_iteration, **figures}
        last = number == self.trainer.iterations
        self._finish_iteration(row, clock, evaluates=last or number % self.plan.settings.evaluation_every == 0)

    def _finish_iteration(self, row: Row, clock: "_Clock", *, evaluates: bool) -> None:
        if evaluates:
            row |= self._taken_in(self.trainer.evaluate())
            score, merit = row["evaluation"], row.get("selection", self.plan.objective.sign * row["evaluation"])
            if self.progress.merit is None or merit > self.progress.merit:
                self.progress.best, self.progress.merit = score, merit
                self.folder.save_best(self.trainer, self.progress)
        self.progress.wall_s += time.perf_counter() - clock.wall_s
        self.progress.processor_s += time.process_time() - clock.processor_s
        row |= {name: getattr(self.progress, name) for name in ("wall_s", "processor_s", "environment_s")}
        self.folder.rows.append(row)
        self.folder.save(self.trainer, self.progress)

    def _taken_in(self, figures: Mapping[str, float]) -> Row:
        """The figures without the time in the environment, which is summed over the run."""
        row = dict(figures)
        self.progress.environment_s += row.pop("environment_s", 0.0)
        return row

    def _report(self) -> IterationReport:
        number = self.progress.iteration
        steps = number * self.trainer.steps_per_iteration
        return IterationReport(number, max(number, self.trainer.iterations), steps, self.folder.rows[-1])

    def _described(self) -> AgentDescription:
        plan, baseline, env = self.plan, play_baseline(self.plan), self.plan.make_env()
        first = env.possible_agents[0]
        return AgentDescription(
            format=FORMAT,
            agent=plan.agent,
            environment=plan.environment,
            keywords=dict(plan.keywords),
            mix={name: list(values) for name, values in plan.mix.items()},
            config=env.settings.model_dump(mode="json"),
            seed=plan.seed,
            steps=plan.steps,
            threads=plan.threads,
            hyperparameters=plan.settings.model_dump(mode="json"),
            sets=_described_sets(env.metadata, env.observation_space(first).shape[0]),
            num_actions=int(env.action_space(first).n),
            score=plan.objective.metric,
            baseline_agent=baseline.agent,
            baseline_score=baseline.score,
            command=plan.command,
            versions={"python": platform.python_version()}
            | {name: version(name) for name in ("crowdgym", "torch", "numpy")},
        )

    def _refuse_other_run(self) -> None:
        """Check that the run in the folder has the same plan."""
        there, settings = self.description, self.plan.make_env().settings
        # Settings and hyperparameters that are newer than the run have their defaults.
        had = load_settings(type(settings), there.config)
        defaults = self.plan.settings.load(self.plan.environment).model_dump(mode="json")
        asked: dict[str, tuple[Any, Any]] = {
            "agent": (there.agent, self.plan.agent),
            "environment": (there.environment, self.plan.environment),
            "seed": (there.seed, self.plan.seed),
            "threads": (self.plan.threads if there.threads is None else there.threads, self.plan.threads),
            "mix": (there.mix, {name: list(values) for name, values in self.plan.mix.items()}),
            **_both(had.model_dump(mode="json"), settings.model_dump(mode="json")),
            **_both({**defaults, **there.hyperparameters}, self.plan.settings.model_dump(mode="json")),
        }
        if self.plan.settings.length_matters:
            asked["steps"] = (there.steps, self.plan.steps)
        for name, (was, wanted) in asked.items():
            if was != wanted:
                raise ConfigError(
                    f"the run in {self.folder.path} has {name} = {was!r}, not {wanted!r}; "
                    "resume it with the same values, or give another --out"
                )


@dataclass(frozen=True)
class _Clock:
    """When an iteration began."""

    wall_s: float = field(default_factory=time.perf_counter)
    processor_s: float = field(default_factory=time.process_time)


def _both(had: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (had.get(name), wanted.get(name)) for name in {**had, **wanted}}


def _described_sets(metadata: Mapping[str, Any], width: int) -> tuple[SetDescription, ...]:
    return tuple(
        SetDescription(name=part.name, start=part.start, rows=part.rows, features=part.features)
        for part in ObservationLayout.from_metadata(metadata, width)
    )


class _Logs:
    """TensorBoard's files, by step. Entries that an interrupted run wrote after its last checkpoint are purged.

    Names without a group, such as ``evaluation``, are under ``charts/``, as in CleanRL.

    Raises:
        UnwritableError: they cannot be written.
    """

    def __init__(self, folder: RunFolder) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._path = folder.path / TENSORBOARD
        steps = int(folder.rows[-1]["steps"])
        with writing(self._path):
            self._writer = SummaryWriter(str(self._path), purge_step=steps + 1)

    def __enter__(self) -> "_Logs":
        self._excepthook, threading.excepthook = threading.excepthook, self._hush
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            with writing(self._path):
                self._writer.close()
        except UnwritableError:
            if kind is None:  # else the first error is the one to tell
                raise
        finally:
            threading.excepthook = self._excepthook

    def write(self, row: Row) -> None:
        figures = row | {"SPS": row["steps"] / row["wall_s"]}
        with writing(self._path):
            for name, figure in figures.items():
                self._writer.add_scalar(name if "/" in name else f"charts/{name}", figure, row["steps"])

    def _hush(self, raised: threading.ExceptHookArgs) -> None:
        """TensorBoard writes in a thread of its own, and raises what failed there again at the next call."""
        if not isinstance(raised.exc_value, OSError):
            self._excepthook(raised)
