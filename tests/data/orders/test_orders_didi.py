"""The three formats in which DiDi's GAIA initiative gives orders."""

from pathlib import Path

import numpy as np
import pytest
from order_worlds import MIDNIGHT, gcj02, wgs84

from crowdgym.data.orders.raw import Coordinates
from crowdgym.data.orders.read import OrderOptions, read_orders

DAY = int(np.datetime64("2016-11-01").astype("datetime64[s]").astype(int))  # local seconds of its midnight
HAIKOU = (
    *("order_id", "product_id", "city_id", "district", "county", "type"),
    *("combo_type", "traffic_type", "passenger_count", "driver_product_id", "start_dest_distance", "arrive_time"),
    *("departure_time", "pre_total_fee", "normal_time", "bubble_trace_id", "product_1level", "dest_lng"),
    *("dest_lat", "starting_lng", "starting_lat", "year", "month", "day"),
)


def chengdu_row(order: str, start: int | str, origin: str = "", destination: str = "", more: str = "") -> str:
    return f"{order},{start},{MIDNIGHT + 9000},{origin or gcj02(0)},{destination or gcj02(1000)}{more}\n"


def haikou_text(*orders: dict[str, str], prefix: str = "dwv_order_make_haikou_1.", mark: str = "\t") -> str:
    lines = [mark.join(prefix + name for name in HAIKOU)]
    lines += [mark.join(order.get(name, "0") for name in HAIKOU) for order in orders]
    return "\n".join(lines) + "\n"


def haikou_order(number: int, **other: str) -> dict[str, str]:
    longitude, latitude = gcj02(0).split(",")
    to_longitude, to_latitude = gcj02(2000).split(",")
    usual = {
        "order_id": str(number),
        "arrive_time": "2017-05-19 01:09:12",
        "departure_time": "2017-05-19 01:05:19",
        "starting_lng": longitude,
        "starting_lat": latitude,
        "dest_lng": to_longitude,
        "dest_lat": to_latitude,
    }
    return {**usual, **other}


def write(folder: Path, text: str, name: str = "orders.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def assert_places(places: object, *expected: tuple[float, float]) -> None:
    assert isinstance(places, Coordinates)
    found = np.column_stack([places.longitude_deg, places.latitude_deg])
    assert found == pytest.approx(np.array(expected), abs=2e-7, nan_ok=True)


def test_chengdu_unix_seconds_become_the_local_clock_and_gcj02_becomes_wgs84(tmp_path: Path) -> None:
    path = write(tmp_path, chengdu_row("a1", MIDNIGHT + 8 * 3600) + chengdu_row("b2", MIDNIGHT + 5, gcj02(500)))

    orders, report = read_orders(path)

    assert (orders.time_s - DAY).tolist() == [8 * 3600, 5]
    assert_places(orders.origin, wgs84(0), wgs84(500))
    assert_places(orders.destination, wgs84(1000), wgs84(1000))
    assert (report.rows, report.usable_rows, report.orders, report.unusable) == (2, 2, 2, {})


def test_the_eighth_column_of_the_kdd_cup_edition_does_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path, chengdu_row("a1", MIDNIGHT, more=",3.49") + chengdu_row("b2", MIDNIGHT, more=",0.1"))

    assert len(read_orders(path)[0]) == 2


def test_the_clock_of_the_city_is_a_parameter(tmp_path: Path) -> None:
    path = write(tmp_path, chengdu_row("a1", MIDNIGHT + 8 * 3600))

    orders, _ = read_orders(path, OrderOptions(time_zone="UTC"))

    assert (orders.time_s - DAY).tolist() == [0]


def test_chengdu_rows_that_cannot_be_used_are_counted_by_reason(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        chengdu_row("good", MIDNIGHT)
        + chengdu_row("no time", "")
        + chengdu_row("bad time", "soon")
        + chengdu_row("ancient", 5)
        + chengdu_row("milliseconds", f"{MIDNIGHT}000")
        + chengdu_row("no place", MIDNIGHT, ",")
        + chengdu_row("half a place", MIDNIGHT, "104.07,")
        + chengdu_row("words", MIDNIGHT, "east,north")
        + chengdu_row("swapped", MIDNIGHT, "30.66,104.07")
        + chengdu_row("zero", MIDNIGHT, "0,0")
        + chengdu_row("infinite", MIDNIGHT, "inf,30.66")
        + "too,short\n"
        + chengdu_row("too long", MIDNIGHT, more=",1,2,3"),
    )

    orders, report = read_orders(path)

    assert (orders.time_s - DAY).tolist() == [0, 0]  # the second in milliseconds
    assert report.unusable == {
        "bad time": 2,
        "coordinates out of range": 2,
        "latitude and longitude swapped": 1,
        "missing coordinates": 2,
        "wrong number of columns": 2,
        "missing time": 1,
        "coordinates not numbers": 1,
    }
    assert report.rows == 13 == report.usable_rows + sum(report.unusable.values())


def test_an_order_whose_destination_cannot_be_used_is_kept_without_it(tmp_path: Path) -> None:
    path = write(tmp_path, chengdu_row("a", MIDNIGHT) + chengdu_row("b", MIDNIGHT, "", "0,0") + chengdu_row("c", "x"))

    orders, report = read_orders(path)

    assert orders.destination.given.tolist() == [True, False]
    assert report.without_destination == {"coordinates out of range": 1}
    assert report.unusable == {"bad time": 1}


@pytest.mark.parametrize(("prefix", "mark"), [("dwv_order_make_haikou_7.", "\t"), ("", "\t"), ("t.", ",")])
def test_haikou_is_read_by_its_header_with_any_prefix_and_the_pick_up_after_the_drop_off(
    tmp_path: Path, prefix: str, mark: str
) -> None:
    path = write(tmp_path, haikou_text(haikou_order(1), haikou_order(2), prefix=prefix, mark=mark))

    orders, report = read_orders(path)

    assert orders.time_s.tolist() == [np.datetime64("2017-05-19T01:05:19", "s").astype(int)] * 2
    assert_places(orders.origin, wgs84(0), wgs84(0))
    assert_places(orders.destination, wgs84(2000), wgs84(2000))
    assert report.rows == 2


def test_haikou_without_its_header_is_known_by_its_24_columns(tmp_path: Path) -> None:
    text = haikou_text(haikou_order(1), haikou_order(2)).split("\n", 1)[1]

    orders, report = read_orders(write(tmp_path, text))

    assert report.rows == 2
    assert_places(orders.origin, wgs84(0), wgs84(0))


def test_haikou_zero_dates_are_missing_times_and_bad_coordinates_are_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        haikou_text(
            haikou_order(1, arrive_time="0000-00-00 00:00:00"),  # this time is not needed
            haikou_order(2, departure_time="0000-00-00 00:00:00"),
            haikou_order(3, departure_time=""),
            haikou_order(4, departure_time="2017-13-41 00:00:00"),
            haikou_order(5, starting_lng="0.0", starting_lat="0.0"),
            haikou_order(6, starting_lng="NULL"),
            haikou_order(7, starting_lat="\\N"),
        ),
    )

    orders, report = read_orders(path)

    assert len(orders) == 1
    assert report.unusable == {
        "missing time": 2,
        "missing coordinates": 2,
        "bad time": 1,
        "coordinates out of range": 1,
    }


def test_the_first_point_of_a_trajectory_is_the_pick_up_and_the_last_the_drop_off(tmp_path: Path) -> None:
    """Two orders of one driver, their points mixed and not in the order of time."""
    rows = [("A", 60, 500), ("A", 0, 0), ("B", 30, 2000), ("A", 120, 1000), ("B", 90, 1500)]
    text = "".join(f"driver,{order},{MIDNIGHT + time},{gcj02(east)}\n" for order, time, east in rows)

    orders, report = read_orders(write(tmp_path, text))

    assert (orders.time_s - DAY).tolist() == [0, 30]
    assert_places(orders.origin, wgs84(0), wgs84(2000))
    assert_places(orders.destination, wgs84(1000), wgs84(1500))
    assert (report.rows, report.usable_rows, report.orders) == (5, 5, 2)


def test_points_that_cannot_be_used_are_counted_and_an_order_of_one_point_has_no_destination(tmp_path: Path) -> None:
    text = (
        f"d,A,{MIDNIGHT},{gcj02(0)}\n"
        f"d,A,,{gcj02(500)}\n"
        f"d,A,{MIDNIGHT + 9},0,0\n"
        f"d,,{MIDNIGHT},{gcj02(0)}\n"
        f"d,B,{MIDNIGHT + 3},{gcj02(0)}\n"
        f"d,B,{MIDNIGHT + 4},{gcj02(1000)}\n"
    )

    orders, report = read_orders(write(tmp_path, text))

    assert len(orders) == 2
    assert orders.destination.given.tolist() == [False, True]
    assert report.without_destination == {"trajectory of one point": 1}
    assert report.unusable == {"missing time": 1, "coordinates out of range": 1, "missing order id": 1}


def test_a_compressed_file_is_read_as_it_is(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(chengdu_row("a1", MIDNIGHT).encode()))

    assert len(read_orders(path)[0]) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_understood(tmp_path: Path, end: str) -> None:
    path = tmp_path / "orders.csv"
    text = chengdu_row("a1", MIDNIGHT) + "\n" + chengdu_row("b2", MIDNIGHT).rstrip("\n")
    path.write_bytes(text.replace("\n", end).encode())

    assert read_orders(path)[1].rows == 2


def test_a_file_in_many_pieces_gives_what_it_gives_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [gcj02(east) for east in range(0, 2000, 5)]
    chengdu = write(tmp_path, "".join(chengdu_row(str(i), MIDNIGHT + i, place) for i, place in enumerate(places)))
    points = "".join(f"d,{i % 40},{MIDNIGHT + i},{place}\n" for i, place in enumerate(places))
    gps = write(tmp_path, points, "gps.txt")
    whole = [read_orders(path) for path in (chengdu, gps)]

    monkeypatch.setattr("crowdgym.data.orders.tables.PIECE_BYTES", 2000)
    monkeypatch.setattr("crowdgym.data.orders.trajectories.MAX_PARTS", 50)

    for path, (orders, report) in zip((chengdu, gps), whole, strict=True):
        pieced, pieced_report = read_orders(path)
        assert pieced_report == report
        assert np.array_equal(pieced.time_s, orders.time_s)
        assert np.array_equal(pieced.key, orders.key)
        assert_places(pieced.origin, *zip(orders.origin.longitude_deg, orders.origin.latitude_deg, strict=True))
        assert_places(
            pieced.destination, *zip(orders.destination.longitude_deg, orders.destination.latitude_deg, strict=True)
        )
