"""The book of histories: what every centre has on file about its own workers.

Histories are private to a centre. A `HistoryBook` gives them centre by centre, and has no call that returns all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError


@dataclass(frozen=True)
class Places:
    """The L places that histories name. They are public, as a map is.

    Attributes:
        node: of the road network. Shape [L].
        category: index of the kind of place. Shape [L].
        popularity: how often people go there, not normalised. Shape [L].
    """

    node: NDArray[np.int32]
    category: NDArray[np.int8]
    popularity: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.node)


@dataclass(frozen=True)
class CentreHistories:
    """The E events of the workers of one centre, sorted by worker, then by time.

    Attributes:
        worker: number of the worker, as in the name of its agent. Shape [E].
        place: number of the place in `Places`. Shape [E].
        category: of the place. Shape [E].
        time_s: seconds since the record of the population began. Shape [E].

    Raises:
        DataError: arrays of different lengths.
    """

    worker: NDArray[np.int32]
    place: NDArray[np.int32]
    category: NDArray[np.int8]
    time_s: NDArray[np.float64]

    def __post_init__(self) -> None:
        lengths = {name: len(array) for name, array in vars(self).items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"the arrays of a history must have one length, got {lengths}")

    def __len__(self) -> int:
        return len(self.worker)

    def category_shares(self, workers: NDArray[np.integer], num_categories: int) -> NDArray[np.float64]:
        """How the events of each worker are spread over the categories.

        Args:
            workers: numbers of the workers to describe. Shape [n].
            num_categories: C.

        Returns:
            Rows that sum to 1, or all zeros for a worker without an event. Shape [n, C].
        """
        counts = np.zeros((int(workers.max(initial=-1)) + 1, num_categories))
        known = self.worker < len(counts)
        np.add.at(counts, (self.worker[known], self.category[known]), 1.0)
        rows = counts[workers]
        shares: NDArray[np.float64] = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1.0)
        return shares


class HistoryBook:
    """The histories of all centres, one by one.

    Args:
        places: that the histories name.
        centres: the histories of centre 0, 1, and so on.
    """

    def __init__(self, places: Places, centres: Sequence[CentreHistories]) -> None:
        self.places = places
        self._centres = tuple(centres)

    @cached_property
    def digest(self) -> NDArray[np.uint8]:
        """A fingerprint of all histories: it tells whether two books are the same. Shape [8]."""
        arrays = [array for of_centre in self._centres for array in vars(of_centre).values()]
        content = sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays))
        return np.frombuffer(content.digest()[:8], np.uint8).copy()

    @property
    def num_centres(self) -> int:
        """How many centres there are."""
        return len(self._centres)

    def of(self, centre: int) -> CentreHistories:
        """The histories of the workers of one centre.

        Raises:
            DataError: there is no such centre.
        """
        if not 0 <= centre < len(self._centres):
            raise DataError(f"centre must be from 0 to {len(self._centres) - 1}, got {centre}")
        return self._centres[centre]
