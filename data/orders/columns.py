"""Columns of a table as Arrow gives them, read as numbers or as text."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.orders.raw import Mask

_NUMBER = r"^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:inf(?:inity)?))$"


def as_numbers(column: Any) -> tuple[NDArray[np.float64], Mask, Mask]:
    """Values (NaN where there is none), where they are missing, and where there is text that is no number."""
    import pyarrow
    from pyarrow import compute

    missing = np.array(compute.is_null(column))
    try:
        value = _cast(column)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
        # Not by `pandas.to_numeric`: pandas 2.3.3 dies of "1e4000000000000".
        text = compute.utf8_trim_whitespace(as_strings(column))
        is_number = compute.match_substring_regex(text, _NUMBER)
        value = _cast(compute.if_else(is_number, text, pyarrow.scalar(None, pyarrow.string())))
    is_nan = np.isnan(value)
    # A number column may hold NaN for "nothing"; text that says so has become null when it was read.
    missing |= is_nan & (not is_text(column))
    return value, missing, is_nan & ~missing


def as_strings(column: Any) -> Any:
    """The column as an Arrow array of text, "" where there is nothing."""
    import pyarrow
    from pyarrow import compute

    return compute.fill_null(compute.cast(column, pyarrow.string()), "")


def is_text(column: Any) -> bool:
    """Whether the column holds text."""
    import pyarrow

    return bool(pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type))


def with_point(column: Any) -> Any:
    """Text with decimal commas as text with decimal points; other columns as they are."""
    from pyarrow import compute

    return compute.replace_substring(column, ",", ".") if is_text(column) else column


def has_decimal_comma(column: Any) -> Mask:
    """Where there is a number with a decimal comma. Shape [R]."""
    from pyarrow import compute

    if not is_text(column):
        return np.zeros(len(column), np.bool_)
    found = compute.match_substring_regex(column, r"^\s*[+-]?\d+,\d+\s*$")
    return np.asarray(compute.fill_null(found, False))


def _cast(column: Any) -> NDArray[np.float64]:
    """Arrow's own reading of numbers, with NaN for null."""
    import pyarrow
    from pyarrow import compute

    value: NDArray[np.float64] = np.array(compute.fill_null(compute.cast(column, pyarrow.float64()), float("nan")))
    return value
