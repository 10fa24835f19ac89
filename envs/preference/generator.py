"""Where instances of `preference_v0` come from. A generator of your own has ``generate`` and ``histories``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.preference import PreferenceSettings
from crowdgym.data.dataset import Dataset
from crowdgym.data.histories import HistoryBook
from crowdgym.data.histories.recorded import RecordedPopulation, recorded_population
from crowdgym.data.histories.synthetic import Population, PopulationPlan, draw_population
from crowdgym.envs.core.given_parts import GivenParts, WorkerPlaces
from crowdgym.envs.core.order_windows import order_window
from crowdgym.envs.core.sampling import check_num_workers, later
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.preference.instance import NUM_CATEGORIES, PreferenceInstance


class InstanceGenerator(Protocol):
    """Draws the workers and tasks of an episode."""

    @property
    def histories(self) -> HistoryBook:
        """What the centres have on file about their workers, the same in all episodes."""

    def generate(self, seeds: InstanceSeeds) -> PreferenceInstance:
        """Draw an instance; the same seeds give the same instance. Every instance has the same network and sizes."""


class PopulationGenerator:
    """Tasks at the places of a dataset's orders, for the workers of a population with known preferences.

    The population (workers, centres, histories, true preferences) is drawn once, from ``population_seed``: from the
    users of the dataset's check-ins, if it has any, else from a model. An episode
    draws where its workers start (the origin of any order), which orders of the window become tasks, how long these
    stay open, and the lots that decide who is willing.

    With ``orders="replay"`` task i is order i of the window of one day. Of the parts that ``from_data`` names, a
    deadline is when a task expires, and workers start where those of the dataset's log began.

    Raises:
        ConfigError: more workers than the network has places or the log has workers, more tasks than the window has
            orders, or a part that the dataset does not bring.
        DataError: the days are not written as they should be.
    """

    def __init__(self, dataset: Dataset, settings: PreferenceSettings) -> None:
        check_num_workers(dataset, settings.num_workers)
        self._dataset = dataset
        self._settings = settings
        self._window = order_window(dataset, settings)
        self._parts = GivenParts.of(dataset, settings.from_data)
        self._workers = WorkerPlaces(self._parts, settings)
        plan = _plan_of(settings)
        self.population: Population | RecordedPopulation = (
            draw_population(dataset, plan)
            if dataset.checkins is None
            else recorded_population(dataset, dataset.checkins, plan)
        )
        self._history_share = history_shares(self.histories, self.population.centre)

    @property
    def histories(self) -> HistoryBook:
        """See `InstanceGenerator`."""
        return self.population.histories

    def generate(self, seeds: InstanceSeeds) -> PreferenceInstance:
        """See `InstanceGenerator`."""
        settings, dataset = self._settings, self._dataset
        chosen = self._window.choose(seeds.tasks)
        low, high = 1.0 - settings.expiry_spread, 1.0 + settings.expiry_spread
        drawn_s = settings.expiry_mean_s * seeds.tasks.uniform(low, high, settings.num_tasks)
        given_s = self._parts.windows_s(chosen)
        return PreferenceInstance(
            network=dataset.network,
            centre=self.population.centre,
            worker_node=self._workers.draw(seeds.workers),
            history_share=self._history_share,
            preference=self.population.preference,
            lots=seeds.noise.random((settings.num_workers, settings.num_tasks)),
            task_node=chosen.origin,
            task_category=dataset.category[chosen.origin],
            created_s=chosen.created_s,
            expiry_s=later(chosen.created_s + np.where(np.isnan(given_s), drawn_s, given_s), chosen.created_s),
        )


def history_shares(histories: HistoryBook, centre: NDArray[np.int32]) -> NDArray[np.float64]:
    """The category shares of every worker, each from the history at its own centre. Shape [W, C]."""
    shares = np.zeros((len(centre), NUM_CATEGORIES))
    for number in range(histories.num_centres):
        own = np.flatnonzero(centre == number)
        shares[own] = histories.of(number).category_shares(own, NUM_CATEGORIES)
    return shares


def _plan_of(settings: PreferenceSettings) -> PopulationPlan:
    return PopulationPlan(
        num_workers=settings.num_workers,
        num_centres=settings.num_centres,
        history_events=settings.history_events,
        num_places=settings.num_places,
        num_types=settings.num_types,
        centre_concentration=settings.centre_concentration,
        seed=settings.population_seed,
    )
