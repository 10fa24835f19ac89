"""``crowdgym data``: make datasets from files, fetch, list and show them."""

from typing import Annotated

import typer

from crowdgym.cli.data.files import FileOptions
from crowdgym.cli.data.orders import CityPartOptions, OrderFileOptions
from crowdgym.cli.data.roads import RoadOptions, read_roads
from crowdgym.cli.data.series import SeriesOptions
from crowdgym.cli.shared.grouping import SectionedCommand, grouped
from crowdgym.cli.shared.options import DatasetName, Force
from crowdgym.common.errors import DataError

app = typer.Typer(name="data", help="Make, fetch, list, show and remove datasets.", no_args_is_help=True)


@app.command(cls=SectionedCommand)
@grouped
def build(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the dataset: a-z, 0-9, _ and -.")],
    roads: RoadOptions,
    orders: OrderFileOptions,
    parts: CityPartOptions,
    series: SeriesOptions,
    text: FileOptions,
    more_orders: Annotated[
        list[str] | None, typer.Argument(metavar="[ORDERS]...", help="More files of orders.")
    ] = None,
    force: Force = False,
) -> None:
    """Make a dataset; environments use it by scenario=NAME.

    Either a city, from a road network and files of orders, or a sensing series, from --table (with --coordinates) or
    from a folder with the files that 'crowdgym data fetch piemonte' gets (--from).

    The format of orders is told by their content (--format names one), or the columns of a table are told by their
    names or by --column with the keys time, origin_lng, origin_lat, origin_node, origin_zone, destination_lng,
    destination_lat, destination_node, destination_zone, polyline, order_id, payment, deadline and quantity. Keys of
    --road-column: node_id, longitude, latitude, tail, head, length, oneway. Keys of --series-column: cell, time, x, y;
    without --attribute every other column is measured. A time in several columns is year+month+day+hour; a table with
    a row for each value has the keys parameter and value. Check-ins are orders, too, if no --orders are given.
    """
    files = [*orders.orders, *(more_orders or [])] or parts.checkins_as_orders()
    if series.is_given():
        from crowdgym.cli.data.series import build_series

        if files or roads.sources():
            raise DataError("a sensing series has no roads and no orders; expected --from or --table without them")
        build_series(name, series, text, force=force)
        return
    if not files or (more_orders and not orders.orders):
        raise DataError("--orders is missing; expected files of orders (or --from or --table for a sensing series)")
    _build_city(name, roads, orders, parts, text, files, force=force)


def _build_city(
    name: str,
    roads: RoadOptions,
    orders: OrderFileOptions,
    parts: CityPartOptions,
    text: FileOptions,
    patterns: list[str],
    *,
    force: bool,
) -> None:
    from crowdgym.cli.data.view import print_build, reading
    from crowdgym.data.build import build_dataset
    from crowdgym.data.names import check_name
    from crowdgym.data.orders.snap import order_files
    from crowdgym.data.pois import read_pois
    from crowdgym.data.store import check_free, check_writable

    check_name(name)
    if not force:
        check_free(name)
    check_writable()
    options = orders.reading(text)
    files = order_files(patterns)
    workers, checkins = parts.worker_files(orders, text), parts.checkin_files(orders, text)
    pois = None if parts.pois is None else read_pois(parts.pois, orders.crs or "wgs84")
    network, report = read_roads(roads)
    with reading(files) as progress:
        result = build_dataset(
            name,
            network,
            report,
            files,
            options,
            max_snap_m=orders.max_snap_m,
            overwrite=force,
            progress=progress,
            strict=orders.strict,
            workers=workers,
            pois=pois,
            checkins=checkins,
        )
    print_build(result, report)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to fetch: piemonte.")], force: Force = False
) -> None:
    """Download a public dataset, check it, and make the dataset.

    piemonte: 24 stations, 182 days, six attributes (0.9 MB). An interrupted download continues where it stopped.
    """
    from crowdgym.cli.data.series import fetch_series

    fetch_series(name, force=force)


@app.command("list")
def list_datasets(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False) -> None:
    """List the datasets that environments can use."""
    from crowdgym.cli.data.listing import print_json_list, print_list

    if as_json:
        print_json_list()
    else:
        print_list()


@app.command()
def info(name: DatasetName) -> None:
    """Show the content of a dataset.

    Of a city: counts, bounding box, checksum, days, the hours of its orders, lengths of trips. Of a sensing series:
    cells, cycles, and each attribute.
    """
    from crowdgym.cli.data.view import print_info

    print_info(name)


@app.command()
def remove(name: DatasetName) -> None:
    """Remove a dataset that was built or fetched, with all of its files."""
    from crowdgym.data.registry import remove_dataset

    typer.echo(f"removed {remove_dataset(name)}")
