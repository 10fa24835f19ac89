"""The rule by which the environment infers values, found by comparing what it inferred with what rules would give."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.agents.sensing.support_vectors import kernels, predict, scaled_places
from crowdgym.common.jit import jit

POWERS: Final = (0.0, 1.0, 2.0)  # of the inverse distance, of weighted means
MOST_NEIGHBOURS: Final = 8
SUPPORT: Final = tuple((c, epsilon) for c in (0.1, 1.0, 10.0) for epsilon in (0.01, 0.1, 0.3))  # C and ε
_MOST_CELLS: Final = 6  # whose values are compared in a cycle
_MOST_ATTRIBUTES: Final = 3
_SMALLEST_KM: Final = 1e-6


class Inference(NamedTuple):
    """A rule: a weighted mean of the nearest, or support vector regression. X cells."""

    nearest: NDArray[np.int64]  # [X, X - 1] the other cells of each cell, nearest first
    weight: Floats  # [X, X - 1] of each of them
    neighbours: int  # in the weighted mean; 0: support vector regression
    places: Floats  # [X, 2] scaled coordinates
    c: float  # of support vector regression
    epsilon: float


class InferenceRule:
    """Which of several rules the environment uses.

    Args:
        places_km: coordinates of the cells. Shape [X, 2].
        distance_km: between cells. Shape [X, X].
    """

    def __init__(self, places_km: Floats, distance_km: Floats) -> None:
        apart = distance_km + np.diag(np.full(len(distance_km), np.inf))
        self._nearest: NDArray[np.int64] = np.argsort(apart, axis=1, kind="stable")[:, :-1]
        self._near_km = np.maximum(np.take_along_axis(distance_km, self._nearest, axis=1), _SMALLEST_KM)
        self._places = scaled_places(places_km)
        means = [(power, n + 1, 0.0, 0.0) for power in POWERS for n in range(min(MOST_NEIGHBOURS, len(apart) - 1))]
        support = [(0.0, 0, c, epsilon) for c, epsilon in SUPPORT]
        self._rules = np.array([*means, *support], np.float64)  # [rules, 4] power, neighbours, C, epsilon
        self._misses = np.zeros(len(self._rules))

    @property
    def found(self) -> Inference:
        """The rule whose values have been closest so far; of equally close ones the first."""
        power, neighbours, c, epsilon = self._rules[int(self._misses.argmin())].tolist()
        weight = np.asarray(self._near_km**-power)
        return Inference(self._nearest, weight, int(neighbours), self._places, c, epsilon)

    def observe(self, collected: Floats, inferred: Floats) -> None:
        """Compare the rules with the inferred values of some cells. Both have shape [X, A]; NaN where there is none."""
        for a in range(min(collected.shape[1], _MOST_ATTRIBUTES)):
            known = np.flatnonzero(~np.isnan(collected[:, a]))
            compared = np.flatnonzero(~np.isnan(inferred[:, a]))
            width = float(np.ptp(collected[known, a])) if len(known) > 1 else 0.0
            if width == 0.0:
                continue
            compared = compared[np.linspace(0, len(compared) - 1, min(len(compared), _MOST_CELLS)).astype(np.int64)]
            for x in compared:
                others = known[known != x]
                if len(others):
                    given = _values(
                        self._rules, self._nearest, self._near_km, self._places, int(x), others, collected[:, a]
                    )
                    self._misses += np.minimum(np.abs(given - inferred[x, a]) / width, 1.0)


@jit
def _values(
    rules: Floats, nearest: Cells, near_km: Floats, places: Floats, x: int, known: Cells, values: Floats
) -> Floats:
    """What each rule infers in cell ``x`` from the values of the ``known`` cells. Shape [rules]."""
    found = np.empty(len(rules))
    is_known = np.zeros(len(places), np.bool_)
    is_known[known] = True
    among, across = kernels(places, known, np.full(1, x))
    for k in range(len(rules)):
        power, neighbours, c, epsilon = rules[k]
        if neighbours == 0.0:
            found[k] = predict(among, across, values[known], c, epsilon)[0]
            continue
        total, weights, used = 0.0, 0.0, 0.0
        for rank in range(nearest.shape[1]):
            z = nearest[x, rank]
            if is_known[z]:
                weight = near_km[x, rank] ** -power
                total += weight * values[z]
                weights += weight
                used += 1.0
                if used == neighbours:
                    break
        found[k] = total / weights
    return found
