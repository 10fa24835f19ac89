"""The best fixed cells, chosen with knowledge of the true values: a bound for fixed choices, not a scheme."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import jit
from crowdgym.configs.sensing import SensingSettings
from crowdgym.data.registry import load_series
from crowdgym.envs.sensing.generator import chosen_attributes, chosen_cycles, scale_of

Floats = NDArray[np.float64]

_STARTS = 5  # of the search
_SEED = 20190601  # of the sets it starts from


@lru_cache(maxsize=64)
def best_static_cells(settings: SensingSettings) -> tuple[int, ...]:
    """The P cells with the smallest error of all cycles but the first, whose placement is drawn.

    Found by exchanging one cell for another while that helps, from several sets: a local optimum, so no smaller than
    the least possible error. For ``knn`` and ``idw`` only.
    """
    series = load_series(settings.dataset)
    names = chosen_attributes(series, settings)
    columns = [series.attributes.index(name) for name in names]
    truth = np.ascontiguousarray(series.values[chosen_cycles(series, settings)][1:, :, columns])
    apart_km = np.hypot(series.x_km - series.x_km[:, np.newaxis], series.y_km - series.y_km[:, np.newaxis])
    order = np.argsort(apart_km + np.diag(np.full(len(apart_km), np.inf)), axis=1, kind="stable")[:, :-1]
    power, neighbours = (0.0, settings.knn_neighbours)
    if settings.inference == "idw":
        power, neighbours = settings.idw_power, settings.idw_neighbours
    weight = np.maximum(np.take_along_axis(apart_km, order, axis=1), 1e-6) ** -power
    scale = np.asarray(scale_of(series, settings), np.float64)
    generator = np.random.default_rng(_SEED)
    best, lowest = np.zeros(0, np.bool_), np.inf
    for _ in range(_STARTS):
        sensed = np.zeros(series.num_cells, np.bool_)
        sensed[generator.choice(series.num_cells, settings.num_participants, replace=False)] = True
        error = _exchange(truth, sensed, order, weight, neighbours, scale)
        if error < lowest:
            best, lowest = sensed, error
    return tuple(np.flatnonzero(best).tolist())


@jit
def _exchange(
    truth: Floats, sensed: NDArray[np.bool_], order: NDArray[np.int64], weight: Floats, neighbours: int, scale: Floats
) -> float:
    """Exchange cells of ``sensed`` while the error falls; returns it."""
    lowest = static_error(truth, sensed, order, weight, neighbours, scale)
    while True:
        best_out, best_in, best = -1, -1, lowest - 1e-12
        for out in range(len(sensed)):
            if not sensed[out]:
                continue
            sensed[out] = False
            for come in range(len(sensed)):
                if sensed[come] or come == out:
                    continue
                sensed[come] = True
                error = static_error(truth, sensed, order, weight, neighbours, scale)
                sensed[come] = False
                if error < best:
                    best_out, best_in, best = out, come, error
            sensed[out] = True
        if best_out < 0:
            return lowest
        sensed[best_out], sensed[best_in], lowest = False, True, best


@jit
def static_error(
    truth: Floats, sensed: NDArray[np.bool_], order: NDArray[np.int64], weight: Floats, neighbours: int, scale: Floats
) -> float:
    """ε of Eq. (15) if the same cells are sensed in every cycle. ``truth`` has shape [Y, X, A]."""
    total = 0.0
    for a in range(truth.shape[2]):
        last = np.full(len(sensed), np.nan)
        for y in range(truth.shape[0]):
            summed, counted = 0.0, 0
            for x in range(len(sensed)):
                if sensed[x]:
                    continue
                value, share, used = 0.0, 0.0, 0
                for rank in range(order.shape[1]):
                    z = order[x, rank]
                    if used < neighbours and sensed[z] and not np.isnan(truth[y, z, a]):
                        value += weight[x, rank] * truth[y, z, a]
                        share += weight[x, rank]
                        used += 1
                if used > 0:
                    last[x] = value / share
                if not np.isnan(truth[y, x, a]):
                    summed += scale[a] if np.isnan(last[x]) else abs(last[x] - truth[y, x, a])
                    counted += 1
            if counted > 0:
                total += summed / counted / scale[a] / truth.shape[0]
    return total
