"""Check-ins on the nodes of a road network, as a dataset keeps them."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.archives import Arrays


@dataclass(frozen=True)
class Checkins:
    """E check-ins of U users at L places, sorted by user, then by time.

    Attributes:
        place_node: node of each place. Shape [L].
        place_category: index into the dataset's ``category_names``. Shape [L].
        user: from 0 to U - 1. Shape [E].
        place: from 0 to L - 1. Shape [E].
        time_s: seconds since the first of all. Shape [E].
    """

    place_node: NDArray[np.int32]
    place_category: NDArray[np.int8]
    user: NDArray[np.int32]
    place: NDArray[np.int32]
    time_s: NDArray[np.float64]

    @property
    def num_users(self) -> int:
        """U."""
        return int(self.user[-1]) + 1 if len(self.user) else 0

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything above by name, for `crowdgym.common.files.write_arrays`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The inverse of `to_arrays`."""
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})
