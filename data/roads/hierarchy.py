"""The hierarchy behind fast rows of distances: built once for a road network.

Method: a customizable contraction hierarchy (Dibbelt, Strasser and Wagner 2014), swept as in PHAST (Delling et al.
2011).

1. *Order.* Nodes are eliminated one after the other, the one with the fewest remaining neighbours first; its
   neighbours become neighbours of each other. What a node's neighbours were when it went are its "upper" nodes, and
   the lowest of them is its parent in the elimination tree: all its upper nodes are ancestors.
2. *Customise.* From the bottom up, an arc between two upper nodes of a node takes the way through that node if it is
   shorter; then, from the top down, every arc becomes the true distance of its ends (perfect customisation).
3. *Prune.* An arc is dropped if a third upper node lies on an equally short way. What is left is little more than the
   road graph itself.

A row of distances to a target then takes two short loops (`crowdgym.data.roads.distances`): up from the target through
its ancestors, and once over all nodes from the root of the tree outwards. Positions number the nodes in that order.
"""

import heapq
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.archives import Arrays
from crowdgym.common.jit import jit
from crowdgym.data.roads.network import RoadNetwork

IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

UNKNOWN = np.int32(1 << 29)  # no way yet; the sum of two is still an int32


class Hierarchy(NamedTuple):
    """Arcs to and from upper nodes, in sweep order: position 0 is the root, every upper node has a smaller position.

    Attributes:
        position: the position of each node.
        parent: position of the parent in the elimination tree, -1 at the root. Indexed by position.
        up_indptr: arcs from position p to its upper nodes: up_indptr[p] .. up_indptr[p + 1].
        up_head: position where each of them leads.
        up_length: its length, in the network's units: the distance of its ends.
        down_indptr: arcs from its upper nodes to position p: down_indptr[p] .. down_indptr[p + 1].
        down_tail: position where each of them comes from.
        down_length: its length, likewise.
    """

    position: IntArray  # [N]
    parent: IntArray  # [N]
    up_indptr: IntArray  # [N + 1]
    up_head: IntArray  # [U]
    up_length: IntArray  # [U]
    down_indptr: IntArray  # [N + 1]
    down_tail: IntArray  # [D]
    down_length: IntArray  # [D]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything above by name, for `crowdgym.common.archives.write_arrays`."""
        return self._asdict()

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The inverse of `to_arrays`."""
        return cls(**{name: arrays[name] for name in cls._fields})


HIERARCHY_ARRAYS = Hierarchy._fields


def build_hierarchy(network: RoadNetwork) -> Hierarchy:
    """Order, customise and prune: about half a second for 17,000 nodes."""
    order, upper = _eliminate(_neighbours(network))
    position, parent = _number(order, upper)
    indptr, head = _upper_arcs(order, upper, position)
    tail = np.repeat(np.arange(network.num_nodes, dtype=np.int32), np.diff(network.indptr))
    up = np.full(len(head), UNKNOWN, np.int32)
    down = np.full(len(head), UNKNOWN, np.int32)
    _take_roads(indptr, head, up, down, position[tail], position[network.indices], network.length)
    _customise(indptr, head, up, down)
    up_kept, down_kept = _perfect_and_prune(indptr, head, up, down)
    return Hierarchy(position, parent, *_compress(indptr, head, up, up_kept), *_compress(indptr, head, down, down_kept))


def _neighbours(network: RoadNetwork) -> list[set[int]]:
    """Nodes joined by a road in either direction. Shape [N]."""
    neighbours: list[set[int]] = [set() for _ in range(network.num_nodes)]
    indptr, indices = network.indptr.tolist(), network.indices.tolist()
    for node, around in enumerate(neighbours):
        for other in indices[indptr[node] : indptr[node + 1]]:
            around.add(other)
            neighbours[other].add(node)
    return neighbours


def _eliminate(neighbours: list[set[int]]) -> tuple[list[int], list[set[int]]]:
    """Eliminate all nodes, the one with the fewest neighbours first, ties by number.

    Returns:
        The nodes in the order in which they went, and each node's upper nodes.
    """
    heap = [(len(around), node) for node, around in enumerate(neighbours)]
    heapq.heapify(heap)
    order: list[int] = []
    gone = [False] * len(neighbours)
    while heap:
        degree, node = heapq.heappop(heap)
        around = neighbours[node]
        if gone[node] or degree != len(around):
            continue  # an entry from before its neighbourhood changed
        gone[node] = True
        order.append(node)
        for other in around:
            theirs = neighbours[other]
            theirs |= around
            theirs.discard(other)
            theirs.discard(node)
            heapq.heappush(heap, (len(theirs), other))
    return order, neighbours


def _number(order: list[int], upper: list[set[int]]) -> tuple[IntArray, IntArray]:
    """Number the nodes in preorder of the elimination tree: subtrees are contiguous, so a sweep stays in the cache."""
    count = len(order)
    rank = [0] * count
    for place, node in enumerate(order):
        rank[node] = place
    children: list[list[int]] = [[] for _ in range(count)]
    stack: list[int] = []
    parent_node = [-1] * count
    for node in order:
        if upper[node]:
            parent_node[node] = min(upper[node], key=rank.__getitem__)
            children[parent_node[node]].append(node)
        else:
            stack.append(node)  # a root: there is one if the network is connected
    position = np.full(count, -1, np.int32)
    parent = np.full(count, -1, np.int32)
    for place in range(count):
        node = stack.pop()
        position[node] = place
        parent[place] = position[parent_node[node]] if parent_node[node] >= 0 else -1
        stack.extend(children[node])
    return position, parent


def _upper_arcs(order: list[int], upper: list[set[int]], position: IntArray) -> tuple[IntArray, IntArray]:
    """The upper nodes of every position, ascending, in CSR form. Shapes [N + 1], [M]."""
    sizes = np.zeros(len(order), np.int64)
    sizes[position] = [len(around) for around in upper]
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    if indptr[-1] >= np.iinfo(np.int32).max:
        raise OverflowError(f"the hierarchy of {len(order)} nodes has {indptr[-1]} arcs; at most 2^31 - 2 fit")
    head = np.empty(indptr[-1], np.int32)
    for node, around in enumerate(upper):
        place = position[node]
        head[indptr[place] : indptr[place + 1]] = np.sort(position[list(around)])
    return indptr.astype(np.int32), head


@jit
def _take_roads(
    indptr: IntArray, head: IntArray, up: IntArray, down: IntArray, tails: IntArray, heads: IntArray, length: IntArray
) -> None:
    """Give the arcs that are roads their length."""
    for road in range(len(tails)):
        tail, to = tails[road], heads[road]
        low, high = max(tail, to), min(tail, to)
        for arc in range(indptr[low], indptr[low + 1]):
            if head[arc] == high:
                if tail == low:
                    up[arc] = min(up[arc], length[road])
                else:
                    down[arc] = min(down[arc], length[road])


@jit
def _customise(indptr: IntArray, head: IntArray, up: IntArray, down: IntArray) -> None:
    """From the bottom up: between two upper nodes of ``low``, take the way through ``low`` if it is shorter."""
    arc_to = np.full(len(indptr) - 1, -1, np.int32)  # from low
    for low in range(len(indptr) - 2, -1, -1):
        first, last = indptr[low], indptr[low + 1]
        for arc in range(first, last):
            arc_to[head[arc]] = arc
        for arc in range(first, last):
            middle = head[arc]
            for above in range(indptr[middle], indptr[middle + 1]):
                other = arc_to[head[above]]
                if other >= 0:
                    up[above] = min(up[above], down[arc] + up[other])
                    down[above] = min(down[above], down[other] + up[arc])
        for arc in range(first, last):
            arc_to[head[arc]] = -1


@jit
def _perfect_and_prune(indptr: IntArray, head: IntArray, up: IntArray, down: IntArray) -> tuple[BoolArray, BoolArray]:
    """From the top down: make every arc the distance of its ends, and say which arcs no other upper node replaces.

    The upper nodes of ``low`` are neighbours of each other, and their arcs are final when it is ``low``'s turn. An arc
    that is replaced is longer than the arcs that replace it, so no two can be dropped for the sake of each other.
    """
    up_kept = up < UNKNOWN
    down_kept = down < UNKNOWN
    arc_to = np.full(len(indptr) - 1, -1, np.int32)  # from low
    for low in range(len(indptr) - 1):
        first, last = indptr[low], indptr[low + 1]
        for arc in range(first, last):
            arc_to[head[arc]] = arc
        for final in range(2):
            for near in range(first, last):
                middle = head[near]
                for above in range(indptr[middle], indptr[middle + 1]):
                    far = arc_to[head[above]]
                    if far < 0:
                        continue
                    # low -> far over near, low -> near over far, far -> low over near, near -> low over far
                    up_far, up_near = up[near] + up[above], up[far] + down[above]
                    down_far, down_near = down[above] + down[near], up[above] + down[far]
                    if final == 0:
                        up[far], up[near] = min(up[far], up_far), min(up[near], up_near)
                        down[far], down[near] = min(down[far], down_far), min(down[near], down_near)
                    else:
                        up_kept[far] &= up_far > up[far]
                        up_kept[near] &= up_near > up[near]
                        down_kept[far] &= down_far > down[far]
                        down_kept[near] &= down_near > down[near]
        for arc in range(first, last):
            up_kept[arc] &= up[arc] < UNKNOWN
            down_kept[arc] &= down[arc] < UNKNOWN
            arc_to[head[arc]] = -1
    return up_kept, down_kept


def _compress(
    indptr: IntArray, head: IntArray, length: IntArray, kept: BoolArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Keep only some arcs of a CSR graph."""
    before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int32)
    return before[indptr], head[kept], length[kept]
