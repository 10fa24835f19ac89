"""A sweep: trials of a learner with values that Optuna chooses from those before.

The values of a trial follow from the plan and the results of the trials before its group, so a sweep that was stopped
and goes on has the same trials, on any number of processes and on any engine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import yaml

from crowdgym.common.errors import ConfigError
from crowdgym.common.files import make_folder, write_bytes
from crowdgym.common.yaml_text import parse_yaml
from crowdgym.configs.sweeps import Choices, Searched, SweepSettings
from crowdgym.execution.jobs import Engine, JobKind
from crowdgym.registration import environment_spec
from crowdgym.training.trial import Trial, fingerprint_of_trial, open_study, train_trial

PLAN = "plan.yaml"


@dataclass(frozen=True)
class TrialResult:
    """A trial that is over.

    Attributes:
        number: of the trial.
        values: what was searched.
        score: mean over the training seeds of the best evaluation; where it was pruned, the evaluation there.
        baseline: what a policy without learning has on the same instances.
        pruned_at: the iteration at which it was pruned, or None.
        command: repeats its first training run.
    """

    number: int
    values: Mapping[str, Any]
    score: float
    baseline: float
    pruned_at: int | None
    command: str


@dataclass(frozen=True)
class Sweep:
    """A sweep in a folder.

    Args:
        learner: name of the learner.
        settings: the plan.
        folder: where it is kept; all machines of the engine must see it.
    """

    learner: str
    settings: SweepSettings
    folder: Path

    def run(self, engine: Engine, watch: Callable[[TrialResult], object]) -> None:
        """Run the trials that are not over; ``watch`` is called after each.

        Raises:
            ConfigError: the folder holds another sweep, a value cannot be used, or a trial failed.
        """
        self._begin()
        study = open_study(self.folder, self.direction)
        kind: JobKind[Trial] = JobKind(train_trial, fingerprint=fingerprint_of_trial)
        for first in range(0, self.settings.trials, self.settings.together):
            group = range(first, min(first + self.settings.together, self.settings.trials))
            trials = [self._trial(study, number) for number in group]
            waiting = [trial for trial in trials if not study.trials[trial.number].state.is_finished()]
            found = {}
            for trial, outcome in engine.run(kind, waiting):
                if outcome.failure is not None:
                    raise ConfigError(f"trial {trial.number} failed: {outcome.failure}")
                found[trial.number] = outcome.values
                watch(self._result(study.trials[trial.number], outcome.values))
            for trial in waiting:  # only now, so that no trial of the group sees how another has ended
                self._tell(study, trial, found[trial.number])

    def results(self) -> list[TrialResult]:
        """All trials that are over, in their order."""
        study = open_study(self.folder, self.direction)
        return [self._result(one, one.user_attrs) for one in study.trials if one.state.is_finished()]

    @property
    def direction(self) -> Literal["minimize", "maximize"]:
        """Whether the metric of the environment is to be large or small, as Optuna says it."""
        return "maximize" if environment_spec(self.settings.environment).objective.sign > 0 else "minimize"

    def check(self) -> None:
        """Check the plan with the first values of what is searched, and what the folder holds. Writes nothing.

        Raises:
            ConfigError: a value cannot be used, or the folder holds a sweep with another plan.
        """
        self._as_trial(0, -1, self._first_values()).plan(self.settings.training_seeds[0])
        file = self.folder / PLAN
        if file.is_file():
            before = parse_yaml(file.read_text(encoding="utf-8"))
            if not isinstance(before, dict) or {**before, "trials": 0} != {**self._as_document(), "trials": 0}:
                raise ConfigError(f"{self.folder} holds a sweep with another plan; use another --out")

    def _as_document(self) -> dict[str, Any]:
        return {"learner": self.learner, **self.settings.model_dump(mode="json")}

    def _begin(self) -> None:
        self.check()
        make_folder(self.folder)
        write_bytes(self.folder / PLAN, yaml.safe_dump(self._as_document(), sort_keys=False).encode())

    def _trial(self, study: Any, number: int) -> Trial:
        """A trial, with values chosen anew if it has not been asked for."""
        import optuna

        if number >= len(study.trials):
            study.sampler = optuna.samplers.TPESampler(seed=self.settings.seed * 1_000_003 + number)
            study.ask({name: _distribution(one) for name, one in self.settings.search.items()})
        known = study.trials[number]
        return self._as_trial(number, known._trial_id, known.params)

    def _as_trial(self, number: int, optuna_id: int, values: Mapping[str, Any]) -> Trial:
        settings = self.settings
        scenario = {} if settings.scenario is None else {"scenario": settings.scenario}
        return Trial(
            number=number,
            optuna_id=optuna_id,
            folder=self.folder.absolute(),
            learner=self.learner,
            environment=settings.environment,
            keywords=tuple({**scenario, **settings.settings, **values}.items()),
            mix=tuple(settings.mix.items()),
            steps=settings.steps,
            seeds=settings.training_seeds,
            prune=settings.prune,
        )

    def _first_values(self) -> dict[str, Any]:
        search = self.settings.search.items()
        return {name: one.choices[0] if isinstance(one, Choices) else one.low for name, one in search}

    def _tell(self, study: Any, trial: Trial, values: Mapping[str, Any]) -> None:
        import optuna

        for name, value in values.items():
            optuna.trial.Trial(study, trial.optuna_id).set_user_attr(name, value)
        if values["pruned_at"] is None:
            study.tell(trial.number, fmean(values["scores"]))
        else:
            study.tell(trial.number, state=optuna.trial.TrialState.PRUNED)

    def _result(self, known: Any, values: Mapping[str, Any]) -> TrialResult:
        trial = self._as_trial(known.number, known._trial_id, known.params)
        return TrialResult(
            number=known.number,
            values=dict(known.params),
            score=fmean(values["scores"]),
            baseline=values["baseline"],
            pruned_at=values["pruned_at"],
            command=trial.command(self.settings.training_seeds[0]),
        )


def _distribution(searched: Searched) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(searched, Choices):
        return CategoricalDistribution(searched.choices)
    if searched.is_whole:
        return IntDistribution(int(searched.low), int(searched.high), log=searched.log)
    return FloatDistribution(float(searched.low), float(searched.high), log=searched.log)


def report(sweep: Sweep, results: Sequence[TrialResult]) -> str:
    """The page with the result, in Markdown."""
    settings, objective = sweep.settings, environment_spec(sweep.settings.environment).objective
    best_first = sorted(results, key=lambda one: (one.pruned_at is not None, -objective.sign * one.score, one.number))
    names = list(settings.search)
    lines = [
        f"# {settings.about}",
        "",
        f"`crowdgym sweep {sweep.learner}` in `{settings.environment}`: {len(results)} trials of {settings.steps:,} "
        f"steps, each with the training seeds {', '.join(map(str, settings.training_seeds))}. A score is the mean over "
        f"the seeds of the best evaluation ({objective.metric}); a policy without learning has "
        f"{best_first[0].baseline:,.1f} on the same instances. These instances choose the best trial and measure it, "
        "so its score flatters: measure it with `crowdgym bench` on other seeds.",
        "",
        f"| trial | {' | '.join(names)} | {objective.metric} | pruned at iteration |",
        f"| ---: | {' | '.join('---' for _ in names)} | ---: | ---: |",
    ]
    for one in best_first:
        cells = [str(one.number), *(_shown(one.values[name]) for name in names), f"{one.score:,.1f}"]
        lines.append(f"| {' | '.join(cells)} | {'' if one.pruned_at is None else one.pruned_at} |")
    return "\n".join([*lines, "", "The best trial again:", "", f"    {best_first[0].command}", ""])


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
