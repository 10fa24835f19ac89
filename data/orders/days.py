"""Days of an order stream: one, or a range, or several."""

import re
from dataclasses import dataclass

import numpy as np

from crowdgym.common.errors import DataError

_DATED_FROM = 365  # 1971-01-01; orders without dates count from 1970-01-01, and no real order is that old
_DATE = r"\d{4}-\d\d-\d\d"
_RANGE = re.compile(rf"({_DATE})(?:\.\.({_DATE}))?")
_NUMBERS = re.compile(r"([1-9]\d{0,6})(?:\.\.([1-9]\d{0,6}))?")


@dataclass(frozen=True)
class DayRange:
    """Days from the first to the last, both included, counted from 1970-01-01."""

    first: int
    last: int

    def __str__(self) -> str:
        first, last = date_of(self.first), date_of(self.last)
        return first if first == last else f"{first}..{last}"


def date_of(day: int) -> str:
    """A day counted from 1970-01-01 as 2017-05-01."""
    return str(np.datetime64(day, "D"))


def day_number(date: str) -> int | None:
    """The inverse of `date_of`; None for days of orders without dates."""
    day = int(np.datetime64(date, "D").astype(np.int64))
    return day if day >= _DATED_FROM else None


def parse_days(text: str, option: str = "--days") -> DayRange:
    """Days written as 2017-05-01 or 2017-05-01..2017-05-07.

    Args:
        text: what is written.
        option: where, for the message.

    Raises:
        DataError: it is written otherwise, or the last day is before the first.
    """
    found = _RANGE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        first, last = (int(np.datetime64(date, "D").astype(np.int64)) for date in (found[1], found[2] or found[1]))
        if last < first:
            raise ValueError
    except ValueError:
        raise DataError(
            f"{option} is {text!r}; expected a day as 2017-05-01, or days as 2017-05-01..2017-05-07"
        ) from None
    return DayRange(first, last)


def parse_zones(text: str, first_day: int | None, option: str) -> tuple[tuple[int, int], ...]:
    """Zones of days: a day or a range each, separated by commas, written as dates or as numbers from 1 on.

    Args:
        text: such as ``2017-05-01..2017-05-05,2017-05-06`` or ``1..5,6``.
        first_day: day 1 of the stream, counted from 1970-01-01; None where its orders have no dates.
        option: where, for the message.

    Returns:
        First and last day of each zone, counted from 0, the first day of the stream.

    Raises:
        DataError: it is written otherwise, or has dates that the stream lacks.
    """
    zones = []
    for part in text.split(","):
        numbers = _NUMBERS.fullmatch(part.strip())
        if numbers is not None:
            first, last = int(numbers[1]) - 1, int(numbers[2] or numbers[1]) - 1
            if last < first:
                raise DataError(f"{option} has {part.strip()!r}; expected the first day before the last")
        else:
            days = parse_days(part.strip(), option)
            if first_day is None:
                raise DataError(
                    f"{option} is {text!r}, but the orders have no dates; expected numbers, 1 for the first"
                )
            first, last = days.first - first_day, days.last - first_day
        zones.append((first, last))
    return tuple(zones)
