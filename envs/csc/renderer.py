"""What a picture of CSC is made of: how everything looks, and where it goes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.csc.kernel.state import TaskStatus, WorkerStatus
from crowdgym.envs.csc.snapshot import CscSnapshot
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
from crowdgym.envs.rendering.map import Inset, MapView, StatusPanel, clock, draw_scale_bar, draw_streets, rank_in_group
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
    polar,
    sample,
)
from crowdgym.envs.rendering.street_traffic import Streets

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

FIGURES = (("time", 100.0), ("revenue", 140.0), ("completed", 110.0), ("expired", 90.0), ("open", 80.0))
LEGEND_LEFT_PX, LEGEND_COLUMN_PX = 112.0, 154.0
SIZES_SHOWN = {"10 min": 600.0, "1 h": 3600.0}  # of work, in the legend

RADIUS_PX = 15.0  # of a task with ``largest_work_s`` left; areas are in proportion
SMALLEST_RADIUS_PX = 4.5
ENDED_SHOWN_S = 600.0  # a task that has ended fades out over this long
MARK_PX = 5.5  # half the size of a tick or cross
WORKER_PX = 5.5  # half the size of a worker
CREW_PX = 3.0  # half the size of a worker at its task
CREW_GAP_PX = 4.5  # from the rim of a task to the middle of the workers around it
CREW_STEP_PX = 7.0  # from worker to worker around a task
# How far workers of one status at one and the same place are moved apart; those on one way stay close together.
SPREAD_PX = {WorkerStatus.IDLE: 6.0, WorkerStatus.RELEASED: 6.0, WorkerStatus.TRAVELLING: 3.5}


OPEN_TASKS = {
    "waiting": Look(VERMILION, PANEL, 1.2),
    "awaited": Look(PANEL, ORANGE, 3.2),
    "in progress": Look(GREEN, PANEL, 1.2),
}
ENDED_TASKS = {
    "finished": Look("none", GREEN, 2.6, TICK, MARK_PX),
    "expired": Look("none", FAINT_INK, 2.4, CROSS, MARK_PX),
}
WORKERS = {  # the last is drawn on top
    WorkerStatus.WORKING: Look("#1b2a4a", PANEL, 0.8, SQUARE, CREW_PX),
    WorkerStatus.IDLE: Look("#ffffff", INK, 1.3, TRIANGLE, WORKER_PX),
    WorkerStatus.RELEASED: Look(PURPLE, INK, 0.8, DIAMOND, WORKER_PX),
    WorkerStatus.TRAVELLING: Look(BLUE, PANEL, 0.8, ARROWHEAD, WORKER_PX),
}


def task_states(snapshot: CscSnapshot) -> dict[str, BoolArray]:
    """Which tasks are ``waiting``, ``awaited``, ``in progress``, ``finished`` and ``expired``. Shape [T] each."""
    is_open = snapshot.task_status == TaskStatus.OPEN
    present, en_route = snapshot.workers_present > 0, snapshot.workers_en_route > 0
    return {
        "waiting": is_open & ~present & ~en_route,
        "awaited": is_open & ~present & en_route,
        "in progress": is_open & present,
        "finished": snapshot.task_status == TaskStatus.FINISHED,
        "expired": snapshot.task_status == TaskStatus.EXPIRED,
    }


class CscRenderer:
    """The canvas on which one city is drawn in one view; see `crowdgym.envs.csc.viewer.CscViewer`."""

    def __init__(
        self,
        network: RoadNetwork,
        streets: Streets,
        view: MapView,
        *,
        inset: Box | None,
        enlarged: float,
        title: str,
        largest_work_s: float,
    ) -> None:
        """Lay out the canvas.

        Args:
            network: the city.
            streets: its streets.
            view: where places are.
            inset: where a map of the whole city is, if the view does not show all of it.
            enlarged: how much larger than usual workers and tasks are.
            title: the heading.
            largest_work_s: worker-seconds that fill the largest disc.
        """
        self._view = view
        self._enlarged = enlarged
        self._largest_work_s = largest_work_s
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
        self._inset = None if inset is None else _CscInset(Inset(canvas, network, streets, view, GROUND_BOX, inset))
        size = f"{network.num_nodes:,} nodes, {network.num_edges:,} streets"
        self._panel = StatusPanel(canvas, PANEL_BOX, title, size, FIGURES)
        self._legend = _Legend(canvas, self._radii_px)

    def draw(self, snapshot: CscSnapshot) -> Frame:
        """Draw one moment. Shape [1000, 1000, 3]."""
        tasks = task_states(snapshot)
        metrics = snapshot.metrics
        counts = (metrics.completed, metrics.expired, int(np.sum(snapshot.task_status == TaskStatus.OPEN)))
        self._panel.show([clock(snapshot.time_s), f"{metrics.revenue:,.0f}", *(f"{count:,}" for count in counts)])
        self._legend.show(snapshot, tasks)
        self._place_tasks(snapshot, tasks)
        self._place_workers(snapshot)
        if self._inset is not None:
            self._inset.show(snapshot)
        return self._canvas.frame()

    def _radii_px(self, work_left_s: FloatArray) -> FloatArray:
        """Radii of tasks, by the work left. Shape as given."""
        share = np.minimum(work_left_s / self._largest_work_s, 1.0)
        return np.maximum(RADIUS_PX * np.sqrt(share), SMALLEST_RADIUS_PX) * self._enlarged

    def _place_tasks(self, snapshot: CscSnapshot, tasks: dict[str, BoolArray]) -> None:
        centres_px = self._view.pixels(snapshot.task_x_m, snapshot.task_y_m)
        radii_px = self._radii_px(snapshot.work_left_s)
        for state, discs in self._open.items():
            chosen = np.flatnonzero(tasks[state])
            large_first = chosen[np.argsort(-radii_px[chosen], kind="stable")]
            discs.place(centres_px[large_first], radii_px[large_first] + OPEN_TASKS[state].rim_px)
        age_s = snapshot.time_s - snapshot.end_s  # NaN where it has not ended
        for state, marks in self._ended.items():
            chosen = np.flatnonzero(tasks[state] & (age_s < ENDED_SHOWN_S))
            look = ENDED_TASKS[state]
            fresh = 1.0 - age_s[chosen] / ENDED_SHOWN_S
            marks.place(stamped(look.outline, centres_px[chosen], look.size_px * self._enlarged), fresh)

    def _place_workers(self, snapshot: CscSnapshot) -> None:
        status = snapshot.worker_status
        places_m = np.stack([snapshot.worker_x_m, snapshot.worker_y_m], axis=1)  # [W, 2]
        places_px = self._view.pixels(snapshot.worker_x_m, snapshot.worker_y_m)
        goals_px = self._node_px[snapshot.worker_goal]
        self._ways.place(np.stack([places_px, goals_px], axis=1)[status == WorkerStatus.TRAVELLING])
        for kind, shapes in self._workers.items():
            chosen, look = status == kind, WORKERS[kind]
            if kind == WorkerStatus.WORKING:
                radii_px = self._radii_px(snapshot.work_left_s)
                aside_px = _around_px(snapshot.worker_task[chosen], radii_px, self._enlarged)
            else:
                aside_px = apart_px(places_m[chosen], SPREAD_PX[kind] * self._enlarged)
            ahead_px = (goals_px - places_px)[chosen] if kind == WorkerStatus.TRAVELLING else None
            outlines_px = stamped(look.outline, places_px[chosen] + aside_px, look.size_px * self._enlarged, ahead_px)
            shapes.place(outlines_px)


def _around_px(task: NDArray[np.int32], radii_px: FloatArray, enlarged: float) -> FloatArray:
    """Where the workers of a task stand around the middle of its disc: side by side above it, in rings.

    ``task``: of each worker, shape [n]; ``radii_px``: of each task's disc, shape [T]. Returns shape [n, 2].
    """
    step_px = CREW_STEP_PX * enlarged
    radius_px = radii_px[task] + CREW_GAP_PX * enlarged
    rank, ring = rank_in_group(task), np.zeros(len(task), np.intp)
    while True:
        room = (2 * np.pi * radius_px / step_px).astype(np.intp)  # in the ring
        beyond = rank >= room
        if not beyond.any():
            break
        rank[beyond] -= room[beyond]
        ring[beyond] += 1
        radius_px[beyond] += step_px
    _, group, size = np.unique(np.stack([task, ring]), axis=1, return_inverse=True, return_counts=True)
    angle = np.pi / 2 - (rank - (size[group] - 1) / 2) * step_px / radius_px
    return polar(radius_px, angle)


class _CscInset:
    """The whole city, with a dot for every open task and every worker."""

    def __init__(self, inset: Inset) -> None:
        self._inset = inset
        self._workers = self._inset.dots(BLUE)
        self._tasks = self._inset.dots(VERMILION)

    def show(self, snapshot: CscSnapshot) -> None:
        is_open = snapshot.task_status == TaskStatus.OPEN
        self._inset.place(self._workers, snapshot.worker_x_m, snapshot.worker_y_m)
        self._inset.place(self._tasks, snapshot.task_x_m[is_open], snapshot.task_y_m[is_open])


class _Legend:
    """A strip along the bottom of the canvas: every kind of task and worker, and how many there are."""

    def __init__(self, canvas: Canvas, radii_px: Callable[[FloatArray], FloatArray]) -> None:
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
        self._fix_sizes(canvas, radii_px)

    def _fix_sizes(self, canvas: Canvas, radii_px: Callable[[FloatArray], FloatArray]) -> None:
        """What the size of a disc stands for."""
        left_px = LEGEND_LEFT_PX + LEGEND_COLUMN_PX * len(WORKERS) - 6
        canvas.add_fixed(Text(left_px, 24, "work left", colour=FAINT_INK))
        for place_px, (name, work_s) in zip((86.0, 174.0), SIZES_SHOWN.items(), strict=True):
            centre_px, radius_px = np.array([[left_px + place_px, 29.0]]), radii_px(np.array([work_s]))
            canvas.add_fixed(Discs("none", FAINT_INK, 1.3).place(centre_px, radius_px))
            canvas.add_fixed(Text(left_px + place_px + radius_px[0] + 6, 24, name, colour=FAINT_INK))

    def show(self, snapshot: CscSnapshot, tasks: dict[str, BoolArray]) -> None:
        for state, chosen in tasks.items():
            self._counts[state].write(f"{int(chosen.sum()):,}")
        for status in WORKERS:
            self._counts[status.name.lower()].write(f"{int(np.sum(snapshot.worker_status == status)):,}")
