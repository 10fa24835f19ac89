"""The parts of times by hand: zones, halves of days, years of two digits, units, ends of ranges, and what is said."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pyarrow
import pytest

from crowdgym.common.errors import DataError
from crowdgym.data.orders.raw import BAD_TIME, MISSING_TIME, Reasons
from crowdgym.data.orders.times import Clock, clock_sentence, format_hint, local_times

BAD, MISSING = "bad", "missing"
AS_IT_IS = Clock()  # no zone is named


def at(*parts: int) -> int:
    """Seconds since 1970 of a date and a clock."""
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]


def times_of(values: list[Any], clock: Clock = AS_IT_IS, seen: Counter[str] | None = None) -> list[int | str]:
    """What is read of each value."""
    reasons = Reasons(len(values))
    read = local_times(pyarrow.array(values), clock, reasons, Counter() if seen is None else seen).tolist()
    if len(values) == 1 and reasons.counts():
        assert read == [0]
        return [{BAD_TIME: BAD, MISSING_TIME: MISSING}[next(iter(reasons.counts()))]]
    return read


@pytest.mark.parametrize(
    ("zone", "ahead_min"),
    [
        *(("+05:30", 330), ("-05:30", -330), ("+0530", 330), ("+05", 300), ("-3", -180), ("+14:59", 899)),
        *(("UTC+8", 480), ("GMT-11", -660), ("UTC", 0), ("GMT", 0), ("Z", 0), ("+00:00", 0), ("-12:01", -721)),
    ],
)
def test_an_offset_is_hours_and_minutes_of_one_sign(zone: str, ahead_min: int) -> None:
    assert times_of([1_600_000_000], Clock(time_zone=zone)) == [1_600_000_000 + 60 * ahead_min]


@pytest.mark.parametrize("zone", ["+15:00", "+05:60", "5", "+", "x", "Europe", "Europe/Nowhere", "+05:3", "../etc/x"])
def test_what_names_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(DataError, match="expected a name such as Europe/Berlin"):
        Clock(time_zone=zone)


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("2024-05-01 12:00 AM", (0, 0)),
        ("2024-05-01 1:00 AM", (1, 0)),
        ("2024-05-01 11:59 AM", (11, 59)),
        ("2024-05-01 12:00 PM", (12, 0)),
        ("2024-05-01 11:59 PM", (23, 59)),
        ("2024-05-01 23:59", (23, 59)),
        ("2024-05-01 0:00", (0, 0)),
        ("2024-05-01", (0, 0)),
    ],
)
def test_the_clock_of_halves_of_a_day(text: str, clock: tuple[int, int]) -> None:
    assert times_of([text]) == [at(2024, 5, 1, *clock)]


@pytest.mark.parametrize(
    "text",
    [
        *("2024-05-01 13:00 AM", "2024-05-01 0:00 PM", "2024-05-01 24:00", "2024-05-01 10:60", "2024-05-01 10:00:60"),
        *("2024-00-01", "2024-13-01", "2024-05-00", "2024-04-31", "2023-02-29", "1989-12-31", "2100-01-01"),
    ],
)
def test_dates_and_clocks_that_there_are_not(text: str) -> None:
    assert times_of([text]) == [BAD]


def test_the_first_and_the_last_that_there_are() -> None:
    texts = ["2024-02-29 23:59:59", "2024-12-31", "2024-01-01 00:00:01", "1990-01-01", "2099-12-31 23:59:59"]
    first, last = (2024, 2, 29, 23, 59, 59), (2099, 12, 31, 23, 59, 59)
    assert times_of(texts) == [at(*first), at(2024, 12, 31), at(2024, 1, 1, 0, 0, 1), at(1990, 1, 1), at(*last)]


@pytest.mark.parametrize(("year", "means"), [("90", 1990), ("99", 1999), ("00", 2000), ("68", 2068), ("24", 2024)])
def test_years_of_two_digits(year: str, means: int) -> None:
    assert times_of([f"02.03.{year}"], Clock(time_format="%d.%m.%y")) == [at(means, 3, 2)]


def test_of_two_digits_69_is_of_the_20th_century_and_too_long_ago() -> None:
    assert times_of(["02.03.69"], Clock(time_format="%d.%m.%y")) == [BAD]


@pytest.mark.parametrize(("month", "number"), [("January", 1), ("MAY", 5), ("dec", 12), ("Sept", 9)])
def test_months_by_name(month: str, number: int) -> None:
    assert times_of([f"2 {month} 2024"], Clock(time_format="%d %b %Y")) == [at(2024, number, 2)]
    assert times_of(["2 Mai 2024"], Clock(time_format="%d %b %Y")) == [BAD]


@pytest.mark.parametrize("text", ["", "  ", None])
def test_no_text_is_no_time(text: str | None) -> None:
    assert times_of([text, "2024-05-01"]) == [0, at(2024, 5, 1)]


def test_the_zero_date_is_no_time_and_another_text_is_a_bad_one() -> None:
    assert times_of(["0000-00-00 00:00:00"]) == [MISSING]
    assert times_of(["0000-00-01"]) == [BAD]
    assert times_of(["x0000-00-00"]) == [BAD]


def test_spellings_are_told_apart_row_by_row() -> None:
    texts = ["Tue Apr 03 18:00:09 +0000 2012", "2024-05-01 08:00", "rubbish", "2024/05/01 09:00 +02:00"]
    assert times_of(texts) == [at(2012, 4, 3, 18, 0, 9), at(2024, 5, 1, 8), 0, at(2024, 5, 1, 9)]


@pytest.mark.parametrize("number", [1.6e9, 1.6e9 + 0.999])
def test_parts_of_a_second_are_cut_off(number: float) -> None:
    assert times_of([number]) == [1_600_000_000]


@pytest.mark.parametrize("per_s", [1, 10**3, 10**6, 10**9])
def test_each_unit_has_the_same_range(per_s: int) -> None:
    first, last = 631_152_000, 4_102_444_799
    assert times_of([first * per_s]) == [first]
    assert times_of([last * per_s]) == [last]


@pytest.mark.parametrize("number", [0, 1, -1_600_000_000, 631_151_999, 4_102_444_800, 4_102_444_800 * 10**9])
def test_numbers_of_no_unit_are_bad(number: int) -> None:
    assert times_of([number]) == [BAD]


@pytest.mark.parametrize(("number", "read"), [(0, 0), (1.5, 1), (366 * 86_400 - 1, 366 * 86_400 - 1)])
def test_seconds_of_day_are_whole_ones_of_at_most_366_days(number: float, read: int) -> None:
    assert times_of([number], Clock(kind="seconds-of-day")) == [read]


@pytest.mark.parametrize("number", [-1.0, 366 * 86_400, 1e300])
def test_other_seconds_of_day_are_bad(number: float) -> None:
    assert times_of([number], Clock(kind="seconds-of-day")) == [BAD]


def test_summer_time_begins_within_an_hour_of_the_data() -> None:
    """Berlin is an hour ahead until 2024-03-31 01:00 UTC, two from then on, a change between two quarters."""
    change = at(2024, 3, 31, 1)
    read = times_of([change - 1, change, change + 899], Clock(time_zone="Europe/Berlin"))
    assert read == [change - 1 + 3600, change + 7200, change + 899 + 7200]
    local = ["2024-03-31 01:59:59 Europe/Berlin", "2024-03-31 03:00:00 Europe/Berlin"]
    assert times_of(local, Clock(time_zone="UTC")) == [change - 1, change]


def test_each_row_is_read_in_its_own_zone() -> None:
    rows = ["2024-05-01 08:00 +02:00", "2024-05-01 08:00 Z", "2024-05-01 08:00", "2024-05-01 08:00 -01:00"]
    hour = at(2024, 5, 1)
    seen: Counter[str] = Counter()
    read = times_of(rows, Clock(time_zone="UTC"), seen)
    assert read == [hour + 6 * 3600, hour + 8 * 3600, hour + 8 * 3600, hour + 9 * 3600]
    assert seen == {
        "text with the time zone +02:00": 1,
        "text with the time zone UTC": 1,
        "text without a time zone": 1,
        "text with the time zone -01:00": 1,
    }


def test_a_zone_that_there_is_not_spoils_its_own_row_alone() -> None:
    rows = ["2024-05-01 08:00 Mars/Base", "2024-05-01 08:00 +02:00", "2024-05-01 08:00", "2024-05-01 08:00 -01:00"]
    day = at(2024, 5, 1)
    assert times_of(rows, Clock(time_zone="UTC")) == [0, day + 6 * 3600, day + 8 * 3600, day + 9 * 3600]


def test_what_is_seen_is_counted() -> None:
    seen: Counter[str] = Counter()
    times_of([1_600_000_000, 1_600_000_001, 1_600_000_002_000, 5], Clock(), seen)
    times_of(["2024-05-01", "2024-05-02", "2024-02-30"], Clock(), seen)
    times_of([1.0, 2.0, -1.0], Clock(kind="seconds-of-day"), seen)
    times_of([datetime(2024, 5, 1), None, datetime(2024, 5, 2)], Clock(), seen)
    times_of([datetime(2024, 5, 1, tzinfo=UTC), None], Clock(), seen)
    assert seen == {
        "Unix seconds": 2,
        "Unix milliseconds": 1,
        "text without a time zone": 4,
        "seconds of day": 2,
        "text with the time zone UTC": 1,
    }


def test_three_zones_are_named_and_more_hinted_at() -> None:
    seen = {f"text with the time zone +0{hour}:00": 1 for hour in (4, 3, 2, 1)}
    assert clock_sentence(Clock(), seen) == (
        "the clock of the zone in the data (+01:00, +02:00, +03:00, ...) is kept as local time"
    )
    del seen["text with the time zone +04:00"]
    assert clock_sentence(Clock(time_zone="UTC"), {**seen, "seconds of day": 1}) == (
        "the clock of the zone in the data (+01:00, +02:00, +03:00) is turned into that of UTC; "
        "seconds count from midnight, local time"
    )


@pytest.mark.parametrize(
    ("example", "first", "second"),
    [
        ("05/01/2024", "%m/%d/%Y", "%d/%m/%Y"),
        ("5.1.24 7:05", "%m.%d.%y %H:%M", "%d.%m.%y %H:%M"),
        ("05-01-2024 07:05:09", "%m-%d-%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S"),
        (" 05/01/2024 7:05 pm", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %I:%M %p"),
        ("05/01/2024 7:05:09 A.M.", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %I:%M:%S %p"),
    ],
)
def test_the_hint_for_dates_that_begin_with_the_month_or_the_day(example: str, first: str, second: str) -> None:
    assert format_hint(example) == (f"--time-format '{first}' where the month is first, '{second}' where the day is")


def test_the_hint_for_other_texts() -> None:
    for example in ("rubbish", "123", "05/01"):
        assert format_hint(example).startswith("--time-format says how times are written")


@pytest.mark.parametrize(
    ("time_format", "sentence"),
    [
        ("%d.%m", r"expected a year \(%Y or %y\) in it"),
        ("%Y.%d", r"expected a month \(%m or %b\) in it"),
        ("%Y.%m", r"expected a day \(%d\) in it"),
        ("%Y.%m.%d %d", "expected directives among .*, each once, and not '%d'"),
        ("%Y.%m.%d %q", "and not '%q'"),
        ("%Y.%m.%d %", "and not '%'"),
        ("%Y.%y.%m.%d", "expected each part of a time once"),
        ("%Y.%m.%b.%d", None),
        ("%Y.%b.%B.%d", "expected each part of a time once"),
        ("%Y.%m.%d %H %I", "expected each part of a time once"),
    ],
)
def test_a_format_has_each_part_once(time_format: str, sentence: str | None) -> None:
    if sentence is None:  # m and b are two parts: the name of the month counts
        assert times_of(["2024.03.May.02"], Clock(time_format=time_format)) == [at(2024, 5, 2)]
        return
    with pytest.raises(DataError, match=sentence):
        Clock(time_format=time_format)


def test_spaces_and_signs_of_a_format_are_taken_as_they_are() -> None:
    clock = Clock(time_format="%d+%m (%Y)  %T")
    assert times_of(["02+05 (2024) 07:08:09"], clock) == [at(2024, 5, 2, 7, 8, 9)]
    assert times_of(["0205 (2024) 07:08:09"], clock) == [BAD]
    assert times_of(["02+05 (2024) 07:08:09 x"], clock) == [BAD]
