"""Sensing series from tables: what is read, and what is refused in one sentence."""

import os
from pathlib import Path

import numpy as np
import pytest
from sensing_tables import TABLE, row_of_three, write_table

from crowdgym.common.errors import DataError
from crowdgym.data.sensing import SensingSeries, tables
from crowdgym.data.sensing.tables import SeriesColumns, read_series


def read(folder: Path, text: str = TABLE, columns: SeriesColumns | None = None) -> SensingSeries:
    return read_series("row", write_table(folder, text), columns).series


def same(one: SensingSeries, other: SensingSeries) -> bool:
    return one.checksum == other.checksum


def test_a_table_becomes_a_series(tmp_path: Path) -> None:
    series = read(tmp_path)

    assert same(series, row_of_three())
    np.testing.assert_array_equal(series.values[0, :, 0], [1.5, 2.5, 3.5])
    np.testing.assert_array_equal(np.isnan(series.values[..., 1]), [[False, False, True], [False, True, False]])


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    header, *rows = TABLE.splitlines()
    assert same(read(tmp_path, "\n".join([header, *reversed(rows)])), row_of_three())


@pytest.mark.parametrize(
    "text",
    [
        TABLE.replace(",", ";"),
        TABLE.replace(",", "\t"),
        TABLE.replace("\n", "\r\n"),
        "\ufeff" + TABLE,
        TABLE.replace(",NA", ", null").replace("a,2024", "\n'a',2024".replace("'", '"')),
    ],
)
def test_delimiters_line_ends_byte_order_marks_quotes_and_blank_lines_do_not_matter(tmp_path: Path, text: str) -> None:
    assert same(read(tmp_path, text), row_of_three())


def test_a_cell_and_time_without_a_row_has_no_values(tmp_path: Path) -> None:
    series = read(tmp_path, TABLE.replace("b,2024-05-01,3,4,2.5,20\n", ""))
    assert np.isnan(series.values[0, 1]).all()


def test_cells_that_are_numbers_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    text = TABLE.replace("a,2", "10,2").replace("b,2", "9,2").replace("c,2", "1,2")
    assert read(tmp_path, text).cells == ("1", "9", "10")


def test_parquet_is_read_like_text(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.read_csv(write_table(tmp_path), dtype={"cell": str}, parse_dates=["time"])
    frame.to_parquet(tmp_path / "table.parquet")
    assert same(read_series("row", tmp_path / "table.parquet").series, row_of_three())


def test_columns_can_have_any_names_and_the_rest_is_measured_or_named(tmp_path: Path) -> None:
    text = TABLE.replace("cell,time,x_km,y_km", "station,when,east,north")
    mapping = {"cell": "station", "time": "when", "x": "east", "y": "north"}
    assert read(tmp_path, text, SeriesColumns(**mapping)).attributes == ("heat", "dust")
    assert read(tmp_path, text, SeriesColumns(**mapping, attributes=("dust",))).attributes == ("dust",)


def test_coordinates_can_be_in_metres_or_degrees(tmp_path: Path) -> None:
    metres = read(
        tmp_path, TABLE.replace(",3,4,", ",3000,4000,").replace(",6,8,", ",6000,8000,"), SeriesColumns(unit="m")
    )
    np.testing.assert_allclose(metres.x_km, [0, 3, 6])
    degrees = read(
        tmp_path, TABLE.replace(",0,0,", ",9,45,").replace(",3,4,", ",9,45.09,").replace(",6,8,", ",9,45.18,"),
        SeriesColumns(unit="degrees"),
    )  # fmt: skip
    assert degrees.crs == "EPSG:32632"
    assert np.diff(degrees.y_km) == pytest.approx([10.0, 10.0], abs=0.02)  # a degree of latitude is 111 km


def test_coordinates_can_be_in_a_table_of_their_own(tmp_path: Path) -> None:
    lines = [line.split(",") for line in TABLE.splitlines()]
    table = write_table(tmp_path, "\n".join(",".join([*line[:2], *line[4:]]) for line in lines))
    (tmp_path / "places.csv").write_text("cell,x_km,y_km\nc,6,8\na,0,0\nb,3,4\n")
    assert same(read_series("row", table, None, tmp_path / "places.csv").series, row_of_three())


def test_times_are_iso_dates_hours_numbers_or_of_a_named_format(tmp_path: Path) -> None:
    hourly = read(tmp_path, TABLE.replace("2024-05-01", "2024-05-01T23:00").replace("2024-05-02", "2024-05-02T00:00"))
    assert (hourly.cycles, hourly.cycle_s) == (("2024-05-01T23:00:00", "2024-05-02T00:00:00"), 3600.0)
    numbered = read(tmp_path, TABLE.replace("2024-05-01", "9").replace("2024-05-02", "10"))
    assert (numbered.cycles, numbered.cycle_s) == (("9", "10"), 86_400.0)
    columns = SeriesColumns(time_format="%d/%m/%y", cycle_s=60.0)
    named = read(tmp_path, TABLE.replace("2024-05-01", "01/05/24").replace("2024-05-02", "02/05/24"), columns)
    assert (named.cycles, named.cycle_s) == (("2024-05-01", "2024-05-02"), 60.0)


def test_a_large_table_is_read(tmp_path: Path) -> None:
    """1,000 cells, ten attributes, three days."""
    generator = np.random.default_rng(0)
    rows = [
        f"{cell},{day},{cell % 40},{cell // 40}," + ",".join(f"{value:.3f}" for value in generator.random(10))
        for cell in range(1000)
        for day in range(3)
    ]
    header = "cell,time,x_km,y_km," + ",".join(f"a{number}" for number in range(10))
    assert read(tmp_path, "\n".join([header, *rows])).values.shape == (3, 1000, 10)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("cell,", "kell,", r"table\.csv has no column 'cell'; its columns are kell, time, x_km, y_km, heat, dust"),
        ("2.5,20", "2.5,20,9", r"table\.csv, line 3 has 7 fields; expected 6 as in the header"),
        ("2.5,20", "2.5,much", r"table\.csv, line 3: dust is 'much'; expected a number, or nothing where it is "),
        ("2.5,20", "2.5,inf", "line 3: dust is 'inf'; expected a number"),
        ("2.5,20", "2.5,1_0", "line 3: dust is '1_0'; expected a number"),
        ("2024-05-02,3", "2024-05-01,3", r"line 6: the cell 'b' has a second row for 2024-05-01 \(the first is l"),
        ("a,2024-05-02", "a,soon", "line 5: time is 'soon'; expected a date as 2005-10-31"),
        ("a,2024-05-02", "a,2024-05-02T00:00Z", "times with and without a time zone; expected all of one kind"),
        ("b,2024-05-01", ",2024-05-01", "line 3: cell is ''; expected the name of a cell"),
        ("b,2024-05-02,3,4", "b,2024-05-02,3,5", r"line 6: the cell 'b' is at \(3, 5\), but at \(3, 4\) in line 3"),
        (",6,8,", ",,,", r"table\.csv has no coordinates of the cell 'c'; expected x_km and y_km for every cell"),
        (",6,8,", ",6,north,", "line 4: y_km is 'north'; expected a number"),
        ("heat,dust", "heat,heat", r"table\.csv has two columns 'heat'"),
        (",20\n", ',"20\n', "cannot be read: unexpected end of data; expected a table"),
        (TABLE, "", "table.csv has no rows; expected a header"),
        (TABLE, "cell,time,x_km,y_km,heat\n", "table.csv has no rows; expected a header"),
        (TABLE, "\n".join(TABLE.splitlines()[:4]), "the number of cycles of the series 'row' is 1; expected at least"),
        (TABLE, "cell,time,x_km,y_km\na,1,0,0\nb,2,0,0", "the number of attributes of the series 'row' is 0"),
        (TABLE, "cell,time,x_km,y_km,h\na,1,0,0,5\na,2,0,0,5", "the number of cells of the series 'row' is 1; exp"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_in_one_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in TABLE
    with pytest.raises(DataError, match=sentence) as refusal:
        read(tmp_path, TABLE.replace(old, new))
    assert "\n" not in str(refusal.value)


def test_a_cell_or_an_attribute_with_no_value_at_all_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the attribute 'dust' has no value at all"):
        read(
            tmp_path,
            TABLE.replace(",10\n", ",\n").replace(",11\n", ",\n").replace(",20\n", ",\n").replace(",31\n", ",\n"),
        )
    with pytest.raises(DataError, match="the cell 'a' has no value at all"):
        read(tmp_path, TABLE.replace("0,0,1.5,10", "0,0,,").replace("0,0,1.0,11", "0,0,,"))
    (tmp_path / "places.csv").write_text("cell,x_km,y_km\nc,6,8\na,0,0\nb,3,4\nd,1,1\n")
    with pytest.raises(DataError, match=r"places\.csv, line 5: the cell 'd' has no value at all"):
        read_series("row", write_table(tmp_path), None, tmp_path / "places.csv")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"unit": "miles"}, "the unit of coordinates is 'miles'; expected one of km, m, degrees"),
        ({"x": "y_km"}, "the column 'y_km' is named for two things"),
        ({"attributes": ("heat", "heat")}, "the column 'heat' is named for two things"),
        ({"cycle_s": 0.0}, "the length of a cycle is 0 s; expected a positive one"),
    ],
)
def test_columns_that_cannot_be_are_refused(columns: dict[str, object], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        SeriesColumns(**columns)  # type: ignore[arg-type]


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\x89\x00\x00\x80\x00")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing more")
    for name, sentence in (
        ("binary.csv", "is not a text file in UTF-8"),
        ("broken.parquet", "is a damaged Parquet file"),
        ("nothing.csv", "there is no file"),
        ("", "is a folder"),
    ):
        with pytest.raises(DataError, match=sentence):
            read_series("row", tmp_path / name)


def test_a_table_whose_series_would_fill_the_memory_is_refused_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row may be of another cell and another time."""
    monkeypatch.setattr(tables, "MOST_VALUES", 100)
    rows = "\n".join(f"c{number},2024-05-{number + 1:02d},{number},0,1.5" for number in range(11))
    with pytest.raises(DataError, match=r"has 11 cells, 11 cycles and \d attributes, which are \d+ values; exp"):
        read(tmp_path, f"cell,time,x,y,PM10\n{rows}\n")


def test_a_pipe_or_a_device_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for file in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(DataError, match="cannot be read: it is a device or a pipe, not a plain file"):
            read_series("row", file)
