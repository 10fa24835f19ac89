"""Pictures of `preference_v0`: the city, its open tasks and its workers at one moment."""

import numpy as np

from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.preference.renderer import PreferenceRenderer
from crowdgym.envs.preference.snapshot import PreferenceSnapshot
from crowdgym.envs.rendering.canvas import Box, Frame
from crowdgym.envs.rendering.map import MapView, inset_box, view_of
from crowdgym.envs.rendering.markers import GROUND_BOX
from crowdgym.envs.rendering.street_traffic import Streets
from crowdgym.envs.rendering.window import FrameWindow

MAP_BOX = Box(32, 128, 968, 880)  # where the part of the city that is shown is fitted in
USUAL_MARKS = 250  # workers and tasks together: with more they get no smaller


class PreferenceViewer:
    """Draws snapshots of one city.

    Open tasks are discs, filled before the first decline and hollow after one; for ten minutes after its end a task is
    a fading tick (accepted), square (closed after too many declines) or cross (expired). Workers are triangles (idle),
    arrowheads on the straight line to their task (driving), squares (serving) or diamonds (paused after a decline).

    Of a city that is much larger than the part where the episode's tasks are, that part is shown, and an inset with the
    whole of it, open tasks and workers as dots. The same snapshot gives the same bytes.

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
        self._scenes: dict[tuple[MapView, Box | None, float], PreferenceRenderer] = {}  # the one in use
        self._window = FrameWindow(title, frames_per_second)

    def view(self, snapshot: PreferenceSnapshot) -> MapView:
        """Where on the picture of ``snapshot`` places are."""
        return view_of(self._city, snapshot.task_x_m, snapshot.task_y_m, MAP_BOX)

    def draw(self, snapshot: PreferenceSnapshot) -> Frame:
        """Draw one moment. Shape [1000, 1000, 3], red, green and blue from 0 to 255."""
        view, inset = self.view(snapshot), None
        if view != MapView.fit(self._city, MAP_BOX):
            inset = inset_box(self._network, view, snapshot.task_x_m, snapshot.task_y_m, GROUND_BOX)
        enlarged = _enlarged(len(snapshot.worker_status) + len(snapshot.task_status))
        layout = view, inset, enlarged
        if layout not in self._scenes:
            scene = PreferenceRenderer(
                self._network, self._streets, view, inset=inset, enlarged=enlarged, title=self._title
            )
            self._scenes = {layout: scene}
        return self._scenes[layout].draw(snapshot)

    def show(self, frame: Frame) -> None:
        """Show a frame in a window. Where none can be opened the first call warns, and nothing else happens."""
        self._window.show(frame)

    def close(self) -> None:
        """Close the window, if there is one."""
        self._window.close()


def _enlarged(num_marks: int) -> float:
    """How much larger than usual workers and tasks are drawn: up to 1.6 times where there are few of them."""
    return float(np.clip((USUAL_MARKS / max(num_marks, 1)) ** 0.25, 1.0, 1.6))
