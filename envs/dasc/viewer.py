"""Pictures of DASC: the city, its open tasks with their precedence, and its workers at one moment."""

from crowdgym.data.ground import NO_GROUND, Ground
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.dasc.scene import PICTURE, moment
from crowdgym.envs.dasc.snapshot import DascSnapshot
from crowdgym.envs.rendering.road_viewer import RoadViewer


class DascViewer(RoadViewer[DascSnapshot]):
    """Draws snapshots of one city; see `RoadViewer`.

    Subtasks are discs: unclaimed, claimed (the worker is on its way or waits) or in progress; a finished one is a tick,
    and for ten minutes after the end of a task its ticks, or the crosses of what failed, fade out. An outline holds the
    subtasks of an open task. Arrows lead from each subtask to those that wait for it, green ones from what is finished;
    thick ones are the longest chain of a task, its critical path. Workers are triangles (idle), arrowheads on the
    straight line to their subtask (driving), small squares above it (light waiting, dark working) or diamonds (freed,
    on to the next node).
    """

    def __init__(
        self, network: RoadNetwork, title: str, *, ground: Ground = NO_GROUND, frames_per_second: float = 5.0
    ) -> None:
        super().__init__(network, title, PICTURE, moment, ground=ground, frames_per_second=frames_per_second)
