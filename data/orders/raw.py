"""Orders as a source gives them, before they are snapped to roads, and the account of what could not be used."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

NO_NODE = np.iinfo(np.int64).min
NO_KEY = np.uint64(0)

# Why a row cannot be used. The first reason that holds for a row is the one that counts.
WRONG_COLUMNS = "wrong number of columns"
MISSING_TIME = "missing time"
BAD_TIME = "bad time"
MISSING_COORDINATES = "missing coordinates"
BAD_COORDINATES = "coordinates not numbers"
DECIMAL_COMMA = "coordinates with a decimal comma"
OUT_OF_RANGE = "coordinates out of range"
SWAPPED = "latitude and longitude swapped"
MISSING_NODE = "missing node"
UNKNOWN_NODE = "unknown node"
MISSING_ZONE = "missing zone"
UNKNOWN_ZONE = "unknown zone"
BAD_POLYLINE = "no points in its polyline"
REPEATED = "repeated order"
OTHER_DAY = "a day that is not chosen"
ONE_POINT = "trajectory of one point"
MISSING_ID = "missing order id"
TOO_FAR = "too far from any road"
FAR_UNLESS_SWAPPED = "too far from any road, but near one if latitude and longitude are swapped"


@dataclass(frozen=True)
class Coordinates:
    """Places by WGS-84 coordinates; NaN where the source gives none that can be used."""

    longitude_deg: NDArray[np.float64]  # [M]
    latitude_deg: NDArray[np.float64]  # [M]

    def __len__(self) -> int:
        return len(self.longitude_deg)

    def __getitem__(self, index: Any) -> "Coordinates":
        return Coordinates(self.longitude_deg[index], self.latitude_deg[index])

    @property
    def given(self) -> Mask:
        """Which places can be used. Shape [M]."""
        given: Mask = np.isfinite(self.longitude_deg) & np.isfinite(self.latitude_deg)
        return given


@dataclass(frozen=True)
class NodeIds:
    """Places by the ids that the nodes of the road network have in its source; NO_NODE where there is none."""

    node_id: NDArray[np.int64]  # [M]

    def __len__(self) -> int:
        return len(self.node_id)

    def __getitem__(self, index: Any) -> "NodeIds":
        return NodeIds(self.node_id[index])

    @property
    def given(self) -> Mask:
        """Which places can be used. Shape [M]."""
        given: Mask = self.node_id != NO_NODE
        return given


Places = Coordinates | NodeIds


@dataclass(frozen=True)
class RawOrders:
    """Orders in the order of their source.

    Attributes:
        time_s: when the order was placed: seconds since 1970-01-01 00:00 of the local clock. Shape [M].
        origin: the pick-up; every order has one.
        destination: the drop-off; some or all orders may lack it.
        key: 64-bit hash of the order id; NO_KEY where there is none. Shape [M].
        parts: what else the source gives, by the names in `crowdgym.data.orders.stream.PARTS`; NaN where a row has
            none. Shape [M] each.
    """

    time_s: NDArray[np.int64]
    origin: Places
    destination: Places
    key: NDArray[np.uint64]
    parts: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time_s)


@dataclass(frozen=True)
class ReadReport:
    """What became of the rows of a source.

    Attributes:
        rows: rows read, the header not counted.
        usable_rows: rows that became an order, or a part of one; ``rows`` is this plus the sum of ``unusable``.
        orders: orders found. Fewer than ``usable_rows`` only where an order takes several rows (GPS trajectories).
        unusable: how many rows could not be used, by reason.
        without_destination: how many orders have no destination that can be used, by reason; they are kept.
        examples: for each reason the value of the first row that has it, as it stands in the source.
        times: how many times are of which kind: text without a zone, text with a zone, Unix seconds, ...
    """

    rows: int = 0
    usable_rows: int = 0
    orders: int = 0
    unusable: Mapping[str, int] = field(default_factory=dict)
    without_destination: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, int] = field(default_factory=dict)


class Account:
    """Counts rows while a source is read in pieces. Becomes a `ReadReport` at the end."""

    def __init__(self) -> None:
        self.rows = 0
        self.usable_rows = 0
        self.orders = 0
        self.unusable: Counter[str] = Counter()
        self.without_destination: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.times: Counter[str] = Counter()

    def take(self, rows: "Reasons", destinations: "Reasons | None" = None) -> Mask:
        """Count the rows of a piece by their reasons, and the orders among them that lack a destination.

        Returns:
            Which rows can be used. Shape [R].
        """
        usable = rows.usable
        self.unusable += rows.counts()
        self.usable_rows += int(usable.sum())
        self.examples = {**rows.examples, **self.examples}
        if destinations is not None:
            self.without_destination += destinations.counts(among=usable)
            self.examples = {**destinations.examples, **self.examples}
        return usable

    def report(self) -> ReadReport:
        """What has been counted so far; reasons with most rows first."""
        told = {reason: text for reason, text in self.examples.items() if reason in self._reasons}
        return ReadReport(
            rows=self.rows,
            usable_rows=self.usable_rows,
            orders=self.orders,
            unusable=dict(self.unusable.most_common()),
            without_destination=dict(self.without_destination.most_common()),
            examples=told,
            times=dict(self.times.most_common()),
        )

    @property
    def _reasons(self) -> set[str]:
        return {*self.unusable, *self.without_destination}


class Reasons:
    """For each row of a piece the first reason why it cannot be used, if there is one.

    Attributes:
        examples: for each reason the value of the first row that has it.
    """

    def __init__(self, num_rows: int) -> None:
        self.examples: dict[str, str] = {}
        self._names: list[str] = []
        self._which: NDArray[np.int8] = np.full(num_rows, -1, dtype=np.int8)  # [R] index into _names

    def add(self, reason: str, holds: Mask, *columns: Any) -> Self:
        """Give ``reason`` to the rows where it holds and no earlier reason does.

        Args:
            reason: one of those above.
            holds: where it holds. Shape [R].
            columns: arrays with the values that are at fault, for an example; none where the value is missing.
        """
        if reason not in self._names:
            self._names.append(reason)
        new = holds & (self._which < 0)
        if columns and reason not in self.examples and new.any():
            row = int(new.argmax())
            self.examples[reason] = ", ".join(str(column[row]) for column in columns)
        self._which[new] = self._names.index(reason)
        return self

    @property
    def usable(self) -> Mask:
        """Rows without a reason. Shape [R]."""
        return self._which < 0

    def counts(self, among: Mask | None = None) -> Counter[str]:
        """How many rows have each reason, of all or of those in ``among``; reasons of no row are left out."""
        which = self._which if among is None else self._which[among]
        return Counter({name: int(n) for i, name in enumerate(self._names) if (n := np.count_nonzero(which == i))})
