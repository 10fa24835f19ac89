"""``crowdgym data``: make datasets from one's own files, fetch them, list them, and look at one."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdgym.cli.endings import clean_endings
from crowdgym.common.errors import DataError

if TYPE_CHECKING:
    from crowdgym.data.orders.read import OrderOptions
    from crowdgym.data.roads.assemble import AssemblyReport
    from crowdgym.data.roads.network import RoadNetwork

data_app = typer.Typer(
    help="Make datasets from your own files, fetch them, list them, look at one.", no_args_is_help=True
)

ROADS, ORDERS, SERIES, REST = "Roads (one of)", "Orders", "Sensing series (no roads, no orders)", "Dataset"

_Name = Annotated[str, typer.Argument(help="Name of the dataset: a-z, 0-9, _ and -.")]
_More = Annotated[list[str] | None, typer.Argument(help="More files of orders.", metavar="[ORDERS]...")]
_Nodes = Annotated[Path | None, typer.Option(help="CSV file of nodes, with --links.", rich_help_panel=ROADS)]
_Links = Annotated[Path | None, typer.Option(help="CSV file of links, with --nodes.", rich_help_panel=ROADS)]
_Osm = Annotated[Path | None, typer.Option(help="OpenStreetMap XML file.", rich_help_panel=ROADS)]
_Graphml = Annotated[Path | None, typer.Option(help="GraphML file written by OSMnx.", rich_help_panel=ROADS)]
_Place = Annotated[str | None, typer.Option(help="Place name to ask OpenStreetMap for.", rich_help_panel=ROADS)]
_Bbox = Annotated[str | None, typer.Option(help="WEST,SOUTH,EAST,NORTH in degrees.", rich_help_panel=ROADS)]
_TwoWay = Annotated[bool, typer.Option("--two-way", help="Open one-way streets both ways.", rich_help_panel=ROADS)]
_Arcs = Annotated[bool, typer.Option("--arcs", help="Every row of --links is one direction.", rich_help_panel=ROADS)]
_LengthUnit = Annotated[str | None, typer.Option(help="Of --links: m, km, mi or ft.", rich_help_panel=ROADS)]
_RoadColumns = Annotated[
    list[str] | None,
    typer.Option("--road-column", metavar="KEY=COLUMN", help="Column of --nodes or --links.", rich_help_panel=ROADS),
]
_Orders = Annotated[
    list[str] | None,
    typer.Option("--orders", help="File or pattern of orders; may be repeated.", rich_help_panel=ORDERS),
]
_Format = Annotated[
    str | None,
    typer.Option("--format", help="Instead of telling the format by the content.", rich_help_panel=ORDERS),
]
_Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="KEY=COLUMN", help="Column of a table, by name or number from 1.", rich_help_panel=ORDERS
    ),
]
_Crs = Annotated[str | None, typer.Option(help="Coordinates are gcj02 or wgs84.", rich_help_panel=ORDERS)]
_TimeZone = Annotated[
    str | None, typer.Option(help="Such as Europe/Berlin or +08:00; else the data's.", rich_help_panel=ORDERS)
]
_Times = Annotated[str, typer.Option(help="auto, or seconds-of-day.", rich_help_panel=ORDERS)]
_MaxSnap = Annotated[float, typer.Option(help="Farthest an order may be from a node, m.", rich_help_panel=ORDERS)]
_From = Annotated[Path | None, typer.Option("--from", help="Folder with the Piemonte files.", rich_help_panel=SERIES)]
_Table = Annotated[
    Path | None, typer.Option(help="CSV or Parquet: a row for each cell and time.", rich_help_panel=SERIES)
]
_Coordinates = Annotated[
    Path | None, typer.Option(help="Table of cells, if --table has no coordinates.", rich_help_panel=SERIES)
]
_SeriesColumns = Annotated[
    list[str] | None,
    typer.Option("--series-column", metavar="KEY=COLUMN", help="Column of --table, by name.", rich_help_panel=SERIES),
]
_Attributes = Annotated[
    list[str] | None,
    typer.Option("--attribute", metavar="COLUMN", help="Measured column; may be repeated.", rich_help_panel=SERIES),
]
_Unit = Annotated[str, typer.Option(help="Of coordinates: km, m or degrees.", rich_help_panel=SERIES)]
_TimeFormat = Annotated[str | None, typer.Option(help="Such as %d/%m/%y; else ISO 8601.", rich_help_panel=SERIES)]
_CycleS = Annotated[
    float | None, typer.Option(help="Length of a cycle, s; else told by times.", rich_help_panel=SERIES)
]
_Force = Annotated[bool, typer.Option("--force", help="Replace a dataset of this name.", rich_help_panel=REST)]


@data_app.command("build")
@clean_endings()
def build(
    name: _Name,
    orders: _Orders = None,
    more_orders: _More = None,
    nodes: _Nodes = None,
    links: _Links = None,
    osm: _Osm = None,
    graphml: _Graphml = None,
    place: _Place = None,
    bbox: _Bbox = None,
    two_way: _TwoWay = False,
    arcs: _Arcs = False,
    length_unit: _LengthUnit = None,
    road_column: _RoadColumns = None,
    order_format: _Format = None,
    column: _Columns = None,
    crs: _Crs = None,
    time_zone: _TimeZone = None,
    times: _Times = "auto",
    max_snap_m: _MaxSnap = 1000.0,
    from_folder: _From = None,
    table: _Table = None,
    coordinates: _Coordinates = None,
    series_column: _SeriesColumns = None,
    attribute: _Attributes = None,
    unit: _Unit = "km",
    time_format: _TimeFormat = None,
    cycle_s: _CycleS = None,
    force: _Force = False,
) -> None:
    """Make a dataset; environments use it by scenario=NAME.

    Either a city, from a road network and files of orders, or a sensing series, from --table (with --coordinates) or
    from a folder with the files that 'crowdgym data fetch piemonte' gets (--from).

    Known formats of orders: gaia-chengdu, gaia-haikou and gaia-gps (DiDi), and table: CSV or Parquet whose columns
    are told by their names or by --column with the keys time, origin_lng, origin_lat, origin_node, destination_lng,
    destination_lat, destination_node and order_id. Keys of --road-column: node_id, longitude, latitude, tail, head,
    length, oneway. Keys of --series-column: cell, time, x, y; without --attribute every other column is measured.
    """
    if from_folder is not None or table is not None:
        from crowdgym.cli.data_series import SeriesOptions, build_series

        roads = (nodes, links, osm, graphml, place, bbox, orders or more_orders)
        if any(given is not None for given in roads):
            raise DataError("a sensing series has no roads and no orders; expected --from or --table without them")
        pairs = _pairs("--series-column", series_column, ("cell", "time", "x", "y"))
        options = SeriesOptions(table, coordinates, pairs, tuple(attribute or ()), unit, time_format, cycle_s)
        build_series(name, from_folder, options, force=force)
        return
    if not orders:
        raise DataError("--orders is missing; expected files of orders (or --from or --table for a sensing series)")

    from crowdgym.data.build import build_dataset
    from crowdgym.data.names import check_name
    from crowdgym.data.orders.snap import order_files
    from crowdgym.data.store import check_free, check_writable

    check_name(name)
    if not force:
        check_free(name)
    check_writable()
    order_options = _order_options(order_format, column, crs, time_zone, time_format, times)
    files = order_files([*orders, *(more_orders or [])])
    network, report = _roads(nodes, links, osm, graphml, place, bbox, two_way, arcs, length_unit, road_column)

    from crowdgym.cli.data_view import print_build, reading

    with reading(files) as progress:
        result = build_dataset(
            name, network, report, files, order_options, max_snap_m=max_snap_m, overwrite=force, progress=progress
        )
    print_build(result, report)


@data_app.command("fetch")
@clean_endings()
def fetch(
    name: Annotated[str, typer.Argument(help="What to fetch: piemonte.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a dataset of this name.")] = False,
) -> None:
    """Download a public dataset from its origin, check it, and make the dataset of its name.

    piemonte: 24 stations, 182 days, six attributes (0.9 MB). A download that is cut goes on where it stopped.
    """
    from crowdgym.cli.data_series import fetch_series

    fetch_series(name, force=force)


@data_app.command("list")
@clean_endings()
def list_datasets() -> None:
    """List the datasets that environments can use."""
    from crowdgym.cli.data_view import print_list

    print_list()


@data_app.command("info")
@clean_endings()
def info(name: Annotated[str, typer.Argument(help="Name of a dataset.")]) -> None:
    """Show what a dataset holds: counts, bounding box, checksum, days, the hours of its orders, lengths of trips."""
    from crowdgym.cli.data_view import print_info

    print_info(name)


def _order_options(
    order_format: str | None,
    columns: list[str] | None,
    crs: str | None,
    time_zone: str | None,
    time_format: str | None,
    times: str,
) -> "OrderOptions":
    from crowdgym.data.orders.formats import OrderColumns
    from crowdgym.data.orders.read import OrderOptions

    named: dict[str, Any] = _pairs("--column", columns, tuple(field.name for field in fields(OrderColumns)))
    values: dict[str, Any] = {"order_format": order_format, "crs": crs, "times": times}  # checked by OrderOptions
    return OrderOptions(columns=OrderColumns(**named), time_zone=time_zone, time_format=time_format, **values)


def _roads(
    nodes: Path | None,
    links: Path | None,
    osm: Path | None,
    graphml: Path | None,
    place: str | None,
    bbox: str | None,
    two_way: bool,
    arcs: bool,
    length_unit: str | None,
    columns: list[str] | None,
) -> "tuple[RoadNetwork, AssemblyReport]":
    """Read the road network from the one source that is given."""
    given = {
        "--nodes and --links": nodes is not None or links is not None,
        "--osm": osm is not None,
        "--graphml": graphml is not None,
        "--place": place is not None,
        "--bbox": bbox is not None,
    }
    chosen = [option for option, is_given in given.items() if is_given]
    if len(chosen) != 1:
        found = " and ".join(chosen) if chosen else "none"
        raise DataError(f"roads are read from one source, found {found}; expected one of {', '.join(given)}")
    if nodes is not None or links is not None:
        return _road_tables(nodes, links, two_way, arcs, length_unit, columns)
    if columns:
        raise DataError(f"--road-column is given with {chosen[0]}; expected it with --nodes and --links only")

    from crowdgym.data.roads import osm as readers

    if osm is not None:
        return readers.read_osm_xml(osm, two_way=two_way)
    if graphml is not None:
        return readers.read_graphml(graphml, two_way=two_way)
    if place is not None:
        return readers.fetch_place(place, two_way=two_way)
    return readers.fetch_bbox(*_four_degrees(bbox or ""), two_way=two_way)


def _road_tables(
    nodes: Path | None,
    links: Path | None,
    two_way: bool,
    arcs: bool,
    length_unit: str | None,
    columns: list[str] | None,
) -> "tuple[RoadNetwork, AssemblyReport]":
    from crowdgym.data.roads.tables import Directions, RoadColumns, RoadTableOptions, read_road_tables

    if nodes is None or links is None:
        raise DataError(f"{'--links' if nodes is None else '--nodes'} is given alone; expected --nodes and --links")
    named: dict[str, Any] = _pairs("--road-column", columns, tuple(field.name for field in fields(RoadColumns)))
    needed = ("node_id", "longitude", "latitude", "tail", "head")
    missing = [key for key in needed if key not in named]
    if named and missing:
        raise DataError(f"--road-column lacks {', '.join(missing)}; expected all of {', '.join(needed)}")
    if two_way and arcs:
        raise DataError("--two-way and --arcs are given together; expected one of them")
    directions: Directions = "two-way" if two_way else "arcs" if arcs else "as given"
    read_as = RoadTableOptions(RoadColumns(**named) if named else None, length_unit, directions)
    return read_road_tables(nodes, links, read_as)


def _pairs(option: str, given: list[str] | None, known: tuple[str, ...]) -> dict[str, str]:
    """Take KEY=VALUE apart."""
    pairs: dict[str, str] = {}
    for text in given or []:
        key, mark, value = text.partition("=")
        if not mark or not value or key not in known:
            raise DataError(f"{option} is {text!r}; expected KEY=COLUMN where KEY is one of {', '.join(known)}")
        if key in pairs:
            raise DataError(f"{option} {key} is given twice ({pairs[key]!r} and {value!r}); expected it once")
        pairs[key] = value
    return pairs


def _four_degrees(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise DataError(f"--bbox is {text!r}; expected WEST,SOUTH,EAST,NORTH in degrees") from error
    return west, south, east, north
