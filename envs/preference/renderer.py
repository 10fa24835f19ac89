"""What a picture of `preference_v0` is made of: how everything looks, and where it goes."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.preference.kernel.state import TaskStatus, WorkerStatus
from crowdgym.envs.preference.snapshot import PreferenceSnapshot
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

BoolArray = NDArray[np.bool_]

FIGURES = (("time", 100.0), ("accepted", 110.0), ("declined", 110.0), ("closed", 90.0), ("expired", 90.0))
LEGEND_LEFT_PX, LEGEND_COLUMN_PX = 112.0, 154.0
TASK_PX = 6.5  # radius of an open task
ENDED_SHOWN_S = 600.0  # a task that has ended fades out over this long
MARK_PX = 5.5  # half the size of a tick, square or cross
WORKER_PX = 5.5  # half the size of a worker
SPREAD_PX = 6.0  # how far workers of one status at one and the same place are moved apart

OPEN_TASKS = {"waiting": Look(VERMILION, PANEL, 1.2), "declined": Look(PANEL, ORANGE, 3.2)}
ENDED_TASKS = {
    "accepted": Look("none", GREEN, 2.6, TICK, MARK_PX),
    "closed": Look("none", PURPLE, 2.4, np.vstack([SQUARE, SQUARE[:1]]), MARK_PX),
    "expired": Look("none", FAINT_INK, 2.4, CROSS, MARK_PX),
}
WORKERS = {  # the last is drawn on top
    WorkerStatus.SERVING: Look("#1b2a4a", PANEL, 0.8, SQUARE, WORKER_PX),
    WorkerStatus.IDLE: Look("#ffffff", INK, 1.3, TRIANGLE, WORKER_PX),
    WorkerStatus.PAUSED: Look(PURPLE, INK, 0.8, DIAMOND, WORKER_PX),
    WorkerStatus.DRIVING: Look(BLUE, PANEL, 0.8, ARROWHEAD, WORKER_PX),
}


def task_states(snapshot: PreferenceSnapshot) -> dict[str, BoolArray]:
    """Which tasks are ``waiting``, ``declined`` but open, ``accepted``, ``closed``, ``expired``. Shape [T] each."""
    is_open, declined = snapshot.task_status == TaskStatus.OPEN, snapshot.declines > 0
    return {
        "waiting": is_open & ~declined,
        "declined": is_open & declined,
        "accepted": snapshot.task_status == TaskStatus.ACCEPTED,
        "closed": snapshot.task_status == TaskStatus.CLOSED,
        "expired": snapshot.task_status == TaskStatus.EXPIRED,
    }


class PreferenceRenderer:
    """The canvas on which one city is drawn in one view; see `crowdgym.envs.preference.viewer.PreferenceViewer`."""

    def __init__(
        self,
        network: RoadNetwork,
        streets: Streets,
        view: MapView,
        *,
        inset: Box | None,
        enlarged: float,
        title: str,
    ) -> None:
        """Lay out the canvas.

        Args:
            network: the city.
            streets: its streets.
            view: where places are.
            inset: where a map of the whole city is, if the view does not show all of it.
            enlarged: how much larger than usual workers and tasks are.
            title: the heading.
        """
        self._view = view
        self._enlarged = enlarged
        self._node_px = view.pixels(network.x_m, network.y_m)  # [N, 2]
        self._canvas = canvas = Canvas(SIZE_PX, SIZE_PX)
        draw_streets(canvas, network, streets, view, GROUND_BOX)
        draw_scale_bar(canvas, view, 24, GROUND_BOX.bottom + 13)
        self._ways = canvas.add_moving(Lines(BLUE, 1.0, opacity=0.45, clip=GROUND_BOX))
        self._ended = {
            state: canvas.add_moving(Lines(look.edge, look.edge_px, clip=GROUND_BOX))
            for state, look in ENDED_TASKS.items()
        }
        self._open = {
            state: canvas.add_moving(Discs(look.face, look.edge, look.edge_px, clip=GROUND_BOX))
            for state, look in OPEN_TASKS.items()
        }
        self._workers = {
            status: canvas.add_moving(Shapes(look.face, look.edge, look.edge_px, clip=GROUND_BOX))
            for status, look in WORKERS.items()
        }
        self._inset = (
            None if inset is None else _PreferenceInset(Inset(canvas, network, streets, view, GROUND_BOX, inset))
        )
        size = f"{network.num_nodes:,} nodes, {network.num_edges:,} streets"
        self._panel = StatusPanel(canvas, PANEL_BOX, title, size, FIGURES)
        self._legend = _Legend(canvas)

    def draw(self, snapshot: PreferenceSnapshot) -> Frame:
        """Draw one moment. Shape [1000, 1000, 3]."""
        tasks, metrics = task_states(snapshot), snapshot.metrics
        counts = (metrics.accepted, metrics.declined, metrics.closed, metrics.expired)
        self._panel.show([clock(snapshot.time_s), *(f"{count:,}" for count in counts)])
        self._legend.show(snapshot, tasks)
        self._place_tasks(snapshot, tasks)
        self._place_workers(snapshot)
        if self._inset is not None:
            self._inset.show(snapshot)
        return self._canvas.frame()

    def _place_tasks(self, snapshot: PreferenceSnapshot, tasks: dict[str, BoolArray]) -> None:
        centres_px = self._view.pixels(snapshot.task_x_m, snapshot.task_y_m)
        for state, discs in self._open.items():
            chosen = np.flatnonzero(tasks[state])
            radius_px = TASK_PX * self._enlarged + OPEN_TASKS[state].rim_px
            discs.place(centres_px[chosen], np.full(len(chosen), radius_px))
        age_s = snapshot.time_s - snapshot.end_s  # NaN where it has not ended
        for state, marks in self._ended.items():
            chosen = np.flatnonzero(tasks[state] & (age_s < ENDED_SHOWN_S))
            look = ENDED_TASKS[state]
            fresh = 1.0 - age_s[chosen] / ENDED_SHOWN_S
            marks.place(stamped(look.outline, centres_px[chosen], look.size_px * self._enlarged), fresh)

    def _place_workers(self, snapshot: PreferenceSnapshot) -> None:
        status = snapshot.worker_status
        places_m = np.stack([snapshot.worker_x_m, snapshot.worker_y_m], axis=1)  # [W, 2]
        places_px = self._view.pixels(snapshot.worker_x_m, snapshot.worker_y_m)
        goals_px = self._node_px[snapshot.worker_goal]
        self._ways.place(np.stack([places_px, goals_px], axis=1)[status == WorkerStatus.DRIVING])
        for kind, shapes in self._workers.items():
            chosen, look = status == kind, WORKERS[kind]
            aside_px = apart_px(places_m[chosen], SPREAD_PX * self._enlarged)
            ahead_px = (goals_px - places_px)[chosen] if kind == WorkerStatus.DRIVING else None
            outlines_px = stamped(look.outline, places_px[chosen] + aside_px, look.size_px * self._enlarged, ahead_px)
            shapes.place(outlines_px)


class _PreferenceInset:
    """The whole city, with a dot for every open task and every worker."""

    def __init__(self, inset: Inset) -> None:
        self._inset = inset
        self._workers = self._inset.dots(BLUE)
        self._tasks = self._inset.dots(VERMILION)

    def show(self, snapshot: PreferenceSnapshot) -> None:
        is_open = snapshot.task_status == TaskStatus.OPEN
        self._inset.place(self._workers, snapshot.worker_x_m, snapshot.worker_y_m)
        self._inset.place(self._tasks, snapshot.task_x_m[is_open], snapshot.task_y_m[is_open])


class _Legend:
    """A strip along the bottom of the canvas: every kind of task and worker, and how many there are."""

    def __init__(self, canvas: Canvas) -> None:
        box = LEGEND_BOX
        canvas.add_fixed(Rectangle(box, PANEL))
        canvas.add_fixed(Rectangle(Box(box.left, box.top, box.right, box.top + 1), RULE))
        self._counts: dict[str, Text] = {}
        workers = {status.name.lower(): WORKERS[status] for status in sorted(WORKERS)}
        for heading, looks, baseline_px in (("Tasks", OPEN_TASKS | ENDED_TASKS, 58.0), ("Workers", workers, 24.0)):
            canvas.add_fixed(Text(24, baseline_px, heading, bold=True))
            for column, (name, look) in enumerate(looks.items()):
                left_px = LEGEND_LEFT_PX + LEGEND_COLUMN_PX * column
                canvas.add_fixed(sample(look, left_px, baseline_px + 5, 7.0))
                canvas.add_fixed(Text(left_px + 16, baseline_px, name))
                self._counts[name] = canvas.add_moving(Text(left_px + 130, baseline_px, bold=True, anchor="right"))

    def show(self, snapshot: PreferenceSnapshot, tasks: dict[str, BoolArray]) -> None:
        counts = {name: int(flags.sum()) for name, flags in tasks.items()}
        counts |= {status.name.lower(): int((snapshot.worker_status == status).sum()) for status in WorkerStatus}
        for name, text in self._counts.items():
            text.write(f"{counts[name]:,}")
