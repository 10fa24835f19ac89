"""Bad files and bad options: one sentence that names the file, what was found and what was expected."""

from pathlib import Path

import pytest
from order_worlds import MIDNIGHT, gcj02

from crowdgym.common.errors import DataError
from crowdgym.data.orders.formats import OrderColumns
from crowdgym.data.orders.read import OrderOptions, read_orders
from crowdgym.data.orders.snap import order_files

CHENGDU_ROW = f"a1,{MIDNIGHT},{MIDNIGHT + 900},{gcj02(0)},{gcj02(1000)}\n"
HAIKOU_HEADER = "\t".join(
    f"dwv_order_make_haikou_1.{name}"
    for name in ("order_id", "departure_time", "dest_lng", "dest_lat", "starting_lng", "starting_lat")
)
HAIKOU_TEXT = HAIKOU_HEADER + "\n175\t2017-05-19 01:05:19\t110.36\t20.01\t110.34\t20.04\n"


def refusal(path: Path, options: OrderOptions | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read_orders(path, options)
    message = str(caught.value)
    assert message.count("\n") == 0
    return message


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "orders.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_haikou_text_given_as_chengdu_is_recognised(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, HAIKOU_TEXT), OrderOptions(order_format="gaia-chengdu"))

    assert "orders.csv is not gaia-chengdu: expected 7 or 8 comma separated columns" in message
    assert "found 6 tab separated columns" in message
    assert message.endswith("which looks like gaia-haikou")


def test_chengdu_text_given_as_haikou_is_recognised(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, CHENGDU_ROW), OrderOptions(order_format="gaia-haikou"))

    assert "orders.csv is not gaia-haikou" in message
    assert "found 7 comma separated columns without a header" in message
    assert message.endswith("which looks like gaia-chengdu")


@pytest.mark.parametrize("order_format", ["gaia-gps", "table"])
def test_chengdu_text_given_as_anything_else_is_recognised(tmp_path: Path, order_format: str) -> None:
    message = refusal(write(tmp_path, CHENGDU_ROW), OrderOptions(order_format=order_format))  # type: ignore[arg-type]

    assert f"orders.csv is not {order_format}" in message


def test_an_unknown_format_is_described(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, "animal,legs\ncat,4\n"))

    assert "orders.csv is in no format known for orders" in message
    assert "found 2 comma separated columns with the header 'animal, legs'" in message
    assert "gowalla, porto, tlc or a table whose header names the times" in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "orders.csv is empty; expected orders"),
        (b"\n \n\n", "orders.csv holds only empty lines; expected orders"),
        (HAIKOU_HEADER.encode() + b"\n", "orders.csv has no rows after its header; expected orders"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "orders.csv is not a text file in UTF-8"),
        (b"PAR1 and then nothing of the kind", "orders.csv is a damaged Parquet file"),
        ("time,origin_id\n".encode("utf-16"), "orders.csv has no rows after its header"),
    ],
)
def test_a_file_that_is_empty_or_no_text_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    assert expected in refusal(write(tmp_path, content))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert f"there is no file {tmp_path / 'nowhere.csv'}" in refusal(tmp_path / "nowhere.csv")
    assert f"{tmp_path} is a folder; expected a file of orders" in refusal(tmp_path)


def test_a_truncated_compressed_file_is_refused(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress((CHENGDU_ROW * 50).encode())[:-20])

    assert "orders.csv.gz cannot be read" in refusal(path)


def test_a_file_of_which_no_row_can_be_used_is_refused_with_the_reasons(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, "time,origin_id\nsoon,7\nlater,8\n,9\n"))

    assert "none of the 3 rows of" in message
    assert "orders.csv can be used (2 with bad time, such as 'soon', 1 with missing time)" in message


def test_a_quote_that_is_never_closed_does_no_more_than_spoil_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, 'time,origin_id\n2016-11-01 00:00:09,7\n"2016-11-01,7\n2016-11-01,8\n')

    try:
        orders, report = read_orders(path)
    except DataError as error:
        assert "orders.csv cannot be read to its end" in str(error)  # noqa: PT017
    else:
        assert len(orders) + sum(report.unusable.values()) == report.rows


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (OrderColumns(time="when", origin_node="node"), "has no column 'when' for time; it has 'time', 'node', 'lng'"),
        (OrderColumns(time="9", origin_node="node"), "has no column '9' for time"),
        (OrderColumns(origin_node="node"), "no column of times is named"),
        (OrderColumns(time="time"), "no column of pick-ups is named"),
        (OrderColumns(time="time", origin_lng="lng"), "the origin needs two columns, origin_lng and origin_lat"),
        (
            OrderColumns(time="time", origin_lng="lng", origin_lat="lng", origin_node="node"),
            "the origin is named twice, as coordinates and as a node",
        ),
    ],
)
def test_columns_that_are_not_there_or_not_enough_are_refused(
    tmp_path: Path, columns: OrderColumns, expected: str
) -> None:
    path = write(tmp_path, "time,node,lng\n2016-11-01,7,104\n")

    assert f"orders.csv{'' if expected.startswith('has') else ':'} {expected}" in refusal(
        path, OrderOptions(columns=columns, crs="wgs84")
    )


def test_a_column_of_lists_is_refused(tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "orders.parquet"
    pd.DataFrame({"time": ["2016-11-01"], "lng": [[104.0, 105.0]], "lat": [30.0]}).to_parquet(path)

    assert "orders.parquet has a column that holds neither numbers nor text" in refusal(path, OrderOptions(crs="wgs84"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"order_format": "gaia"},
            "--format is 'gaia'; expected one of chicago, foursquare, gaia-chengdu, gaia-gps, "
            "gaia-haikou, gowalla, porto, tlc, table",
        ),
        (
            {"crs": "bd09"},
            "--crs is 'bd09'; expected wgs84 (GPS and OpenStreetMap), gcj02 (DiDi and other Chinese services) or a "
            "system that PROJ knows, such as EPSG:32632",
        ),
        ({"times": "hours"}, "--times is 'hours'; expected one of auto, seconds-of-day"),
        (
            {"time_zone": "Europe/Berlim"},
            "--time-zone is 'Europe/Berlim'; expected a name such as Europe/Berlin, an offset such as +08:00, or UTC",
        ),
        (
            {"time_zone": "+99:00"},
            "--time-zone is '+99:00'; expected a name such as Europe/Berlin, an offset such as +08:00, or UTC",
        ),
        ({"time_format": "%d.%m. %H:%M"}, "--time-format is '%d.%m. %H:%M'; expected a year (%Y or %y) in it"),
        ({"time_format": "%Y-%m-%d %H %I"}, "--time-format is '%Y-%m-%d %H %I'; expected each part of a time once"),
        (
            {"encoding": "ebcdic-de"},
            "--encoding is 'ebcdic-de'; expected the name of an encoding, such as utf-8, gbk, utf-16 or latin-1",
        ),
        (
            {"order_format": "gaia-gps", "columns": OrderColumns(time="ts")},
            "--column names columns (time), but gaia-gps has columns of its own; expected --format table",
        ),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        OrderOptions(**options)

    assert str(caught.value) == expected


def test_a_pattern_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file matches '.*/\*\.csv'; expected files of orders"):
        order_files([tmp_path / "*.csv"])
    with pytest.raises(DataError, match="no files of orders are given"):
        order_files([])


def test_patterns_give_each_file_once_in_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).touch()

    found = order_files([tmp_path / "c.txt", str(tmp_path / "*.csv"), str(tmp_path / "a.*")])

    assert [path.name for path in found] == ["c.txt", "a.csv", "b.csv"]
