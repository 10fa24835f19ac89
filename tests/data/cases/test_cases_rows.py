"""Rows that were lost or bent in silence: repeated ids, late quotes, encodings, decimal commas, swapped coordinates."""

import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from square import roads, stream_of

from crowdgym.common.errors import DataError
from crowdgym.data.orders.formats import OrderColumns
from crowdgym.data.orders.raw import WRONG_COLUMNS
from crowdgym.data.orders.read import OrderOptions
from crowdgym.data.orders.snap import order_stream

WGS84 = OrderOptions(crs="wgs84")
CLOCK = "2024-05-01 08:00:{:02d}"


def test_an_id_that_repeats_deletes_no_order(tmp_path: Path) -> None:
    rows = [f"{CLOCK.format(second)},{second + 1},{7 if second < 3 else 8}" for second in range(4)]

    orders, report = stream_of(tmp_path, *rows, header="time,origin_node,order_id")

    assert len(orders) == 4
    assert report.unusable == {}
    assert report.snap.shared_ids == 2


def test_ids_that_begin_anew_in_each_file_delete_no_order(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        rows = "".join(f"2024-05-0{day} 08:00:0{order},{order},{1 + order % 4}\n" for order in range(5))
        (tmp_path / f"day{day}.csv").write_text("time,order_id,origin_node\n" + rows)

    orders, report = order_stream(roads(tmp_path)[0], [tmp_path / "day*.csv"])

    assert len(orders) == 15
    assert report.snap.shared_ids == 10


def test_a_file_that_is_given_twice_is_read_once(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"time,order_id,origin_node\n{CLOCK.format(1)},1,1\n{CLOCK.format(2)},2,2\n")

    orders, report = order_stream(roads(tmp_path)[0], [tmp_path / "a.csv", tmp_path / "b.csv"])

    assert len(orders) == 2
    assert report.unusable == {"repeated order": 2}


def test_trajectories_whose_ids_begin_anew_are_orders_of_their_own(tmp_path: Path) -> None:
    """Order 1 runs at 08:00 and, in another file, at 13:00; its points of 08:00 and 09:30 are of one order."""
    morning = 1_398_931_200
    for name, times in (("a.txt", (0, 5_400)), ("b.txt", (18_000, 18_060))):
        points = "".join(f"d,1,{morning + time},10.00{place},50.00{place}\n" for place, time in enumerate(times))
        (tmp_path / name).write_text(points)

    orders, _ = order_stream(roads(tmp_path)[0], [tmp_path / "*.txt"], OrderOptions(crs="wgs84", time_zone="UTC"))

    assert orders.time_s.tolist() == [8 * 3600, 13 * 3600]


@pytest.mark.parametrize("name", ['"a, b"', '"say ""hello"""', '"two\nlines"', '"a; b, c"'])
def test_quotes_that_first_appear_far_down_are_quotes(tmp_path: Path, name: str) -> None:
    rows = [f"{CLOCK.format(row % 60)},{name if row >= 230 else 'place'},{1 + row % 4}" for row in range(300)]

    orders, report = stream_of(tmp_path, *rows, header="time,name,origin_node")

    assert (len(orders), report.unusable) == (300, {})


def test_what_pandas_writes_is_read(tmp_path: Path) -> None:
    names = ["plain"] * 300 + ["comma, inside", 'quote " inside', "line\nbreak"]
    frame = pd.DataFrame({"name": names, "time": "2024-05-01 08:00:00", "origin_node": 3})
    frame.to_csv(tmp_path / "orders.csv", index=False)

    orders, report = order_stream(roads(tmp_path)[0], [tmp_path / "orders.csv"])

    assert (len(orders), report.unusable) == (303, {})


def test_a_quote_inside_a_field_is_a_sign_and_one_that_is_never_closed_is_counted_by_lines(tmp_path: Path) -> None:
    inside = [f'{CLOCK.format(1)},12" pizza,1', f"{CLOCK.format(2)},pasta,2"]
    never_closed = [f"{CLOCK.format(1)},pizza,1", f'{CLOCK.format(2)},"pasta,2', f"{CLOCK.format(3)},pesto,3"]

    assert len(stream_of(tmp_path, *inside, header="time,name,origin_node")[0]) == 2
    orders, report = stream_of(tmp_path, *never_closed, header="time,name,origin_node")

    assert len(orders) == 1
    assert report.rows == 1 + report.unusable[WRONG_COLUMNS]
    assert report.unusable[WRONG_COLUMNS] >= 2
    assert report.examples[WRONG_COLUMNS] == f'{CLOCK.format(2)},"pasta,2'


CHINESE = f"时间,地点,起点\n{CLOCK.format(1)},海口,1\n{CLOCK.format(2)},美兰|国际|机场,2\n"
NAMED = OrderColumns(time="时间", origin_node="起点")


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gbk", "gb18030"), ("gb18030", "gb18030"), ("utf-16", "utf-16-le")],
)
def test_encodings_are_told_by_the_content_and_reported(tmp_path: Path, encoding: str, found: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(CHINESE.encode(encoding))

    orders, report = order_stream(roads(tmp_path)[0], [path], OrderOptions(columns=NAMED))

    assert len(orders) == 2
    assert report.sources[0].encoding == found


@pytest.mark.parametrize("encoding", ["big5", "utf-16-be", "utf-32", "shift_jis"])
def test_other_encodings_are_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("time,地名,origin_node\n2024-05-01,東京|中,1\n".encode(encoding))

    orders, _ = order_stream(roads(tmp_path)[0], [path], OrderOptions(encoding=encoding))

    assert len(orders) == 1


def test_a_bar_between_chinese_names_is_a_bar(tmp_path: Path) -> None:
    """The second byte of a character of GBK can be that of the bar."""
    path = tmp_path / "orders.csv"
    path.write_bytes("time|地点|origin_node\n2024-05-01|瓅眧|1\n2024-05-02|瓅瓅|2\n".encode("gbk"))
    assert b"|" in "瓅".encode("gbk")

    orders, report = order_stream(roads(tmp_path)[0], [path], OrderOptions(encoding="gbk"))

    assert (len(orders), report.unusable) == (2, {})


def test_a_column_that_is_not_found_names_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("heure,départ\n2024-05-01,1\n".encode("latin-1"))

    with pytest.raises(DataError, match=r"no column 'depart' for .*read as cp1252; --encoding"):
        order_stream(roads(tmp_path)[0], [path], OrderOptions(columns=OrderColumns(time="heure", origin_node="depart")))


def test_text_that_is_not_in_the_named_encoding_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("time,origin_node\n2024-05-01,1\n".encode("utf-16-le") + b"\x00\xd8x")

    with pytest.raises(DataError, match=r"orders\.csv .*utf-16"):
        order_stream(roads(tmp_path)[0], [path], OrderOptions(encoding="utf-16-le"))


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz", "zip", "zst"])
def test_compressed_files_are_told_by_their_content(tmp_path: Path, packing: str) -> None:
    import bz2
    import lzma

    import pyarrow

    text = f"time,origin_node\n{CLOCK.format(1)},1\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.csv", text)
    content = {
        "gz": gzip.compress(text),
        "bz2": bz2.compress(text),
        "xz": lzma.compress(text),
        "zip": packed.getvalue(),
        "zst": pyarrow.compress(text, codec="zstd", asbytes=True),
    }[packing]
    (tmp_path / "orders.data").write_bytes(content)

    assert len(order_stream(roads(tmp_path)[0], [tmp_path / "orders.data"])[0]) == 1


@pytest.mark.parametrize(("x", "y"), [("10,0001", "50,0001"), ("+10,003", "50"), ("10.0", "50,002")])
def test_decimal_commas_are_named_and_read_if_asked_for(tmp_path: Path, x: str, y: str) -> None:
    rows = [f"{CLOCK.format(1)};{x};{y}", f"{CLOCK.format(2)};10.0;50.0"]

    refused = stream_of(tmp_path, *rows, header="time;lng;lat", options=WGS84)[1]
    read = stream_of(tmp_path, *rows, header="time;lng;lat", options=OrderOptions(crs="wgs84", decimal_comma=True))[0]

    assert refused.unusable == {"coordinates with a decimal comma": 1}
    assert refused.examples == {"coordinates with a decimal comma": f"{x}, {y}"}
    assert len(read) == 2


@pytest.mark.parametrize("header", ["time,lat,lng", "time,pickup_latitude,pickup_longitude", "time,o_lat,o_lon"])
def test_swapped_coordinates_are_named_as_such(tmp_path: Path, header: str) -> None:
    rows = [f"{CLOCK.format(1)},10.0001,50.0001", f"{CLOCK.format(2)},10.0029,50.0019"]

    with pytest.raises(
        DataError, match=r"2 too far from any road, but near one if .* are latitude and longitude swapped\?"
    ):
        stream_of(tmp_path, *rows, header=header, options=WGS84)


def test_swapped_coordinates_beyond_90_degrees_are_named_as_such(tmp_path: Path) -> None:
    rows = [f"{CLOCK.format(1)},104.07,30.66", f"{CLOCK.format(2)},50.0,10.0"]

    _, report = stream_of(tmp_path, *rows, header="time,lat,lng", options=WGS84)

    assert report.unusable == {"latitude and longitude swapped": 1}


def test_coordinates_in_metres_are_read_by_naming_their_system(tmp_path: Path) -> None:
    """10.003 east, 50.002 north in UTM zone 32."""
    rows = [f"{CLOCK.format(1)},571_878.46,5_539_335.06".replace("_", "")]

    stream, report = stream_of(tmp_path, *rows, header="time,lng,lat", options=OrderOptions(crs="EPSG:32632"))

    assert roads(tmp_path)[0].node_ids[stream.origin[0]] == 3
    assert report.snap.origin.max_m < 1
