"""The ways that movers drive along streets, worked out from snapshots by the rule of the dynamics."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.rendering.picture import Floats, Ints


@dataclass(frozen=True)
class Legs:
    """The ways of all movers. L legs, P passed nodes.

    Attributes:
        mover: who drives. Shape [L].
        site: where to, `NO_SITE` if nowhere in particular. Shape [L].
        first: where the nodes of each leg begin in the next two. Shape [L + 1].
        node: the nodes passed, start and end included. Shape [P].
        at_s: when each is passed, in seconds. Shape [P].
    """

    mover: Ints
    site: Ints
    first: Ints
    node: Ints
    at_s: Floats


def legs_of(snapshots: Sequence[Any], network: RoadNetwork, speed_mps: float, sites: Ints) -> Legs:
    """The ways of all workers, from snapshots with ``worker_node``, ``worker_goal`` and ``depart_s``.

    A way follows the rule of the dynamics: on to the neighbour that minimises length + distance, ties by the smaller
    number. A worker whose task ends on its way stops at the node that has become its goal.

    Args:
        snapshots: of every epoch.
        network: the roads.
        speed_mps: of the workers, in metres a second.
        sites: the site that each worker drives to at each epoch. Shape [K + 1, N].
    """
    depart_s = np.stack([snapshot.depart_s for snapshot in snapshots])  # [K + 1, N], NaN before the first way
    start = np.stack([snapshot.worker_node for snapshot in snapshots])
    goal = np.stack([snapshot.worker_goal for snapshot in snapshots])
    departures: list[_Departure] = []
    for mover in range(depart_s.shape[1]):
        begins = np.flatnonzero(_begins(depart_s[:, mover]))
        for begin, after in pairwise([*begins.tolist(), len(snapshots)]):
            departures.append(
                _Departure(
                    float(depart_s[begin, mover]),
                    mover,
                    int(sites[begin, mover]),
                    # It stood there at the epoch before; a short way may be over by the next one.
                    start=int(start[begin - 1, mover]),
                    goal=int(goal[begin, mover]),
                    end=int(goal[after - 1, mover]),
                )
            )
    departures.sort()
    walk = _Walk(network, sorted({of.goal for of in departures}))
    ways = [walk.way(of.start, of.goal, of.end) for of in departures]
    units_s = network.unit_m / speed_mps
    at_s = [of.time_s + units * units_s for of, (_, units) in zip(departures, ways, strict=True)]
    return Legs(
        mover=np.array([of.mover for of in departures], np.int64),
        site=np.array([of.site for of in departures], np.int64),
        first=np.cumsum([0, *(len(nodes) for nodes, _ in ways)]),
        node=np.concatenate([np.zeros(0, np.int64), *(nodes for nodes, _ in ways)]),
        at_s=np.concatenate([np.zeros(0), *at_s]),
    )


class _Departure(NamedTuple):
    """The beginning of a way: when, who, the site, and the nodes where it begins, was to end, and ended."""

    time_s: float
    mover: int
    site: int
    start: int
    goal: int
    end: int


def _begins(depart_s: Floats) -> NDArray[np.bool_]:
    """At which epochs a new way has begun. Shape as given."""
    before = np.concatenate([[np.nan], depart_s[:-1]])
    begins: NDArray[np.bool_] = ~np.isnan(depart_s) & (depart_s != before)
    return begins


class _Walk:
    """Shortest paths to some nodes, by the rule of the dynamics."""

    def __init__(self, network: RoadNetwork, goals: Sequence[int]) -> None:
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra

        self._network = network
        self._row = {goal: row for row, goal in enumerate(goals)}
        size = (network.num_nodes, network.num_nodes)
        graph = csr_array((network.length.astype(np.float64), network.indices, network.indptr), shape=size)
        self._units = dijkstra(graph.T.tocsr(), indices=goals) if goals else np.zeros((0, network.num_nodes))

    def way(self, start: int, goal: int, end: int) -> tuple[Ints, Ints]:
        """The nodes from ``start`` towards ``goal``, up to ``end``, and the units driven to each."""
        network, to_goal = self._network, self._units[self._row[goal]]
        nodes, driven = [start], [0]
        while nodes[-1] not in (end, goal):
            arcs = np.arange(network.indptr[nodes[-1]], network.indptr[nodes[-1] + 1])
            arc = arcs[np.argmin(network.length[arcs] + to_goal[network.indices[arcs]])]  # the first of the smallest
            nodes.append(int(network.indices[arc]))
            driven.append(driven[-1] + int(network.length[arc]))
        return np.array(nodes, np.int64), np.array(driven, np.int64)
