"""Roads for the solution checkers: shortest paths by SciPy's Dijkstra, not the package's own."""

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from crowdgym.common.errors import DataError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
BoolArray = NDArray[np.bool_]


class RoadArrays(Protocol):
    """One-way roads: those out of node n are ``indptr[n] .. indptr[n + 1]``. N nodes, A roads."""

    @property
    def indptr(self) -> IntArray:
        """Shape [N + 1]."""

    @property
    def indices(self) -> IntArray:
        """Where each road leads; at most one from a node to another. Shape [A]."""

    @property
    def length(self) -> IntArray:
        """In units of ``unit_m``, at least 1. Shape [A]."""

    @property
    def unit_m(self) -> float:
        """Metres of a unit."""


class Roads:
    """Distances to some goals, and the path of the specifications with its rule for ties."""

    def __init__(self, arcs: RoadArrays, goal_node: IntArray) -> None:
        """Find the distances to all goals; ``goal_node``: shape [G]."""
        self._arcs, self._goal_node = arcs, goal_node
        nodes = len(arcs.indptr) - 1
        # Whole numbers below 2**53 in float64: exact, however they are added up.
        lengths = (arcs.length.astype(np.float64), arcs.indices.astype(np.int32), arcs.indptr.astype(np.int32))
        backwards = csr_array(lengths, shape=(nodes, nodes)).T.tocsr()
        goals, self._row_of_goal = np.unique(goal_node, return_inverse=True)
        self._rows = np.atleast_2d(dijkstra(backwards, indices=goals))  # units from each node to each different goal

    def units_to(self, goal: int) -> FloatArray:
        """Distances from every node to a goal, in units of length; infinite where no path exists. [N]."""
        row: FloatArray = self._rows[self._row_of_goal[goal]]
        return row

    def units_from(self, node: int) -> FloatArray:
        """Distances from the node to every goal, in units of length. [G]."""
        column: FloatArray = self._rows[self._row_of_goal, node]
        return column

    def distance_m(self, node: int, goal: int) -> float:
        """The length of the shortest path from the node to a goal, in metres."""
        return float(self.units_to(goal)[node]) * self._arcs.unit_m

    def path(self, node: int, goal: int) -> tuple[list[int], list[float]]:
        """The nodes from ``node`` to the goal's, and the metres from ``node`` to each; a path must exist."""
        arcs, units = self._arcs, self.units_to(goal)
        nodes = [node]
        while nodes[-1] != self._goal_node[goal]:
            out = slice(arcs.indptr[nodes[-1]], arcs.indptr[nodes[-1] + 1])
            heads = arcs.indices[out]
            through = arcs.length[out] + units[heads]
            nodes.append(int(heads[through == through.min()].min()))
        return nodes, [float(units[node] - units[there]) * arcs.unit_m for there in nodes]

    def on_a_shortest_path(self, node: int, between: int, goal: int) -> bool:
        """Whether some shortest path from ``node`` to the goal leads through ``between``."""
        arcs, units = self._arcs, self.units_to(goal)
        reached = {node}
        front = [node]
        while front:
            here = front.pop()
            for arc in range(arcs.indptr[here], arcs.indptr[here + 1]):
                head = int(arcs.indices[arc])
                if head not in reached and arcs.length[arc] + units[head] == units[here]:
                    reached.add(head)
                    front.append(head)
        return between in reached


def refuse_bad_roads(arcs: RoadArrays) -> None:
    """Refuse invalid roads.

    Raises:
        DataError: Says which array is wrong.
    """
    nodes = len(arcs.indptr) - 1
    if arcs.indptr[0] != 0 or arcs.indptr[-1] != len(arcs.indices) or np.any(np.diff(arcs.indptr) < 0):
        raise DataError(f"indptr does not rise from 0 to the number of roads, {len(arcs.indices)}")
    if len(arcs.length) != len(arcs.indices) or np.any(arcs.length < 1):
        raise DataError("length is not one number of at least 1 for every entry of indices")
    refuse_outside("indices", arcs.indices, nodes)
    tail = np.repeat(np.arange(nodes), np.diff(arcs.indptr))
    if len(np.unique(tail * nodes + arcs.indices)) != len(arcs.indices):
        raise DataError("indices lists a road between the same two nodes twice, expected the shorter one only")


def refuse_outside(name: str, numbers: IntArray, bound: int) -> None:
    """Refuse numbers that are not from 0 to ``bound - 1``; raises `DataError`."""
    if len(numbers) and not (numbers.min() >= 0 and numbers.max() < bound):
        raise DataError(f"{name} lies in {numbers.min()}..{numbers.max()}, expected 0..{bound - 1}")


def refuse_figures(holder: Any, *, positive: Iterable[str], not_negative: Iterable[str]) -> None:
    """Refuse attributes that are not positive and finite, or not at least 0; raises `DataError`."""
    for name in positive:
        if not 0 < getattr(holder, name) < np.inf:
            raise DataError(f"{name} is {getattr(holder, name)}, expected a positive number")
    for name in not_negative:
        if not getattr(holder, name) >= 0:
            raise DataError(f"{name} is {getattr(holder, name)}, expected a number of at least 0")
