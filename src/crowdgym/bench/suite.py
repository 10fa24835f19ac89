"""A suite that is a grid of cells, from its checked YAML file to the work that there is to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import crowdgym
from crowdgym.bench.jobs import (
    BOUNDED_METRIC,
    BOUNDS,
    Assignments,
    BoundWork,
    EpisodeWork,
    Instance,
    PolicyWork,
    bound_instance,
    play_episode,
    prepare,
    try_policy,
)
from crowdgym.bench.published.points import published_points
from crowdgym.bench.run_folder import BOUNDS_NAME, FILE_NAME, TRACES_NAME
from crowdgym.bench.selection import only
from crowdgym.common.errors import ConfigError, DataError
from crowdgym.configs.loading import Settings
from crowdgym.configs.suites import Cell, SuiteSettings
from crowdgym.execution.jobs import Benchmark, Part, Report, Task
from crowdgym.execution.processes import WorkerPool
from crowdgym.policies import load_policy, policy_names

_SETTINGS = {
    "csc_v0": ("crowdgym.configs.csc", "CscSettings", "crowdgym.envs.csc.kernel.simulation"),
    "dasc_v0": ("crowdgym.configs.dasc", "DascSettings", "crowdgym.envs.dasc.kernel.simulation"),
    "sensing_v0": ("crowdgym.configs.sensing", "SensingSettings", "crowdgym.envs.sensing.kernel.simulation"),
}


@dataclass(frozen=True)
class GridSuite:
    """A suite that is a grid, and what of it is to be played.

    Attributes:
        name: of the suite.
        settings: what is played, every change that was asked for made.
    """

    name: str
    settings: SuiteSettings

    def benchmark(
        self, pool: WorkerPool, folder: Path, choices: Mapping[str, tuple[str, ...]], *, traces: bool
    ) -> Benchmark:
        """Check the suite and say what there is to do.

        Args:
            pool: tries agents of one's own.
            folder: of the run.
            choices: the values that are wanted of some parameters; see `only`.
            traces: whether every episode is to be recorded.

        Raises:
            ConfigError: see `check` and `digests`; or rliable is not installed.
        """
        from crowdgym.bench.report.files import output_names, write_report
        from crowdgym.bench.report.statistics import require_rliable

        require_rliable()
        self.check()
        parts = self.parts(folder, choices, traces=traces)
        provenance = self.provenance(self.digests(pool))

        def report(written: Path) -> Report:
            return write_report(written, self.name, self.settings)

        return Benchmark(self.name, parts, provenance, output_names(self.settings), report)

    def check(self) -> None:
        """See that everything that it names exists, agents of one's own apart.

        Raises:
            ConfigError: something does not, or cannot be used: says what.
        """
        suite = self.settings
        if suite.environment not in crowdgym.environment_names():
            crowdgym.make(suite.environment)  # says which there are
        names = self._metric_names()
        if suite.metric not in names:
            raise ConfigError(f"{self._of('metric')} must be one of {', '.join(names)}, got {suite.metric!r}")
        if suite.share_of_bound and (suite.environment not in BOUNDS or suite.metric != BOUNDED_METRIC):
            raise ConfigError(
                f"{self._of('share_of_bound')} must be false: there are bounds of {BOUNDED_METRIC} in "
                f"{', '.join(BOUNDS)} only, not of {suite.metric} in {suite.environment}"
            )
        self._check_cells()
        self._check_published()
        for agent in suite.agents:
            if ":" not in agent and agent not in policy_names(suite.environment):
                for scenario in suite.scenarios:
                    load_policy(agent, suite.environment, scenario)  # says which there are

    def own_agents(self) -> tuple[str, ...]:
        """The agents that do not come with CrowdGym."""
        return tuple(agent for agent in self.settings.agents if agent not in policy_names(self.settings.environment))

    def digests(self, pool: WorkerPool) -> dict[str, str]:
        """See that one's own agents can be had, in a process that may come to harm.

        Returns:
            By "AGENT on SCENARIO", a digest of the files that it is made of; see `try_policy`.

        Raises:
            ConfigError: one cannot, or takes too long.
        """
        suite = self.settings
        task: Task[PolicyWork] = Task(try_policy, time_limit_s=suite.time_limit_s)
        found = {}
        tried = [
            PolicyWork(suite.environment, scenario, agent)
            for agent in self.own_agents()
            for scenario in suite.scenarios
        ]
        for work, outcome in pool.run(task, tried):
            if outcome.failure is not None:
                named = work.agent in outcome.failure
                raise ConfigError(
                    outcome.failure if named else f"the agent {work.agent!r} cannot be had: {outcome.failure}"
                )
            found[f"{work.agent} on {work.scenario}"] = str(outcome.values["digest"])
        return found

    def parts(self, folder: Path, choices: Mapping[str, tuple[str, ...]], *, traces: bool) -> tuple[Part[Any], ...]:
        """What there is to play.

        Args:
            folder: of the run.
            choices: see `only`.
            traces: whether every episode is to be recorded.
        """
        suite = self.settings
        episodes = [
            EpisodeWork(self.name, instance, agent, self._trace(folder, instance, agent) if traces else None)
            for instance in self._instances()
            for agent in suite.agents
        ]
        episodes = only(episodes, choices, self.name)
        played = list(dict.fromkeys(episode.instance for episode in episodes))
        bounds = [BoundWork(self.name, instance) for instance in played] if suite.share_of_bound else []
        episode_part = Part(
            FILE_NAME,
            episodes,
            Task(play_episode, prepare, suite.time_limit_s),
            keeps_failures=True,
            is_whole=EpisodeWork.has_trace,
        )
        return (episode_part, Part(BOUNDS_NAME, bounds, Task(bound_instance, prepare))) if bounds else (episode_part,)

    def provenance(self, digests: Mapping[str, str]) -> dict[str, Any]:
        """What results depend on besides the parameters of an episode."""
        suite = self.settings
        base = {scenario: self._load(scenario, {}).model_dump(mode="json") for scenario in suite.scenarios}
        for settings in base.values():
            for name in suite.parameters:
                settings.pop(name, None)
        return {
            "suite": self.name,
            "environment": suite.environment,
            "crowdgym": crowdgym.__version__,
            "code of crowdgym": _digest_of_code(),
            **{f"settings of {scenario}": settings for scenario, settings in base.items()},
            **{f"files of {agent}": digest for agent, digest in digests.items()},
        }

    def _instances(self) -> list[Instance]:
        suite = self.settings
        settings: Assignments = tuple(suite.settings.items())
        seeds = range(suite.first_seed, suite.first_seed + suite.episodes)
        return [
            Instance(suite.environment, scenario, settings, tuple(cell.items()), seed)
            for scenario in suite.scenarios
            for cell in suite.cells()
            for seed in seeds
        ]

    def _trace(self, folder: Path, at: Instance, agent: str) -> Path:
        cell = "-".join(f"{name}={value}" for name, value in at.cell)
        name = f"{at.scenario}-{cell}-{agent.replace(':', '.')}-seed={at.seed}.trace"
        return folder / TRACES_NAME / name.replace("/", "_")

    def _check_cells(self) -> None:
        """Try the settings of every cell, and the data of every scenario."""
        for scenario in self.settings.scenarios:
            for cell in self.settings.cells():
                self._load(scenario, cell)
            for sweep in self.settings.grid:  # what does not fit into a city is mostly at an end
                cells = self.settings.cells_of(sweep)
                for cell in (cells[0], cells[-1]):
                    self._make(scenario, cell)

    def _check_published(self) -> None:
        parameters = self.settings.parameters
        for point in published_points(self.settings):
            if sorted(point.at) != sorted(parameters):
                raise ConfigError(
                    f"every point of {self._of('published')} must be at a value of {', '.join(parameters)}, "
                    f"got {point.at!r}"
                )

    def _make(self, scenario: str, cell: Cell) -> None:
        suite = self.settings
        try:
            crowdgym.make(suite.environment, scenario=scenario, **{**suite.settings, **cell})
        except DataError as error:
            raise ConfigError(f"the suite {self.name} needs the scenario {scenario!r}: {error}") from error
        except ConfigError as error:
            raise ConfigError(f"the suite {self.name}, on {scenario}: {error}") from error

    def _load(self, scenario: str, cell: Cell) -> Settings:
        module, name, _ = _SETTINGS[self.settings.environment]
        keywords = {"scenario": scenario, **self.settings.settings, **cell}
        if "strict" in keywords:
            raise ConfigError(f"{self._of('settings')} must not have 'strict': illegal actions are counted, not raised")
        try:
            loaded: Settings = getattr(import_module(module), name).load(**keywords)
        except ConfigError as error:
            raise ConfigError(f"the suite {self.name}: {error}") from error
        return loaded

    def _metric_names(self) -> Sequence[str]:
        """The metrics that are one number."""
        metrics = import_module(_SETTINGS[self.settings.environment][2]).Metrics
        return [field.name for field in fields(metrics) if field.type in (int, float, "int", "float")]

    def _of(self, key: str) -> str:
        return f"{key} of the suite {self.name}"


def _digest_of_code() -> str:
    """Of what plays an episode: another simulation gives other results."""
    digest = sha256()
    for part in ("envs", "data", "agents"):
        (folder,) = import_module(f"crowdgym.{part}").__path__
        for file in sorted(Path(folder).rglob("*.py")):
            digest.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
