"""An episode of `preference_v0` for players outside Python; see `crowdgym.envs.rendering.scene`."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from crowdgym.envs.preference.kernel.state import Outcome, TaskStatus, WorkerStatus
from crowdgym.envs.preference.renderer import ENDED_TASKS, OPEN_TASKS, WORKERS, task_states
from crowdgym.envs.preference.snapshot import PreferenceSnapshot
from crowdgym.envs.rendering.scene import (
    NO_MOVER,
    NO_SITE,
    Event,
    Scene,
    Sites,
    Words,
    marks_of,
    scene_on_roads,
    site_states,
)

DISC = 0.3  # the share of the largest disc's area that a task has

WORKER_WORDS = {
    WorkerStatus.SERVING: Words("serving", "Serves a task."),
    WorkerStatus.IDLE: Words("idle", "May be offered a task."),
    WorkerStatus.PAUSED: Words("paused", "Has declined an offer and takes none for a while."),
    WorkerStatus.DRIVING: Words("driving", "Drives to a task that it has accepted."),
}
TASK_WORDS = {
    "waiting": Words("open", "No worker has been offered it, or none has declined."),
    "declined": Words("declined", "A worker has declined it; another may still be offered it."),
    "accepted": Words("accepted", "A worker has accepted it."),
    "closed": Words("closed", "It has been declined too often."),
    "expired": Words("expired", "No worker accepted it in time."),
}
ENDINGS = {
    TaskStatus.CLOSED: "{site} is closed: it was declined too often",
    TaskStatus.EXPIRED: "{site} expires",
}


def scene(env: Any, snapshots: Sequence[PreferenceSnapshot]) -> Scene:
    """The scene of an episode.

    Args:
        env: the parallel environment that played it.
        snapshots: one after ``reset`` and one after every step.
    """
    first = snapshots[0]
    state = np.stack([site_states(task_states(snapshot)) for snapshot in snapshots])  # [K + 1, T]
    tasks = Sites(
        word="task",
        marks=marks_of(TASK_WORDS, OPEN_TASKS | ENDED_TASKS),
        state=state,
        size=np.full(state.shape, DISC),
        x_m=first.task_x_m,
        y_m=first.task_y_m,
        of_worker=np.stack([snapshot.worker_task for snapshot in snapshots]).astype(np.int64),
    )
    figures = ("accepted", "declined", "expired")
    return scene_on_roads(env, snapshots, WORKER_WORDS, WORKERS, tasks, figures, _events(env, snapshots))


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
