"""Reading orders from files of any known format, in pieces that fit into memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.data.orders import fields as columns_of
from crowdgym.data.orders.fields import CoordinateSystem, TimeKind
from crowdgym.data.orders.formats import (
    EXPECTED,
    ORDER_FORMATS,
    OrderColumns,
    OrderFormat,
    Positions,
    detect,
    positions,
)
from crowdgym.data.orders.raw import (
    NO_NODE,
    Account,
    Coordinates,
    NodeIds,
    Places,
    RawOrders,
    ReadReport,
    Reasons,
)
from crowdgym.data.orders.tables import Peek, peek, read_pieces
from crowdgym.data.orders.trajectories import TrajectoryCollector

DIDI_UTC_OFFSET_H = 8.0


@dataclass(frozen=True)
class OrderOptions:
    """How files of orders are read.

    Attributes:
        order_format: one of ``ORDER_FORMATS``; None tells it by the content of each file.
        columns: for a table: which column holds what; by default told by the names of the header.
        crs: what coordinates are in; None means GCJ-02 for DiDi's own formats, and has to be said for a table.
        utc_offset_h: how many hours the city's clock is ahead of Greenwich, for times in Unix seconds.
        times: "seconds-of-day" where numbers count from midnight of an unnamed day; "auto" for Unix seconds and text.
    """

    order_format: OrderFormat | None = None
    columns: OrderColumns = field(default_factory=OrderColumns)
    crs: CoordinateSystem | None = None
    utc_offset_h: float = DIDI_UTC_OFFSET_H
    times: TimeKind = "auto"

    def __post_init__(self) -> None:
        """Check what can be checked without a file.

        Raises:
            DataError: an option has a value that means nothing.
        """
        for name, value, known in (
            ("order_format", self.order_format, (None, *ORDER_FORMATS)),
            ("crs", self.crs, (None, "gcj02", "wgs84")),
            ("times", self.times, ("auto", "seconds-of-day")),
        ):
            if value not in known:
                raise DataError(
                    f"{name} is {value!r}; expected one of {', '.join(str(item) for item in known if item)}"
                )
        if not -12 <= self.utc_offset_h <= 14:
            raise DataError(f"utc_offset_h is {self.utc_offset_h!r}; expected hours between -12 and 14")
        if self.columns.named() and self.order_format not in (None, "table"):
            raise DataError(
                f"columns are named ({', '.join(self.columns.named())}), but {self.order_format} has columns of its "
                "own; expected the format 'table'"
            )


@dataclass(frozen=True)
class OrderSource:
    """One file of orders whose format and columns are known."""

    path: Path
    order_format: OrderFormat
    table: Peek
    positions: Positions | None  # None for trajectories
    crs: CoordinateSystem | None  # None where the file names nodes instead of coordinates


def open_source(path: Path, options: OrderOptions) -> OrderSource:
    """Look at a file and find out how to read it.

    Raises:
        DataError: it is missing, empty, unreadable or not in the expected format; one sentence says which.
    """
    table = peek(path)
    order_format = options.order_format or detect(table, options.columns)
    table, at = positions(order_format, table, options.columns)
    if not table.parquet and not table.rows:
        raise DataError(f"{path} has no rows after its header; expected orders, one a line")
    if order_format == "table" and at is not None and 2 not in (len(at.origin), len(at.destination)):
        crs = None
    elif options.crs is not None or order_format == "table":
        crs = options.crs
        if crs is None:
            raise DataError(
                f"{path} has coordinates, but nothing says in which system; expected crs to be 'gcj02' (DiDi and other "
                "Chinese services) or 'wgs84' (GPS and OpenStreetMap)"
            )
    else:
        crs = "gcj02"
    return OrderSource(path, order_format, table, at, crs)


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
        if source.positions is None:
            _collect(source, account, options, collector, number)
        else:
            yield from ((number, piece) for piece in _table_orders(source, source.positions, account, options))
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
    )


def _table_orders(source: OrderSource, at: Positions, account: Account, options: OrderOptions) -> Iterator[RawOrders]:
    """Orders of a file with one order a row."""
    wanted = [at.time, *at.origin, *at.destination, *([] if at.order_id is None else [at.order_id])]
    for piece in read_pieces(source.table, wanted, account):
        column = dict(zip(wanted, piece, strict=True))
        with _no_odd_types(source):
            orders = _piece_of_orders(source, at, column, account, options)
        if len(orders):
            yield orders


def _piece_of_orders(
    source: OrderSource, at: Positions, column: dict[int, Any], account: Account, options: OrderOptions
) -> RawOrders:
    num_rows = len(column[at.time])
    reasons, destination_reasons = Reasons(num_rows), Reasons(num_rows)
    time_s = columns_of.local_times(column[at.time], options.utc_offset_h, reasons, options.times)
    origin = _places([column[i] for i in at.origin], source.crs, reasons)
    destination = _places([column[i] for i in at.destination], source.crs, destination_reasons)
    destination = destination if destination is not None else _nowhere(origin, num_rows)
    key = np.zeros(num_rows, np.uint64) if at.order_id is None else columns_of.keys(column[at.order_id])

    usable = reasons.usable
    account.unusable += reasons.counts()
    account.without_destination += destination_reasons.counts(among=usable)
    account.usable_rows += int(usable.sum())
    account.orders += int(usable.sum())
    assert origin is not None
    return RawOrders(time_s[usable], origin[usable], destination[usable], key[usable])


def _places(columns: Sequence[Any], crs: CoordinateSystem | None, reasons: Reasons) -> Places | None:
    if not columns:
        return None
    if len(columns) == 1:
        return columns_of.node_ids(columns[0], reasons)
    return columns_of.coordinates(columns[0], columns[1], crs, reasons)


def _nowhere(like: Places | None, num_rows: int) -> Places:
    if isinstance(like, NodeIds):
        return NodeIds(np.full(num_rows, NO_NODE))
    return columns_of.no_coordinates(num_rows)


def _collect(
    source: OrderSource, account: Account, options: OrderOptions, collector: TrajectoryCollector, number: int
) -> None:
    """Points of a file with one point of a trajectory a row: driver_id, order_id, ts, lng, lat."""
    for order_id, time, longitude, latitude in read_pieces(source.table, (1, 2, 3, 4), account):
        with _no_odd_types(source):
            reasons = Reasons(len(time))
            time_s = columns_of.local_times(time, options.utc_offset_h, reasons)
            place = columns_of.coordinates(longitude, latitude, source.crs, reasons)
            key = columns_of.keys(order_id, reasons)
        usable = reasons.usable
        account.unusable += reasons.counts()
        account.usable_rows += int(usable.sum())
        collector.add(number, key[usable], time_s[usable], place[usable])


def _nothing_usable(source: OrderSource, account: Account) -> DataError:
    why = ", ".join(f"{count} with {reason}" for reason, count in account.unusable.most_common())
    return DataError(
        f"none of the {account.rows} rows of {source.path} can be used ({why}); expected {source.order_format}: "
        f"{EXPECTED[source.order_format]}"
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
