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
OUT_OF_RANGE = "coordinates out of range"
MISSING_NODE = "missing node"
UNKNOWN_NODE = "unknown node"
DUPLICATE = "duplicate order id"
ONE_POINT = "trajectory of one point"
MISSING_ID = "missing order id"
TOO_FAR = "too far from any road"


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
        time_s: when somebody asked: seconds since 1970-01-01 00:00 of the local clock (not of Greenwich). Shape [M].
        origin: the pick-up; every order has one.
        destination: the drop-off; some or all orders may lack it.
        key: 64-bit hash of the order id, by which duplicates are found; NO_KEY where there is none. Shape [M].
    """

    time_s: NDArray[np.int64]
    origin: Places
    destination: Places
    key: NDArray[np.uint64]

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
    """

    rows: int = 0
    usable_rows: int = 0
    orders: int = 0
    unusable: Mapping[str, int] = field(default_factory=dict)
    without_destination: Mapping[str, int] = field(default_factory=dict)


class Account:
    """Counts rows while a source is read in pieces. Becomes a `ReadReport` at the end."""

    def __init__(self) -> None:
        self.rows = 0
        self.usable_rows = 0
        self.orders = 0
        self.unusable: Counter[str] = Counter()
        self.without_destination: Counter[str] = Counter()

    def report(self) -> ReadReport:
        """What has been counted so far; reasons with most rows first."""
        return ReadReport(
            rows=self.rows,
            usable_rows=self.usable_rows,
            orders=self.orders,
            unusable=dict(self.unusable.most_common()),
            without_destination=dict(self.without_destination.most_common()),
        )


class Reasons:
    """For each row of a piece the first reason why it cannot be used, if there is one."""

    def __init__(self, num_rows: int) -> None:
        self._names: list[str] = []
        self._which: NDArray[np.int8] = np.full(num_rows, -1, dtype=np.int8)  # [R] index into _names

    def add(self, reason: str, holds: Mask) -> Self:
        """Give ``reason`` to the rows where it holds and no earlier reason does."""
        if reason not in self._names:
            self._names.append(reason)
        self._which[holds & (self._which < 0)] = self._names.index(reason)
        return self

    @property
    def usable(self) -> Mask:
        """Rows without a reason. Shape [R]."""
        return self._which < 0

    def counts(self, among: Mask | None = None) -> Counter[str]:
        """How many rows have each reason, of all or of those in ``among``; reasons of no row are left out."""
        which = self._which if among is None else self._which[among]
        return Counter({name: int(n) for i, name in enumerate(self._names) if (n := np.count_nonzero(which == i))})
