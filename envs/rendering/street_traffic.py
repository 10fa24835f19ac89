"""Which streets of a network matter, judged from its shape alone: what a map needs to show a city at a glance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.roads import RoadNetwork

SOURCES = 64  # places whose shortest paths are counted: more would draw much the same picture


@dataclass(frozen=True)
class Streets:
    """The roads of a network without direction, each once."""

    ends: NDArray[np.int32]  # [E, 2] nodes, the smaller first
    traffic: NDArray[np.float64]  # [E] share of the shortest paths that use it, 0..1

    @classmethod
    def of(cls, network: RoadNetwork, sources: int = SOURCES) -> "Streets":
        """Count the shortest paths from evenly spread nodes to all others over every road. Deterministic.

        Nodes are numbered along a space-filling curve, so that evenly spaced numbers are evenly spread places.
        """
        tail = np.repeat(np.arange(network.num_nodes, dtype=np.int64), np.diff(network.indptr))
        head = network.indices.astype(np.int64)
        names = np.minimum(tail, head) * network.num_nodes + np.maximum(tail, head)
        roads = np.unique(names)  # [E]
        ends = np.stack(np.divmod(roads, network.num_nodes), axis=1).astype(np.int32)

        count = min(sources, network.num_nodes)
        starts = (np.arange(count) + 0.5) * network.num_nodes / count
        before, beyond = _paths_through(network, starts.astype(np.int64))
        source, node = np.nonzero(before >= 0)
        parent = before[source, node].astype(np.int64)
        used = np.minimum(node, parent) * network.num_nodes + np.maximum(node, parent)
        paths = np.bincount(np.searchsorted(roads, used), beyond[source, node], minlength=len(roads))
        return cls(ends, paths / (count * network.num_nodes))


def _paths_through(network: RoadNetwork, starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each start and node, the node before it on the way there (-1 for none), and how many ways use that road.

    Shapes [S, N], [S, N].
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    size = (network.num_nodes, network.num_nodes)
    graph = csr_array((network.length.astype(np.float64), network.indices, network.indptr), shape=size)
    _, predecessors = dijkstra(graph, indices=starts, return_predecessors=True)
    before: NDArray[np.int64] = np.maximum(predecessors, -1).astype(np.int64)

    # All trees side by side as one forest: its nodes are added up to their parents, the deepest first.
    offset = np.arange(len(starts))[:, np.newaxis] * network.num_nodes
    parent = np.where(before >= 0, before + offset, np.arange(before.size).reshape(before.shape)).ravel()
    depth = _depths(parent)
    order = np.argsort(depth, kind="stable")
    levels = np.split(order, np.searchsorted(depth[order], np.arange(1, depth.max() + 1)))
    beyond = np.ones(before.size)
    for level in reversed(levels[1:]):
        np.add.at(beyond, parent[level], beyond[level])
    return before, beyond.reshape(before.shape)


def _depths(parent: NDArray[np.int64]) -> NDArray[np.int64]:
    """Steps from each node of a forest to its root, which is its own parent, by doubling the stride."""
    depth: NDArray[np.int64] = (parent != np.arange(len(parent))).astype(np.int64)
    ancestor = parent
    while True:
        further = ancestor[ancestor]
        if np.array_equal(further, ancestor):
            return depth
        depth += depth[ancestor]
        ancestor = further
