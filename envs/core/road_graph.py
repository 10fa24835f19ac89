"""A road network as the kernels see it, and the walk along a shortest path.

A shortest path needs no stored nodes: from ``n`` towards the target it goes on to the neighbour ``m`` that minimises
length(n, m) + distance(m, target), ties by the smaller node number (design, section 4). Lengths are whole units, so
the distances passed on the way add up to the distance of the table exactly.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined
from crowdgym.data.roads import RoadNetwork

_NO_ARC = 2**62  # later than any way


class RoadArrays(NamedTuple):
    """The part of a `RoadNetwork` that a kernel reads."""

    indptr: NDArray[np.int32]  # [N + 1]
    indices: NDArray[np.int32]  # [A] ascending within a node
    length: NDArray[np.int32]  # [A] units
    head_position: NDArray[np.int32]  # [A] of the node that the arc leads to, in tables of distances
    x_m: NDArray[np.float64]  # [N]
    y_m: NDArray[np.float64]  # [N]
    unit_m: float

    @classmethod
    def of(cls, network: RoadNetwork, position: NDArray[np.int32]) -> "RoadArrays":
        """The arrays of ``network``, without a copy; read-only, as kernels are compiled anew for what is writable.

        ``position``: `crowdgym.data.roads.distances.Distances.position`.
        """
        return cls(
            _read_only(network.indptr),
            _read_only(network.indices),
            _read_only(network.length),
            _read_only(position[network.indices]),
            _read_only(network.x_m),
            _read_only(network.y_m),
            network.unit_m,
        )


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


@inlined
def travel_time_s(units: int, unit_m: float, speed_mps: float) -> float:
    """Seconds for a way of ``units``. The one place where lengths become times."""
    return units * unit_m / speed_mps


@inlined
def next_arc(roads: RoadArrays, to_target: NDArray[np.uint16], node: int) -> int:
    """The arc by which the shortest path goes on from ``node``. ``to_target``: units by position, shape [N]."""
    best = np.int64(_NO_ARC)
    for arc in range(roads.indptr[np.uintp(node)], roads.indptr[np.uintp(node + 1)]):
        head = roads.head_position[np.uintp(arc)]
        units = np.int64(roads.length[np.uintp(arc)]) + np.int64(to_target[np.uintp(head)])
        best = min(
            best, units << 32 | arc
        )  # without a branch, which would be a guess; arcs are in order of their nodes
    return int(best & 0xFFFFFFFF)
