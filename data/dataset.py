"""A named dataset: a road network, an order stream and what kind of place each node is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.histories.checkins.checkins import Checkins
from crowdgym.data.orders import OrderStream
from crowdgym.data.roads import RoadNetwork

# The eight kinds of place a task can need a skill for: the categories of points of interest near Haikou's orders,
# with their share of the origins in percent (design section 8; hotels are counted with residential places).
CATEGORIES: dict[str, float] = {
    "dining": 32.0,
    "shopping": 31.7,
    "daily services": 11.3,
    "company": 10.9,
    "residential and hotel": 4.6,
    "institution": 2.5,
    "education": 1.8,
    "medical": 1.7,
}


@dataclass(frozen=True)
class Dataset:
    """What every environment is built on. Get one with `crowdgym.data.registry.load_dataset`.

    Attributes:
        name: the name it is registered under.
        network: the road network.
        orders: the order stream, in nodes of ``network``.
        category: for each node, the index into ``category_names`` of the kind of place it is nearest to. Shape [N].
        workers: when and where workers began to work, if the dataset brings it: ``origin`` is where, ``deadline_s`` how
            long their shifts were.
        category_names: what the kinds of place are called, at most eight.
        checkins: where people have been, if the dataset brings it.
        first_day: the day on which ``orders`` begins, counted from 1970-01-01; None where orders have no dates.
    """

    name: str
    network: RoadNetwork
    orders: OrderStream
    category: NDArray[np.int8]
    workers: OrderStream | None = None
    category_names: tuple[str, ...] = tuple(CATEGORIES)
    checkins: Checkins | None = None
    first_day: int | None = None
