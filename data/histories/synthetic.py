"""A population of workers with histories drawn from a model that is known: what can be learnt, and how well, is exact.

The model is ours. Places lie at the nodes of a city where orders begin. Every worker is of one of a few latent types;
a type has a mix of categories and a table of transitions between them. Centres have different mixes of types, the more
so the smaller ``centre_concentration`` is. The next category of a worker follows its own mix and its type's transition
from the last category, half and half. The next place within the category is the usual successor of the last place of
that category, or, with the other half, one drawn by popularity and nearness to the worker's home.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.common.seeds import POPULATION_ENTROPY
from crowdgym.data.dataset import CATEGORIES, Dataset
from crowdgym.data.histories.book import CentreHistories, HistoryBook, Places

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

MIX_CONCENTRATION: Final = 0.5  # of the Dirichlet law of a type's mix, and of a worker's own part
TRANSITION_CONCENTRATION: Final = 0.25  # of each row of a type's transitions
TYPE_SHARE: Final = 0.7  # of its type's mix in a worker's own mix
MIX_SHARE: Final = 0.5  # of a worker's own mix in its next category; the rest is the transition
SUCCESSOR_SHARE: Final = 0.5  # of the usual successor in the next place
HOME_SCALE_M: Final = 2000.0  # distance from home at which a place is chosen 1/e as often
EVENT_GAP_S: Final = 43_200.0  # mean time between two events of a worker


@dataclass(frozen=True)
class PopulationPlan:
    """How large a population is, and how unlike its centres are.

    Attributes:
        num_workers: W.
        num_centres: N; worker w belongs to centre w N // W.
        history_events: of each worker.
        num_places: L, or as many as the city has nodes where orders begin.
        num_types: latent types of workers.
        centre_concentration: of the Dirichlet law of a centre's mix of types; small means centres unlike each other.
        seed: of everything that is drawn.
    """

    num_workers: int
    num_centres: int
    history_events: int
    num_places: int
    num_types: int
    centre_concentration: float
    seed: int


def centres_of(num_workers: int, num_centres: int) -> Ints:
    """The centre of each worker: blocks of equal size, but for one worker. Shape [W]."""
    return (np.arange(num_workers) * num_centres // num_workers).astype(np.int32)


@dataclass(frozen=True)
class Truth:
    """The model behind the histories of W workers with E events each: hidden from agents.

    Attributes:
        places: L of them.
        own_mix: of each worker. Shape [W, C].
        worker_type: shape [W].
        transitions: of each type, from a row's category to a column's. Shape [types, C, C].
        successor: the usual next place after each, of the same category. Shape [L].
        liking: popularity times nearness to the worker's home. Shape [W, L].
        category: of each event. Shape [W, E].
        place: of each event. Shape [W, E].
    """

    places: Places
    own_mix: Floats
    worker_type: Ints
    transitions: Floats
    successor: Ints
    liking: Floats
    category: NDArray[np.int8]
    place: Ints

    def category_probabilities(self, event: int) -> Floats:
        """p(c) of the event of that number, given those before; event E is the first after the history.

        Returns:
            Shape [W, C].
        """
        if event == 0:
            return self.own_mix
        following = self.transitions[self.worker_type, self.category[:, event - 1]]
        mixed: Floats = MIX_SHARE * self.own_mix + (1.0 - MIX_SHARE) * following
        return mixed

    def place_probabilities(self, event: int, category: NDArray[np.integer]) -> Floats:
        """p(l | c) of the event of that number, given those before and its category.

        Args:
            event: its number, from 0 to E.
            category: of each worker's event. Shape [W].

        Returns:
            Shape [W, L]; 0 at places of other categories.
        """
        within = self.places.category[np.newaxis, :] == category[:, np.newaxis]  # [W, L]
        free = np.where(within, self.liking, 0.0)
        free /= free.sum(axis=1, keepdims=True)
        last = self._last_place_of(event, category)
        known = np.flatnonzero(last >= 0)
        free[known] *= 1.0 - SUCCESSOR_SHARE
        free[known, self.successor[last[known]]] += SUCCESSOR_SHARE
        return free

    def _last_place_of(self, event: int, category: NDArray[np.integer]) -> Ints:
        """The latest place of that category before an event, or -1. Shape [W]."""
        last = np.full(len(category), -1, np.int32)
        for earlier in range(event):
            same = self.category[:, earlier] == category
            last[same] = self.place[same, earlier]
        return last


@dataclass(frozen=True)
class Population:
    """Workers with their histories, and what is true about them.

    Attributes:
        centre: of each worker. Shape [W].
        histories: centre by centre.
        truth: the model that drew them.
    """

    centre: Ints
    histories: HistoryBook
    truth: Truth

    @cached_property
    def preference(self) -> Floats:
        """The true distribution of each worker's next category after its history. Shape [W, C]."""
        return self.truth.category_probabilities(self.truth.category.shape[1])


def draw_population(dataset: Dataset, plan: PopulationPlan) -> Population:
    """Draw a population; the same plan on the same dataset gives the same one.

    Raises:
        ConfigError: more centres than workers.
    """
    if plan.num_centres > plan.num_workers:
        raise ConfigError(f"num_centres must be at most num_workers = {plan.num_workers}, got {plan.num_centres}")
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((POPULATION_ENTROPY, plan.seed))))
    places = _draw_places(dataset, plan.num_places, generator)
    centre = centres_of(plan.num_workers, plan.num_centres)
    truth = _draw_events(_draw_model(dataset, places, centre, plan, generator), plan.history_events, generator)
    gap_s = generator.exponential(EVENT_GAP_S, truth.place.shape)
    return Population(centre, _book_of(truth, centre, np.cumsum(gap_s, axis=1), plan.num_centres), truth)


def _draw_places(dataset: Dataset, count: int, generator: np.random.Generator) -> Places:
    """Nodes drawn by the number of orders that begin there, and the most popular node of every category."""
    orders = np.bincount(dataset.orders.origin, minlength=dataset.network.num_nodes).astype(np.float64)
    busy = np.flatnonzero(orders)
    kinds = np.unique(dataset.category[busy])
    leading = np.array([max(busy[dataset.category[busy] == kind], key=lambda node: orders[node]) for kind in kinds])
    left = np.setdiff1d(busy, leading)
    more = min(max(count - len(leading), 0), len(left))
    drawn = generator.choice(left, more, replace=False, p=orders[left] / orders[left].sum()) if more else left[:0]
    node = np.sort(np.concatenate([leading, drawn])).astype(np.int32)
    return Places(node, dataset.category[node], orders[node])


def _draw_model(
    dataset: Dataset, places: Places, centre: Ints, plan: PopulationPlan, generator: np.random.Generator
) -> Truth:
    """The model, without any event yet."""
    workers, types = plan.num_workers, plan.num_types
    there = np.isin(np.arange(len(CATEGORIES)), places.category)
    base = _mixes(generator, MIX_CONCENTRATION, (types,), there)  # [types, C]
    transitions = _mixes(generator, TRANSITION_CONCENTRATION, (types, len(CATEGORIES)), there)
    type_mix = generator.dirichlet(np.full(types, plan.centre_concentration), plan.num_centres)  # [N, types]
    worker_type = _drawn(type_mix[centre], generator)
    own = _mixes(generator, MIX_CONCENTRATION, (workers,), there)
    home = _drawn(np.broadcast_to(places.popularity, (workers, len(places))), generator)
    x_m, y_m = dataset.network.x_m[places.node], dataset.network.y_m[places.node]
    away_m = np.hypot(x_m[home, np.newaxis] - x_m, y_m[home, np.newaxis] - y_m)  # [W, L]
    return Truth(
        places=places,
        own_mix=TYPE_SHARE * base[worker_type] + (1.0 - TYPE_SHARE) * own,
        worker_type=worker_type,
        transitions=transitions,
        successor=_draw_successors(places, generator),
        liking=places.popularity * np.exp(-away_m / HOME_SCALE_M),
        category=np.zeros((workers, 0), np.int8),
        place=np.zeros((workers, 0), np.int32),
    )


def _mixes(
    generator: np.random.Generator, concentration: float, shape: tuple[int, ...], there: NDArray[np.bool_]
) -> Floats:
    """Distributions over the categories that have a place, by a symmetric Dirichlet law. Shape [*shape, C]."""
    mixes = np.zeros((*shape, len(there)))
    mixes[..., there] = generator.dirichlet(np.full(int(there.sum()), concentration), shape)
    return mixes


def _draw_successors(places: Places, generator: np.random.Generator) -> Ints:
    """For every place another one of its category, by popularity; itself where it is the only one. Shape [L]."""
    weight = np.where(places.category[:, np.newaxis] == places.category, places.popularity, 0.0)  # [L, L]
    alone = (weight > 0).sum(axis=1) == 1
    weight[~alone, ~alone] = 0.0
    return _drawn(weight, generator)


def _draw_events(model: Truth, events: int, generator: np.random.Generator) -> Truth:
    """The model with histories of so many events."""
    truth = model
    for event in range(events):
        category = _drawn(truth.category_probabilities(event), generator).astype(np.int8)
        place = _drawn(truth.place_probabilities(event, category), generator)
        truth = Truth(
            **{
                **vars(truth),
                "category": np.column_stack([truth.category, category]),
                "place": np.column_stack([truth.place, place]),
            }
        )
    return truth


def _drawn(weight: Floats, generator: np.random.Generator) -> Ints:
    """One column of each row, by weight. Shape [rows]."""
    reached = np.cumsum(weight, axis=1)
    lots = generator.random(len(weight)) * reached[:, -1]
    columns: Ints = (reached <= lots[:, np.newaxis]).sum(axis=1).astype(np.int32)
    return columns


def _book_of(truth: Truth, centre: Ints, time_s: Floats, num_centres: int) -> HistoryBook:
    events = truth.place.shape[1]
    centres = []
    for number in range(num_centres):
        own = np.flatnonzero(centre == number)
        centres.append(
            CentreHistories(
                worker=np.repeat(own, events).astype(np.int32),
                place=truth.place[own].ravel(),
                category=truth.category[own].ravel(),
                time_s=time_s[own].ravel(),
            )
        )
    return HistoryBook(truth.places, centres)
