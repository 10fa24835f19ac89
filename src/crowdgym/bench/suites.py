"""Finds a suite by its name or its file, and prepares its benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from crowdgym.bench.benchmark import Benchmark
from crowdgym.bench.suite import Suite
from crowdgym.common.errors import ConfigError
from crowdgym.common.waiting import LONGEST_WAIT_S
from crowdgym.configs.suites import AgentEntry, SuiteSettings, named_suite, read_suite, suite_names
from crowdgym.execution.jobs import Engine
from crowdgym.registration import environment_spec


@dataclass(frozen=True)
class Overrides:
    """The user's changes of a suite; None keeps what the suite says.

    Attributes:
        agents: names; one that the suite does not list is loaded by `crowdgym.policies.load_policy`.
        scenario: to be played in place of all scenarios of the suite.
        episodes: of each agent at each grid point.
        time_limit_s: of an episode.
        only: the wanted values of some parameters; see `crowdgym.bench.selection.only`.
        quick: only the part of the suite for ``--quick``.
        traces: record every episode.
        isolated: play CrowdGym's own agents in processes of their own, too.
    """

    agents: Sequence[str] | None = None
    scenario: str | None = None
    episodes: int | None = None
    time_limit_s: float | None = None
    only: Mapping[str, tuple[str, ...]] | None = None
    quick: bool = False
    traces: bool = False
    isolated: bool = False


def find_benchmark(suite: str, overrides: Overrides, folder: Path, engine: Engine) -> Benchmark:
    """A suite that is ready to be played. Nothing is written.

    Args:
        suite: one of `crowdgym.configs.suites.suite_names`, or a YAML file.
        overrides: the user's changes.
        folder: of the run.
        engine: executes the checks of the user's own agents.

    Raises:
        ConfigError: there is no such suite, or it cannot be played with these changes. The message says why.
    """
    if suite in suite_names():
        settings, name = named_suite(suite), suite
    elif suite.endswith((".yaml", ".yml")) or "/" in suite:
        settings, name = read_suite(Path(suite)), Path(suite).stem
    else:
        close = get_close_matches(suite, suite_names(), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigError(
            f"there is no suite {suite!r}{hint} (known: {', '.join(suite_names())}; your own is given as a .yaml file)"
        )
    mark = name if overrides.scenario is None else f"{name} --scenario {overrides.scenario}"
    changed = Suite(name, _changed(settings, overrides), mark, overrides.isolated)
    return changed.benchmark(engine, folder, overrides.only or {}, traces=overrides.traces)


def _changed(suite: SuiteSettings, overrides: Overrides) -> SuiteSettings:
    suite = suite.corner() if overrides.quick else suite
    changes: dict[str, object] = {
        "metrics": suite.metrics or (environment_spec(suite.environment).objective.metric,),
        "agents": None if overrides.agents is None else _agents(overrides.agents, suite),
        "scenarios": None if overrides.scenario is None else (overrides.scenario,),
        "episodes": _at_least_one("--episodes", overrides.episodes),
        "time_limit_s": overrides.time_limit_s,
    }
    if overrides.time_limit_s is not None and not 0 < overrides.time_limit_s <= LONGEST_WAIT_S:
        raise ConfigError(
            f"--time-limit must be a positive number of seconds, at most {LONGEST_WAIT_S:,.0f}, "
            f"got {overrides.time_limit_s:g}"
        )
    return suite.model_copy(update={name: value for name, value in changes.items() if value is not None})


def _agents(names: Sequence[str], suite: SuiteSettings) -> tuple[AgentEntry, ...]:
    if not names or not all(names):
        raise ConfigError(f"--agents must be names with commas between them, got {','.join(names)!r}")
    repeated = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if repeated is not None:
        raise ConfigError(f"--agents must name every agent once, got {repeated!r} twice")
    entries = {entry.name: entry for entry in suite.agents}
    return tuple(entries.get(name, AgentEntry(name=name)) for name in names)


def _at_least_one(option: str, number: int | None) -> int | None:
    if number is not None and number < 1:
        raise ConfigError(f"{option} must be at least 1, got {number}")
    return number
