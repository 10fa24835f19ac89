"""``crowdgym data``: make datasets from files, fetch, list and show them."""

from typing import Annotated

import typer

from crowdgym.cli.data_orders import OrderFileOptions
from crowdgym.cli.data_roads import RoadOptions, read_roads
from crowdgym.cli.data_series import SeriesOptions
from crowdgym.cli.grouping import SectionedCommand, grouped
from crowdgym.cli.options import DatasetName, Force
from crowdgym.common.errors import DataError

app = typer.Typer(name="data", help="Make, fetch, list and show datasets.", no_args_is_help=True)


@app.command(cls=SectionedCommand)
@grouped
def build(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the dataset: a-z, 0-9, _ and -.")],
    roads: RoadOptions,
    orders: OrderFileOptions,
    series: SeriesOptions,
    more_orders: Annotated[
        list[str] | None, typer.Argument(metavar="[ORDERS]...", help="More files of orders.")
    ] = None,
    force: Force = False,
) -> None:
    """Make a dataset; environments use it by scenario=NAME.

    Either a city, from a road network and files of orders, or a sensing series, from --table (with --coordinates) or
    from a folder with the files that 'crowdgym data fetch piemonte' gets (--from).

    Known formats of orders: gaia-chengdu, gaia-haikou and gaia-gps (DiDi), and table: CSV or Parquet whose columns are
    recognised by their names or given by --column. Keys of --column: time, origin_lng, origin_lat, origin_node,
    destination_lng, destination_lat, destination_node and order_id. Keys of --road-column: node_id, longitude,
    latitude, tail, head, length_m, oneway. Keys of --series-column: cell, time, x, y; without --attribute every other
    column is measured.
    """
    files = [*orders.orders, *(more_orders or [])]
    if series.is_given():
        from crowdgym.cli.data_series import build_series

        if files or roads.sources():
            raise DataError("a sensing series has no roads and no orders; expected --from or --table without them")
        build_series(name, series, force=force)
        return
    if not orders.orders:
        raise DataError("--orders is missing; expected files of orders (or --from or --table for a sensing series)")
    _build_city(name, roads, orders, files, force=force)


def _build_city(name: str, roads: RoadOptions, orders: OrderFileOptions, patterns: list[str], *, force: bool) -> None:
    from crowdgym.cli.data_view import print_build, reading
    from crowdgym.data.build import build_dataset
    from crowdgym.data.names import check_name
    from crowdgym.data.orders.snap import order_files
    from crowdgym.data.store import check_free, check_writable

    check_name(name)
    if not force:
        check_free(name)
    check_writable()
    options = orders.reading()
    files = order_files(patterns)
    network, report = read_roads(roads)
    with reading(files) as progress:
        result = build_dataset(
            name, network, report, files, options, max_snap_m=orders.max_snap_m, overwrite=force, progress=progress
        )
    print_build(result, report)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to fetch: piemonte.")], force: Force = False
) -> None:
    """Download a public dataset, check it, and make the dataset.

    piemonte: 24 stations, 182 days, six attributes (0.9 MB). An interrupted download continues where it stopped.
    """
    from crowdgym.cli.data_series import fetch_series

    fetch_series(name, force=force)


@app.command("list")
def list_datasets() -> None:
    """List the datasets that environments can use."""
    from crowdgym.cli.data_view import print_list

    print_list()


@app.command()
def info(name: DatasetName) -> None:
    """Show the content of a dataset.

    Of a city: counts, bounding box, checksum, days, the hours of its orders, lengths of trips. Of a sensing series:
    cells, cycles, and each attribute.
    """
    from crowdgym.cli.data_view import print_info

    print_info(name)
