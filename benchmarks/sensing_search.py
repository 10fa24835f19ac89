"""What `gaussian-swap` gains by seeking sets of cells, and how far its sets are above the best fixed one.

    python benchmarks/sensing_regions.py train-1
    python benchmarks/sensing_search.py piemonte-synth train-1 piemonte:60

Plays with KNN and the first attributes of each series; ``:60`` takes the first 60 days. Prints two tables in Markdown:
the scheme without and with the search; and sets of the 21st cycle, in percent above the best fixed set, by their error
from then on.
"""

import argparse
from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.sensing.expected_error import Field
from crowdgym.agents.sensing.field import FieldModel
from crowdgym.agents.sensing.gaussian_swap import GaussianSwap
from crowdgym.agents.sensing.set_search import SetSearch
from crowdgym.agents.sensing.swaps import Moving, best_swaps
from crowdgym.bench.sensing.hindsight import best_static_cells
from crowdgym.bench.sensing.known_series import KnownSeries, errors_of_set, known_series
from crowdgym.configs.sensing import SensingSettings
from crowdgym.data.registry import load_series
from crowdgym.envs import sensing_v0

_CYCLE = 20  # whose sets are compared
_SEARCHES = 10  # from random sets
_PRIOR_CYCLES, _NOISE_SHARE = 5.0, 1.0  # as in `gaussian-swap`

SETS = (
    "where the scheme without the search stood",
    "the best of 11 searches by the same model, with the same values at hand",
    "the same, by a model that had seen all cells in all 21 cycles",
    "the same, by a model that had seen all cells in all cycles of the episode",
)

Places = NDArray[np.int64]  # [cycles, starts, participants] cells


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("series", nargs="+", metavar="NAME[:DAYS]")
    parser.add_argument("--participants", default="8,10,14")
    parser.add_argument("--attributes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=2000)
    parser.add_argument("--starts", type=int, default=6)
    arguments = parser.parse_args()
    seeds = list(range(arguments.seed, arguments.seed + arguments.starts))
    played, above = [], []
    for named in arguments.series:
        for participants in map(int, arguments.participants.split(",")):
            settings = settings_of(named, arguments.attributes, participants)
            known, best = known_series(settings), np.array(best_static_cells(settings))
            with patch.object(SetSearch, "best", lambda *_: None):
                without = play(settings, seeds)
            with_search = play(settings, seeds)
            texts = [f"{error:.4f}, {km:.2f} km" for error, km in (score(known, one) for one in (without, with_search))]
            fixed = errors_of_set(known, flags(known, best), 0, len(known.truth)).mean()
            played.append(f"| `{named}` | {participants} | {texts[0]} | {texts[1]} | {fixed:.4f} |")
            least = later_error(known, best)
            above += [[100 * (later_error(known, cells) / least - 1) for cells in row] for row in sets(known, without)]
    print("| series | participants | without: error, cost | with: error, cost | best fixed cells |")
    print("| --- | ---: | --- | --- | ---: |", *played, sep="\n")
    print("\n| set | above the best |\n| --- | ---: |")
    for name, percent in zip(SETS, np.mean(above, axis=0), strict=True):
        print(f"| {name} | {percent:.1f} % |")


def settings_of(named: str, attributes: int, participants: int) -> SensingSettings:
    """The settings of a series, or of its first days."""
    name, _, days = named.partition(":")
    series = load_series(SensingSettings.load(scenario=name).dataset)
    horizon_s = float(days) * 86_400.0 if days else "series"
    return SensingSettings.load(
        scenario=name,
        attributes=series.attributes[:attributes],
        num_participants=participants,
        horizon_s=horizon_s,
        normalisation="p99",
        agents="participants",
    )


def play(settings: SensingSettings, seeds: list[int]) -> Places:
    """Where the participants of the scheme are in every cycle."""
    env = sensing_v0.vector_env(len(seeds), **settings.model_dump())
    copies, agents = env.batch_shape
    policy = GaussianSwap()
    observations, infos = env.reset(seed=seeds)
    policy.begin(copies, agents, observations.shape[1], env.metadata)
    places, over = [infos["cell"].reshape(copies, agents).astype(np.int64)], False
    while not over:
        read = {name: infos[name].reshape(copies, agents, *infos[name].shape[1:]) for name in policy.reads}
        actions = policy.choose(observations.reshape(copies, agents, -1), read)
        observations, _, _, truncated, infos = env.step(actions.reshape(-1))
        over = bool(truncated.any())
        places.append(actions.astype(np.int64))
    return np.stack(places)


def score(known: KnownSeries, places: Places) -> tuple[float, float]:
    """Mean error and mean cost in km."""
    errors = [
        errors_of_set(known, flags(known, cells), y, y + 1)[0] for y in range(len(known.truth)) for cells in places[y]
    ]
    ways_km = known.distance_km[places[:-1], places[1:]]
    return float(np.mean(errors)), float(ways_km.mean(axis=2).sum(axis=0).mean() / len(known.truth))


def sets(known: KnownSeries, places: Places) -> Iterator[list[Places]]:
    """Of each start: where the scheme stood, and what a search finds by three models that know more and more."""
    cells, attributes = len(known.distance_km), known.truth.shape[2]
    seen = known.truth[: _CYCLE + 1]
    weight = 1.0 / (np.nanmax(seen, axis=(0, 1)) - np.nanmin(seen, axis=(0, 1)))
    draws = np.random.default_rng(0)
    for b in range(places.shape[1]):
        own = np.full(seen.shape, np.nan)
        for y in range(len(seen)):
            own[y, places[y, b]] = seen[y, places[y, b]]
        here = places[_CYCLE, b]
        starts = [here, *(draws.choice(cells, len(here), replace=False) for _ in range(_SEARCHES))]
        found = [here]
        for values in (own, seen, known.truth):
            model = FieldModel(known.distance_km, attributes, _PRIOR_CYCLES, _NOISE_SHARE)
            for cycle in values:
                model.observe(cycle)
            gives = np.ones((attributes, cells), np.bool_)
            field = Field(model.mean, model.covariance, weight, gives, gives.all(axis=1))
            free = Moving(known.distance_km, 0.0, np.zeros(cells), 4 * len(here))
            ends = [best_swaps(field, known.inference, start, start, free) for start in starts]
            found.append(min(ends, key=lambda end: end[1])[0])
        yield found


def later_error(known: KnownSeries, cells: Places) -> float:
    """The mean error of a fixed set from the compared cycle on."""
    return float(errors_of_set(known, flags(known, cells), _CYCLE, len(known.truth)).mean())


def flags(known: KnownSeries, cells: Places) -> NDArray[np.bool_]:
    """A set of cells as flags."""
    return np.isin(np.arange(len(known.distance_km)), cells)


if __name__ == "__main__":
    main()
