"""The cycles of a sensing table: regular times as they are, irregular ones put together in cycles of one length."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.sensing.rows import Rows, as_number

IntArray = NDArray[np.int64]

DAY_S = 86_400.0
# Lengths that a cycle gets if none is named: the smallest that is no shorter than the usual pause of a cell.
_SECONDS, _HOURS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800), (1, 2, 3, 6, 12, 24)
USUAL_CYCLES_S = (*_SECONDS, *(3600 * hours for hours in _HOURS))
# Times are irregular where hardly any two cells have one in common, and they are far closer than those of one cell.
_MOST_ROWS_A_TIME, _CLOSER = 1.5, 2.0
_EARLIEST_UNIX_S, _LATEST_UNIX_S = 631_152_000, 4_102_444_800
_ISO_LOOSE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(.*))?")


@dataclass(frozen=True)
class Cycles:
    """When the rows of a table are.

    Attributes:
        names: of the cycles, in order. Length Y.
        of_row: the cycle of each row. Shape [rows].
        cycle_s: how long a cycle is, in seconds.
        binned: rows at different times of one cycle are put together.
    """

    names: tuple[str, ...]
    of_row: IntArray
    cycle_s: float
    binned: bool


def cycles_of(
    rows: Rows, columns: Sequence[str], time_format: str | None, cycle_s: float | None, cell: IntArray
) -> Cycles:
    """Tell the cycles of a table.

    Args:
        rows: the table.
        columns: the columns that together say when: one, or the date and the time, or year, month, day, hour, ...
        time_format: as of `datetime.strptime`, of the columns joined by a space; None: ISO 8601, or numbers.
        cycle_s: length of a cycle in seconds; None tells it by the times.
        cell: of each row. Shape [rows].

    Raises:
        DataError: a time that is none.
    """
    parts = [rows.column(column) for column in columns]
    numbers = None if time_format is not None or len(parts) > 1 else _plain_numbers(rows, columns[0], parts[0])
    if numbers is not None and not _are_unix(numbers):
        different, cycle = np.unique(numbers, return_inverse=True)
        return Cycles(tuple(f"{number:g}" for number in different), cycle.astype(np.int64), cycle_s or DAY_S, False)
    if numbers is not None:
        moments = [datetime.fromtimestamp(number, UTC).replace(tzinfo=None) for number in numbers]
    else:
        moments = [
            _as_time(rows, index, columns, texts, time_format) for index, texts in enumerate(zip(*parts, strict=True))
        ]
    if len({moment.tzinfo is None for moment in moments}) > 1:
        raise DataError(f"{rows.path}: {columns[0]} has times with and without a time zone; expected all of one kind")
    return _of_moments(moments, cycle_s, cell)


def _of_moments(moments: list[datetime], cycle_s: float | None, cell: IntArray) -> Cycles:
    first = min(moments).replace(hour=0, minute=0, second=0, microsecond=0)
    since_s = np.array([(moment - first).total_seconds() for moment in moments])  # [rows]
    chosen_s = cycle_s or _irregular_cycle_s(since_s, cell)
    starts_s = since_s if chosen_s is None else np.floor(since_s / chosen_s) * chosen_s
    different, cycle = np.unique(starts_s, return_inverse=True)
    starts = [first + timedelta(seconds=float(start)) for start in different]
    daily = all(start.time() == datetime.min.time() for start in starts)
    names = tuple((start.date() if daily else start).isoformat() for start in starts)
    length_s = chosen_s or min((later - earlier for earlier, later in pairwise(different.tolist())), default=DAY_S)
    binned = chosen_s is not None and bool((starts_s != since_s).any())
    return Cycles(names, cycle.astype(np.int64), float(length_s), binned)


def _irregular_cycle_s(since_s: NDArray[np.float64], cell: IntArray) -> float | None:
    """The length that irregular times ask for, None where times are regular."""
    different = np.unique(since_s)
    if len(different) < 3 or len(since_s) > _MOST_ROWS_A_TIME * len(different) or cell.max() == 0:
        return None
    order = np.lexsort((since_s, cell))
    same = np.diff(cell[order]) == 0
    pauses = np.diff(since_s[order])[same]
    if not len(pauses) or np.median(pauses) <= _CLOSER * np.diff(different).min():
        return None
    usual_s = float(np.median(pauses))
    return float(next((length for length in USUAL_CYCLES_S if length >= usual_s), np.ceil(usual_s / DAY_S) * DAY_S))


def _plain_numbers(rows: Rows, column: str, texts: Sequence[str]) -> NDArray[np.float64] | None:
    """Times as numbers, if the first is one."""
    if as_number(texts[0]) is None:
        return None
    return rows.numbers(column, may_be_missing=False)


def _are_unix(numbers: NDArray[np.float64]) -> bool:
    return bool(((numbers >= _EARLIEST_UNIX_S) & (numbers < _LATEST_UNIX_S)).all())


def _as_time(rows: Rows, index: int, columns: Sequence[str], texts: Sequence[str], time_format: str | None) -> datetime:
    try:
        if time_format is not None:
            return datetime.strptime(" ".join(texts), time_format)
        if len(texts) > 2:
            return datetime(*(int(float(text)) for text in texts))  # type: ignore[arg-type]
        return _iso(" ".join(texts))
    except (ValueError, TypeError):
        wanted = "a date as 2005-10-31 (or --time-format)" if time_format is None else time_format
        shown = "+".join(columns)
        raise DataError(f"{rows.at(index)}: {shown} is {' '.join(texts)!r}; expected {wanted}") from None


def _iso(text: str) -> datetime:
    """A time of ISO 8601, or one with other signs or fewer digits in its date, such as 2013/3/1 7:00."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        found = _ISO_LOOSE.fullmatch(text)
        if found is None:
            raise
        year, month, day, clock = found.groups()
        padded = "" if not clock else "T" + (clock if clock[1:2].isdigit() else "0" + clock)
        return datetime.fromisoformat(f"{year}-{int(month):02d}-{int(day):02d}{padded}")
