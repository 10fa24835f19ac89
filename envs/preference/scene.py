"""What pictures and players show of `preference_v0`: its marks, one moment, and a whole episode."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.preference.kernel.state import Outcome, TaskStatus, WorkerStatus
from crowdgym.envs.preference.snapshot import PreferenceSnapshot
from crowdgym.envs.rendering.canvas import FAINT_INK, INK, PANEL
from crowdgym.envs.rendering.markers import (
    ARROWHEAD,
    BLUE,
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
    NO_SITE,
    Moment,
    Picture,
    Words,
    marks_of,
    mover_states,
    seen_after,
    states_of,
)
from crowdgym.envs.rendering.scene import Episode, Event, Scene, Table, scene_on_roads

DISC = 0.19  # the share of the largest disc's area that a task has

TASKS = {
    "open": Look(VERMILION, PANEL, 1.2),
    "declined": Look(PANEL, ORANGE, 3.2),
    "accepted": Look("none", GREEN, 2.6, TICK, MARK_PX),
    "closed": Look("none", PURPLE, 2.4, np.vstack([SQUARE, SQUARE[:1]]), MARK_PX),
    "expired": Look("none", FAINT_INK, 2.4, CROSS, MARK_PX),
}
TASK_WORDS = {
    "open": Words("open", "No worker has declined it, and none has accepted it."),
    "declined": Words("declined", "A worker has declined it; another may still be offered it."),
    "accepted": Words("accepted", "A worker has accepted it."),
    "closed": Words("closed", "It has been declined too often."),
    "expired": Words("expired", "No worker accepted it in time."),
}
WORKERS = {  # the last is drawn on top
    WorkerStatus.SERVING: Look(NAVY, PANEL, 0.8, SQUARE, WORKER_PX),
    WorkerStatus.IDLE: Look("#ffffff", INK, 1.3, TRIANGLE, WORKER_PX),
    WorkerStatus.PAUSED: Look(PURPLE, INK, 0.8, DIAMOND, WORKER_PX),
    WorkerStatus.DRIVING: Look(BLUE, PANEL, 0.8, ARROWHEAD, WORKER_PX),
}
WORKER_WORDS = {
    WorkerStatus.SERVING: Words("serving", "Serves a task."),
    WorkerStatus.IDLE: Words("idle", "May be offered a task."),
    WorkerStatus.PAUSED: Words("paused", "Has declined an offer and takes none for a while."),
    WorkerStatus.DRIVING: Words("driving", "Drives to a task that it has accepted.", "way"),
}
PICTURE = Picture(
    mover_word="worker",
    site_word="task",
    mover_marks=marks_of(WORKER_WORDS, WORKERS),
    site_marks=marks_of(TASK_WORDS, TASKS),
    figures=(("time", 100.0), ("accepted", 110.0), ("declined", 110.0), ("closed", 90.0), ("expired", 90.0)),
)
ENDINGS = {
    TaskStatus.CLOSED: "{site} is closed: it was declined too often",
    TaskStatus.EXPIRED: "{site} expires",
}


def task_states(snapshot: PreferenceSnapshot) -> dict[str, NDArray[np.bool_]]:
    """Which tasks are in each state of `TASKS`; one that was declined may still be open. Shape [T] each."""
    is_open, declined = snapshot.task_status == TaskStatus.OPEN, snapshot.declines > 0
    return {
        "open": is_open & ~declined,
        "declined": is_open & declined,
        "accepted": snapshot.task_status == TaskStatus.ACCEPTED,
        "closed": snapshot.task_status == TaskStatus.CLOSED,
        "expired": snapshot.task_status == TaskStatus.EXPIRED,
    }


def moment(snapshot: PreferenceSnapshot) -> Moment:
    """What a picture of a snapshot shows."""
    metrics = snapshot.metrics
    return Moment(
        time_s=snapshot.time_s,
        figures=tuple(f"{n:,}" for n in (metrics.accepted, metrics.declined, metrics.closed, metrics.expired)),
        mover_state=mover_states(snapshot.worker_status, WORKERS),
        mover_x_m=snapshot.worker_x_m,
        mover_y_m=snapshot.worker_y_m,
        mover_goal=snapshot.worker_goal.astype(np.int64),
        mover_site=snapshot.worker_task.astype(np.int64),
        site_state=states_of(task_states(snapshot)),
        site_size=np.full(len(snapshot.task_status), DISC),
        site_x_m=snapshot.task_x_m,
        site_y_m=snapshot.task_y_m,
        site_seen=seen_after(snapshot.time_s, snapshot.end_s),
    )


def scene(env: Any, snapshots: Sequence[PreferenceSnapshot]) -> Scene:
    """The scene of an episode.

    Args:
        env: the parallel environment that played it.
        snapshots: one after ``reset`` and one after every step.
    """
    episode = Episode(
        metrics=("accepted", "declined", "closed", "expired"),
        events=_events(env, snapshots),
        site_end_s=snapshots[-1].end_s,
        curves=("accepted", "declined"),
        table=_by_centre(snapshots),
    )
    return scene_on_roads(env, snapshots, PICTURE, moment, episode)


def _by_centre(snapshots: Sequence[PreferenceSnapshot]) -> Table:
    """How many offers the workers of each centre have got so far, and what they answered."""
    centre = snapshots[0].centre
    centres = int(centre.max(initial=-1)) + 1
    accepted, declined = (
        np.array([np.bincount(centre[of.outcome == outcome], minlength=centres) for of in snapshots]).cumsum(axis=0)
        for outcome in (Outcome.ACCEPTED, Outcome.DECLINED)
    )
    counts = np.stack([accepted + declined, accepted, declined], axis=2)
    names = tuple(f"centre {number}" for number in range(centres))
    return Table("Workers of each centre", names, ("offers", "accepted", "declined"), counts)


def _events(env: Any, snapshots: Sequence[PreferenceSnapshot]) -> list[Event]:
    """What happened to workers and tasks."""
    last, centre = snapshots[-1], snapshots[0].centre
    events = [
        Event(float(created_s), NO_MOVER, task, f"{{site}} is created, category {last.task_category[task]}")
        for task, created_s in enumerate(env.instance.created_s)
    ]
    for before, now in pairwise(snapshots):
        for worker in np.flatnonzero(now.outcome == Outcome.ACCEPTED).tolist():
            text = f"{{mover}} of centre {centre[worker]} accepts {{site}}"
            events.append(Event(before.time_s, worker, int(now.worker_task[worker]), text))
        events += [
            Event(before.time_s, worker, NO_SITE, f"{{mover}} of centre {centre[worker]} declines an offer")
            for worker in np.flatnonzero(now.outcome == Outcome.DECLINED).tolist()
        ]
        arrives = (now.arrive_s > before.time_s) & (now.arrive_s <= now.time_s) & (now.worker_task >= 0)
        for worker in np.flatnonzero(arrives).tolist():
            task = int(now.worker_task[worker])
            events.append(Event(float(now.arrive_s[worker]), worker, task, "{mover} arrives at {site}"))
    for task, status in enumerate(last.task_status.tolist()):
        if status in ENDINGS:
            events.append(Event(float(last.end_s[task]), NO_MOVER, task, ENDINGS[TaskStatus(status)]))
    return events
