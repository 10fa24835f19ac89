"""The interface between a learner and centres that keep their records to themselves.

The runner makes one client for each centre, from the records of that centre alone. The learner's own side, the server,
gets a `Centres` and never a client or a record: what it is told is an `Update` or an `Assessment`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class PublicPlaces:
    """The L places that records name. They are public, as a map is.

    Attributes:
        category: of each place, from 0 to C - 1. Shape [L].
        popularity: how often people go there, not normalised. Shape [L].
        num_categories: C.
    """

    category: NDArray[np.int64]
    popularity: NDArray[np.float64]
    num_categories: int

    def __len__(self) -> int:
        return len(self.category)


@dataclass(frozen=True)
class CentreRecords:
    """The E events of the workers of one centre, sorted by worker, then by time.

    Attributes:
        workers: numbers of all its workers, rising, those without an event included. Shape [n].
        worker: of each event. Shape [E].
        place: of each event, from 0 to L - 1. Shape [E].
        category: of each event. Shape [E].
    """

    workers: NDArray[np.int64]
    worker: NDArray[np.int64]
    place: NDArray[np.int64]
    category: NDArray[np.int64]


@dataclass(frozen=True)
class CentreTask:
    """The arguments of a client.

    Attributes:
        settings: hyperparameters of the learner, of the class that its `LearnerSpec` names.
        centre: number of the centre; its random draws differ from those of the others.
        places: that the records name.
        records: of this centre.
        seed: of all random draws.
    """

    settings: Any
    centre: int
    places: PublicPlaces
    records: CentreRecords
    seed: int


@dataclass(frozen=True)
class Order:
    """What the server asks of a centre in a round: to lower its own loss plus two terms, beginning at ``parameters``.

    With w_t for ``parameters``, the centre descends on  loss(w) + <linear, w> + proximal / 2 |w - w_t|^2.

    Attributes:
        number: of the round, from 0 on; it fixes the random draws.
        parameters: by name.
        linear: by name; empty for 0.
        proximal: at least 0.
    """

    number: int
    parameters: Tensors
    linear: Tensors = field(default_factory=dict)
    proximal: float = 0.0


@dataclass(frozen=True)
class Update:
    """All that leaves a centre after a round of learning.

    Attributes:
        parameters: where the centre arrived, by name.
        gradient: mean gradient of the centre's own loss over its steps, by the same names.
        num_examples: how many events the centre has learnt from.
        figures: means over the centre's steps.
    """

    parameters: Tensors
    gradient: Tensors
    num_examples: int
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Assessment:
    """What a centre tells of the parameters as it would use them.

    Attributes:
        figures: means over the centre's validation events, and their number as ``events``.
        workers: numbers. Shape [n].
        preferences: the estimated distribution of the next category of each worker after its whole history, so that
            offers can be matched. It is personal, and the server sees it. Shape [n, C].
    """

    figures: Mapping[str, float]
    workers: Tensor
    preferences: Tensor


class Client(Protocol):
    """A centre. It is made of a `CentreTask`, and has no state besides."""

    def fit(self, order: Order) -> Update:
        """Learn from the centre's records."""

    def assess(self, order: Order) -> Assessment:
        """Validate the parameters of an order, and apply them to the centre's workers."""


class Centres(Protocol):
    """All centres, as the server sees them. Arguments and answers are by the number of the centre.

    Attributes:
        num_centres: how many there are.
        places: that their records name.
    """

    num_centres: int
    places: PublicPlaces

    def fit(self, orders: Mapping[int, Order]) -> dict[int, Update]:
        """A round of some centres."""

    def assess(self, orders: Mapping[int, Order]) -> dict[int, Assessment]:
        """See `Client.assess`."""

    def close(self) -> None:
        """End what runs for the centres."""
