"""``crowdgym data build``: the options of roads, and how the road network is read."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdgym.cli.assignments import column_pairs
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
    osm: Annotated[Path | None, typer.Option(help="OpenStreetMap XML file.")] = None
    graphml: Annotated[Path | None, typer.Option(help="GraphML file written by OSMnx.")] = None
    place: Annotated[str | None, typer.Option(help="Name of a place to download from OpenStreetMap.")] = None
    bbox: Annotated[str | None, typer.Option(help="WEST,SOUTH,EAST,NORTH in degrees.")] = None
    oneway: Annotated[bool, typer.Option("--oneway", help="Keep one-way streets one-way.")] = False
    road_column: Annotated[
        list[str], typer.Option(metavar="KEY=COLUMN", help="Column of --nodes or --links; may be repeated.")
    ] = field(default_factory=list)

    def sources(self) -> tuple[str, ...]:
        """The sources that are given, by their options."""
        given = {
            "--nodes and --links": self.nodes is not None or self.links is not None,
            "--osm": self.osm is not None,
            "--graphml": self.graphml is not None,
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
            "expected one of --nodes and --links, --osm, --graphml, --place, --bbox"
        )
    if options.nodes is not None or options.links is not None:
        return _read_tables(options)
    if options.road_column:
        raise DataError(f"--road-column is given with {sources[0]}; expected it with --nodes and --links only")

    from crowdgym.data.roads import osm as readers

    if options.osm is not None:
        return readers.read_osm_xml(options.osm, oneway=options.oneway)
    if options.graphml is not None:
        return readers.read_graphml(options.graphml, oneway=options.oneway)
    if options.place is not None:
        return readers.fetch_place(options.place, oneway=options.oneway)
    return readers.fetch_bbox(*_four_degrees(options.bbox or ""), oneway=options.oneway)


def _read_tables(options: RoadOptions) -> "Roads":
    from crowdgym.data.roads.tables import RoadColumns, read_road_tables

    nodes, links = options.nodes, options.links
    if nodes is None or links is None:
        raise DataError(f"{'--links' if nodes is None else '--nodes'} is given alone; expected --nodes and --links")
    keys = tuple(column.name for column in fields(RoadColumns))
    named: dict[str, Any] = column_pairs("--road-column", options.road_column, keys)
    missing = [key for key in _NEEDED if key not in named]
    if named and missing:
        raise DataError(f"--road-column lacks {', '.join(missing)}; expected all of {', '.join(_NEEDED)}")
    if options.oneway and "oneway" not in named:
        raise DataError(
            "--oneway needs to know which links are one-way; expected --road-column oneway=COLUMN (and the other "
            "columns) with --nodes and --links"
        )
    return read_road_tables(nodes, links, RoadColumns(**named) if named else None)


def _four_degrees(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise DataError(f"--bbox is {text!r}; expected WEST,SOUTH,EAST,NORTH in degrees") from error
    return west, south, east, north
