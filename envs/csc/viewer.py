"""Pictures of CSC: the city, its open tasks and its workers at one moment."""

from crowdgym.data.ground import NO_GROUND, Ground
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.csc.scene import PICTURE, moment
from crowdgym.envs.csc.snapshot import CscSnapshot
from crowdgym.envs.rendering.road_viewer import RoadViewer


class CscViewer(RoadViewer[CscSnapshot]):
    """Draws snapshots of one city; see `RoadViewer`.

    Tasks are discs whose area is the work left: unclaimed (no worker on the way), claimed (workers on the way) or in
    progress (workers present); for ten minutes after its end a task is a fading tick (finished) or cross (expired).
    Workers are triangles (idle), arrowheads on the straight line to their task (driving), squares around their task
    (working) or diamonds (freed, on to the next node).
    """

    def __init__(
        self, network: RoadNetwork, title: str, *, ground: Ground = NO_GROUND, frames_per_second: float = 5.0
    ) -> None:
        super().__init__(network, title, PICTURE, moment, ground=ground, frames_per_second=frames_per_second)
