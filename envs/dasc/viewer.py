"""Pictures of DASC: the city, its open tasks with their precedence, and its workers at one moment."""

import numpy as np

from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.dasc.renderer import DascRenderer
from crowdgym.envs.dasc.snapshot import DascSnapshot
from crowdgym.envs.rendering.canvas import Box, Frame
from crowdgym.envs.rendering.map import MapView, inset_box, view_of
from crowdgym.envs.rendering.markers import GROUND_BOX
from crowdgym.envs.rendering.street_traffic import Streets
from crowdgym.envs.rendering.window import FrameWindow

MAP_BOX = Box(32, 128, 968, 880)  # where the part of the city that is shown is fitted in
USUAL_MARKS = 400  # workers and subtasks together: with more they get no smaller


class DascViewer:
    """Draws snapshots of one city.

    Subtasks are discs: unassigned, assigned (the worker is on its way or waits) or in progress; a finished one is a
    tick, and for ten minutes after the end of a task its ticks, or the crosses of what failed, fade out. Arrows lead
    from each subtask of an open task to those that wait for it. Workers are triangles (idle), arrowheads on the
    straight line to their subtask (travelling), small squares above it (light waiting, dark working) or diamonds
    (released, on to the next node). Idle ones at one and the same place are spread a little, as are subtasks.

    Of a city that is much larger than the part where the episode's tasks are, that part is shown, and an inset with the
    whole of it. Streets are drawn once for each view. The same snapshot gives the same bytes.

    Args:
        network: the city.
        title: the heading of the picture.
        frames_per_second: how fast `show` goes at most.
    """

    def __init__(self, network: RoadNetwork, title: str, *, frames_per_second: float = 5.0) -> None:
        self._network = network
        self._title = title
        self._city = Box.around(network.x_m, network.y_m)
        self._streets = Streets.of(network)
        self._scenes: dict[tuple[MapView, Box | None, float], DascRenderer] = {}  # the one in use
        self._window = FrameWindow(title, frames_per_second)

    def view(self, snapshot: DascSnapshot) -> MapView:
        """Where on the picture of ``snapshot`` places are."""
        there = snapshot.subtask_task >= 0
        return view_of(self._city, snapshot.subtask_x_m[there], snapshot.subtask_y_m[there], MAP_BOX)

    def draw(self, snapshot: DascSnapshot) -> Frame:
        """Draw one moment. Shape [1000, 1000, 3], red, green and blue from 0 to 255."""
        view, inset = self.view(snapshot), None
        if view != MapView.fit(self._city, MAP_BOX):
            there = snapshot.subtask_task >= 0
            x_m, y_m = snapshot.subtask_x_m[there], snapshot.subtask_y_m[there]
            inset = inset_box(self._network, view, x_m, y_m, GROUND_BOX)
        marks = len(snapshot.worker_status) + len(snapshot.subtask_status)
        enlarged = float(np.clip((USUAL_MARKS / max(marks, 1)) ** 0.25, 1.0, 1.6))
        layout = view, inset, enlarged
        if layout not in self._scenes:
            scene = DascRenderer(self._network, self._streets, view, inset=inset, enlarged=enlarged, title=self._title)
            self._scenes = {layout: scene}
        return self._scenes[layout].draw(snapshot)

    def show(self, frame: Frame) -> None:
        """Show a frame in a window. Where none can be opened the first call warns, and nothing else happens."""
        self._window.show(frame)

    def close(self) -> None:
        """Close the window, if there is one."""
        self._window.close()
