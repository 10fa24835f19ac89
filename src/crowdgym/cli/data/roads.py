"""``crowdgym data build``: the options of roads, and how the road network is read."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdgym.cli.shared.assignments import column_pairs
from crowdgym.common.errors import DataError

if TYPE_CHECKING:
    from crowdgym.data.roads.assemble import AssemblyReport
    from crowdgym.data.roads.network import RoadNetwork

    Roads = tuple[RoadNetwork, AssemblyReport]

_NEEDED = ("node_id", "longitude", "latitude", "tail", "head")  # the keys of --road-column that are not optional


@dataclass(frozen=True)
class RoadOptions:
    """Where a city's roads are read from; exactly one source is given."""

    section = "Roads (one source)"

    nodes: Annotated[Path | None, typer.Option(help="CSV file of nodes, with --links.")] = None
    links: Annotated[Path | None, typer.Option(help="CSV file of links, with --nodes.")] = None
    roads: Annotated[
        Path | None,
        typer.Option(help="File of roads: OpenStreetMap, GraphML, SUMO, MATSim, GeoPackage, GeoJSON or shapefile."),
    ] = None
    place: Annotated[str | None, typer.Option(help="Name of a place that OpenStreetMap is asked for.")] = None
    bbox: Annotated[str | None, typer.Option(help="WEST,SOUTH,EAST,NORTH in degrees.")] = None
    two_way: Annotated[bool, typer.Option("--two-way", help="Open one-way streets both ways.")] = False
    arcs: Annotated[bool, typer.Option("--arcs", help="Every row of --links is one direction.")] = False
    length_unit: Annotated[
        str | None, typer.Option(help="Unit of lengths: m, km, mi or ft; else as the header says.")
    ] = None
    road_crs: Annotated[
        str | None, typer.Option(help="Coordinate system of --nodes or MATSim, such as EPSG:32632; else degrees.")
    ] = None
    road_encoding: Annotated[str | None, typer.Option(help="Encoding of --nodes and --links, as of --encoding.")] = None
    road_column: Annotated[
        list[str], typer.Option(metavar="KEY=COLUMN", help="Column of --nodes or --links; may be repeated.")
    ] = field(default_factory=list)

    def sources(self) -> tuple[str, ...]:
        """The sources that are given, by their options."""
        given = {
            "--nodes and --links": self.nodes is not None or self.links is not None,
            "--roads": self.roads is not None,
            "--place": self.place is not None,
            "--bbox": self.bbox is not None,
        }
        return tuple(option for option, is_given in given.items() if is_given)


def read_roads(options: RoadOptions) -> "Roads":
    """Read the road network from the one source that is given.

    Raises:
        DataError: there is no source or there are several, or the source cannot be used.
    """
    sources = options.sources()
    if len(sources) != 1:
        found = " and ".join(sources) if sources else "none"
        raise DataError(
            f"roads are read from one source, found {found}; "
            "expected one of --nodes and --links, --roads, --place, --bbox"
        )
    if options.nodes is not None or options.links is not None:
        return _read_tables(options)
    for_tables = {"--road-column": options.road_column, "--arcs": options.arcs, "--length-unit": options.length_unit}
    misplaced = next((option for option, given in for_tables.items() if given), None)
    if misplaced is not None:
        raise DataError(f"{misplaced} is given with {sources[0]}; expected it with --nodes and --links only")

    from crowdgym.data.roads import osm as readers
    from crowdgym.data.roads.files import read_road_file

    if options.roads is not None:
        return read_road_file(options.roads, two_way=options.two_way, crs=options.road_crs)
    if options.place is not None:
        return readers.fetch_place(options.place, two_way=options.two_way)
    return readers.fetch_bbox(*_four_degrees(options.bbox or ""), two_way=options.two_way)


def _read_tables(options: RoadOptions) -> "Roads":
    from crowdgym.data.roads.tables import Directions, RoadColumns, RoadTableOptions, read_road_tables

    nodes, links = options.nodes, options.links
    if nodes is None or links is None:
        raise DataError(f"{'--links' if nodes is None else '--nodes'} is given alone; expected --nodes and --links")
    keys = tuple(column.name for column in fields(RoadColumns))
    named: dict[str, Any] = column_pairs("--road-column", options.road_column, keys)
    missing = [key for key in _NEEDED if key not in named]
    if named and missing:
        raise DataError(f"--road-column lacks {', '.join(missing)}; expected all of {', '.join(_NEEDED)}")
    if options.two_way and options.arcs:
        raise DataError("--two-way and --arcs are given together; expected one of them")
    directions: Directions = "two-way" if options.two_way else "arcs" if options.arcs else "as given"
    columns = RoadColumns(**named) if named else None
    read_as = RoadTableOptions(
        columns, options.length_unit, directions, options.road_crs or "wgs84", options.road_encoding
    )
    return read_road_tables(nodes, links, read_as)


def _four_degrees(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise DataError(f"--bbox is {text!r}; expected WEST,SOUTH,EAST,NORTH in degrees") from error
    return west, south, east, north
