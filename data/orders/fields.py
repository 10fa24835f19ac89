"""Columns of text or numbers turned into times, coordinates, node ids and keys, with what is wrong with each row."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.coordinates import gcj02_to_wgs84
from crowdgym.data.orders.raw import (
    BAD_COORDINATES,
    BAD_TIME,
    MISSING_COORDINATES,
    MISSING_ID,
    MISSING_NODE,
    MISSING_TIME,
    NO_KEY,
    NO_NODE,
    OUT_OF_RANGE,
    UNKNOWN_NODE,
    Coordinates,
    Mask,
    NodeIds,
    Reasons,
)

CoordinateSystem = Literal["gcj02", "wgs84"]
TimeKind = Literal["auto", "seconds-of-day"]

SECONDS_PER_HOUR = 3600
# A time outside these is an error of the source: years 1990 to 2099.
EARLIEST_S, LATEST_S = 631_152_000, 4_102_444_800
DAYS_WITHOUT_DATE = 366
_ZONE = r"[T ]\d\d.*(?:[Zz]|[+-]\d\d(?::?\d\d)?)$"
_LOOSE_TIME = r"^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2}))?"
_NUMBER = r"^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:inf(?:inity)?))$"
# How DiDi's exports write "no time".
_ZERO_DATE = "0000-00-00"


def local_times(column: Any, utc_offset_h: float, reasons: Reasons, kind: TimeKind = "auto") -> NDArray[np.int64]:
    """Turn a column into seconds since 1970-01-01 00:00 of the local clock.

    Args:
        column: Arrow array. Numbers are Unix seconds; text is ISO 8601, or year, month and day and the clock in that
            order with other signs between them. Text without a zone is local time.
        utc_offset_h: how many hours the local clock is ahead of Greenwich.
        reasons: rows without a usable time are named here.
        kind: "seconds-of-day": numbers count from midnight, local time, of a first day without a date.

    Returns:
        Whole seconds; 0 where there is no usable time. Shape [R].
    """
    import pyarrow
    from pyarrow import compute

    if pyarrow.types.is_timestamp(column.type):
        offset_s = round(utc_offset_h * SECONDS_PER_HOUR) if column.type.tz else 0
        missing = np.asarray(compute.is_null(column))
        seconds = compute.cast(compute.cast(column, pyarrow.timestamp("s"), safe=False), pyarrow.int64())
        time_s = np.asarray(compute.fill_null(seconds, 0)) + offset_s
        reasons.add(MISSING_TIME, missing)
    else:
        number, missing, is_text = _numbers(column)
        offset_s = 0 if kind == "seconds-of-day" else round(utc_offset_h * SECONDS_PER_HOUR)
        with np.errstate(invalid="ignore"):
            time_s = np.floor(np.where(np.abs(number) < 1e15, number, 0)).astype(np.int64) + offset_s
        if is_text.any():
            text_s, zero_date = _text_times(_as_text(column)[is_text], utc_offset_h)
            time_s[is_text] = text_s
            missing[np.flatnonzero(is_text)[zero_date]] = True
        reasons.add(MISSING_TIME, missing)
    if kind == "seconds-of-day":
        bad = (time_s < 0) | (time_s >= DAYS_WITHOUT_DATE * 24 * SECONDS_PER_HOUR)
    else:
        bad = (time_s < EARLIEST_S) | (time_s >= LATEST_S)
    reasons.add(BAD_TIME, bad)
    return np.where(missing | bad, 0, time_s)


def coordinates(longitude: Any, latitude: Any, system: CoordinateSystem | None, reasons: Reasons) -> Coordinates:
    """Turn two columns of degrees into WGS-84 coordinates.

    Args:
        longitude: Arrow array of numbers, or of text that holds numbers.
        latitude: the same.
        system: what the columns are in; None is WGS-84.
        reasons: rows without usable coordinates are named here. 0, 0 is out of range: it stands for "unknown".

    Returns:
        Coordinates with NaN where there are none. Shape [R].
    """
    longitude_deg, no_longitude, text_longitude = _numbers(longitude)
    latitude_deg, no_latitude, text_latitude = _numbers(latitude)
    reasons.add(MISSING_COORDINATES, no_longitude | no_latitude)
    reasons.add(BAD_COORDINATES, text_longitude | text_latitude)
    with np.errstate(invalid="ignore"):
        possible = (np.abs(longitude_deg) <= 180) & (np.abs(latitude_deg) <= 90)
        possible &= (longitude_deg != 0) | (latitude_deg != 0)
    reasons.add(OUT_OF_RANGE, ~possible)
    longitude_deg[~possible], latitude_deg[~possible] = np.nan, np.nan
    if system == "gcj02":
        longitude_deg, latitude_deg = gcj02_to_wgs84(longitude_deg, latitude_deg)
    return Coordinates(longitude_deg, latitude_deg)


def node_ids(column: Any, reasons: Reasons) -> NodeIds:
    """Turn a column into ids of road nodes; "17.0" is 17. Whether the network knows them is seen later."""
    number, missing, is_text = _numbers(column)
    with np.errstate(invalid="ignore"):
        whole = (np.abs(number) < 2.0**53) & (number == np.floor(number))
    reasons.add(MISSING_NODE, missing)
    reasons.add(UNKNOWN_NODE, is_text | ~whole)
    return NodeIds(np.where(whole, np.where(whole, number, 0).astype(np.int64), NO_NODE))


def keys(column: Any, reasons: Reasons | None = None) -> NDArray[np.uint64]:
    """64-bit hashes of a column of ids; NO_KEY where there is none, which is named in ``reasons``. Shape [R]."""
    import pandas as pd
    from pyarrow import compute

    missing = np.asarray(compute.is_null(column))
    if reasons is not None:
        reasons.add(MISSING_ID, missing)
    hashes: NDArray[np.uint64] = pd.util.hash_array(_as_text(column), categorize=False)
    return np.where(missing, NO_KEY, np.where(hashes == NO_KEY, np.uint64(1), hashes))


def no_coordinates(num_rows: int) -> Coordinates:
    """Places that nothing is known of."""
    nothing = np.full(num_rows, np.nan)
    return Coordinates(nothing, nothing)


def _numbers(column: Any) -> tuple[NDArray[np.float64], Mask, Mask]:
    """Values (NaN where there is none), where they are missing, and where there is text that is no number."""
    import pyarrow
    from pyarrow import compute

    missing = np.array(compute.is_null(column))
    try:
        value = _cast(column)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
        # Not by `pandas.to_numeric`: pandas 2.3.3 dies of "1e4000000000000".
        text = compute.utf8_trim_whitespace(pyarrow.array(_as_text(column), pyarrow.string()))
        is_number = compute.match_substring_regex(text, _NUMBER)
        value = _cast(compute.if_else(is_number, text, pyarrow.scalar(None, pyarrow.string())))
    is_nan = np.isnan(value)
    # A number column may hold NaN for "nothing"; text that says so has become null when it was read.
    missing |= is_nan & (not _is_text(column))
    return value, missing, is_nan & ~missing


def _cast(column: Any) -> NDArray[np.float64]:
    """Arrow's own reading of numbers, with NaN for null."""
    import pyarrow
    from pyarrow import compute

    value: NDArray[np.float64] = np.array(compute.fill_null(compute.cast(column, pyarrow.float64()), float("nan")))
    return value


def _text_times(text: NDArray[np.object_], utc_offset_h: float) -> tuple[NDArray[np.int64], Mask]:
    """Local seconds of times in words (0 where not understood), and which are the zero date."""
    import pandas as pd

    series = pd.Series(text, dtype=str).str.strip()
    zoned = series.str.contains(_ZONE, regex=True).to_numpy(bool)
    zero_date = series.str.startswith(_ZERO_DATE).to_numpy(bool)
    seconds = np.zeros(len(series), dtype=np.int64)
    # Apart from each other: pandas gives a time without a zone that of the row before it. Read as if it were
    # Greenwich's, a clock without a zone has the seconds that are wanted.
    for rows, offset_s in ((~zoned, 0), (zoned, round(utc_offset_h * SECONDS_PER_HOUR))):
        time = pd.to_datetime(series[rows], format="ISO8601", errors="coerce", utc=True)
        unclear = time.isna().to_numpy(bool) & ~zero_date[rows]
        if unclear.any() and rows is not zoned:
            time = time.where(~unclear, _loose_times(series[rows]))
        known = time.notna().to_numpy(bool)
        at = np.flatnonzero(rows)[known]
        seconds[at] = time[known].dt.tz_localize(None).to_numpy("datetime64[s]").astype(np.int64) + offset_s
    return seconds, zero_date


def _loose_times(series: Any) -> Any:
    """Times such as 2016/11/1 8:01, which ISO 8601 does not allow."""
    import pandas as pd

    parts = series.str.extract(_LOOSE_TIME)
    parts.columns = ["year", "month", "day", "hour", "minute", "second"]
    parts["second"] = parts["second"].fillna("0")
    return pd.to_datetime(parts.apply(pd.to_numeric, errors="coerce"), errors="coerce", utc=True)


def _as_text(column: Any) -> NDArray[np.object_]:
    import pyarrow
    from pyarrow import compute

    if not _is_text(column):
        column = compute.cast(column, pyarrow.string())
    text: NDArray[np.object_] = compute.fill_null(column, "").to_numpy(zero_copy_only=False)
    return text


def _is_text(column: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type))
