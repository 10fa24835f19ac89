"""Days of an order stream: one, or a range."""

import re
from dataclasses import dataclass

import numpy as np

from crowdgym.common.errors import DataError

_DATE = r"\d{4}-\d\d-\d\d"
_RANGE = re.compile(rf"({_DATE})(?:\.\.({_DATE}))?")


@dataclass(frozen=True)
class DayRange:
    """Days from the first to the last, both included, counted from 1970-01-01."""

    first: int
    last: int

    def __str__(self) -> str:
        first, last = (str(np.datetime64(day, "D")) for day in (self.first, self.last))
        return first if first == last else f"{first}..{last}"


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
