"""`assemble`: tables in, one connected network out, and a report of everything that was left behind."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from roads_worlds import Places, Roads, lengths_by_id, line_of_places, node_table, road_table

from crowdgym.common.errors import DataError, DataWarning
from crowdgym.data.roads.assemble import NodeTable, RoadTable, assemble

NOWHERE = math.nan


def test_every_road_becomes_an_arc_each_way_with_its_length_in_whole_metres() -> None:
    """1 --112.4-- 2 --120.6-- 3; straight lines are 111.2 m."""
    network, report = assemble(
        node_table(line_of_places(3)), road_table([(1, 2, 112.4), (3, 2, 120.6)]), source="the test"
    )
    assert lengths_by_id(network) == {(1, 2): 112, (2, 1): 112, (2, 3): 121, (3, 2): 121}
    assert (network.num_nodes, network.num_edges, network.num_arcs, network.unit_m) == (3, 2, 4, 1.0)
    assert report.lines() == ["read 3 nodes and 2 roads from the test", "kept 3 nodes and 2 edges"]


def test_a_road_is_never_shorter_than_one_unit() -> None:
    network, _ = assemble(node_table(line_of_places(2)), road_table([(1, 2, 0.2)]), source="the test")
    assert lengths_by_id(network) == {(1, 2): 1, (2, 1): 1}


def test_the_shortest_of_parallel_roads_is_kept_and_the_others_are_counted() -> None:
    roads: Roads = [(1, 2, 30), (2, 1, 20), (1, 2, 20), (2, 3, 5)]
    network, report = assemble(node_table(line_of_places(3)), road_table(roads), source="the test")
    assert lengths_by_id(network) == {(1, 2): 20, (2, 1): 20, (2, 3): 5, (3, 2): 5}
    assert report.parallel_roads_merged == 2
    assert report.edges == 2


def test_a_road_from_a_node_to_itself_is_dropped_and_counted() -> None:
    network, report = assemble(node_table(line_of_places(2)), road_table([(1, 2, 30), (2, 2, 40)]), source="the test")
    assert lengths_by_id(network) == {(1, 2): 30, (2, 1): 30}
    assert report.self_loops_dropped == 1


def test_zero_and_missing_lengths_become_great_circle_distances_with_one_warning() -> None:
    """On the equator 0.001 degrees are 6,371,008.8 m x pi / 180,000 = 111.195 m, and 0.003 degrees 333.585 m."""
    places = {1: (0.0, 0.0), 2: (0.001, 0.0), 3: (0.004, 0.0), 4: (0.004, 0.001)}
    roads: Roads = [(1, 2, 0.0), (2, 3, NOWHERE), (3, 4, 7.0), (4, 4, 0.0)]
    with pytest.warns(DataWarning, match=r"the test: 2 of 4 roads have no length or length zero") as caught:
        network, report = assemble(node_table(places), road_table(roads), source="the test")
    assert len(caught) == 1
    arcs = lengths_by_id(network)
    assert (arcs[1, 2], arcs[2, 3], arcs[3, 4]) == (111, 334, 7)
    assert report.lengths_repaired == 2


def test_two_places_on_one_spot_are_one_unit_apart() -> None:
    with pytest.warns(DataWarning, match="1 of 1 roads"):
        network, _ = assemble(node_table({1: (5.0, 5.0), 2: (5.0, 5.0)}), road_table([(1, 2, 0.0)]), source="the test")
    assert lengths_by_id(network)[1, 2] == 1


def test_the_largest_part_is_kept_and_the_sizes_of_the_others_are_reported() -> None:
    """1 - 2 - 3 - 4 - 5 - 6    7 - 8 - 9    10."""
    roads: Roads = [(1, 2, 9), (2, 3, 9), (3, 4, 9), (4, 5, 9), (5, 6, 9), (7, 8, 9), (8, 9, 9)]
    network, report = assemble(node_table(line_of_places(10)), road_table(roads), source="the test")
    assert sorted(network.node_ids.tolist()) == [1, 2, 3, 4, 5, 6]
    assert report.dropped_part_sizes == (3, 1)
    assert (report.nodes_dropped, report.roads_dropped, report.nodes, report.edges) == (4, 2, 6, 5)
    assert "dropped 4 nodes and 2 roads in 2 parts not connected with the largest (3, 1 nodes)" in report.lines()


def test_a_one_way_street_has_one_arc_and_the_way_back_is_the_other_road() -> None:
    """1 -> 2 -> 3 -> 1 one way, and 1 - 2 also the long way round, both ways."""
    roads: Roads = [(1, 2, 10), (2, 3, 20), (3, 1, 30), (1, 2, 90)]
    network, report = assemble(
        node_table(line_of_places(3)), road_table(roads, [True, True, True, False]), source="the test"
    )
    assert lengths_by_id(network) == {(1, 2): 10, (2, 1): 90, (2, 3): 20, (3, 1): 30}
    assert (report.edges, report.parallel_roads_merged) == (3, 0)


def test_what_cannot_be_left_again_is_not_connected() -> None:
    """1 - 2 - 3 both ways, 3 -> 4 one way: no way leads back from 4."""
    roads: Roads = [(1, 2, 10), (2, 3, 10), (3, 4, 10)]
    network, report = assemble(
        node_table(line_of_places(4)), road_table(roads, [False, False, True]), source="the test"
    )
    assert sorted(network.node_ids.tolist()) == [1, 2, 3]
    assert (report.dropped_part_sizes, report.roads_dropped) == ((1,), 1)


@pytest.mark.parametrize(
    ("road_m", "unit_m", "units"), [(65_534.0, 1.0, 65_534), (65_535.0, 2.0, 32_768), (200_000.0, 4.0, 50_000)]
)
def test_the_unit_is_the_smallest_whole_number_of_metres_with_which_every_path_fits_16_bits(
    road_m: float, unit_m: float, units: int
) -> None:
    network, report = assemble(node_table(line_of_places(2)), road_table([(1, 2, road_m)]), source="the test")
    assert (network.unit_m, lengths_by_id(network)[1, 2]) == (unit_m, units)
    assert report.unit_m == unit_m


def test_it_is_the_longest_path_that_has_to_fit_not_the_longest_road() -> None:
    """1 --60 km-- 2 --60 km-- 3, closed by 3 --5 km-- 1: nothing is farther than 60 km."""
    roads: Roads = [(1, 2, 60_000), (2, 3, 60_000), (3, 1, 5_000)]
    assert assemble(node_table(line_of_places(3)), road_table(roads), source="the test")[0].unit_m == 1.0
    assert assemble(node_table(line_of_places(3)), road_table(roads[:2]), source="the test")[0].unit_m == 2.0


@pytest.mark.parametrize(
    ("longitude", "latitude", "crs"),
    [
        (110.35, 20.0, "EPSG:32649"),
        (104.07, 30.67, "EPSG:32648"),
        (-43.2, -22.9, "EPSG:32723"),
        (0.0, 51.5, "EPSG:32631"),
    ],
)
def test_places_are_projected_to_the_utm_zone_of_the_centre(longitude: float, latitude: float, crs: str) -> None:
    places = {1: (longitude - 0.01, latitude), 2: (longitude + 0.01, latitude)}
    network, _ = assemble(node_table(places), road_table([(1, 2, 2_000)]), source="the test")
    assert network.crs == crs
    straight_m = math.hypot(np.ptp(network.x_m), np.ptp(network.y_m))
    great_circle_m = 6_371_008.8 * math.radians(0.02) * math.cos(math.radians(latitude))
    assert straight_m == pytest.approx(great_circle_m, rel=4e-3)  # UTM's scale, and the flattening of the ellipsoid
    assert network.longitude_deg.tolist() == [places[node][0] for node in network.node_ids.tolist()]


def test_nodes_are_numbered_so_that_neighbours_are_near_in_memory() -> None:
    """A square of 16 x 16 places: along the curve every step is to a neighbour, so numbers of neighbours are close."""
    step = 0.001
    places: Places = {row * 16 + column: (column * step, row * step) for row in range(16) for column in range(16)}
    roads: Roads = [(node, node + 1, 110) for node in places if node % 16 != 15]
    roads += [(node, node + 16, 110) for node in places if node < 240]
    network, _ = assemble(node_table(places), road_table(roads), source="the test")
    hops = np.abs(np.diff(network.x_m)) + np.abs(np.diff(network.y_m))
    assert np.all(hops < 120)
    for node in range(network.num_nodes):
        neighbours = network.indices[network.indptr[node] : network.indptr[node + 1]]
        assert np.all(np.diff(neighbours) > 0)


def test_the_order_of_rows_and_the_direction_of_two_way_roads_change_nothing() -> None:
    draw = np.random.default_rng(3)
    places: Places = {int(node): tuple(draw.uniform(0, 0.1, 2)) for node in range(40)}  # type: ignore[misc]
    roads: Roads = [(node, node + 1, float(draw.integers(1, 900))) for node in range(39)]
    roads += [(int(a), int(b), 77.0) for a, b in draw.integers(0, 40, (20, 2)) if a != b]
    first, _ = assemble(node_table(places), road_table(roads), source="the test")
    shuffled_places = {node: places[node] for node in draw.permutation(40).tolist()}
    shuffled_roads: Roads = [(roads[i][1], roads[i][0], roads[i][2]) for i in draw.permutation(len(roads))]
    second, _ = assemble(node_table(shuffled_places), road_table(shuffled_roads), source="another name")
    assert first.checksum == second.checksum


def test_the_tables_are_not_written_to() -> None:
    roads = road_table([(1, 2, 0.0)])
    with pytest.warns(DataWarning):
        assemble(node_table(line_of_places(2)), roads, source="the test")
    assert roads.length_m.tolist() == [0.0]


@given(
    st.integers(2, 12),
    st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(1, 50), st.booleans()), min_size=1, max_size=40
    ),
)
def test_arcs_are_those_of_a_dictionary_filled_by_hand(count: int, drawn: list[tuple[int, int, int, bool]]) -> None:
    roads = [(tail % count, head % count, length, single) for tail, head, length, single in drawn]
    expected: dict[tuple[int, int], int] = {}
    for tail, head, length, single in roads:
        for arc in [(tail, head)] if single else [(tail, head), (head, tail)]:
            if tail != head:
                expected[arc] = min(length, expected.get(arc, length))
    reach = {node: {node} for node in range(count)}
    for _ in range(count):
        for tail, head in expected:
            reach[tail] |= reach[head]
    parts = [{other for other in reach[node] if node in reach[other]} for node in range(count)]
    largest = max(parts, key=len)

    places = {node: (0.01 * node, 0.02 * (node % 3)) for node in range(count)}
    tables = node_table(places), road_table([road[:3] for road in roads], [road[3] for road in roads])
    if 2 * len(largest) <= count or not expected:
        with pytest.raises(DataError, match=r"is a disconnected graph|no road between two different nodes"):
            assemble(*tables, source="the test")
    else:
        network, report = assemble(*tables, source="the test")
        kept = {arc: length for arc, length in expected.items() if set(arc) <= largest}
        assert lengths_by_id(network) == kept
        assert report.nodes + report.nodes_dropped == count


def one_road(**changes: object) -> tuple[NodeTable, RoadTable]:
    """1 --100-- 2 with some columns replaced."""
    nodes = {"ids": np.array([1, 2]), "longitude_deg": np.array([0.0, 0.001]), "latitude_deg": np.zeros(2)}
    roads = {"tail": np.array([1]), "head": np.array([2]), "length_m": np.array([100.0])}
    nodes |= {name: np.array(value) for name, value in changes.items() if name in nodes}
    roads |= {name: np.array(value) for name, value in changes.items() if name not in nodes}
    return NodeTable(**nodes), RoadTable(**roads)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"longitude_deg": [0.0, np.nan]}, "streets: node 2 has longitude nan; expected degrees .* from -180 to 180"),
        ({"latitude_deg": [np.inf, 0.0]}, "streets: node 1 has latitude inf; expected degrees .* from -90 to 90"),
        ({"latitude_deg": [0.0, 110.35]}, "streets: node 2 has latitude 110.35; expected degrees"),
        ({"longitude_deg": [0.0, 150.0]}, "streets: longitude .* cannot be projected to EPSG:32643"),
        ({"ids": [7, 7]}, "streets has 2 nodes with id 7; expected unique ids"),
        ({"ids": []}, "streets has 0 node ids, 2 longitudes and 2 latitudes"),
        ({"ids": [], "longitude_deg": [], "latitude_deg": []}, "streets has no nodes; expected at least two"),
        (
            {"head": [3]},
            "streets has a road from node 1 to node 3, but no node 3; expected both ends among its 2 nodes",
        ),
        ({"length_m": [-5.0]}, "streets has a road of -5 m from node 1 to node 2; expected a length of 0 to"),
        ({"length_m": [np.inf]}, "streets has a road of inf m from node 1 to node 2; expected a length of 0 to"),
        ({"length_m": [1.0, 2.0]}, "streets has columns of different lengths in its road table"),
        ({"oneway": [True, False]}, "streets has columns of different lengths in its road table"),
        (
            {"tail": np.zeros(0, int), "head": np.zeros(0, int), "length_m": []},
            "streets has no roads; expected at least",
        ),
        ({"head": [1]}, "streets has no road between two different nodes; expected at least one"),
        (
            {"oneway": [True]},
            "streets is a disconnected graph: of its 2 nodes the largest connected part holds only 1, the rest is in 1 "
            "other parts; expected one part with more than half",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        assemble(*one_road(**changes), source="streets")


def test_a_graph_in_two_equal_halves_is_refused_and_one_node_more_decides() -> None:
    """1 - 2 - 3    4 - 5 - 6: neither half is the city. With 3 - 7 one is."""
    roads: Roads = [(1, 2, 9), (2, 3, 9), (4, 5, 9), (5, 6, 9)]
    with pytest.raises(
        DataError, match="is a disconnected graph: of its 6 nodes the largest connected part holds only 3"
    ):
        assemble(node_table(line_of_places(6)), road_table(roads), source="the test")
    network, _ = assemble(node_table(line_of_places(7)), road_table([*roads, (3, 7, 9)]), source="the test")
    assert sorted(network.node_ids.tolist()) == [1, 2, 3, 7]


def test_nothing_is_said_when_nothing_is_wrong() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assemble(*one_road(), source="streets")
