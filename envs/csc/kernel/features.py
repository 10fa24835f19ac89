"""The features of CSC's observations and global state: their names, and by the same names the columns of a row.

`SELF.elapsed` is the column of "elapsed" in a row that describes the worker itself, as a plain number that compiled
loops can read. The names are written once: what comes first in a class is column 0.
"""

from typing import NamedTuple

from crowdgym.envs.csc.instance import NUM_SKILLS

SKILL_FLAGS = tuple(f"skill_{k}" for k in range(NUM_SKILLS))  # the last columns of a row that has them


class SelfColumns(NamedTuple):
    """The worker itself; a flag for each skill comes behind. The statuses are in the order of `WorkerStatus`."""

    x: int
    y: int
    idle: int
    travelling: int
    working: int
    released: int
    elapsed: int
    until_idle: int


class TaskColumns(NamedTuple):
    """A task. Up to ``workers_en_route`` it is the same for every observer, and worked out once an epoch."""

    present: int
    work_left: int
    until_expected: int
    until_deadline: int
    payment_now: int
    workers_present: int
    workers_en_route: int
    dx: int
    dy: int
    distance: int
    able: int


class WorkerColumns(NamedTuple):
    """Another worker. Up to ``until_idle`` it is the same for every observer, and worked out once an epoch."""

    present: int
    idle: int
    working: int
    until_idle: int
    dx: int
    dy: int
    distance: int
    shared_skills: int


SELF = SelfColumns._make(range(len(SelfColumns._fields)))
TASK = TaskColumns._make(range(len(TaskColumns._fields)))
WORKER = WorkerColumns._make(range(len(WorkerColumns._fields)))

SELF_FEATURES = SelfColumns._fields + SKILL_FLAGS
TASK_FEATURES = TaskColumns._fields
WORKER_FEATURES = WorkerColumns._fields

FIRST_SKILL = len(SELF)  # column of the first flag of a skill
TASK_TO_ALL = TASK.dx  # how many numbers of a task are the same for every observer
WORKER_TO_ALL = WORKER.dx  # likewise of a worker

WORKER_STATE = ("x", "y", "idle", "travelling", "working", "released", *SKILL_FLAGS)
TASK_STATE = (
    *("x", "y", "open", "finished", "expired", "work_left", "until_expected", "until_deadline", "payment"),
    *("workers_present", "workers_en_route"),
    *SKILL_FLAGS,
)
