"""Sensing tables that people really have: irregular times, a row for each parameter, dates in parts, degrees."""

from pathlib import Path

import numpy as np
import pytest

from crowdgym.common.errors import DataError
from crowdgym.data.sensing.tables import SeriesColumns, SeriesReading, read_series

METRES = {"x": "x_m", "y": "y_m"}


def read(folder: Path, header: str, *rows: str, **columns: object) -> SeriesReading:
    path = folder / "table.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return read_series("case", path, SeriesColumns(**columns))  # type: ignore[arg-type]


def irregular_rows(readings: int = 40) -> list[str]:
    """Two cells that report about every 31 s, each at times of its own; values count the minutes."""
    return [
        f"2004-03-01T00:{second // 60:02d}:{second % 60:02d},{cell},{second // 60},{10 * cell},0"
        for cell, offset in ((1, 3), (2, 16))
        for second in (offset + 31 * number + number % 3 for number in range(readings))
    ]


@pytest.mark.parametrize("cycle_s", [None, 60.0])
def test_irregular_times_are_put_together_in_cycles_and_that_is_said(tmp_path: Path, cycle_s: float | None) -> None:
    """40 readings of 31 s last 20 to 21 minutes; every minute has one or two of each cell."""
    reading = read(tmp_path, "time,cell,heat,x_m,y_m", *irregular_rows(), cycle_s=cycle_s, **METRES)
    series, notes = reading.series, reading.notes

    assert (series.num_cycles, series.cycle_s, series.missing.tolist()) == (21, 60.0, [0])
    assert series.cycles[:2] == ("2004-03-01T00:00:00", "2004-03-01T00:01:00")
    np.testing.assert_array_equal(series.values[:, 0, 0], np.arange(21))
    np.testing.assert_allclose(series.x_km, [0.01, 0.02])
    assert notes == ("put 80 readings together in cycles of 60 s: 42 values, means of each",)


def test_a_cycle_has_the_mean_of_its_readings_and_gaps_stay_gaps(tmp_path: Path) -> None:
    rows = [
        "2024-01-01 00:10,a,1,0,0",
        "2024-01-01 00:50,a,3,0,0",
        "2024-01-01 01:20,a,9,0,0",
        "2024-01-01 00:30,b,5,1,0",
    ]

    series = read(tmp_path, "time,cell,heat,x_km,y_km", *rows, cycle_s=3600).series

    np.testing.assert_array_equal(series.values[..., 0], [[2, 5], [9, np.nan]])


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_regular_times_with_many_gaps_stay_as_they_are(tmp_path: Path, share: float) -> None:
    """24 stations, 30 days, most of the rows missing."""
    there = np.random.default_rng(0).random((30, 24)) < share
    there[0], there[:, 0] = True, True
    rows = [
        f"2024-01-{day + 1:02d},{cell},{day},{cell},0" for day in range(30) for cell in range(24) if there[day, cell]
    ]

    reading = read(tmp_path, "time,cell,heat,x_km,y_km", *rows)

    assert (reading.series.num_cycles, reading.series.cycle_s, reading.notes) == (30, 86_400.0, ())


def test_a_row_for_each_parameter(tmp_path: Path) -> None:
    """As OpenAQ gives it."""
    rows = [
        "s2,2024-05-01T00:00:00Z,pm10,20,1,0",
        "s2,2024-05-01T00:00:00Z,no2,7,1,0",
        "s10,2024-05-01T00:00:00Z,pm10,30,2,0",
        "s10,2024-05-01T01:00:00Z,no2,8,2,0",
    ]
    named = {"cell": "location", "time": "datetime", "parameter": "parameter", "value": "value"}

    series = read(tmp_path, "location,datetime,parameter,value,x_km,y_km", *rows, **named).series
    one = read(tmp_path, "location,datetime,parameter,value,x_km,y_km", *rows, attributes=("pm10",), **named).series

    assert (series.attributes, series.cells) == (("no2", "pm10"), ("s2", "s10"))
    np.testing.assert_array_equal(series.values[0], [[7, 20], [np.nan, 30]])
    np.testing.assert_array_equal(series.values[1], [[np.nan, np.nan], [8, np.nan]])
    assert one.attributes == ("pm10",)
    with pytest.raises(DataError, match="has no parameter 'o3'; it has no2, pm10"):
        read(tmp_path, "location,datetime,parameter,value,x_km,y_km", *rows, attributes=("o3",), **named)
    with pytest.raises(DataError, match="line 6: the cell 's2' has a second row"):
        read(tmp_path, "location,datetime,parameter,value,x_km,y_km", *rows, rows[0], **named)


@pytest.mark.parametrize(
    ("header", "first", "second", "time"),
    [
        ("year,month,day,hour", "2013,3,1,0", "2013,3,1,1", "year+month+day+hour"),
        ("date,clock", "2013-03-01,00:00", "2013-03-01,01:00", "date+clock"),
        ("date,clock", "2013/3/1,0:00", "2013/3/1,1:00", "date+clock"),
        ("date,hour", "01.03.2013,0", "01.03.2013,1", "date+hour"),
    ],
)
def test_times_in_several_columns(tmp_path: Path, header: str, first: str, second: str, time: str) -> None:
    time_format = "%d.%m.%Y %H" if "." in first else None
    rows = [f"{when},{cell},5,{cell},0" for when in (first, second) for cell in (1, 2)]

    series = read(tmp_path, f"{header},cell,heat,x_km,y_km", *rows, time=time, time_format=time_format).series

    assert (series.cycles, series.cycle_s) == (("2013-03-01T00:00:00", "2013-03-01T01:00:00"), 3600.0)
    assert series.attributes == ("heat",)


@pytest.mark.parametrize(("x", "y"), [("lon", "lat"), ("Longitude", "Latitude"), ("station_lng", "station_lat")])
def test_degrees_are_told_by_the_names_of_their_columns(tmp_path: Path, x: str, y: str) -> None:
    """A tenth of a degree north is 11.1 km."""
    rows = [f"{day},{cell},5,9,{45 + cell / 10}" for day in (1, 2) for cell in (1, 2)]

    series = read(tmp_path, f"time,cell,heat,{x},{y}", *rows, x=x, y=y).series

    assert series.crs == "EPSG:32632"
    assert np.diff(series.y_km) == pytest.approx([11.1], abs=0.05)


def test_a_unit_that_nothing_tells_is_said(tmp_path: Path) -> None:
    rows = [f"{day},{cell},5,{cell},0" for day in (1, 2) for cell in (1, 2)]

    reading = read(tmp_path, "time,cell,heat,east,north", *rows, x="east", y="north")

    assert reading.notes == ("took east and north for kilometres (--unit names another unit)",)
    assert read(tmp_path, "time,cell,heat,east,north", *rows, x="east", y="north", unit="m").notes == ()


@pytest.mark.parametrize(
    ("cells", "ordered"),
    [
        (("s10", "s2", "s1"), ("s1", "s2", "s10")),
        (("10", "9", "1"), ("1", "9", "10")),
        (("b", "a10", "a9"), ("a9", "a10", "b")),
        (("x1y10", "x1y9", "7"), ("7", "x1y9", "x1y10")),
    ],
)
def test_cells_are_in_natural_order(tmp_path: Path, cells: tuple[str, ...], ordered: tuple[str, ...]) -> None:
    rows = [f"{day},{cell},5,{number},0" for day in (1, 2) for number, cell in enumerate(cells)]

    assert read(tmp_path, "time,cell,heat,x_km,y_km", *rows).series.cells == ordered


def test_unix_times_are_times(tmp_path: Path) -> None:
    rows = [f"{1_398_902_400 + 3600 * hour},{cell},5,{cell},0" for hour in (0, 1) for cell in (1, 2)]

    series = read(tmp_path, "time,cell,heat,x_km,y_km", *rows).series

    assert (series.cycles, series.cycle_s) == (("2014-05-01T00:00:00", "2014-05-01T01:00:00"), 3600.0)


def test_other_encodings_compressed_files_and_decimal_commas(tmp_path: Path) -> None:
    import gzip

    text = "時間;cell;heat;x_km;y_km\n1;a;5;0;0\n2;a;5;0;0\n1;b;5;1;0\n"
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(text.encode("utf-16")))

    assert read_series("case", path, SeriesColumns(time="時間")).series.num_cells == 2
    with pytest.raises(DataError, match="line 2: heat is '5,5'; expected a number with a decimal point, not a comma"):
        read(tmp_path, "time;cell;heat;x_km;y_km", "1;a;5,5;0;0")
