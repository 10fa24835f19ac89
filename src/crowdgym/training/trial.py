"""One trial of a sweep: training runs with the same values and different seeds."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crowdgym.configs.suites import Scalar
from crowdgym.learners import find_learner
from crowdgym.training.fingerprint import fingerprint_of_networks
from crowdgym.training.folder import RunFolder
from crowdgym.training.hyperparameters import split_keywords
from crowdgym.training.plan import TrainingPlan
from crowdgym.training.run import IterationReport, TrainingRun

JOURNAL = "trials.journal"  # Optuna's file, in the folder of the sweep
STUDY = "sweep"  # its name in this file


@dataclass(frozen=True)
class Trial:
    """A trial, as a job; see `crowdgym.execution.jobs.Job`.

    Attributes:
        number: of the trial in the sweep, from 0 on.
        optuna_id: its number in Optuna's file.
        folder: of the sweep; all machines must see it.
        learner: its name.
        environment: its name.
        keywords: of the environment and of the learner, those that are searched included.
        mix: see ``crowdgym train --mix``.
        steps: of every training run.
        seeds: of the training runs.
        prune: whether the trial may end early.
    """

    number: int
    optuna_id: int
    folder: Path
    learner: str
    environment: str
    keywords: tuple[tuple[str, Scalar], ...]
    mix: tuple[tuple[str, tuple[Scalar, ...]], ...]
    steps: int
    seeds: tuple[int, ...]
    prune: bool

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        return {"trial": self.number, **dict(self.keywords)}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Job`. Trials of one learner may share processes."""
        return ""

    def plan(self, seed: int) -> TrainingPlan:
        """The plan of one training run. Raises `ConfigError` for a value that cannot be used."""
        spec = find_learner(self.learner)
        of_env, settings = split_keywords(spec, self.environment, dict(self.keywords))
        return TrainingPlan(
            agent=self.learner,
            learner=spec,
            environment=self.environment,
            keywords=of_env,
            settings=settings,
            steps=self.steps,
            seed=seed,
            threads=1,
            device="cpu",
            command=self.command(seed),
            mix=dict(self.mix),
        )

    def command(self, seed: int) -> str:
        """The command that makes the same training run by itself."""
        words = ["crowdgym", "train", self.learner, self.environment, "--steps", str(self.steps), "--seed", str(seed)]
        for name, value in self.keywords:
            words += ["--scenario", str(value)] if name == "scenario" else ["--set", f"{name}={_as_text(value)}"]
        for name, values in self.mix:
            words += ["--mix", f"{name}={','.join(map(_as_text, values))}"]
        return shlex.join([*words, "--out", f"trial-{self.number}"])

    def run_folder(self, seed: int) -> Path:
        """The folder of one training run."""
        return self.folder / f"trial-{self.number:05d}" / f"seed-{seed}"


def fingerprint_of_trial(trial: Trial) -> dict[str, str]:
    """See `crowdgym.training.fingerprint.fingerprint_of_networks`."""
    return fingerprint_of_networks(*trial.plan(trial.seeds[0]).datasets())


def train_trial(trial: Trial) -> dict[str, Any]:
    """Train with every seed, or to the point where the trial is pruned; what is finished already is not repeated.

    Returns:
        ``scores``: the best evaluation of each run; ``baseline``: what a policy without learning has on the same
        instances; ``pruned_at``: the iteration, or None.
    """
    import torch

    torch.set_num_threads(1)
    scores, baseline = [], 0.0
    for number, seed in enumerate(trial.seeds):
        watch = _Watch(trial) if trial.prune and number == 0 else None
        run = TrainingRun(trial.plan(seed), RunFolder(trial.run_folder(seed)))
        try:
            run(watch or (lambda _: None))
        except _PrunedError as pruned:
            return {"scores": [pruned.score], "baseline": run.description.baseline_score, "pruned_at": pruned.iteration}
        finally:
            run.close()
        scores.append(run.progress.best)
        baseline = run.description.baseline_score
    return {"scores": scores, "baseline": baseline, "pruned_at": None}


class _PrunedError(Exception):
    def __init__(self, iteration: int, score: float) -> None:
        super().__init__(iteration)
        self.iteration, self.score = iteration, score


class _Watch:
    """Tells Optuna of every evaluation, and ends a run that it prunes."""

    def __init__(self, trial: Trial) -> None:
        import optuna

        self.trial = optuna.trial.Trial(open_study(trial.folder), trial.optuna_id)
        self.reported = set(self.trial.study.trials[trial.number].intermediate_values)

    def __call__(self, report: IterationReport) -> None:
        if "evaluation" not in report.row:
            return
        evaluation = float(report.row["evaluation"])
        if report.iteration not in self.reported:
            self.trial.report(evaluation, report.iteration)
        if report.iteration < report.iterations and self.trial.should_prune():
            raise _PrunedError(report.iteration, evaluation)


def open_study(folder: Path, direction: Literal["minimize", "maximize"] | None = None) -> Any:
    """Optuna's study in the folder of a sweep. With a direction, a study that is not there is begun."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
    pruner = optuna.pruners.MedianPruner()
    if direction is None:
        return optuna.load_study(study_name=STUDY, storage=storage, pruner=pruner)
    return optuna.create_study(
        study_name=STUDY, storage=storage, pruner=pruner, direction=direction, load_if_exists=True
    )


def _as_text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
