"""What pictures and players show of DASC: its marks, one moment, and a whole episode."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.dasc.kernel.state import SubtaskStatus, TaskStatus, WorkerStatus
from crowdgym.envs.dasc.snapshot import DascSnapshot
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
    HIDDEN,
    NO_MOVER,
    Mark,
    Moment,
    Picture,
    Words,
    marks_of,
    mover_states,
    seen_after,
    states_of,
)
from crowdgym.envs.rendering.scene import Episode, Event, Scene, Spans, scene_on_roads

DISC = 0.09  # the share of the largest disc's area that a subtask has

SUBTASKS = {
    "unclaimed": Look(VERMILION, PANEL, 1.0),
    "claimed": Look(PANEL, ORANGE, 2.8),
    "in progress": Look(GREEN, PANEL, 1.0),
    "finished": Look("none", GREEN, 2.4, TICK, MARK_PX - 1.0),
    "failed": Look("none", FAINT_INK, 2.2, CROSS, MARK_PX - 1.0),
}
SUBTASK_WORDS = {
    "unclaimed": Words("unclaimed", "No worker is matched with it."),
    "claimed": Words("claimed", "Its worker is on the way, or waits."),
    "in progress": Words("in progress", "Its worker is at work."),
    "finished": Words("finished", "The work is done."),
    "failed": Words("failed", "Its task expired before the work was done."),
}
WORKERS = {  # the last is drawn on top
    WorkerStatus.WORKING: Look(NAVY, PANEL, 0.8, SQUARE, CREW_PX),
    WorkerStatus.WAITING: Look(ORANGE, INK, 0.8, SQUARE, CREW_PX),
    WorkerStatus.IDLE: Look("#ffffff", INK, 1.3, TRIANGLE, WORKER_PX),
    WorkerStatus.RELEASED: Look(PURPLE, INK, 0.8, DIAMOND, WORKER_PX),
    WorkerStatus.TRAVELLING: Look(BLUE, PANEL, 0.8, ARROWHEAD, WORKER_PX),
}
WORKER_WORDS = {
    WorkerStatus.WORKING: Words("working", "Works at a subtask.", "site"),
    WorkerStatus.WAITING: Words("waiting", "Is at its subtask, and waits for the subtasks before it.", "site"),
    WorkerStatus.IDLE: Words("idle", "May get a subtask."),
    WorkerStatus.RELEASED: Words("freed", "Its task expired on its way; it drives on to the next crossing."),
    WorkerStatus.TRAVELLING: Words("driving", "Drives to a subtask.", "way"),
}
ARROWS = (
    Mark("must come first", "The next subtask waits for this one.", Look("none", INK, 1.3)),
    Mark("done", "What the next subtask waited for is finished.", Look("none", GREEN, 1.3)),
)
PICTURE = Picture(
    mover_word="worker",
    site_word="subtask",
    mover_marks=marks_of(WORKER_WORDS, WORKERS),
    site_marks=marks_of(SUBTASK_WORDS, SUBTASKS),
    link_marks=ARROWS,
    group_word="task",
    figures=(("time", 100.0), ("revenue", 120.0), ("completed", 110.0), ("expired", 90.0), ("open", 80.0)),
    usual_marks=400,
)


def subtask_states(snapshot: DascSnapshot) -> dict[str, NDArray[np.bool_]]:
    """Which subtasks are in each state of `SUBTASKS`. Shape [S] each."""
    status = snapshot.subtask_status
    assigned, under_way = status == SubtaskStatus.ASSIGNED, snapshot.start_s > snapshot.time_s
    return {
        "unclaimed": status == SubtaskStatus.UNASSIGNED,
        "claimed": assigned & under_way,
        "in progress": assigned & ~under_way,
        "finished": status == SubtaskStatus.FINISHED,
        "failed": status == SubtaskStatus.FAILED,
    }


def moment(snapshot: DascSnapshot) -> Moment:
    """What a picture of a snapshot shows."""
    metrics, task = snapshot.metrics, snapshot.subtask_task
    counts = (metrics.completed, metrics.expired, int(np.sum(snapshot.task_status == TaskStatus.OPEN)))
    is_open = (snapshot.task_status == TaskStatus.OPEN)[task] & (task >= 0)
    finished = snapshot.subtask_status == SubtaskStatus.FINISHED
    before, after = snapshot.arrows.T.astype(np.int64)
    return Moment(
        time_s=snapshot.time_s,
        figures=(f"{metrics.revenue:,.0f}", *(f"{count:,}" for count in counts)),
        mover_state=mover_states(snapshot.worker_status, WORKERS),
        mover_x_m=snapshot.worker_x_m,
        mover_y_m=snapshot.worker_y_m,
        mover_goal=snapshot.worker_goal.astype(np.int64),
        mover_site=snapshot.worker_subtask.astype(np.int64),
        site_state=states_of(subtask_states(snapshot)),
        site_size=np.full(len(task), DISC),
        site_x_m=np.where(task >= 0, snapshot.subtask_x_m, np.nan),
        site_y_m=np.where(task >= 0, snapshot.subtask_y_m, np.nan),
        site_seen=seen_after(snapshot.time_s, _end_s(snapshot)),
        links=np.stack([before, after], axis=1),
        link_state=np.where(is_open[after], finished[before], HIDDEN).astype(np.uint8),
        link_is_critical=critical_links(snapshot),
        site_group=np.where(is_open, task, -1).astype(np.int64),
    )


def critical_links(snapshot: DascSnapshot) -> NDArray[np.bool_]:
    """Which precedences lie on a longest chain of work of their task. Shape [E]."""
    duration_s, arrows = snapshot.duration_s, snapshot.arrows.tolist()
    until_s, from_s = duration_s.copy(), duration_s.copy()  # the longest chain that ends, or begins, with each subtask
    for before, after in sorted(arrows, key=lambda arrow: arrow[1]):  # a predecessor has a smaller number
        until_s[after] = max(until_s[after], until_s[before] + duration_s[after])
    for before, after in sorted(arrows, key=lambda arrow: -arrow[0]):
        from_s[before] = max(from_s[before], duration_s[before] + from_s[after])
    longest_s = np.zeros(int(snapshot.subtask_task.max(initial=-1)) + 2)
    np.maximum.at(longest_s, snapshot.subtask_task, until_s)
    before, after = snapshot.arrows.T
    critical: NDArray[np.bool_] = np.isclose(until_s[before] + from_s[after], longest_s[snapshot.subtask_task[after]])
    return critical


def _end_s(snapshot: DascSnapshot) -> NDArray[np.float64]:
    """When the task of each subtask ended, NaN before. Shape [S]."""
    return np.where(snapshot.subtask_task >= 0, snapshot.end_s[snapshot.subtask_task], np.nan)


def scene(env: Any, snapshots: Sequence[DascSnapshot]) -> Scene:
    """The scene of an episode.

    Args:
        env: the parallel environment that played it.
        snapshots: one after ``reset`` and one after every step.
    """
    episode = Episode(
        metrics=("revenue", "completed", "expired"),
        events=_events(env, snapshots),
        site_end_s=_end_s(snapshots[-1]),
        site_group=snapshots[0].subtask_task.astype(np.int64),
        spans=_spans(env, snapshots),
    )
    return scene_on_roads(env, snapshots, PICTURE, moment, episode)


def _spans(env: Any, snapshots: Sequence[DascSnapshot]) -> Spans:
    """When the worker of each subtask set out, arrived, began and finished, and the times of each task."""
    last, instance = snapshots[-1], env.instance
    claimed_s = np.full(len(last.subtask_worker), np.nan)
    for before, now in pairwise(snapshots):
        claimed_s[now.subtask_worker != before.subtask_worker] = before.time_s
    bounds_s = np.stack([claimed_s, last.arrive_s, last.start_s, last.finish_s], axis=1)
    end_s = np.minimum(np.nan_to_num(_end_s(last), nan=last.time_s), last.time_s)[:, np.newaxis]
    bounds_s[np.isnan(claimed_s)] = np.nan
    return Spans(
        names=("driving", "waiting", "working"),
        colours=(BLUE, ORANGE, NAVY),
        bounds_s=np.minimum(bounds_s, end_s),  # what an expiry cuts off
        group_names=("created", "expected", "deadline"),
        group_s=np.stack([instance.created_s, instance.expected_s, instance.deadline_s], axis=1),
    )


def _events(env: Any, snapshots: Sequence[DascSnapshot]) -> list[Event]:
    """What happened to workers and subtasks."""
    first, last, instance = snapshots[0], snapshots[-1], env.instance
    events: list[Event] = []
    for subtask, task in enumerate(first.subtask_task.tolist()):
        if task >= 0:
            events.append(Event(float(instance.created_s[task]), NO_MOVER, subtask, f"{{site}} of task {task} appears"))
    for before, now in pairwise(snapshots):
        for subtask in np.flatnonzero(now.subtask_worker != before.subtask_worker).tolist():
            worker = int(now.subtask_worker[subtask])
            events.append(Event(before.time_s, worker, subtask, "{mover} sets out for {site}"))
    for subtask, worker in enumerate(last.subtask_worker.tolist()):
        if worker >= 0 and last.subtask_status[subtask] in (SubtaskStatus.FINISHED, SubtaskStatus.ASSIGNED):
            for when_s, text in (
                (last.arrive_s[subtask], "{mover} arrives at {site}"),
                (last.start_s[subtask], "{mover} begins {site}"),
                (last.finish_s[subtask], "{mover} finishes {site}"),
            ):
                if when_s <= last.time_s:
                    events.append(Event(float(when_s), worker, subtask, text))
        elif last.subtask_status[subtask] == SubtaskStatus.FAILED:
            end_s = float(last.end_s[first.subtask_task[subtask]])
            events.append(Event(end_s, worker, subtask, "{site} fails: its task expires"))
    return events
