"""Where a worker on its way is: the last node of its shortest path that it has passed."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined
from crowdgym.envs.core.road_graph import RoadArrays, next_arc, travel_time_s


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
def follow_trail(
    roads: RoadArrays, speed_mps: float, to_goal: NDArray[np.uint16], workers: Travellers, b: int, w: int, now_s: float
) -> None:
    """Move a worker's trail on to the last node that it has passed at ``now_s``. ``to_goal``: by position, [N]."""
    node, units, arc = workers.trail_node[b, w], workers.trail_units[b, w], workers.trail_arc[b, w]
    while units < workers.leg_units[b, w]:
        if arc < 0:
            arc = next_arc(roads, to_goal, node)
        further = units + roads.length[arc]
        if workers.depart_s[b, w] + travel_time_s(further, roads.unit_m, speed_mps) > now_s:
            break
        node, units, arc = roads.indices[arc], further, -1
    workers.trail_node[b, w], workers.trail_units[b, w], workers.trail_arc[b, w] = node, units, arc


@inlined
def place_on_trail(
    roads: RoadArrays, speed_mps: float, to_goal: NDArray[np.uint16], workers: Travellers, b: int, w: int, now_s: float
) -> tuple[float, float]:
    """Where a worker on its way is at ``now_s``, x and y in metres; between two nodes by linear interpolation."""
    follow_trail(roads, speed_mps, to_goal, workers, b, w, now_s)
    node, units = workers.trail_node[b, w], workers.trail_units[b, w]
    x, y = roads.x_m[node], roads.y_m[node]
    if units < workers.leg_units[b, w]:
        arc = workers.trail_arc[b, w]
        gone_s = now_s - workers.depart_s[b, w] - travel_time_s(units, roads.unit_m, speed_mps)
        part = gone_s / travel_time_s(roads.length[arc], roads.unit_m, speed_mps)
        part = min(1.0, max(0.0, part))
        x += part * (roads.x_m[roads.indices[arc]] - x)
        y += part * (roads.y_m[roads.indices[arc]] - y)
    return x, y


@inlined
def stop_at_next_node(
    roads: RoadArrays, speed_mps: float, to_goal: NDArray[np.uint16], workers: Travellers, b: int, w: int, now_s: float
) -> None:
    """End a worker's way at the first node of it that it does not pass before ``now_s``."""
    follow_trail(roads, speed_mps, to_goal, workers, b, w, now_s)
    node, units = workers.trail_node[b, w], workers.trail_units[b, w]
    if workers.depart_s[b, w] + travel_time_s(units, roads.unit_m, speed_mps) < now_s:
        arc = workers.trail_arc[b, w]
        node, units = roads.indices[arc], units + roads.length[arc]
    workers.goal[b, w] = node
    workers.leg_units[b, w] = units
