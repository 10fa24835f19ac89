"""Orders put on the nodes of a road network, with an account of how far they moved and of what was left out."""

import glob
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.orders.raw import (
    DUPLICATE,
    NO_KEY,
    TOO_FAR,
    UNKNOWN_NODE,
    Account,
    NodeIds,
    Places,
    RawOrders,
    ReadReport,
)
from crowdgym.data.orders.read import OrderOptions, OrderSource, open_source, read_sources
from crowdgym.data.orders.stream import SECONDS_PER_DAY, OrderStream
from crowdgym.data.roads.network import RoadNetwork

# Assumption: farther than this from the nearest node, a place is not one that the network serves. Of the pick-ups of
# the Haikou sample 99.9 % are nearer, although that network has the higher classes of roads only.
MAX_SNAP_M = 1_000.0
NOWHERE = -1

Progress = Callable[[Path, int], None]


@dataclass(frozen=True)
class SnapDistances:
    """Straight-line distances from places to the nodes they were put on, in metres; of places given by coordinates."""

    places: int
    median_m: float
    p90_m: float
    max_m: float


@dataclass(frozen=True)
class SnapReport:
    """What became of orders on the road network.

    Attributes:
        orders: orders given; the stream holds these less the sum of ``unusable``.
        unusable: orders left out, by reason.
        without_destination: orders kept whose destination is given but cannot be used, by reason.
        origin: how far pick-ups moved, of the orders kept.
        destination: how far drop-offs moved, of the orders kept.
        first_day: the day on which the stream begins, as YYYY-MM-DD; 1970-01-01 where the source has no dates.
    """

    orders: int
    unusable: Mapping[str, int]
    without_destination: Mapping[str, int]
    origin: SnapDistances
    destination: SnapDistances
    first_day: str


@dataclass(frozen=True)
class SourceReport:
    """One file of an order stream: its name, format, what its coordinates are in (None: it names nodes), its rows."""

    name: str
    size_bytes: int
    order_format: str
    crs: str | None
    read: ReadReport


@dataclass(frozen=True)
class StreamReport:
    """How a stream was made: the files it was read from, and what became of their orders on the network."""

    sources: tuple[SourceReport, ...]
    max_snap_m: float
    snap: SnapReport

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(source.read.rows for source in self.sources)

    @property
    def unusable(self) -> dict[str, int]:
        """What was left out, on reading and on snapping, by reason; most frequent first."""
        return _total([*(source.read.unusable for source in self.sources), self.snap.unusable])

    @property
    def without_destination(self) -> dict[str, int]:
        """Orders read whose destination is unknown although the source has destinations, by reason."""
        return _total([*(source.read.without_destination for source in self.sources), self.snap.without_destination])


class _Piece(NamedTuple):
    """Orders on nodes, not yet sorted."""

    time_s: NDArray[np.int64]  # local seconds since 1970
    origin: NDArray[np.int32]
    destination: NDArray[np.int32]
    key: NDArray[np.uint64]
    origin_moved_m: NDArray[np.float32]  # NaN where the source names the node
    destination_moved_m: NDArray[np.float32]


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
    progress: Progress | None = None,
) -> tuple[OrderStream, StreamReport]:
    """Read files of orders and put them on the nodes of a road network, piece by piece.

    Needs about 100 bytes of memory an order at its peak, besides the piece that is being read.

    Args:
        network: the road network.
        paths: files, or patterns such as ``orders/*.csv``.
        options: how they are read; by default everything is told by their content.
        max_snap_m: an order farther than this from any node is left out, and a destination forgotten; metres.
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

    stream, report = _stream(network, pieces(), max_snap_m, ", ".join(_names(sources)))
    reports = tuple(
        SourceReport(source.path.name, source.path.stat().st_size, source.order_format, source.crs, account.report())
        for source, account in zip(sources, accounts, strict=True)
    )
    return stream, StreamReport(reports, max_snap_m, report)


def snap(
    raw: RawOrders, network: RoadNetwork, *, max_snap_m: float = MAX_SNAP_M, source: str = "the orders"
) -> tuple[OrderStream, SnapReport]:
    """Put orders on the nodes of a road network.

    Args:
        raw: the orders, M of them.
        network: the road network.
        max_snap_m: an order farther than this from any node is left out, and a destination forgotten; metres.
        source: what the orders are called in a message.

    Returns:
        The stream, sorted by time (ties by the order of ``raw``), and what became of the orders.

    Raises:
        DataError: no order can be used, or ``max_snap_m`` is not positive.
    """
    return _stream(network, [raw], max_snap_m, source)


def _stream(
    network: RoadNetwork, raw: Iterable[RawOrders], max_snap_m: float, source: str
) -> tuple[OrderStream, SnapReport]:
    if not max_snap_m > 0:
        raise DataError(f"max_snap_m is {max_snap_m!r}; expected a distance in metres greater than 0")
    snapper = Snapper(network, max_snap_m)
    unusable: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    kept, num_orders = [], 0
    for piece in raw:
        num_orders += len(piece)
        kept.append(_snap_piece(snapper, piece, unusable, lost))
    orders = _Piece(*(np.concatenate(arrays) for arrays in zip(*kept, strict=True))) if kept else None
    kept.clear()  # millions of orders need not be there twice
    if orders is None or not len(orders.time_s):
        raise _nothing_left(num_orders, unusable, network, max_snap_m, source)
    orders, duplicates = _without_duplicates(orders)
    if duplicates:
        unusable[DUPLICATE] += duplicates

    first_day = int(orders.time_s.min()) // SECONDS_PER_DAY
    order = np.argsort(orders.time_s, kind="stable")
    stream = OrderStream(
        time_s=orders.time_s[order] - first_day * SECONDS_PER_DAY,
        origin=orders.origin[order],
        destination=orders.destination[order],
    )
    report = SnapReport(
        orders=num_orders,
        unusable=dict(unusable.most_common()),
        without_destination=dict(lost.most_common()),
        origin=_summary(orders.origin_moved_m),
        destination=_summary(orders.destination_moved_m),
        first_day=str(np.datetime64(first_day, "D")),
    )
    return stream, report


class Snapper:
    """Finds the nodes of places: see `nodes`. A place farther than ``max_snap_m`` from every node has none."""

    def __init__(self, network: RoadNetwork, max_snap_m: float) -> None:
        import pyproj
        from scipy.spatial import cKDTree

        self._max_snap_m = max_snap_m
        self._project: Any = pyproj.Transformer.from_crs("EPSG:4326", network.crs, always_xy=True).transform
        self._tree: Any = cKDTree(np.column_stack([network.x_m, network.y_m]))
        self._order = np.argsort(network.node_ids, kind="stable")
        self._sorted_ids = network.node_ids[self._order]

    def nodes(self, places: Places) -> tuple[NDArray[np.int32], NDArray[np.float32], str]:
        """Nodes (NOWHERE where there is none), how far they are (NaN if not measured), and why there is none."""
        if isinstance(places, NodeIds):
            at = np.minimum(np.searchsorted(self._sorted_ids, places.node_id), len(self._sorted_ids) - 1)
            known = self._sorted_ids[at] == places.node_id
            nodes = np.where(known, self._order[at], NOWHERE).astype(np.int32)
            return nodes, np.full(len(places), np.nan, np.float32), UNKNOWN_NODE
        x_m, y_m = self._project(places.longitude_deg, places.latitude_deg)
        point = np.column_stack([x_m, y_m])
        finite = np.isfinite(point).all(axis=1)
        nodes = np.full(len(places), NOWHERE, np.int32)
        moved_m = np.full(len(places), np.nan, np.float32)
        # A bound makes the search stop early; the tree excludes the bound itself.
        bound = np.nextafter(self._max_snap_m, np.inf)
        distance_m, nearest = self._tree.query(point[finite], distance_upper_bound=bound)
        found = np.isfinite(distance_m)
        at = np.flatnonzero(finite)[found]
        nodes[at], moved_m[at] = nearest[found], distance_m[found]
        return nodes, moved_m, TOO_FAR


def _snap_piece(snapper: Snapper, piece: RawOrders, unusable: Counter[str], lost: Counter[str]) -> _Piece:
    origin, origin_moved_m, why_no_origin = snapper.nodes(piece.origin)
    destination, destination_moved_m, why_no_destination = snapper.nodes(piece.destination)
    kept = origin != NOWHERE
    for reasons, reason, count in (
        (unusable, why_no_origin, np.count_nonzero(~kept)),
        (lost, why_no_destination, np.count_nonzero(kept & piece.destination.given & (destination == NOWHERE))),
    ):
        if count:
            reasons[reason] += int(count)
    return _Piece(
        piece.time_s[kept],
        origin[kept],
        destination[kept],
        piece.key[kept],
        origin_moved_m[kept],
        destination_moved_m[kept],
    )


def _without_duplicates(orders: _Piece) -> tuple[_Piece, int]:
    """Keep the first order of each id; orders without an id are all kept."""
    identified = np.flatnonzero(orders.key != NO_KEY)
    firsts = np.unique(orders.key[identified], return_index=True)[1]
    duplicates = len(identified) - len(firsts)
    if not duplicates:
        return orders, 0
    kept = orders.key == NO_KEY
    kept[identified[firsts]] = True
    return _Piece(*(array[kept] for array in orders)), duplicates


def _summary(moved_m: NDArray[np.float32]) -> SnapDistances:
    measured = moved_m[np.isfinite(moved_m)]
    if not len(measured):
        return SnapDistances(0, 0.0, 0.0, 0.0)
    median, p90, most = (round(float(value), 3) for value in np.quantile(measured, (0.5, 0.9, 1.0)))
    return SnapDistances(len(measured), median, p90, most)


def _nothing_left(
    num_orders: int, unusable: Counter[str], network: RoadNetwork, max_snap_m: float, source: str
) -> DataError:
    west, south, east, north = network.bounds_deg
    why = ", ".join(f"{count} {reason}" for reason, count in unusable.most_common())
    return DataError(
        f"none of the {num_orders} orders of {source} can be put on the roads ({why}); expected pick-ups within "
        f"{max_snap_m:g} m of a road node between {west:.4f}, {south:.4f} and {east:.4f}, {north:.4f} (WGS-84), "
        "or ids that the nodes have in the source of the network"
    )


def _names(sources: Sequence[OrderSource]) -> list[str]:
    names = [str(source.path) for source in sources]
    return names if len(names) <= 3 else [names[0], f"{len(names) - 1} other files"]


def _total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return dict(total.most_common())
