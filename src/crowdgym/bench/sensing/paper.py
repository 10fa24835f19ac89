"""The suite ``sensing-paper``: the grid of tables 1 and 2 of Zhang et al. (2019), and what goes beyond them.

- The paper's grid: four numbers of participants, three sets of attributes, three inferences, ten seeds; its five
  schemes and one of our own.
- With KNN and IDW, also QCO-TA read literally, participants that never move, and the best fixed cells in hindsight, a
  bound: the only agent that is given the truth, by this module.
- With KNN, our scheme with other weights of the cost (the front of error against cost).
- With KNN, all but the front on the days after the first 60, on which the constants of our scheme were chosen.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import crowdgym
from crowdgym.agents.policy import Policy
from crowdgym.agents.sensing.ewa import EwaTa
from crowdgym.agents.sensing.gps import GpsTa
from crowdgym.agents.sensing.oo_mta import OoMta
from crowdgym.agents.sensing.qco_ta import LiteralQcoTa, QcoTa
from crowdgym.agents.sensing.static import GivenStatic, RandomStatic
from crowdgym.agents.sensing.uniform import UnsTa
from crowdgym.agents.sensing.variogram_swap import VariogramSwap
from crowdgym.bench.published.qco_ta import ATTRIBUTES, PARTICIPANTS
from crowdgym.bench.run_folder import FILE_NAME, read_rows
from crowdgym.bench.selection import only
from crowdgym.bench.sensing.hindsight import best_static_cells
from crowdgym.common.errors import ConfigError, DataError
from crowdgym.configs.sensing import SensingSettings
from crowdgym.data.registry import load_series
from crowdgym.envs.sensing.generator import scale_of
from crowdgym.execution.jobs import Benchmark, Part, Report, Task
from crowdgym.runner import run_episodes

NAME = "sensing-paper"
SCENARIO = "piemonte"
SEEDS = 10
TUNING_DAYS = 60  # the first of the series
NORMALISATION = "p99"  # Γ, which no scheme sees; under "range" the errors are others and the play is the same
PERIODS = ("all", "rest")  # the whole series, and the days after the first 60

OURS = "variogram-swap"
HINDSIGHT = "hindsight-best-static"
FRONT_WEIGHTS = (3e-4, 2e-3, 4e-3, 1e-2)  # λ, beside the default

AGENTS: Mapping[str, Callable[[], Policy]] = {
    "qco-ta": QcoTa,
    "oo-mta": OoMta,
    "gps-ta": GpsTa,
    "ewa-ta": EwaTa,
    "uns-ta": UnsTa,
    "qco-ta-literal": LiteralQcoTa,
    OURS: VariogramSwap,
    "random-static": RandomStatic,
}
WITH_SVR = ("qco-ta", "oo-mta", "gps-ta", "ewa-ta", "uns-ta", OURS)  # which takes ten times as long
FRONT: Mapping[str, float] = {f"{OURS} λ={weight:g}": weight for weight in FRONT_WEIGHTS}


@dataclass(frozen=True)
class SensingEpisode:
    """One episode of the suite."""

    scenario: str
    period: str
    inference: str
    num_participants: int
    num_attributes: int  # the first of the scenario's
    agent: str
    seed: int

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Piece`."""
        return {"suite": NAME, **asdict(self)}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Piece`: all agents are our own."""
        return ""


def grid(scenario: str, *, quick: bool) -> list[SensingEpisode]:
    """All episodes; those that take long, with SVR, last, so that a run that is killed has them for all columns.

    Args:
        scenario: name of a sensing dataset or preset with the paper's attributes.
        quick: two seeds of one column with KNN only.
    """
    if quick:
        return list(_episodes(scenario, "all", "knn", (8,), (2,), (*AGENTS, HINDSIGHT, *FRONT), 2))
    whole = (PARTICIPANTS, ATTRIBUTES)
    return [
        *_episodes(scenario, "all", "knn", *whole, (*AGENTS, HINDSIGHT, *FRONT), SEEDS),
        *_episodes(scenario, "rest", "knn", *whole, (*AGENTS, HINDSIGHT), SEEDS),
        *_episodes(scenario, "all", "idw", *whole, (*AGENTS, HINDSIGHT), SEEDS),
        *_episodes(scenario, "all", "svr", *whole, WITH_SVR, SEEDS),
    ]


def play(episode: SensingEpisode) -> dict[str, Any]:
    """Play one episode with a fresh policy.

    Returns:
        ``error`` (Eq. 15, Γ the 99th percentile), ``error_range`` (the same play, Γ the range), ``cost_km`` (Eq. 16)
        and ``error_per_attribute``.
    """
    env, to_range = _environment(*_column(episode))
    policy = _policy(episode, env.settings)
    result = run_episodes(env, policy, agent=episode.agent, episodes=1, seed=episode.seed)
    metrics = result.episodes[0].metrics
    errors = [metrics[f"error_per_attribute {a}"] for a in range(episode.num_attributes)]
    return {
        "error": metrics["error"],
        "error_range": float(np.dot(errors, to_range)),
        "cost_km": metrics["cost_km"],
        "error_per_attribute": errors,
    }


def benchmark(scenario: str, choices: Mapping[str, tuple[str, ...]], *, quick: bool) -> Benchmark:
    """The suite, ready to be played.

    Args:
        scenario: see `grid`.
        choices: the values that are wanted of some parameters; see `crowdgym.bench.selection.only`.
        quick: see `grid`.

    Raises:
        ConfigError: the series is not there, or a choice that there is not.
    """
    from crowdgym.bench.sensing.report import OUTPUT_NAMES, write_report

    settings = SensingSettings.load(scenario=scenario)
    try:
        load_series(settings.dataset)
    except DataError as error:
        hint = "; 'crowdgym data fetch piemonte' gets it" if scenario == SCENARIO else ""
        raise ConfigError(f"{NAME} needs the series {settings.dataset!r}{hint} ({error})") from error
    episodes = only(grid(scenario, quick=quick), choices, NAME)

    def report(folder: Path) -> Report:
        return Report(write_report(folder, read_rows(folder / FILE_NAME)))

    return Benchmark(NAME, (Part(FILE_NAME, episodes, Task(play)),), {}, OUTPUT_NAMES, report)


def _episodes(
    scenario: str,
    period: str,
    inference: str,
    participants: tuple[int, ...],
    attributes: tuple[int, ...],
    agents: tuple[str, ...],
    seeds: int,
) -> Iterator[SensingEpisode]:
    for seed, p, a, agent in product(range(seeds), participants, attributes, agents):
        yield SensingEpisode(scenario, period, inference, p, a, agent, seed)


def _column(episode: SensingEpisode) -> tuple[str, str, str, int, int]:
    return (episode.scenario, episode.period, episode.inference, episode.num_participants, episode.num_attributes)


@lru_cache(maxsize=64)
def _environment(
    scenario: str, period: str, inference: str, participants: int, attributes: int
) -> tuple[Any, tuple[float, ...]]:
    """The environment of a column, and what turns its errors into those with Γ the range."""
    keywords: dict[str, Any] = {"scenario": scenario, "num_participants": participants, "inference": inference}
    preset = SensingSettings.load(**keywords)
    series = load_series(preset.dataset)
    names = series.attributes if preset.attributes == "all" else preset.attributes
    if len(names) < attributes:
        raise ConfigError(f"{NAME} needs {max(ATTRIBUTES)} attributes, and {scenario!r} has {len(names)}")
    keywords["attributes"] = tuple(names[:attributes])
    if period == "rest":
        keywords["start_s"] = TUNING_DAYS * 86_400.0
    env = crowdgym.make("sensing_v0", normalisation=NORMALISATION, **keywords)
    by_range = scale_of(series, SensingSettings.load(normalisation="range", **keywords))
    return env, tuple(scale_of(series, env.settings) / by_range)


def _policy(episode: SensingEpisode, settings: SensingSettings) -> Policy:
    if episode.agent == HINDSIGHT:
        return GivenStatic(best_static_cells(settings))
    if episode.agent in FRONT:
        return VariogramSwap(FRONT[episode.agent])
    return AGENTS[episode.agent]()
