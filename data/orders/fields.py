"""Columns turned into coordinates, node ids and keys, with what is wrong with each row."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.coordinates import to_wgs84
from crowdgym.data.orders.columns import as_numbers, as_strings, has_decimal_comma, with_point
from crowdgym.data.orders.raw import (
    BAD_COORDINATES,
    BAD_POLYLINE,
    BAD_TIME,
    DECIMAL_COMMA,
    MISSING_COORDINATES,
    MISSING_ID,
    MISSING_NODE,
    NO_KEY,
    NO_NODE,
    OUT_OF_RANGE,
    SWAPPED,
    UNKNOWN_NODE,
    Coordinates,
    Mask,
    NodeIds,
    Reasons,
)
from crowdgym.data.orders.times import EARLIEST_S, Clock, local_times

_LARGEST_OFFSET_MIN = 14 * 60


def coordinates(
    longitude: Any, latitude: Any, crs: str | None, reasons: Reasons, *, decimal_comma: bool = False
) -> Coordinates:
    """Turn two columns into WGS-84 coordinates.

    Args:
        longitude: Arrow array of numbers, or of text that holds numbers; for a projected system metres east.
        latitude: the same; metres north.
        crs: the coordinate system, see `crowdgym.data.coordinates.to_wgs84`; None is WGS-84.
        reasons: rows without usable coordinates are named here. 0, 0 is out of range: it stands for "unknown".
        decimal_comma: numbers are written 104,07.

    Returns:
        Coordinates with NaN where there are none. Shape [R].
    """
    commas = has_decimal_comma(longitude) | has_decimal_comma(latitude)
    columns = (longitude, latitude)
    read_as = tuple(map(with_point, columns)) if decimal_comma else columns
    (x, no_x, text_x), (y, no_y, text_y) = as_numbers(read_as[0]), as_numbers(read_as[1])
    reasons.add(MISSING_COORDINATES, no_x | no_y)
    if not decimal_comma:
        reasons.add(DECIMAL_COMMA, commas, *columns)
    reasons.add(BAD_COORDINATES, text_x | text_y, *columns)
    with np.errstate(invalid="ignore"):
        nowhere = (x == 0) & (y == 0)
        x[nowhere | ~np.isfinite(x + y)] = np.nan
        longitude_deg, latitude_deg = to_wgs84(x, y, crs or "wgs84")
        possible = _on_earth(longitude_deg, latitude_deg)
        lost = np.flatnonzero(~possible & ~nowhere)
        swapped = np.zeros(len(possible), np.bool_)
        swapped[lost] = _on_earth(*to_wgs84(y[lost], x[lost], crs or "wgs84"))
    reasons.add(SWAPPED, swapped, *columns)
    reasons.add(OUT_OF_RANGE, ~possible, *columns)
    return Coordinates(np.where(possible, longitude_deg, np.nan), np.where(possible, latitude_deg, np.nan))


def polyline_ends(column: Any, end: int, crs: str | None, reasons: Reasons) -> Coordinates:
    """The first (``end`` 0) or last (1) point of ways as [[x, y], ...], as WGS-84 coordinates. Shape [R]."""
    import pyarrow
    from pyarrow import compute

    number = r"\s*(?P<{}>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*"
    point = rf"\[{number.format('x')},{number.format('y')}\]"
    pattern = rf"^\s*\[\s*{point}" if end == 0 else rf"{point}\s*\]\s*$"
    parts = compute.extract_regex(as_strings(column), pattern)
    reasons.add(BAD_POLYLINE, np.asarray(compute.is_null(parts)), column)
    x, y = (compute.cast(compute.struct_field(parts, [index]), pyarrow.float64()) for index in (0, 1))
    return coordinates(x, y, crs, reasons)


def node_ids(column: Any, reasons: Reasons) -> NodeIds:
    """Turn a column into ids of road nodes; "17.0" is 17. Whether the network knows them is seen later."""
    number, missing, is_text = as_numbers(column)
    with np.errstate(invalid="ignore"):
        whole = (np.abs(number) < 2.0**53) & (number == np.floor(number))
    reasons.add(MISSING_NODE, missing)
    reasons.add(UNKNOWN_NODE, is_text | ~whole, column)
    return NodeIds(np.where(whole, np.where(whole, number, 0).astype(np.int64), NO_NODE))


def keys(column: Any, reasons: Reasons | None = None) -> NDArray[np.uint64]:
    """64-bit hashes of a column of ids; NO_KEY where there is none, which is named in ``reasons``. Shape [R]."""
    import pandas as pd
    from pyarrow import compute

    missing = np.asarray(compute.is_null(column))
    if reasons is not None:
        reasons.add(MISSING_ID, missing)
    text = as_strings(column).to_numpy(zero_copy_only=False)
    hashes: NDArray[np.uint64] = pd.util.hash_array(text, categorize=False)
    return np.where(missing, NO_KEY, np.where(hashes == NO_KEY, np.uint64(1), hashes))


def offsets_s(column: Any, reasons: Reasons) -> NDArray[np.int64]:
    """Minutes that local clocks are ahead of Greenwich, in seconds; rows without are bad times. Shape [R]."""
    minutes, missing, is_text = as_numbers(column)
    usable = ~missing & ~is_text & (np.abs(minutes) <= _LARGEST_OFFSET_MIN)
    reasons.add(BAD_TIME, ~usable, column)
    return np.where(usable, minutes * 60, 0).astype(np.int64)


def amounts(column: Any) -> NDArray[np.float64]:
    """Amounts of a column, NaN where there is none or a negative one. Shape [R]."""
    amount, _, _ = as_numbers(column)
    return np.where(np.isfinite(amount) & (amount >= 0), amount, np.nan)


def seconds_until(column: Any, time_s: NDArray[np.int64], clock: Clock) -> NDArray[np.float64]:
    """Seconds from ``time_s`` until the times of a column, NaN where there is none or it is earlier. Shape [R].

    Numbers too small for a time are seconds after ``time_s``, unless the clock counts seconds of day.
    """
    number, _, text = as_numbers(column)
    with np.errstate(invalid="ignore"):
        is_length = ~text & (number >= 0) & (number < EARLIEST_S) & (clock.kind == "auto")
    reasons = Reasons(len(time_s))
    until_s = local_times(column, clock, reasons, Counter()) - time_s
    with np.errstate(invalid="ignore"):
        after_s = np.where(is_length, number, np.where(reasons.usable, until_s, np.nan))
        return np.where(after_s >= 0, after_s, np.nan)


def no_coordinates(num_rows: int) -> Coordinates:
    """Places that nothing is known of."""
    nothing = np.full(num_rows, np.nan)
    return Coordinates(nothing, nothing)


def _on_earth(longitude_deg: NDArray[np.float64], latitude_deg: NDArray[np.float64]) -> Mask:
    on_earth: Mask = (np.abs(longitude_deg) <= 180) & (np.abs(latitude_deg) <= 90)
    return on_earth
