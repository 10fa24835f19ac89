"""A model of how values differ between cells, learned only from collected values.

A value is the effect of its cell plus the effect of its cycle plus a residual. How much two residuals differ grows with
the distance between their cells, in a straight line (a linear variogram). If two cells were often sensed in the same
cycle, the observed difference has more weight than the line.
"""

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.sensing.scheme import Floats

_RIDGE = 1e-6  # makes the effects of cells that were never sensed 0, and the solution unique


class VariogramModel:
    """Semivariances between cells, from sums over the cycles so far: no history is kept.

    Args:
        distance_km: between cells. Shape [X, X].
        attributes: A.
        prior_weight: weight of the variogram, as a number of cycles sensed together.
    """

    def __init__(self, distance_km: Floats, attributes: int, prior_weight: float) -> None:
        cells = len(distance_km)
        self._distance_km = distance_km
        self._prior_weight = prior_weight
        self._together = np.zeros((attributes, cells, cells))  # cycles in which both had a value
        self._differences = np.zeros_like(self._together)  # sum of v_i - v_j over these
        self._squares = np.zeros_like(self._together)  # sum of (v_i - v_j)²
        self._normal = np.zeros_like(self._together)  # of the least squares of cell effects, cycle effects eliminated
        self._right = np.zeros((attributes, cells))

    def observe(self, collected: Floats) -> None:
        """Add the collected values of one more cycle. Shape [X, A]; NaN where there is none."""
        known = ~np.isnan(collected.T)  # [A, X]
        values = np.where(known, collected.T, 0.0)
        both = known[:, :, np.newaxis] & known[:, np.newaxis]
        apart = np.where(both, values[:, :, np.newaxis] - values[:, np.newaxis], 0.0)
        self._together += both
        self._differences += apart
        self._squares += apart**2
        number = np.maximum(known.sum(axis=1), 1)  # [A]
        mean = values.sum(axis=1) / number
        diagonal = np.arange(known.shape[1])
        self._normal -= both / number[:, np.newaxis, np.newaxis]
        self._normal[:, diagonal, diagonal] += known
        self._right += np.where(known, values - mean[:, np.newaxis], 0.0)

    def cell_effects(self) -> Floats:
        """The effect of each cell by least squares, 0 for one without values. Shape [A, X]."""
        ridge = _RIDGE * np.eye(self._normal.shape[1])
        return np.asarray(np.linalg.solve(self._normal + ridge, self._right[..., np.newaxis])[..., 0])

    def semivariances(self) -> Floats:
        """Half the mean squared difference of two cells' values in one cycle, as expected. Shape [A, X, X].

        The prior g(d_ij) + (s_i − s_j)²/2, with the line g and cell effects s, counts as ``prior_weight`` cycles beside
        those in which both were sensed.
        """
        effects = self.cell_effects()
        between = effects[:, :, np.newaxis] - effects[:, np.newaxis]  # [A, X, X]
        residual = 0.5 * (self._squares - 2.0 * between * self._differences + self._together * between**2)
        prior = _lines(self._distance_km, residual, self._together) + 0.5 * between**2
        weight = self._prior_weight
        found = (weight * prior + 0.5 * self._squares) / (weight + self._together)
        diagonal = np.arange(found.shape[1])
        found[:, diagonal, diagonal] = 0.0
        return np.asarray(found)


def _lines(distance_km: Floats, summed: Floats, together: Floats) -> Floats:
    """For each attribute the line n + b · d, n and b at least 0, that fits its semivariances best.

    The weight of a pair is the number of cycles in which both were sensed. If n would be negative, the line has n = 0.

    Args:
        distance_km: shape [X, X].
        summed: semivariances times cycles. Shape [A, X, X].
        together: cycles. Shape [A, X, X].

    Returns:
        The line at every distance; 0 if no pair was sensed together. Shape [A, X, X].
    """
    pairs = together.copy()
    pairs[:, np.arange(len(distance_km)), np.arange(len(distance_km))] = 0.0
    total = np.maximum(pairs.sum(axis=(1, 2)), 1.0)
    mean_km = np.einsum("axz,xz->a", pairs, distance_km) / total
    height = summed.sum(axis=(1, 2)) / total
    spread = np.einsum("axz,xz->a", pairs, distance_km**2) - total * mean_km**2
    rise = np.einsum("axz,xz->a", summed, distance_km) - total * height * mean_km
    slope = np.where(spread > 1e-9, rise / np.maximum(spread, 1e-9), 0.0)
    slope = np.clip(slope, 0.0, height / np.maximum(mean_km, 1e-9))
    return np.asarray((height - slope * mean_km)[:, np.newaxis, np.newaxis] + np.multiply.outer(slope, distance_km))


class InferenceRule:
    """The weighted mean of nearest cells by which the environment infers values, estimated from inferred values.

    Args:
        distance_km: distances between cells. Shape [X, X].
        most_neighbours: largest number of neighbours that is considered.
        powers: powers of the inverse distance that are considered as weights; 0 for equal weights.
    """

    def __init__(self, distance_km: Floats, most_neighbours: int, powers: tuple[float, ...]) -> None:
        apart = distance_km + np.diag(np.full(len(distance_km), np.inf))
        self.nearest: NDArray[np.int64] = np.argsort(apart, axis=1, kind="stable")[:, :-1]  # [X, X - 1]
        self._near_km = np.maximum(np.take_along_axis(distance_km, self.nearest, axis=1), 1e-6)
        self._powers = powers
        self._misses = np.zeros((len(powers), min(most_neighbours, self.nearest.shape[1])))

    @property
    def neighbours(self) -> int:
        """The number of nearest cells in the mean."""
        return self._best()[1] + 1

    @property
    def weight(self) -> Floats:
        """The weights of each cell's nearest cells, in the order of ``nearest``. Shape [X, X - 1]."""
        return np.asarray(self._near_km ** -self._powers[self._best()[0]])

    def observe(self, collected: Floats, inferred: Floats) -> None:
        """Compare the values that each rule infers with the inferred values, both of shape [X, A]."""
        for a in range(collected.shape[1]):
            values = collected[self.nearest, a]  # [X, X - 1]
            known = ~np.isnan(values)
            rows = np.flatnonzero(~np.isnan(inferred[:, a]) & known.any(axis=1))
            width = np.ptp(values[known]) if len(rows) else 0.0
            if width > 0.0:
                self._misses += self._missed(np.where(known, values, 0.0), known, inferred[:, a], rows) / width

    def _missed(self, values: Floats, known: NDArray[np.bool_], inferred: Floats, rows: NDArray[np.int64]) -> Floats:
        """The error of each rule, summed over the cells ``rows``. Shape [powers, neighbours]."""
        missed = np.zeros_like(self._misses)
        rank = np.cumsum(known, axis=1)
        for k, power in enumerate(self._powers):
            weight = np.where(known, self._near_km**-power, 0.0)
            sums = np.cumsum(weight * values, axis=1)  # over the nearest, for all numbers of neighbours at once
            means = sums / np.maximum(np.cumsum(weight, axis=1), 1e-300)
            for n in range(missed.shape[1]):
                last = np.where(rank[:, -1] > n, (rank > n).argmax(axis=1), -1)  # the column of the (n + 1)-th known
                missed[k, n] = np.abs(means[rows, last[rows]] - inferred[rows]).sum()
        return missed

    def _best(self) -> tuple[int, int]:
        power, neighbours = np.unravel_index(int(self._misses.argmin()), self._misses.shape)
        return int(power), int(neighbours)
