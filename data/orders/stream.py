"""An order stream on a road network: when and where people asked for something."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.files import Arrays

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class OrderStream:
    """Orders snapped to the nodes of one road network, sorted by time (ties by the order of the source).

    Attributes:
        time_s: seconds since midnight, local time, of the first day of the stream; later days go on counting.
        origin: node of the pick-up.
        destination: node of the drop-off, or -1 where the source gives none.
    """

    time_s: NDArray[np.int64]  # [M]
    origin: NDArray[np.int32]  # [M]
    destination: NDArray[np.int32]  # [M]

    def __len__(self) -> int:
        return len(self.time_s)

    def hourly_counts(self) -> NDArray[np.int64]:
        """Orders by hour of day, all days together. Shape [24]."""
        return np.bincount(self.time_s % SECONDS_PER_DAY // 3600, minlength=24).astype(np.int64)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything above by name, for `crowdgym.common.files.write_arrays`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The inverse of `to_arrays`."""
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})
