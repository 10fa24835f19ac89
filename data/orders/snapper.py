"""The nodes of a road network at which places are."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.orders.raw import (
    FAR_UNLESS_SWAPPED,
    NO_NODE,
    TOO_FAR,
    UNKNOWN_NODE,
    Coordinates,
    Mask,
    NodeIds,
    Places,
    Reasons,
)
from crowdgym.data.roads.assemble import NodeTable
from crowdgym.data.roads.network import RoadNetwork

# Assumption: farther than this from the nearest node, a place is not one that the network serves. Of the pick-ups of
# the Haikou sample 99.9 % are nearer, although that network has the higher classes of roads only.
MAX_SNAP_M = 1_000.0
NOWHERE = -1


class Snapped(NamedTuple):
    """Places on nodes. Shapes [R]."""

    node: NDArray[np.int32]  # NOWHERE where there is none
    moved_m: NDArray[np.float32]  # NaN where the source names the node
    reasons: Reasons  # why a place that is given has none
    from_left_out: Mask  # at a node of the source that the network lacks


class Snapper:
    """Finds the nodes of places: see `snapped`.

    Args:
        network: the road network.
        max_snap_m: a place farther than this from every node has none; metres.
        left_out: nodes of the source of the network that the network lacks, because they cannot be left or reached.

    Raises:
        DataError: ``max_snap_m`` is not positive.
    """

    def __init__(self, network: RoadNetwork, max_snap_m: float, left_out: NodeTable | None = None) -> None:
        import pyproj
        from scipy.spatial import cKDTree

        if not max_snap_m > 0:
            raise DataError(f"--max-snap-m is {max_snap_m!r}; expected a distance in metres greater than 0")
        self.network, self.max_snap_m = network, max_snap_m
        self._project: Any = pyproj.Transformer.from_crs("EPSG:4326", network.crs, always_xy=True).transform
        self._tree: Any = cKDTree(np.column_stack([network.x_m, network.y_m]))
        self._ids = _Ids(network.node_ids)
        self._left_out = left_out if left_out is not None and len(left_out.ids) else None
        if self._left_out is not None:
            self._left_out_ids = _Ids(self._left_out.ids)
            self._left_out_tree: Any = cKDTree(
                self._points(Coordinates(self._left_out.longitude_deg, self._left_out.latitude_deg))
            )

    def snapped(self, places: Places) -> Snapped:
        """Put places on the nearest nodes, or on those that they name."""
        return self._of_ids(places) if isinstance(places, NodeIds) else self._of_coordinates(places)

    def _of_ids(self, places: NodeIds) -> Snapped:
        node = self._ids.rows(places.node_id)
        moved_m = np.full(len(places), np.nan, np.float32)
        reasons = Reasons(len(places))
        left_out = np.zeros(len(places), np.bool_)
        if self._left_out is not None:
            row = self._left_out_ids.rows(places.node_id)
            left_out = row != NOWHERE
            there = Coordinates(self._left_out.longitude_deg, self._left_out.latitude_deg)[row[left_out]]
            node[left_out], moved_m[left_out] = self._nearest(there)
            reasons.add(TOO_FAR, left_out & (node == NOWHERE), places.node_id)
        reasons.add(UNKNOWN_NODE, places.given & (node == NOWHERE), places.node_id)
        return Snapped(node, moved_m, reasons, left_out & (node != NOWHERE))

    def _of_coordinates(self, places: Coordinates) -> Snapped:
        node, moved_m = self._nearest(places)
        reasons, far = Reasons(len(places)), places.given & (node == NOWHERE)
        shown = (places.longitude_deg.round(6), places.latitude_deg.round(6))
        if far.any():
            swapped = self._nearest(Coordinates(places.latitude_deg[far], places.longitude_deg[far]))[0] != NOWHERE
            unless_swapped = far.copy()
            unless_swapped[far] = swapped
            reasons.add(FAR_UNLESS_SWAPPED, unless_swapped, *shown)
        reasons.add(TOO_FAR, far, *shown)
        left_out = np.zeros(len(places), np.bool_)
        if self._left_out is not None:
            found = np.flatnonzero(node != NOWHERE)
            left_out[found] = self._left_out_tree.query(self._points(places[found]))[0] < moved_m[found]
        return Snapped(node, moved_m, reasons, left_out)

    def _nearest(self, places: Coordinates) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The nearest node (NOWHERE where it is too far, or the place is not given), and how far it is."""
        point = self._points(places)
        finite = np.isfinite(point).all(axis=1)
        node = np.full(len(places), NOWHERE, np.int32)
        moved_m = np.full(len(places), np.nan, np.float32)
        # A bound makes the search stop early; the tree excludes the bound itself.
        bound = np.nextafter(self.max_snap_m, np.inf)
        distance_m, nearest = self._tree.query(point[finite], distance_upper_bound=bound)
        found = np.isfinite(distance_m)
        at = np.flatnonzero(finite)[found]
        node[at], moved_m[at] = nearest[found], distance_m[found]
        return node, moved_m

    def _points(self, places: Coordinates) -> NDArray[np.float64]:
        x_m, y_m = self._project(places.longitude_deg, places.latitude_deg)
        return np.column_stack([x_m, y_m])


class _Ids:
    """Finds the rows of ids in a table."""

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self._order = np.argsort(ids, kind="stable")
        self._sorted = ids[self._order]

    def rows(self, wanted: NDArray[np.int64]) -> NDArray[np.int32]:
        """The row of each id, or NOWHERE. Shape [R]."""
        at = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
        known = (self._sorted[at] == wanted) & (wanted != NO_NODE)
        return np.where(known, self._order[at], NOWHERE).astype(np.int32)
