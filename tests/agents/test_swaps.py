"""The moves of `gaussian-swap`: which are tried, in which order, and which is made; numbers worked out by hand."""

from typing import Any

import numpy as np
import pytest
from test_gaussian_swap import field, line, means_of_nearest

from crowdgym.agents.sensing.expected_error import Field, cell_errors
from crowdgym.agents.sensing.inference_rule import Inference
from crowdgym.agents.sensing.swaps import Moving, _judged, _moves_to_try, best_swaps

COSTLY = 10_000  # neighbours of a rule that is so slow that only the 16 most promising moves are tried


def swapped(start: list[int], km: Any, bonus: list[float], cost_weight: float = 0.0, most_moves: int = 5) -> list[int]:
    """Where participants end if no cell has an error: the bonus and the cost decide."""
    moving = Moving(km, cost_weight, np.array(bonus), most_moves)
    begin = np.array(start)
    goals, _ = best_swaps(field([0.0] * len(bonus)), means_of_nearest(km, 1), begin, begin, moving)
    result: list[int] = goals.tolist()
    return result


@pytest.mark.parametrize(
    ("bonus", "cost_weight", "goal"),
    [
        ([0.0, 1.0, 3.0], 1.4, 2),  # 1 - 1.4, 3 - 2.8
        ([0.0, 1.0, 3.0], 1.6, 0),  # 1 - 1.6, 3 - 3.2
        ([0.0, 1.0, 1.5], 0.6, 1),  # 1 - 0.6, 1.5 - 1.2
        ([0.0, 1.0, 1.5], 0.4, 2),  # 1 - 0.4, 1.5 - 0.8
        ([1.0, 1.0, 1.0], 0.0, 0),  # nothing is gained
    ],
)
def test_the_move_of_the_largest_bonus_less_cost_is_made(bonus: list[float], cost_weight: float, goal: int) -> None:
    assert swapped([0], line(0, 1, 2), bonus, cost_weight) == [goal]


def test_the_cost_is_the_mean_over_participants() -> None:
    """One of two goes 1 km for 0.6."""
    assert swapped([0, 1], line(0, 1, 2), [0.0, 0.0, 0.6], 1.1) == [0, 2]
    assert swapped([0, 1], line(0, 1, 2), [0.0, 0.0, 0.6], 1.3) == [0, 1]


@pytest.mark.parametrize(("most_moves", "cells"), [(0, [0, 1, 2]), (1, [3, 1, 2]), (2, [3, 4, 2]), (9, [3, 4, 5])])
def test_of_equally_good_moves_the_first_is_made_and_no_more_than_allowed(most_moves: int, cells: list[int]) -> None:
    assert swapped([0, 1, 2], line(*range(6)), [0.0, 0, 0, 1, 1, 1], most_moves=most_moves) == cells


def test_where_all_cells_are_taken_nobody_moves() -> None:
    assert swapped([1, 0], line(0, 1), [0.0, 9.0]) == [1, 0]


def test_the_error_that_a_move_saves_is_the_mean_over_the_cells_without_anyone() -> None:
    """Cell 0 misses 1 and 2 by 5 and 6; cell 1 misses 0 and 2 by 5 and 1: (11 - 6) / 2 is saved, a bonus of 2.5."""
    rule, known = means_of_nearest(line(0, 1, 2), 1), field([0.0, 5.0, 6.0])
    for bonus, goal in ((2.4, 1), (2.6, 0)):
        moving = Moving(line(0, 1, 2), 0.0, np.array([bonus, 0.0, -9.0]), 5)
        goals, error_and_cost = best_swaps(known, rule, np.array([0]), np.array([0]), moving)
        assert goals.tolist() == [goal]
        assert error_and_cost == pytest.approx({0: 5.5 - bonus, 1: 3.0}[goal])


# Which moves are tried. Participants are in cells 0, 1, 2 of 9, so there are 18 moves


def tried(
    known: Field,
    rule: Inference,
    moving: Moving,
    start: tuple[int, ...] = (0, 1, 2),
    chosen: tuple[int, ...] = (0, 1, 2),
) -> list[tuple[int, int]]:
    """Participants and goals."""
    sensed = np.isin(np.arange(len(moving.bonus)), chosen)
    errors = cell_errors(known, rule, sensed, ~sensed)
    goers, goals = _moves_to_try(known, rule, np.array(start), np.array(chosen), sensed, errors, moving)
    assert sensed.sum() == len(chosen)  # as it was
    return list(zip(goers.tolist(), goals.tolist(), strict=True))


def test_few_moves_are_all_tried_in_order() -> None:
    rule = means_of_nearest(line(*range(10)), COSTLY)
    moving = Moving(line(*range(10)), 1.0, np.arange(10.0), 5)
    moves = tried(field([0.0] * 10), rule, moving, (0, 1), (0, 1))
    assert moves == [(p, x) for p in range(2) for x in range(2, 10)]  # 16


def test_the_most_promising_moves_lead_from_well_inferred_cells_to_badly_inferred_ones() -> None:
    """Cells 3 to 8 miss the mean of 0, 3 and 6 by 1 to 6. Without cells 0 and 2 they are missed by 4.5, without 1 by 0.

    The bonus of cell 2 makes leaving it a bit less promising than leaving cell 0.
    """
    rule, known = means_of_nearest(line(*range(9)), COSTLY), field([0.0, 3.0, 6.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])
    moves = tried(known, rule, Moving(line(*range(9)), 0.0, 0.01 * (np.arange(9) == 2), 5))
    assert moves[:8] == [(1, 8), (1, 7), (1, 6), (1, 5), (1, 4), (0, 8), (2, 8), (1, 3)]
    assert moves[8:] == [(0, 7), (2, 7), (0, 6), (2, 6), (0, 5), (2, 5), (0, 4), (2, 4)]


def test_the_error_is_shared_among_the_cells_without_anyone() -> None:
    """Of six cells one misses by 6, a share of 1: as much as a bonus of 1, which another cell has."""
    rule, known = means_of_nearest(line(*range(9)), COSTLY), field([0.0] * 8 + [6.0])
    for bonus, first in ((0.9, 8), (1.1, 3)):
        moving = Moving(line(*range(9)), 0.0, bonus * (np.arange(9) == 3), 5)
        assert {goal for _, goal in tried(known, rule, moving)[:3]} == {first}


def test_the_least_promising_moves_are_the_farthest_from_the_start() -> None:
    """The third participant began in cell 3, so cell 3 is 1 km nearer than cell 2. A kilometre costs 3 / 3."""
    rule = means_of_nearest(line(*range(9)), COSTLY)
    moving = Moving(line(*range(9)), 3.0, -0.5 * (np.arange(9) == 8), 5)
    moves = tried(field([0.0] * 9), rule, moving, start=(0, 1, 3))
    assert moves[0] == (2, 3)
    assert set(moves) == {(p, x) for p in range(3) for x in range(3, 9)} - {(0, 8), (1, 8)}  # 8.5 and 7.5
    assert len(moves) == 16


def test_a_part_of_a_kilometre_per_participant_counts() -> None:
    """The third goes 1 km farther from its start for 1 / 3 and a bonus of -0.1, the second 2 km for 2 / 3."""
    rule = means_of_nearest(line(*range(9)), COSTLY)
    moving = Moving(line(*range(9)), 1.0, -0.1 * (np.arange(9) == 5), 5)
    moves = tried(field([0.0] * 9), rule, moving, start=(0, 1, 3))
    assert moves.index((2, 5)) < moves.index((1, 3))


def test_how_many_moves_are_tried_depends_on_the_work_of_one() -> None:
    """9 cells, 2 attributes, 308 neighbours: 3e7 / (18 * 308²) = 17.6."""
    two = field([0.0] * 9)
    known = Field(*(np.concatenate([part, part]) for part in two))
    moving = Moving(line(*range(9)), 0.0, np.zeros(9), 5)
    assert len(tried(known, means_of_nearest(line(*range(9)), 308), moving)) == 17
    assert len(tried(known, means_of_nearest(line(*range(9)), 305), moving)) == 17  # 17.9
    assert len(tried(known, means_of_nearest(line(*range(9)), 304), moving)) == 18  # 18.03
    everyone = means_of_nearest(line(*range(9)), 9)._replace(neighbours=0)  # support vectors: the 3 sensed cells
    assert len(tried(known, everyone, moving)) == 18


def test_of_equally_promising_moves_the_first_are_tried() -> None:
    """All 18 promise nothing, but for the last one: it comes first, then 15 in order."""
    rule = means_of_nearest(line(*range(9)), COSTLY)
    moving = Moving(line(*range(9)), 1.0, np.zeros(9), 5)
    still = Moving(np.zeros((9, 9)), 1.0, np.zeros(9), 5)
    assert tried(field([0.0] * 9), rule, still) == [(p, x) for p in range(3) for x in range(3, 9)][:16]
    moves = tried(field([0.0] * 9), rule, moving, start=(0, 1, 8))
    assert moves[:6] == [(2, 8), (2, 7), (2, 6), (2, 5), (2, 4), (2, 3)]
    assert moves[6:] == [(1, 3), (0, 3), (1, 4), (0, 4), (1, 5), (0, 5), (1, 6), (0, 6), (1, 7), (0, 7)]


# By which cells a move is judged


def test_with_support_vectors_some_cells_of_a_large_region_judge_a_move() -> None:
    """1,000 cells, 100 participants and 3 attributes: 3e7 terms, three times as many as there may be."""
    support, means = means_of_nearest(line(0, 1), 0), means_of_nearest(line(0, 1), 3)
    assert np.flatnonzero(_judged(support, 100, 1000, 3))[:4].tolist() == [0, 3, 6, 9]
    assert _judged(support, 100, 1000, 1).all()
    assert _judged(support, 10, 24, 6).all()
    assert _judged(means, 100, 1000, 10).all()
