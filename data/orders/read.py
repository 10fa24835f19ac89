"""Reading orders from files of any known format, in pieces that fit into memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.coordinates import check_crs
from crowdgym.data.orders import fields as columns_of
from crowdgym.data.orders.days import DayRange
from crowdgym.data.orders.formats import (
    TABLE,
    OrderColumns,
    OrderFormat,
    PlacePosition,
    Positions,
    detect,
    order_formats,
    positions,
)
from crowdgym.data.orders.loss import advice_for, loss_reasons
from crowdgym.data.orders.raw import (
    NO_NODE,
    Account,
    Coordinates,
    Mask,
    NodeIds,
    Places,
    RawOrders,
    ReadReport,
    Reasons,
)
from crowdgym.data.orders.tables import Peek, peek, read_pieces
from crowdgym.data.orders.times import Clock, TimeKind, local_times
from crowdgym.data.orders.trajectories import TrajectoryCollector
from crowdgym.data.orders.zones import Zones, read_zones
from crowdgym.data.text_files import check_encoding

_EXAMPLE_LENGTH = 60


@dataclass(frozen=True)
class OrderOptions:
    """How files of orders are read. Every option is that of ``crowdgym data build`` of the same name.

    Attributes:
        order_format: name of one of the formats; None tells it by the content of each file.
        columns: for a table: which column holds what; by default told by the names of the header.
        crs: what coordinates are in: wgs84, gcj02 or a system that PROJ knows; None means what the format says, and has
            to be said for a table.
        time_zone: such as Europe/Berlin or +08:00; None means what the format says (DiDi: +08:00), and for others the
            zone that stands in the data.
        time_format: how times in text are written, as of `datetime.strptime`; None means year, month, day and clock.
        times: "seconds-of-day" where numbers count from midnight of an unnamed day; "auto" for Unix time and text.
        encoding: of text files; None tells it by the content.
        decimal_comma: coordinates are written 104,07.
        zones: a file of polygons, for orders whose places are told by zones.
        zone_column: holds the ids of the zones; None takes the likeliest.
        days: orders of other days are left out; None keeps all.
    """

    order_format: str | None = None
    columns: OrderColumns = field(default_factory=OrderColumns)
    crs: str | None = None
    time_zone: str | None = None
    time_format: str | None = None
    times: TimeKind = "auto"
    encoding: str | None = None
    decimal_comma: bool = False
    zones: str | Path | None = None
    zone_column: str | None = None
    days: DayRange | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without a file.

        Raises:
            DataError: an option has a value that means nothing.
        """
        for name, value, known in (
            ("--format", self.order_format, (None, *order_formats())),
            ("--times", self.times, ("auto", "seconds-of-day")),
        ):
            if value not in known:
                raise DataError(
                    f"{name} is {value!r}; expected one of {', '.join(str(item) for item in known if item)}"
                )
        if self.crs is not None:
            check_crs(self.crs)
        if self.encoding is not None:
            check_encoding(self.encoding)
        self.clock_of(TABLE)
        if self.columns.named() and self.order_format not in (None, TABLE.name):
            raise DataError(
                f"--column names columns ({', '.join(self.columns.named())}), but {self.order_format} has columns of "
                "its own; expected --format table"
            )

    def clock_of(self, order_format: OrderFormat) -> Clock:
        """The clock of a format, with what the options say instead.

        Raises:
            DataError: the zone or the format of times is not known.
        """
        usual = order_format.clock
        return Clock(
            time_zone=usual.time_zone if self.time_zone is None else self.time_zone,
            time_format=usual.time_format if self.time_format is None else self.time_format,
            kind=self.times,
        )


@dataclass(frozen=True)
class OrderSource:
    """One file of orders whose format and columns are known."""

    path: Path
    order_format: OrderFormat
    table: Peek
    positions: Positions
    crs: str | None  # None where the file names nodes or zones instead of coordinates
    clock: Clock
    zones: Zones | None = None


def open_source(path: Path, options: OrderOptions) -> OrderSource:
    """Look at a file and find out how to read it.

    Raises:
        DataError: it is missing, empty, unreadable or not in the expected format; one sentence says which.
    """
    table = peek(path, options.encoding)
    named = options.order_format
    order_format = order_formats()[named] if named is not None else detect(table, options.columns)
    table, at = positions(order_format, table, options.columns)
    if not table.parquet and not table.rows:
        raise DataError(f"{path} has no rows after its header; expected orders, one a line")
    crs = options.crs or order_format.crs
    if not (at.origin.has_crs or at.destination.has_crs):
        crs = None
    elif crs is None:
        raise DataError(
            f"{path} has coordinates, but nothing says in which system; expected --crs wgs84 (GPS and OpenStreetMap), "
            "--crs gcj02 (DiDi and other Chinese services), or another such as --crs EPSG:32632"
        )
    zones = None
    if "zone" in (at.origin.kind, at.destination.kind):
        if options.zones is None:
            raise DataError(f"{path} tells places by zones; expected --zones FILE with their polygons")
        zones = read_zones(options.zones, options.zone_column)
    return OrderSource(path, order_format, table, at, crs, options.clock_of(order_format), zones)


def read_orders(path: Path | str, options: OrderOptions | None = None) -> tuple[RawOrders, ReadReport]:
    """Read a whole file into memory. For a stream of many files see `crowdgym.data.orders.snap.order_stream`.

    Args:
        path: a text file (perhaps compressed: .gz, .bz2) or a Parquet file.
        options: how it is read; by default everything is told by its content.

    Returns:
        The orders in the order of the file, and what became of its rows.

    Raises:
        DataError: the file is missing, empty, unreadable or in another format, or none of its rows can be used.
    """
    options = options or OrderOptions()
    source = open_source(Path(path), options)
    account = Account()
    orders = [piece for _, piece in read_sources([source], [account], options)]
    return concatenate(orders), account.report()


def read_sources(
    sources: Sequence[OrderSource], accounts: Sequence[Account], options: OrderOptions
) -> Iterator[tuple[int, RawOrders]]:
    """Read files one after another.

    Args:
        sources: from `open_source`.
        accounts: one for each source; its rows are counted there.
        options: how they are read.

    Yields:
        The number of the file and a piece of its orders, in the order of the files. Orders of trajectories come last,
        all at once, because an order may go on in the next file.

    Raises:
        DataError: a file cannot be read to its end, or none of its rows can be used.
    """
    collector = TrajectoryCollector()
    for number, (source, account) in enumerate(zip(sources, accounts, strict=True)):
        if source.order_format.is_points:
            _collect(source, account, options, collector, number)
        else:
            yield from ((number, piece) for piece in _table_orders(source, account, options))
        account.examples = {
            reason: source.table.encoding.shown(text)[:_EXAMPLE_LENGTH] for reason, text in account.examples.items()
        }
        if not account.usable_rows:
            raise _nothing_usable(source, account)
    for number, orders, one_point in collector.finish():
        accounts[number].orders += len(orders)
        accounts[number].without_destination += one_point
        yield number, orders


def concatenate(pieces: Sequence[RawOrders]) -> RawOrders:
    """Put pieces of one source together."""

    def places(parts: Sequence[Places]) -> Places:
        if isinstance(parts[0], NodeIds):
            return NodeIds(np.concatenate([part.node_id for part in parts if isinstance(part, NodeIds)]))
        known = [part for part in parts if isinstance(part, Coordinates)]
        return Coordinates(
            np.concatenate([part.longitude_deg for part in known]),
            np.concatenate([part.latitude_deg for part in known]),
        )

    return RawOrders(
        time_s=np.concatenate([piece.time_s for piece in pieces]),
        origin=places([piece.origin for piece in pieces]),
        destination=places([piece.destination for piece in pieces]),
        key=np.concatenate([piece.key for piece in pieces]),
        parts={name: np.concatenate([piece.parts[name] for piece in pieces]) for name in pieces[0].parts},
    )


def _table_orders(source: OrderSource, account: Account, options: OrderOptions) -> Iterator[RawOrders]:
    """Orders of a file with one order a row."""
    at = source.positions
    wanted = at.columns
    for piece in read_pieces(source.table, wanted, account, quotes=source.order_format.quotes):
        column = dict(zip(wanted, piece, strict=True))
        with _no_odd_types(source):
            orders = _piece_of_orders(source, column, account, options)
        if len(orders):
            yield orders


def _piece_of_orders(source: OrderSource, column: dict[int, Any], account: Account, options: OrderOptions) -> RawOrders:
    at, num_rows = source.positions, len(column[source.positions.time])
    reasons, destination_reasons = Reasons(num_rows), Reasons(num_rows)
    time_s = local_times(column[at.time], source.clock, reasons, account.times)
    if "utc_offset_min" in at.others:
        time_s += columns_of.offsets_s(column[at.others["utc_offset_min"]], reasons)
    origin = _places(at.origin, column, source, options, reasons)
    destination = _places(at.destination, column, source, options, destination_reasons)
    destination = destination if destination is not None else _nowhere(origin, num_rows)
    key = columns_of.keys(column[at.others["order_id"]]) if "order_id" in at.others else np.zeros(num_rows, np.uint64)

    usable: Mask = account.take(reasons, destination_reasons)
    account.orders += int(usable.sum())
    assert origin is not None
    parts = _parts(source, column, time_s)
    kept_parts = {name: values[usable] for name, values in parts.items()}
    return RawOrders(time_s[usable], origin[usable], destination[usable], key[usable], kept_parts)


def _parts(source: OrderSource, column: dict[int, Any], time_s: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Fares, deadlines and quantities, NaN where there is none that can be used. Shape [R] each."""
    given = {name: column[at] for name, at in source.positions.others.items()}
    parts: dict[str, NDArray[np.float64]] = {}
    for name in ("payment", "quantity"):
        if name in given:
            parts[name] = columns_of.amounts(given[name])
    if "deadline" in given:
        parts["deadline_s"] = columns_of.seconds_until(given["deadline"], time_s, source.clock)
    return parts


def _places(
    at: PlacePosition, column: dict[int, Any], source: OrderSource, options: OrderOptions, reasons: Reasons
) -> Places | None:
    given = [column[position] for position in at.columns]
    if at.kind == "coordinates":
        return columns_of.coordinates(given[0], given[1], source.crs, reasons, decimal_comma=options.decimal_comma)
    if at.kind == "node":
        return columns_of.node_ids(given[0], reasons)
    if at.kind == "zone":
        assert source.zones is not None
        return source.zones.places(given[0], reasons)
    if at.kind in ("polyline start", "polyline end"):
        return columns_of.polyline_ends(given[0], 0 if at.kind == "polyline start" else 1, source.crs, reasons)
    return None


def _nowhere(like: Places | None, num_rows: int) -> Places:
    if isinstance(like, NodeIds):
        return NodeIds(np.full(num_rows, NO_NODE))
    return columns_of.no_coordinates(num_rows)


def _collect(
    source: OrderSource, account: Account, options: OrderOptions, collector: TrajectoryCollector, number: int
) -> None:
    """Points of a file with one point of a trajectory a row."""
    at = source.positions
    wanted = (at.others["order_id"], at.time, *at.origin.columns)
    for order_id, time, longitude, latitude in read_pieces(
        source.table, wanted, account, quotes=source.order_format.quotes
    ):
        with _no_odd_types(source):
            reasons = Reasons(len(time))
            time_s = local_times(time, source.clock, reasons, account.times)
            place = columns_of.coordinates(
                longitude, latitude, source.crs, reasons, decimal_comma=options.decimal_comma
            )
            key = columns_of.keys(order_id, reasons)
        usable = account.take(reasons)
        collector.add(number, key[usable], time_s[usable], place[usable])


def _nothing_usable(source: OrderSource, account: Account) -> DataError:
    said = loss_reasons(account.unusable, account.examples)
    advice = "; ".join(advice_for(account.unusable, account.examples))
    return DataError(
        f"none of the {account.rows} rows of {source.path} can be used ({said}); expected {source.order_format.name}: "
        f"{source.order_format.expected}{'; ' + advice if advice else ''}"
    )


@contextmanager
def _no_odd_types(source: OrderSource) -> Iterator[None]:
    """Turn Arrow's refusal of a column (say, of lists) into a sentence."""
    import pyarrow

    try:
        yield
    except pyarrow.ArrowException as error:
        first = str(error).strip().split("\n")[0]
        raise DataError(f"{source.path} has a column that holds neither numbers nor text: {first}") from error
