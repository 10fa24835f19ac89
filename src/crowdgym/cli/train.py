"""``crowdgym train``: train an agent."""

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdgym.cli.shared import completion
from crowdgym.cli.shared.assignments import keywords_of, lists_of
from crowdgym.cli.shared.engines import Address, Engine
from crowdgym.cli.shared.grouping import SectionedCommand, grouped
from crowdgym.cli.shared.options import EnvironmentName, Resume, Scenario, Seed, number, output_folder
from crowdgym.cli.shared.output import check_output_folder, print_listing, stderr
from crowdgym.cli.shared.progress import duration
from crowdgym.common.errors import ConfigError
from crowdgym.common.extras import needs
from crowdgym.execution.engines import EngineChoice, EngineName

if TYPE_CHECKING:
    from crowdgym.agents.catalogue import LearnerSpec
    from crowdgym.training.plan import TrainingPlan
    from crowdgym.training.run import IterationReport, TrainingRun
    from crowdgym.training.workers import EngineWorkers

app = typer.Typer()

_NEEDS = "'crowdgym train' needs --steps and --out; --settings lists the hyperparameters"


@dataclass(frozen=True)
class TaskOptions:
    """What is learnt."""

    section = "Environment and hyperparameters"

    scenario: Scenario = None
    assignments: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting of the environment or a hyperparameter; may be repeated.",
        ),
    ] = field(default_factory=list)
    mixes: Annotated[
        list[str],
        typer.Option(
            "--mix",
            metavar="NAME=V1,V2,…",
            help="Train one policy for several values of a setting of the environment; the others stay as they are.",
        ),
    ] = field(default_factory=list)
    strategy: Annotated[
        str | None, typer.Option(help="How centres of a federation learn together: short for --set strategy=NAME.")
    ] = None
    settings: Annotated[
        bool, typer.Option("--settings", help="Print the hyperparameters with defaults and meanings; train nothing.")
    ] = False

    @property
    def all_assignments(self) -> list[str]:
        """Those of ``--set``, and ``--strategy``."""
        return [*self.assignments, *([] if self.strategy is None else [f"strategy={self.strategy}"])]


@dataclass(frozen=True)
class RunOptions:
    """How long, and where it is kept."""

    section = "Run"

    steps: Annotated[
        int | None,
        number("Steps of the environment, summed over all its copies; rounds of a federation, which has a default."),
    ] = None
    out: Annotated[Path | None, output_folder("checkpoints, curve and logs")] = None
    resume: Resume = False
    init: Annotated[
        Path | None,
        typer.Option(help="Begin with the weights of another run, or of a scenario that CrowdGym has weights for."),
    ] = None
    seed: Seed = 0


@dataclass(frozen=True)
class MachineOptions:
    """What computes."""

    section = "Machine"

    device: Annotated[str, typer.Option(help="cpu or cuda: where networks learn. They are played on the CPU.")] = "cpu"
    threads: Annotated[int, number("Threads of the processor, for the networks and the copies.")] = 1
    jobs: Annotated[int, number("Processes in which the centres of a federation learn; 1: in this process.")] = 1
    workers: Annotated[int, number("Processes that play the episodes, with the same result; 1: this process.")] = 1
    engine: Engine = EngineName.LOCAL
    address: Address = None

    @contextmanager
    def playing(self, plan: "TrainingPlan", folder: Path) -> Iterator["EngineWorkers | None"]:
        """The workers of a plan, to the end of the block; None if this process plays."""
        if self.engine is EngineName.SLURM:
            raise ConfigError("--engine of 'crowdgym train' must be local or ray, got slurm")
        opened = EngineChoice(self.engine, self.workers, self.address).open(folder)
        if self.workers == 1 and self.engine is EngineName.LOCAL:
            yield None
            return
        from crowdgym.training.workers import EngineWorkers

        with opened as engine:
            yield EngineWorkers(engine, self.workers, plan.datasets())


@dataclass(frozen=True)
class TrainOptions:
    """All options of the command."""

    task: TaskOptions
    run: RunOptions
    machine: MachineOptions

    def command(self, agent: str, environment: str) -> str:
        """The command that makes the same run again."""
        task, run, machine = self.task, self.run, self.machine
        words = ["crowdgym", "train", agent, environment]
        words += ["--scenario", task.scenario] if task.scenario else []
        words += ["--steps", str(run.steps)] if run.steps else []
        words += ["--seed", str(run.seed), "--threads", str(machine.threads)]
        words += ["--init", run.init.name] if run.init else []
        words += ["--device", machine.device] if machine.device != "cpu" else []
        for assignment in task.all_assignments:
            words += ["--set", assignment]
        for mix in task.mixes:
            words += ["--mix", mix]
        return shlex.join([*words, "--out", self.folder.name])

    @property
    def folder(self) -> Path:
        """The folder of the run. Raises `ConfigError` if none is given."""
        if self.run.out is None:
            raise ConfigError(_NEEDS)
        return self.run.out


@app.command(cls=SectionedCommand)
@grouped
def train(
    agent: Annotated[
        str,
        typer.Argument(
            metavar="AGENT",
            help="A learner ('crowdgym agents' lists the learners), or your own LearnerSpec as module:ATTRIBUTE.",
            autocompletion=completion.learners,
        ),
    ],
    env: EnvironmentName,
    task: TaskOptions,
    run: RunOptions,
    machine: MachineOptions,
) -> None:
    """Train an agent. 'crowdgym run --agent OUT' plays it.

    On the CPU, the same seed and number of threads give the same weights. This also holds for a run that was stopped
    at any moment and continued with --resume.
    """
    # Bad input is found before the first step, as far as possible.
    from crowdgym.learners import find_learner

    learner, options = find_learner(agent), TrainOptions(task, run, machine)
    if task.settings:
        _print_settings(learner, env)
        return
    for package in learner.packages:
        if find_spec(package) is None:
            raise ConfigError(needs("'crowdgym train'", package))
    if machine.jobs > 1 and learner.client is None:
        raise ConfigError(f"--jobs is for learners from records of centres, and {agent} is none")
    _check_device(machine)
    check_output_folder(options.folder, "--out")
    plan = _plan(agent, learner, env, options)
    with (
        machine.playing(plan, options.folder) as workers,
        _run(replace(plan, workers=workers), options) as training,
        _shown(training) as watch,
    ):
        training(watch)
    _report(training)


def _print_settings(learner: "LearnerSpec", env: str) -> None:
    """Print the hyperparameters of a learner in an environment: names, defaults, meanings."""
    from crowdgym.training.hyperparameters import hyperparameters

    rows = [[each.name, each.text, each.meaning] for each in hyperparameters(learner, env)]
    title = f"hyperparameters of {learner.name} in {env} (--set NAME=VALUE)"
    print_listing(title, ["name", "default", "meaning"], rows)


def _check_device(options: MachineOptions) -> None:
    import torch

    if options.device not in ("cpu", "cuda"):
        raise ConfigError(f"--device must be cpu or cuda, got {options.device!r}")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda needs a CUDA device that PyTorch can use, but there is none")
    torch.set_num_threads(options.threads)


def _plan(agent: str, learner: "LearnerSpec", env_name: str, options: TrainOptions) -> "TrainingPlan":
    from crowdgym.training.hyperparameters import split_keywords
    from crowdgym.training.plan import TrainingPlan

    of_env, settings = split_keywords(
        learner, env_name, keywords_of(options.task.all_assignments, options.task.scenario)
    )
    steps = settings.usual_steps if options.run.steps is None else options.run.steps
    if steps is None:
        raise ConfigError(_NEEDS)
    return TrainingPlan(
        agent=agent,
        learner=learner,
        environment=env_name,
        keywords=of_env,
        settings=settings,
        steps=steps,
        seed=options.run.seed,
        threads=options.machine.threads,
        device=options.machine.device,
        command=options.command(agent, env_name),
        jobs=options.machine.jobs,
        init=None if options.run.init is None else _where_to_begin(options.run.init, agent, env_name),
        mix=lists_of(options.task.mixes, "--mix"),
    )


def _where_to_begin(init: Path, agent: str, env_name: str) -> Path:
    """The folder of another run; if there is none, that of the packaged weights for the scenario of this name."""
    from crowdgym.policies import packaged_weights, trained_scenarios

    if init.is_dir() or str(init) not in trained_scenarios(agent, env_name):
        return init
    return packaged_weights(agent, env_name, str(init))


@contextmanager
def _run(plan: "TrainingPlan", options: TrainOptions) -> Iterator["TrainingRun"]:
    from crowdgym.training.folder import RunFolder
    from crowdgym.training.run import TrainingRun

    folder = RunFolder(options.folder)
    if folder.holds_a_run() and not options.run.resume:
        raise ConfigError(f"{options.folder} holds a training run: continue it with --resume, or give another folder")
    run = TrainingRun(plan, folder)
    try:
        yield run
    finally:
        run.close()


@contextmanager
def _shown(run: "TrainingRun") -> Iterator[Callable[["IterationReport"], None]]:
    """A bar on a terminal, and a line for every evaluation, with the time left."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    metric, baseline = run.description.score, run.description.baseline_score
    against = f"{run.description.baseline_agent} {_figure(baseline)}"
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task("preparing (the first run compiles code)", total=None)

        began = _Began()

        def watch(report: "IterationReport") -> None:
            latest = report.row.get("training", report.row.get("evaluation", 0.0))
            described = f"{metric} {_figure(latest)} ({against})"
            progress.update(task, description=described, completed=report.iteration, total=report.iterations)
            if "evaluation" in report.row:
                score = report.row["evaluation"]
                ratio = f", {score / baseline:.3f} of it" if baseline else ""
                stderr.print(
                    f"iteration {report.iteration} of {report.iterations}, {report.steps:,} steps, "
                    f"{duration(report.row['wall_s'])}{began.left(report)}: {metric} {_figure(score)} "
                    f"({against}{ratio})",
                    soft_wrap=True,
                    highlight=False,
                )

        yield watch


class _Began:
    """When training began, or went on, to tell how long it will take."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None  # the iteration, and the clock

    def left(self, report: "IterationReport") -> str:
        """The time left in words; nothing before the second report, and at the end."""
        now_s = time.monotonic()
        if self._first is None:
            self._first = report.iteration, now_s
        iteration, first_s = self._first
        done, left = report.iteration - iteration, report.iterations - report.iteration
        return f", about {duration(left * (now_s - first_s) / done)} left" if done and left else ""


def _report(run: "TrainingRun") -> None:
    progress, description = run.progress, run.description
    if progress.iteration > run.trainer.iterations:
        typer.echo(
            f"the run had {progress.iteration} iterations already, more than the {run.trainer.iterations} of --steps: "
            "it was not trained further"
        )
    typer.echo(
        f"best {description.score} on {run.plan.settings.evaluation_episodes} held-out instances: "
        f"{_figure(progress.best or 0.0)}; {description.baseline_agent}: {_figure(description.baseline_score)}"
    )
    typer.echo(f"share of the time spent in the environment: {progress.environment_s / max(progress.wall_s, 1e-9):.0%}")
    typer.echo(f"trained agent: {run.folder.path}")


def _figure(score: float) -> str:
    return f"{score:,.0f}" if abs(score) >= 1000 else f"{score:.4g}"
