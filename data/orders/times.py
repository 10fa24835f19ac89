"""Times in columns of text or numbers, turned into seconds of a local clock.

Every pattern of text matches the whole field or not at all: what follows a time and is not understood makes it a bad
time, never a shorter one.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.orders.columns import as_numbers, as_strings, is_text
from crowdgym.data.orders.raw import BAD_TIME, MISSING_TIME, Mask, Reasons

TimeKind = Literal["auto", "seconds-of-day"]
IntArray = NDArray[np.int64]

SECONDS_PER_HOUR, SECONDS_PER_DAY = 3600, 86_400
# A time outside these is an error of the source: years 1990 to 2099.
EARLIEST_S, LATEST_S = 631_152_000, 4_102_444_800
DAYS_WITHOUT_DATE = 366
UNIX_UNITS = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}
_QUARTER_S = 900  # no zone changes its offset between two quarters of an hour

LOCAL_TEXT = "text without a time zone"
ZONED_TEXT = "text with the time zone"
UNIX = "Unix"
OF_DAY = "seconds of day"
# How DiDi's exports write "no time".
_ZERO_DATE = "^0000-00-00"

_ZONE = (
    r"(?P<z>[Zz]|(?:UTC|GMT)(?:[+-]\d{1,2}(?::?\d\d)?)?|[+-]\d\d(?::?\d\d)?|[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_+-]+)+)"
    r"(?:\[[^\]]*\])?"
)
_HALF = r"(?P<p>[AaPp]\.?[Mm]\.?)"
_CLOCK = r"(?P<H>\d{1,2}):(?P<M>\d{1,2})(?::(?P<S>\d{1,2})(?:[.,]\d{1,9})?)?"
# Year, month, day and the clock; and the order of C's ctime with an offset, as Twitter writes it. Dates that begin with
# the day or the month can be told from each other by a person only, so --time-format names them.
_KNOWN_PATTERNS = (
    rf"^(?P<Y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})(?:(?:[Tt]|\s+){_CLOCK}(?:\s*{_HALF})?(?:\s*{_ZONE})?)?$",
    rf"^[A-Z][a-z]{{2}},? (?P<b>[A-Z][a-z]{{2}}) (?P<d>\d{{1,2}}) {_CLOCK} {_ZONE} (?P<Y>\d{{4}})$",
)
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})",
    "f": r"\d{1,9}",
    "p": _HALF,
    "b": r"(?P<b>[A-Za-z]{3,9})",
    "B": r"(?P<b>[A-Za-z]{3,9})",
    "a": r"[A-Za-z]{2,9}",
    "A": r"[A-Za-z]{2,9}",
    "z": _ZONE,
    "Z": _ZONE,
    "%": "%",
}
_SHORTHANDS = {"%T": "%H:%M:%S", "%R": "%H:%M", "%F": "%Y-%m-%d", "%D": "%m/%d/%y"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_OR_MONTH_FIRST = re.compile(r"\d{1,2}([-/.])\d{1,2}[-/.](\d{4}|\d{2})(.*)")


@dataclass(frozen=True)
class Clock:
    """Which clock the times of a source are read on.

    Attributes:
        time_zone: "Europe/Berlin" (with summer time), "+08:00" or "UTC": instants (Unix time, text with a zone) are
            turned into this zone's local time. Empty: a zone in the text is the local one, and Unix time is UTC's.
        time_format: how text is written, as of `datetime.strptime`; empty: year, month, day, clock.
        kind: "seconds-of-day": numbers count from midnight, local time, of a first day without a date.
    """

    time_zone: str = ""
    time_format: str = ""
    kind: TimeKind = "auto"

    def __post_init__(self) -> None:
        """Check the zone and the format.

        Raises:
            DataError: no zone has this name, or the format cannot be used.
        """
        if self.time_zone and _zone(self.time_zone) is None:
            raise DataError(
                f"--time-zone is {self.time_zone!r}; expected a name such as Europe/Berlin, an offset such as +08:00, "
                "or UTC"
            )
        if self.time_format:
            _pattern_of(self.time_format)


def local_times(column: Any, clock: Clock, reasons: Reasons, seen: Counter[str]) -> IntArray:
    """Turn a column into seconds since 1970-01-01 00:00 of the local clock.

    Args:
        column: Arrow array: timestamps, dates, numbers (Unix time in seconds, milliseconds, ...), or text of either.
        clock: which clock is meant.
        reasons: rows without a usable time are named here.
        seen: counts how many times are of which kind.

    Returns:
        Whole seconds; 0 where there is no usable time. Shape [R].
    """
    import pyarrow

    kind = column.type
    if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_date(kind):
        time_s, missing, bad = _timestamps(column, clock, seen)
    elif clock.kind == "seconds-of-day":
        time_s, missing, bad = _seconds_of_day(column, seen)
    else:
        time_s, missing, bad = _numbers_or_text(column, clock, seen)
    reasons.add(MISSING_TIME, missing)
    reasons.add(BAD_TIME, bad, column)
    return np.where(missing | bad, 0, time_s)


def clock_sentence(clock: Clock, seen: Mapping[str, int]) -> str:
    """Which clock the times of a source were read on, in words."""
    parts = []
    zones = sorted(kind.removeprefix(ZONED_TEXT).strip() for kind in seen if kind.startswith(ZONED_TEXT))
    if LOCAL_TEXT in seen:
        parts.append("times without a zone are local")
    if zones:
        shown = ", ".join(zones[:3]) + (", ..." if len(zones) > 3 else "")
        to = f"turned into that of {clock.time_zone}" if clock.time_zone else "kept as local time"
        parts.append(f"the clock of the zone in the data ({shown}) is {to}")
    for kind in (kind for kind in seen if kind.startswith(UNIX)):
        to = clock.time_zone or "UTC (--time-zone names the city's)"
        parts.append(f"{kind} are read on the clock of {to}")
    if OF_DAY in seen:
        parts.append("seconds count from midnight, local time")
    return "; ".join(parts)


def format_hint(example: str) -> str:
    """Which options would read a time that is written like ``example``."""
    found = _DAY_OR_MONTH_FIRST.fullmatch(example.strip())
    if found is None:
        return "--time-format says how times are written (such as '%d.%m.%Y %H:%M'), --time-zone names their zone"
    mark, year, rest = found.groups()
    year_is = "%Y" if len(year) == 4 else "%y"
    clock = "" if ":" not in rest else " %I:%M" if re.search(r"[AaPp]\.?[Mm]", rest) else " %H:%M"
    clock += ":%S" if rest.count(":") == 2 else ""
    clock += " %p" if "%I" in clock else ""
    return (
        f"--time-format '%m{mark}%d{mark}{year_is}{clock}' where the month is first, "
        f"'%d{mark}%m{mark}{year_is}{clock}' where the day is"
    )


def _timestamps(column: Any, clock: Clock, seen: Counter[str]) -> tuple[IntArray, Mask, Mask]:
    import pyarrow
    from pyarrow import compute

    missing = np.asarray(compute.is_null(column))
    seconds = compute.cast(compute.cast(column, pyarrow.timestamp("s"), safe=False), pyarrow.int64())
    time_s = np.array(compute.fill_null(seconds, 0))
    zone_name = getattr(column.type, "tz", None)
    if zone_name:
        seen[f"{ZONED_TEXT} {zone_name}"] += int((~missing).sum())
        time_s = _on_clock(time_s, _zone(clock.time_zone or zone_name) or UTC)
    else:
        seen[LOCAL_TEXT] += int((~missing).sum())
    return time_s, missing, ~missing & _outside(time_s)


def _seconds_of_day(column: Any, seen: Counter[str]) -> tuple[IntArray, Mask, Mask]:
    number, missing, text = as_numbers(column)
    usable = ~missing & ~text & (number >= 0) & (number < DAYS_WITHOUT_DATE * SECONDS_PER_DAY)
    seen[OF_DAY] += int(usable.sum())
    return np.where(usable, number, 0).astype(np.int64), missing, ~missing & ~usable


def _numbers_or_text(column: Any, clock: Clock, seen: Counter[str]) -> tuple[IntArray, Mask, Mask]:
    number, missing, text = as_numbers(column)
    if clock.time_format and is_text(column):
        text = ~missing  # what the user has named is not guessed: a number may be a date, as 20240501
    time_s, usable = np.zeros(len(number), np.int64), np.zeros(len(number), np.bool_)
    for unit, per_s in UNIX_UNITS.items():
        with np.errstate(invalid="ignore"):
            here = ~text & (number >= EARLIEST_S * per_s) & (number < LATEST_S * per_s)
        if here.any():
            seen[f"{UNIX} {unit}"] += int(here.sum())
            instant = np.floor(number[here] / per_s).astype(np.int64)
            time_s[here], usable[here] = _on_clock(instant, _zone(clock.time_zone) or UTC), True
    if text.any():
        words = as_strings(column).filter(_arrow_mask(text))
        time_s[text], usable[text], none = _text_times(words, clock, seen)
        missing[np.flatnonzero(text)[none]] = True
    return time_s, missing, ~missing & (~usable | _outside(time_s))


def _text_times(text: Any, clock: Clock, seen: Counter[str]) -> tuple[IntArray, Mask, Mask]:
    """Local seconds, which of them are usable, and which say that there is no time."""
    from pyarrow import compute

    text = compute.utf8_trim_whitespace(text)
    time_s, usable = np.zeros(len(text), np.int64), np.zeros(len(text), np.bool_)
    patterns = (_pattern_of(clock.time_format),) if clock.time_format else _KNOWN_PATTERNS
    rest = np.arange(len(text))
    for pattern in patterns:
        parts = compute.extract_regex(text.take(rest), pattern)
        matched = np.asarray(compute.is_valid(parts))
        if matched.any():
            rows = rest[matched]
            time_s[rows], usable[rows] = _of_parts(parts.filter(_arrow_mask(matched)), clock, seen)
        rest = rest[~matched]
        if not len(rest):
            break
    zero = np.asarray(compute.fill_null(compute.match_substring_regex(text, _ZERO_DATE), False))
    return time_s, usable & ~zero, zero


def _of_parts(parts: Any, clock: Clock, seen: Counter[str]) -> tuple[IntArray, Mask]:
    """Local seconds of fields that were taken apart, and which are possible. Shapes [R]."""
    names = {field.name for field in parts.type}

    def number(name: str, otherwise: int = 0) -> IntArray:
        return _whole(parts.field(name), otherwise) if name in names else np.full(len(parts), otherwise)

    year = number("Y") if "Y" in names else _four_digits(number("y"))
    month = _month_numbers(parts.field("b")) if "b" in names else number("m")
    day, hour, minute, second = number("d"), number("H"), number("M"), number("S")
    hour, possible = _on_24_hours(hour, parts.field("p") if "p" in names else None)
    possible &= (month >= 1) & (month <= 12) & (day >= 1) & (minute <= 59) & (second <= 59)
    first = ((year - 1970) * 12 + np.where(possible, month, 1) - 1).astype("datetime64[M]")
    date = first.astype("datetime64[D]") + (day - 1)
    possible &= date.astype("datetime64[M]") == first
    time_s = date.astype(np.int64) * SECONDS_PER_DAY + hour * SECONDS_PER_HOUR + minute * 60 + second
    if "z" not in names:
        seen[LOCAL_TEXT] += int(possible.sum())
        return time_s, possible
    return _of_zones(time_s, possible, parts.field("z"), clock, seen)


def _of_zones(time_s: IntArray, possible: Mask, zones: Any, clock: Clock, seen: Counter[str]) -> tuple[IntArray, Mask]:
    """Times as their zones have them: kept if no clock is named, else turned into that of the clock."""
    coded = zones.dictionary_encode()
    code = np.asarray(coded.indices)
    for number, name in enumerate(coded.dictionary.to_pylist()):
        here = np.flatnonzero((code == number) & possible)
        if not name:
            if len(here):
                seen[LOCAL_TEXT] += len(here)
            continue
        zone = _zone(name)
        if zone is None:
            possible[here] = False
            continue
        if len(here):
            seen[f"{ZONED_TEXT} {'UTC' if name in ('Z', 'z') else name}"] += len(here)
        target = _zone(clock.time_zone)
        if target is not None:
            time_s[here] = _on_clock(time_s[here] - _offsets_of_local(time_s[here], zone), target)
    return time_s, possible


def _on_24_hours(hour: IntArray, half: Any | None) -> tuple[IntArray, Mask]:
    """Hours with AM and PM on the clock of 24 hours, and which are possible."""
    from pyarrow import compute

    if half is None:
        return hour, hour <= 23
    first = compute.utf8_lower(compute.utf8_slice_codeunits(half, 0, 1))
    afternoon = np.asarray(compute.equal(first, "p"))
    halved = afternoon | np.asarray(compute.equal(first, "a"))
    possible = np.where(halved, (hour <= 12) & ~(afternoon & (hour == 0)), hour <= 23)
    return np.where(halved, hour % 12 + 12 * afternoon, hour), possible


def _whole(field: Any, otherwise: int) -> IntArray:
    import pyarrow
    from pyarrow import compute

    filled = compute.if_else(compute.equal(field, ""), str(otherwise), field)
    return np.asarray(compute.cast(filled, pyarrow.int64()))


def _month_numbers(names: Any) -> IntArray:
    coded = names.dictionary_encode()
    numbers = [
        _MONTHS.index(name[:3].lower()) + 1 if name[:3].lower() in _MONTHS else 0
        for name in coded.dictionary.to_pylist()
    ]
    month: IntArray = np.asarray(numbers, np.int64)[np.asarray(coded.indices)]
    return month


def _four_digits(year: IntArray) -> IntArray:
    """Years of two digits as `datetime.strptime` takes them: 69 to 99 are of the 20th century."""
    return np.where(year >= 69, 1900 + year, 2000 + year)


def _outside(time_s: IntArray) -> Mask:
    return (time_s < EARLIEST_S) | (time_s >= LATEST_S)


def _arrow_mask(mask: Mask) -> Any:
    import pyarrow

    return pyarrow.array(mask)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo | None:
    """The time zone of this name or offset, or None."""
    if not name:
        return None
    bare = re.sub(r"^(UTC|GMT)(?=[+-])", "", name)
    if bare in ("Z", "z", "UTC", "GMT"):
        return UTC
    offset = re.fullmatch(r"([+-])(\d{1,2})(?::?(\d\d))?", bare)
    if offset is not None:
        sign, hours, minutes = offset[1], int(offset[2]), int(offset[3] or 0)
        if hours > 14 or minutes > 59:
            return None
        return timezone(timedelta(minutes=(-1 if sign == "-" else 1) * (60 * hours + minutes)))
    try:
        return ZoneInfo(name) if "/" in name else None
    except (KeyError, ValueError, OSError):
        return None


def _on_clock(instant_s: IntArray, zone: tzinfo) -> IntArray:
    """Unix seconds as seconds of the zone's local clock."""
    quarters, which = np.unique(instant_s // _QUARTER_S, return_inverse=True)
    if zone is UTC or not len(quarters):
        return instant_s
    offsets = [_offset_s(datetime.fromtimestamp(int(quarter) * _QUARTER_S, zone)) for quarter in quarters]
    return instant_s + np.asarray(offsets, np.int64)[which]


def _offsets_of_local(local_s: IntArray, zone: tzinfo) -> IntArray:
    """How many seconds the zone is ahead of Greenwich at each of its local times."""
    quarters, which = np.unique(local_s // _QUARTER_S, return_inverse=True)
    first = datetime(1970, 1, 1, tzinfo=zone)
    offsets = [_offset_s(first + timedelta(seconds=int(quarter) * _QUARTER_S)) for quarter in quarters]
    return np.asarray(offsets, np.int64)[which]


def _offset_s(moment: datetime) -> int:
    offset = moment.utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


@lru_cache(maxsize=16)
def _pattern_of(time_format: str) -> str:
    """The pattern of a format such as '%d.%m.%Y %H:%M'.

    Raises:
        DataError: it has a directive that is not known, one twice, or lacks the year, the month or the day.
    """
    for short, long in _SHORTHANDS.items():
        time_format = time_format.replace(short, long)
    pattern, used = "", set()
    for part in re.findall(r"%.|\s+|[^%\s]+|%$", time_format):
        if part.startswith("%"):
            directive = part[1:]
            if directive not in _DIRECTIVES or directive in used:
                raise DataError(
                    f"--time-format is {time_format!r}; expected directives among "
                    f"{', '.join('%' + name for name in _DIRECTIVES)}, each once, and not {part!r}"
                )
            used.add(directive)
            pattern += _DIRECTIVES[directive]
        else:
            pattern += r"\s+" if part.isspace() else re.escape(part)
    groups = re.findall(r"\(\?P<(\w)>", pattern)
    if len(set(groups)) < len(groups) or {"Y", "y"} <= used:
        raise DataError(f"--time-format is {time_format!r}; expected each part of a time once")
    for what, letters in (("a year (%Y or %y)", "Yy"), ("a month (%m or %b)", "mbB"), ("a day (%d)", "d")):
        if not used & set(letters):
            raise DataError(f"--time-format is {time_format!r}; expected {what} in it")
    return f"^{pattern}$"
