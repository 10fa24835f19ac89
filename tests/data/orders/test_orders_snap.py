"""Orders put on the nodes of a street (see order_worlds.py): nodes 0, 1 and 2 at 0, 1,000 and 2,000 m."""

from pathlib import Path

import numpy as np
import pytest
from order_worlds import MIDNIGHT, gcj02, street, wgs84

from crowdgym.common.errors import DataError
from crowdgym.data.orders.raw import NO_NODE, Coordinates, NodeIds, RawOrders
from crowdgym.data.orders.read import OrderOptions
from crowdgym.data.orders.snap import order_stream, snap
from crowdgym.data.orders.snapper import NOWHERE, Snapper
from crowdgym.data.roads.assemble import NodeTable

NOON = int(np.datetime64("2016-11-01T12:00:00", "s").astype(int))


def places(*east_north_m: tuple[float, float]) -> Coordinates:
    degrees = np.array([wgs84(*place) for place in east_north_m])
    return Coordinates(degrees[:, 0], degrees[:, 1])


def orders(origin: Coordinates | NodeIds, destination: Coordinates | NodeIds | None = None, **other: list) -> RawOrders:
    count = len(origin)
    return RawOrders(
        time_s=np.array(other.get("time_s", [NOON] * count), np.int64),
        origin=origin,
        destination=destination if destination is not None else origin,
        key=np.array(other.get("key", [0] * count), np.uint64),
    )


def test_a_place_goes_to_the_nearest_node_and_the_distance_is_reported() -> None:
    raw = orders(places((30, 40), (1000, -120), (1450, 0), (2000, 0)), places((0, 0), (2010, 0), (0, 0), (1, 0)))

    stream, report = snap(raw, street())

    assert stream.origin.tolist() == [0, 1, 1, 2]
    assert stream.destination.tolist() == [0, 2, 0, 0]
    assert report.origin.places == 4
    assert report.origin.median_m == pytest.approx((50 + 120) / 2, abs=0.01)
    assert report.origin.p90_m == pytest.approx(120 + 0.7 * (450 - 120), abs=0.01)
    assert report.origin.max_m == pytest.approx(450, abs=0.01)
    assert report.destination.max_m == pytest.approx(10, abs=0.01)


def test_a_pick_up_too_far_from_any_node_is_left_out_and_counted() -> None:
    raw = orders(places((0, 99.9), (0, 100.1), (90_000, 0), (0, 0)), places((0, 0), (0, 0), (0, 0), (0, 5000)))

    stream, report = snap(raw, street(), max_snap_m=100)

    assert stream.origin.tolist() == [0, 0]
    assert stream.destination.tolist() == [0, -1]
    assert report.orders == 4
    assert report.unusable == {"too far from any road": 2}
    assert report.without_destination == {"too far from any road": 1}
    assert report.origin.max_m == pytest.approx(99.9, abs=0.01)


def test_a_place_exactly_as_far_as_is_allowed_is_not_too_far() -> None:
    place = places((0, 60))
    east_m, north_m = Snapper(street(), 1000)._points(place)[0] - (street().x_m[0], street().y_m[0])
    distance_m = float(np.sqrt(east_m**2 + north_m**2))

    stream, _ = snap(orders(place), street(), max_snap_m=distance_m)

    assert stream.origin.tolist() == [0]
    with pytest.raises(DataError):
        snap(orders(place), street(), max_snap_m=np.nextafter(distance_m, 0))


def test_node_ids_are_those_of_the_source_and_unknown_ones_are_counted() -> None:
    raw = orders(NodeIds(np.array([9, 7, 70, 8])), NodeIds(np.array([7, 3, 7, NO_NODE])))

    stream, report = snap(raw, street())

    assert stream.origin.tolist() == [2, 0, 1]
    assert stream.destination.tolist() == [0, -1, -1]
    assert report.unusable == {"unknown node": 1}
    assert report.without_destination == {"unknown node": 1}
    assert report.origin.places == 0


def test_a_node_that_the_network_lacks_stands_for_the_nearest_one_unless_that_is_too_far() -> None:
    """Nodes 5 and 6 of the source are left out, at 2,100 m and 90,000 m."""
    at = places((2100, 0), (90_000, 0))
    left_out = NodeTable(np.array([5, 6]), at.longitude_deg, at.latitude_deg)
    found = Snapper(street(), 1000, left_out).snapped(NodeIds(np.array([6, 5, 7, 70])))

    assert found.node.tolist() == [NOWHERE, 2, 0, NOWHERE]
    assert found.moved_m[1] == pytest.approx(100, abs=0.01)
    assert np.isnan(found.moved_m[[0, 2, 3]]).all()
    assert found.from_left_out.tolist() == [False, True, False, False]
    assert found.reasons.counts() == {"too far from any road": 1, "unknown node": 1}


def test_a_place_that_is_nearer_to_a_node_that_the_network_lacks_is_counted() -> None:
    at = places((2100, 0))
    left_out = NodeTable(np.array([5]), at.longitude_deg, at.latitude_deg)
    found = Snapper(street(), 1000, left_out).snapped(places((2040, 0), (2060, 0), (90_000, 0)))

    assert found.node.tolist() == [2, 2, NOWHERE]
    assert found.from_left_out.tolist() == [False, True, False]  # the middle is at 2,050 m


def test_of_orders_with_the_same_id_time_and_places_the_first_is_kept() -> None:
    raw = orders(NodeIds(np.array([7, 70, 8, 8, 9, 9])), key=[5, 6, 6, 6, 0, 0])

    stream, report = snap(raw, street())

    assert stream.origin.tolist() == [0, 1, 2, 2]
    assert report.unusable == {"unknown node": 1, "repeated order": 1}


@pytest.mark.parametrize(
    "other", [{"time_s": [NOON, NOON + 1]}, {"origin": [7, 8]}, {"destination": [7, 9]}, {"destination": [7, NO_NODE]}]
)
def test_orders_that_share_an_id_and_differ_otherwise_are_kept_and_counted(other: dict) -> None:
    origin, destination = other.pop("origin", [7, 7]), other.pop("destination", [7, 7])
    raw = orders(NodeIds(np.array(origin)), NodeIds(np.array(destination)), key=[5, 5], **other)

    stream, report = snap(raw, street())

    assert len(stream) == 2
    assert report.unusable == {}
    assert report.shared_ids == 1


def test_the_stream_is_sorted_by_time_ties_as_in_the_source_and_counts_from_its_first_midnight() -> None:
    raw = orders(NodeIds(np.array([7, 8, 9, 7])), time_s=[NOON + 86_400, NOON, NOON, NOON - 5])

    stream, report = snap(raw, street())

    assert stream.time_s.tolist() == [43_195, 43_200, 43_200, 43_200 + 86_400]
    assert stream.origin.tolist() == [0, 1, 2, 0]
    assert report.first_day == "2016-11-01"
    assert (stream.time_s.dtype, stream.origin.dtype, stream.destination.dtype) == (np.int64, np.int32, np.int32)


def test_orders_of_another_city_are_refused_with_the_box_that_was_expected() -> None:
    paris = Coordinates(np.array([2.35]), np.array([48.85]))

    with pytest.raises(DataError, match=r"none of the 1 orders of x\.csv can be put on the roads \(1 too far.*104\.07"):
        snap(orders(paris), street(), source="x.csv")


@pytest.mark.parametrize("max_snap_m", [0, -1, float("nan")])
def test_a_largest_distance_that_is_not_positive_is_refused(max_snap_m: float) -> None:
    with pytest.raises(DataError, match=r"--max-snap-m is .*; expected a distance in metres greater than 0"):
        snap(orders(NodeIds(np.array([7]))), street(), max_snap_m=max_snap_m)


def test_files_of_several_formats_become_one_stream_and_every_row_is_accounted_for(tmp_path: Path) -> None:
    chengdu, table = tmp_path / "a.txt", tmp_path / "b.csv"
    chengdu.write_text(
        "".join(
            f"{order},{time},{MIDNIGHT + 99},{origin},{gcj02(2000)}\n"
            for order, time, origin in [
                ("one", MIDNIGHT + 60, gcj02(0)),
                ("two", "never", gcj02(0)),
                ("three", MIDNIGHT + 61, gcj02(5000)),
                ("one", MIDNIGHT + 60, gcj02(0)),
            ]
        )
    )
    table.write_text("order_id,time,origin_id\nfour,2016-11-01 00:00:30,8\nfour,2016-11-01 00:00:30,8\nfive,,8\n")
    gps = tmp_path / "c.txt"
    gps.write_text(f"d,six,{MIDNIGHT + 20},{gcj02(1000)}\n")
    more_gps = tmp_path / "d.txt"
    more_gps.write_text(f"d,six,{MIDNIGHT + 90},{gcj02(0)}\n")

    stream, report = order_stream(street(), [tmp_path / "*.*"])

    assert stream.time_s.tolist() == [20, 30, 60]
    assert stream.origin.tolist() == [1, 1, 0]
    assert stream.destination.tolist() == [0, -1, 2]  # the trajectory goes on in the second file
    assert [source.order_format for source in report.sources] == ["gaia-chengdu", "table", "gaia-gps", "gaia-gps"]
    assert [source.read.rows for source in report.sources] == [4, 3, 1, 1]
    assert [source.read.orders for source in report.sources] == [3, 2, 1, 0]
    assert report.unusable == {"repeated order": 2, "bad time": 1, "missing time": 1, "too far from any road": 1}
    assert report.rows == 9 == len(stream) + 1 + sum(report.unusable.values())  # two rows make one trajectory


def test_one_empty_file_among_many_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,origin_id\n2016-11-01,7\n")
    (tmp_path / "b.csv").write_text("")

    with pytest.raises(DataError, match=r"b\.csv is empty"):
        order_stream(street(), [tmp_path / "*.csv"])


def test_progress_is_told_by_file_and_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,origin_id\n2016-11-01,7\n2016-11-01,7\n")
    told: list[tuple[str, int]] = []

    order_stream(
        street(), [tmp_path / "a.csv"], OrderOptions(), progress=lambda path, rows: told.append((path.name, rows))
    )

    assert told == [("a.csv", 2)]
