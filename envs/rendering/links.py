"""Arrows between sites, and outlines around the sites of a group."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.rendering.canvas import Canvas, Lines, Shapes, stamped
from crowdgym.envs.rendering.markers import ARROWHEAD, GROUND_BOX
from crowdgym.envs.rendering.picture import Mark, Moment

FloatArray = NDArray[np.float64]

HEAD_PX = 4.0  # half the size of the head of an arrow
CRITICAL_GROWS = 2.2  # how much wider an arrow of a critical path is
OPACITY = 0.8
OUTLINE_GAP_PX = 10.0  # from the middle of a site to the outline of its group


class Links:
    """The arrows of all states; thick ones are on a critical path."""

    def __init__(self, canvas: Canvas, marks: tuple[Mark, ...], enlarged: float) -> None:
        self._enlarged = enlarged
        self._drawn: list[tuple[int, bool, Lines, Shapes]] = []
        for state, mark in enumerate(marks):
            for critical in (False, True):
                width_px = mark.look.edge_px * (CRITICAL_GROWS if critical else 1.0)
                lines = canvas.add_moving(Lines(mark.look.edge, width_px, opacity=OPACITY, clip=GROUND_BOX))
                heads = canvas.add_moving(Shapes(mark.look.edge, "none", 0.0, clip=GROUND_BOX))
                self._drawn.append((state, critical, lines, heads))

    def place(self, moment: Moment, centres_px: FloatArray, radii_px: FloatArray) -> None:
        """Draw the arrows of a moment, from rim to rim."""
        for state, critical, lines, heads in self._drawn:
            chosen = (moment.link_state == state) & (moment.link_is_critical == critical)
            head_px = HEAD_PX * self._enlarged * (1.5 if critical else 1.0)
            tails_px, tips_px, unit = _rim_to_rim(moment.links[chosen], centres_px, radii_px + 1.0, head_px)
            lines.place(np.stack([tails_px, tips_px - unit * head_px], axis=1))
            heads.place(stamped(ARROWHEAD, tips_px - unit * 1.3 * head_px, head_px, unit))


def _rim_to_rim(
    links: NDArray[np.int64], centres_px: FloatArray, radii_px: FloatArray, head_px: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where arrows begin and end, and their directions; without those that have no room. Shape [n, 2] each."""
    before, after = links.T
    along_px = centres_px[after] - centres_px[before]
    length_px = np.hypot(along_px[:, 0], along_px[:, 1])
    fits = length_px > radii_px[before] + radii_px[after] + head_px
    unit = along_px[fits] / length_px[fits, np.newaxis]
    tails_px = centres_px[before[fits]] + unit * radii_px[before[fits], np.newaxis]
    return tails_px, centres_px[after[fits]] - unit * radii_px[after[fits], np.newaxis], unit


def group_outlines(moment: Moment, centres_px: FloatArray) -> list[FloatArray]:
    """A rounded outline around the sites of each group. Shape [n, 2] each."""
    if moment.site_group is None:
        return []
    from shapely import MultiPoint

    outlines = []
    for group in np.unique(moment.site_group[moment.site_group >= 0]):
        hull = MultiPoint(centres_px[moment.site_group == group]).convex_hull.buffer(OUTLINE_GAP_PX, quad_segs=6)
        outlines.append(np.asarray(hull.exterior.coords, np.float64))
    return outlines
