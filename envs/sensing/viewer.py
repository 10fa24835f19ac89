"""Pictures of sensing: the region, how far off each cell is, who measures where, and how error and cost run."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.sensing import SensingSeries
from crowdgym.envs.rendering.canvas import (
    FAINT_INK,
    PANEL,
    PAPER,
    RULE,
    Badges,
    Box,
    Canvas,
    Discs,
    Frame,
    Lines,
    Rectangle,
    Shapes,
    Text,
    stamped,
)
from crowdgym.envs.rendering.crowding import crowded, side_by_side
from crowdgym.envs.rendering.map import MapView, StatusPanel, draw_scale_bar
from crowdgym.envs.rendering.markers import BLUE, sample
from crowdgym.envs.rendering.window import FrameWindow
from crowdgym.envs.sensing.scene import ERROR_CLASSES, PICTURE, cell_states, region_outline_km
from crowdgym.envs.sensing.snapshot import SensingSnapshot

FloatArray = NDArray[np.float64]

SIZE_PX = 1000
PANEL_BOX = Box(0, 912, SIZE_PX, SIZE_PX)
GROUND_BOX = Box(0, 97, 640, 911)  # what shows the region
MAP_BOX = Box(36, 150, 604, 878)  # where the region is fitted in
LEGEND_BOX = Box(0, 0, SIZE_PX, 96)
ERROR_BOX, COST_BOX = Box(690, 540, 964, 850), Box(690, 160, 964, 470)  # the charts

OUTSIDE, REGION_EDGE = "#eeeae1", "#b0a898"
HERE = PICTURE.mover_marks[0].look
SPARSE, DENSE = 24, 400  # cells: how large they are drawn
SPREAD_PX = 7.0  # how far participants in one cell are apart
TIP = np.array([[0.0, 0.0], [-2.0, 0.9], [-1.5, 0.0], [-2.0, -0.9]])


class SensingViewer:
    """Draws snapshots of one series.

    Cells are discs: the darker, the further off is what is inferred there, over all attributes; white ones with a rim
    are sensed; hollow ones have no known truth. Participants are triangles in their cells, with the way they came. On
    the right, error and cost of each cycle (thin) and their mean so far (thick). The region's outline is that of the
    series, or where it has none a hull around the cells. The same snapshot gives the same bytes.

    Args:
        series: whose cells and outline are drawn.
        title: the heading of the picture.
        subtitle: what stands below it.
        frames_per_second: how fast `show` goes at most.
    """

    def __init__(
        self, series: SensingSeries, title: str, subtitle: str = "", *, frames_per_second: float = 5.0
    ) -> None:
        self._series = series
        self._headings = title, subtitle
        self._scene: _Scene | None = None
        self._window = FrameWindow(title, frames_per_second)

    def draw(self, snapshot: SensingSnapshot) -> Frame:
        """Draw one moment. Shape [1000, 1000, 3], red, green and blue from 0 to 255."""
        if self._scene is None:
            self._scene = _Scene(self._series, *self._headings)
        return self._scene.draw(snapshot)

    def show(self, frame: Frame) -> None:
        """Show a frame in a window. Where none can be opened the first call warns, and nothing else happens."""
        self._window.show(frame)

    def close(self) -> None:
        """Close the window, if there is one."""
        self._window.close()


class _Scene:
    """The canvas, and what moves on it."""

    def __init__(self, series: SensingSeries, title: str, subtitle: str) -> None:
        outline_m = region_outline_km(series) * 1000
        view = MapView.fit(Box.around(outline_m[:, 0], outline_m[:, 1]), MAP_BOX)
        self._cells_px = view.pixels(series.x_km * 1000, series.y_km * 1000)  # [X, 2]
        crowded = np.interp(series.num_cells, [SPARSE, DENSE], [1.0, 0.35])
        self._radius_px = float(14.0 * crowded)
        self._canvas = canvas = Canvas(SIZE_PX, SIZE_PX, OUTSIDE)
        canvas.add_fixed(Rectangle(Box(GROUND_BOX.right, GROUND_BOX.bottom, SIZE_PX, GROUND_BOX.top), PANEL))
        outline_px = view.pixels(outline_m[:, 0], outline_m[:, 1])
        canvas.add_fixed(Shapes(PAPER, REGION_EDGE, 1.2, clip=GROUND_BOX).place(outline_px[np.newaxis]))
        draw_scale_bar(canvas, view, 24, GROUND_BOX.bottom + 13)

        cells = [mark.look for mark in PICTURE.site_marks]
        self._cells = [canvas.add_moving(Discs(look.face, look.edge, look.edge_px)) for look in cells]
        self._ways = canvas.add_moving(Lines(BLUE, 1.6, opacity=0.6, clip=GROUND_BOX))
        self._heads = canvas.add_moving(Shapes(BLUE, "none", 0.0, clip=GROUND_BOX))
        self._participants = canvas.add_moving(Shapes(HERE.face, HERE.edge, HERE.edge_px, clip=GROUND_BOX))
        self._crowds = canvas.add_moving(Shapes(HERE.face, HERE.edge, HERE.edge_px, clip=GROUND_BOX))
        self._badges = canvas.add_moving(Badges(GROUND_BOX))
        self._error = _Chart(canvas, ERROR_BOX, "error of a cycle, normalised", "#b30000")
        self._cost = _Chart(canvas, COST_BOX, "cost of a cycle, km a participant", BLUE)
        self._panel = StatusPanel(canvas, PANEL_BOX, title, subtitle, PICTURE.figures)
        _fix_legend(canvas)

    def draw(self, snapshot: SensingSnapshot) -> Frame:
        """Draw one moment."""
        figures = (f"{snapshot.cycle + 1} / {snapshot.cycles}", f"{snapshot.metrics.error:.3f}")
        self._panel.show([*figures, f"{snapshot.metrics.cost_km:.2f}"])
        self._place_cells(snapshot)
        self._place_participants(snapshot)
        self._error.show(snapshot.error, snapshot.cycles)
        self._cost.show(snapshot.cost_km, snapshot.cycles)
        return self._canvas.frame()

    def _place_cells(self, snapshot: SensingSnapshot) -> None:
        radii_px = np.full(len(self._cells_px), self._radius_px)
        states = cell_states(snapshot)
        for state, discs in enumerate(self._cells):
            discs.place(self._cells_px[states == state], radii_px[states == state])

    def _place_participants(self, snapshot: SensingSnapshot) -> None:
        here_px, from_px = self._cells_px[snapshot.participant_cell], self._cells_px[snapshot.came_from]
        moved = snapshot.participant_cell != snapshot.came_from
        way_px = (here_px - from_px)[moved]
        length_px = np.maximum(np.linalg.norm(way_px, axis=1, keepdims=True), 1e-9)
        tips_px = here_px[moved] - way_px / length_px * np.minimum(self._radius_px + 1, length_px)
        self._ways.place(np.stack([from_px[moved], tips_px], axis=1))
        self._heads.place(stamped(TIP, tips_px, 6.0, way_px))
        drawn = crowded(np.arange(len(here_px)), here_px)
        many = drawn.count > 1
        shown_px = side_by_side(drawn.middle_px, drawn.count, SPREAD_PX)
        self._participants.place(stamped(HERE.outline, shown_px[~many], HERE.size_px))
        self._crowds.place(stamped(HERE.outline, shown_px[many], HERE.size_px * 1.5))
        self._badges.place(shown_px[many] + 5.0, drawn.count[many])


class _Chart:
    """Figures of the cycles so far: each thin, their mean so far thick."""

    def __init__(self, canvas: Canvas, box: Box, title: str, colour: str) -> None:
        self._box = box
        canvas.add_fixed(Text(box.left, box.top + 16, title, bold=True))
        axes = np.array([[[box.left, box.top], [box.left, box.bottom], [box.right, box.bottom]]])
        canvas.add_fixed(Lines(RULE, 1.2).place(axes))
        canvas.add_fixed(Text(box.left - 6, box.bottom - 4, "0", size_px=12, colour=FAINT_INK, anchor="right"))
        self._top = canvas.add_moving(Text(box.left - 6, box.top - 8, size_px=12, colour=FAINT_INK, anchor="right"))
        self._last = canvas.add_moving(Text(box.right, box.bottom - 18, size_px=12, colour=FAINT_INK, anchor="right"))
        self._each = canvas.add_moving(Lines(colour, 1.0, opacity=0.45))
        self._mean = canvas.add_moving(Lines(colour, 2.6))

    def show(self, values: FloatArray, cycles: int) -> None:
        """Draw these. Shape [cycle + 1]; ``cycles`` is how many there will be."""
        top = round_up(float(values.max()))
        self._top.write(f"{top:g}")
        self._last.write(f"{cycles} cycles")
        means = np.cumsum(values) / np.arange(1, len(values) + 1)
        self._each.place(self._points_px(values / top, cycles))
        self._mean.place(self._points_px(means / top, cycles))

    def _points_px(self, shares: FloatArray, cycles: int) -> FloatArray:
        x_px = self._box.left + np.arange(len(shares)) / max(cycles - 1, 1) * self._box.width
        return np.stack([x_px, self._box.bottom + shares * self._box.height], axis=1)[np.newaxis]


def round_up(value: float) -> float:
    """The least of 1, 2 or 5 times a power of ten that is not below ``value``; 1 for 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value * (1 - 1e-12)))


def _fix_legend(canvas: Canvas) -> None:
    box = LEGEND_BOX
    canvas.add_fixed(Rectangle(box, PANEL))
    canvas.add_fixed(Rectangle(Box(box.left, box.top, box.right, box.top + 1), RULE))
    canvas.add_fixed(Text(24, 58, "Cells", bold=True))
    left_px, baseline_px = 112.0, 58.0
    classes = len(ERROR_CLASSES)
    for number, mark in enumerate(PICTURE.site_marks):
        if number == classes:
            canvas.add_fixed(Text(left_px, baseline_px, "error, all attributes", colour=FAINT_INK))
            left_px, baseline_px = 112.0, 24.0
        canvas.add_fixed(sample(mark.look, left_px, baseline_px + 5, 9.0))
        canvas.add_fixed(Text(left_px + 16, baseline_px, mark.name))
        left_px += 122 if number < classes else 162
    canvas.add_fixed(Text(left_px, 24, "Participants", bold=True))
    canvas.add_fixed(sample(HERE, left_px + 116, 29.0, 6.0))
    canvas.add_fixed(Text(left_px + 130, 24, "here"))
    canvas.add_fixed(Lines(BLUE, 1.6, opacity=0.6).place(np.array([[[left_px + 190, 29.0], [left_px + 226, 29.0]]])))
    tip_px = np.array([[left_px + 232, 29.0]])
    canvas.add_fixed(Shapes(BLUE, "none", 0.0).place(stamped(TIP, tip_px, 6.0)))
    canvas.add_fixed(Text(left_px + 242, 24, "the way they came"))
