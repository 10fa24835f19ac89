"""Pictures of environments on roads: the city, its sites and its workers at one moment."""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from crowdgym.data.ground import NO_GROUND, Ground
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.rendering.canvas import Box, Frame
from crowdgym.envs.rendering.map import CityMap, MapView, inset_box, view_of
from crowdgym.envs.rendering.markers import GROUND_BOX
from crowdgym.envs.rendering.picture import Moment, Picture
from crowdgym.envs.rendering.road_renderer import RoadRenderer
from crowdgym.envs.rendering.street_traffic import Streets
from crowdgym.envs.rendering.window import FrameWindow

MAP_BOX = Box(32, 154, 968, 880)  # where the part of the city that is shown is fitted in

Snapshot = TypeVar("Snapshot")


class RoadViewer(Generic[Snapshot]):
    """Draws snapshots of one city.

    Of a city that is much larger than the part where the episode's sites are, that part is shown, and an inset with the
    whole of it, open sites and movers as dots. Movers at one and the same place are spread a little; many of them are
    one large mark with their number. Streets are drawn once for each view; a frame then costs some milliseconds. The
    same snapshot gives the same bytes.

    Args:
        network: the city.
        title: the heading of the picture.
        picture: the marks.
        moment: of a snapshot.
        ground: water and greens between the streets.
        frames_per_second: how fast `show` goes at most.
    """

    def __init__(
        self,
        network: RoadNetwork,
        title: str,
        picture: Picture,
        moment: Callable[[Snapshot], Moment],
        *,
        ground: Ground = NO_GROUND,
        frames_per_second: float = 5.0,
    ) -> None:
        self._city = CityMap(network, Streets.of(network), ground)
        self._title = title
        self._picture = picture
        self._moment = moment
        self._whole = Box.around(network.x_m, network.y_m)
        self._renderers: dict[tuple[MapView, Box | None, float], RoadRenderer] = {}  # the one in use
        self._window = FrameWindow(title, frames_per_second)

    def view(self, snapshot: Snapshot) -> MapView:
        """Where on the picture of ``snapshot`` places are."""
        return self._view(self._moment(snapshot))

    def draw(self, snapshot: Snapshot) -> Frame:
        """Draw one moment. Shape [1000, 1000, 3], red, green and blue from 0 to 255."""
        moment = self._moment(snapshot)
        view, inset = self._view(moment), None
        if view != MapView.fit(self._whole, MAP_BOX):
            inset = inset_box(self._city.network, view, moment.site_x_m, moment.site_y_m, GROUND_BOX)
        marks = len(moment.mover_state) + len(moment.site_state)
        enlarged = float(np.clip((self._picture.usual_marks / max(marks, 1)) ** 0.25, 1.0, 1.6))
        layout = view, inset, enlarged
        if layout not in self._renderers:
            renderer = RoadRenderer(self._city, view, self._picture, inset=inset, enlarged=enlarged, title=self._title)
            self._renderers = {layout: renderer}
        return self._renderers[layout].draw(moment)

    def _view(self, moment: Moment) -> MapView:
        there = np.isfinite(moment.site_x_m)
        return view_of(self._whole, moment.site_x_m[there], moment.site_y_m[there], MAP_BOX)

    def show(self, frame: Frame) -> None:
        """Show a frame in a window. Where none can be opened the first call warns, and nothing else happens."""
        self._window.show(frame)

    def close(self) -> None:
        """Close the window, if there is one."""
        self._window.close()
