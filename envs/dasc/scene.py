"""An episode of DASC for players outside Python; see `crowdgym.envs.rendering.scene`."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from crowdgym.envs.dasc.kernel.state import SubtaskStatus, WorkerStatus
from crowdgym.envs.dasc.renderer import DISCS, MARKS, WORKERS, subtask_states
from crowdgym.envs.dasc.snapshot import DascSnapshot
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

DISC = 0.25  # the share of the largest disc's area that a subtask has

WORKER_WORDS = {
    WorkerStatus.WORKING: Words("working", "Works at a subtask."),
    WorkerStatus.WAITING: Words("waiting", "Is at its subtask, and waits for the subtasks before it."),
    WorkerStatus.IDLE: Words("idle", "May get a subtask."),
    WorkerStatus.RELEASED: Words("freed", "Its task expired on its way; it drives on to the next crossing."),
    WorkerStatus.TRAVELLING: Words("driving", "Drives to a subtask."),
}
SUBTASK_WORDS = {
    "unassigned": Words("unclaimed", "No worker is matched with it."),
    "assigned": Words("claimed", "Its worker is on the way, or waits."),
    "in progress": Words("in progress", "Its worker is at work."),
    "finished": Words("finished", "The work is done."),
    "failed": Words("failed", "Its task expired before the work was done."),
}


def scene(env: Any, snapshots: Sequence[DascSnapshot]) -> Scene:
    """The scene of an episode.

    Args:
        env: the parallel environment that played it.
        snapshots: one after ``reset`` and one after every step.
    """
    first = snapshots[0]
    state = np.stack([site_states(subtask_states(snapshot)) for snapshot in snapshots])  # [K + 1, S]
    subtasks = Sites(
        word="subtask",
        marks=marks_of(SUBTASK_WORDS, DISCS | MARKS),
        state=state,
        size=np.full(state.shape, DISC),
        x_m=first.subtask_x_m,
        y_m=first.subtask_y_m,
        of_worker=np.stack([snapshot.worker_subtask for snapshot in snapshots]).astype(np.int64),
        links=first.arrows.astype(np.int64),
    )
    figures = ("revenue", "completed", "expired")
    return scene_on_roads(env, snapshots, WORKER_WORDS, WORKERS, subtasks, figures, _events(env, snapshots))


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
