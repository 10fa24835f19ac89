"""The best fixed cells, chosen with knowledge of the true values: a bound for fixed choices, not a scheme."""

from functools import lru_cache

import numpy as np

from crowdgym.agents.information import Information
from crowdgym.agents.sensing.static import GivenStatic
from crowdgym.bench.sensing.known_series import Flags, KnownSeries, errors_of_set, known_series
from crowdgym.configs.sensing import SensingSettings

_STARTS = 5  # of the search
_SEED = 20190601  # of the sets it starts from


class BestStatic(GivenStatic):
    """Stays in the best fixed cells of an episode."""

    information = Information.CLAIRVOYANT

    def __init__(self, settings: SensingSettings) -> None:
        super().__init__(best_static_cells(settings))


@lru_cache(maxsize=64)
def best_static_cells(settings: SensingSettings) -> tuple[int, ...]:
    """The P cells with the smallest error of all cycles but the first, whose placement is drawn.

    Found by exchanging one cell for another while that helps, from several sets: a local optimum, so no smaller than
    the least possible error.
    """
    known = known_series(settings)
    cycles, cells = known.truth.shape[:2]
    generator = np.random.default_rng(_SEED)
    found = []
    for _ in range(_STARTS):
        sensed = np.zeros(cells, np.bool_)
        sensed[generator.choice(cells, settings.num_participants, replace=False)] = True
        path = exchange(known, sensed, 1, cycles)
        found.append((float(errors_of_set(known, path[-1], 1, cycles).mean()), path[-1]))
    best = min(range(_STARTS), key=lambda k: found[k][0])
    return tuple(np.flatnonzero(found[best][1]).tolist())


def exchange(known: KnownSeries, sensed: Flags, first: int, end: int) -> list[Flags]:
    """Exchange one cell for another while the mean error of the cycles from ``first`` to before ``end`` falls.

    Returns:
        The sets on the way, from ``sensed`` to the last.
    """
    path = [sensed.copy()]
    lowest = float(errors_of_set(known, sensed, first, end).mean())
    while True:
        here, best = path[-1].copy(), None
        for out in np.flatnonzero(path[-1]):
            for come in np.flatnonzero(~path[-1]):
                here[out], here[come] = False, True
                error = float(errors_of_set(known, here, first, end).mean())
                here[out], here[come] = True, False
                if error < lowest - 1e-12:
                    best, lowest = (out, come), error
        if best is None:
            return path
        here[best[0]], here[best[1]] = False, True
        path.append(here)
