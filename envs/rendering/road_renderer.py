"""The canvas of an environment on roads: what stays, what moves, and the legend that explains all of it."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.rendering.canvas import Badges, Box, Canvas, Discs, Frame, Lines, Shapes, stamped
from crowdgym.envs.rendering.crowding import (
    CREW_GAP_PX,
    CROWD,
    SPREAD_PX,
    WAY_SPREAD_PX,
    Crowded,
    around_sites,
    crowded,
    side_by_side,
)
from crowdgym.envs.rendering.legend import Legend
from crowdgym.envs.rendering.links import Links, group_outlines
from crowdgym.envs.rendering.map import CityMap, Inset, MapView, StatusPanel, clock, draw_scale_bar, draw_streets
from crowdgym.envs.rendering.markers import (
    BLUE,
    GROUND_BOX,
    OUTLINE_EDGE,
    OUTLINE_FACE,
    PANEL_BOX,
    SIZE_PX,
    VERMILION,
    apart_px,
)
from crowdgym.envs.rendering.picture import HIDDEN, NO_SITE, Moment, Picture

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

RADIUS_PX = 15.0  # of the largest site; areas are in proportion
SMALLEST_RADIUS_PX = 4.5
CROWD_GROWS = 1.5  # how much larger a mark is that stands for many
BADGE_ASIDE_PX = np.array([3.0, 3.0])


class RoadRenderer:
    """The canvas on which one city is drawn in one view; see `crowdgym.envs.rendering.road_viewer.RoadViewer`."""

    def __init__(
        self, city: CityMap, view: MapView, picture: Picture, *, inset: Box | None, enlarged: float, title: str
    ) -> None:
        """Lay out the canvas.

        Args:
            city: its streets and what is between them.
            view: where places are.
            picture: the marks.
            inset: where a map of the whole city is, if the view does not show all of it.
            enlarged: how much larger than usual marks are.
            title: the heading.
        """
        self._view, self._picture, self._enlarged = view, picture, enlarged
        network = city.network
        self._node_px = view.pixels(network.x_m, network.y_m)  # [N, 2]
        self._canvas = canvas = Canvas(SIZE_PX, SIZE_PX)
        draw_streets(canvas, city, view, GROUND_BOX)
        draw_scale_bar(canvas, view, 24, GROUND_BOX.bottom + 13)
        self._outlines = canvas.add_moving(Shapes(OUTLINE_FACE, OUTLINE_EDGE, 1.0, GROUND_BOX))
        self._ways = canvas.add_moving(Lines(BLUE, 1.0, opacity=0.45, clip=GROUND_BOX))
        self._links = Links(canvas, picture.link_marks, enlarged)
        self._sites: list[Discs | Lines] = []
        for mark in (mark.look for mark in picture.site_marks):
            is_disc = len(mark.outline) == 0
            if is_disc:
                self._sites.append(Discs(mark.face, mark.edge, mark.edge_px, GROUND_BOX))
            else:
                self._sites.append(Lines(mark.edge, mark.edge_px, clip=GROUND_BOX))
        for drawn in sorted(self._sites, key=lambda drawn: isinstance(drawn, Discs)):  # discs over ticks and crosses
            canvas.add_moving(drawn)
        looks = [mark.look for mark in picture.mover_marks]
        self._movers = [canvas.add_moving(Shapes(of.face, of.edge, of.edge_px, GROUND_BOX)) for of in looks]
        self._crowds = [canvas.add_moving(Shapes(of.face, of.edge, of.edge_px, GROUND_BOX)) for of in looks]
        self._badges = canvas.add_moving(Badges(GROUND_BOX))
        self._inset = None if inset is None else Inset(canvas, city, view, GROUND_BOX, inset)
        self._dots = None if self._inset is None else (self._inset.dots(BLUE), self._inset.dots(VERMILION))
        size = f"{network.num_nodes:,} nodes, {network.num_edges:,} streets"
        self._panel = StatusPanel(canvas, PANEL_BOX, title, size, picture.figures)
        self._legend = Legend(
            canvas, picture, {name: self._radii_px(np.array([s])) for name, s in picture.sizes.items()}
        )

    def draw(self, moment: Moment) -> Frame:
        """Draw one moment. Shape [1000, 1000, 3]."""
        self._panel.show([clock(moment.time_s), *moment.figures])
        self._legend.show(moment)
        centres_px, radii_px = self._centres_px(moment), self._radii_px(moment.site_size)
        self._outlines.place(group_outlines(moment, centres_px))
        self._links.place(moment, centres_px, radii_px)
        self._place_sites(moment, centres_px, radii_px)
        self._place_movers(moment, centres_px, radii_px)
        if self._inset is not None and self._dots is not None:
            open_sites = self._is_disc()[np.minimum(moment.site_state, len(self._sites) - 1)]
            open_sites &= moment.site_state != HIDDEN
            self._inset.place(self._dots[0], moment.mover_x_m, moment.mover_y_m)
            self._inset.place(self._dots[1], moment.site_x_m[open_sites], moment.site_y_m[open_sites])
        return self._canvas.frame()

    def _is_disc(self) -> BoolArray:
        """Which states of sites are discs: those of sites that have not ended."""
        return np.array([len(mark.look.outline) == 0 for mark in self._picture.site_marks])

    def _radii_px(self, size: FloatArray) -> FloatArray:
        """Radii of discs, by the share of the largest area. Shape as given."""
        return np.maximum(RADIUS_PX * np.sqrt(size), SMALLEST_RADIUS_PX) * self._enlarged

    def _centres_px(self, moment: Moment) -> FloatArray:
        """Where sites go: those of groups at one and the same place apart, alike all episode long. Shape [S, 2]."""
        centres_px = self._view.pixels(moment.site_x_m, moment.site_y_m)
        if self._picture.group_word:
            places_m = np.stack([moment.site_x_m, moment.site_y_m], axis=1)
            step_px = 2 * float(self._radii_px(moment.site_size).max(initial=0.0)) + 2.0
            centres_px += apart_px(places_m, step_px)
        return centres_px

    def _place_sites(self, moment: Moment, centres_px: FloatArray, radii_px: FloatArray) -> None:
        for state, (mark, drawn) in enumerate(zip(self._picture.site_marks, self._sites, strict=True)):
            chosen = np.flatnonzero((moment.site_state == state) & (moment.site_seen > 0))
            if isinstance(drawn, Discs):
                large_first = chosen[np.argsort(-radii_px[chosen], kind="stable")]
                drawn.place(centres_px[large_first], radii_px[large_first] + mark.look.rim_px)
            else:
                outlines = stamped(mark.look.outline, centres_px[chosen], mark.look.size_px * self._enlarged)
                drawn.place(outlines, moment.site_seen[chosen])

    def _place_movers(self, moment: Moment, centres_px: FloatArray, radii_px: FloatArray) -> None:
        places_px = self._view.pixels(moment.mover_x_m, moment.mover_y_m)
        goals_px = self._node_px[moment.mover_goal]
        if self._picture.group_word:  # sites that were moved apart
            busy = moment.mover_site != NO_SITE
            goals_px[busy] = centres_px[moment.mover_site[busy]]
        badges: list[tuple[FloatArray, NDArray[np.intp]]] = []
        ways: list[FloatArray] = []
        for state, mark in enumerate(self._picture.mover_marks):
            chosen = np.flatnonzero(moment.mover_state == state)
            if mark.place == "site":
                drawn, shown_px = self._beside_sites(chosen, moment.mover_site[chosen], centres_px, radii_px)
            else:
                drawn = crowded(chosen, places_px[chosen])
                step_px = WAY_SPREAD_PX if mark.place == "way" else SPREAD_PX
                shown_px = side_by_side(drawn.middle_px, drawn.count, step_px * self._enlarged)
            ahead_px = None
            if mark.place == "way":
                ways.append(np.stack([places_px, goals_px], axis=1)[chosen])
                ahead_px = (goals_px - places_px)[drawn.mover]
            many, look = drawn.count > 1, mark.look
            for marks, which, grows in ((self._movers, ~many, 1.0), (self._crowds, many, CROWD_GROWS)):
                turned = None if ahead_px is None else ahead_px[which]
                marks[state].place(
                    stamped(look.outline, shown_px[which], look.size_px * self._enlarged * grows, turned)
                )
            badges.append((shown_px[many] + BADGE_ASIDE_PX * self._enlarged, drawn.count[many]))
        self._ways.place(np.concatenate([np.zeros((0, 2, 2)), *ways]))
        self._badges.place(np.concatenate([at for at, _ in badges]), np.concatenate([count for _, count in badges]))

    def _beside_sites(
        self, chosen: NDArray[np.intp], site: NDArray[np.int64], centres_px: FloatArray, radii_px: FloatArray
    ) -> tuple[Crowded, FloatArray]:
        """Movers at their sites, and where they are drawn: around the disc, or as one above it."""
        sites, group, size = np.unique(site, return_inverse=True, return_counts=True)
        many = size[group] >= CROWD
        first = np.array([np.flatnonzero(group == of)[0] for of in range(len(sites))], np.intp)
        leads = ~many
        leads[first] = True
        count = np.where(many, size[group], 1)[leads].astype(np.intp)
        site = site[leads]
        above_px = centres_px[site] + np.array([0.0, 1.0]) * (radii_px[site] + CREW_GAP_PX * self._enlarged)[:, None]
        shown_px = np.where((count > 1)[:, None], above_px, 0.0)
        single = count == 1
        shown_px[single] = around_sites(site[single], centres_px, radii_px, self._enlarged)
        return Crowded(chosen[leads], count, shown_px), shown_px
