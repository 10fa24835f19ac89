"""The account of an order stream: the files it was read from, and what became of every row and place."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crowdgym.data.orders.loss import verdict
from crowdgym.data.orders.raw import OTHER_DAY, ReadReport


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
        examples: for each reason the place or id of the first order that has it.
        from_left_out: orders kept whose pick-up is at a node that the network leaves out, because it cannot be left or
            reached; they are moved to the nearest node like any other place.
        shared_ids: orders kept whose id an earlier order has with another time or place.
    """

    orders: int
    unusable: Mapping[str, int]
    without_destination: Mapping[str, int]
    origin: SnapDistances
    destination: SnapDistances
    first_day: str
    examples: Mapping[str, str]
    from_left_out: int
    shared_ids: int


@dataclass(frozen=True)
class SourceReport:
    """One file of an order stream.

    Attributes:
        name: of the file.
        size_bytes: of the file.
        order_format: name of its format.
        crs: what its coordinates are in; None: it names nodes.
        clock: which clock its times were read on, in words.
        encoding: of its text; "" for Parquet.
        read: what became of its rows.
    """

    name: str
    size_bytes: int
    order_format: str
    crs: str | None
    clock: str
    encoding: str
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

    @property
    def examples(self) -> dict[str, str]:
        """For each reason the value of the first row or order that has it."""
        return dict(
            item
            for part in (self.snap.examples, *(source.read.examples for source in reversed(self.sources)))
            for item in part.items()
        )

    @property
    def loss(self) -> str | None:
        """A sentence with the reasons and the options that would help, if less than half of the rows are kept."""
        lost = {reason: count for reason, count in self.unusable.items() if reason != OTHER_DAY}
        found = sum(source.read.orders for source in self.sources)
        kept = found - sum(count for reason, count in self.snap.unusable.items() if reason != OTHER_DAY)
        usable_rows = sum(source.read.usable_rows for source in self.sources)
        return verdict(self.rows, round(usable_rows * kept / max(found, 1)), lost, self.examples)


def _total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return dict(total.most_common())
