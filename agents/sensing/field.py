"""A Gaussian model of the values of the next cycle, learned from collected values only.

A value is the effect of its cell, plus the effect of its cycle, plus a residual (`crowdgym.agents.sensing.
field_moments`). The effects of cells are estimated cycle by cycle, with their covariances; the effect of a cycle is
unknown and has no prior. So differences between cells are what the model knows: their means, and their covariances.
"""

import numpy as np

from crowdgym.agents.sensing.field_moments import Covariances, Flags, estimate
from crowdgym.agents.sensing.scheme import Floats
from crowdgym.common.jit import jit

_REFIT_GROWTH = 1.3  # covariances are estimated anew once there are so many times as many cycles
_SMALL_REGION = 200  # cells; up to here all attributes are estimated in one cycle


class FieldModel:
    """Means and covariances of the values of the next cycle, but for a common shift of all cells.

    Covariances are estimated anew at growing intervals, one attribute a cycle in large regions: that takes a pass over
    all cycles so far. In between, each cycle changes the effects of cells only.

    Args:
        distance_km: between cells. Shape [X, X].
        attributes: A.
        prior_cycles: weight of the assumed variances, as a number of values of a cell.
        noise_share: variance of residuals that is assumed at first, as a share of that of the effects of cells.

    Attributes:
        mean: of the effect of each cell. Shape [A, X].
        covariance: of the values of the next cycle, without the effect of the cycle. Shape [A, X, X].
    """

    def __init__(self, distance_km: Floats, attributes: int, prior_cycles: float, noise_share: float) -> None:
        cells = len(distance_km)
        self._distance_km = distance_km
        self._prior_cycles = prior_cycles
        self._noise_share = noise_share
        self._cycles: list[Floats] = []
        self._refit_at = np.ones(attributes, np.int64)
        self._at_once = attributes if cells <= _SMALL_REGION else 1
        self._covariances: list[Covariances | None] = [None] * attributes
        self._effect = np.zeros((attributes, cells, cells))  # covariance of effects, given the values so far
        self.mean = np.zeros((attributes, cells))
        self.covariance = np.zeros((attributes, cells, cells))

    def observe(self, collected: Floats) -> None:
        """Add the collected values of one more cycle. Shape [X, A]; NaN where there is none."""
        self._cycles.append(collected)
        number = len(self._cycles)
        due = np.flatnonzero(self._refit_at <= number)
        fresh = [a for a in range(len(self.mean)) if self._covariances[a] is None]
        refitted = set(fresh) | set(due[np.argsort(self._refit_at[due], kind="stable")][: self._at_once].tolist())
        for a in range(len(self.mean)):
            if a in refitted:
                self._refit(a)
                self._refit_at[a] = max(number + 1, int(number * _REFIT_GROWTH))
            else:
                covariances = self._covariances[a]
                assert covariances is not None
                known = ~np.isnan(collected[:, a])
                update(self.mean[a], self._effect[a], covariances.residual, collected[:, a], known)
                np.add(self._effect[a], covariances.residual, out=self.covariance[a])

    def effect_deviation(self) -> Floats:
        """Deviation of the effect of each cell from the mean of all, given the values so far. Shape [A, X]."""
        own = np.einsum("axx->ax", self._effect)
        shared = self._effect.mean(axis=2)
        return np.asarray(np.sqrt(np.maximum(own - 2.0 * shared + shared.mean(axis=1, keepdims=True), 0.0)))

    def _refit(self, a: int) -> None:
        """Estimate the covariances of attribute ``a`` anew, and with them the effects of the cells."""
        values = np.stack([cycle[:, a] for cycle in self._cycles])  # [Y, X]
        known = ~np.isnan(values)
        filled = np.where(known, values, 0.0)
        covariances = estimate(filled, known, self._distance_km, self._prior_cycles, self._noise_share)
        self._covariances[a] = covariances
        self.mean[a] = 0.0
        self._effect[a] = covariances.effect
        for y in range(len(values)):
            update(self.mean[a], self._effect[a], covariances.residual, filled[y], known[y])
        np.add(self._effect[a], covariances.residual, out=self.covariance[a])


@jit
def update(mean: Floats, effect: Floats, residual: Floats, values: Floats, known: Flags) -> None:
    """Change the mean and covariance of the effects of cells by the values of a cycle; a Kalman update.

    The effect of the cycle is unknown: only differences between the values count.

    Args:
        mean: of the effects; is changed. Shape [X].
        effect: their covariance; is changed. Shape [X, X].
        residual: covariance of residuals. Shape [X, X].
        values: of the cycle. Shape [X].
        known: which of them were collected. Shape [X].
    """
    at = np.flatnonzero(known)
    n = len(at)
    if n < 2:
        return
    among, across = np.empty((n, n)), np.empty((n, len(mean)))
    ahead = np.empty(n)
    for i in range(n):
        ahead[i] = values[at[i]] - mean[at[i]]
        across[i] = effect[at[i]]
        for j in range(n):
            among[i, j] = effect[at[i], at[j]] + residual[at[i], at[j]]
        among[i, i] *= 1.0 + 1e-9  # two cells at one place would be the same
    precision = np.linalg.inv(among)
    rows = precision.sum(axis=1)
    precision -= np.outer(rows, rows) / rows.sum()  # whatever is common to all values says nothing
    gain = np.dot(across.T, precision)  # [X, n]
    mean += np.dot(gain, ahead)
    effect -= np.dot(gain, across)
