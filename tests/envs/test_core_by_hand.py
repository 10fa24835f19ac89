"""The parts that all environments share, in exact numbers: what mutation testing found that other tests let pass."""

import numpy as np
import pytest

from crowdgym.envs.core.neighbours import Grid, fill_grid, nearest
from crowdgym.envs.core.payment import payment_at
from crowdgym.envs.core.roads import RoadArrays, next_arc, travel_time_s
from crowdgym.envs.core.sorting import heap_sort

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
    """From 0 to 3, lengths at the roads: by 1 it is 5 + 1, by 2 it is 2 + 3. The nearest neighbour of 3 is not on it.

    0 --5-- 1 --1-- 3
    0 --2-- 2 --3-- 3
    """
    roads = RoadArrays(
        indptr=np.array([0, 2, 4, 6, 8], np.int32),
        indices=np.array([1, 2, 0, 3, 0, 3, 1, 2], np.int32),
        length=np.array([5, 2, 5, 1, 2, 3, 1, 3], np.int32),
        x_m=np.zeros(4),
        y_m=np.zeros(4),
        unit_m=1.0,
    )
    to_3 = np.array([5, 1, 3, 0], np.uint16)
    assert [next_arc(roads, to_3, node) for node in (0, 1, 2)] == [1, 3, 5]


# ---- sorting ----


@pytest.mark.parametrize("keys", [[], [7], [2, 1], [3, 1, 2], [1, 1, 0, 1], [5, 4, 3, 2, 1, 0]])
def test_few_keys_are_sorted(keys: list[int]) -> None:
    array = np.array([*keys, -9], np.int64)
    heap_sort(array, len(keys))
    assert array.tolist() == [*sorted(keys), -9]


# ---- neighbours ----

# Eight points, so four cells of width 4 (and a hair); ids in the cells, x to the right, y up:
#
#    7 | 5 . . .  . . . 6
#      | . . . .  . 7 . .
#      |
#    0 | 4 . . .  . . . .
#      | 0 . 1 2  . 3 . .   <- y = 0
#        x = 0              8
X_M = np.array([0.0, 2.0, 3.0, 5.0, 0.0, 0.0, 8.0, 6.0])
Y_M = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 8.0, 8.0, 7.0])


def eight_points() -> Grid:
    grid = Grid.empty(1, 8)
    fill_grid(grid, 0, np.arange(8, dtype=np.int32), 8, X_M, Y_M)
    return grid


def search(grid: Grid, x_m: float, y_m: float, count: int, exclude: int = -1) -> tuple[list[int], list[float]]:
    found, squared = np.full(count, -1, np.int32), np.zeros(count)
    filled = nearest(grid, 0, X_M, Y_M, x_m, y_m, exclude, found, squared)
    return found[:filled].tolist(), squared[:filled].tolist()


def test_points_lie_about_two_to_a_cell_with_ids_ascending_in_each() -> None:
    grid = eight_points()
    assert grid.side[0] == 2
    assert grid.start[0].tolist()[:5] == [0, 4, 5, 6, 8]
    assert grid.order[0].tolist() == [0, 1, 2, 4, 3, 5, 6, 7]
    assert grid.frame[0].tolist() == [0.0, 0.0, pytest.approx(4.0, rel=2e-9)]
    assert grid.frame[0, 2] > 4.0


def test_a_grid_has_room_for_two_points_a_cell() -> None:
    grid = Grid.empty(3, 8)
    assert (grid.start.shape, grid.order.shape, grid.cell.shape) == ((3, 6), (3, 8), (3, 8))
    assert (grid.frame.shape, grid.side.tolist()) == ((3, 3), [1, 1, 1])


def test_a_search_tells_squared_metres_nearest_first() -> None:
    assert search(eight_points(), 2.0, 1.0, 4) == ([1, 2, 4, 0], [1.0, 2.0, 4.0, 5.0])


def test_of_points_as_far_the_smaller_ids_are_kept() -> None:
    """From (2.5, 0), 1 and 2 are both half a metre away, 0 and 3 both 2.5 m."""
    assert search(eight_points(), 2.5, 0.0, 3) == ([1, 2, 0], [0.25, 0.25, 6.25])
    assert search(eight_points(), 2.5, 0.0, 1) == ([1], [0.25])


def test_whoever_asks_is_left_out() -> None:
    assert search(eight_points(), 8.0, 8.0, 2, exclude=6) == ([7, 5], [5.0, 64.0])


def test_there_may_be_fewer_than_wanted() -> None:
    found, squared = search(eight_points(), 0.0, 0.0, 20, exclude=0)
    assert found == [4, 1, 2, 3, 5, 7, 6]
    assert squared == [1.0, 4.0, 9.0, 25.0, 64.0, 85.0, 128.0]


def test_a_grid_of_nothing_finds_nothing() -> None:
    grid = eight_points()
    fill_grid(grid, 0, np.zeros(8, np.int32), 0, X_M, Y_M)
    assert search(grid, 0.0, 0.0, 3) == ([], [])


@pytest.mark.parametrize(("along_m", "looked_at"), [(2.0, [0, 1, 2, 3]), (14.0, [12, 13, 14, 15])])
def test_a_search_looks_no_further_than_it_must(along_m: float, looked_at: list[int]) -> None:
    """Points 0 to 31 at the corners of a row of cells: what moves after the binning is not noticed from afar.

    y = 16 | 16 to 31
    y = 0  | 0  1  2  3  4  5  6  7 ...  15
    """
    x_m = np.tile(np.arange(16.0), 2)
    y_m = np.repeat([0.0, 16.0], 16)
    grid = Grid.empty(1, 32)
    fill_grid(grid, 0, np.arange(32, dtype=np.int32), 32, x_m, y_m)  # 4 by 4 cells of 4 m
    x_m[16:] = along_m
    y_m[16:] = 0.0  # in truth all on the spot, were they looked at
    found, squared = np.zeros(1, np.int32), np.zeros(1)
    assert nearest(grid, 0, x_m, y_m, along_m, 0.0, -1, found, squared) == 1
    assert found[0] in looked_at
