"""An episode of CSC for players outside Python; see `crowdgym.envs.rendering.scene`."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from crowdgym.envs.csc.kernel.state import WorkerStatus
from crowdgym.envs.csc.renderer import ENDED_TASKS, OPEN_TASKS, WORKERS, task_states
from crowdgym.envs.csc.snapshot import CscSnapshot
from crowdgym.envs.rendering.scene import (
    NO_MOVER,
    Event,
    Scene,
    Sites,
    Words,
    marks_of,
    scene_on_roads,
    site_states,
)

LARGEST_WORK_S = 7200.0  # worker-seconds that fill the largest disc

WORKER_WORDS = {
    WorkerStatus.WORKING: Words("working", "Works at a task."),
    WorkerStatus.IDLE: Words("idle", "May take a task."),
    WorkerStatus.RELEASED: Words("freed", "Its task ended on its way; it drives on to the next crossing."),
    WorkerStatus.TRAVELLING: Words("driving", "Drives to a task."),
}
TASK_WORDS = {
    "waiting": Words("unclaimed", "No worker is on the way to it."),
    "awaited": Words("claimed", "Workers are on the way to it."),
    "in progress": Words("in progress", "Workers are at it."),
    "finished": Words("finished", "The work was done in time."),
    "expired": Words("expired", "The deadline passed before the work was done."),
}


def scene(env: Any, snapshots: Sequence[CscSnapshot]) -> Scene:
    """The scene of an episode.

    Args:
        env: the parallel environment that played it.
        snapshots: one after ``reset`` and one after every step.
    """
    first = snapshots[0]
    work_s = np.stack([snapshot.work_left_s for snapshot in snapshots])
    tasks = Sites(
        word="task",
        marks=marks_of(TASK_WORDS, OPEN_TASKS | ENDED_TASKS),
        state=np.stack([site_states(task_states(snapshot)) for snapshot in snapshots]),
        size=np.minimum(work_s / LARGEST_WORK_S, 1.0),
        x_m=first.task_x_m,
        y_m=first.task_y_m,
        of_worker=np.stack([snapshot.worker_task for snapshot in snapshots]).astype(np.int64),
    )
    figures = ("revenue", "completed", "expired")
    return scene_on_roads(env, snapshots, WORKER_WORDS, WORKERS, tasks, figures, _events(env, snapshots))


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
    last = snapshots[-1]
    for task in np.flatnonzero(~np.isnan(last.end_s)).tolist():
        ended = "{site} expires" if last.paid[task] == 0 else f"{{site}} is finished and pays {last.paid[task]:,.0f}"
        events.append(Event(float(last.end_s[task]), NO_MOVER, task, ended))
    return events
