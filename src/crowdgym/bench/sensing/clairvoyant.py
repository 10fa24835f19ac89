"""Moves that are planned with knowledge of all true values: a bound for moving choices, not a scheme.

A pool of sets of cells is searched first: the sets with small errors over the whole episode, over its halves, quarters,
and so on, and all sets on the way to them. Then dynamic programming finds the sequence of sets with the smallest sum of
errors and λ times the km per participant. The pool is not all sets, so the least possible sum may be smaller still.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from crowdgym.agents.information import Information
from crowdgym.agents.sensing.scheme import Cells, Cycle, SensingScheme
from crowdgym.bench.sensing.hindsight import best_static_cells, exchange
from crowdgym.bench.sensing.known_series import Flags, Floats, errors_of_set, known_series
from crowdgym.configs.sensing import SensingSettings

_LEAST_CYCLES = 3  # of the shortest parts for which sets are searched


@dataclass(frozen=True)
class Pool:
    """K sets of P cells, and what they would give. Y cycles.

    Attributes:
        cells: of each set. Shape [K, P].
        errors: of each set in each cycle. Shape [Y, K].
        travel_km: least mean travel of a participant from one set to another. Shape [K, K].
        distance_km: between cells. Shape [X, X].
    """

    cells: NDArray[np.int64]
    errors: Floats
    travel_km: Floats
    distance_km: Floats


@lru_cache(maxsize=64)
def pool_of(settings: SensingSettings) -> Pool:
    """Search the sets of the pool."""
    known = known_series(settings)
    cycles, number = known.truth.shape[:2]
    sets: dict[tuple[int, ...], Flags] = {}

    def search(start: Flags, first: int, end: int) -> None:
        path = exchange(known, start, first, end)
        sets.update((tuple(np.flatnonzero(one).tolist()), one) for one in path)
        if end - first >= 2 * _LEAST_CYCLES:
            middle = (first + end) // 2
            search(path[-1], first, middle)
            search(path[-1], middle, end)

    search(np.isin(np.arange(number), best_static_cells(settings)), 1, cycles)
    cells = np.array(list(sets), np.int64)
    errors = np.stack([errors_of_set(known, one, 0, cycles) for one in sets.values()], axis=1)
    travel_km = np.array([[_travel_km(known.distance_km, one, other) for other in cells] for one in cells])
    return Pool(cells, errors, travel_km, known.distance_km)


def plan(pool: Pool, start: Cells, cost_weight: float) -> list[int]:
    """The set of each cycle but the first, with the smallest sum of errors and ``cost_weight`` times travel."""
    cycles = len(pool.errors)
    first_km = np.array([_travel_km(pool.distance_km, start, cells) for cells in pool.cells])
    total = cost_weight * first_km + pool.errors[1]
    came_from = np.zeros(pool.errors.shape, np.int64)
    for y in range(2, cycles):
        over = total[:, np.newaxis] + cost_weight * pool.travel_km
        came_from[y] = over.argmin(axis=0)
        total = over.min(axis=0) + pool.errors[y]
    chosen = [int(total.argmin())]
    for y in range(cycles - 1, 1, -1):
        chosen.append(int(came_from[y, chosen[-1]]))
    return chosen[::-1]


class Clairvoyant(SensingScheme):
    """Plays the plan of an episode, with the smallest total travel from set to set.

    Args:
        pool: the sets.
        cost_weight: λ, of the mean km per participant in a cycle, relative to the error of a cycle.
    """

    information = Information.CLAIRVOYANT

    def __init__(self, pool: Pool, cost_weight: float) -> None:
        self._pool = pool
        self._cost_weight = cost_weight

    def begin(self, generator: np.random.Generator) -> None:
        """See `SensingScheme`."""
        self._left: Sequence[int] | None = None

    def choose(self, cycle: Cycle) -> Cells:
        """See `SensingScheme`."""
        if self._left is None:
            self._left = plan(self._pool, cycle.participant_cell, self._cost_weight)
        goals, self._left = self._pool.cells[self._left[0]], self._left[1:]
        _, nearest = linear_sum_assignment(self._pool.distance_km[np.ix_(cycle.participant_cell, goals)])
        return np.asarray(goals[nearest])


def _travel_km(distance_km: Floats, one: Cells, other: Cells) -> float:
    apart = distance_km[np.ix_(one, other)]
    return float(apart[linear_sum_assignment(apart)].mean())
