"""The parts that all environments share, in exact numbers: what mutation testing found that other tests let pass."""

import numpy as np
import pytest
from numpy.typing import NDArray
from reference.csc_arrays import to_world
from reference.hand_worlds import a_task, a_world

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
    """From 0 to 3, lengths at the roads: by 1 it is 5 + 1, by 2 it is 2 + 3. From 1 to 0: directly 5, by 3 it is 6.

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
    to_0 = np.array([0, 5, 2, 5], np.uint16)
    assert [next_arc(roads, to_0, node) for node in (1, 2, 3)] == [2, 4, 7]


def test_kernels_read_the_roads_of_the_network_without_a_copy_and_cannot_write_them() -> None:
    network = to_world(a_world([0], [a_task(1)])).instance.network
    roads = RoadArrays.of(network)
    for name in ("indptr", "indices", "length", "x_m", "y_m"):
        assert np.shares_memory(getattr(roads, name), getattr(network, name))
        assert not getattr(roads, name).flags.writeable
    assert roads.unit_m == 1.0


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


@pytest.mark.parametrize("first", range(8))
def test_the_frame_holds_all_points_whichever_comes_first(first: int) -> None:
    """The same points, 100 m to the east and 50 m to the south."""
    grid = Grid.empty(1, 8)
    fill_grid(grid, 0, np.roll(np.arange(8, dtype=np.int32), -first), 8, X_M + 100.0, Y_M - 50.0)
    assert grid.frame[0].tolist() == [100.0, -50.0, pytest.approx(4.0, rel=2e-9)]


@pytest.mark.parametrize(
    ("corner", "width"),
    [((-9.0, -9.0), 17 / 2), ((-9.0, 20.0), 20 / 2), ((20.0, -9.0), 20 / 2), ((20.0, 20.0), 20 / 2)],
)
def test_the_frame_holds_the_first_point_where_it_is_the_outermost(corner: tuple[float, float], width: float) -> None:
    """The eight points lie in a square of 8 m; four cells of half the longer side."""
    x_m, y_m = np.array([corner[0], *X_M]), np.array([corner[1], *Y_M])
    grid = Grid.empty(1, 9)
    fill_grid(grid, 0, np.arange(9, dtype=np.int32), 9, x_m, y_m)
    assert grid.frame[0, :2].tolist() == [min(0.0, corner[0]), min(0.0, corner[1])]
    assert grid.frame[0, 2] == pytest.approx(width, rel=2e-9)


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


def test_points_as_far_are_told_by_number_in_whatever_order_they_are_met() -> None:
    """A lattice of 36 points, numbered at random: the four nearest of an inner one are all 1 m away."""
    place = np.random.default_rng(3).permutation(36)
    x_m, y_m = (place % 6).astype(float), (place // 6).astype(float)
    grid = Grid.empty(1, 36)
    fill_grid(grid, 0, np.arange(36, dtype=np.int32), 36, x_m, y_m)
    for at in range(36):
        found, squared = np.zeros(8, np.int32), np.zeros(8)
        assert nearest(grid, 0, x_m, y_m, x_m[at], y_m[at], at, found, squared) == 8
        assert found.tolist() == brute_force(x_m, y_m, list(range(36)), at, 8)


def test_points_are_found_though_the_first_cell_has_none() -> None:
    """0 to 3 in the north-west, 4 to 7 in the south-east."""
    x_m, y_m = np.repeat([0.0, 8.0], 4), np.repeat([8.0, 0.0], 4)
    grid = Grid.empty(1, 8)
    fill_grid(grid, 0, np.arange(8, dtype=np.int32), 8, x_m, y_m)
    found, squared = np.zeros(2, np.int32), np.zeros(2)
    assert nearest(grid, 0, x_m, y_m, 8.0, 0.0, -1, found, squared) == 2
    assert found.tolist() == [4, 5]


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


def brute_force(x_m: NDArray[np.float64], y_m: NDArray[np.float64], ids: list[int], at: int, count: int) -> list[int]:
    squared = (x_m - x_m[at]) ** 2 + (y_m - y_m[at]) ** 2
    return sorted((i for i in ids if i != at), key=lambda i: (squared[i], i))[:count]


def rings_to_look_at(grid: Grid, x_m: float, y_m: float, squared: float) -> tuple[int, int, int]:
    """The cell of a point, and how many rings around it, its own cell being one, may hold points at most so far away.

    Worked out from the lines between the cells: a ring is the last one if the nearest line of the block of cells so
    far, not counting the edges of the grid, is farther.
    """
    west, south, width = grid.frame[0]
    side = int(grid.side[0])
    lines = np.arange(1, side)  # between the cells
    column, row = (int(np.sum((at - low) / width >= lines)) for at, low in ((x_m, west), (y_m, south)))
    for rings in range(1, side):
        gaps = []
        for at, low, cell in ((x_m, west, column), (y_m, south, row)):
            first, last = cell - rings + 1, cell + rings
            gaps += [at - (low + first * width)] if first > 0 else []
            gaps += [low + last * width - at] if last < side else []
        if min(gaps, default=np.inf) ** 2 > squared:
            return column, row, rings
    return column, row, side


@pytest.mark.parametrize("wanted", [1, 2, 5, 60])
@pytest.mark.parametrize("spread", [(400.0, 400.0), (400.0, 130.0), (90.0, 400.0), (0.0, 400.0)])
def test_a_search_looks_at_every_ring_that_it_must_and_at_no_other(wanted: int, spread: tuple[float, float]) -> None:
    """A hundred points far from the origin: all nearest ones are found, though what lies farther is moved in between.

    Once the points are in the grid, those in rings too far away to matter are moved to where the search begins.
    """
    rng = np.random.default_rng([wanted, int(spread[0])])
    x_m, y_m = 300.0 + spread[0] * rng.random(100), -900.0 + spread[1] * rng.random(100)
    grid = Grid.empty(1, 100)
    fill_grid(grid, 0, np.arange(100, dtype=np.int32), 100, x_m, y_m)
    found, squared = np.zeros(wanted, np.int32), np.zeros(wanted)
    cell = np.empty(100, np.int32)
    cell[grid.order[0]] = np.repeat(np.arange(49), np.diff(grid.start[0, :50]))  # 7 by 7
    for at in range(100):
        truth = (x_m - x_m[at]) ** 2 + (y_m - y_m[at]) ** 2
        truth[at] = np.inf
        nearest_ids = np.argsort(truth, kind="stable")[:wanted]
        column, row, rings = rings_to_look_at(grid, x_m[at], y_m[at], truth[nearest_ids[-1]])
        far = np.maximum(abs(cell % 7 - column), abs(cell // 7 - row)) >= rings
        moved_x_m, moved_y_m = np.where(far, x_m[at], x_m), np.where(far, y_m[at], y_m)
        assert nearest(grid, 0, moved_x_m, moved_y_m, x_m[at], y_m[at], at, found, squared) == wanted
        assert found.tolist() == nearest_ids.tolist()
        assert squared.tolist() == pytest.approx(truth[nearest_ids].tolist(), rel=1e-12)
