"""Road networks from two CSV files: nodes and links."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.roads.assemble import AssemblyReport, NodeTable, RoadTable, assemble
from crowdgym.data.roads.network import RoadNetwork

YES = {"1", "true", "t", "yes", "y"}
NO = {"0", "false", "f", "no", "n", ""}
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.0*)?")  # some programs write ids as 17.0


@dataclass(frozen=True)
class NodeColumns:
    """Names of the columns of a node file."""

    node_id: str
    longitude: str
    latitude: str


@dataclass(frozen=True)
class LinkColumns:
    """Names of the columns of a link file; without a length column, lengths are computed from coordinates."""

    tail: str
    head: str
    length_m: str | None
    oneway: str | None = None


@dataclass(frozen=True)
class RoadColumns:
    """Names of the columns of a node file and of a link file.

    Attributes:
        node_id: node file: whole-number id.
        longitude: node file: degrees, WGS-84.
        latitude: node file: degrees, WGS-84.
        tail: link file: id of the node where the road begins.
        head: link file: id of the node where it ends.
        length_m: link file: length in metres, may be empty or zero; None if there is no such column.
        oneway: link file: 1/true/yes if the road leads from tail to head only; None if every road is two-way.
    """

    node_id: str
    longitude: str
    latitude: str
    tail: str
    head: str
    length_m: str | None = None
    oneway: str | None = None


# What is recognised without being told: GMNS as osm2gmns writes it (the Haikou files), and the Chengdu files.
KNOWN_NODES = (NodeColumns("node_id", "x_coord", "y_coord"), NodeColumns("NodeID", "Longitude", "Latitude"))
KNOWN_LINKS = (LinkColumns("from_node_id", "to_node_id", "length"), LinkColumns("u", "v", "length_m"))


def read_road_tables(
    nodes_path: str | Path, links_path: str | Path, columns: RoadColumns | None = None
) -> tuple[RoadNetwork, AssemblyReport]:
    """Read a road network from a node file and a link file, comma separated, with a header each.

    Args:
        nodes_path: one node a row.
        links_path: one road a row; two-way unless a one-way column is named.
        columns: what the columns are called. None recognises ``node_id, x_coord, y_coord`` or
            ``NodeID, Longitude, Latitude`` and ``from_node_id, to_node_id, length`` or ``u, v, length_m``.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: a file that is missing, not a table or without the columns; a row with more or fewer fields than the
            header; a value that is not a number; and whatever `crowdgym.data.roads.assemble.assemble` does not accept.
    """
    nodes_path, links_path = Path(nodes_path), Path(links_path)
    node_names, link_names = _columns_of_nodes(nodes_path, columns), _columns_of_links(links_path, columns)
    node_id, longitude, latitude = _read(nodes_path, node_names.node_id, node_names.longitude, node_names.latitude)
    node_table = NodeTable(_whole_numbers(node_id), _numbers(longitude), _numbers(latitude))

    optional = [name for name in (link_names.length_m, link_names.oneway) if name is not None]
    tail, head, *others = _read(links_path, link_names.tail, link_names.head, *optional)
    length = others[0] if link_names.length_m is not None else None
    oneway = others[-1] if link_names.oneway is not None else None
    road_table = RoadTable(
        tail=_whole_numbers(tail),
        head=_whole_numbers(head),
        length_m=np.full(len(tail.cells), np.nan) if length is None else _numbers(length, empty_allowed=True),
        oneway=None if oneway is None else _flags(oneway),
    )
    return assemble(node_table, road_table, source=f"{nodes_path} and {links_path}")


def _columns_of_nodes(path: Path, columns: RoadColumns | None) -> NodeColumns:
    if columns is not None:
        return NodeColumns(columns.node_id, columns.longitude, columns.latitude)
    found = _header(path)
    for known in KNOWN_NODES:
        if {known.node_id, known.longitude, known.latitude} <= set(found):
            return known
    raise DataError(
        f"{path} has the columns {', '.join(found)}; expected node_id, x_coord, y_coord or NodeID, Longitude, "
        "Latitude, or to be told which columns hold node id, longitude and latitude"
    )


def _columns_of_links(path: Path, columns: RoadColumns | None) -> LinkColumns:
    if columns is not None:
        return LinkColumns(columns.tail, columns.head, columns.length_m, columns.oneway)
    found = _header(path)
    for known in KNOWN_LINKS:
        if {known.tail, known.head, known.length_m} <= set(found):
            return known
    raise DataError(
        f"{path} has the columns {', '.join(found)}; expected from_node_id, to_node_id, length or u, v, length_m, "
        "or to be told which columns hold tail, head and length"
    )


@dataclass(frozen=True)
class _Column:
    """One column of a file, as text."""

    path: Path
    name: str
    cells: list[str]
    lines: list[int]  # of the file, for messages

    def wrong(self, row: int, expected: str) -> DataError:
        return DataError(
            f"{self.path}, line {self.lines[row]}: {self.name} is {self.cells[row]!r}; expected {expected}"
        )


def _header(path: Path) -> list[str]:
    with _rows(path) as rows:
        return next(rows)[1]


def _read(path: Path, *names: str) -> list[_Column]:
    """Read some columns of a CSV file."""
    with _rows(path) as rows:
        _, header = next(rows)
        missing = [name for name in names if name not in header]
        if missing:
            raise DataError(f"{path} has no column {missing[0]!r}; it has {', '.join(header)}")
        places = [header.index(name) for name in names]
        lines: list[int] = []
        cells: list[list[str]] = [[] for _ in names]
        for line, row in rows:
            if len(row) != len(header):
                raise DataError(f"{path}, line {line} has {len(row)} fields; expected {len(header)}, as its header has")
            lines.append(line)
            for column, place in zip(cells, places, strict=True):
                column.append(row[place].strip())
    return [_Column(path, name, column, lines) for name, column in zip(names, cells, strict=True)]


@contextmanager
def _rows(path: Path) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """Give the header, then the other rows that are not blank, each with the number of its (last) line."""
    expected = "expected a comma-separated table with a header"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if not any(header):
                raise DataError(f"{path} is empty; {expected}")
            yield chain([(1, header)], ((reader.line_num, row) for row in reader if row))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; {expected}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8; {expected}") from error
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as a table ({error}); {expected}") from error


def _numbers(column: _Column, *, empty_allowed: bool = False) -> NDArray[np.float64]:
    """Turn a column into numbers; an empty cell is NaN where that is allowed."""
    values = np.full(len(column.cells), np.nan)
    for row, text in enumerate(column.cells):
        if text or not empty_allowed:
            try:
                values[row] = float(text)
            except ValueError:
                raise column.wrong(row, "a number") from None
    return values


def _whole_numbers(column: _Column) -> NDArray[np.int64]:
    """Turn a column into 64-bit integers, without a detour over floating point, which would lose digits."""
    values = np.empty(len(column.cells), np.int64)
    for row, text in enumerate(column.cells):
        if not WHOLE_NUMBER.fullmatch(text):
            raise column.wrong(row, "a whole number of at most 18 digits")
        values[row] = int(text.partition(".")[0])
    return values


def _flags(column: _Column) -> NDArray[np.bool_]:
    values = np.empty(len(column.cells), np.bool_)
    for row, text in enumerate(column.cells):
        if text.lower() not in YES | NO:
            raise column.wrong(row, "1, true, yes, 0, false, no or nothing")
        values[row] = text.lower() in YES
    return values
