"""Finds a suite by its name or its file, and gets it ready to be played."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from crowdgym.bench.suite import GridSuite
from crowdgym.common.errors import ConfigError
from crowdgym.configs.suites import SuiteSettings, named_suite, read_suite, suite_names
from crowdgym.execution.jobs import Benchmark
from crowdgym.execution.processes import WorkerPool

SENSING = "sensing-paper"  # the one suite that is no grid


@dataclass(frozen=True)
class Overrides:
    """What somebody wants of a suite that differs from what it says; None for what it says.

    Attributes:
        agents: who plays.
        scenario: to be played on.
        episodes: of each cell.
        time_limit_s: of an episode.
        only: the values that are wanted of some parameters.
        quick: a corner of the suite.
        traces: record every episode.
    """

    agents: Sequence[str] | None = None
    scenario: str | None = None
    episodes: int | None = None
    time_limit_s: float | None = None
    only: Mapping[str, tuple[str, ...]] | None = None
    quick: bool = False
    traces: bool = False


def known_suites() -> tuple[str, ...]:
    """The suites that come with CrowdGym."""
    return tuple(sorted((*suite_names(), SENSING)))


def find_benchmark(suite: str, overrides: Overrides, folder: Path, pool: WorkerPool) -> Benchmark:
    """A suite, ready to be played; nothing is written.

    Args:
        suite: one of `known_suites`, or a YAML file of one's own.
        overrides: what differs from what the suite says.
        folder: of the run, for what is kept besides tables.
        pool: tries agents of one's own.

    Raises:
        ConfigError: there is no such suite, or it cannot be played as wished: says why.
    """
    if suite == SENSING:
        return _sensing(overrides)
    if suite in suite_names():
        settings, name = named_suite(suite), suite
    elif suite.endswith((".yaml", ".yml")) or "/" in suite:
        settings, name = read_suite(Path(suite)), Path(suite).stem
    else:
        close = get_close_matches(suite, known_suites(), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigError(
            f"there is no suite {suite!r}{hint} (known: {', '.join(known_suites())}; your own is given as a .yaml file)"
        )
    grid = GridSuite(name, _as_wished(settings, overrides))
    return grid.benchmark(pool, folder, overrides.only or {}, traces=overrides.traces)


def _as_wished(suite: SuiteSettings, overrides: Overrides) -> SuiteSettings:
    suite = suite.corner() if overrides.quick else suite
    changes = {
        "agents": None if overrides.agents is None else _agents(overrides.agents),
        "scenarios": None if overrides.scenario is None else (overrides.scenario,),
        "episodes": _at_least_one("--episodes", overrides.episodes),
        "time_limit_s": overrides.time_limit_s,
    }
    if overrides.time_limit_s is not None and not 0 < overrides.time_limit_s < float("inf"):
        raise ConfigError(f"--time-limit must be a positive number of seconds, got {overrides.time_limit_s:g}")
    return suite.model_copy(update={name: value for name, value in changes.items() if value is not None})


def _agents(names: Sequence[str]) -> tuple[str, ...]:
    if not names or not all(names):
        raise ConfigError(f"--agents must be names with commas between them, got {','.join(names)!r}")
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise ConfigError(f"--agents must name every agent once, got {twice!r} twice")
    return tuple(names)


def _at_least_one(option: str, number: int | None) -> int | None:
    if number is not None and number < 1:
        raise ConfigError(f"{option} must be at least 1, got {number}")
    return number


def _sensing(overrides: Overrides) -> Benchmark:
    """The suite ``sensing-paper``, whose agents and numbers of episodes are the paper's."""
    from crowdgym.bench.sensing import paper as sensing_paper

    options = {
        "--episodes": overrides.episodes,
        "--time-limit": overrides.time_limit_s,
        "--traces": overrides.traces or None,
    }
    unfit = next((option for option, value in options.items() if value is not None), None)
    if unfit is not None:
        raise ConfigError(f"{unfit} is not for {SENSING}")
    choices = dict(overrides.only or {})
    if overrides.agents is not None:
        choices["agent"] = _agents(overrides.agents)
    return sensing_paper.benchmark(overrides.scenario or sensing_paper.SCENARIO, choices, quick=overrides.quick)
