"""Road networks from two tables in text: nodes and links."""

import csv
import io
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.coordinates import check_crs, to_wgs84
from crowdgym.data.roads.assemble import AssemblyReport, NodeTable, RoadTable, assemble
from crowdgym.data.roads.lengths import UNIT_OF_WORD, check_unit, unit_of_name
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.text_files import read_text

YES = {"1", "true", "t", "yes", "y"}
NO = {"0", "false", "f", "no", "n", ""}
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.0*)?")  # some programs write ids as 17.0
DELIMITERS = ",;\t"
EXPECTED = "expected a comma-separated table with a header"

Directions = Literal["as given", "two-way", "arcs"]


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
    length: str | None
    oneway: str | None = None


@dataclass(frozen=True)
class RoadColumns:
    """Names of the columns of a node file and of a link file.

    Attributes:
        node_id: node file: whole-number id.
        longitude: node file: degrees east, or metres east in a projected system.
        latitude: node file: degrees north, or metres north.
        tail: link file: id of the node where the road begins.
        head: link file: id of the node where it ends.
        length: link file: length, may be empty or zero; None if there is no such column.
        oneway: link file: 1/true/yes if the road leads from tail to head only; None if there is no such column.
    """

    node_id: str
    longitude: str
    latitude: str
    tail: str
    head: str
    length: str | None = None
    oneway: str | None = None


@dataclass(frozen=True)
class RoadTableOptions:
    """How tables of roads are read. Every option is that of ``crowdgym data build`` of the same name.

    Attributes:
        columns: what the columns are called; None recognises the known headers.
        length_unit: m, km, mi or ft; None means what the header or GMNS's config.csv says, and else metres.
        directions: "as given": a row leads both ways unless a column says that it is one-way; "two-way": every row
            does; "arcs": every row leads from tail to head only.
        crs: what the coordinates of nodes are in: wgs84, gcj02 or a system that PROJ knows.
        encoding: of both files; None tells it by the content.
    """

    columns: RoadColumns | None = None
    length_unit: str | None = None
    directions: Directions = "as given"
    crs: str = "wgs84"
    encoding: str | None = None

    def __post_init__(self) -> None:
        """Check the unit and the coordinate system.

        Raises:
            DataError: one of them is not known.
        """
        if self.length_unit is not None:
            check_unit(self.length_unit)
        check_crs(self.crs)


# What is recognised without being told: GMNS (also as osm2gmns writes it: the Haikou files), and the Chengdu files.
KNOWN_NODES = (NodeColumns("node_id", "x_coord", "y_coord"), NodeColumns("NodeID", "Longitude", "Latitude"))
KNOWN_LINKS = (
    LinkColumns("from_node_id", "to_node_id", "length"),
    *(LinkColumns("from_node_id", "to_node_id", f"length_{unit}") for unit in ("m", "km", "mi", "ft")),
    *(LinkColumns("u", "v", length) for length in ("length_m", "length_km", "length")),
)
# Columns of a link file that say that a road is one-way, under a known header. GMNS: directed.
KNOWN_ONEWAY = ("oneway", "one_way", "is_oneway", "directed")


def read_road_tables(
    nodes_path: str | Path, links_path: str | Path, options: RoadTableOptions | None = None
) -> tuple[RoadNetwork, AssemblyReport]:
    """Read a road network from a node file and a link file with a header each; comma, semicolon or tab.

    Args:
        nodes_path: one node a row.
        links_path: one road a row.
        options: by default ``node_id, x_coord, y_coord`` or ``NodeID, Longitude, Latitude``, and ``from_node_id,
            to_node_id, length`` or ``u, v, length_m`` are recognised, and ``oneway`` or ``directed``.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: a file that is missing, not a table or without the columns; a row with more or fewer fields than the
            header; a value that is not a number; and whatever `crowdgym.data.roads.assemble.assemble` does not accept.
    """
    nodes_path, links_path = Path(nodes_path), Path(links_path)
    options = options or RoadTableOptions()
    nodes, links = _read(nodes_path, options.encoding), _read(links_path, options.encoding)
    node_names, link_names = _columns_of_nodes(nodes, options.columns), _columns_of_links(links, options.columns)
    x, y = _numbers(nodes.column(node_names.longitude)), _numbers(nodes.column(node_names.latitude))
    node_table = NodeTable(_whole_numbers(nodes.column(node_names.node_id)), *to_wgs84(x, y, options.crs))

    tail, head = links.column(link_names.tail), links.column(link_names.head)
    unit, unit_note = _unit(links_path, link_names, options)
    length_m = np.full(len(tail.cells), np.nan)
    if link_names.length is not None:
        length_m = _numbers(links.column(link_names.length), empty_allowed=True) * check_unit(unit)
    road_table = RoadTable(_whole_numbers(tail), _whole_numbers(head), length_m)
    road_table, notes = _with_directions(road_table, links, link_names, options.directions)
    network, report = assemble(
        node_table, road_table, source=f"{nodes_path} and {links_path}", notes=(*unit_note, *notes)
    )
    return network, replace(report, unit_named=options.length_unit is not None)


def _unit(path: Path, names: LinkColumns, options: RoadTableOptions) -> tuple[str, tuple[str, ...]]:
    """The unit of lengths, and a note where it is not metres."""
    if names.length is None:
        return "m", ()
    told = options.length_unit or unit_of_name(names.length) or _unit_of_config(path.with_name("config.csv"), options)
    unit = told or "m"
    return unit, () if unit == "m" else (f"read the lengths in {names.length} as {unit}",)


def _unit_of_config(path: Path, options: RoadTableOptions) -> str | None:
    """The unit of long lengths in GMNS's config.csv beside the links, if there is one."""
    if not path.is_file():
        return None
    config = _read(path, options.encoding)
    if "long_length" not in config.header or not config.lines:
        return None
    return UNIT_OF_WORD.get(config.column("long_length").cells[0].lower())


def _with_directions(
    roads: RoadTable, links: "_Table", names: LinkColumns, directions: Directions
) -> tuple[RoadTable, tuple[str, ...]]:
    """The roads with their directions, and what is to be said about them."""
    if directions == "two-way":
        return roads, ()
    if directions == "arcs":
        return replace(roads, oneway=np.ones(len(roads.tail), np.bool_)), ()
    if names.oneway is not None:
        return replace(roads, oneway=_flags(links.column(names.oneway))), (f"took one-way roads from {names.oneway}",)
    return roads, _note_of_arcs(roads)


def _note_of_arcs(roads: RoadTable) -> tuple[str, ...]:
    """Say so where rows look like single directions: many have a row that leads back, and some have none."""
    there = set(zip(roads.tail.tolist(), roads.head.tolist(), strict=True))
    single = sum((head, tail) not in there for tail, head in there)
    if not 0 < single < 0.5 * len(there):
        return ()
    return (f"opened {single:,} roads both ways that no row leads back on (--arcs makes every row one direction)",)


def _columns_of_nodes(table: "_Table", columns: RoadColumns | None) -> NodeColumns:
    if columns is not None:
        return NodeColumns(columns.node_id, columns.longitude, columns.latitude)
    for known in KNOWN_NODES:
        if {known.node_id, known.longitude, known.latitude} <= set(table.header):
            return known
    raise DataError(
        f"{table.path} has the columns {', '.join(table.header)}; expected node_id, x_coord, y_coord or NodeID, "
        "Longitude, Latitude, or --road-column to name those of node id, longitude and latitude"
    )


def _columns_of_links(table: "_Table", columns: RoadColumns | None) -> LinkColumns:
    if columns is not None:
        return LinkColumns(columns.tail, columns.head, columns.length, columns.oneway)
    found = set(table.header)
    for known in KNOWN_LINKS:
        if {known.tail, known.head, known.length} <= found:
            return replace(known, oneway=next((name for name in KNOWN_ONEWAY if name in found), None))
    raise DataError(
        f"{table.path} has the columns {', '.join(table.header)}; expected from_node_id, to_node_id, length or u, v, "
        "length_m, or --road-column to name those of tail, head and length"
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


@dataclass(frozen=True)
class _Table:
    """A file as text."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def column(self, name: str) -> _Column:
        if name not in self.header:
            raise DataError(f"{self.path} has no column {name!r}; it has {', '.join(self.header)}")
        place = self.header.index(name)
        return _Column(self.path, name, [row[place].strip() for row in self.rows], self.lines)


def _read(path: Path, encoding: str | None) -> _Table:
    """Read a table; blank lines are left out."""
    text, _ = read_text(path, encoding, EXPECTED)
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count), strict=True)
    rows, numbers = [], []
    try:
        header = [name.strip() for name in next(reader, [])]
        if not any(header):
            raise DataError(f"{path} is empty; {EXPECTED}")
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise DataError(
                    f"{path}, line {reader.line_num} has {len(row)} fields; expected {len(header)}, as its header has"
                )
            rows.append(row)
            numbers.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as a table ({error}); {EXPECTED}") from error
    return _Table(path, header, rows, numbers)


def _numbers(column: _Column, *, empty_allowed: bool = False) -> NDArray[np.float64]:
    """Turn a column into numbers; an empty cell is NaN where that is allowed."""
    values = np.full(len(column.cells), np.nan)
    for row, text in enumerate(column.cells):
        if text or not empty_allowed:
            try:
                values[row] = float(text)
            except ValueError:
                comma = re.fullmatch(r"[+-]?\d+,\d+", text) is not None
                raise column.wrong(row, "a number" + (" with a decimal point, not a comma" if comma else "")) from None
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
