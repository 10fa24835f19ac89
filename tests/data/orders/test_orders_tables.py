"""Any other table: its columns told by their names, or named."""

from pathlib import Path

import numpy as np
import pytest
from order_worlds import MIDNIGHT, gcj02, wgs84

from crowdgym.common.errors import DataError
from crowdgym.data.orders.formats import OrderColumns
from crowdgym.data.orders.raw import NO_NODE, Coordinates, NodeIds
from crowdgym.data.orders.read import OrderOptions, read_orders

DAY = int(np.datetime64("2016-11-01").astype("datetime64[s]").astype(int))
WGS84 = OrderOptions(crs="wgs84")


def write(folder: Path, text: str) -> Path:
    path = folder / "orders.csv"
    path.write_text(text)
    return path


def seconds(path: Path, options: OrderOptions = WGS84) -> list[int]:
    return [int(time) for time in read_orders(path, options)[0].time_s - DAY]


def test_node_ids_are_read_as_they_are_from_the_hourly_files_of_haikou(tmp_path: Path) -> None:
    """The prefix of DiDi's export stands before some of the names; ids may look like decimal numbers."""
    text = (
        ",dwv_order_make_haikou_1.order_id,dwv_order_make_haikou_1.departure_time,O_location,origin_id,destination_id\n"
        "0,175,2016-11-01 08:31:15,7.0,7,9\n"
        "1,176,2016-11-01 08:00:00,8.0,8.0,\n"
        "2,177,2016-11-01 08:00:00,8.0,,9\n"
    )

    orders, report = read_orders(write(tmp_path, text))

    assert isinstance(orders.origin, NodeIds)
    assert isinstance(orders.destination, NodeIds)
    assert orders.origin.node_id.tolist() == [7, 8]
    assert orders.destination.node_id.tolist() == [9, NO_NODE]
    assert (orders.time_s - DAY).tolist() == [8 * 3600 + 31 * 60 + 15, 8 * 3600]
    assert report.unusable == {"missing node": 1}
    assert report.without_destination == {"missing node": 1}


@pytest.mark.parametrize(
    "header",
    [
        "pickup_time,pickup_lng,pickup_lat,dropoff_lng,dropoff_lat",
        "timestamp,origin_longitude,origin_latitude,destination_longitude,destination_latitude",
        "Departure_Time,start_lon,start_lat,end_lon,end_lat",
        "ts,lng,lat,to_lng,to_lat",
    ],
)
def test_usual_names_are_understood(tmp_path: Path, header: str) -> None:
    origin, destination = wgs84(10), wgs84(990)
    row = ",".join(map(str, ["2016-11-01 00:00:07", *origin, *destination]))

    orders, _ = read_orders(write(tmp_path, f"{header}\n{row}\n"), WGS84)

    assert orders.time_s.tolist() == [DAY + 7]
    assert isinstance(orders.origin, Coordinates)
    assert (orders.origin.longitude_deg[0], orders.origin.latitude_deg[0]) == pytest.approx(origin, abs=1e-9)
    assert isinstance(orders.destination, Coordinates)
    assert (orders.destination.longitude_deg[0], orders.destination.latitude_deg[0]) == pytest.approx(destination)


def test_coordinates_in_gcj02_are_converted_when_that_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, f"time,lng,lat\n{MIDNIGHT},{gcj02(500)}\n")

    orders, _ = read_orders(path, OrderOptions(crs="gcj02"))

    assert isinstance(orders.origin, Coordinates)
    assert (orders.origin.longitude_deg[0], orders.origin.latitude_deg[0]) == pytest.approx(wgs84(500), abs=2e-7)


def test_coordinates_in_a_table_are_refused_until_their_system_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, f"time,lng,lat\n{MIDNIGHT},104.07,30.66\n")

    with pytest.raises(DataError, match=r"orders\.csv has coordinates.*expected --crs wgs84 .*--crs gcj02 "):
        read_orders(path)


def test_columns_are_named_and_other_names_do_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path, 'when,note,"from, x",from_y\n2016-11-01 00:00:09,"a, b",104.07,30.66\n')
    columns = OrderColumns(time="when", origin_lng="from, x", origin_lat="from_y")

    orders, _ = read_orders(path, OrderOptions(columns=columns, crs="wgs84"))

    assert orders.time_s.tolist() == [DAY + 9]
    assert orders.destination.given.tolist() == [False]


def test_columns_without_a_header_are_numbered_from_one(tmp_path: Path) -> None:
    path = tmp_path / "tasks.txt"
    path.write_bytes(b"3,30.66,104.07,60,9809,1.56,9.12\r7,30.67,104.08,3600,1955,1.85,9.71\r")
    columns = OrderColumns(time="4", origin_lng="3", origin_lat="2", order_id="1")

    orders, report = read_orders(path, OrderOptions(columns=columns, crs="wgs84", times="seconds-of-day"))

    assert orders.time_s.tolist() == [60, 3600]
    assert isinstance(orders.origin, Coordinates)
    assert orders.origin.longitude_deg.tolist() == [104.07, 104.08]
    assert report.rows == 2


def test_a_first_line_with_a_number_in_it_is_a_header_if_a_named_column_stands_there(tmp_path: Path) -> None:
    path = write(tmp_path, "0,when,node\n5,2016-11-01 00:00:01,7\n6,2016-11-01 00:00:02,8\n")

    assert seconds(path, OrderOptions(columns=OrderColumns(time="when", origin_node="node"))) == [1, 2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{MIDNIGHT + 61}", 61),
        (f"{MIDNIGHT + 61}.75", 61),
        ("2016-11-01 00:01:01", 61),
        ("2016-11-01T00:01:01", 61),
        ("2016-11-01 00:01:01.999", 61),
        ("2016-10-31T16:01:01Z", 61),
        ("2016-11-01T02:01:01+10:00", 61),
        ("2016-10-31 11:01:01-0500", 61),
        ("2016/11/1 0:01", 60),
        (" 2016-11-01 00:01 ", 60),
        ("2016-11-01", 0),
    ],
)
def test_times_are_unix_seconds_or_text_with_or_without_a_zone(tmp_path: Path, text: str, expected: int) -> None:
    """A row of another kind stands beside it, so that no column is of one kind only."""
    path = write(tmp_path, f"time,origin_id\n{text},7\n2016-11-01 00:00:05,7\n")

    assert seconds(path, OrderOptions(time_zone="Asia/Shanghai")) == [expected, 5]


@pytest.mark.parametrize("text", ["08:31", "yesterday", "2016-11-31 00:00:00", "20161101000101", "3000-01-01", "-5"])
def test_what_is_no_time_is_a_bad_time(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, f"time,origin_id\n{text},7\n2016-11-01 00:00:05,7\n")

    assert read_orders(path)[1].unusable == {"bad time": 1}


def test_seconds_of_day_end_with_a_year(tmp_path: Path) -> None:
    path = write(tmp_path, f"time,origin_id\n5,7\n-1,7\n{367 * 86_400},7\n")

    orders, report = read_orders(path, OrderOptions(times="seconds-of-day"))

    assert orders.time_s.tolist() == [5]
    assert report.unusable == {"bad time": 2}


def test_parquet_is_read_with_the_types_that_it_has(tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "orders.parquet"
    times = pd.to_datetime(["2016-11-01 00:00:09", None])
    pd.DataFrame({"pickup_time": times, "origin_id": [7, 8], "destination_id": [9.0, np.nan]}).to_parquet(path)

    orders, report = read_orders(path)

    assert orders.time_s.tolist() == [DAY + 9]
    assert isinstance(orders.destination, NodeIds)
    assert orders.destination.node_id.tolist() == [9]
    assert report.unusable == {"missing time": 1}


def test_parquet_times_with_a_zone_become_the_local_clock(tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "orders.parquet"
    times = pd.to_datetime([MIDNIGHT + 9], unit="s", utc=True)
    pd.DataFrame({"time": times, "lng": [104.07], "lat": [30.66]}).to_parquet(path)

    assert seconds(path, OrderOptions(crs="wgs84", time_zone="+08:00")) == [9]
    assert seconds(path) == [9 - 8 * 3600]  # the zone in the data is UTC


@pytest.mark.parametrize("mark", ["\t", ";", "|"])
def test_other_signs_between_columns_are_understood(tmp_path: Path, mark: str) -> None:
    text = "time,origin_id\n2016-11-01 00:00:09,7\n".replace(",", mark)

    assert seconds(write(tmp_path, text)) == [9]


def test_the_names_of_places_may_be_in_any_encoding_if_nobody_needs_them(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("time,地点,origin_id\n2016-11-01 00:00:09,海口,7\n".encode("gb18030"))

    assert seconds(path) == [9]


def test_orders_without_ids_have_no_key_and_equal_ids_have_equal_keys(tmp_path: Path) -> None:
    path = write(tmp_path, "order_id,time,origin_id\na,2016-11-01,7\na,2016-11-01,7\nb,2016-11-01,7\n,2016-11-01,7\n")

    key = read_orders(path)[0].key

    assert key[0] == key[1] != key[2]
    assert key[3] == 0
