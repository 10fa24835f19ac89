"""From roads that lead one way between named places, as simulators keep them, to a road network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.data.coordinates import to_wgs84
from crowdgym.data.roads.assemble import AssemblyReport, NodeTable, RoadTable, assemble
from crowdgym.data.roads.network import RoadNetwork


@dataclass(frozen=True)
class Arc:
    """A road from one place to another, and its length in metres (NaN where unknown)."""

    tail: str
    head: str
    length_m: float


def network_of_arcs(
    places: Mapping[str, tuple[float, float]], arcs: Sequence[Arc], crs: str, *, two_way: bool, source: str
) -> tuple[RoadNetwork, AssemblyReport]:
    """Build a road network from one-way roads.

    Args:
        places: x and y of each place by its name. Names that are all whole numbers become the ids of nodes; else nodes
            are numbered 0, 1, ... in the order given.
        arcs: the roads.
        crs: what x and y are in, as of `crowdgym.data.coordinates.to_wgs84`.
        two_way: open every road both ways.
        source: the file, for messages.

    Raises:
        DataError: a road from or to a place that is not there, and what ``assemble`` does not accept.
    """
    names = list(places)
    numeric = all(name.lstrip("-").isdecimal() and len(name) <= 18 for name in names)
    if numeric and len({int(name) for name in names}) == len(names):
        number = {name: int(name) for name in names}
    else:
        number = {name: row for row, name in enumerate(names)}
    for arc in arcs:
        for end in (arc.tail, arc.head):
            if end not in number:
                raise DataError(
                    f"{source} has a road from {arc.tail!r} to {arc.head!r}, but no node {end!r}; expected both ends "
                    f"among its {len(names)} nodes"
                )
    x, y = np.array(list(places.values()), np.float64).reshape(-1, 2).T
    nodes = NodeTable(np.array(list(number.values()), np.int64), *to_wgs84(x, y, crs))
    roads = RoadTable(
        tail=np.array([number[arc.tail] for arc in arcs], np.int64),
        head=np.array([number[arc.head] for arc in arcs], np.int64),
        length_m=np.array([arc.length_m for arc in arcs], np.float64),
        oneway=None if two_way else np.ones(len(arcs), np.bool_),
    )
    return assemble(nodes, roads, source=source)
