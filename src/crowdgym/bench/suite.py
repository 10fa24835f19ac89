"""A suite, from its checked YAML file to the jobs of its benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import crowdgym
from crowdgym.bench.benchmark import Benchmark, JobList, Report
from crowdgym.bench.fingerprint import fingerprint, fingerprint_of_training
from crowdgym.bench.hooks import SuiteHook, load_hook
from crowdgym.bench.jobs import (
    Agent,
    Assignments,
    BoundJob,
    EpisodeJob,
    InstanceSpec,
    PolicyCheckJob,
    bound_instance,
    check_policy,
    keep_trace,
    play_episode,
    prepare,
)
from crowdgym.bench.published.figures import published_figures
from crowdgym.bench.report.files import output_names, write_report
from crowdgym.bench.run_folder import BOUNDS_NAME, FILE_NAME, RUN_FORMAT, TRACES_NAME
from crowdgym.bench.selection import only
from crowdgym.bench.training import (
    TEACHERS_NAME,
    TRAINED_NAME,
    TrainingJob,
    check_training,
    teacher_jobs,
    train,
    training_jobs,
)
from crowdgym.common.errors import ConfigError, DataError
from crowdgym.common.seeds import SUITES
from crowdgym.configs.loading import Settings
from crowdgym.configs.suites import GridPoint, SuiteSettings
from crowdgym.execution.fingerprint import digest_of_code
from crowdgym.execution.jobs import Engine, JobKind
from crowdgym.policies import digest_of, load_policy
from crowdgym.registration import environment_spec


@dataclass(frozen=True)
class Suite:
    """A suite, and the part of it that is played.

    Attributes:
        name: of the suite.
        settings: the settings of the suite, with the user's changes.
        page_mark: see `crowdgym.bench.benchmark.Benchmark`.
        isolated: whether CrowdGym's own agents play in processes of their own, too.
    """

    name: str
    settings: SuiteSettings
    page_mark: str = ""
    isolated: bool = False

    @property
    def hook(self) -> SuiteHook:
        """The hook of the suite."""
        return load_hook(self.settings.hook)

    def benchmark(
        self, engine: Engine, folder: Path, choices: Mapping[str, tuple[str, ...]], *, traces: bool
    ) -> Benchmark:
        """Check the suite and list its jobs.

        Args:
            engine: executes the checks of the user's own agents.
            folder: of the run.
            choices: the wanted values of some parameters; see `only`.
            traces: whether every episode is recorded.

        Raises:
            ConfigError: see `check` and `digests`.
        """
        self.check()

        def report(written: Path) -> Report:
            return write_report(written, self.name, self.settings)

        return Benchmark(
            self.name,
            self.job_lists(folder, choices, traces=traces),
            self.provenance(self.digests(engine)),
            output_names(self.settings),
            self.page_mark or self.name,
            report,
        )

    def check(self) -> None:
        """Check that everything that the suite names exists, except the user's own agents.

        Raises:
            ConfigError: something does not exist or cannot be used. The message names it.
        """
        suite = self.settings
        environment_spec(suite.environment)  # raises, and says which environments exist
        self._check_metrics()
        self._check_points()
        self._check_published()
        check_training(self.name, suite)
        for agent in map(Agent.of, suite.agents):
            is_known = agent.comes_with_crowdgym(suite.environment, suite.hook)
            for scenario in suite.scenarios:
                if is_known and agent.arguments:
                    check_policy(PolicyCheckJob(suite.environment, scenario, agent))
                elif not is_known and not agent.source(suite.environment, scenario).is_foreign:
                    load_policy(agent.policy, suite.environment, scenario)  # raises, and says which agents exist

    def own_agents(self) -> tuple[Agent, ...]:
        """The agents that do not come with CrowdGym."""
        suite = self.settings
        return tuple(
            agent
            for agent in map(Agent.of, suite.agents)
            if not agent.comes_with_crowdgym(suite.environment, suite.hook)
        )

    def digests(self, engine: Engine) -> dict[str, str]:
        """Try the user's own agents, each in a process of its own.

        Returns:
            By "AGENT on SCENARIO", a digest of the files of each; see `check_policy`.

        Raises:
            ConfigError: an agent cannot be made, or takes too long.
        """
        suite = self.settings
        jobs = [
            PolicyCheckJob(suite.environment, scenario, agent)
            for agent in self.own_agents()
            for scenario in suite.scenarios
        ]
        kind: JobKind[PolicyCheckJob] = JobKind(check_policy, time_limit_s=suite.time_limit_s)
        found = {}
        for job, outcome in engine.run(kind, jobs):
            agent = job.agent
            if outcome.failure is not None:
                named = agent.name in outcome.failure or agent.policy in outcome.failure
                raise ConfigError(
                    outcome.failure if named else f"the agent {agent.name!r} cannot be loaded: {outcome.failure}"
                )
            found[f"{agent.name} on {job.scenario}"] = str(outcome.values["digest"])
        return found

    def job_lists(
        self, folder: Path, choices: Mapping[str, tuple[str, ...]], *, traces: bool
    ) -> tuple[JobList[Any], ...]:
        """All jobs: the runs to be trained, the episodes, and the bounds of their instances.

        Args:
            folder: of the run.
            choices: see `only`.
            traces: whether every episode is recorded.
        """
        suite = self.settings
        episodes = [
            EpisodeJob(
                self.name,
                instance,
                agent,
                SUITES.start + instance.seed - suite.first_seed,
                self._trace(folder, instance, agent) if traces else None,
                self.isolated,
            )
            for instance in self._instances()
            for agent in self._agents_at(instance)
        ]
        if not episodes:
            raise ConfigError(f"no agent of the suite {self.name} plays a grid point of it")
        episodes = only(episodes, choices, self.name)
        played = list(dict.fromkeys(episode.instance for episode in episodes))
        bounds = [BoundJob(self.name, instance) for instance in played] if suite.share_of_bound else []
        episode_list = JobList(
            FILE_NAME,
            episodes,
            JobKind(play_episode, prepare, suite.time_limit_s, fingerprint),
            keeps_failures=True,
            is_complete=EpisodeJob.has_trace,
            keep=keep_trace,
        )
        bound_lists = (
            (JobList(BOUNDS_NAME, bounds, JobKind(bound_instance, prepare, fingerprint=fingerprint)),) if bounds else ()
        )
        return (*self._training_lists(folder), episode_list, *bound_lists)

    def _training_lists(self, folder: Path) -> tuple[JobList[Any], ...]:
        """The clones that runs begin with, and the runs, if there are any."""
        teachers, runs = teacher_jobs(self.name, self.settings, folder), training_jobs(self.name, self.settings, folder)
        lists = ((TEACHERS_NAME, teachers), (TRAINED_NAME, runs))
        kind: JobKind[TrainingJob] = JobKind(train, fingerprint=fingerprint_of_training)
        return tuple(JobList(name, jobs, kind) for name, jobs in lists if jobs)

    def provenance(self, digests: Mapping[str, str]) -> dict[str, Any]:
        """What the results depend on besides the parameters of an episode."""
        suite = self.settings
        first = suite.points()[0]
        base = {scenario: self._load(scenario, first).model_dump(mode="json") for scenario in suite.scenarios}
        varied = {scenario: {*suite.parameters, *self.hook.keywords(scenario, first)} for scenario in suite.scenarios}
        settings = {
            scenario: {name: value for name, value in values.items() if name not in varied[scenario]}
            for scenario, values in base.items()
        }
        return {
            "format": RUN_FORMAT,
            "suite": self.name,
            "environment": suite.environment,
            "crowdgym": crowdgym.__version__,
            "code of crowdgym": digest_of_code(),
            **({"own agents": "isolated"} if self.isolated else {}),
            **({} if suite.hook is None else {"files of the hook": digest_of(self.hook, self.hook.files)}),
            **({} if suite.training is None else {"training": suite.training.model_dump(mode="json")}),
            **{f"settings of {scenario}": values for scenario, values in settings.items()},
            **{
                f"agent {agent.name}": self._described(agent)
                for agent in map(Agent.of, suite.agents)
                if agent.arguments
            },
            **{f"files of {agent}": digest for agent, digest in digests.items()},
        }

    def _described(self, agent: Agent) -> dict[str, Any]:
        return {"policy": agent.policy, "arguments": dict(agent.arguments)}

    def _instances(self) -> list[InstanceSpec]:
        suite = self.settings
        settings: Assignments = tuple(suite.settings.items())
        seeds = range(suite.first_seed, suite.first_seed + suite.episodes)
        return [
            InstanceSpec(suite.environment, scenario, settings, tuple(point.items()), seed, suite.hook)
            for scenario in suite.scenarios
            for point in suite.points()
            for seed in seeds
        ]

    def _agents_at(self, instance: InstanceSpec) -> list[Agent]:
        """The agents that play an instance."""
        return [Agent.of(entry) for entry in self.settings.agents if entry.plays(dict(instance.point))]

    def _trace(self, folder: Path, instance: InstanceSpec, agent: Agent) -> Path:
        point = "-".join(f"{name}={value}" for name, value in instance.point)
        name = f"{instance.scenario}-{point}-{agent.name.replace(':', '.')}-seed={instance.seed}.trace"
        return folder / TRACES_NAME / name.replace("/", "_")

    def _check_metrics(self) -> None:
        suite = self.settings
        spec = environment_spec(suite.environment)
        known = (*(metric.name for metric in spec.metrics), *self.hook.metrics)
        wrong = next((metric for metric in suite.metrics if metric not in known), None)
        if wrong is not None:
            raise ConfigError(f"{self._of('metrics')} must be some of {', '.join(known)}, got {wrong!r}")
        if suite.share_of_bound and (spec.bound is None or spec.bound.metric not in suite.metrics):
            there = "no bound" if spec.bound is None else f"a bound of {spec.bound.metric}"
            raise ConfigError(
                f"{self._of('share_of_bound')} must be false: {spec.name} has {there}, "
                f"and the suite is about {', '.join(suite.metrics)}"
            )

    def _check_points(self) -> None:
        """Check the settings of every grid point, and the data of every scenario."""
        for scenario in self.settings.scenarios:
            for point in self.settings.points():
                self._load(scenario, point)
            for sweep in self.settings.grid:  # the first and the last point have the extreme sizes of most sweeps
                points = self.settings.points_of(sweep)
                for point in (points[0], points[-1]):
                    self._make(scenario, point)

    def _check_published(self) -> None:
        suite = self.settings
        for figure in published_figures(suite):
            if sorted(figure.at) != sorted(suite.parameters):
                raise ConfigError(
                    f"every figure of {self._of('published')} must be at a value of {', '.join(suite.parameters)}, "
                    f"got {figure.at!r}"
                )
            if figure.metric is not None and figure.metric not in suite.metrics:
                raise ConfigError(
                    f"every figure of {self._of('published')} must have one of the metrics {', '.join(suite.metrics)}, "
                    f"got {figure.metric!r}"
                )

    def _make(self, scenario: str, point: GridPoint) -> None:
        suite = self.settings
        try:
            crowdgym.make(
                suite.environment, scenario=scenario, **{**suite.settings, **self.hook.keywords(scenario, point)}
            )
        except DataError as error:
            raise self._missing(scenario, error) from error
        except ConfigError as error:
            raise ConfigError(f"the suite {self.name}, on {scenario}: {error}") from error

    def _load(self, scenario: str, point: GridPoint) -> Settings:
        suite = self.settings
        try:
            keywords = {"scenario": scenario, **suite.settings, **self.hook.keywords(scenario, point)}
            if "strict" in keywords:
                raise ConfigError("settings must not have 'strict': illegal actions are counted, not raised")
            loaded: Settings = environment_spec(suite.environment).settings_class().load(**keywords)
        except DataError as error:
            raise self._missing(scenario, error) from error
        except ConfigError as error:
            raise ConfigError(f"the suite {self.name}: {error}") from error
        return loaded

    def _missing(self, scenario: str, error: DataError) -> ConfigError:
        hint = self.hook.data_hint(scenario)
        also = f"; {hint}" if hint else ""
        return ConfigError(f"the suite {self.name} needs the scenario {scenario!r}{also}: {error}")

    def _of(self, key: str) -> str:
        return f"{key} of the suite {self.name}"
