"""Orders put on the nodes of a road network, with an account of how far they moved and of what was left out."""

import glob
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.orders.days import DayRange
from crowdgym.data.orders.loss import advice_for
from crowdgym.data.orders.raw import (
    NO_KEY,
    OTHER_DAY,
    REPEATED,
    Account,
    Mask,
    RawOrders,
)
from crowdgym.data.orders.read import OrderOptions, OrderSource, open_source, read_sources
from crowdgym.data.orders.report import SnapDistances, SnapReport, SourceReport, StreamReport
from crowdgym.data.orders.snapper import MAX_SNAP_M, NOWHERE, Snapper
from crowdgym.data.orders.stream import PARTS, SECONDS_PER_DAY, OrderStream
from crowdgym.data.orders.times import clock_sentence
from crowdgym.data.roads.assemble import NodeTable
from crowdgym.data.roads.network import RoadNetwork

Progress = Callable[[Path, int], None]


class _Piece(NamedTuple):
    """Orders on nodes, not yet sorted."""

    time_s: NDArray[np.int64]  # local seconds since 1970
    origin: NDArray[np.int32]
    destination: NDArray[np.int32]
    key: NDArray[np.uint64]
    origin_moved_m: NDArray[np.float32]  # NaN where the source names the node
    destination_moved_m: NDArray[np.float32]
    parts: Mapping[str, NDArray[np.float64]]


def order_files(patterns: Iterable[str | Path]) -> list[Path]:
    """Files that match shell patterns, each once, in the order of the patterns and by name within each.

    Raises:
        DataError: no pattern is given, or one matches nothing.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        literal = Path(pattern).expanduser()
        names = [str(literal)] if literal.exists() else sorted(glob.glob(str(literal), recursive=True))
        if not names:
            raise DataError(f"no file matches {str(pattern)!r}; expected files of orders")
        found.update(dict.fromkeys(map(Path, names)))
    if not found:
        raise DataError("no files of orders are given; expected at least one path or pattern")
    return list(found)


def order_stream(
    network: RoadNetwork,
    paths: Sequence[str | Path],
    options: OrderOptions | None = None,
    *,
    max_snap_m: float = MAX_SNAP_M,
    left_out: NodeTable | None = None,
    progress: Progress | None = None,
) -> tuple[OrderStream, StreamReport]:
    """Read files of orders and put them on the nodes of a road network, piece by piece.

    Needs about 100 bytes of memory an order at its peak, besides the piece that is being read.

    Args:
        network: the road network.
        paths: files, or patterns such as ``orders/*.csv``.
        options: how they are read; by default everything is told by their content.
        max_snap_m: an order farther than this from any node is left out, and a destination forgotten; metres.
        left_out: nodes of the source of the network that the network lacks, because they cannot be left or reached.
        progress: called after each piece with the file and the number of rows read of it so far.

    Returns:
        The stream, sorted by time, and what became of every row.

    Raises:
        DataError: a file is missing, empty, damaged or in another format, or no order can be used.
    """
    options = options or OrderOptions()
    sources = [open_source(path, options) for path in order_files(paths)]
    accounts = [Account() for _ in sources]

    def pieces() -> Iterable[RawOrders]:
        for number, piece in read_sources(sources, accounts, options):
            if progress is not None:
                progress(sources[number].path, accounts[number].rows)
            yield piece

    snapper = Snapper(network, max_snap_m, left_out)
    stream, report = _stream(snapper, pieces(), ", ".join(_names(sources)), options.days)
    reports = tuple(_source_report(source, account) for source, account in zip(sources, accounts, strict=True))
    return stream, StreamReport(reports, max_snap_m, report)


def snap(
    raw: RawOrders,
    network: RoadNetwork,
    *,
    max_snap_m: float = MAX_SNAP_M,
    left_out: NodeTable | None = None,
    source: str = "the orders",
) -> tuple[OrderStream, SnapReport]:
    """Put orders on the nodes of a road network.

    Args:
        raw: the orders, M of them.
        network: the road network.
        max_snap_m: an order farther than this from any node is left out, and a destination forgotten; metres.
        left_out: nodes of the source of the network that the network lacks, because they cannot be left or reached.
        source: what the orders are called in a message.

    Returns:
        The stream, sorted by time (ties by the order of ``raw``), and what became of the orders.

    Raises:
        DataError: no order can be used, or ``max_snap_m`` is not positive.
    """
    return _stream(Snapper(network, max_snap_m, left_out), [raw], source)


@dataclass
class _Losses:
    """What was lost on the way to the nodes."""

    orders: int
    unusable: Counter[str]
    without_destination: Counter[str]
    examples: dict[str, str]
    from_left_out: int


def _stream(
    snapper: Snapper, raw: Iterable[RawOrders], source: str, days: DayRange | None = None
) -> tuple[OrderStream, SnapReport]:
    losses = _Losses(0, Counter(), Counter(), {}, 0)
    kept = [_snap_piece(snapper, piece, losses) for piece in raw]
    orders = _joined(kept) if kept else None
    kept.clear()  # millions of orders need not be there twice
    if orders is None or not len(orders.time_s):
        raise _nothing_left(losses, snapper, source)
    orders = _on_days(orders, days, losses)
    orders, repeated, shared_ids = _without_repeated(orders)
    if repeated:
        losses.unusable[REPEATED] += repeated

    first_day = int(orders.time_s.min()) // SECONDS_PER_DAY
    order = np.argsort(orders.time_s, kind="stable")
    stream = OrderStream(
        time_s=orders.time_s[order] - first_day * SECONDS_PER_DAY,
        origin=orders.origin[order],
        destination=orders.destination[order],
        **{name: array[order] for name, array in orders.parts.items()},
    )
    report = SnapReport(
        orders=losses.orders,
        unusable=dict(losses.unusable.most_common()),
        without_destination=dict(losses.without_destination.most_common()),
        origin=_summary(orders.origin_moved_m),
        destination=_summary(orders.destination_moved_m),
        first_day=str(np.datetime64(first_day, "D")),
        examples=losses.examples,
        from_left_out=losses.from_left_out,
        shared_ids=shared_ids,
    )
    return stream, report


def _snap_piece(snapper: Snapper, piece: RawOrders, losses: _Losses) -> _Piece:
    origin, destination = snapper.snapped(piece.origin), snapper.snapped(piece.destination)
    kept = origin.node != NOWHERE
    losses.orders += len(piece)
    losses.unusable += origin.reasons.counts()
    losses.without_destination += destination.reasons.counts(among=kept)
    losses.examples = {**destination.reasons.examples, **origin.reasons.examples, **losses.examples}
    losses.from_left_out += int(origin.from_left_out.sum())
    return _Piece(
        piece.time_s[kept],
        origin.node[kept],
        destination.node[kept],
        piece.key[kept],
        origin.moved_m[kept],
        destination.moved_m[kept],
        {name: array[kept] for name, array in piece.parts.items()},
    )


def _joined(pieces: Sequence[_Piece]) -> _Piece:
    """Pieces in one; a part that a piece lacks is NaN there."""
    parts = {
        name: np.concatenate([piece.parts.get(name, np.full(len(piece.time_s), np.nan)) for piece in pieces])
        for name in PARTS
        if any(name in piece.parts for piece in pieces)
    }
    return _Piece(
        time_s=np.concatenate([piece.time_s for piece in pieces]),
        origin=np.concatenate([piece.origin for piece in pieces]),
        destination=np.concatenate([piece.destination for piece in pieces]),
        key=np.concatenate([piece.key for piece in pieces]),
        origin_moved_m=np.concatenate([piece.origin_moved_m for piece in pieces]),
        destination_moved_m=np.concatenate([piece.destination_moved_m for piece in pieces]),
        parts=parts,
    )


def _taken(orders: _Piece, chosen: Mask) -> _Piece:
    """The chosen orders."""
    return _Piece(
        time_s=orders.time_s[chosen],
        origin=orders.origin[chosen],
        destination=orders.destination[chosen],
        key=orders.key[chosen],
        origin_moved_m=orders.origin_moved_m[chosen],
        destination_moved_m=orders.destination_moved_m[chosen],
        parts={name: array[chosen] for name, array in orders.parts.items()},
    )


def _on_days(orders: _Piece, days: DayRange | None, losses: _Losses) -> _Piece:
    """The orders of the days that are chosen.

    Raises:
        DataError: there are none.
    """
    if days is None:
        return orders
    day = orders.time_s // SECONDS_PER_DAY
    chosen = (day >= days.first) & (day <= days.last)
    if not chosen.any():
        first, last = (str(np.datetime64(int(number), "D")) for number in (day.min(), day.max()))
        raise DataError(f"no order is on {days}; the orders are of {first} to {last}")
    if not chosen.all():
        losses.unusable[OTHER_DAY] += int((~chosen).sum())
    return _taken(orders, chosen)


def _without_repeated(orders: _Piece) -> tuple[_Piece, int, int]:
    """Keep the first of orders with the same id, time and places. An id alone may be given anew each day or file.

    Returns:
        The orders, how many were repeated, and how many of those kept share their id with an earlier one.
    """
    identified = np.flatnonzero(orders.key != NO_KEY)
    num_ids = _num_different(orders.key[identified])
    if num_ids == len(identified):
        return orders, 0, 0
    whole = orders.key[identified]
    for array in (orders.time_s, orders.origin, orders.destination):
        whole = _mixed(whole ^ array[identified].astype(np.int64).view(np.uint64))
    firsts = np.unique(whole, return_index=True)[1]
    repeated = len(identified) - len(firsts)
    kept = orders.key == NO_KEY
    kept[identified[firsts]] = True
    return _taken(orders, kept), repeated, len(firsts) - num_ids


def _num_different(values: NDArray[np.uint64]) -> int:
    ordered = np.sort(values)  # several times faster than the hash table of np.unique, once there are millions
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + bool(len(ordered))


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The last steps of SplitMix64 (Steele, Lea and Flood, 2014): one changed bit changes half of the bits."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _summary(moved_m: NDArray[np.float32]) -> SnapDistances:
    measured = moved_m[np.isfinite(moved_m)]
    if not len(measured):
        return SnapDistances(0, 0.0, 0.0, 0.0)
    median, p90, most = (round(float(value), 3) for value in np.quantile(measured, (0.5, 0.9, 1.0)))
    return SnapDistances(len(measured), median, p90, most)


def _nothing_left(losses: _Losses, snapper: Snapper, source: str) -> DataError:
    west, south, east, north = snapper.network.bounds_deg
    why = ", ".join(
        f"{count} {reason}" + (f", such as {losses.examples[reason]}" if reason in losses.examples else "")
        for reason, count in losses.unusable.most_common()
    )
    advice = "; ".join(advice_for(losses.unusable, losses.examples))
    return DataError(
        f"none of the {losses.orders} orders of {source} can be put on the roads ({why}); expected pick-ups "
        f"within {snapper.max_snap_m:g} m of a road node between {west:.4f}, {south:.4f} and {east:.4f}, {north:.4f} "
        f"(WGS-84), or ids that the nodes have in the source of the network; {advice}"
    )


def _source_report(source: OrderSource, account: Account) -> SourceReport:
    encoding = "" if source.table.parquet else source.table.encoding.name
    clock = clock_sentence(source.clock, account.times)
    size_bytes = source.path.stat().st_size
    name = source.order_format.name
    return SourceReport(source.path.name, size_bytes, name, source.crs, clock, encoding, account.report())


def _names(sources: Sequence[OrderSource]) -> list[str]:
    names = [str(source.path) for source in sources]
    return names if len(names) <= 3 else [names[0], f"{len(names) - 1} other files"]
