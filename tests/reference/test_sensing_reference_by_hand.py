"""The reference simulator of sensing, in numbers worked out by hand from docs/sensing_dynamics.md.

cell        0 ------ 1 ------ 2 ------------- 4       one attribute, Gamma = 10, one kilometre to a dash of seven
at km       0        1        2               4
cycle 0     10 p0    12       14              18 p1
cycle 1     20       24       .               30
"""

from dataclasses import replace
from typing import Any

import pytest
from reference.sensing_instance import SensingReferenceInstance
from reference.sensing_reference import SensingReferenceSimulator

LINE = SensingReferenceInstance(
    places_km=((0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (4.0, 0.0)),
    values=(((10.0,), (12.0,), (14.0,), (18.0,)), ((20.0,), (24.0,), (None,), (30.0,))),
    start=(0, 3),
    scale=(10.0,),
    participants_act=False,
    inference="knn",
    neighbours=1,
    power=2.0,
    svr_c=1.0,
    svr_epsilon=0.1,
    cost_weight=0.1,
)


def begin(**changes: Any) -> SensingReferenceSimulator:
    return SensingReferenceSimulator(replace(LINE, **changes))


def guesses(reference: SensingReferenceSimulator) -> list[float | None]:
    return [row[0] for row in reference.inferred]


def test_cycle_0_is_played_where_everyone_was_drawn_at_no_cost() -> None:
    reference = begin()
    assert (reference.cycle, reference.places, reference.costs_km) == (0, [0, 3], [0.0])
    assert [row[0] for row in reference.collected] == [10.0, None, None, 18.0]
    # Cell 2 is as far from cell 0 as from cell 3: the smaller one. Cells 0 and 3 have only each other.
    assert guesses(reference) == [18.0, 10.0, 10.0, 10.0]
    assert reference.attribute_errors == [[(2 + 4) / 2]]
    assert reference.metrics() == (0.3, 0.0, [0.3])


def test_more_neighbours_are_averaged_and_nearer_ones_weigh_more_with_a_power() -> None:
    assert guesses(begin(neighbours=5)) == [18.0, 14.0, 14.0, 10.0]
    assert guesses(begin(neighbours=5, inference="idw"))[1] == pytest.approx((10 / 1 + 18 / 9) / (1 / 1 + 1 / 9))
    close = begin(neighbours=5, inference="idw", places_km=((0.0, 0.0), (0.0, 0.0), (2.0, 0.0), (4.0, 0.0)))
    assert guesses(close)[1] == pytest.approx((10 * 1e12 + 18 / 16) / (1e12 + 1 / 16), rel=1e-15)


def test_the_nearest_cell_that_asks_gets_a_participant_and_the_smaller_of_two() -> None:
    reference = begin()
    reference.step([2, 1, 1, 0])  # cell 0 asks for p1, cells 1 and 2 for p0
    assert (reference.places, reference.travel_km) == ([1, 0], [1.0, 4.0])
    assert reference.costs_km == [0.0, 2.5]
    two = begin(start=(1, 3))
    two.step([1, 0, 1, 0])
    assert two.places == [0, 3]


def test_the_error_leaves_out_cells_that_are_sensed_and_values_that_are_missing() -> None:
    reference = begin()
    reference.step([0, 1, 0, 0])  # p0 to cell 1, p1 stays
    assert guesses(reference) == [24.0, 30.0, 24.0, 24.0]
    assert reference.attribute_errors[1] == [4.0]  # cell 0 alone: cell 2 has no truth
    assert reference.metrics() == (0.35, 0.25, [0.35])
    assert reference.done


def test_where_nothing_is_collected_elsewhere_the_last_inferred_value_stays() -> None:
    reference = begin(start=(0,))
    assert guesses(reference) == [None, 10.0, 10.0, 10.0]
    reference.step([0, 0, 1, 0])  # to cell 2, which has no value today
    assert guesses(reference) == [None, 10.0, 10.0, 10.0]
    assert reference.attribute_errors[1] == [pytest.approx((10 + 14 + 20) / 3)]  # cell 0 counts as Gamma


def test_shared_rewards_are_minus_error_and_weighted_cost_in_equal_parts() -> None:
    reference = begin()
    reference.step([2, 1, 1, 0])  # p0 to cell 1, p1 to cell 0: cell 3 is guessed as 24, and counts alone
    assert reference.shared() == pytest.approx([(-0.6 - 0.1 * 2.5) / 4] * 4)


def test_marginal_rewards_of_cells() -> None:
    """Without cell 1, cell 0 alone is left: cell 1 is guessed as 20, cell 3 too. Without cell 0: 24 in both."""
    reference = begin()
    reference.step([2, 1, 1, 0])
    without_1, without_0 = (4 + 10) / 2 / 10, (4 + 6) / 2 / 10
    assert reference.error_without(1) == pytest.approx(without_1)
    expected = [without_0 - 0.6 - 0.1 * 2.0, without_1 - 0.6 - 0.1 * 0.5, 0.0, 0.0]
    assert reference.marginal() == pytest.approx(expected)


def test_marginal_rewards_of_participants_alone_in_their_cells_are_those_of_the_cells() -> None:
    reference = begin(participants_act=True, start=(0, 3, 2))
    reference.step([1, 1, 0])
    assert reference.places == [1, 1, 0]
    cell_0 = (4 + 6) / 2 / 10 - 0.6
    assert reference.marginal() == pytest.approx([-0.1 / 3, -0.1 * 3 / 3, cell_0 - 0.1 * 2 / 3])
