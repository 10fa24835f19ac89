"""The parts that all environments share, in exact numbers: what mutation testing found that other tests let pass."""

import numpy as np
import pytest
from numpy.typing import NDArray
from reference.csc_arrays import to_world
from reference.hand_worlds import a_task, a_world

from crowdgym.envs.core.neighbours import (
    BLOCK,
    NO_NEIGHBOUR,
    Line,
    fill_line,
    find_slots,
    nearest_within,
    offer,
    sort_by_x,
)
from crowdgym.envs.core.payment import payment_at
from crowdgym.envs.core.road_graph import RoadArrays, next_arc, travel_time_s

# ---- payment ----


@pytest.mark.parametrize("finish_s", [100.0, 120.0])
def test_nothing_is_paid_from_the_deadline_on_even_where_the_expected_time_is_later(finish_s: float) -> None:
    assert payment_at(finish_s, 150.0, 100.0, 90.0, 0.01) == 0.0


def test_the_penalty_counts_every_second_since_the_expected_time() -> None:
    """t_e = 20 s, t_f = 60 s: 40 s late at 1 % a second leaves 60 % of 50."""
    assert payment_at(60.0, 20.0, 100.0, 50.0, 0.01) == pytest.approx(30.0, rel=1e-15)


# ---- roads ----


def test_a_way_takes_its_units_times_their_metres_over_the_speed() -> None:
    """7 units of 2.5 m at 4 m/s: 17.5 m take 4.375 s."""
    assert travel_time_s(7, 2.5, 4.0) == 4.375
    assert travel_time_s(0, 2.5, 4.0) == 0.0


def test_a_walk_weighs_the_next_road_and_what_is_left_from_there() -> None:
    """From 0 to 3, lengths at the roads: by 1 it is 5 + 1, by 2 it is 2 + 3. From 1 to 0: directly 5, by 3 it is 6.

    0 --5-- 1 --1-- 3
    0 --2-- 2 --3-- 3
    """
    roads = RoadArrays(
        indptr=np.array([0, 2, 4, 6, 8], np.int32),
        indices=np.array([1, 2, 0, 3, 0, 3, 1, 2], np.int32),
        length=np.array([5, 2, 5, 1, 2, 3, 1, 3], np.int32),
        head_position=np.array([1, 2, 0, 3, 0, 3, 1, 2], np.int32),
        x_m=np.zeros(4),
        y_m=np.zeros(4),
        unit_m=1.0,
    )
    to_3 = np.array([5, 1, 3, 0], np.uint16)
    assert [next_arc(roads, to_3, node) for node in (0, 1, 2)] == [1, 3, 5]
    to_0 = np.array([0, 5, 2, 5], np.uint16)
    assert [next_arc(roads, to_0, node) for node in (1, 2, 3)] == [2, 4, 7]


def test_kernels_read_the_roads_of_the_network_without_a_copy_and_cannot_write_them() -> None:
    network = to_world(a_world([0], [a_task(1)])).instance.network
    roads = RoadArrays.of(network, np.arange(network.num_nodes, dtype=np.int32))
    for name in ("indptr", "indices", "length", "x_m", "y_m"):
        assert np.shares_memory(getattr(roads, name), getattr(network, name))
        assert not getattr(roads, name).flags.writeable
    assert roads.unit_m == 1.0


# ---- neighbours ----

# Eight points, x to the right, y up. By x: 0 4 5 (x = 0), 1, 2, 3, 7, 6.
#
#    8 | 5 . . .  . . . . 6
#    7 | . . . .  . . 7 .
#      |
#    1 | 4 . . .  . . . .
#    0 | 0 . 1 2  . 3 . .
#        x = 0            8
X_M = np.array([0.0, 2.0, 3.0, 5.0, 0.0, 0.0, 8.0, 6.0])
Y_M = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 8.0, 8.0, 7.0])
BY_X = [0, 4, 5, 1, 2, 3, 7, 6]


def a_line(x_m: NDArray[np.float64], y_m: NDArray[np.float64], *left_out: int) -> Line:
    by_x = np.arange(len(x_m), dtype=np.int32)
    sort_by_x(by_x, x_m)
    chosen = np.ones(len(x_m), np.int8)
    chosen[list(left_out)] = 0
    lines = Line.empty(1, len(x_m))
    fill_line(lines, 0, by_x, chosen, x_m, y_m)
    return lines


def search(
    lines: Line, x_m: float, y_m: float, count: int, exclude: int = -1, bound: float = np.inf
) -> tuple[int, list[int], list[float]]:
    """How many are within the bound, the ids found and their squared distances."""
    slots = np.zeros(1, np.int32)
    find_slots(lines, 0, np.zeros(1, np.int32), np.array([x_m]), slots)
    found, squared = np.full(count, -1, np.int32), np.full(count, -1.0)
    within = nearest_within(Line(*(part[0] for part in lines)), int(slots[0]), x_m, y_m, exclude, bound, found, squared)
    return within, found.tolist(), squared.tolist()


def test_points_are_sorted_by_x_and_then_by_number() -> None:
    for first in (BY_X, BY_X[::-1], list(range(8))):
        ids = np.array(first, np.int32)
        sort_by_x(ids, X_M)
        assert ids.tolist() == BY_X


def test_a_line_holds_those_chosen_in_that_order_and_behind_them_none_far_away() -> None:
    lines = a_line(X_M, Y_M, 4, 3)
    assert lines.size[0, 0] == 6
    assert lines.ids[0].tolist() == [0, 5, 1, 2, 7, 6] + [NO_NEIGHBOUR] * BLOCK + [0, 0]
    assert lines.x_m[0].tolist() == [0.0, 0.0, 2.0, 3.0, 6.0, 8.0] + [np.inf] * BLOCK + [0.0, 0.0]
    assert lines.y_m[0, :6].tolist() == [0.0, 8.0, 0.0, 0.0, 7.0, 8.0]


def test_there_is_a_line_for_each_copy_with_room_for_one_more_block() -> None:
    lines = Line.empty(3, 5)
    sizes = {name: part.shape for name, part in lines._asdict().items()}
    assert sizes.pop("size") == (3, 1)
    assert sizes.pop("ranks") == (3, BLOCK)
    assert set(sizes.values()) == {(3, 5 + BLOCK)}
    fill_line(lines, 1, np.array([1, 0], np.int32), np.ones(2, np.int8), np.array([9.0, 8.0]), np.zeros(2))
    assert lines.size.tolist() == [[0], [2], [0]]
    assert Line(*(part[1] for part in lines)).x_m[:2].tolist() == [8.0, 9.0]


def test_who_asks_belongs_behind_all_who_are_further_west() -> None:
    """The line has x = 0, 2, 3, 5, 6, 8 (and two more 0); asked from -1, 0, 2.5, 8 and 9."""
    asked = np.array([-1.0, 0.0, 2.5, 8.0, 9.0])
    slots = np.zeros(5, np.int32)
    find_slots(a_line(X_M, Y_M), 0, np.arange(5, dtype=np.int32), asked, slots)
    assert slots.tolist() == [0, 0, 4, 7, 8]


def test_a_search_tells_squared_metres_nearest_first() -> None:
    assert search(a_line(X_M, Y_M), 2.0, 1.0, 4) == (8, [1, 2, 4, 0], [1.0, 2.0, 4.0, 5.0])


def test_of_points_as_far_the_smaller_ids_are_kept() -> None:
    """From (2.5, 0), 1 and 2 are both half a metre away, 0 and 3 both 2.5 m."""
    assert search(a_line(X_M, Y_M), 2.5, 0.0, 3)[1:] == ([1, 2, 0], [0.25, 0.25, 6.25])
    assert search(a_line(X_M, Y_M), 2.5, 0.0, 1)[1:] == ([1], [0.25])


@pytest.mark.parametrize(
    ("bound", "within", "found"), [(4.0, 3, [1, 2, 4]), (3.9, 2, [1, 2, NO_NEIGHBOUR]), (0.5, 0, [NO_NEIGHBOUR] * 3)]
)
def test_a_search_ends_at_its_bound_that_included(bound: float, within: int, found: list[int]) -> None:
    """From (2, 1): 1 at 1 m², 2 at 2, 4 at 4, 0 at 5."""
    assert search(a_line(X_M, Y_M), 2.0, 1.0, 3, bound=bound)[:2] == (within, found)


def test_a_search_counts_more_than_it_has_room_for() -> None:
    assert search(a_line(X_M, Y_M), 2.0, 1.0, 2, bound=5.0) == (4, [1, 2], [1.0, 2.0])


def test_the_point_that_asks_is_left_out_and_not_counted() -> None:
    assert search(a_line(X_M, Y_M), 8.0, 8.0, 2, exclude=6) == (7, [7, 5], [5.0, 64.0])


def test_there_may_be_fewer_than_wanted() -> None:
    within, found, squared = search(a_line(X_M, Y_M), 0.0, 0.0, 8, exclude=0)
    assert (within, found) == (7, [4, 1, 2, 3, 5, 7, 6, NO_NEIGHBOUR])
    assert squared == [1.0, 4.0, 9.0, 25.0, 64.0, 85.0, 128.0, np.inf]


def test_a_line_of_nothing_finds_nothing() -> None:
    assert search(a_line(X_M, Y_M, *range(8)), 0.0, 0.0, 2) == (0, [NO_NEIGHBOUR] * 2, [np.inf] * 2)


@pytest.mark.parametrize("at", [0, 7, 8, 20, 39])
def test_a_search_goes_as_far_as_it_must_to_either_side_and_no_further(at: int) -> None:
    """Points 0 to 39 in a row, a metre apart; what moves behind the line's back is not noticed two blocks away."""
    lines = a_line(np.arange(40.0), np.zeros(40))
    near = [i for i in range(40) if abs(i - at) <= 3]
    for i in range(40):
        if abs(i - at) > 3 + 2 * BLOCK:
            lines.x_m[0, i] = at
    found, squared = np.zeros(7, np.int32), np.zeros(7)
    line = Line(*(part[0] for part in lines))
    assert nearest_within(line, at, float(at), 0.0, -1, 9.0, found, squared) == len(near)
    assert sorted(found[: len(near)].tolist()) == near


@pytest.mark.parametrize(
    ("candidate", "distance", "ids", "taken"),
    [
        (7, 0.5, [7, 2, 5], True),
        (3, 1.0, [2, 3, 5], True),
        (1, 1.0, [1, 2, 5], True),
        (4, 4.0, [2, 5, 4], True),
        (9, 4.0, [2, 5, 8], False),
        (8, 4.0, [2, 5, 8], False),
        (0, 4.1, [2, 5, 8], False),
    ],
)
def test_an_offer_is_taken_where_it_belongs(candidate: int, distance: float, ids: list[int], taken: bool) -> None:
    """Into 2 at 1 m², 5 at 2 m², 8 at 4 m²; of equally distant ones the smaller id comes first, and no id twice."""
    found, squared = np.array([2, 5, 8], np.int32), np.array([1.0, 2.0, 4.0])
    assert offer(found, squared, candidate, distance) == taken
    assert found.tolist() == ids
    assert squared.tolist() == sorted([1.0, 2.0, 4.0, distance] if taken else [1.0, 2.0, 4.0])[:3]
