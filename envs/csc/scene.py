"""What pictures and players show of CSC: its marks, one moment, and a whole episode."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.csc.kernel.state import TaskStatus, WorkerStatus
from crowdgym.envs.csc.snapshot import CscSnapshot
from crowdgym.envs.rendering.canvas import FAINT_INK, INK, PANEL
from crowdgym.envs.rendering.markers import (
    ARROWHEAD,
    BLUE,
    CREW_PX,
    CROSS,
    DIAMOND,
    GREEN,
    MARK_PX,
    NAVY,
    ORANGE,
    PURPLE,
    SQUARE,
    TICK,
    TRIANGLE,
    VERMILION,
    WORKER_PX,
    Look,
)
from crowdgym.envs.rendering.picture import (
    NO_MOVER,
    Moment,
    Picture,
    Words,
    marks_of,
    mover_states,
    seen_after,
    states_of,
)
from crowdgym.envs.rendering.scene import Episode, Event, Scene, scene_on_roads

LARGEST_WORK_S = 7200.0  # worker-seconds that fill the largest disc

TASKS = {
    "unclaimed": Look(VERMILION, PANEL, 1.2),
    "claimed": Look(PANEL, ORANGE, 3.2),
    "in progress": Look(GREEN, PANEL, 1.2),
    "finished": Look("none", GREEN, 2.6, TICK, MARK_PX),
    "expired": Look("none", FAINT_INK, 2.4, CROSS, MARK_PX),
}
TASK_WORDS = {
    "unclaimed": Words("unclaimed", "No worker is on the way to it."),
    "claimed": Words("claimed", "Workers are on the way to it."),
    "in progress": Words("in progress", "Workers are at it."),
    "finished": Words("finished", "The work was done in time."),
    "expired": Words("expired", "The deadline passed before the work was done."),
}
WORKERS = {  # the last is drawn on top
    WorkerStatus.WORKING: Look(NAVY, PANEL, 0.8, SQUARE, CREW_PX),
    WorkerStatus.IDLE: Look("#ffffff", INK, 1.3, TRIANGLE, WORKER_PX),
    WorkerStatus.RELEASED: Look(PURPLE, INK, 0.8, DIAMOND, WORKER_PX),
    WorkerStatus.TRAVELLING: Look(BLUE, PANEL, 0.8, ARROWHEAD, WORKER_PX),
}
WORKER_WORDS = {
    WorkerStatus.WORKING: Words("working", "Works at a task.", "site"),
    WorkerStatus.IDLE: Words("idle", "May take a task."),
    WorkerStatus.RELEASED: Words("freed", "Its task ended on its way; it drives on to the next crossing."),
    WorkerStatus.TRAVELLING: Words("driving", "Drives to a task.", "way"),
}
PICTURE = Picture(
    mover_word="worker",
    site_word="task",
    mover_marks=marks_of(WORKER_WORDS, WORKERS),
    site_marks=marks_of(TASK_WORDS, TASKS),
    figures=(("time", 100.0), ("revenue", 140.0), ("completed", 110.0), ("expired", 90.0), ("open", 80.0)),
    sizes={"10 min of work": 600.0 / LARGEST_WORK_S, "1 h": 3600.0 / LARGEST_WORK_S},
)


def task_states(snapshot: CscSnapshot) -> dict[str, NDArray[np.bool_]]:
    """Which tasks are in each state of `TASKS`. Shape [T] each."""
    is_open = snapshot.task_status == TaskStatus.OPEN
    present, en_route = snapshot.workers_present > 0, snapshot.workers_en_route > 0
    return {
        "unclaimed": is_open & ~present & ~en_route,
        "claimed": is_open & ~present & en_route,
        "in progress": is_open & present,
        "finished": snapshot.task_status == TaskStatus.FINISHED,
        "expired": snapshot.task_status == TaskStatus.EXPIRED,
    }


def moment(snapshot: CscSnapshot) -> Moment:
    """What a picture of a snapshot shows."""
    metrics = snapshot.metrics
    counts = (metrics.completed, metrics.expired, int(np.sum(snapshot.task_status == TaskStatus.OPEN)))
    return Moment(
        time_s=snapshot.time_s,
        figures=(f"{metrics.revenue:,.0f}", *(f"{count:,}" for count in counts)),
        mover_state=mover_states(snapshot.worker_status, WORKERS),
        mover_x_m=snapshot.worker_x_m,
        mover_y_m=snapshot.worker_y_m,
        mover_goal=snapshot.worker_goal.astype(np.int64),
        mover_site=snapshot.worker_task.astype(np.int64),
        site_state=states_of(task_states(snapshot)),
        site_size=np.minimum(snapshot.work_left_s / LARGEST_WORK_S, 1.0),
        site_x_m=snapshot.task_x_m,
        site_y_m=snapshot.task_y_m,
        site_seen=seen_after(snapshot.time_s, snapshot.end_s),
    )


def scene(env: Any, snapshots: Sequence[CscSnapshot]) -> Scene:
    """The scene of an episode.

    Args:
        env: the parallel environment that played it.
        snapshots: one after ``reset`` and one after every step.
    """
    episode = Episode(("revenue", "completed", "expired"), _events(env, snapshots), snapshots[-1].end_s)
    return scene_on_roads(env, snapshots, PICTURE, moment, episode)


def _events(env: Any, snapshots: Sequence[CscSnapshot]) -> list[Event]:
    """What happened to workers and tasks."""
    instance = env.instance
    events: list[Event] = []
    for task, created_s in enumerate(instance.created_s.tolist()):
        worth = f"{instance.payment[task]:,.0f} for {instance.workload_s[task] / 60:.0f} minutes of work"
        events.append(Event(created_s, NO_MOVER, task, f"{{site}} is created: {worth}"))
    for before, now in pairwise(snapshots):
        sets_out = (now.depart_s != before.depart_s) & ~np.isnan(now.depart_s)
        arrives = (now.arrive_s > before.time_s) & (now.arrive_s <= now.time_s)
        for happened, when_s, text in (
            (sets_out, now.depart_s, "{mover} sets out for {site}"),
            (arrives, now.arrive_s, "{mover} arrives at {site}"),
        ):
            events += [
                Event(float(when_s[worker]), worker, int(now.worker_task[worker]), text)
                for worker in np.flatnonzero(happened & (now.worker_task >= 0)).tolist()
            ]
        events += _partings(before, now)
    last = snapshots[-1]
    for task in np.flatnonzero(~np.isnan(last.end_s)).tolist():
        ended = "{site} expires" if last.paid[task] == 0 else f"{{site}} is finished and pays {last.paid[task]:,.0f}"
        events.append(Event(float(last.end_s[task]), NO_MOVER, task, ended))
    return events


def _partings(before: CscSnapshot, now: CscSnapshot) -> list[Event]:
    """Which workers left their task between two epochs because it ended, and who arrived just before."""
    events: list[Event] = []
    for worker in np.flatnonzero((before.worker_task >= 0) & (now.worker_task != before.worker_task)).tolist():
        task, arrive_s = int(before.worker_task[worker]), float(before.arrive_s[worker])
        end_s = float(now.end_s[task])
        if arrive_s <= end_s:
            if arrive_s > before.time_s:
                events.append(Event(arrive_s, worker, task, "{mover} arrives at {site}"))
            events.append(Event(end_s, worker, task, "{mover} has done its work at {site}"))
        else:
            events.append(Event(end_s, worker, task, "{mover} is freed on its way: {site} has ended"))
    return events
