"""What a way to learn preferences is worth in one population of ``preference_v0``; used by ``preference_learning.py``.

The last six events of each history are held out: nothing is learnt or chosen from them. A way to learn is trained on
the rest, predicts the held-out events one by one, and then plays episodes with the preferences that it tells after the
whole history: as they are (``accepted``), and corrected by the answers of the episode (``with_answers``).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import crowdgym
from crowdgym.agents.es.trainer import play_rows
from crowdgym.agents.preference.policies import AnswersKmPolicy, KmPolicy
from crowdgym.agents.preference.sources import HistoryShareSource, PreferenceSource, TableSource, UniformSource
from crowdgym.agents.ta_fpl.ranking import Predictions, ranks
from crowdgym.configs.ta_fpl import TaFplSettings
from crowdgym.data.histories.synthetic import Population
from crowdgym.envs.preference.definition import PreferenceDefinition
from crowdgym.registration import environment_spec
from crowdgym.training.centres import LocalCentres
from crowdgym.training.preferences import learn_preferences

Floats = NDArray[np.float64]
Row = dict[str, float]

HELD_OUT = 6  # events of each worker
EPISODES = 10  # of each source in each population


class Measurement:
    """Everything about one population."""

    def __init__(self, world: Mapping[str, Any], seed: int) -> None:
        self.keywords = {**world, "population_seed": seed}
        self.seed = seed
        self._generator: Any = PreferenceDefinition.of(self.keywords, None, None).generator
        self._population: Population = self._generator.population

    def row(self, source: str, changes: Mapping[str, Any]) -> Row:
        """The figures of one source: "popularity", "blind", "history shares", "oracle", or a strategy of TA-FPL."""
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
        return self._learnt(source, changes)

    def _learnt(self, strategy: str, changes: Mapping[str, Any]) -> Row:
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
        policies = {"accepted": KmPolicy(source), "with_answers": AnswersKmPolicy(source)}
        return {name: float(play_rows(env, one, seeds, "accepted").metric.mean()) for name, one in policies.items()}

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
