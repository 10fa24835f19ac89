"""A sensing series from a table in long format: a row for each cell and time, a column for each attribute."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.data.sensing.rows import Rows, is_missing, read_rows
from crowdgym.data.sensing.series import FloatArray, SensingSeries

CoordinateUnit = Literal["km", "m", "degrees"]
DAY_S = 86_400.0


@dataclass(frozen=True)
class SeriesColumns:
    """Which column of a table is what.

    Attributes:
        cell: names the cell.
        time: when, as a number, or as a date or time in ``time_format``.
        x: coordinate of the cell, east (with ``unit="degrees"`` longitude).
        y: coordinate of the cell, north (with ``unit="degrees"`` latitude).
        attributes: the measured columns; if empty, every column that is nothing of the above.
        unit: of the coordinates: projected "km" or "m", or "degrees" (WGS-84; projected to UTM here).
        time_format: as of `datetime.strptime`; if None, times are ISO 8601 dates or times, or numbers.
        cycle_s: how long a cycle is; if None, the smallest gap between two times, or a day where times are numbers.

    Raises:
        DataError: the unit is another, one column is named twice, or the length of a cycle cannot be.
    """

    cell: str = "cell"
    time: str = "time"
    x: str = "x_km"
    y: str = "y_km"
    attributes: tuple[str, ...] = ()
    unit: CoordinateUnit = "km"
    time_format: str | None = None
    cycle_s: float | None = None

    def __post_init__(self) -> None:
        if self.unit not in get_args(CoordinateUnit):
            raise DataError(
                f"the unit of coordinates is {self.unit!r}; expected one of {', '.join(get_args(CoordinateUnit))}"
            )
        named = (self.cell, self.time, self.x, self.y, *self.attributes)
        if len(set(named)) < len(named):
            twice = next(name for index, name in enumerate(named) if name in named[:index])
            raise DataError(f"the column {twice!r} is named for two things; expected a column for each")
        if self.cycle_s is not None and not (np.isfinite(self.cycle_s) and self.cycle_s > 0):
            raise DataError(f"the length of a cycle is {self.cycle_s:g} s; expected a positive one")


def read_series(
    name: str,
    table: Path,
    columns: SeriesColumns | None = None,
    coordinates: Path | None = None,
    outline_km: FloatArray | None = None,
    crs: str = "",
) -> SensingSeries:
    r"""Read a series from a table. Cells are put in the natural order of their names, times in their own.

    A cell and time without a row has no values; a field that is empty, NA, NaN, NULL, None or \N is no value.

    Args:
        name: of the series.
        table: CSV with a header (comma, semicolon or tab), or Parquet; a row for each cell and time.
        columns: which column is what.
        coordinates: another table with the columns ``cell``, ``x`` and ``y``, a row for each cell; if None, ``table``
            has them.
        outline_km: the region's outline. Shape [n, 2].
        crs: what the coordinates are in, if they are projected.

    Raises:
        DataError: a file, column or field that cannot be used: names it.
    """
    columns = columns or SeriesColumns()
    rows = read_rows(table)
    names, cell = _numbered(_cells(rows, columns.cell))
    cycles, cycle, cycle_s = _cycles(rows, columns)
    _refuse_duplicates(rows, names, cell, cycles, cycle)
    places = rows if coordinates is None else read_rows(coordinates)
    x, y = _places(places, columns, names)
    attributes = columns.attributes or tuple(
        column for column in rows.columns if column not in (columns.cell, columns.time, columns.x, columns.y)
    )
    values = np.full((len(cycles), len(names), len(attributes)), np.nan)
    for index, attribute in enumerate(attributes):
        values[cycle, cell, index] = _numbers(rows, attribute)
    x_km, y_km, projection = _in_km(x, y, columns.unit, places.path)
    return SensingSeries(
        name=name,
        cells=tuple(names),
        attributes=attributes,
        cycles=cycles,
        cycle_s=cycle_s,
        x_km=x_km,
        y_km=y_km,
        crs=projection or crs,
        values=values,
        outline_km=np.empty((0, 2)) if outline_km is None else outline_km,
    )


def _cells(rows: Rows, column: str) -> list[str]:
    cells = rows.column(column)
    for index, cell in enumerate(cells):
        if is_missing(cell):
            raise DataError(f"{rows.at(index)}: {column} is {cell!r}; expected the name of a cell")
    return cells


def _numbered(entries: Sequence[str]) -> tuple[list[str], list[int]]:
    """The different entries in natural order (as numbers, if all are), and for each entry which it is."""
    different = set(entries)
    names = sorted(different, key=int) if all(entry.isdecimal() for entry in different) else sorted(different)
    numbers = {name: number for number, name in enumerate(names)}
    return names, [numbers[entry] for entry in entries]


def _cycles(rows: Rows, columns: SeriesColumns) -> tuple[tuple[str, ...], list[int], float]:
    """Names of the cycles, the cycle of each row, and the length of a cycle in seconds."""
    texts = rows.column(columns.time)
    if columns.time_format is None and _as_number(texts[0]) is not None:
        numbers = _numbers(rows, columns.time, may_be_missing=False)
        different, cycle = np.unique(numbers, return_inverse=True)
        return tuple(f"{number:g}" for number in different), cycle.tolist(), columns.cycle_s or DAY_S
    times = [_as_time(rows, index, columns) for index in range(len(texts))]
    try:
        moments = sorted(set(times))
    except TypeError:
        raise DataError(
            f"{rows.path}: {columns.time} has times with and without a time zone; expected all of one kind"
        ) from None
    position = {moment: number for number, moment in enumerate(moments)}
    gaps_s = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    daily = all(moment.time() == datetime.min.time() for moment in moments)
    names = tuple((moment.date() if daily else moment).isoformat() for moment in moments)
    return names, [position[time] for time in times], columns.cycle_s or min(gaps_s, default=DAY_S)


def _as_time(rows: Rows, index: int, columns: SeriesColumns) -> datetime:
    text = rows.rows[index][rows.columns.index(columns.time)]
    try:
        if columns.time_format is None:
            return datetime.fromisoformat(text)
        return datetime.strptime(text, columns.time_format)
    except ValueError:
        wanted = "a date as 2005-10-31 (or name its format)" if columns.time_format is None else columns.time_format
        raise DataError(f"{rows.at(index)}: {columns.time} is {text!r}; expected {wanted}") from None


def _refuse_duplicates(
    rows: Rows, names: Sequence[str], cell: Sequence[int], cycles: Sequence[str], cycle: Sequence[int]
) -> None:
    seen: dict[tuple[int, int], int] = {}
    for index, pair in enumerate(zip(cell, cycle, strict=True)):
        first = seen.setdefault(pair, index)
        if first != index:
            raise DataError(
                f"{rows.at(index)}: the cell {names[pair[0]]!r} has a second row for {cycles[pair[1]]} (the first is "
                f"{rows.unit} {rows.places[first]}); expected one row for each cell and time"
            )


def _places(rows: Rows, columns: SeriesColumns, names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """The coordinates of each cell as they stand in the table. Shapes [X]."""
    number = {name: index for index, name in enumerate(names)}
    cells = _cells(rows, columns.cell)
    xs, ys = _numbers(rows, columns.x), _numbers(rows, columns.y)
    x, y = np.full(len(names), np.nan), np.full(len(names), np.nan)
    first: dict[str, int] = {}
    for index, cell in enumerate(cells):
        if cell not in number:
            raise DataError(f"{rows.at(index)}: the cell {cell!r} has no value at all; expected at least one row of it")
        if np.isnan(xs[index]) or np.isnan(ys[index]):
            continue
        place, here = number[cell], (xs[index], ys[index])
        if cell in first and (x[place], y[place]) != here:
            raise DataError(
                f"{rows.at(index)}: the cell {cell!r} is at ({here[0]:g}, {here[1]:g}), but at ({x[place]:g}, "
                f"{y[place]:g}) in {rows.unit} {rows.places[first[cell]]}; expected one place for each cell"
            )
        first.setdefault(cell, index)
        x[place], y[place] = here
    lost = [name for name in names if name not in first]
    if lost:
        raise DataError(
            f"{rows.path} has no coordinates of the cell {lost[0]!r}; "
            f"expected {columns.x} and {columns.y} for every cell"
        )
    return x, y


def _numbers(rows: Rows, column: str, *, may_be_missing: bool = True) -> FloatArray:
    """A column as numbers, NaN where there is none. Shape [rows]."""
    texts = rows.column(column)
    values = np.full(len(texts), np.nan)
    for index, text in enumerate(texts):
        if may_be_missing and is_missing(text):
            continue
        number = _as_number(text)
        if number is None:
            or_nothing = ", or nothing where it is missing" if may_be_missing else ""
            raise DataError(f"{rows.at(index)}: {column} is {text!r}; expected a number{or_nothing}")
        values[index] = number
    return values


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in text else None


def _in_km(x: FloatArray, y: FloatArray, unit: CoordinateUnit, source: Path) -> tuple[FloatArray, FloatArray, str]:
    """Coordinates in km, and the projection if they were projected here. Shapes [X]."""
    if unit == "degrees":
        from crowdgym.data.roads.projection import check_coordinates, project_utm

        check_coordinates(np.arange(1, len(x) + 1), x, y, str(source))
        x_m, y_m, crs = project_utm(x, y, str(source))
        return x_m / 1000, y_m / 1000, crs
    divisor = 1000.0 if unit == "m" else 1.0
    return x / divisor, y / divisor, ""
