"""What a picture of DASC is made of: how everything looks, and where it goes."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.dasc.kernel.state import SubtaskStatus, TaskStatus, WorkerStatus
from crowdgym.envs.dasc.snapshot import DascSnapshot
from crowdgym.envs.rendering.canvas import (
    FAINT_INK,
    INK,
    PANEL,
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
from crowdgym.envs.rendering.map import Inset, MapView, StatusPanel, clock, draw_scale_bar, draw_streets
from crowdgym.envs.rendering.markers import (
    ARROWHEAD,
    BLUE,
    CROSS,
    DIAMOND,
    GREEN,
    GROUND_BOX,
    LEGEND_BOX,
    ORANGE,
    PANEL_BOX,
    PURPLE,
    SIZE_PX,
    SQUARE,
    TICK,
    TRIANGLE,
    VERMILION,
    Look,
    apart_px,
    sample,
)
from crowdgym.envs.rendering.street_traffic import Streets

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

FIGURES = (("time", 100.0), ("revenue", 120.0), ("completed", 110.0), ("expired", 90.0), ("open", 80.0))
LEGEND_LEFT_PX, LEGEND_COLUMN_PX = 124.0, 168.0

RADIUS_PX = 5.5  # of a subtask
ENDED_SHOWN_S = 600.0  # the subtasks of a task that has ended fade out over this long
MARK_PX = 4.5  # half the size of a tick or cross
WORKER_PX = 5.5  # half the size of a worker
CREW_PX = 3.2  # half the size of a worker at its subtask
HEAD_PX = 4.0  # half the size of the head of an arrow of precedence
SPREAD_PX = 6.0  # how far idle workers at one and the same place are moved apart
SUBTASK_SPREAD_PX = 2 * RADIUS_PX + 2.0  # the same for subtasks


DISCS = {
    "unassigned": Look(VERMILION, PANEL, 1.0),
    "assigned": Look(PANEL, ORANGE, 2.8),
    "in progress": Look(GREEN, PANEL, 1.0),
}
MARKS = {
    "finished": Look("none", GREEN, 2.4, TICK, MARK_PX),
    "failed": Look("none", FAINT_INK, 2.2, CROSS, MARK_PX),
}
WORKERS = {  # the last is drawn on top
    WorkerStatus.WORKING: Look("#1b2a4a", PANEL, 0.8, SQUARE, CREW_PX),
    WorkerStatus.WAITING: Look(ORANGE, INK, 0.8, SQUARE, CREW_PX),
    WorkerStatus.IDLE: Look("#ffffff", INK, 1.3, TRIANGLE, WORKER_PX),
    WorkerStatus.RELEASED: Look(PURPLE, INK, 0.8, DIAMOND, WORKER_PX),
    WorkerStatus.TRAVELLING: Look(BLUE, PANEL, 0.8, ARROWHEAD, WORKER_PX),
}


def subtask_states(snapshot: DascSnapshot) -> dict[str, BoolArray]:
    """Which subtasks are ``unassigned``, ``assigned``, ``in progress``, ``finished`` and ``failed``. Shape [S] each."""
    status, now_s = snapshot.subtask_status, snapshot.time_s
    assigned = status == SubtaskStatus.ASSIGNED
    under_way = snapshot.start_s > now_s
    return {
        "unassigned": status == SubtaskStatus.UNASSIGNED,
        "assigned": assigned & under_way,
        "in progress": assigned & ~under_way,
        "finished": status == SubtaskStatus.FINISHED,
        "failed": status == SubtaskStatus.FAILED,
    }


def opacity(snapshot: DascSnapshot) -> FloatArray:
    """How clearly each subtask is seen: fully while its task is open, then less and less. Shape [S]."""
    age_s = np.where(np.isnan(snapshot.end_s), 0.0, snapshot.time_s - snapshot.end_s)  # [Q]
    seen = np.clip(1.0 - age_s / ENDED_SHOWN_S, 0.0, 1.0)[snapshot.subtask_task]
    return np.where(snapshot.subtask_status == SubtaskStatus.ABSENT, 0.0, seen)


class DascRenderer:
    """The canvas on which one city is drawn in one view; see `crowdgym.envs.dasc.viewer.DascViewer`."""

    def __init__(
        self, network: RoadNetwork, streets: Streets, view: MapView, *, inset: Box | None, enlarged: float, title: str
    ) -> None:
        """Lay out the canvas.

        Args:
            network: the city.
            streets: its streets.
            view: where places are.
            inset: where a map of the whole city is, if the view does not show all of it.
            enlarged: how much larger than usual workers and subtasks are.
            title: the heading.
        """
        self._view = view
        self._enlarged = enlarged
        self._node_px = view.pixels(network.x_m, network.y_m)  # [N, 2]
        self._canvas = canvas = Canvas(SIZE_PX, SIZE_PX)
        draw_streets(canvas, network, streets, view, GROUND_BOX)
        draw_scale_bar(canvas, view, 24, GROUND_BOX.bottom + 13)
        self._ways = canvas.add_moving(Lines(BLUE, 1.0, opacity=0.45, clip=GROUND_BOX))
        self._arrows = canvas.add_moving(Lines(INK, 1.3, opacity=0.75, clip=GROUND_BOX))
        self._heads = canvas.add_moving(Shapes(INK, "none", 0.0, clip=GROUND_BOX))
        self._marks = {
            state: canvas.add_moving(Lines(look.edge, look.edge_px, clip=GROUND_BOX)) for state, look in MARKS.items()
        }
        self._discs = {
            state: canvas.add_moving(Discs(look.face, look.edge, look.edge_px, clip=GROUND_BOX))
            for state, look in DISCS.items()
        }
        self._workers = {
            status: canvas.add_moving(Shapes(look.face, look.edge, look.edge_px, clip=GROUND_BOX))
            for status, look in WORKERS.items()
        }
        self._inset = None if inset is None else Inset(canvas, network, streets, view, GROUND_BOX, inset)
        self._dots = None if self._inset is None else (self._inset.dots(BLUE), self._inset.dots(VERMILION))
        size = f"{network.num_nodes:,} nodes, {network.num_edges:,} streets"
        self._panel = StatusPanel(canvas, PANEL_BOX, title, size, FIGURES)
        self._legend = _Legend(canvas)

    def draw(self, snapshot: DascSnapshot) -> Frame:
        """Draw one moment. Shape [1000, 1000, 3]."""
        states = subtask_states(snapshot)
        metrics = snapshot.metrics
        counts = (metrics.completed, metrics.expired, int(np.sum(snapshot.task_status == TaskStatus.OPEN)))
        self._panel.show([clock(snapshot.time_s), f"{metrics.revenue:,.0f}", *(f"{count:,}" for count in counts)])
        self._legend.show(snapshot, states)
        centres_px = self._centres_px(snapshot)
        seen = opacity(snapshot)
        self._place_arrows(snapshot, centres_px)
        self._place_subtasks(states, centres_px, seen)
        self._place_workers(snapshot, centres_px)
        if self._inset is not None and self._dots is not None:
            live = states["unassigned"] | states["assigned"] | states["in progress"]
            self._inset.place(self._dots[0], snapshot.worker_x_m, snapshot.worker_y_m)
            self._inset.place(self._dots[1], snapshot.subtask_x_m[live], snapshot.subtask_y_m[live])
        return self._canvas.frame()

    def _centres_px(self, snapshot: DascSnapshot) -> FloatArray:
        """Where subtasks go: at one and the same place apart, and in the same way all episode long. Shape [S, 2]."""
        centres_px = self._view.pixels(snapshot.subtask_x_m, snapshot.subtask_y_m)
        there = snapshot.subtask_task >= 0
        places_m = np.stack([snapshot.subtask_x_m, snapshot.subtask_y_m], axis=1)[there]
        centres_px[there] += apart_px(places_m, SUBTASK_SPREAD_PX * self._enlarged)
        return centres_px

    def _place_arrows(self, snapshot: DascSnapshot, centres_px: FloatArray) -> None:
        """Join the subtasks of open tasks by their precedence, from rim to rim."""
        is_open = snapshot.task_status == TaskStatus.OPEN
        before, after = snapshot.arrows[is_open[snapshot.subtask_task[snapshot.arrows[:, 1]]]].T
        along_px = centres_px[after] - centres_px[before]
        length_px = np.hypot(along_px[:, 0], along_px[:, 1])
        rim_px = (RADIUS_PX + 1.0) * self._enlarged
        apart = length_px > 2 * rim_px + HEAD_PX
        unit = along_px[apart] / length_px[apart, np.newaxis]
        tails_px, tips_px = centres_px[before[apart]] + unit * rim_px, centres_px[after[apart]] - unit * rim_px
        self._arrows.place(np.stack([tails_px, tips_px - unit * HEAD_PX], axis=1))
        head_px = HEAD_PX * self._enlarged
        self._heads.place(stamped(ARROWHEAD, tips_px - unit * 1.3 * head_px, head_px, unit))

    def _place_subtasks(self, states: dict[str, BoolArray], centres_px: FloatArray, seen: FloatArray) -> None:
        for state, discs in self._discs.items():
            places_px = centres_px[states[state]]
            discs.place(places_px, np.full(len(places_px), RADIUS_PX * self._enlarged))
        for state, marks in self._marks.items():
            chosen, look = states[state] & (seen > 0), MARKS[state]
            marks.place(stamped(look.outline, centres_px[chosen], look.size_px * self._enlarged), seen[chosen])

    def _place_workers(self, snapshot: DascSnapshot, centres_px: FloatArray) -> None:
        status = snapshot.worker_status
        places_px = self._view.pixels(snapshot.worker_x_m, snapshot.worker_y_m)
        goals_px = self._node_px[snapshot.worker_goal]
        busy = snapshot.worker_subtask >= 0
        goals_px[busy] = centres_px[snapshot.worker_subtask[busy]]
        self._ways.place(np.stack([places_px, goals_px], axis=1)[status == WorkerStatus.TRAVELLING])
        places_m = np.stack([snapshot.worker_x_m, snapshot.worker_y_m], axis=1)  # [W, 2]
        for kind, shapes in self._workers.items():
            chosen, look = status == kind, WORKERS[kind]
            shown_px = places_px[chosen]
            if kind in (WorkerStatus.WORKING, WorkerStatus.WAITING):
                shown_px = goals_px[chosen] + np.array([0.0, (RADIUS_PX + CREW_PX + 1.5) * self._enlarged])
            else:
                shown_px = shown_px + apart_px(places_m[chosen], SPREAD_PX * self._enlarged)
            ahead_px = (goals_px - places_px)[chosen] if kind == WorkerStatus.TRAVELLING else None
            shapes.place(stamped(look.outline, shown_px, look.size_px * self._enlarged, ahead_px))


class _Legend:
    """A strip along the bottom of the canvas: every kind of subtask and worker, and how many there are."""

    def __init__(self, canvas: Canvas) -> None:
        box = LEGEND_BOX
        canvas.add_fixed(Rectangle(box, PANEL))
        canvas.add_fixed(Rectangle(Box(box.left, box.top, box.right, box.top + 1), RULE))
        self._counts: dict[str, Text] = {}
        workers = {status.name.lower(): WORKERS[status] for status in sorted(WORKERS)}
        for heading, looks, baseline_px in (("Subtasks", DISCS | MARKS, 58.0), ("Workers", workers, 24.0)):
            canvas.add_fixed(Text(24, baseline_px, heading, bold=True))
            for column, (name, look) in enumerate(looks.items()):
                left_px = LEGEND_LEFT_PX + LEGEND_COLUMN_PX * column
                canvas.add_fixed(sample(look, left_px, baseline_px + 5, 6.0))
                canvas.add_fixed(Text(left_px + 16, baseline_px, name))
                self._counts[name] = canvas.add_moving(Text(left_px + 136, baseline_px, bold=True, anchor="right"))

    def show(self, snapshot: DascSnapshot, states: dict[str, BoolArray]) -> None:
        for state, chosen in states.items():
            self._counts[state].write(f"{int(chosen.sum()):,}")
        for status in WORKERS:
            self._counts[status.name.lower()].write(f"{int(np.sum(snapshot.worker_status == status)):,}")
