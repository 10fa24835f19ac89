"""The parts of maps that all viewers share."""

import numpy as np
import pytest

from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.rendering.canvas import Box, Canvas, Discs, Rectangle, stamped
from crowdgym.envs.rendering.map import MapView, clock, rank_in_group, round_length_m, view_of
from crowdgym.envs.rendering.street_traffic import Streets


def network(num_nodes: int, roads: list[tuple[int, int]], length_m: int = 100) -> RoadNetwork:
    """Roads that may be driven both ways, all of one length; where the nodes are does not matter here."""
    arcs = sorted({*roads, *((head, tail) for tail, head in roads)})
    tails = np.array([tail for tail, _ in arcs])
    return RoadNetwork(
        node_ids=np.arange(num_nodes),
        x_m=np.arange(num_nodes, dtype=np.float64),
        y_m=np.zeros(num_nodes),
        longitude_deg=np.zeros(num_nodes),
        latitude_deg=np.zeros(num_nodes),
        indptr=np.searchsorted(tails, np.arange(num_nodes + 1)).astype(np.int32),
        indices=np.array([head for _, head in arcs], np.int32),
        length=np.full(len(arcs), length_m, np.int32),
        unit_m=1.0,
        crs="EPSG:32649",
    )


def test_traffic_is_the_share_of_shortest_paths_over_a_street() -> None:
    """0 --- 1 --- 2: of the 9 pairs of a start and a node, 4 lead over each of the two streets."""
    streets = Streets.of(network(3, [(0, 1), (1, 2)]))
    np.testing.assert_array_equal(streets.ends, [[0, 1], [1, 2]])
    np.testing.assert_allclose(streets.traffic, [4 / 9, 4 / 9])


def test_a_bridge_has_the_most_traffic() -> None:
    """
    0 - 1       4 - 5
    |   |       |   |
    2 - 3 ----- 6 - 7
    """
    roads = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 6), (4, 5), (4, 6), (5, 7), (6, 7)]
    streets = Streets.of(network(8, roads))
    busiest = streets.traffic.argmax()
    np.testing.assert_array_equal(streets.ends[busiest], [3, 6])
    assert streets.traffic[busiest] == pytest.approx(2 * 4 * 4 / 64)


def test_traffic_is_counted_along_a_long_road() -> None:
    """A road of 1,000 nodes in a row and one start in its middle: n streets away, 500 - n paths go on."""
    streets = Streets.of(network(1000, [(n, n + 1) for n in range(999)]), sources=1)
    assert streets.traffic[[0, 499, 500, 998]] == pytest.approx([1 / 1000, 500 / 1000, 499 / 1000, 1 / 1000])


def test_one_scale_for_both_axes_and_the_middle_in_the_middle() -> None:
    view = MapView.fit(Box(1000.0, 0.0, 3000.0, 500.0), Box(100, 100, 300, 400))
    assert view.pixels_per_m == 0.1
    np.testing.assert_allclose(
        view.pixels(np.array([1000.0, 2000.0]), np.array([250.0, 500.0])), [[100, 250], [200, 275]]
    )
    np.testing.assert_allclose(view.metres(np.array([100.0]), np.array([250.0])), [[1000.0], [250.0]])


def test_a_city_is_shown_whole_if_things_happen_all_over_it() -> None:
    city, room = Box(0.0, 0.0, 50_000.0, 50_000.0), Box(0, 0, 500, 500)
    all_over = np.linspace(0.0, 50_000.0, 11)
    assert view_of(city, all_over, all_over, room) == MapView.fit(city, room)
    assert view_of(city, np.empty(0), np.empty(0), room) == MapView.fit(city, room)


def test_a_few_places_far_away_do_not_keep_a_map_from_showing_the_rest_large() -> None:
    """99 places within 10 km of the south-west corner, one in the north-east: 10 km and a margin of 12 % are shown."""
    city, room = Box(0.0, 0.0, 50_000.0, 50_000.0), Box(0, 0, 560, 560)
    places_m = np.concatenate([np.zeros(49), np.full(50, 10_000.0), [50_000.0]])
    view = view_of(city, places_m, places_m, room)
    assert view.pixels_per_m == pytest.approx(560 / 11_200)


def test_a_small_city_is_never_shown_in_part() -> None:
    city, room = Box(0.0, 0.0, 1500.0, 1500.0), Box(0, 0, 500, 500)
    assert view_of(city, np.array([10.0]), np.array([10.0]), room) == MapView.fit(city, room)


def test_rank_in_group_counts_those_before() -> None:
    assert rank_in_group(np.array([7, 3, 7, 7, 3])).tolist() == [0, 0, 1, 2, 1]
    assert rank_in_group(np.empty(0, np.int32)).tolist() == []


@pytest.mark.parametrize(("time_s", "shown"), [(0.0, "0:00:00"), (3723.9, "1:02:03"), (36_000.0, "10:00:00")])
def test_the_clock_shows_hours_minutes_and_whole_seconds(time_s: float, shown: str) -> None:
    assert clock(time_s) == shown


@pytest.mark.parametrize(("longest_m", "length_m"), [(9999.0, 5000.0), (5000.0, 5000.0), (1999.0, 1000.0), (0.3, 0.2)])
def test_a_scale_bar_has_a_round_length(longest_m: float, length_m: float) -> None:
    assert round_length_m(longest_m) == pytest.approx(length_m)


def test_an_outline_is_turned_sized_and_moved() -> None:
    """An arrow to the right, three pixels long, laid at (10, 20) and turned upwards."""
    arrow = np.array([[1.0, 0.0], [0.0, 0.5]])
    upwards = stamped(arrow, np.array([[10.0, 20.0]]), 3.0, np.array([[0.0, 7.0]]))
    np.testing.assert_allclose(upwards, [[[10.0, 23.0], [8.5, 20.0]]])
    np.testing.assert_allclose(stamped(arrow, np.array([[10.0, 20.0]]), 3.0), [[[13.0, 20.0], [10.0, 21.5]]])


def test_what_moves_leaves_no_trace_and_what_is_covered_is_not_seen() -> None:
    canvas = Canvas(40, 20, "#ffffff")
    canvas.add_fixed(Rectangle(Box(0, 0, 10, 20), "#0000ff"))
    disc = canvas.add_moving(Discs("#ff0000", "none", 0.0))
    canvas.cover(Box(0, 0, 10, 20))
    empty = canvas.frame()
    disc.place(np.array([[30.0, 10.0], [5.0, 10.0]]), np.array([4.0, 4.0]))
    frame = canvas.frame()
    assert frame[10, 30].tolist() == [255, 0, 0]
    assert frame[10, 5].tolist() == [0, 0, 255]
    disc.place(np.empty((0, 2)), np.empty(0))
    np.testing.assert_array_equal(canvas.frame(), empty)


def test_nothing_can_be_added_to_a_canvas_that_has_been_drawn() -> None:
    canvas = Canvas(40, 20)
    canvas.frame()
    with pytest.raises(RuntimeError, match="a frame has been drawn"):
        canvas.add_fixed(Rectangle(Box(0, 0, 10, 20), "#0000ff"))
