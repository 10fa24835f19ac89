"""The parts that all environments share, in exact numbers: what mutation testing found that other tests let pass."""

import numpy as np
import pytest
from numpy.typing import NDArray
from reference.csc_arrays import to_world
from reference.hand_worlds import a_task, a_world

from crowdgym.envs.core.neighbours import (
    BLOCK,
    NO_NEIGHBOUR,
    Box,
    Grid,
    fill_grid,
    nearest_within,
    offer,
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

# Eight points, x to the right, y up. Columns of 2 m from x = -2 on, ten of them; two rows of 8 m from y = -7 on.
#
#    8 | 5 . . .  . . . . 6
#    7 | . . . .  . . 7 .
#      |
#    1 | 4 . . .  . . . .
#    0 | 0 . 1 2  . 3 . .
#        x = 0            8
X_M = np.array([0.0, 2.0, 3.0, 5.0, 0.0, 0.0, 8.0, 6.0])
Y_M = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 8.0, 8.0, 7.0])
BOX, COLUMNS, ROWS = Box(-2.0, -7.0, 18.0, 9.0), 10, 2
BY_CELL = [0, 1, 2, 3, 4, 5, 7, 6]  # the lower row (y < 1), west to east, then the upper one


def a_grid(members: list[int], x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> Grid:
    """A grid of one copy."""
    grids = Grid.empty(1, len(x_m), BOX)
    grids = grids._replace(starts=np.zeros((1, COLUMNS * ROWS + 1), np.int32))
    grids.sides[0], grids.per_m[0] = (COLUMNS, ROWS), (COLUMNS / 20.0, ROWS / 16.0)
    fill_grid(grids, 0, np.array(members, np.int32), len(members), x_m, y_m)
    return grids


def eight_points(*left_out: int) -> Grid:
    return a_grid([i for i in range(8) if i not in left_out], X_M, Y_M)


def search(
    grids: Grid, x_m: float, y_m: float, count: int, exclude: int = -1, bound: float = np.inf
) -> tuple[int, list[int], list[float]]:
    """How many are within the bound, the ids found and their squared distances."""
    found, squared = np.full(count, -1, np.int32), np.full(count, -1.0)
    within = nearest_within(Grid(*(part[0] for part in grids)), x_m, y_m, exclude, bound, found, squared)
    return within, found.tolist(), squared.tolist()


@pytest.mark.parametrize(
    ("points", "columns", "rows"), [(1, 2, 1), (50, 50, 1), (200, 128, 1), (400, 128, 2), (10_000, 250, 12)]
)
def test_a_grid_has_more_cells_for_more_points_and_is_as_wide_and_high_as_its_box(
    points: int, columns: int, rows: int
) -> None:
    grids = Grid.empty(3, points, Box(-50.0, 20.0, 150.0, 120.0))
    assert grids.sides.tolist() == [[columns, rows]] * 3
    assert grids.starts.shape == (3, columns * rows + 1)
    assert grids.corner_m.tolist() == [[-50.0, 20.0]] * 3
    assert grids.per_m.tolist() == [[columns / 200.0, rows / 100.0]] * 3
    assert grids.ids.shape == grids.x_m.shape == grids.picked.shape == (3, points + BLOCK)


def test_a_box_is_around_all_places() -> None:
    assert Box.around(np.array([3.0, -1.0, 2.0]), np.array([5.0, 9.0, 7.0])) == Box(-1.0, 5.0, 3.0, 9.0)


def test_a_grid_holds_its_members_cell_by_cell() -> None:
    grids = eight_points(4, 3)
    assert grids.ids[0, :6].tolist() == [0, 1, 2, 5, 7, 6]
    assert grids.x_m[0, :6].tolist() == [0.0, 2.0, 3.0, 0.0, 6.0, 8.0]
    assert grids.y_m[0, :6].tolist() == [0.0, 0.0, 0.0, 8.0, 7.0, 8.0]
    lower, upper = [0, 0, 1, 3, 3, 3, 3, 3, 3, 3], [3, 3, 4, 4, 4, 5, 6, 6, 6, 6]
    assert grids.starts[0].tolist() == [*lower, *upper, 6]


def test_a_grid_that_is_filled_again_forgets_who_was_in_it() -> None:
    grids = eight_points()
    assert grids.ids[0, :8].tolist() == BY_CELL
    fill_grid(grids, 0, np.array([6, 1, 0], np.int32), 2, X_M, Y_M)
    assert search(grids, 0.0, 0.0, 3) == (2, [1, 6, NO_NEIGHBOUR], [4.0, 128.0, np.inf])


def test_each_copy_has_a_grid_of_its_own() -> None:
    grids = Grid.empty(3, 2, Box(0.0, 0.0, 10.0, 10.0))
    fill_grid(grids, 1, np.array([1, 0], np.int32), 2, np.array([9.0, 1.0]), np.zeros(2))
    assert [int(starts[-1]) for starts in grids.starts] == [0, 2, 0]
    assert grids.ids[1, :2].tolist() == [1, 0]


def test_points_outside_the_box_are_found_as_any_other() -> None:
    x_m, y_m = np.array([-30.0, 5.0, 60.0, 5.0]), np.array([0.0, -40.0, 4.0, 90.0])
    grids = a_grid([0, 1, 2, 3], x_m, y_m)
    assert search(grids, -31.0, 0.0, 1, bound=1.0) == (1, [0], [1.0])
    assert search(grids, 5.0, -42.0, 1, bound=4.0) == (1, [1], [4.0])
    assert search(grids, 63.0, 8.0, 1, bound=25.0) == (1, [2], [25.0])
    assert search(grids, 5.0, 89.0, 1, bound=1.0) == (1, [3], [1.0])


def test_a_search_tells_squared_metres_nearest_first() -> None:
    assert search(eight_points(), 2.0, 1.0, 4) == (8, [1, 2, 4, 0], [1.0, 2.0, 4.0, 5.0])


def test_of_points_as_far_the_smaller_ids_are_kept() -> None:
    """From (2.5, 0), 1 and 2 are both half a metre away, 0 and 3 both 2.5 m."""
    assert search(eight_points(), 2.5, 0.0, 3)[1:] == ([1, 2, 0], [0.25, 0.25, 6.25])
    assert search(eight_points(), 2.5, 0.0, 1)[1:] == ([1], [0.25])


@pytest.mark.parametrize(
    ("bound", "within", "found"), [(4.0, 3, [1, 2, 4]), (3.9, 2, [1, 2, NO_NEIGHBOUR]), (0.5, 0, [NO_NEIGHBOUR] * 3)]
)
def test_a_search_ends_at_its_bound_that_included(bound: float, within: int, found: list[int]) -> None:
    """From (2, 1): 1 at 1 m², 2 at 2, 4 at 4, 0 at 5."""
    assert search(eight_points(), 2.0, 1.0, 3, bound=bound)[:2] == (within, found)


def test_a_search_counts_more_than_it_has_room_for() -> None:
    assert search(eight_points(), 2.0, 1.0, 2, bound=5.0) == (4, [1, 2], [1.0, 2.0])


def test_the_point_that_asks_is_left_out_and_not_counted() -> None:
    assert search(eight_points(), 8.0, 8.0, 2, exclude=6) == (7, [7, 5], [5.0, 64.0])


def test_there_may_be_fewer_than_wanted() -> None:
    within, found, squared = search(eight_points(), 0.0, 0.0, 8, exclude=0)
    assert (within, found) == (7, [4, 1, 2, 3, 5, 7, 6, NO_NEIGHBOUR])
    assert squared == [1.0, 4.0, 9.0, 25.0, 64.0, 85.0, 128.0, np.inf]


def test_a_grid_of_nothing_finds_nothing() -> None:
    assert search(eight_points(*range(8)), 0.0, 0.0, 2) == (0, [NO_NEIGHBOUR] * 2, [np.inf] * 2)


@pytest.mark.parametrize("at", [0, 7, 8, 20, 39])
def test_a_search_reads_the_cells_within_its_bound_and_no_others(at: int) -> None:
    """Points 0 to 39 in a row of 40 cells, a metre apart; who moves without a new grid is not noticed elsewhere."""
    x_m = np.arange(40.0)
    grids = Grid.empty(1, 40, Box(0.0, 0.0, 40.0, 1.0))
    fill_grid(grids, 0, np.arange(40, dtype=np.int32), 40, x_m, np.zeros(40))
    near = [i for i in range(40) if abs(i - at) <= 3]
    for i in range(40):
        if abs(i - at) > 4:
            grids.x_m[0, i] = at
    assert search(grids, float(at), 0.0, 7, bound=9.0)[0] == len(near)
    assert sorted(search(grids, float(at), 0.0, 7, bound=9.0)[1][: len(near)]) == near


def test_a_point_as_far_as_the_bound_is_found_where_a_rounded_sum_ends_before_its_cell() -> None:
    """-7.004775003542685 and the distance to 9 are 8.999999999999998 in floating point; a cell begins at 9."""
    x_m = -7.004775003542685
    assert x_m + (9.0 - x_m) < 9.0
    grids = Grid.empty(1, 10, Box(0.0, 0.0, 10.0, 1.0))
    fill_grid(grids, 0, np.array([0], np.int32), 1, np.array([9.0]), np.zeros(1))
    assert search(grids, x_m, 0.0, 1, bound=(9.0 - x_m) * (9.0 - x_m))[:2] == (1, [0])


def test_of_many_points_within_the_bound_the_nearest_are_kept_wherever_they_lie() -> None:
    """70 points in one cell: more than are measured or ranked at once, and more than a word has bits."""
    x_m = 70.0 - np.arange(70.0)
    grids = Grid.empty(1, 70, Box(-1e6, 0.0, 1e6, 1.0))
    fill_grid(grids, 0, np.arange(70, dtype=np.int32), 70, x_m, np.zeros(70))
    assert search(grids, 0.0, 0.0, 3) == (70, [69, 68, 67], [1.0, 4.0, 9.0])
    assert search(grids, 0.0, 0.0, 3, exclude=68, bound=9.0) == (2, [69, 67, NO_NEIGHBOUR], [1.0, 9.0, np.inf])


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
