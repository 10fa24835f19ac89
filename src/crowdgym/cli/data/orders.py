"""``crowdgym data build``: the options of orders, and how their files are read."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdgym.cli.data.files import FileOptions
from crowdgym.cli.shared.assignments import column_pairs
from crowdgym.common.errors import DataError

if TYPE_CHECKING:
    from crowdgym.data.build import CheckinFiles, WorkerFiles
    from crowdgym.data.orders.read import OrderOptions


@dataclass(frozen=True)
class OrderFileOptions:
    """Files of a city's orders, and how they are read."""

    section = "Orders"

    orders: Annotated[list[str], typer.Option(help="File or pattern of orders; may be repeated.")] = field(
        default_factory=list
    )
    order_format: Annotated[
        str | None, typer.Option("--format", help="Format of the files; else it is told by the content.")
    ] = None
    column: Annotated[
        list[str],
        typer.Option(metavar="KEY=COLUMN", help="Column of a table, by name or number from 1; may be repeated."),
    ] = field(default_factory=list)
    crs: Annotated[str | None, typer.Option(help="Coordinate system: wgs84, gcj02, or another such as EPSG:32632.")] = (
        None
    )
    zones: Annotated[Path | None, typer.Option(help="Polygons of the zones that orders name (TLC).")] = None
    decimal_comma: Annotated[bool, typer.Option("--decimal-comma", help="Coordinates are written 104,07.")] = False
    time_zone: Annotated[
        str | None, typer.Option(help="Zone of the city, such as Europe/Berlin or +08:00; else that of the data.")
    ] = None
    times: Annotated[str, typer.Option(help="How times are written: auto, or seconds-of-day.")] = "auto"
    days: Annotated[
        str | None, typer.Option(help="Keep the orders of a day, 2017-05-01, or of 2017-05-01..2017-05-07.")
    ] = None
    max_snap_m: Annotated[float, typer.Option(help="Farthest that an order may be from a node, m.")] = 1000.0
    strict: Annotated[bool, typer.Option("--strict", help="Fail where less than half of the rows can be kept.")] = False

    def reading(self, files: FileOptions) -> "OrderOptions":
        """How the files are read.

        Raises:
            DataError: an option has a value that does not exist.
        """
        from crowdgym.data.orders.days import parse_days
        from crowdgym.data.orders.formats import OrderColumns
        from crowdgym.data.orders.read import OrderOptions

        keys = tuple(column.name for column in fields(OrderColumns))
        named: dict[str, Any] = column_pairs("--column", self.column, keys)
        times: Any = self.times  # checked by OrderOptions
        return OrderOptions(
            order_format=self.order_format,
            columns=OrderColumns(**named),
            crs=self.crs,
            time_zone=self.time_zone,
            time_format=files.time_format,
            times=times,
            encoding=files.encoding,
            decimal_comma=self.decimal_comma,
            zones=self.zones,
            days=None if self.days is None else parse_days(self.days),
        )


@dataclass(frozen=True)
class CityPartOptions:
    """What else a city can bring: places where workers begin, and kinds of places."""

    section = "Workers and places (else drawn)"

    workers: Annotated[
        list[str], typer.Option(help="File or pattern with a row for each worker: when and where it begins.")
    ] = field(default_factory=list)
    worker_column: Annotated[
        list[str], typer.Option(metavar="KEY=COLUMN", help="Column of --workers, as of --column; deadline: until when.")
    ] = field(default_factory=list)
    checkins: Annotated[
        list[str],
        typer.Option(help="File or pattern of check-ins, for workers with histories; of Yelp both files are needed."),
    ] = field(default_factory=list)
    checkin_column: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=COLUMN",
            help="Column of --checkins: user, place, longitude, latitude, time, category, utc_offset_min.",
        ),
    ] = field(default_factory=list)
    checkin_roots: Annotated[
        Path | None,
        typer.Option(help="Table with the columns category and root: what categories of check-ins are put together."),
    ] = None
    worker_times: Annotated[
        str | None, typer.Option(help="How times of --workers are written, as of --times; else likewise.")
    ] = None
    pois: Annotated[
        Path | None, typer.Option(help="Table of points of interest with the columns lng, lat and category.")
    ] = None

    def worker_files(self, orders: OrderFileOptions, files: FileOptions) -> "WorkerFiles | None":
        """The files of workers, read with the coordinates and clock of the orders."""
        if not self.workers:
            return None
        from crowdgym.data.build import WorkerFiles

        times = orders.times if self.worker_times is None else self.worker_times
        own = replace(orders, column=self.worker_column, order_format=None, days=None, times=times)
        return WorkerFiles(self.workers, own.reading(files))

    def checkins_as_orders(self) -> list[str]:
        """The files of check-ins, for a city without files of orders. Raises `DataError` for those of Yelp."""
        if self.checkins:
            from crowdgym.data.histories.checkins.yelp import is_yelp
            from crowdgym.data.orders.snap import order_files

            of_yelp = [path for path in order_files(self.checkins) if is_yelp(path)]
            if of_yelp:
                raise DataError(f"--orders is missing: {of_yelp[0]} is of Yelp, whose reviews are no orders")
        return self.checkins

    def checkin_files(self, orders: OrderFileOptions, files: FileOptions) -> "CheckinFiles | None":
        """The files of check-ins, read with the coordinates and clock of the orders."""
        if not self.checkins:
            return None
        from crowdgym.data.build import CheckinFiles
        from crowdgym.data.histories.checkins.formats import CheckinColumns
        from crowdgym.data.histories.checkins.read import CheckinOptions
        from crowdgym.data.sensing.rows import read_rows

        keys = tuple(column.name for column in fields(CheckinColumns))
        named: dict[str, Any] = column_pairs("--checkin-column", self.checkin_column, keys)
        options = CheckinOptions(
            CheckinColumns(**named), orders.crs, orders.time_zone, files.time_format, files.encoding
        )
        roots = {}
        if self.checkin_roots is not None:
            rows = read_rows(self.checkin_roots, files.encoding)
            roots = dict(zip(rows.column("category"), rows.column("root"), strict=True))
        return CheckinFiles(self.checkins, options, roots)
