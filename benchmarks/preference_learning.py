"""What federated learning of preferences is worth in ``preference_v0``: in predictions, and in accepted tasks.

    python benchmarks/preference_learning.py small --out small.json      100 workers at 10 centres of 10
    python benchmarks/preference_learning.py large --out large.json      100 workers at 2 centres of 50

Every seed is a population with histories of its own. The last six events of each history are held out: nothing is
learnt or chosen from them. Each way to learn is trained on the rest, predicts the held-out events one by one, and then
plays episodes with the preferences that it tells after the whole history. Two tables are printed: predictions of the
next place and category, and accepted tasks by source of preferences, with the matching of most expected acceptances.
Intervals are 95 % intervals of Student's t over the seeds; differences are paired. ``--out`` keeps what has been
measured: the same command goes on from there.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import crowdgym
from crowdgym.agents.es.trainer import play_rows
from crowdgym.agents.preference.policies import KmPolicy
from crowdgym.agents.preference.sources import HistoryShareSource, PreferenceSource, TableSource, UniformSource
from crowdgym.agents.ta_fpl.ranking import Predictions, ranks
from crowdgym.bench.preference.hook import difference_text
from crowdgym.common.files import write_bytes
from crowdgym.configs.ta_fpl import TaFplSettings
from crowdgym.data.histories.synthetic import Population
from crowdgym.envs.preference.definition import PreferenceDefinition
from crowdgym.registration import environment_spec
from crowdgym.training.centres import LocalCentres
from crowdgym.training.preferences import learn_preferences

Floats = NDArray[np.float64]
Row = dict[str, float]

WORLDS: dict[str, dict[str, Any]] = {
    "small": {"num_workers": 100, "num_centres": 10},
    "large": {"num_workers": 100, "num_centres": 2},
}
STRATEGIES = ("local", "fedavg", "fedprox", "feddyn", "scaffold", "central")
PAPER_MODEL = "feddyn, paper's model"
HELD_OUT = 6  # events of each worker
EPISODES = 10  # of each source in each population
SHOWN = ("hr_1", "hr_10", "ndcg_10", "mrr", "category_accuracy", "category_kl")


class Measurement:
    """Everything about one population."""

    def __init__(self, world: Mapping[str, Any], seed: int) -> None:
        self.keywords = {**world, "population_seed": seed}
        self.seed = seed
        self._generator: Any = PreferenceDefinition.of(self.keywords, None, None).generator
        self._population: Population = self._generator.population

    def row(self, source: str) -> Row:
        """The figures of one source of preferences."""
        truth = self._population.truth
        if source == "blind":
            return self._accepted(UniformSource())
        if source == "history shares":
            return {**self._figures(self._own_counts()), **self._accepted(HistoryShareSource())}
        if source == "popularity":
            return self._figures(self._popularity())
        if source == "oracle":
            last = truth.category.shape[1]
            return {**self._figures(self._oracle()), **self._accepted(TableSource(truth.category_probabilities(last)))}
        changes: dict[str, Any] = {"history_share": 0.0} if source == PAPER_MODEL else {}
        return self.learnt(source.split(",")[0], changes)

    def learnt(self, strategy: str, changes: Mapping[str, Any]) -> Row:
        """Train with some hyperparameters changed, keep the round of the smallest validation loss, predict and play."""
        settings = TaFplSettings.load("preference_v0", strategy=strategy, held_out_events=HELD_OUT, **changes)
        learnt = learn_preferences(self._env(), settings, self.seed)
        assert isinstance(learnt.centres, LocalCentres)
        clients: list[Any] = learnt.centres.clients
        said = [client.predict_held_out(learnt.federation.to_assess(k)) for k, client in enumerate(clients)]
        played = self._accepted(TableSource(learnt.assessment.preferences.numpy()))
        return {**self._figures(said), **played, "round": float(learnt.best_round)}

    def _figures(self, said: list[Predictions]) -> Row:
        """Means over all held-out events. The divergence is from the truth to the prediction, in nats."""
        parts = [one.figures() | {"category_kl": self._divergence(one)} for one in said]
        return {name: float(np.concatenate([part[name] for part in parts]).mean()) for name in parts[0]}

    def _divergence(self, said: Predictions) -> Floats:
        found = np.zeros(len(said.event))
        for event in np.unique(said.event):
            of_event = said.event == event
            p = self._population.truth.category_probabilities(int(event))[said.worker[of_event]]
            q = np.maximum(said.category_table[of_event], 1e-12)
            found[of_event] = np.where(p > 0, p * np.log(np.maximum(p, 1e-12) / q), 0.0).sum(axis=1)
        return found

    def _accepted(self, source: PreferenceSource) -> Row:
        make = environment_spec("preference_v0").interface("vector_env")
        env = make(num_envs=EPISODES, generator=self._generator, **self.keywords)
        seeds = range(self.seed * EPISODES, (self.seed + 1) * EPISODES)
        return {"accepted": float(play_rows(env, KmPolicy(source), seeds, "accepted").metric.mean())}

    def _env(self) -> Any:
        return crowdgym.make("preference_v0", generator=self._generator, **self.keywords)

    # Predictions that nothing is learnt for

    def _tables(self, tables: Callable[[int], tuple[Floats, Floats]]) -> list[Predictions]:
        """Predictions of all workers' held-out events, from p(l) [W, L] and p(c) [W, C] for an event."""
        truth, events = self._population.truth, self._population.truth.place.shape[1]
        workers, said = np.arange(len(truth.place)), []
        for event in range(events - HELD_OUT, events):
            places, categories = tables(event)
            rank = ranks(places, truth.place[:, event].astype(np.int64))
            category = truth.category[:, event].astype(np.int64)
            said.append(Predictions(workers, np.full(len(workers), event), rank, category, categories))
        return said

    def _popularity(self) -> list[Predictions]:
        places, workers = self._population.truth.places, len(self._population.centre)
        share = np.bincount(places.category, places.popularity, 8) / places.popularity.sum()
        return self._tables(lambda _: (np.tile(places.popularity, (workers, 1)), np.tile(share, (workers, 1))))

    def _own_counts(self) -> list[Predictions]:
        """How often the worker was there, ties by popularity; categories with half an event more each."""
        truth = self._population.truth
        popularity = truth.places.popularity / truth.places.popularity.sum()

        def tables(event: int) -> tuple[Floats, Floats]:
            rows = np.repeat(np.arange(len(truth.place)), event)
            places = np.tile(popularity, (len(truth.place), 1))
            np.add.at(places, (rows, truth.place[:, :event].ravel()), 1.0)
            categories = np.full((len(truth.place), 8), 0.5)
            np.add.at(categories, (rows, truth.category[:, :event].ravel()), 1.0)
            return places, categories / categories.sum(axis=1, keepdims=True)

        return self._tables(tables)

    def _oracle(self) -> list[Predictions]:
        truth = self._population.truth
        kinds = np.unique(truth.places.category)

        def tables(event: int) -> tuple[Floats, Floats]:
            of_category = truth.category_probabilities(event)
            each = (np.full(len(of_category), kind) for kind in kinds)
            within = [truth.place_probabilities(event, kind) for kind in each]
            return sum(of_category[:, [k]] * one for k, one in zip(kinds, within, strict=True)), of_category

        return self._tables(tables)


SOURCES = ("popularity", "blind", "history shares", *STRATEGIES, PAPER_MODEL, "oracle")


def measure(world: str, seeds: range, sources: tuple[str, ...], out: Path) -> dict[str, dict[str, Row]]:
    """The rows by source, by seed. What the file holds is not measured again."""
    rows: dict[str, dict[str, Row]] = json.loads(out.read_text()) if out.is_file() else {}
    for seed in seeds:
        measurement = None
        for source in sources:
            if str(seed) in rows.setdefault(source, {}):
                continue
            measurement = measurement or Measurement(WORLDS[world], seed)
            rows[source][str(seed)] = measurement.row(source)
            write_bytes(out, json.dumps(rows, indent=1).encode())
    return rows


def gain(values: Floats, over: Floats, places: int) -> str:
    """The mean of the paired difference and its 95 % interval; nothing for a source over itself."""
    return "" if values is over else difference_text(values - over, places)


def column(rows: dict[str, dict[str, Row]], source: str, name: str, seeds: range) -> Floats:
    """A figure of a source in each seed."""
    return np.array([rows[source][str(seed)][name] for seed in seeds])


def predictions(rows: dict[str, dict[str, Row]], seeds: range) -> Iterator[str]:
    """Figure 1."""
    yield "| source | HR@1 | HR@10 | NDCG@10 | MRR | category accuracy | category KL | NDCG@10 more than local, 95 % |"
    yield "|---|---|---|---|---|---|---|---|"
    local = column(rows, "local", "ndcg_10", seeds)
    for source, by_seed in rows.items():
        if "ndcg_10" in by_seed[str(seeds[0])]:
            means = " | ".join(f"{column(rows, source, name, seeds).mean():.3f}" for name in SHOWN)
            yield f"| {source} | {means} | {gain(column(rows, source, 'ndcg_10', seeds), local, 3)} |"


def accepted(rows: dict[str, dict[str, Row]], seeds: range) -> Iterator[str]:
    """Figure 3."""
    yield "| source | accepted | more than history shares, 95 % | more than local, 95 % |"
    yield "|---|---|---|---|"
    shares, local = (column(rows, source, "accepted", seeds) for source in ("history shares", "local"))
    for source, by_seed in rows.items():
        if "accepted" in by_seed[str(seeds[0])]:
            own = column(rows, source, "accepted", seeds)
            yield f"| {source} | {own.mean():.1f} | {gain(own, shares, 1)} | {gain(own, local, 1)} |"


def main() -> None:
    """Measure, and print two tables."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", choices=list(WORLDS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=SOURCES)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    rows = measure(options.world, seeds, tuple(options.sources), options.out)
    rows = {name: rows[name] for name in SOURCES if all(str(seed) in rows.get(name, {}) for seed in seeds)}
    print(f"seeds {seeds[0]} to {seeds[-1]}\n")
    for table in (predictions, accepted):
        print("\n".join(table(rows, seeds)), end="\n\n")


if __name__ == "__main__":
    main()
