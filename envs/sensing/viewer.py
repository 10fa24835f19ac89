"""Pictures of sensing: the region, how far off each cell is, who measures where, and how error and cost run."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.sensing import SensingSeries
from crowdgym.envs.rendering.canvas import (
    FAINT_INK,
    INK,
    PANEL,
    PAPER,
    RULE,
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
from crowdgym.envs.rendering.map import MapView, StatusPanel, draw_scale_bar, rank_in_group
from crowdgym.envs.rendering.window import FrameWindow
from crowdgym.envs.sensing.snapshot import SensingSnapshot

FloatArray = NDArray[np.float64]

SIZE_PX = 1000
PANEL_BOX = Box(0, 912, SIZE_PX, SIZE_PX)
GROUND_BOX = Box(0, 97, 640, 911)  # what shows the region
MAP_BOX = Box(36, 150, 604, 878)  # where the region is fitted in
LEGEND_BOX = Box(0, 0, SIZE_PX, 96)
ERROR_BOX, COST_BOX = Box(690, 540, 964, 850), Box(690, 160, 964, 470)  # the charts
FIGURES = (("cycle", 120.0), ("error", 110.0), ("cost, km", 120.0))

OUTSIDE, REGION_EDGE = "#eeeae1", "#b0a898"
BLUE, DARK_BLUE = "#0072b2", "#1b2a4a"
# From light to dark, told apart without colours too; each up to a normalised error, added over attributes.
ERROR_CLASSES: tuple[tuple[float, str], ...] = (
    (0.05, "#fee8c8"),
    (0.1, "#fdbb84"),
    (0.2, "#ef6548"),
    (0.4, "#b30000"),
    (np.inf, "#4d0010"),
)
MARGIN_SHARE = 0.07  # of the region's size, around the cells where no outline is known
SPARSE, DENSE = 24, 400  # cells: how large they are drawn
PARTICIPANT_PX = 5.0
SPREAD_PX = 7.0  # how far participants in one cell are apart
GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))
ARROWHEAD = np.array([[0.0, 0.0], [-2.0, 0.9], [-1.5, 0.0], [-2.0, -0.9]])
TRIANGLE = np.array([[0.0, 1.1], [0.95, -0.65], [-0.95, -0.65]])


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

        self._classes = [canvas.add_moving(Discs(colour, INK, 0.6)) for _, colour in ERROR_CLASSES]
        self._unknown = canvas.add_moving(Discs("none", FAINT_INK, 1.2))
        self._sensed = canvas.add_moving(Discs(PANEL, BLUE, 2.4))
        self._ways = canvas.add_moving(Lines(BLUE, 1.6, opacity=0.6, clip=GROUND_BOX))
        self._heads = canvas.add_moving(Shapes(BLUE, "none", 0.0, clip=GROUND_BOX))
        self._participants = canvas.add_moving(Shapes(DARK_BLUE, PANEL, 0.8, clip=GROUND_BOX))
        self._error = _Chart(canvas, ERROR_BOX, "error of a cycle, normalised", "#b30000")
        self._cost = _Chart(canvas, COST_BOX, "cost of a cycle, km a participant", BLUE)
        self._panel = StatusPanel(canvas, PANEL_BOX, title, subtitle, FIGURES)
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
        sensed, unknown = snapshot.crowd > 0, np.isnan(snapshot.cell_error) & (snapshot.crowd == 0)
        kind = error_class(snapshot.cell_error)
        for number, discs in enumerate(self._classes):
            chosen = ~sensed & ~unknown & (kind == number)
            discs.place(self._cells_px[chosen], radii_px[chosen])
        self._unknown.place(self._cells_px[unknown], radii_px[unknown] * 0.7)
        self._sensed.place(self._cells_px[sensed], radii_px[sensed])

    def _place_participants(self, snapshot: SensingSnapshot) -> None:
        rank = rank_in_group(snapshot.participant_cell)
        aside_px = SPREAD_PX * np.sqrt(rank) * np.stack([np.cos(GOLDEN_ANGLE * rank), np.sin(GOLDEN_ANGLE * rank)])
        here_px, from_px = self._cells_px[snapshot.participant_cell], self._cells_px[snapshot.came_from]
        moved = snapshot.participant_cell != snapshot.came_from
        way_px = (here_px - from_px)[moved]
        length_px = np.maximum(np.linalg.norm(way_px, axis=1, keepdims=True), 1e-9)
        tips_px = here_px[moved] - way_px / length_px * np.minimum(self._radius_px + 1, length_px)
        self._ways.place(np.stack([from_px[moved], tips_px], axis=1))
        self._heads.place(stamped(ARROWHEAD, tips_px, 6.0, way_px))
        self._participants.place(stamped(TRIANGLE, here_px + aside_px.T, PARTICIPANT_PX))


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


def error_class(cell_error: FloatArray) -> NDArray[np.intp]:
    """Into which of `ERROR_CLASSES` each error falls; a bound belongs to the class below it. Shape as given."""
    return np.searchsorted([limit for limit, _ in ERROR_CLASSES[:-1]], cell_error, side="left")


def round_up(value: float) -> float:
    """The least of 1, 2 or 5 times a power of ten that is not below ``value``; 1 for 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value * (1 - 1e-12)))


def region_outline_km(series: SensingSeries) -> FloatArray:
    """The outline of the series, or a hull around its cells with a margin. Shape [n, 2]."""
    if len(series.outline_km) >= 3:
        return series.outline_km
    from shapely import MultiPoint

    places = np.stack([series.x_km, series.y_km], axis=1)
    margin_km = max(MARGIN_SHARE * float(np.ptp(places, axis=0).max()), 1e-6)
    hull = MultiPoint(places).convex_hull.buffer(margin_km)
    return np.asarray(hull.exterior.coords, np.float64)


def _fix_legend(canvas: Canvas) -> None:
    box = LEGEND_BOX
    canvas.add_fixed(Rectangle(box, PANEL))
    canvas.add_fixed(Rectangle(Box(box.left, box.top, box.right, box.top + 1), RULE))
    canvas.add_fixed(Text(24, 58, "Cells", bold=True))
    left_px = 112.0
    lower = 0.0
    for limit, colour in ERROR_CLASSES:
        canvas.add_fixed(Discs(colour, INK, 0.6).place(np.array([[left_px, 63.0]]), np.array([9.0])))
        words = f"{lower:g} to {limit:g}" if np.isfinite(limit) else f"over {lower:g}"
        canvas.add_fixed(Text(left_px + 16, 58, words))
        left_px, lower = left_px + 122, limit
    canvas.add_fixed(Text(left_px, 58, "error, all attributes", colour=FAINT_INK))
    canvas.add_fixed(Discs(PANEL, BLUE, 2.4).place(np.array([[112.0, 29.0]]), np.array([9.0])))
    canvas.add_fixed(Text(128, 24, "sensed"))
    canvas.add_fixed(Discs("none", FAINT_INK, 1.2).place(np.array([[234.0, 29.0]]), np.array([6.5])))
    canvas.add_fixed(Text(250, 24, "no truth known"))
    canvas.add_fixed(Text(400, 24, "Participants", bold=True))
    canvas.add_fixed(Shapes(DARK_BLUE, PANEL, 0.8).place(stamped(TRIANGLE, np.array([[520.0, 29.0]]), 6.0)))
    canvas.add_fixed(Text(534, 24, "here"))
    canvas.add_fixed(Lines(BLUE, 1.6, opacity=0.6).place(np.array([[[600.0, 29.0], [640.0, 29.0]]])))
    canvas.add_fixed(Text(650, 24, "where they came from"))
