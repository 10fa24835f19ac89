"""Pictures of `preference_v0`: the city, its open tasks and its workers at one moment."""

from crowdgym.data.ground import NO_GROUND, Ground
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.preference.scene import PICTURE, moment
from crowdgym.envs.preference.snapshot import PreferenceSnapshot
from crowdgym.envs.rendering.road_viewer import RoadViewer


class PreferenceViewer(RoadViewer[PreferenceSnapshot]):
    """Draws snapshots of one city; see `RoadViewer`.

    Open tasks are discs, filled before the first decline and hollow after one; for ten minutes after its end a task is
    a fading tick (accepted), square (closed after too many declines) or cross (expired). Workers are triangles (idle),
    arrowheads on the straight line to their task (driving), squares (serving) or diamonds (paused after a decline).
    """

    def __init__(
        self, network: RoadNetwork, title: str, *, ground: Ground = NO_GROUND, frames_per_second: float = 5.0
    ) -> None:
        super().__init__(network, title, PICTURE, moment, ground=ground, frames_per_second=frames_per_second)
