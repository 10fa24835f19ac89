"""The best single moves, one after the other, by expected error and cost: compiled loops."""

from typing import Final, NamedTuple

import numpy as np

from crowdgym.agents.sensing.after_swap import errors_after, ranks_of, reach_of
from crowdgym.agents.sensing.expected_error import Field, cell_errors
from crowdgym.agents.sensing.field_moments import Flags
from crowdgym.agents.sensing.inference_rule import Inference
from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.common.jit import inlined, jit
from crowdgym.common.sums import total

WORK: Final = 3e7  # terms of covariances that may be added to find one move: below a tenth of a second
LEAST_TRIALS: Final = 16
JUDGED_WORK: Final = 1e7  # terms for one move with support vectors; where all cells take more, some count


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
    that could be inferred well, over a short distance. With support vectors a change matters in all cells, so in large
    regions it is judged by some of them, and what is promising is found once.

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
    rank = ranks_of(inference.nearest)
    judged = _judged(inference, participants, cells, len(field.weight))
    promised = cell_errors(field, inference, sensed, ~sensed)
    errors = np.where(judged, promised, 0.0)
    best = _value(errors, judged, sensed, start, chosen, moving)
    goers, goals = _moves_to_try(field, inference, start, chosen, sensed, promised, moving)
    for move in range(moving.most_moves):
        if move > 0 and judged.all():
            goers, goals = _moves_to_try(field, inference, start, chosen, sensed, errors, moving)
        reach = reach_of(field, inference, sensed)
        best_p, best_x, lowest, lowest_errors = -1, -1, best - 1e-12, errors
        for k in range(len(goers)):
            p, x = goers[k], goals[k]
            if sensed[x]:
                continue
            left = chosen[p]
            sensed[left], sensed[x], chosen[p] = False, True, x
            after = errors_after(field, inference, sensed, judged, errors, rank, reach, left, x)
            value = _value(after, judged, sensed, start, chosen, moving)
            sensed[left], sensed[x], chosen[p] = True, False, left
            if value < lowest:
                best_p, best_x, lowest, lowest_errors = p, x, value, after
        if best_p < 0:
            break
        sensed[chosen[best_p]], sensed[best_x], chosen[best_p] = False, True, best_x
        best, errors = lowest, lowest_errors
    return chosen, best


@jit
def _judged(inference: Inference, participants: int, cells: int, attributes: int) -> Flags:
    """The cells by whose errors a move is judged, [X]: all, or with support vectors in large regions every n-th."""
    every = 1
    if inference.neighbours == 0:
        every = max(1, int(work_of_trial(inference, participants, cells, attributes) / JUDGED_WORK))
    judged = np.zeros(cells, np.bool_)
    judged[::every] = True
    return judged


@jit
def _value(errors: Floats, judged: Flags, sensed: Flags, start: Cells, chosen: Cells, moving: Moving) -> float:
    """The mean of ``errors``, which are 0 where they do not count, and the cost, less the bonus."""
    number = 0
    for x in range(len(sensed)):
        number += 1 if judged[x] and not sensed[x] else 0
    cost = moving.cost_weight * _mean_km(moving, start, chosen)
    return total(errors) / max(number, 1) - _bonus(moving, chosen) + cost


@jit
def _mean_km(moving: Moving, start: Cells, chosen: Cells) -> float:
    way_km = 0.0
    for p in range(len(start)):
        way_km += moving.distance_km[start[p], chosen[p]]
    return way_km / len(start)


@jit
def _bonus(moving: Moving, chosen: Cells) -> float:
    gained = 0.0
    for p in range(len(chosen)):
        gained += moving.bonus[chosen[p]]
    return gained


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
    first = np.argsort(-promise, kind="mergesort")[:trials]  # stable: of equal ones the first
    return goers_of[first], goals_of[first]
