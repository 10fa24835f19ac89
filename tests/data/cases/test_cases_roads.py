"""Roads that were misread in silence: units of lengths, one-way roads, nodes that cannot be left or reached."""

from pathlib import Path

import pytest
from square import CORNERS, lengths_by_id, roads, sides, stream_of

from crowdgym.common.errors import DataError
from crowdgym.data.build import check_lengths
from crowdgym.data.orders.read import OrderOptions
from crowdgym.data.orders.snap import order_stream
from crowdgym.data.roads.lengths import unit_of_name
from crowdgym.data.roads.tables import RoadColumns, RoadTableOptions

FACTORS = {"km": 1e-3, "mi": 1 / 1609.344, "ft": 1 / 0.3048}
BOTH = {(1, 2): 215, (2, 1): 215, (2, 3): 222, (3, 2): 222, (3, 4): 215, (4, 3): 215, (4, 1): 222, (1, 4): 222}


@pytest.mark.parametrize("unit", FACTORS)
def test_lengths_in_another_unit_are_refused_with_the_unit_that_fits(tmp_path: Path, unit: str) -> None:
    _, report = roads(tmp_path, sides(FACTORS[unit]))

    with pytest.raises(DataError, match=rf"straight line between their ends; which unit .* --length-unit {unit} would"):
        check_lengths(report)


@pytest.mark.parametrize("unit", FACTORS)
def test_a_unit_that_is_named_is_read_and_said(tmp_path: Path, unit: str) -> None:
    network, report = roads(tmp_path, sides(FACTORS[unit]), options=RoadTableOptions(length_unit=unit))

    check_lengths(report)
    assert lengths_by_id(network) == BOTH
    assert f"read the lengths in length as {unit}" in report.lines()


@pytest.mark.parametrize("unit", FACTORS)
def test_a_unit_in_the_header_is_read(tmp_path: Path, unit: str) -> None:
    network, _ = roads(tmp_path, sides(FACTORS[unit]), f"from_node_id,to_node_id,length_{unit}")

    assert lengths_by_id(network) == BOTH


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("Length (mi)", "mi"),
        ("length_miles", "mi"),
        ("len.feet", "ft"),
        ("DIST_KM", "km"),
        ("length", None),
        ("km", None),
    ],
)
def test_units_in_names_of_columns(column: str, unit: str | None) -> None:
    assert unit_of_name(column) == unit


def test_the_configuration_of_gmns_names_the_unit(tmp_path: Path) -> None:
    (tmp_path / "config.csv").write_text("dataset_name,short_length,long_length,speed\nx,feet,miles,mph\n")

    network, report = roads(tmp_path, sides(FACTORS["mi"]))

    assert lengths_by_id(network) == BOTH
    assert "read the lengths in length as mi" in report.lines()


def test_metres_that_are_named_are_believed_and_doubted_aloud(tmp_path: Path) -> None:
    _, report = roads(tmp_path, sides(1e-3), options=RoadTableOptions(length_unit="m"))

    check_lengths(report)
    assert report.lengths.doubt is not None
    assert "found 4 of 4 roads shorter than the straight line between their ends" in report.lines()


def test_nodes_with_swapped_coordinates_are_named_as_such(tmp_path: Path) -> None:
    """Far from the equator a degree east is shorter than a degree north: the sides no longer fit."""
    swapped = {node: (y, x) for node, (x, y) in CORNERS.items()}
    _, report = roads(tmp_path, places=swapped)
    beyond = {node: (y + 4, x + 94) for node, (x, y) in CORNERS.items()}

    assert report.lengths.shorter == 2
    with pytest.raises(DataError, match="are longitude and latitude swapped"):
        roads(tmp_path, places=beyond)


def test_places_in_metres_are_read_by_naming_their_system(tmp_path: Path) -> None:
    metres = {1: (571_666.4, 5_539_109.8), 2: (571_881.4, 5_539_112.7), 3: (571_878.5, 5_539_335.1)}
    network, report = roads(tmp_path, sides()[:2], places=metres, options=RoadTableOptions(crs="EPSG:32632"))

    check_lengths(report)
    assert network.crs == "EPSG:32632"
    assert lengths_by_id(network) == {arc: length for arc, length in BOTH.items() if 4 not in arc}


ONEWAY = [(1, 2, 214.8, 0), (2, 3, 222.4, 0), (3, 4, 214.8, 0), (4, 1, 222.4, 1)]


@pytest.mark.parametrize("name", ["oneway", "one_way", "directed"])
def test_a_one_way_column_under_a_known_header_is_used_and_said(tmp_path: Path, name: str) -> None:
    network, report = roads(tmp_path, ONEWAY, f"from_node_id,to_node_id,length,{name}")

    assert lengths_by_id(network) == {arc: length for arc, length in BOTH.items() if arc != (1, 4)}
    assert report.oneway_edges == 1
    assert report.lines()[1:] == [f"took one-way roads from {name}", "kept 4 nodes and 4 edges, 1 of them one-way"]


def test_one_way_roads_are_opened_if_asked_for(tmp_path: Path) -> None:
    header = "from_node_id,to_node_id,length,oneway"
    network, report = roads(tmp_path, ONEWAY, header, options=RoadTableOptions(directions="two-way"))

    assert lengths_by_id(network) == BOTH
    assert report.oneway_edges == 0


@pytest.mark.parametrize("back", [(), ((2, 1),), ((2, 1), (1, 4))])
def test_every_row_can_be_one_direction(tmp_path: Path, back: tuple[tuple[int, int], ...]) -> None:
    """A ring of four directions, and roads back."""
    rows = [*sides(), *((tail, head, BOTH[tail, head]) for tail, head in back)]
    network, report = roads(tmp_path, rows, options=RoadTableOptions(directions="arcs"))

    ring = {(1, 2): 215, (2, 3): 222, (3, 4): 215, (4, 1): 222}
    assert lengths_by_id(network) == ring | {arc: BOTH[arc] for arc in back}
    assert report.oneway_edges == 4 - len(back)


def test_rows_that_look_like_single_directions_are_pointed_out(tmp_path: Path) -> None:
    """Three of four roads have a row back."""
    rows = [*sides(), *((head, tail, length) for tail, head, length in sides()[:3])]
    _, report = roads(tmp_path, rows)

    assert "opened 1 roads both ways that no row leads back on (--arcs makes every row one direction)" in report.lines()


DEAD_END = {**CORNERS, 5: (10.006, 50.0)}
INTO = [(1, 2, 214.8, 0), (2, 3, 222.4, 0), (3, 4, 214.8, 0), (4, 1, 222.4, 0), (2, 5, 214.8, 1)]
ORDERS = ["2024-05-01 08:00:00,{}", "2024-05-01 08:01:00,{}", "2024-05-01 08:02:00,{}"]


@pytest.mark.parametrize(("tail", "head"), [(2, 5), (5, 2)])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("known_header", [True, False])
def test_orders_at_a_dead_end_are_moved_to_the_nearest_node_however_they_name_it(
    tmp_path: Path, tail: int, head: int, named: bool, known_header: bool
) -> None:
    columns = RoadColumns("node_id", "x_coord", "y_coord", "from_node_id", "to_node_id", "length", "oneway")
    options = None if known_header else RoadTableOptions(columns)
    rows = [*INTO[:4], (tail, head, 214.8, 1)]
    network, report = roads(tmp_path, rows, "from_node_id,to_node_id,length,oneway", DEAD_END, options)
    places = ["1", "5", "5"] if named else ["10.0,50.0", "10.006,50.0", "10.006,50.0"]
    path = tmp_path / "orders.csv"
    rows_of_orders = [row.format(place) for row, place in zip(ORDERS, places, strict=True)]
    path.write_text("\n".join([f"time,{'origin_node' if named else 'lng,lat'}", *rows_of_orders]) + "\n")

    stream, account = order_stream(network, [path], OrderOptions(crs="wgs84"), left_out=report.left_out)

    assert network.node_ids[stream.origin].tolist() == [1, 2, 2]
    assert account.unusable == {}
    assert account.snap.from_left_out == 2
    assert account.snap.origin.max_m == pytest.approx(215, abs=1)


@pytest.mark.parametrize(("place", "header"), [("5", "origin_node"), ("10.006,50.0", "lng,lat")])
def test_a_dead_end_too_far_from_the_rest_is_said_to_be_that(tmp_path: Path, place: str, header: str) -> None:
    network, report = roads(tmp_path, INTO, "from_node_id,to_node_id,length,oneway", DEAD_END)
    (tmp_path / "orders.csv").write_text(f"time,{header}\n2024-05-01 08:00:00,{place}\n")

    with pytest.raises(DataError, match=rf"1 too far from any road, such as {place.replace(',', ', ')}"):
        order_stream(
            network, [tmp_path / "orders.csv"], OrderOptions(crs="wgs84"), max_snap_m=100, left_out=report.left_out
        )


def test_a_node_that_is_nowhere_is_unknown_still(tmp_path: Path) -> None:
    _, report = stream_of(tmp_path, "2024-05-01 08:00:00,1", "2024-05-01 08:00:00,77", header="time,origin_node")

    assert report.unusable == {"unknown node": 1}
    assert report.examples == {"unknown node": "77"}
