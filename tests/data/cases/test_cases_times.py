"""Times in the spellings that people have; what is not understood is a bad time, never another one."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow
import pytest
from square import Stream, stream_of

from crowdgym.data.orders.formats.format import are_unix_seconds
from crowdgym.data.orders.raw import BAD_TIME, Reasons
from crowdgym.data.orders.read import OrderOptions
from crowdgym.data.orders.times import Clock, local_times

HEADER = "time,origin_node"


def clock_of(stream: Stream) -> list[str]:
    """The orders' times as a local clock shows them."""
    orders, report = stream
    first = datetime.fromisoformat(report.snap.first_day)
    return [str(first + timedelta(seconds=int(time_s))) for time_s in orders.time_s]


def read(folder: Path, *times: str, **options: str) -> Stream:
    rows = [f'"{time}",{1 + number % 4}' for number, time in enumerate(times)]
    return stream_of(folder, *rows, header=HEADER, options=OrderOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("2024-05-01 08:15:00 PM", "2024-05-01 20:15:00"),
        ("2024/5/1 1:05 PM", "2024-05-01 13:05:00"),
        ("2024/5/1 11:05 AM", "2024-05-01 11:05:00"),
        ("2024-05-01 12:00 AM", "2024-05-01 00:00:00"),
        ("2024-05-01 12:30:15 pm", "2024-05-01 12:30:15"),
        ("2024-05-01 7:05 a.m.", "2024-05-01 07:05:00"),
        ("2024-05-01 7:05 P.M.", "2024-05-01 19:05:00"),
    ],
)
def test_am_and_pm(tmp_path: Path, text: str, clock: str) -> None:
    assert clock_of(read(tmp_path, text)) == [clock]


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01 06:00:00 EST",
        "2024-05-01 06:00:99",
        "2024-05-01 06:00 garbage",
        "2024-05-01 06:00:00.5 x",
        "2024-05-01 13:05 PM",  # which of the two?
        "2024-05-01 00:05 PM",
        "2024-05-01 06:00:00+99:00",
        "2024-05-01 06:00:00 Europe/Berlim",
        "2024-05-01 24:10:00",
        "2024-02-30 06:00:00",
        "x 2024-05-01 06:00:00",
        "2024-05-01 06:00:00 2024-05-01",
        "05/01/2024 08:15:00 PM",  # the month or the day first?
        "4/1/2014 0:11:00",
        "01.05.24",
    ],
)
def test_what_is_not_wholly_understood_is_a_bad_time_with_an_example(tmp_path: Path, text: str) -> None:
    orders, report = read(tmp_path, "2024-05-01 05:00:00", text)

    assert len(orders) == 1
    assert report.unusable == {BAD_TIME: 1}
    assert report.examples == {BAD_TIME: text}


@pytest.mark.parametrize(
    ("texts", "zones"),
    [
        (("2024-05-01T08:00:00+02:00", "2024-05-01T08:10:00+02:00"), "+02:00"),
        (("2024-05-01T08:00:00Z", "2024-05-01 08:10:00z"), "UTC"),
        (("2024-05-01 08:00:00 UTC", "2024-05-01 08:10:00 UTC"), "UTC"),
        (("2024-05-01 08:00:00-0500", "2024-05-01 08:10-05"), "-05, -0500"),
        (("2024-05-01 08:00:00 America/New_York", "2024-05-01 08:10:00 America/New_York"), "America/New_York"),
        (("2024-05-01T08:00:00+02:00[Europe/Berlin]", "2024-05-01T08:10:00+02:00[Europe/Berlin]"), "+02:00"),
    ],
)
def test_a_zone_in_the_data_is_the_local_one_and_said(tmp_path: Path, texts: tuple[str, str], zones: str) -> None:
    stream = read(tmp_path, *texts)

    assert clock_of(stream) == ["2024-05-01 08:00:00", "2024-05-01 08:10:00"]
    assert stream[1].sources[0].clock == f"the clock of the zone in the data ({zones}) is kept as local time"


def test_summer_time_changes_the_offset_and_not_the_local_clock(tmp_path: Path) -> None:
    """Berlin: +01:00 until 02:00 of 31 March 2024, +02:00 from then on."""
    assert clock_of(read(tmp_path, "2024-03-30T08:00:00+01:00", "2024-03-31T08:00:00+02:00")) == [
        "2024-03-30 08:00:00",
        "2024-03-31 08:00:00",
    ]


@pytest.mark.parametrize(
    ("zone", "clocks"),
    [
        ("Europe/Berlin", ["2024-03-31 01:59:59", "2024-03-31 03:00:00"]),
        ("+08:00", ["2024-03-31 08:59:59", "2024-03-31 09:00:00"]),
        ("America/New_York", ["2024-03-30 20:59:59", "2024-03-30 21:00:00"]),
        ("Asia/Kolkata", ["2024-03-31 06:29:59", "2024-03-31 06:30:00"]),
        ("UTC", ["2024-03-31 00:59:59", "2024-03-31 01:00:00"]),
    ],
)
@pytest.mark.parametrize("kind", ["text", "Unix seconds", "Unix milliseconds", "text of New York"])
def test_a_named_zone_turns_instants_into_its_local_time(
    tmp_path: Path, kind: str, zone: str, clocks: list[str]
) -> None:
    instants = [datetime(2024, 3, 31, 0, 59, 59, tzinfo=UTC), datetime(2024, 3, 31, 1, tzinfo=UTC)]
    seconds = [int(instant.timestamp()) for instant in instants]
    spelt = {
        "text": [instant.isoformat() for instant in instants],
        "Unix seconds": [str(second) for second in seconds],
        "Unix milliseconds": [f"{second}123" for second in seconds],
        "text of New York": [
            instant.astimezone(ZoneInfo("America/New_York")).strftime("%Y-%m-%d %H:%M:%S America/New_York")
            for instant in instants
        ],
    }[kind]

    stream = read(tmp_path, *spelt, time_zone=zone)

    assert clock_of(stream) == clocks
    assert zone in stream[1].sources[0].clock


def test_text_without_a_zone_is_local_whatever_zone_is_named(tmp_path: Path) -> None:
    stream = read(tmp_path, "2024-05-01 08:00:00", time_zone="Europe/Berlin")

    assert clock_of(stream) == ["2024-05-01 08:00:00"]
    assert stream[1].sources[0].clock == "times without a zone are local"


def test_unix_time_of_a_table_is_on_the_clock_of_utc_unless_a_zone_is_named_and_that_is_said(tmp_path: Path) -> None:
    stream = read(tmp_path, "1398902400", "1398902401123", "1398902402123456", "1398902403123456789")

    assert clock_of(stream) == [f"2014-05-01 00:00:0{second}" for second in range(4)]
    assert stream[1].sources[0].clock == "; ".join(
        f"Unix {unit} are read on the clock of UTC (--time-zone names the city's)"
        for unit in ("seconds", "milliseconds", "microseconds", "nanoseconds")
    )


@pytest.mark.parametrize(
    ("text", "time_format", "clock"),
    [
        ("05/01/2024 08:15:00 PM", "%m/%d/%Y %I:%M:%S %p", "2024-05-01 20:15:00"),
        ("4/1/2014 0:11:00", "%m/%d/%Y %H:%M:%S", "2014-04-01 00:11:00"),
        ("01.05.24 7:05", "%d.%m.%y %H:%M", "2024-05-01 07:05:00"),
        ("20240501070503", "%Y%m%d%H%M%S", "2024-05-01 07:05:03"),
        ("1 May 2024, 07h05", "%d %B %Y, %Hh%M", "2024-05-01 07:05:00"),
        ("01May2024:07:05:00.250", "%d%b%Y:%T.%f", "2024-05-01 07:05:00"),
    ],
)
def test_other_spellings_are_read_by_naming_their_format(
    tmp_path: Path, text: str, time_format: str, clock: str
) -> None:
    stream = read(tmp_path, text, "rubbish", time_format=time_format)

    assert clock_of(stream) == [clock]
    assert stream[1].unusable == {BAD_TIME: 1}


def test_a_format_with_a_zone_of_the_data(tmp_path: Path) -> None:
    stream = read(tmp_path, "01.05.2024 08:00 +0200", time_format="%d.%m.%Y %H:%M %z", time_zone="Asia/Tokyo")

    assert clock_of(stream) == ["2024-05-01 15:00:00"]


def test_twitter_spells_times_so_that_they_can_be_told(tmp_path: Path) -> None:
    assert clock_of(read(tmp_path, "Tue Apr 03 18:00:09 +0000 2012")) == ["2012-04-03 18:00:09"]
    assert clock_of(read(tmp_path, "Tue Apr 03 18:00:09 +0000 2012", time_zone="America/New_York")) == [
        "2012-04-03 14:00:09"
    ]


def test_text_among_seconds_of_day_is_a_bad_time(tmp_path: Path) -> None:
    rows = ["abc,1", "21:15:00,2", "08:00:00,3", "3600,4", "2024-05-01 07:00:00,1", "1e9,2", "-1,3"]

    orders, report = stream_of(tmp_path, *rows, header=HEADER, options=OrderOptions(times="seconds-of-day"))

    assert orders.time_s.tolist() == [3600]
    assert report.unusable == {BAD_TIME: 6}
    assert report.examples == {BAD_TIME: "abc"}


def test_a_parquet_file_brings_its_zone(tmp_path: Path) -> None:
    import pandas as pd
    from square import roads

    from crowdgym.data.orders.snap import order_stream

    path = tmp_path / "orders.parquet"
    times = pd.to_datetime(["2024-05-01 08:00:00"]).tz_localize("Europe/Berlin")
    pd.DataFrame({"time": times, "origin_node": pd.Categorical([2])}).to_parquet(path)
    network, _ = roads(tmp_path)

    kept, turned = order_stream(network, [path]), order_stream(network, [path], OrderOptions(time_zone="UTC"))

    assert clock_of(kept) == ["2024-05-01 08:00:00"]
    assert clock_of(turned) == ["2024-05-01 06:00:00"]
    assert kept[1].sources[0].clock == "the clock of the zone in the data (Europe/Berlin) is kept as local time"


@pytest.mark.parametrize(
    ("first", "last", "before", "after"),
    [
        (631_152_000, 4_102_444_799, 631_151_999, 4_102_444_800),  # Unix seconds of 1990-01-01 and 2100-01-01
        (631_152_000_000, 4_102_444_799_999, 631_151_999_999, 4_102_444_800_000),  # in milliseconds
        ("1990-01-01 00:00:00", "2099-12-31 23:59:59", "1989-12-31 23:59:59", "2100-01-01 00:00:00"),
        (
            np.datetime64("1990-01-01T00:00:00"),
            np.datetime64("2099-12-31T23:59:59"),
            np.datetime64("1989-12-31T23:59:59"),
            np.datetime64("2100-01-01T00:00:00"),
        ),
    ],
)
def test_times_are_from_1990_on_and_before_2100(first: object, last: object, before: object, after: object) -> None:
    reasons = Reasons(4)
    column = pyarrow.array(np.array([first, last, before, after]))
    assert local_times(column, Clock(), reasons, Counter()).tolist() == [631_152_000, 4_102_444_799, 0, 0]
    assert reasons.counts() == {BAD_TIME: 2}


@pytest.mark.parametrize(
    ("seconds", "are"), [(631_152_000, True), (4_102_444_799, True), (631_151_999, False), (4_102_444_800, False)]
)
def test_a_column_of_such_numbers_is_a_column_of_times(seconds: int, are: bool) -> None:
    assert are_unix_seconds(["1600000000", str(seconds)]) is are


def test_numbers_are_of_that_range_before_they_are_turned_into_the_time_of_a_zone() -> None:
    reasons = Reasons(2)
    column = pyarrow.array([4_102_444_799, 4_102_444_800])
    read = local_times(column, Clock(time_zone="-08:00"), reasons, Counter()).tolist()
    assert read == [4_102_444_799 - 8 * 3600, 0]
    assert reasons.counts() == {BAD_TIME: 1}
