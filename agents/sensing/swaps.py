"""The best single moves, one after the other, by predicted error and cost: compiled loops."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.common.jit import jit


class Prediction(NamedTuple):
    """The data that errors are predicted from. X cells, A attributes."""

    semivariance: Floats  # [A, X, X]
    scale: Floats  # [A] Γ
    nearest: NDArray[np.int64]  # [X, X - 1] the other cells of each cell, nearest first
    weight: Floats  # [X, X - 1] weight of each of them in the inferred value
    neighbours: int  # number of nearest sensed cells in the inference


def best_swaps(
    prediction: Prediction, start: Cells, distance_km: Floats, *, cost_weight: float, most_swaps: int
) -> Cells:
    """Move participants one by one: each time the move that lowers error and cost most, until no move lowers them.

    Args:
        prediction: the data that errors are predicted from.
        start: the cell of each participant. Shape [P], no cell twice.
        distance_km: between cells. Shape [X, X].
        cost_weight: λ, the weight of the mean km per participant, relative to the predicted error.
        most_swaps: largest number of moves.

    Returns:
        The cell of each participant. Shape [P], no cell twice.
    """
    return _best_swaps(prediction, start, distance_km, cost_weight, most_swaps)


def predicted_error(prediction: Prediction, sensed: NDArray[np.bool_]) -> float:
    """The mean predicted root squared error of cells that are not sensed, over Γ, summed over attributes.

    The value inferred in cell x is Σ w_i v_i over sensed cells i, Σ w_i = 1. Its expected squared error is
    2 Σ_i w_i γ_xi − Σ_ij w_i w_j γ_ij with the semivariances γ.
    """
    return float(_predicted(prediction, sensed))


@jit
def _predicted(prediction: Prediction, sensed: NDArray[np.bool_]) -> float:
    semivariance, nearest, weight = prediction.semivariance, prediction.nearest, prediction.weight
    used = np.empty(prediction.neighbours, np.int64)
    share = np.empty(prediction.neighbours)
    total, counted = 0.0, 0
    for x in range(len(sensed)):
        if sensed[x]:
            continue
        counted += 1
        m, sum_of_weights = 0, 0.0
        for rank in range(nearest.shape[1]):
            if m == prediction.neighbours:
                break
            z = nearest[x, rank]
            if sensed[z]:
                used[m], share[m] = z, weight[x, rank]
                sum_of_weights += share[m]
                m += 1
        for a in range(len(semivariance)):
            gamma = semivariance[a]
            squared = 0.0
            for i in range(m):
                inner = 0.0
                for j in range(i):
                    inner += share[j] * gamma[used[i], used[j]]
                squared += share[i] * (gamma[x, used[i]] - inner / sum_of_weights)
            total += np.sqrt(max(0.0, 2.0 * squared / sum_of_weights)) / prediction.scale[a]
    return total / counted if counted > 0 else 0.0


@jit
def _best_swaps(
    prediction: Prediction, start: Cells, distance_km: Floats, cost_weight: float, most_swaps: int
) -> Cells:
    participants, cells = len(start), len(distance_km)
    chosen = start.copy()
    sensed = np.zeros(cells, np.bool_)
    for p in range(participants):
        sensed[chosen[p]] = True
    best = _predicted(prediction, sensed)  # plus the cost of the present choice
    for _ in range(most_swaps):
        best_p, best_x, lowest = -1, -1, best - 1e-12
        for p in range(participants):
            left, come_from = chosen[p], start[p]
            sensed[left] = False
            for x in range(cells):
                if sensed[x] or x == left:
                    continue
                sensed[x] = True
                km = distance_km[come_from, x]
                for q in range(participants):
                    if q != p:
                        km += distance_km[start[q], chosen[q]]
                value = _predicted(prediction, sensed) + cost_weight * km / participants
                sensed[x] = False
                if value < lowest:
                    best_p, best_x, lowest = p, x, value
            sensed[left] = True
        if best_p < 0:
            break
        sensed[chosen[best_p]] = False
        chosen[best_p] = best_x
        sensed[best_x] = True
        best = lowest
    return chosen
