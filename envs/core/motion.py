"""Where a worker on its way is: the last node of its shortest path that it has passed."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined
from crowdgym.envs.core.lanes import prefetch
from crowdgym.envs.core.road_graph import RoadArrays, next_arc, travel_time_s

Index = int | np.uintp  # in compiled loops one without a sign takes less, as it cannot count from the end


class Travellers(Protocol):
    """What the workers of an environment have for this, with a leading batch axis."""

    @property
    def depart_s(self) -> NDArray[np.float64]:
        """When each last set out. Shape [B, W]."""

    @property
    def leg_units(self) -> NDArray[np.int32]:
        """Length of the way it is on. Shape [B, W]."""

    @property
    def goal(self) -> NDArray[np.int32]:
        """The node where that way ends. Shape [B, W]."""

    @property
    def trail_node(self) -> NDArray[np.int32]:
        """The last node passed by the latest call. Shape [B, W]."""

    @property
    def trail_units(self) -> NDArray[np.int32]:
        """Length of the way up to there. Shape [B, W]."""

    @property
    def trail_arc(self) -> NDArray[np.int32]:
        """The arc by which it goes on from there, or -1 while that is not known. Shape [B, W]."""


@inlined
def pass_node(
    roads: RoadArrays,
    speed_mps: float,
    to_goal: NDArray[np.uint16],
    workers: Travellers,
    b: Index,
    w: Index,
    now_s: float,
) -> bool:
    """Move a worker's trail on to the next node of its way, if it has passed that at ``now_s``; says whether it has.

    ``to_goal``: distances by position, [N].
    """
    units = workers.trail_units[b, w]
    if units >= workers.leg_units[b, w]:
        return False
    if workers.trail_arc[b, w] < 0:
        workers.trail_arc[b, w] = next_arc(roads, to_goal, workers.trail_node[b, w])
    arc = np.uintp(workers.trail_arc[b, w])
    further = units + roads.length[arc]
    if workers.depart_s[b, w] + travel_time_s(further, roads.unit_m, speed_mps) > now_s:
        return False
    workers.trail_node[b, w], workers.trail_units[b, w], workers.trail_arc[b, w] = roads.indices[arc], further, -1
    return True


@inlined
def expect_node(roads: RoadArrays, to_goal: NDArray[np.uint16], node: int) -> None:
    """Ask for the memory that `pass_node` reads to find the way on from ``node``: it waits for little else."""
    for arc in range(roads.indptr[np.uintp(node)], roads.indptr[np.uintp(node + 1)]):
        prefetch(to_goal, roads.head_position[np.uintp(arc)])


@inlined
def follow_trail(
    roads: RoadArrays,
    speed_mps: float,
    to_goal: NDArray[np.uint16],
    workers: Travellers,
    b: Index,
    w: Index,
    now_s: float,
) -> None:
    """Move a worker's trail on to the last node that it has passed at ``now_s``. ``to_goal``: by position, [N]."""
    while pass_node(roads, speed_mps, to_goal, workers, b, w, now_s):
        pass


@inlined
def place_on_trail(
    roads: RoadArrays,
    speed_mps: float,
    to_goal: NDArray[np.uint16],
    workers: Travellers,
    b: Index,
    w: Index,
    now_s: float,
) -> tuple[float, float]:
    """Where a worker on its way is at ``now_s``, x and y in metres; between two nodes by linear interpolation."""
    follow_trail(roads, speed_mps, to_goal, workers, b, w, now_s)
    return place_behind_node(roads, speed_mps, workers, b, w, now_s)


@inlined
def place_behind_node(
    roads: RoadArrays, speed_mps: float, workers: Travellers, b: Index, w: Index, now_s: float
) -> tuple[float, float]:
    """The same of a worker whose trail has been followed up to ``now_s``."""
    node, units = np.uintp(workers.trail_node[b, w]), workers.trail_units[b, w]
    x, y = roads.x_m[node], roads.y_m[node]
    if units < workers.leg_units[b, w]:
        arc = np.uintp(workers.trail_arc[b, w])
        gone_s = now_s - workers.depart_s[b, w] - travel_time_s(units, roads.unit_m, speed_mps)
        part = gone_s / travel_time_s(roads.length[arc], roads.unit_m, speed_mps)
        part = min(1.0, max(0.0, part))
        head = np.uintp(roads.indices[arc])
        x += part * (roads.x_m[head] - x)
        y += part * (roads.y_m[head] - y)
    return x, y


@inlined
def stop_at_next_node(
    roads: RoadArrays,
    speed_mps: float,
    to_goal: NDArray[np.uint16],
    workers: Travellers,
    b: Index,
    w: Index,
    now_s: float,
) -> None:
    """End a worker's way at the first node of it that it does not pass before ``now_s``."""
    follow_trail(roads, speed_mps, to_goal, workers, b, w, now_s)
    node, units = workers.trail_node[b, w], workers.trail_units[b, w]
    if workers.depart_s[b, w] + travel_time_s(units, roads.unit_m, speed_mps) < now_s:
        arc = workers.trail_arc[b, w]
        node, units = roads.indices[arc], units + roads.length[arc]
    workers.goal[b, w] = node
    workers.leg_units[b, w] = units
