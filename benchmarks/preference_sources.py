"""What knowing the preferences is worth in ``preference_v0``: sources, matchings and settings compared.

    python benchmarks/preference_sources.py sources      one matching, four sources of preferences
    python benchmarks/preference_sources.py matchings    all matchings, two sources
    python benchmarks/preference_sources.py always       the same where every offer is accepted, as in the paper
    python benchmarks/preference_sources.py declines     what declines have to cost for preferences to matter
    python benchmarks/preference_sources.py ranking      whether a matching needs the order or the size of preferences
    python benchmarks/preference_sources.py answers      what the answers of an episode are worth
    python benchmarks/preference_sources.py prices       whether prices and holding back add to a matching
    python benchmarks/preference_sources.py agents --agents km,km-answers,FOLDER    policies by name, and trained ones

Every seed is an episode with a population of its own. ``--first-seed 7000000`` names the seeds on which defaults are
chosen (`crowdgym.common.seeds`); tables are about others. Intervals are 95 % bootstrap intervals of the mean over the
seeds; gains are paired.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import crowdgym
from crowdgym.agents.policy import Policy
from crowdgym.agents.preference.observation_reader import OfferState
from crowdgym.agents.preference.policies import (
    AnswersKmPolicy,
    GreedyPolicy,
    KmPolicy,
    LexicographicKmPolicy,
    MatchingPolicy,
    MaxFlowPolicy,
)
from crowdgym.agents.preference.priced_matching import PARAMETERS, PricedMatchingPolicy
from crowdgym.agents.preference.sources import HistoryShareSource, PreferenceSource, TableSource, UniformSource
from crowdgym.agents.ta_fpl.policy import LiteralTopKPolicy, TopKPolicy
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes

Floats = NDArray[np.float64]
Make = Callable[[Floats], Policy]  # from the true preferences, which all but the oracle ignore

RESAMPLES = 10_000
SHOWN = ("accepted", "declined", "closed", "expired", "acceptance_rate", "preference")

SOURCES: dict[str, Callable[[Floats], PreferenceSource]] = {
    "blind": lambda _: UniformSource(),
    "history shares": lambda _: HistoryShareSource(),
    "oracle": TableSource,
}
MATCHINGS: dict[str, type[MatchingPolicy]] = {
    "greedy": GreedyPolicy,
    "km": KmPolicy,
    "km-lexicographic": LexicographicKmPolicy,
    "top-k": TopKPolicy,
    "top-k-literal": LiteralTopKPolicy,
}
FREE = {"range_m": 2500.0, "expiry_mean_s": 600.0, "decline_cooldown_s": 0.0, "max_offers": 1_000_000}
SMALL = {"num_workers": 60, "num_centres": 3, "num_tasks": 90}
WORLDS: dict[str, Mapping[str, Any]] = {
    "defaults": {},
    "100 workers": {"num_workers": 100},
    "no pause": {"decline_cooldown_s": 0.0},
    "any number of offers": {"max_offers": 1_000_000},
    "one offer": {"max_offers": 1},
    "expiry 600 s": {"expiry_mean_s": 600.0},
    "range 2,500 m": {"range_m": 2500.0},
    "declines are free": FREE,
    "chengdu-synth": {"scenario": "chengdu-synth"},
}


class InOrderOf:
    """The preferences of one source, put into the order of another one's: each worker's largest becomes its favourite.

    Args:
        values: whose numbers these are.
        order: in whose order.
    """

    def __init__(self, values: PreferenceSource, order: PreferenceSource) -> None:
        self._values, self._order = values, order

    def preferences(self, state: OfferState) -> Floats:
        """See `PreferenceSource`. Shape [W, C]."""
        largest_first = -np.sort(-self._values.preferences(state), axis=1)
        wanted = np.argsort(-self._order.preferences(state), axis=1, kind="stable")
        found = np.empty_like(largest_first)
        np.put_along_axis(found, wanted, largest_first, axis=1)
        return found


SHARES: Final = "km, history shares"
RANKING: dict[str, Make] = {
    SHARES: lambda _: KmPolicy(),
    "km, values of the oracle in the order of history shares": lambda truth: KmPolicy(
        InOrderOf(TableSource(truth), HistoryShareSource())
    ),
    "km, values of history shares in the order of the oracle": lambda truth: KmPolicy(
        InOrderOf(HistoryShareSource(), TableSource(truth))
    ),
    "km, square roots of the oracle": lambda truth: KmPolicy(TableSource(np.sqrt(truth))),
    "km, squares of the oracle": lambda truth: KmPolicy(TableSource(truth**2)),
    "km, oracle": lambda truth: KmPolicy(TableSource(truth)),
}
ANSWERS: dict[str, Make] = {
    SHARES: lambda _: KmPolicy(),
    "km-answers, blind": lambda _: AnswersKmPolicy(UniformSource()),
    "km-answers, history shares": lambda _: AnswersKmPolicy(),
    "km-answers, oracle": lambda truth: AnswersKmPolicy(TableSource(truth)),
    "km, oracle": lambda truth: KmPolicy(TableSource(truth)),
}


def priced(changes: Mapping[str, float], source: PreferenceSource | None = None) -> PricedMatchingPolicy:
    """The matching with prices, some parameters changed from where the search of ``es`` begins."""
    values = dict(zip(PARAMETERS.names, PARAMETERS.start, strict=True)) | dict(changes)
    policy = PricedMatchingPolicy(source)
    policy.set_parameters(np.array(list(values.values())))
    return policy


def of_prices(name: str, value: float) -> Make:
    """One parameter changed."""
    return lambda _: priced({name: value})


PRICES: dict[str, Make] = {
    "km-answers": lambda _: AnswersKmPolicy(),
    **{f"{name} {value:+g}": of_prices(name, value) for name in PARAMETERS.names[:-1] for value in (-1.0, 1.0)},
}


TABLES = {"ranking": RANKING, "answers": ANSWERS, "prices": PRICES}


def of_source(matching: type[MatchingPolicy], source: str) -> Make:
    """A matching with a source of preferences."""
    return lambda truth: matching(SOURCES[source](truth))


def of_name(name: str) -> Make:
    """A policy by its name, or by the folder of a trained agent."""
    return lambda _: load_policy(name, "preference_v0")


def play(world: Mapping[str, Any], makers: Mapping[str, Make], seeds: range) -> dict[str, dict[str, Floats]]:
    """The metrics of every policy in every seed. By policy, by metric, shape [seeds]."""
    rows: dict[str, list[Mapping[str, float]]] = {name: [] for name in makers}
    for seed in seeds:
        env: Any = crowdgym.make("preference_v0", population_seed=seed, **world)
        env.reset(seed=seed)
        truth = env.instance.preference
        for name, make in makers.items():
            run = run_episodes(env, make(truth), agent=name, episodes=1, seed=seed)
            rows[name].append(run.episodes[0].metrics)
    return {name: {metric: np.array([row[metric] for row in many]) for metric in SHOWN} for name, many in rows.items()}


def interval(values: Floats) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean."""
    picks = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[picks].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def table_of_policies(world: Mapping[str, Any], makers: Mapping[str, Make], seeds: range) -> Iterator[str]:
    """A row for each policy; gains are over the first."""
    yield "| policy | accepted | 95 % interval | more than the first, 95 % interval | " + " | ".join(SHOWN[1:]) + " |"
    yield "|---|---|---|---|" + "---|" * len(SHOWN[1:])
    results = play(world, makers, seeds)
    first = next(iter(results.values()))["accepted"]
    for name, values in results.items():
        low, high = interval(values["accepted"])
        less, more = interval(values["accepted"] - first)
        gain = f"{less:+.1f} to {more:+.1f}" if values["accepted"] is not first else ""
        others = " | ".join(_shown(metric, float(values[metric].mean())) for metric in SHOWN[1:])
        yield f"| {name} | {values['accepted'].mean():.1f} | {low:.1f} to {high:.1f} | {gain} | {others} |"


def table_of_worlds(seeds: range) -> Iterator[str]:
    """A row for each world, a column for each source."""
    makers = {source: of_source(KmPolicy, source) for source in SOURCES}
    yield "| world | " + " | ".join(makers) + " | oracle over blind, 95 % interval |"
    yield "|---|" + "---|" * (len(makers) + 1)
    for name, world in WORLDS.items():
        results = {source: values["accepted"] for source, values in play(world, makers, seeds).items()}
        low, high = interval(results["oracle"] - results["blind"])
        base = results["blind"].mean()
        means = " | ".join(_with_half_width(values) for values in results.values())
        yield f"| {name} | {means} | {low / base:+.0%} to {high / base:+.0%} |"


def _with_half_width(values: Floats) -> str:
    low, high = interval(values)
    return f"{values.mean():.1f} ± {(high - low) / 2:.1f}"


def _shown(metric: str, value: float) -> str:
    return f"{value:.3f}" if metric in ("acceptance_rate", "preference") else f"{value:.1f}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=["sources", "matchings", "always", "declines", *TABLES, "agents"])
    parser.add_argument("--agents", default="km,km-answers", help="the first is what others are compared with")
    parser.add_argument("--small", action="store_true", help="agents in a world of 60 workers, 3 centres and 90 tasks")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    makers: dict[str, Make] = {"max-flow": lambda _: MaxFlowPolicy()}
    if options.table == "sources":
        lines = table_of_policies({}, makers | {f"km, {s}": of_source(KmPolicy, s) for s in SOURCES}, seeds)
    elif options.table == "agents":
        agents = {Path(name).name: of_name(name) for name in options.agents.split(",")}
        lines = table_of_policies(SMALL if options.small else {}, agents, seeds)
    elif options.table in TABLES:
        lines = table_of_policies({}, TABLES[options.table], seeds)
    elif options.table in ("matchings", "always"):
        grid = {
            f"{name}, {source}": of_source(matching, source)
            for source in ("history shares", "oracle")
            for name, matching in MATCHINGS.items()
        }
        world = {"acceptance": "always"} if options.table == "always" else {}
        lines = table_of_policies(world, makers | grid, seeds)
    else:
        lines = table_of_worlds(seeds)
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()
