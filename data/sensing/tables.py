"""A sensing series from a table in long format: a row for each cell and time, a column for each attribute."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.sensing.cycles import Cycles, cycles_of
from crowdgym.data.sensing.rows import Rows, is_missing, read_rows
from crowdgym.data.sensing.series import FloatArray, SensingSeries

CoordinateUnit = Literal["km", "m", "degrees"]
IntArray = NDArray[np.int64]

_DEGREES = frozenset({"lon", "lng", "long", "longitude", "lat", "latitude"})
MOST_VALUES = 200_000_000  # of a series; each takes eight bytes
_UNIT_ENDING = re.compile(r"[ _.(\[](km|m)[)\]]?$")


@dataclass(frozen=True)
class SeriesColumns:
    """Which column of a table is what.

    Attributes:
        cell: names the cell.
        time: when, as a number, or as a date or time in ``time_format``. Several columns are joined by "+": the date
            and the time, or year, month, day, hour and so on, as in "year+month+day+hour".
        x: coordinate of the cell, east (with ``unit="degrees"`` longitude).
        y: coordinate of the cell, north (with ``unit="degrees"`` latitude).
        attributes: the measured columns; if empty, every column that is nothing of the above. With ``parameter`` its
            values that are wanted; if empty, all.
        parameter: names the attribute of a row, where a row has one value.
        value: the value of such a row.
        unit: of the coordinates: projected "km" or "m", or "degrees" (WGS-84; projected to UTM here). None is told by
            the names of the columns (x_m, east_km, lon), and is km where they do not say.
        time_format: as of `datetime.strptime`; if None, times are ISO 8601 dates or times, or numbers.
        cycle_s: how long a cycle is; rows of a cell in one cycle are put together by their mean. None: the smallest gap
            between two times, or a day where times are numbers; where cells have no times in common, a little more
            than the usual pause of a cell.
        encoding: of text; None is told by the content.

    Raises:
        DataError: the unit is another, one column is named twice, or the length of a cycle cannot be.
    """

    cell: str = "cell"
    time: str = "time"
    x: str = "x_km"
    y: str = "y_km"
    attributes: tuple[str, ...] = ()
    parameter: str | None = None
    value: str | None = None
    unit: CoordinateUnit | None = None
    time_format: str | None = None
    cycle_s: float | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.unit is not None and self.unit not in get_args(CoordinateUnit):
            raise DataError(
                f"the unit of coordinates is {self.unit!r}; expected one of {', '.join(get_args(CoordinateUnit))}"
            )
        if (self.parameter is None) != (self.value is None):
            raise DataError("one of the columns of parameters and values is named alone; expected both or none")
        one_a_row = [name for name in (self.parameter, self.value) if name is not None]
        named = (self.cell, *self.times, self.x, self.y, *one_a_row, *self.attributes)
        if len(set(named)) < len(named):
            twice = next(name for index, name in enumerate(named) if name in named[:index])
            raise DataError(f"the column {twice!r} is named for two things; expected a column for each")
        if self.cycle_s is not None and not (np.isfinite(self.cycle_s) and self.cycle_s > 0):
            raise DataError(f"the length of a cycle is {self.cycle_s:g} s; expected a positive one")

    @property
    def times(self) -> tuple[str, ...]:
        """The columns that together say when."""
        return tuple(self.time.split("+"))


@dataclass(frozen=True)
class SeriesReading:
    """A series that was read, and what is to be said about how: one fact each."""

    series: SensingSeries
    notes: tuple[str, ...]


def read_series(
    name: str,
    table: Path,
    columns: SeriesColumns | None = None,
    coordinates: Path | None = None,
    outline_km: FloatArray | None = None,
    crs: str = "",
) -> SeriesReading:
    r"""Read a series from a table. Cells are put in the natural order of their names, times in their own.

    A cell and time without a row has no values; a field that is empty, NA, NaN, NULL, None or \N is no value.

    Args:
        name: of the series.
        table: text with a header (comma, semicolon or tab), or Parquet; a row for each cell and time, or for each cell,
            time and parameter.
        columns: which column is what.
        coordinates: another table with the columns ``cell``, ``x`` and ``y``, a row for each cell; if None, ``table``
            has them.
        outline_km: the region's outline. Shape [n, 2].
        crs: what the coordinates are in, if they are projected.

    Raises:
        DataError: a file, column or field that cannot be used: names it.
    """
    columns = columns or SeriesColumns()
    rows = read_rows(table, columns.encoding)
    names, cell = _numbered(_cells(rows, columns.cell))
    cycles = cycles_of(rows, columns.times, columns.time_format, columns.cycle_s, cell)
    _check_size(rows, columns, len(names), len(cycles.names))
    places = rows if coordinates is None else read_rows(coordinates, columns.encoding)
    x, y = _places(places, columns, names)
    if columns.parameter is None:
        attributes, values, readings = _wide_values(rows, columns, names, cell, cycles)
    else:
        attributes, values, readings = _long_values(rows, columns, names, cell, cycles)
    unit, unit_note = _unit_of(columns)
    x_km, y_km, projection = _in_km(x, y, unit, places.path)
    series = SensingSeries(
        name=name,
        cells=tuple(names),
        attributes=attributes,
        cycles=cycles.names,
        cycle_s=cycles.cycle_s,
        x_km=x_km,
        y_km=y_km,
        crs=projection or crs,
        values=values,
        outline_km=np.empty((0, 2)) if outline_km is None else outline_km,
    )
    return SeriesReading(series, (*unit_note, *_binning_note(series, cycles, readings)))


def _check_size(rows: Rows, columns: SeriesColumns, cells: int, cycles: int) -> None:
    """Check how large the series will be, before room is made for it: it has a value for each cell and cycle."""
    if columns.attributes:
        attributes = len(columns.attributes)
    elif columns.parameter is not None:
        attributes = len(set(rows.column(columns.parameter)))
    else:
        attributes = len(rows.columns)
    values = cells * cycles * attributes
    if values > MOST_VALUES:
        raise DataError(
            f"{rows.path} has {cells:,} cells, {cycles:,} cycles and {attributes} attributes, which are {values:,} "
            f"values; expected at most {MOST_VALUES:,} (--cycle makes cycles longer)"
        )


def _wide_values(
    rows: Rows, columns: SeriesColumns, names: Sequence[str], cell: IntArray, cycles: Cycles
) -> tuple[tuple[str, ...], FloatArray, int]:
    """Attributes, their values [Y, X, A], and how many values there were, of a table with a column for each."""
    others = (columns.cell, *columns.times, columns.x, columns.y)
    attributes = columns.attributes or tuple(column for column in rows.columns if column not in others)
    _refuse_duplicates(rows, columns, names, cell, cycles)
    given = [rows.numbers(attribute) for attribute in attributes]
    shape = (len(cycles.names), len(names))
    values = [_means(column, cycles.of_row, cell, shape) for column in given]
    stacked = np.stack(values, axis=2) if values else np.empty((*shape, 0))
    return attributes, stacked, sum(int((~np.isnan(column)).sum()) for column in given)


def _long_values(
    rows: Rows, columns: SeriesColumns, names: Sequence[str], cell: IntArray, cycles: Cycles
) -> tuple[tuple[str, ...], FloatArray, int]:
    """The same of a table with a row for each cell, time and parameter."""
    assert columns.parameter is not None
    assert columns.value is not None
    parameter, value = rows.column(columns.parameter), rows.numbers(columns.value)
    different, which = _numbered(parameter)
    attributes = columns.attributes or tuple(different)
    unknown = [attribute for attribute in attributes if attribute not in different]
    if unknown:
        raise DataError(f"{rows.path} has no {columns.parameter} {unknown[0]!r}; it has {', '.join(different)}")
    _refuse_duplicates(rows, columns, names, cell, cycles)
    shape = (len(cycles.names), len(names))
    values = []
    for attribute in attributes:
        here = which == different.index(attribute)
        values.append(_means(value[here], cycles.of_row[here], cell[here], shape))
    return attributes, np.stack(values, axis=2), int((~np.isnan(value)).sum())


def _means(value: FloatArray, cycle: IntArray, cell: IntArray, shape: tuple[int, int]) -> FloatArray:
    """The mean of the values of each cycle and cell, NaN where there is none. Shape [Y, X]."""
    known = ~np.isnan(value)
    place = cycle[known] * shape[1] + cell[known]
    count = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)
    total = np.bincount(place, weights=value[known], minlength=shape[0] * shape[1]).reshape(shape)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _binning_note(series: SensingSeries, cycles: Cycles, readings: int) -> tuple[str, ...]:
    if not cycles.binned:
        return ()
    kept = int(series.values.size - series.missing.sum())
    return (f"put {readings:,} readings together in cycles of {cycles.cycle_s:g} s: {kept:,} values, means of each",)


def _unit_of(columns: SeriesColumns) -> tuple[CoordinateUnit, tuple[str, ...]]:
    """The unit of the coordinates, and a note where nothing says it."""
    if columns.unit is not None:
        return columns.unit, ()
    if {columns.x.lower().rpartition("_")[2], columns.y.lower().rpartition("_")[2]} <= _DEGREES:
        return "degrees", ()
    ending = _UNIT_ENDING.search(columns.x.lower())
    if ending is not None:
        return ("m" if ending[1] == "m" else "km"), ()
    return "km", (f"took {columns.x} and {columns.y} for kilometres (--unit names another unit)",)


def _cells(rows: Rows, column: str) -> list[str]:
    cells = rows.column(column)
    for index, cell in enumerate(cells):
        if is_missing(cell):
            raise DataError(f"{rows.at(index)}: {column} is {cell!r}; expected the name of a cell")
    return cells


def _numbered(entries: Sequence[str]) -> tuple[list[str], IntArray]:
    """The different entries in natural order (s2 before s10), and for each entry which it is."""
    names = sorted(set(entries), key=_natural)
    numbers = {name: number for number, name in enumerate(names)}
    return names, np.array([numbers[entry] for entry in entries], np.int64)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Numbers in a name count as numbers, and come before letters; the name itself breaks ties, as of 7 and 07."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts] + [(2, 0, name)]


def _refuse_duplicates(
    rows: Rows, columns: SeriesColumns, names: Sequence[str], cell: IntArray, cycles: Cycles
) -> None:
    """Refuse a second row of a cell for one time (and parameter); rows of different times of a cycle are no such."""
    when = list(zip(*map(rows.column, columns.times), strict=True)) if cycles.binned else cycles.of_row.tolist()
    parameter = rows.column(columns.parameter) if columns.parameter is not None else [""] * len(cell)
    seen: dict[tuple[object, ...], int] = {}
    for index, (number, *rest) in enumerate(zip(cell.tolist(), when, parameter, strict=True)):
        first = seen.setdefault((number, *rest), index)
        if first != index:
            raise DataError(
                f"{rows.at(index)}: the cell {names[number]!r} has a second row for "
                f"{cycles.names[cycles.of_row[index]]} (the first is {rows.unit} {rows.places[first]}); expected one "
                "row for each cell and time"
            )


def _places(rows: Rows, columns: SeriesColumns, names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """The coordinates of each cell as they stand in the table. Shapes [X]."""
    number = {name: index for index, name in enumerate(names)}
    cells = _cells(rows, columns.cell)
    xs, ys = rows.numbers(columns.x), rows.numbers(columns.y)
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


def _in_km(x: FloatArray, y: FloatArray, unit: CoordinateUnit, source: Path) -> tuple[FloatArray, FloatArray, str]:
    """Coordinates in km, and the projection if they were projected here. Shapes [X]."""
    if unit == "degrees":
        from crowdgym.data.roads.projection import check_coordinates, project_utm

        check_coordinates(np.arange(1, len(x) + 1), x, y, str(source))
        x_m, y_m, crs = project_utm(x, y, str(source))
        return x_m / 1000, y_m / 1000, crs
    divisor = 1000.0 if unit == "m" else 1.0
    return x / divisor, y / divisor, ""
