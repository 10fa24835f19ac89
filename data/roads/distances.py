"""Rows of a table of distances along roads, computed on demand.

Exact, from a hierarchy that is built once for a network and kept on disk (`crowdgym.data.roads.hierarchy`).

Measured for 17,378 nodes and 26,961 edges (chengdu-synth) on one core of a server processor: the hierarchy is built in
0.55 s and read from disk in 3 ms (1.5 MB); 200 rows asked for at once take 7.3 ms, 37 us a row, where scipy's Dijkstra
takes 2,600 us a row; a single row takes 0.7 ms, because the sweep is made for many targets at once.

No row is kept, in memory or on disk. All of them are 604 MB; a row of them read from a file that the operating system
does not hold in memory takes 90 to 330 us, from a file of its own even if it does 120 to 190 us. Only one large file
that is held in memory is faster than computing (5 us): at the reset of an episode with 200 tasks it would save 6 ms.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdgym.common.errors import DataError
from crowdgym.common.jit import jit
from crowdgym.data.roads.hierarchy import UNKNOWN, Hierarchy
from crowdgym.data.roads.hierarchy_cache import kept_hierarchy
from crowdgym.data.roads.network import RoadNetwork

IntArray = NDArray[np.int32]
RowArray = NDArray[np.uint16]

UNREACHABLE = 65_535  # what a row holds where there is no way, or none that fits
MOST_LANES = 64  # targets swept at once
LANES_STEP = 32  # in whole steps, because the inner loop is unrolled over four vector registers of eight


class Distances:
    """Distances along the roads of a network, exact, in its units."""

    def __init__(self, network: RoadNetwork) -> None:
        self.network = network
        self._hierarchy = kept_hierarchy(network)

    def rows(self, targets: ArrayLike) -> RowArray:
        """Return the distance from every node to each target.

        Args:
            targets: node numbers; any may occur more than once. Shape [K].

        Returns:
            ``rows[k, n]`` is the length of the shortest path from node n to ``targets[k]``, in units of
            ``network.unit_m``. Shape [K, N]. Where the network is not strongly connected (a reader's always is), the
            value is ``UNREACHABLE`` for a node without a path to the target.

        Raises:
            DataError: a target is not a node.
        """
        checked = self._checked(targets)
        out = np.empty((len(checked), self.network.num_nodes), np.uint16)
        _fill_rows(self._hierarchy, checked, out)
        return out

    def rows_into(self, targets: ArrayLike, out: RowArray) -> None:
        """Write what `rows` returns into ``out``, C-contiguous, of shape [K, N].

        Raises:
            DataError: a target is not a node, or ``out`` does not fit.
        """
        checked = self._checked(targets)
        _refuse_misfit(out, (len(checked), self.network.num_nodes))
        _fill_rows(self._hierarchy, checked, out)

    def columns_into(self, targets: ArrayLike, out: RowArray) -> None:
        """Write what `rows` returns into ``out``, C-contiguous, transposed: of shape [N, K].

        For whoever reads the distances of one node to many targets. It is the faster of the two, too.

        Raises:
            DataError: a target is not a node, or ``out`` does not fit.
        """
        checked = self._checked(targets)
        _refuse_misfit(out, (self.network.num_nodes, len(checked)))
        _fill_columns(self._hierarchy, checked, out)

    def _checked(self, targets: ArrayLike) -> IntArray:
        nodes = np.atleast_1d(np.asarray(targets))
        if nodes.ndim != 1 or (nodes.size and nodes.dtype.kind not in "iu"):
            raise DataError(f"targets are {nodes.dtype} of shape {nodes.shape}; expected node numbers of shape (K,)")
        wrong = nodes[(nodes < 0) | (nodes >= self.network.num_nodes)]
        if len(wrong):
            raise DataError(f"target {wrong[0]} is not a node; expected 0 to {self.network.num_nodes - 1}")
        return nodes.astype(np.int32)


def _refuse_misfit(out: RowArray, expected: tuple[int, int]) -> None:
    if out.shape != expected or out.dtype != np.uint16 or not out.flags.c_contiguous:
        raise DataError(f"out is {out.dtype} of shape {out.shape}; expected C-contiguous uint16 of shape {expected}")


@jit
def _fill_rows(hierarchy: Hierarchy, targets: IntArray, out: RowArray) -> None:
    """Fill out[k, n] for all targets, as many at a time as ``_num_lanes`` says."""
    lanes = _num_lanes(len(targets))
    reached = np.empty((len(hierarchy.position), lanes), np.int32)  # by position
    for first in range(0, len(targets), lanes):
        some = targets[first : first + lanes]
        _reach(hierarchy, some, reached)
        for node in range(len(hierarchy.position)):
            here = reached[hierarchy.position[node]]
            for lane in range(len(some)):
                out[first + lane, node] = np.uint16(min(here[lane], np.int32(UNREACHABLE)))


@jit
def _fill_columns(hierarchy: Hierarchy, targets: IntArray, out: RowArray) -> None:
    """Fill out[n, k] likewise."""
    lanes = _num_lanes(len(targets))
    reached = np.empty((len(hierarchy.position), lanes), np.int32)  # by position
    for first in range(0, len(targets), lanes):
        some = targets[first : first + lanes]
        _reach(hierarchy, some, reached)
        for node in range(len(hierarchy.position)):
            here, there = reached[hierarchy.position[node]], out[node, first : first + len(some)]
            for lane in range(len(some)):
                there[lane] = np.uint16(min(here[lane], np.int32(UNREACHABLE)))


@jit
def _reach(hierarchy: Hierarchy, targets: IntArray, reached: IntArray) -> None:
    """Fill reached[p, k] with the units from position p to the k-th target, or more than ``UNKNOWN``."""
    reached[:, :] = UNKNOWN
    climbed = np.full(len(reached), UNKNOWN, np.int32)  # by position: one lane of it
    for lane in range(len(targets)):
        _climb(hierarchy, hierarchy.position[targets[lane]], climbed, reached[:, lane])
    _sweep(hierarchy.up_indptr, hierarchy.up_head, hierarchy.up_length, reached)


@jit
def _num_lanes(targets: int) -> int:
    """Share the targets evenly among sweeps of at most ``MOST_LANES``, in whole steps."""
    sweeps = (targets + MOST_LANES - 1) // MOST_LANES
    a_sweep = (targets + sweeps - 1) // sweeps if sweeps else 1
    return (a_sweep + LANES_STEP - 1) // LANES_STEP * LANES_STEP


@jit
def _climb(hierarchy: Hierarchy, target: int, climbed: IntArray, reached: IntArray) -> None:
    """Go up from the target through its ancestors: only from them may a path lead downhill all the way to it."""
    climbed[target] = 0
    low = target
    while low >= 0:
        so_far = climbed[low]
        if so_far < UNKNOWN:
            for arc in range(hierarchy.down_indptr[low], hierarchy.down_indptr[low + 1]):
                high = hierarchy.down_tail[arc]
                climbed[high] = min(climbed[high], so_far + hierarchy.down_length[arc])
            reached[low] = so_far
            climbed[low] = UNKNOWN
        low = hierarchy.parent[low]


@jit
def _sweep(up_indptr: IntArray, up_head: IntArray, up_length: IntArray, reached: IntArray) -> None:
    """Go over all nodes from the root outwards: every other path leads uphill first, to where its length is known."""
    lanes = reached.shape[1]
    for low in range(len(up_indptr) - 1):
        here = reached[low]
        for arc in range(up_indptr[low], up_indptr[low + 1]):
            there, length = reached[up_head[arc]], up_length[arc]
            for lane in range(lanes):
                here[lane] = min(here[lane], np.int32(there[lane] + length))  # becomes one vector instruction
