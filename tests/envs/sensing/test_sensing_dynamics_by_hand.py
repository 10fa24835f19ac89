"""The rules of ``docs/sensing_dynamics.md``, one by one, in worlds drawn by hand."""

import math

import numpy as np
import pytest
from sensing_worlds import NAN, Line, inferred, play, truth, where

from crowdgym.common.errors import ConfigError
from crowdgym.envs.sensing.inference import NearestInference
from crowdgym.envs.sensing.instance import SensingInstance

FLAT = truth("1 2 3 4 5\n" * 4)  # five cells, a km apart, that stay as they are
HOLD = [0] * 5


# ---- moves: agents="cells" ----


def test_at_first_everyone_is_where_it_was_drawn_at_no_cost() -> None:
    simulation = Line(FLAT, start=[1, 3]).begin()
    assert where(simulation) == [1, 3]
    assert simulation.state.cells.crowd[0].tolist() == [0, 1, 0, 1, 0]
    assert simulation.metrics(0).cost_km == 0.0
    assert not simulation.is_over()[0]


def test_one_who_is_asked_for_goes_and_one_who_is_not_stays() -> None:
    """. p0 . p1 .   cell 4 asks for p0: 3 km."""
    simulation = play(Line(FLAT, start=[1, 3]).begin(), [0, 0, 0, 0, 1])
    assert where(simulation) == [4, 3]
    assert simulation.state.participants.came_from[0].tolist() == [1, 3]
    assert simulation.state.participants.travel_km[0].tolist() == [3.0, 0.0]
    assert simulation.state.outcome.cost_km[0] == 1.5  # over two participants


def test_the_nearest_of_several_askers_gets_the_participant() -> None:
    """. p0 . . .   cells 3 and 4 ask for p0."""
    assert where(play(Line(FLAT, start=[1]).begin(), [0, 0, 0, 1, 1])) == [3]


def test_of_two_askers_equally_near_the_smaller_number_gets_it() -> None:
    """. . p0 . .   cells 0, 1, 3, 4 ask for p0."""
    assert where(play(Line(FLAT, start=[2]).begin(), [1, 1, 0, 1, 1])) == [1]


def test_a_cell_keeps_the_participant_it_asks_for_against_all_others() -> None:
    simulation = play(Line(FLAT, start=[2]).begin(), [1, 1, 1, 1, 1])
    assert where(simulation) == [2]
    assert simulation.state.outcome.cost_km[0] == 0.0


def test_two_may_meet_in_one_cell_which_is_sensed_once() -> None:
    """. p0 . p1 .   cell 3, where p1 is, asks for p0."""
    simulation = play(Line(FLAT, start=[1, 3]).begin(), [0, 0, 0, 1, 0])
    assert where(simulation) == [3, 3]
    assert simulation.state.cells.crowd[0].tolist() == [0, 0, 0, 2, 0]


def test_participants_change_places_in_one_cycle() -> None:
    simulation = play(Line(FLAT, start=[1, 3]).begin(), [0, 2, 0, 1, 0])
    assert where(simulation) == [3, 1]
    assert simulation.state.outcome.cost_km[0] == 2.0


# ---- moves: agents="participants" ----


def test_participants_go_where_they_choose_also_to_one_cell() -> None:
    simulation = play(Line(FLAT, start=[1, 3], agents="participants").begin(), [4, 4])
    assert where(simulation) == [4, 4]
    assert simulation.state.participants.travel_km[0].tolist() == [3.0, 1.0]
    assert simulation.state.outcome.cost_km[0] == 2.0
    assert simulation.state.outcome.caused_km[0].tolist() == [1.5, 0.5]


# ---- cost, Eq. (16) ----


def test_cost_is_the_mean_over_participants_and_over_cycles_with_the_first() -> None:
    """p0 walks 1 km in each of three steps, p1 stays: 0.5 km a cycle, in 3 of 4 cycles."""
    simulation = play(Line(FLAT, start=[0, 4]).begin(), [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0])
    assert simulation.metrics(0).cost_km == pytest.approx(3 * 0.5 / 4)
    assert simulation.is_over()[0]


def test_distance_is_a_straight_line_in_the_plane() -> None:
    world = Line(FLAT, start=[0]).begin().world
    assert world.distance_km[0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert world.nearest[2].tolist() == [1, 3, 0, 4]  # ties: the smaller cell


def test_caused_kilometres_are_those_of_who_came() -> None:
    """. p0 . p1 .   cell 2 asks for both: 1 km each, over two participants."""
    simulation = Line(FLAT, start=[1, 3]).begin()
    play(simulation, [0, 0, 1, 2, 0])
    assert simulation.state.outcome.caused_km[0].tolist() == [0.0, 0.0, 0.5, 0.0, 0.0]


# ---- inference: KNN ----


def test_a_cell_is_inferred_from_the_nearest_sensed_ones_of_this_cycle() -> None:
    """1 [2] 3 [4] 5 with k = 1: cell 2 is between both, the smaller number counts."""
    simulation = Line(FLAT, start=[1, 3]).begin()
    assert inferred(simulation) == [2.0, 4.0, 2.0, 2.0, 4.0]


def test_a_sensed_cell_is_inferred_without_its_own_value() -> None:
    simulation = Line(truth("10 20 30 40 50\n" * 2), start=[0, 4]).begin()
    assert inferred(simulation)[0] == 50.0
    assert inferred(simulation)[4] == 10.0


def test_more_neighbours_are_averaged_and_fewer_are_if_there_are_fewer() -> None:
    three = Line(FLAT, start=[0, 1, 4], inference=NearestInference("knn", 3, 0.0)).begin()
    assert inferred(three) == pytest.approx([3.5, 3.0, 8 / 3, 8 / 3, 1.5])  # own values left out


def test_where_every_cell_is_sensed_one_without_a_value_is_passed_over() -> None:
    """[1] [.] [3] with k = 1: cell 0 is inferred from cell 2, the others from cell 0 (of two as near, the smaller)."""
    assert inferred(Line(truth("1 . 3\n" * 2), start=[0, 1, 2]).begin()) == [3.0, 1.0, 1.0]


def test_a_value_that_is_missing_cannot_be_collected_and_the_next_cell_counts() -> None:
    values = truth("1 . 3 4 5\n" * 2, "1 2 3 4 5\n" * 2)
    simulation = Line(values, start=[1, 3]).begin()
    assert inferred(simulation, 0) == pytest.approx([4.0, 4.0, 4.0, NAN, 4.0], nan_ok=True)
    assert inferred(simulation, 1) == [2.0, 4.0, 2.0, 2.0, 4.0]
    assert np.isnan(simulation.state.cells.collected[0, 1]).tolist() == [True, False]


def test_where_nothing_was_collected_elsewhere_the_last_inferred_value_stays() -> None:
    """One participant: its own cell keeps what was inferred there before; the others follow it."""
    simulation = Line(truth("1 2 3\n4 5 6\n7 8 9"), start=[0]).begin()
    assert [math.isnan(value) for value in inferred(simulation)] == [True, False, False]
    play(simulation, [0, 0, 1])
    assert inferred(simulation) == [6.0, 6.0, 1.0]
    play(simulation, [0, 1, 0])
    assert inferred(simulation) == [8.0, 6.0, 8.0]


# ---- inference: IDW ----


def test_weights_fall_with_the_power_of_the_distance() -> None:
    """[10] . . [40]   cell 1 at 1 and 2 km: weights 1 and 1/4; cell 2 the other way round."""
    simulation = Line(truth("10 0 0 40\n" * 2), start=[0, 3], inference=NearestInference("idw", 5, 2.0)).begin()
    assert inferred(simulation) == pytest.approx([40.0, (10 + 10) / 1.25, (40 + 2.5) / 1.25, 10.0])


def test_only_the_nearest_so_many_count() -> None:
    simulation = Line(FLAT, start=[0, 1, 4], inference=NearestInference("idw", 2, 1.0)).begin()
    assert inferred(simulation)[2] == pytest.approx((2 / 1 + 1 / 2) / (1 + 1 / 2))


def test_cells_at_one_place_share_an_infinite_weight() -> None:
    simulation = Line(
        truth("1 2 3 9\n" * 2), start=[1, 2, 3], km=[0.0, 0.0, 0.0, 5.0], inference=NearestInference("idw", 5, 2.0)
    ).begin()
    assert inferred(simulation)[0] == pytest.approx(2.5, abs=1e-9)


# ---- error, Eq. (15) ----


def test_the_error_is_the_mean_over_cells_without_a_participant() -> None:
    """1 [2] 3 [4] 5: cells 0, 2, 4 are off by 1 each."""
    simulation = Line(FLAT, start=[1, 3], scale=[4.0]).begin()
    assert simulation.state.outcome.attribute_error[0].tolist() == [1.0]
    assert simulation.metrics(0).error == 0.25
    assert simulation.state.outcome.cell_error[0].tolist() == pytest.approx([0.25, NAN, 0.25, NAN, 0.25], nan_ok=True)


def test_a_missing_truth_is_not_counted_and_attributes_are_normalised_apart() -> None:
    """First attribute: cells 2 and 4 count, off by 1 and 5; second: all three, off by 10, 10, 10."""
    values = truth(". 2 3 4 9\n" * 2, "10 20 30 40 50\n" * 2)
    simulation = Line(values, start=[1, 3], scale=[2.0, 40.0]).begin()
    assert simulation.state.outcome.attribute_error[0].tolist() == [3.0, 10.0]
    assert simulation.metrics(0).error_per_attribute == (1.5, 0.25)
    assert simulation.metrics(0).error == 1.75


def test_the_error_of_an_episode_is_the_mean_over_its_cycles() -> None:
    """[1] 3, then [1] 6: off by 2, then 5."""
    simulation = play(Line(truth("1 3\n1 6"), start=[0], scale=[10.0]).begin(), [0, 0])
    assert simulation.metrics(0).error == pytest.approx((0.2 + 0.5) / 2)
    assert simulation.state.history.error[0].tolist() == [0.2, 0.5]


def test_where_everyone_is_there_is_no_error() -> None:
    assert Line(truth("1 2\n3 4"), start=[0, 1]).begin().metrics(0).error == 0.0


def test_where_nothing_could_ever_be_inferred_the_whole_scale_counts() -> None:
    assert Line(truth(". 2 3\n" * 2), start=[0], scale=[7.0]).begin().metrics(0).error_per_attribute == (1.0,)


def test_a_cell_without_a_known_truth_has_no_error() -> None:
    simulation = Line(truth("1 . 3\n1 . ."), start=[0]).begin()
    play(simulation, [0, 0, 0])
    assert simulation.state.outcome.attribute_error[0].tolist() == [0.0]
    assert simulation.metrics(0).error == (2.0 + 0.0) / 2


# ---- gains ----


def test_the_gain_of_a_cell_is_what_the_error_would_grow_by_without_it() -> None:
    """1 [2] 3 [4] 5, k = 1. As it is: 1, 1, 1. Without cell 1: 3, 2, 1, 1 -> 7/4. Without cell 3: 1, 1, 2, 3 -> 7/4."""
    simulation = Line(FLAT, start=[1, 3], needs_gains=True).begin()
    assert simulation.state.outcome.error_without[0].tolist() == pytest.approx([NAN, 1.75, NAN, 1.75, NAN], nan_ok=True)
    assert simulation.state.outcome.gain[0].tolist() == [0.0, 0.75, 0.0, 0.75, 0.0]


def test_without_the_only_one_the_last_inferred_values_stay() -> None:
    """[1] 2 3, then 1 [2] 3 with a single participant: without it all cells keep 1, and cell 0 has nothing at all."""
    simulation = play(Line(truth("1 2 3\n1 2 3"), start=[0], scale=[10.0], needs_gains=True).begin(), [0, 1, 0])
    assert simulation.state.outcome.error[0] == pytest.approx((1 + 1) / 2 / 10)
    assert simulation.state.outcome.error_without[0, 1] == pytest.approx((10 + 1 + 2) / 3 / 10)


def test_the_gain_of_a_participant_is_its_cell_s_and_nothing_where_two_are() -> None:
    simulation = Line(FLAT, start=[1, 3], agents="participants", needs_gains=True).begin()
    assert simulation.state.outcome.gain[0].tolist() == [0.75, 0.75]
    play(simulation, [3, 3])
    assert simulation.state.outcome.gain[0].tolist() == [0.0, 0.0]


# ---- instances that cannot be ----


@pytest.mark.parametrize(
    ("values", "cell", "sentence"),
    [
        (np.zeros((1, 3, 1)), [0], r"values must have shape \(Y, X, A\) with at least 2 cycles, got \(1, 3, 1\)"),
        (np.full((2, 3, 1), np.inf), [0], r"values\[0, 0, 0\] must be finite or NaN"),
        (np.zeros((2, 3, 1)), [], "cell must hold the cell of each participant"),
        (np.zeros((2, 3, 1)), [0, 3], r"cell\[1\] must be from 0 to 2, got 3"),
    ],
)
def test_an_instance_that_cannot_be_is_refused(values: object, cell: list[int], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        SensingInstance(values, np.array(cell, np.int32))  # type: ignore[arg-type]


def test_an_instance_of_another_size_is_refused() -> None:
    simulation = Line(FLAT, start=[1, 3]).begin()
    with pytest.raises(ConfigError, match=r"must have values of shape \(4, 5, 1\) \(cycles, cells, attributes\), got"):
        simulation.reset_copy(0, SensingInstance(FLAT[:3], np.array([1, 3], np.int32)))
    with pytest.raises(ConfigError, match="an instance must have 2 participants, got one with 1"):
        simulation.reset_copy(0, SensingInstance(FLAT, np.array([1], np.int32)))


def test_a_copy_used_before_starts_as_a_new_one() -> None:
    line = Line(truth("1 . 3\n4 5 6\n7 8 9"), start=[1, 2])
    used = play(line.begin(), [1, 2, 0], [0, 1, 2])
    used.reset_copy(0, SensingInstance(line.values, np.array(line.start, np.int32)))
    fresh = line.begin()
    for part in ("participants", "cells", "outcome", "totals"):
        for name, array in getattr(used.state, part)._asdict().items():
            np.testing.assert_array_equal(array, getattr(getattr(fresh.state, part), name), err_msg=name)
    np.testing.assert_array_equal(used.observations, fresh.observations)
