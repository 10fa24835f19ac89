"""The runs that a suite trains before it plays: jobs, and what is kept of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import crowdgym
from crowdgym.bench.hooks import load_hook
from crowdgym.bench.jobs import Assignments
from crowdgym.common.seeds import SUITES
from crowdgym.configs.learning import LearnerSettings
from crowdgym.configs.suites import SuiteSettings, Training
from crowdgym.learners import find_learner
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes

TRAINED_NAME: Final = "trained.jsonl"
TEACHERS_NAME: Final = "teachers.jsonl"
RUNS_NAME: Final = "runs"  # a folder of the run folder, with a folder for each run
CURVES: Final = ("steps", "evaluation", "alpha", "beta")  # of curve.csv, as far as they are there

Points = tuple[Assignments, ...]


@dataclass(frozen=True)
class TrainingJob:
    """A run of a learner.

    Attributes:
        suite: name of the suite.
        environment: where it is trained.
        scenario: likewise.
        learner: name of the learner.
        variant: name of the run among those of its scenario and seed.
        hyperparameters: those that are not the learner's defaults, and keywords of the environment.
        seed: of the run.
        steps: of the environment.
        init: folder of the run whose networks it begins with, if any.
        folder: of the run.
        points: the keywords of the grid points that its best policy plays.
        episodes: number of episodes at each of them.
        first_seed: of their instances.
    """

    suite: str
    environment: str
    scenario: str
    learner: str
    variant: str
    hyperparameters: Assignments
    seed: int
    steps: int
    init: Path | None
    folder: Path
    points: Points = ()
    episodes: int = 0
    first_seed: int = 0

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        return {"suite": self.suite, "scenario": self.scenario, "variant": self.variant, "seed": self.seed}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Job`."""
        return ""


def teacher_jobs(name: str, suite: SuiteSettings, folder: Path) -> list[TrainingJob]:
    """The clones that runs begin with, one for each scenario."""
    training = suite.training
    if training is None or training.teacher is None:
        return []
    settings = (*suite.settings.items(), ("teacher", training.teacher))
    return [
        TrainingJob(
            name,
            suite.environment,
            scenario,
            "clone",
            "clone",
            settings,
            0,
            training.teacher_steps,
            None,
            _teacher_folder(folder, scenario),
        )
        for scenario in suite.scenarios
    ]


def training_jobs(name: str, suite: SuiteSettings, folder: Path) -> list[TrainingJob]:
    """All runs of a suite, seed by seed."""
    training = suite.training
    if training is None:
        return []
    return [
        TrainingJob(
            name,
            suite.environment,
            scenario,
            training.learner,
            variant,
            (*suite.settings.items(), *hyperparameters.items()),
            seed,
            training.steps,
            None if training.teacher is None else _teacher_folder(folder, scenario),
            folder / RUNS_NAME / scenario / f"{variant} {seed}".replace(" ", "-"),
            _points(suite, training, scenario) if variant in training.variants else (),
            suite.episodes,
            suite.first_seed,
        )
        for seed in range(training.seeds)
        for scenario in suite.scenarios
        for variant, hyperparameters in training.runs().items()
        if seed == 0 or variant in training.variants
    ]


def check_training(name: str, suite: SuiteSettings) -> None:
    """Check the learner, the teacher and all hyperparameters.

    Raises:
        ConfigError: one of them does not exist, or cannot be used.
    """
    for job in (*teacher_jobs(name, suite, Path()), *training_jobs(name, suite, Path())):
        if job.seed == 0:
            _settings_of(job)
        teacher = dict(job.hyperparameters).get("teacher")
        if teacher is not None:
            load_policy(str(teacher), job.environment, job.scenario)


def _settings_of(job: TrainingJob) -> tuple[dict[str, Any], LearnerSettings]:
    """The keywords of the environment, and the settings of the learner."""
    from crowdgym.training.hyperparameters import split_keywords

    keywords = {"scenario": job.scenario, **dict(job.hyperparameters)}
    return split_keywords(find_learner(job.learner), job.environment, keywords)


def train(job: TrainingJob) -> dict[str, Any]:
    """Train to the end, from where an earlier run of the same folder was stopped.

    Returns:
        ``curve``: for each iteration that was evaluated a row of `CURVES`; ``processor_s``; and ``revenue``: for each
        grid point the objective of every episode of the best policy.
    """
    import torch

    from crowdgym.training.folder import RunFolder
    from crowdgym.training.plan import TrainingPlan
    from crowdgym.training.run import TrainingRun

    torch.set_num_threads(1)  # the result depends on it
    of_environment, settings = _settings_of(job)
    plan = TrainingPlan(
        agent=job.learner,
        learner=find_learner(job.learner),
        environment=job.environment,
        keywords=of_environment,
        settings=settings,
        steps=job.steps,
        seed=job.seed,
        threads=1,
        device="cpu",
        command=f"crowdgym bench {job.suite}",
        init=job.init,
    )
    folder = RunFolder(job.folder)
    run = TrainingRun(plan, folder)
    try:
        run(lambda report: None)
    finally:
        run.close()
    rows = [row for row in folder.rows if "evaluation" in row or "alpha" in row]
    return {
        "curve": [{name: float(row[name]) for name in CURVES if name in row} for row in rows],
        "processor_s": float(folder.rows[-1]["processor_s"]),
        "revenue": [_played(job, dict(point)) for point in job.points],
    }


def _played(job: TrainingJob, keywords: Mapping[str, Any]) -> list[float]:
    """The revenue of each episode at a grid point."""
    env = _environment(job.environment, job.scenario, tuple(keywords.items()))
    policy = load_policy(str(job.folder), job.environment)
    result = run_episodes(
        env,
        policy,
        agent=job.variant,
        episodes=job.episodes,
        seed=job.first_seed,
        first_number=SUITES.start,
    )
    return [float(episode.metrics["revenue"]) for episode in result.episodes]


@lru_cache(maxsize=2)
def _environment(environment: str, scenario: str, keywords: Assignments) -> Any:
    return crowdgym.make(environment, scenario=scenario, **dict(keywords))


def _teacher_folder(folder: Path, scenario: str) -> Path:
    return folder / RUNS_NAME / scenario / "clone"


def _points(suite: SuiteSettings, training: Training, scenario: str) -> Points:
    hook = load_hook(suite.hook)
    return tuple(
        tuple({**suite.settings, **hook.keywords(scenario, point)}.items())
        for point in suite.points()
        if training.plays(point)
    )
