"""The best single moves, one after the other, by expected error and cost: compiled loops."""

from typing import Final, NamedTuple

import numpy as np

from crowdgym.agents.sensing.expected_error import Field, cell_errors
from crowdgym.agents.sensing.field_moments import Flags
from crowdgym.agents.sensing.inference_rule import Inference
from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.common.jit import inlined, jit

WORK: Final = 3e7  # terms of covariances that may be added to find one move: below a tenth of a second
LEAST_TRIALS: Final = 16


class Moving(NamedTuple):
    """What moves cost and bring besides the expected error."""

    distance_km: Floats  # [X, X]
    cost_weight: float  # of the mean km per participant, relative to the expected error
    bonus: Floats  # [X] of sensing a cell, relative to the expected error
    most_moves: int


@jit
def best_swaps(field: Field, inference: Inference, start: Cells, first: Cells, moving: Moving) -> tuple[Cells, float]:
    """Change goals one by one: each time the change that lowers error and cost most, until no change lowers them.

    In large regions only the most promising changes are tried: those to a cell with a large expected error, from a cell
    that could be inferred well, over a short distance.

    Args:
        field: what is expected of the next cycle.
        inference: the rule by which values are inferred.
        start: the cell of each participant. Shape [P].
        first: the goals that the search begins with. Shape [P].
        moving: what moves cost.

    Returns:
        The goal of each participant, [P], no cell twice if ``first`` has none twice, and the expected error and cost.
    """
    participants, cells = len(start), len(moving.distance_km)
    chosen = first.copy()
    sensed = np.zeros(cells, np.bool_)
    for p in range(participants):
        sensed[chosen[p]] = True
    free = max(cells - participants, 1)
    errors = cell_errors(field, inference, sensed, ~sensed)
    best = errors.sum() / free - _bonus(moving, chosen) + moving.cost_weight * _mean_km(moving, start, chosen)
    for _ in range(moving.most_moves):
        goers, goals = _moves_to_try(field, inference, start, chosen, sensed, errors, moving)
        best_p, best_x, lowest = -1, -1, best - 1e-12
        for k in range(len(goers)):
            p, x = goers[k], goals[k]
            left = chosen[p]
            sensed[left], sensed[x], chosen[p] = False, True, x
            value = cell_errors(field, inference, sensed, ~sensed).sum() / free - _bonus(moving, chosen)
            value += moving.cost_weight * _mean_km(moving, start, chosen)
            sensed[left], sensed[x], chosen[p] = True, False, left
            if value < lowest:
                best_p, best_x, lowest = p, x, value
        if best_p < 0:
            break
        sensed[chosen[best_p]] = False
        chosen[best_p] = best_x
        sensed[best_x] = True
        best = lowest
        errors = cell_errors(field, inference, sensed, ~sensed)
    return chosen, best


@jit
def _mean_km(moving: Moving, start: Cells, chosen: Cells) -> float:
    total = 0.0
    for p in range(len(start)):
        total += moving.distance_km[start[p], chosen[p]]
    return total / len(start)


@jit
def _bonus(moving: Moving, chosen: Cells) -> float:
    total = 0.0
    for p in range(len(chosen)):
        total += moving.bonus[chosen[p]]
    return total


@inlined
def work_of_trial(inference: Inference, participants: int, cells: int, attributes: int) -> int:
    """Terms of covariances that are added to try one move."""
    used = inference.neighbours if inference.neighbours > 0 else participants
    return cells * attributes * used * used


@jit
def _moves_to_try(
    field: Field, inference: Inference, start: Cells, chosen: Cells, sensed: Flags, errors: Floats, moving: Moving
) -> tuple[Cells, Cells]:
    """Participants and the cells that they may move to: all pairs, or the most promising ones."""
    goals = np.flatnonzero(~sensed)
    pairs = len(chosen) * len(goals)
    goers_of, goals_of = np.empty(pairs, np.int64), np.empty(pairs, np.int64)
    for p in range(len(chosen)):
        goers_of[p * len(goals) : (p + 1) * len(goals)] = p
        goals_of[p * len(goals) : (p + 1) * len(goals)] = goals
    trials = max(LEAST_TRIALS, int(WORK / work_of_trial(inference, len(chosen), len(sensed), len(field.weight))))
    if pairs <= trials:
        return goers_of, goals_of
    without = np.zeros(len(sensed))  # [X] the expected error of a sensed cell if it were not
    only = np.zeros(len(sensed), np.bool_)
    for cell in chosen:
        sensed[cell], only[cell] = False, True
        without[cell] = cell_errors(field, inference, sensed, only)[cell]
        sensed[cell], only[cell] = True, False
    promise = np.empty(pairs)
    for k in range(pairs):
        p, x = goers_of[k], goals_of[k]
        farther_km = moving.distance_km[start[p], x] - moving.distance_km[start[p], chosen[p]]
        promise[k] = (errors[x] - without[chosen[p]]) / len(goals) + moving.bonus[x] - moving.bonus[chosen[p]]
        promise[k] -= moving.cost_weight * farther_km / len(start)
    first = np.argsort(-promise)[:trials]
    return goers_of[first], goals_of[first]
