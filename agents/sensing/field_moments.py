"""How values vary between cells and between cycles, estimated from collected values by moments; compiled loops.

A value is the effect of its cell, plus the effect of its cycle, plus a residual. Between two cells at a distance d the
semivariance of residuals, and that of effects of cells, is nugget + sill · (1 − exp(−d / range)): an exponential
variogram. The deviation of the residuals is that of the cell, shrunk towards that of all cells.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.sensing.scheme import Floats
from crowdgym.common.jit import jit

Flags = NDArray[np.bool_]

RANGES: Final = np.array([0.05, 0.1, 0.2, 0.4, 0.8])  # of variograms that are tried, in largest distances
SMALLEST_VARIANCE: Final = 1e-12
_BACKFITTING_ROUNDS: Final = 30
_LEAST_PAIRS: Final = 10  # for a variogram; with fewer, half of the variance is nugget
_LARGEST_INFLATION: Final = 3.0


class Covariances(NamedTuple):
    """What the model of one attribute rests on. X cells."""

    residual: Floats  # [X, X] of residuals in one cycle
    effect: Floats  # [X, X] of the effects of cells, before any value is known


class Effects(NamedTuple):
    """A least-squares fit of effects."""

    of_cell: Floats  # [X]
    of_cycle: Floats  # [Y]
    values: Floats  # [X] how many each cell has


@jit
def fit_effects(values: Floats, known: Flags) -> Effects:
    """Fit effects of cells and cycles by backfitting; 0 where there is no value. Both arguments have shape [Y, X]."""
    cycles, cells = values.shape
    of_cell, of_cycle, count = np.zeros(cells), np.zeros(cycles), np.zeros(cells)
    for _ in range(_BACKFITTING_ROUNDS):
        for y in range(cycles):
            total, number = 0.0, 0
            for x in range(cells):
                if known[y, x]:
                    total += values[y, x] - of_cell[x]
                    number += 1
            of_cycle[y] = total / number if number > 0 else 0.0
        of_cell[:] = 0.0
        count[:] = 0.0
        for y in range(cycles):
            for x in range(cells):
                if known[y, x]:
                    of_cell[x] += values[y, x] - of_cycle[y]
                    count[x] += 1.0
        of_cell /= np.maximum(count, 1.0)
    return Effects(of_cell, of_cycle, count)


@jit
def fit_variogram(distance_km: Floats, semivariance: Floats, weight: Floats, ranges_km: Floats) -> Floats:
    """Nugget and sill, both at least 0, and range in km with the least weighted squares: an array of the three.

    The first three arguments have the shape [pairs].
    """
    best, found = np.inf, np.array([0.0, 0.0, ranges_km[0]])
    total = weight.sum()
    if total <= 0.0:
        return found
    height = (weight * semivariance).sum() / total
    for range_km in ranges_km:
        rise = 1.0 - np.exp(-distance_km / range_km)
        middle = (weight * rise).sum() / total
        spread = (weight * (rise - middle) ** 2).sum()
        sill = 0.0
        if spread > 1e-12 * total:
            sill = max(0.0, (weight * (rise - middle) * (semivariance - height)).sum() / spread)
        nugget = height - sill * middle
        if nugget < 0.0:
            nugget = 0.0
            sill = max(0.0, (weight * rise * semivariance).sum() / max((weight * rise**2).sum(), 1e-300))
        squares = (weight * (semivariance - nugget - sill * rise) ** 2).sum()
        if squares < best:
            best = squares
            found[0], found[1], found[2] = nugget, sill, range_km
    return found


@jit
def estimate(values: Floats, known: Flags, distance_km: Floats, prior_cycles: float, noise_share: float) -> Covariances:
    """Estimate the covariances of one attribute.

    Args:
        values: of all cycles so far; 0 where not known. Shape [Y, X].
        known: which were collected. Shape [Y, X].
        distance_km: between cells. Shape [X, X].
        prior_cycles: weight of what is assumed, as a number of values.
        noise_share: variance of residuals that is assumed at first, as a share of the variance of the cells' effects.
    """
    effects = fit_effects(values, known)
    ranges_km = RANGES * max(distance_km.max(), 1e-9)
    between = _variance_between(effects)
    deviation = _deviations(values, known, effects, prior_cycles, noise_share * between)
    shape = _residual_variogram(values, known, effects, deviation, distance_km, ranges_km)
    nugget, sill, range_km = shape[0], shape[1], shape[2]
    residual = sill * np.exp(-distance_km / range_km)
    shape = _effect_variogram(effects, deviation, between, distance_km, ranges_km)
    effect = shape[1] * np.exp(-distance_km / shape[2])
    for x in range(len(distance_km)):
        residual[x, x] += nugget
        effect[x, x] += shape[0]
        residual[x] *= deviation[x]
        residual[:, x] *= deviation[x]
    return Covariances(residual, effect)


@jit
def _variance_between(effects: Effects) -> float:
    """The variance of the effects of the cells that have values."""
    seen = effects.of_cell[effects.values > 0.0]
    if len(seen) < 2:
        return SMALLEST_VARIANCE
    return float(max(seen.var() * len(seen) / (len(seen) - 1.0), SMALLEST_VARIANCE))


@jit
def _deviations(values: Floats, known: Flags, effects: Effects, prior_cycles: float, assumed: float) -> Floats:
    """Standard deviation of the residuals of each cell, [X]: its own, shrunk to that of all, shrunk to ``assumed``."""
    cycles, cells = values.shape
    squares = np.zeros(cells)
    number, used_cycles, used_cells = 0.0, 0.0, 0.0
    for y in range(cycles):
        here = 0
        for x in range(cells):
            if known[y, x]:
                here += 1
                squares[x] += (values[y, x] - effects.of_cell[x] - effects.of_cycle[y]) ** 2
        number += here
        used_cycles += 1.0 if here > 0 else 0.0
    spare = 0.0
    for x in range(cells):
        used_cells += 1.0 if effects.values[x] > 0.0 else 0.0
        spare += max(effects.values[x] - 1.0, 0.0)
    freedom = max(number - used_cells - used_cycles + 1.0, 0.0)
    pooled = (squares.sum() + prior_cycles * assumed) / (freedom + prior_cycles)
    inflation = min(spare / freedom, _LARGEST_INFLATION) if freedom > 0.0 else 1.0  # effects of cycles take some
    own = (prior_cycles * pooled + squares * inflation) / (prior_cycles + np.maximum(effects.values - 1.0, 0.0))
    return np.asarray(np.sqrt(own))


@jit
def _residual_variogram(
    values: Floats, known: Flags, effects: Effects, deviation: Floats, distance_km: Floats, ranges_km: Floats
) -> Floats:
    """Nugget, sill and range of residuals over their deviations, from pairs of cells sensed in one cycle."""
    cycles, cells = values.shape
    squares, together = np.zeros((cells, cells)), np.zeros((cells, cells))
    which, scaled = np.empty(cells, np.int64), np.empty(cells)
    for y in range(cycles):
        m = 0
        for x in range(cells):
            if known[y, x] and effects.values[x] > 1.0:
                residual = values[y, x] - effects.of_cell[x] - effects.of_cycle[y]
                which[m] = x
                scaled[m] = residual / deviation[x] * np.sqrt(effects.values[x] / (effects.values[x] - 1.0))
                m += 1
        for i in range(m):
            for j in range(i):
                squares[which[i], which[j]] += 0.5 * (scaled[i] - scaled[j]) ** 2
                together[which[i], which[j]] += 1.0
    at = np.flatnonzero(together.ravel() > 0.0)
    found = np.array([0.5, 0.5, ranges_km[2]])
    if len(at) >= _LEAST_PAIRS:
        number = together.ravel()[at]
        fitted = fit_variogram(distance_km.ravel()[at], squares.ravel()[at] / number, number, ranges_km)
        if fitted[0] + fitted[1] > 0.0:
            return fitted
    return found


@jit
def _effect_variogram(
    effects: Effects, deviation: Floats, between: float, distance_km: Floats, ranges_km: Floats
) -> Floats:
    """Nugget, sill and range of the effects of cells, less what is the noise of their estimates."""
    seen = np.flatnonzero(effects.values > 0.0)
    pairs = len(seen) * (len(seen) - 1) // 2
    apart_km, semivariance, k = np.empty(pairs), np.empty(pairs), 0
    for i in range(len(seen)):
        for j in range(i):
            x, z = seen[i], seen[j]
            noise = deviation[x] ** 2 / effects.values[x] + deviation[z] ** 2 / effects.values[z]
            apart_km[k] = distance_km[x, z]
            semivariance[k] = 0.5 * (effects.of_cell[x] - effects.of_cell[z]) ** 2 - 0.5 * noise
            k += 1
    found = fit_variogram(apart_km, semivariance, np.ones(pairs), ranges_km)
    if found[0] + found[1] <= 1e-6 * between:
        return np.array([0.05 * between, 0.05 * between, ranges_km[2]])
    return found
