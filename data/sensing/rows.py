"""The rows of a table in a file, CSV or Parquet, as text with the place of each row for messages."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.text_files import open_bytes, read_text, refusing_unreadable

DELIMITERS = ",;\t"
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "\\n", "<na>", "nat"})  # in lower case
_PARQUET_MAGIC = b"PAR1"
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_EXPECTED = "expected a table with a row for each cell and time"


@dataclass(frozen=True)
class Rows:
    """A table as it stands in a file.

    Attributes:
        path: the file.
        columns: the names of its columns.
        rows: the fields of each row, as text, "" for a missing one.
        places: where each row is, for a person: the line of a text file, the row of a Parquet file (from 1).
        unit: "line" or "row".
    """

    path: Path
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    places: Sequence[int]
    unit: str

    def column(self, name: str) -> list[str]:
        """The fields of one column.

        Raises:
            DataError: there is no such column; lists those there are.
        """
        if name not in self.columns:
            raise DataError(f"{self.path} has no column {name!r}; its columns are {', '.join(self.columns)}")
        position = self.columns.index(name)
        return [row[position] for row in self.rows]

    def numbers(self, name: str, *, may_be_missing: bool = True) -> NDArray[np.float64]:
        """A column as numbers, NaN where there is none. Shape [rows].

        Raises:
            DataError: a field that is no number.
        """
        texts = self.column(name)
        values = np.full(len(texts), np.nan)
        for index, text in enumerate(texts):
            if may_be_missing and is_missing(text):
                continue
            number = as_number(text)
            if number is None:
                or_nothing = ", or nothing where it is missing" if may_be_missing else ""
                point = " with a decimal point, not a comma" if _DECIMAL_COMMA.fullmatch(text) else ""
                raise DataError(f"{self.at(index)}: {name} is {text!r}; expected a number{point}{or_nothing}")
            values[index] = number
        return values

    def at(self, index: int) -> str:
        """Where a row is, for a message."""
        return f"{self.path}, {self.unit} {self.places[index]}"


def is_missing(text: str) -> bool:
    r"""Whether a field says that there is nothing: empty, NA, NaN, NULL, None or \N, in any case of letters."""
    return text.lower() in MISSING


def as_number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in text else None


def read_rows(path: Path, encoding: str | None = None) -> Rows:
    """Read a table with a header: text (comma, semicolon or tab), perhaps compressed, or Parquet.

    Args:
        path: the file.
        encoding: of text; None tells it by the content.

    Raises:
        DataError: there is no such file, it is empty, damaged or no table, two columns have one name, or a row has
            more or fewer fields than the header.
    """
    with refusing_unreadable(path, _EXPECTED), open_bytes(path) as file:
        start = bytes(file.read(len(_PARQUET_MAGIC)))
    table = _parquet_rows(path) if start == _PARQUET_MAGIC else _text_rows(path, encoding)
    if not table.rows:
        raise DataError(f"{path} has no rows; expected a header and a row for each cell and time")
    if len(set(table.columns)) < len(table.columns):
        twice = next(name for index, name in enumerate(table.columns) if name in table.columns[:index])
        raise DataError(f"{path} has two columns {twice!r}; expected columns of different names")
    return table


def _text_rows(path: Path, encoding: str | None) -> Rows:
    text, _ = read_text(path, encoding, _EXPECTED)
    delimiter = max(DELIMITERS, key=text.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: tuple[str, ...] = ()
    rows, places = [], []
    try:
        for row in reader:
            if not row:
                continue
            fields = [field.strip() for field in row]
            if not columns:
                columns = tuple(fields)
                continue
            if len(fields) != len(columns):
                raise DataError(
                    f"{path}, line {reader.line_num} has {len(fields)} fields; expected {len(columns)} as in the header"
                )
            rows.append(fields)
            places.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num} cannot be read: {error}; expected a table") from error
    return Rows(path, columns, rows, places, "line")


def _parquet_rows(path: Path) -> Rows:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise DataError(f"{path} is a damaged Parquet file: {reason}") from error
    columns = [[_as_text(value) for value in column.to_pylist()] for column in table.columns]
    return Rows(path, tuple(table.column_names), list(zip(*columns, strict=True)), range(1, table.num_rows + 1), "row")


def _as_text(value: object) -> str:
    if value is None:
        return ""
    isoformat = getattr(value, "isoformat", None)  # a date or a time
    return str(isoformat()) if callable(isoformat) else str(value)
