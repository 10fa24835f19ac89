"""An order stream on a road network: when and where people asked for something."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.archives import Arrays

SECONDS_PER_DAY = 86_400
PARTS = ("payment", "deadline_s", "quantity")  # what a source may give of its orders besides times and places


@dataclass(frozen=True)
class OrderStream:
    """Orders snapped to the nodes of one road network, sorted by time (ties by the order of the source).

    Attributes:
        time_s: seconds since midnight, local time, of the first day of the stream; later days go on counting.
        origin: node of the pick-up.
        destination: node of the drop-off, or -1 where the source gives none.
        payment: the fare, NaN where an order has none; None where the source has no fares.
        deadline_s: by when an order can be served, seconds after ``time_s``; NaN and None likewise.
        quantity: how much an order asks for; NaN and None likewise.
    """

    time_s: NDArray[np.int64]  # [M]
    origin: NDArray[np.int32]  # [M]
    destination: NDArray[np.int32]  # [M]
    payment: NDArray[np.float64] | None = None  # [M]
    deadline_s: NDArray[np.float64] | None = None  # [M]
    quantity: NDArray[np.float64] | None = None  # [M]

    def __len__(self) -> int:
        return len(self.time_s)

    def hourly_counts(self) -> NDArray[np.int64]:
        """Orders by hour of day, all days together. Shape [24]."""
        return np.bincount(self.time_s % SECONDS_PER_DAY // 3600, minlength=24).astype(np.int64)

    @property
    def parts(self) -> tuple[str, ...]:
        """Those of `PARTS` that the source gives."""
        return tuple(name for name in PARTS if getattr(self, name) is not None)

    def on_days(self, first: int, last: int) -> Self:
        """The orders of some days, of which the first becomes day 0.

        Args:
            first: number of the first day, 0 being the day on which this stream begins.
            last: number of the last day, included.
        """
        begin, end = np.searchsorted(self.time_s, (first * SECONDS_PER_DAY, (last + 1) * SECONDS_PER_DAY))
        chosen = {name: array[begin:end] for name, array in self.to_arrays().items()}
        return type(self)(**{**chosen, "time_s": chosen["time_s"] - first * SECONDS_PER_DAY})

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything above that is there by name, for `crowdgym.common.archives.write_arrays`."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: array for name, array in arrays.items() if array is not None}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The inverse of `to_arrays`."""
        return cls(**{field.name: arrays[field.name] for field in fields(cls) if field.name in arrays})
