"""What ``crowdgym train`` does."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from crowdgym.cli.output import check_output_folder, stderr
from crowdgym.cli.run import check_run, keywords_of
from crowdgym.common.errors import ConfigError
from crowdgym.learners import find_learner
from crowdgym.policies import NEEDS_EXTRA

if TYPE_CHECKING:
    from crowdgym.agents.catalogue import LearnerSpec
    from crowdgym.training.plan import TrainingPlan
    from crowdgym.training.run import IterationReport, TrainingRun


@dataclass(frozen=True)
class TrainOptions:
    """The options of the command, as they were given."""

    steps: int
    out: Path
    scenario: str | None
    init: Path | None
    resume: bool
    device: str
    threads: int
    seed: int
    assignments: list[str]

    def command(self, agent: str, environment: str) -> str:
        """What one types to have the same run again."""
        words = ["crowdgym", "train", agent, environment]
        words += ["--scenario", self.scenario] if self.scenario else []
        words += ["--steps", str(self.steps), "--seed", str(self.seed), "--threads", str(self.threads)]
        words += ["--init", self.init.name] if self.init else []
        words += ["--device", self.device] if self.device != "cpu" else []
        for assignment in self.assignments:
            words += ["--set", assignment]
        return shlex.join([*words, "--out", self.out.name])


def train_command(agent: str, env_name: str, options: TrainOptions) -> None:
    """See `crowdgym.cli.main.train`. Bad input is found before the first step, as far as possible."""
    learner = find_learner(agent)
    check_run(env_name, 1, options.seed)
    if options.steps < 1 or options.threads < 1:
        raise ConfigError(f"--steps and --threads must be at least 1, got {options.steps} and {options.threads}")
    for package in learner.packages:
        if find_spec(package) is None:
            raise ConfigError(f"'crowdgym train' needs {package}: {NEEDS_EXTRA}")
    _check_device(options)
    check_output_folder(options.out, "--out")
    with _run(_plan(agent, learner, env_name, options), options) as run, _shown(run) as watch:
        run(watch)
    _report(run)


def settings_command(agent: str, env_name: str) -> None:
    """Print the hyperparameters of a learner in an environment: names, defaults, meanings."""
    from crowdgym.training.hyperparameters import hyperparameters

    learner = find_learner(agent)
    check_run(env_name, 1, 0)
    rows = [(each.name, each.text, each.meaning) for each in hyperparameters(learner, env_name)]
    wide, wider = (max(len(row[column]) for row in rows) for column in (0, 1))
    typer.echo(f"hyperparameters of {agent} in {env_name}; --set NAME=VALUE changes one")
    for name, default, meaning in rows:
        typer.echo(f"  {name:{wide}}  {default:{wider}}  {meaning}".rstrip())


def _check_device(options: TrainOptions) -> None:
    import torch

    if options.device not in ("cpu", "cuda"):
        raise ConfigError(f"--device must be cpu or cuda, got {options.device!r}")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda needs a CUDA device that PyTorch can use, and there is none here")
    torch.set_num_threads(options.threads)


def _plan(agent: str, learner: "LearnerSpec", env_name: str, options: TrainOptions) -> "TrainingPlan":
    from crowdgym.training.hyperparameters import split_keywords
    from crowdgym.training.plan import TrainingPlan, score_of

    score_of(env_name)  # refuses what has none
    of_env, settings = split_keywords(learner, env_name, keywords_of(options.assignments, options.scenario))
    return TrainingPlan(
        agent=agent,
        learner=learner,
        environment=env_name,
        keywords=of_env,
        settings=settings,
        steps=options.steps,
        seed=options.seed,
        threads=options.threads,
        device=options.device,
        command=options.command(agent, env_name),
        init=options.init,
    )


@contextmanager
def _run(plan: "TrainingPlan", options: TrainOptions) -> Iterator["TrainingRun"]:
    from crowdgym.training.folder import RunFolder
    from crowdgym.training.run import TrainingRun

    folder = RunFolder(options.out)
    if folder.holds_a_run() and not options.resume:
        raise ConfigError(f"{options.out} holds a training run: go on with --resume, or give another folder")
    run = TrainingRun(plan, folder)
    try:
        yield run
    finally:
        run.close()


@contextmanager
def _shown(run: "TrainingRun") -> Iterator[Callable[["IterationReport"], None]]:
    """A bar on a terminal, and a line for every evaluation."""
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
        task = progress.add_task("getting ready (compiles at first)", total=None)

        def watch(report: "IterationReport") -> None:
            latest = report.row.get("training", report.row.get("evaluation", 0.0))
            described = f"{metric} {_figure(latest)} ({against})"
            progress.update(task, description=described, completed=report.iteration, total=report.iterations)
            if "evaluation" in report.row:
                score = report.row["evaluation"]
                ratio = f", {score / baseline:.3f} of it" if baseline else ""
                stderr.print(
                    f"iteration {report.iteration} of {report.iterations}, {report.steps:,} steps, "
                    f"{report.row['wall_s'] / 60:.1f} min: {metric} {_figure(score)} ({against}{ratio})",
                    soft_wrap=True,
                    highlight=False,
                )

        yield watch


def _report(run: "TrainingRun") -> None:
    progress, description = run.progress, run.description
    typer.echo(
        f"best {description.score} on {run.plan.settings.evaluation_episodes} held-out instances: "
        f"{_figure(progress.best or 0.0)}; {description.baseline_agent}: {_figure(description.baseline_score)}"
    )
    typer.echo(f"share of the time spent in the environment: {progress.environment_s / max(progress.wall_s, 1e-9):.0%}")
    typer.echo(f"trained agent: {run.folder.path}")


def _figure(score: float) -> str:
    return f"{score:,.0f}" if abs(score) >= 1000 else f"{score:.4g}"
