"""A population of workers who are the users of real check-ins. Ours: how users become workers of centres.

Of each user the last fifth of the check-ins is hidden: it gives the preference, by smoothed frequency. The rest is the
history. Users are drawn, and put to centres by where they usually are: k-means of the medians of their places, with as
many users at each centre as at the others, but for one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.common.seeds import POPULATION_ENTROPY
from crowdgym.data.dataset import CATEGORIES, Dataset
from crowdgym.data.histories.book import CentreHistories, HistoryBook, Places
from crowdgym.data.histories.checkins.checkins import Checkins
from crowdgym.data.histories.synthetic import PopulationPlan, centres_of

Floats = NDArray[np.float64]

HIDDEN_SHARE: Final = 0.2  # of the check-ins of a user, the last ones
SMOOTHING: Final = 0.5  # added to the count of every category
_MOST_PASSES: Final = 50  # of k-means


@dataclass(frozen=True)
class RecordedPopulation:
    """Workers with their histories, and what they did afterwards.

    Attributes:
        centre: of each worker. Shape [W].
        histories: centre by centre.
        preference: smoothed frequencies of the categories of each worker's hidden check-ins. Shape [W, C].
    """

    centre: NDArray[np.int32]
    histories: HistoryBook
    preference: Floats


def recorded_population(dataset: Dataset, checkins: Checkins, plan: PopulationPlan) -> RecordedPopulation:
    """Draw workers from the users of check-ins; the same plan gives the same population.

    Of the plan count the numbers of workers, centres and events, and the seed. A history holds the latest
    ``history_events`` that are not hidden.

    Raises:
        ConfigError: more workers than users, or more centres than workers.
    """
    if plan.num_workers > checkins.num_users:
        raise ConfigError(
            f"num_workers must be at most {checkins.num_users}, the users with check-ins in {dataset.name}, "
            f"got {plan.num_workers}"
        )
    if plan.num_centres > plan.num_workers:
        raise ConfigError(f"num_centres must be at most num_workers = {plan.num_workers}, got {plan.num_centres}")
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((POPULATION_ENTROPY, plan.seed))))
    users = np.sort(generator.choice(checkins.num_users, plan.num_workers, replace=False))
    histories = [_visible(checkins, user, plan.history_events) for user in users.tolist()]
    home_m = np.array([_median_m(dataset, checkins, events) for events in histories])  # [W, 2]
    order = _by_centre(home_m, plan, generator)
    centre = centres_of(plan.num_workers, plan.num_centres)
    chosen = [histories[at] for at in order]
    preference = np.array([_hidden_frequencies(checkins, int(users[at])) for at in order])
    return RecordedPopulation(centre, _book(checkins, chosen, centre, plan.num_centres), preference)


def _events_of(checkins: Checkins, user: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The check-ins of a user that are visible, at least one, and those that are hidden."""
    events = np.flatnonzero(checkins.user == user)
    visible = max(1, len(events) - int(np.ceil(HIDDEN_SHARE * len(events))))
    return events[:visible], events[visible:]


def _visible(checkins: Checkins, user: int, most: int) -> NDArray[np.intp]:
    return _events_of(checkins, user)[0][-most:]


def _hidden_frequencies(checkins: Checkins, user: int) -> Floats:
    hidden = checkins.place_category[checkins.place[_events_of(checkins, user)[1]]]
    counts = np.bincount(hidden, minlength=len(CATEGORIES)) + SMOOTHING
    frequencies: Floats = counts / counts.sum()
    return frequencies


def _median_m(dataset: Dataset, checkins: Checkins, events: NDArray[np.intp]) -> tuple[float, float]:
    node = checkins.place_node[checkins.place[events]]
    return float(np.median(dataset.network.x_m[node])), float(np.median(dataset.network.y_m[node]))


def _by_centre(home_m: Floats, plan: PopulationPlan, generator: np.random.Generator) -> list[int]:
    """The users in the order of their centres, by k-means with clusters of equal size.

    It begins at a user drawn at random, the user farthest from it, the one farthest from both, and so on.
    """
    from scipy.optimize import linear_sum_assignment

    means = home_m[[int(generator.integers(len(home_m)))]]
    while len(means) < plan.num_centres:
        means = np.concatenate([means, home_m[[_squared(home_m, means).min(axis=1).argmax()]]])
    seat = centres_of(plan.num_workers, plan.num_centres)
    chosen = np.zeros(plan.num_workers, np.intp)  # [W] the user of each seat
    for _ in range(_MOST_PASSES):
        before = chosen
        users, seats = linear_sum_assignment(_squared(home_m, means)[:, seat])
        chosen = users[np.argsort(seats)]
        if (chosen == before).all():
            break
        means = np.array([home_m[chosen[seat == number]].mean(axis=0) for number in range(plan.num_centres)])
    order: list[int] = chosen.tolist()
    return order


def _squared(points_m: Floats, means_m: Floats) -> Floats:
    """Squared distances. Shape [points, means]."""
    squared: Floats = ((points_m[:, np.newaxis] - means_m[np.newaxis]) ** 2).sum(axis=2)
    return squared


def _book(
    checkins: Checkins, histories: list[NDArray[np.intp]], centre: NDArray[np.int32], num_centres: int
) -> HistoryBook:
    places = Places(
        checkins.place_node,
        checkins.place_category,
        np.bincount(checkins.place[np.concatenate(histories)], minlength=len(checkins.place_node)).astype(np.float64),
    )
    centres = []
    for number in range(num_centres):
        own = np.flatnonzero(centre == number).tolist()
        events = np.concatenate([histories[worker] for worker in own])
        worker = np.repeat(own, [len(histories[worker]) for worker in own]).astype(np.int32)
        place = checkins.place[events]
        centres.append(CentreHistories(worker, place, checkins.place_category[place], checkins.time_s[events]))
    return HistoryBook(places, centres)
